//! Secrets that nobody made by chance: words that stand where one goes, characters that repeat or
//! count on. What is random must never be taken for one of them.

use std::collections::BTreeSet;

/// Said by nobody but who tells others to put something else there.
const WORDS: [&str; 18] = [
    "change",
    "changeit",
    "changeme",
    "dummy",
    "example",
    "fixme",
    "generate",
    "generated",
    "insert",
    "paste",
    "placeholder",
    "replace",
    "replaceme",
    "sample",
    "secretkey",
    "tbd",
    "todo",
    "your",
];

/// Marks around what is to be replaced.
const BRACKETS: [(&str, &str); 5] = [("<", ">"), ("{", "}"), ("[", "]"), ("(", ")"), ("%", "%")];

/// As short as this is not 16 random bytes, so each capital may begin a word.
const SHORT: usize = 22;

/// What guides print where a secret goes.
pub(super) fn is_placeholder(value: &str) -> bool {
    let bracketed = |(begin, end): &(&str, &str)| {
        let inner = value.strip_prefix(begin);
        inner.and_then(|rest| rest.strip_suffix(end)).is_some()
    };
    if BRACKETS.iter().any(bracketed)
        || ["<", "${", "{{"].iter().any(|mark| value.starts_with(mark))
    {
        return true;
    }
    let joined = value.to_ascii_lowercase().replace(['-', '_'], "");
    if joined.contains("changeme") || joined.contains("replaceme") {
        return true;
    }
    let words = words(value);
    let said = |word: &String| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let crosses = letters.len() >= 3 && letters.bytes().all(|byte| byte == b'x');
        crosses || WORDS.contains(&letters)
    };
    let pair = |pair: &[String]| pair[0] == "secret" && pair[1].starts_with("key");
    words.iter().any(said) || words.windows(2).any(pair)
}

/// The words that a value is made of, in small letters; none if a part of it is no word. Chance
/// puts three letters in a row between two marks now and then, but not words all through.
fn words(value: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in value.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut begin = 0;
        if value.len() < SHORT {
            for (at, pair) in part.as_bytes().windows(2).enumerate() {
                if pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase() {
                    words.push(&part[begin..=at]);
                    begin = at + 1;
                }
            }
        }
        words.push(&part[begin..]);
    }
    words.retain(|word| !word.is_empty());
    if !words.iter().all(|word| is_word(word)) {
        return Vec::new();
    }
    words.iter().map(|word| word.to_ascii_lowercase()).collect()
}

/// `word`, `Word` or `WORD`, with or without a number after it, or a number.
fn is_word(text: &str) -> bool {
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let small = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let large = letters.bytes().all(|byte| byte.is_ascii_uppercase());
    let rest = letters.strip_prefix(|c: char| c.is_ascii_uppercase());
    small(letters) || large || rest.is_some_and(small)
}

/// `aaaa…`, `abcabc…`, `abcdef…`, or so few different characters that chance did not make it.
pub(super) fn is_guessed(secret: &str) -> bool {
    let bytes = secret.as_bytes();
    let different: BTreeSet<u8> = bytes.iter().copied().collect();
    let few = match bytes.len() {
        0..16 => false,
        16..32 => different.len() < 5,
        _ => different.len() < 6,
    };
    few || repeats(bytes) || counts_on(bytes)
}

/// Whether it is one piece at least twice over, whole or cut off at its end.
fn repeats(bytes: &[u8]) -> bool {
    let length = bytes.len();
    (1..=length / 2).any(|period| bytes[period..] == bytes[..length - period])
}

/// Whether nearly each character is the one after that before it, or nearly each the one before.
fn counts_on(bytes: &[u8]) -> bool {
    const SHORTEST: usize = 6;
    if bytes.len() < SHORTEST {
        return false;
    }
    let pairs = || bytes.windows(2).map(|pair| (pair[0], pair[1]));
    let up = pairs().filter(|(one, next)| follows(*one, *next)).count();
    let down = pairs().filter(|(one, next)| follows(*next, *one)).count();
    up.max(down) * 4 >= (bytes.len() - 1) * 3
}

/// Among letters and digits, each of which goes round, and hexadecimal ones.
fn follows(one: u8, next: u8) -> bool {
    let (one, next) = (one.to_ascii_lowercase(), next.to_ascii_lowercase());
    match (one, next) {
        (b'9' | b'z', b'0' | b'a') | (b'f', b'0') => true,
        _ => one.is_ascii_alphanumeric() && one.checked_add(1) == Some(next),
    }
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine,
        prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
    };
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_stands_where_a_secret_goes_is_a_placeholder() {
        for value in [
            "todo",
            "xxx",
            "placeholder",
            "changeme123",
            "yourSecretHere",
            "insert-your-secret-here",
            "{{secret}}",
            "[secret]",
            "<secret>",
            "${SECRET}",
            "%SECRET%",
            "my.example.secret",
            "change_this_to_a_random_32_char_string",
            "REPLACE_WITH_32_CHARACTER_SECRET_KEY",
            "Super-Secret-Key-For-The-Link-Of-Us",
            "generate-with-openssl-rand-hex-32-xx",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn what_repeats_or_counts_on_is_guessed() {
        for value in [
            "xxxxxxxxxxxx",
            "********",
            "abcabcabc",
            "abcabcab",
            "12345678",
            "987654321",
            "abcdefghijklmnopqrstuvwxyzabcdef",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
            "0123456789abcdef0123456789abcdef",
            "a-piece-of-many-lettersa-piece-of-many-letters",
            "12121121222112121221211221212211",
            "abcdeedcbaabdceacbdeabecdabcedbe",
        ] {
            assert!(is_guessed(value), "{value}");
        }
    }

    #[test]
    fn words_of_ones_own_are_let_be() {
        for value in [
            "hush",
            "x",
            "MTIz.abc.defghi",
            "another-token-than-the-gateways-0123456789",
            "correct-horse-battery-staple-exchange",
        ] {
            assert!(!is_placeholder(value) && !is_guessed(value), "{value}");
        }
    }

    fn passes(secret: &str) -> bool {
        !is_placeholder(secret) && !is_guessed(secret)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn chance_is_never_taken_for_a_placeholder(
            // Shrinking would look for bytes that are not random.
            bytes in prop::collection::vec(any::<u8>(), 16..64).no_shrink()
        ) {
            let hex: String = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
            prop_assert!(passes(&hex), "{hex}");
            prop_assert!(passes(&hex.to_ascii_uppercase()), "{hex}");
            for engine in [BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD] {
                let text = engine.encode(&bytes);
                prop_assert!(passes(&text), "{text}");
            }
        }
    }
}
