//! Lone surrogates in others' JSON, replaced so that it can be read.
//!
//! JSON's `\uXXXX` escapes are UTF-16 and may hold half of a surrogate pair: a client that cuts a
//! name in the middle of an emoji makes one. No Rust string can hold it and serde_json refuses
//! the whole text, so it is replaced where such JSON comes in, as JavaScript's `toWellFormed` and
//! every UTF-8 encoder of the Web do it.

use std::borrow::Cow;

/// What stands in for half a surrogate pair: U+FFFD. As long as any other escape, so that
/// everything else stays where it is.
const REPLACEMENT: &[u8; 6] = b"\\ufffd";

/// JSON text with U+FFFD in place of each escaped surrogate that has no partner. Everything else
/// is as it was, whether it is JSON or not; text without such a surrogate is not copied.
#[must_use]
pub fn replace_lone_surrogates(json: &str) -> Cow<'_, str> {
    // Most messages have no such escape at all, and this search is a vectorised one.
    if !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    let bytes = json.as_bytes();
    let mut mended: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        match escaped_unit(bytes, at) {
            Some(Unit::High) if matches!(escaped_unit(bytes, at + 6), Some(Unit::Low)) => at += 12,
            Some(Unit::High | Unit::Low) => {
                let mended = mended.get_or_insert_with(|| bytes.to_vec());
                mended[at..at + 6].copy_from_slice(REPLACEMENT);
                at += 6;
            }
            // An escaped backslash may stand before a `u` that escapes nothing.
            _ if bytes.get(at + 1) == Some(&b'\\') => at += 2,
            _ => at += 1,
        }
    }
    match mended.map(String::from_utf8) {
        None => Cow::Borrowed(json),
        Some(Ok(mended)) => Cow::Owned(mended),
        // ASCII was replaced by ASCII.
        Some(Err(error)) => String::from_utf8_lossy(error.as_bytes())
            .into_owned()
            .into(),
    }
}

/// The body of an answer as JSON text that serde_json reads: bytes that are no UTF-8 and
/// surrogates without a partner are U+FFFD.
#[must_use]
pub fn readable_json(body: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(json) => replace_lone_surrogates(json),
        Cow::Owned(json) => replace_lone_surrogates(&json).into_owned().into(),
    }
}

/// A UTF-16 code unit.
enum Unit {
    /// The first half of a pair.
    High,
    /// The second half of a pair.
    Low,
    Whole,
}

/// The unit that is escaped here, if `at` is where a `\uXXXX` begins.
fn escaped_unit(bytes: &[u8], at: usize) -> Option<Unit> {
    let escape = bytes.get(at..at + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let unit = digits
        .iter()
        .try_fold(0, |unit, byte| Some(unit << 4 | digit(byte)?))?;
    Some(match unit {
        0xd800..=0xdbff => Unit::High,
        0xdc00..=0xdfff => Unit::Low,
        _ => Unit::Whole,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_replaced_and_everything_else_stays() {
        for (sent, read) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\uD83D\uDE00 \uD83D""#, "😀 \u{fffd}"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ud83dx\ude00""#, "\u{fffd}x\u{fffd}"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\\\ud83d""#, "\\\u{fffd}"),
            (r#""\ud83d\\ude00""#, "\u{fffd}\\ude00"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
            (r#""é\u00e9\"\ud800""#, "éé\"\u{fffd}"),
        ] {
            let mended = replace_lone_surrogates(sent);
            let text: String = serde_json::from_str(&mended).expect("it is JSON now");
            assert_eq!(text, read, "{sent}");
            assert_eq!(mended.len(), sent.len());
        }
    }

    #[test]
    fn what_needs_no_cure_is_not_copied() {
        for json in [
            r#"{"name":"Lounge"}"#,
            r#""\ud83d\ude00\u2028""#,
            r#""\\ud83d""#,
            r#""\ud83"#,
            "\\",
        ] {
            assert!(
                matches!(replace_lone_surrogates(json), Cow::Borrowed(_)),
                "{json}"
            );
        }
    }

    #[test]
    fn an_answer_is_read_whatever_bytes_are_in_its_names() {
        let body = b"{\"name\":\"a\xff\xed\xa0\x80\\ud83d\"}";
        let read: serde_json::Value = serde_json::from_str(&readable_json(body)).expect("JSON");
        let name = read["name"].as_str().expect("a name");
        assert!(name.starts_with("a\u{fffd}") && name.ends_with('\u{fffd}'));
        assert!(matches!(readable_json(b"{}"), Cow::Borrowed("{}")));
    }

    proptest! {
        #[test]
        fn any_string_of_utf16_is_readable_as_a_lossy_reader_reads_it(
            units in prop::collection::vec(
                prop_oneof![0xd7ff_u16..0xe001, 0xd83d..0xd83f_u16, 0xde00..0xde02_u16, 0x20..0x80_u16],
                0..12,
            ),
        ) {
            let escaped = units.iter().fold(String::new(), |text, unit| text + &format!("\\u{unit:04x}"));
            let mended = replace_lone_surrogates(&escaped).into_owned();
            let read: String = serde_json::from_str(&format!("\"{mended}\"")).expect("JSON");
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn any_text_keeps_its_length_and_what_is_json_stays_as_it_was(text in "\\PC{0,40}|\"[\\\\ud8eé]{0,20}\"") {
            let mended = replace_lone_surrogates(&text);
            prop_assert_eq!(mended.len(), text.len());
            if let Ok(read) = serde_json::from_str::<serde_json::Value>(&text) {
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&mended).ok(), Some(read));
            }
        }
    }
}
