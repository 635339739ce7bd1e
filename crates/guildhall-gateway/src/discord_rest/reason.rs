//! `X-Audit-Log-Reason`: what Discord shows beside an act in the guild's audit log.

use reqwest::header::HeaderValue;

/// As Discord calls it.
pub(super) const HEADER: &str = "x-audit-log-reason";
/// Discord takes so many characters, as they are before they are encoded.
const CHARACTERS: usize = 512;

/// A text as the header has it: UTF-8, percent-encoded. `None`: there is nothing to say.
pub(super) fn header_value(reason: &str) -> Option<HeaderValue> {
    let mut encoded = String::with_capacity(reason.len());
    for character in reason.trim().chars().take(CHARACTERS) {
        let mut utf8 = [0; 4];
        for byte in character.encode_utf8(&mut utf8).bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                let hex = |digit: u8| char::from(b"0123456789ABCDEF"[usize::from(digit)]);
                encoded.extend(['%', hex(byte >> 4), hex(byte & 0xf)]);
            }
        }
    }
    if encoded.is_empty() {
        return None;
    }
    HeaderValue::from_str(&encoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_ascii_whatever_it_says() {
        for (reason, encoded) in [
            ("moved by Ada", "moved%20by%20Ada"),
            ("Größe 100%", "Gr%C3%B6%C3%9Fe%20100%25"),
            ("a\r\nX-Evil: 1\0", "a%0D%0AX-Evil%3A%201%00"),
            ("😀+~", "%F0%9F%98%80%2B~"),
        ] {
            let value = header_value(reason).expect("some text");
            assert_eq!(value, encoded);
        }
        assert_eq!(header_value(" \n "), None);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let value = header_value(&"ü".repeat(600)).expect("some text");
        assert_eq!(value, "%C3%BC".repeat(512));
    }
}
