//! A checksum for each row.

/// A checksum over a row's values: SQLite finds a page that is out of order, not a digit that has
/// turned into another.
///
/// Written to disk, so it never changes. Each step can be undone, so one changed word, and with
/// it one changed byte, always changes the sum. No protection from somebody who computes it.
pub(in crate::sqlite) struct Checksum(u64);

impl Checksum {
    /// `kind`: a row is not taken for one of another table.
    pub(in crate::sqlite) fn of(kind: &str) -> Self {
        Self(0).text(kind)
    }

    pub(in crate::sqlite) fn number(self, number: u64) -> Self {
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self((mixed ^ (mixed >> 32)).rotate_left(27))
    }

    pub(in crate::sqlite) fn text(self, text: &str) -> Self {
        let (words, rest) = text.as_bytes().as_chunks();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let words = words.iter().chain([&last]);
        let sum = words.fold(self, |sum, word| sum.number(u64::from_le_bytes(*word)));
        sum.number(text.len() as u64)
    }

    pub(in crate::sqlite) fn optional_text(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    pub(in crate::sqlite) fn done(self) -> u64 {
        self.number(0).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_it_was() {
        let sum = Checksum::of("event")
            .number(7)
            .text("a payload of some length");
        assert_eq!(
            sum.optional_text(Some("x")).optional_text(None).done(),
            0x3656_c70f_1631_8084
        );
    }

    #[test]
    fn one_byte_changes_it_and_so_does_where_a_text_ends() {
        let text = "{\"guildId\":\"41771983423143937\",\"ts\":1700000000000}";
        let sum = Checksum::of("event").text(text).done();
        for at in 0..text.len() {
            let mut other = text.as_bytes().to_vec();
            other[at] ^= 1;
            let other = String::from_utf8(other).expect("ASCII");
            assert_ne!(Checksum::of("event").text(&other).done(), sum, "byte {at}");
        }
        let parts = |one: &str, two: &str| Checksum::of("event").text(one).text(two).done();
        assert_ne!(parts("ab", "c"), parts("a", "bc"));
        assert_ne!(parts("a\0", ""), parts("a", ""));
        assert_ne!(Checksum::of("base").text(text).done(), sum);
    }
}
