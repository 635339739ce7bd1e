//! JSON as it leaves us: on streams, in answers, on the link.
//!
//! JSON allows U+0085, U+2028 and U+2029 raw inside strings, but Unicode calls them line ends, and
//! readers that split a stream by Unicode's rules (Python's `str.splitlines`, and with it several
//! SSE clients) would take what follows one in somebody's name for a line of its own. serde_json
//! escapes the other line ends of that set (all are below U+0020); these three are escaped here.

use serde::Serialize;

/// One line of JSON, whatever its reader calls a line end.
///
/// # Panics
///
/// On maps whose keys are no strings; nothing of ours has such.
pub fn to_vec(value: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_vec(value);
    escape_line_ends(json.expect("what we send are maps with string keys, which serialise"))
}

/// As [`to_vec`].
///
/// # Panics
///
/// As [`to_vec`].
pub fn to_string(value: &impl Serialize) -> String {
    String::from_utf8(to_vec(value)).expect("JSON is UTF-8")
}

/// As [`to_vec`], behind what is there, which is ASCII.
///
/// # Panics
///
/// As [`to_vec`].
pub fn append(to: &mut Vec<u8>, value: &impl Serialize) {
    let written = serde_json::to_writer(&mut *to, value);
    written.expect("what we send are maps with string keys, which serialise");
    *to = escape_line_ends(std::mem::take(to));
}

/// In JSON these three stand in strings only, so they may be escaped without reading it. One look
/// over finished bytes costs less than a serde_json formatter that looks at each string, and it
/// holds for JSON that was passed on raw, too.
fn escape_line_ends(json: Vec<u8>) -> Vec<u8> {
    // Nearly all of it is ASCII, and that is told many bytes at a time.
    if json.is_ascii() {
        return json;
    }
    let mut escaped: Vec<u8> = Vec::new();
    let (mut copied, mut at) = (0, 0);
    let may_begin = |byte: &u8| matches!(byte, 0xc2 | 0xe2);
    while let Some(found) = json[at..].iter().position(may_begin) {
        at += found;
        let (escape, length): (&[u8], _) = match json[at..] {
            [0xc2, 0x85, ..] => (b"\\u0085", 2),
            [0xe2, 0x80, 0xa8, ..] => (b"\\u2028", 3),
            [0xe2, 0x80, 0xa9, ..] => (b"\\u2029", 3),
            _ => {
                at += 1;
                continue;
            }
        };
        escaped.extend_from_slice(&json[copied..at]);
        escaped.extend_from_slice(escape);
        at += length;
        copied = at;
    }
    if copied == 0 {
        return json;
    }
    escaped.extend_from_slice(&json[copied..]);
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What Python's `str.splitlines` splits at, the widest such set in use.
    const LINE_ENDS: [char; 11] = [
        '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}',
        '\u{2029}', '\0',
    ];

    #[test]
    fn line_ends_of_unicode_are_escaped_in_values_keys_and_raw_json() {
        assert_eq!(
            to_string(&"a\u{2028}b\u{2029}c\u{85}é\u{2027}"),
            r#""a\u2028b\u2029c\u0085é""#.replace('é', "é\u{2027}")
        );
        let keyed = BTreeMap::from([("x\u{2028}", "\u{85}")]);
        assert_eq!(to_string(&keyed), r#"{"x\u2028":"\u0085"}"#);
        let raw = serde_json::value::RawValue::from_string("\"\u{2029}\"".to_owned());
        assert_eq!(to_string(&raw.expect("JSON")), r#""\u2029""#);
    }

    proptest! {
        #[test]
        fn any_text_stays_one_line_and_is_unchanged_once_parsed(
            text in prop_oneof![
                "\\PC{0,40}",
                "[\\x00-\\x1f\u{7f}-\u{a0}\u{2020}-\u{2030}\u{feff}\"\\\\a]{0,40}",
            ],
        ) {
            let json = to_string(&[&text]);
            prop_assert!(!json.contains(LINE_ENDS), "{json}");
            let read: Vec<String> = serde_json::from_str(&json).expect("JSON");
            prop_assert_eq!(&read[0], &text);
        }

        #[test]
        fn without_such_a_line_end_it_is_what_serde_json_writes(text in "[a-zäß🎲\"\\\\\n]{0,40}") {
            let plain = serde_json::to_string(&[Some(&text), None]).expect("JSON");
            prop_assert_eq!(to_string(&[Some(&text), None]), plain);
        }
    }
}
