//! What of Unicode is an emoji, by its blocks: one of them, with whatever belongs to it.

/// Joins two emojis to one.
const JOINER: char = '\u{200d}';
/// Makes a key of the digit before it.
const KEYCAP: char = '\u{20e3}';

/// Whether a text is one emoji and nothing else.
pub(super) fn is_emoji(text: &str) -> bool {
    let (mut bases, mut letters, mut joined) = (0, 0, false);
    let is_key = text.ends_with(KEYCAP);
    for one in text.chars() {
        match one {
            JOINER => {
                joined = true;
                continue;
            }
            // How what stands before it is shown, skin tones, tags of flags, keys.
            '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' | KEYCAP => {}
            // Letters of which two are a flag.
            '\u{1f1e6}'..='\u{1f1ff}' => letters += 1,
            '0'..='9' | '#' | '*' if is_key => bases += 1,
            _ if is_base(one) => bases += u32::from(!joined),
            _ => return false,
        }
        joined = false;
    }
    !joined && matches!((bases, letters), (1, 0) | (0, 2))
}

fn is_base(one: char) -> bool {
    matches!(
        one,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2194}'..='\u{21aa}' | '\u{231a}'..='\u{23ff}' | '\u{24c2}'
        | '\u{25aa}'..='\u{25fe}' | '\u{2600}'..='\u{27bf}' | '\u{2934}' | '\u{2935}'
        | '\u{2b05}'..='\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f004}'..='\u{1f1e5}' | '\u{1f200}'..='\u{1faff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_one_and_text_is_none() {
        for emoji in ["🎲", "❤️", "❤", "👍🏽", "👩‍🚀", "🇩🇪", "3️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "©️", "🏳️‍🌈"]
        {
            assert!(is_emoji(emoji), "{emoji}");
        }
        for text in [
            "", "a", "été", "日本", "3", "🎲🎲", "🎲a", "🇩", "\u{200d}", "\u{fe0f}",
        ] {
            assert!(!is_emoji(text), "{text}");
        }
    }
}
