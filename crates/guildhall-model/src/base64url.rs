//! Bytes as text that fits into addresses: base64url without padding (RFC 4648, section 5).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The letter of six bits; of more the lowest six.
pub(crate) fn letter(bits: u8) -> char {
    char::from(ALPHABET[usize::from(bits) % ALPHABET.len()])
}

/// The six bits of a letter.
pub(crate) fn value(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

/// The text of bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 1);
    for group in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| group.get(at).copied().unwrap_or_default());
        let bits = [a >> 2, a << 4 | b >> 4, b << 2 | c >> 6, c];
        text.extend(bits[..=group.len()].iter().map(|bits| letter(*bits)));
    }
    text
}

/// The bytes of a text; `None`: it is none. One text stands for some bytes, and no other.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let mut bits = [0; 4];
        for (bits, letter) in bits.iter_mut().zip(group) {
            *bits = value(*letter)?;
        }
        let [a, b, c, d] = bits;
        let three = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        let (whole, rest) = three.split_at_checked(group.len() - 1)?;
        // A letter alone is no byte, and the bits behind the last one are 0.
        if whole.is_empty() || rest.first().is_some_and(|rest| *rest != 0) {
            return None;
        }
        bytes.extend(whole);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_the_text_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(encode(&[0xfb, 0xff, 0xbf]), "-_-_");
        for none in ["A", "Zg==", "Zh", "Zm9", "Zm9v!", "Zm+v", "Zm/v"] {
            assert_eq!(decode(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn one_text_for_some_bytes_and_back(bytes in any::<Vec<u8>>(), text in "[A-Za-z0-9_-]{0,9}") {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
