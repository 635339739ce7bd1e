//! Ids as Discord makes them, drawn from a seed instead of a clock.

use std::{fmt, num::NonZeroU64, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// Discord's first millisecond, 2015-01-01.
const DISCORD_EPOCH_MS: u64 = 1_420_070_400_000;
/// The first id of a seeded world was "made" on 2019-02-01.
const FIRST_MS: u64 = 1_548_979_200_000 - DISCORD_EPOCH_MS;
/// Ids lie at most this far apart, about eleven hours.
const GREATEST_STEP_MS: u64 = 40_000_000;

/// An id of anything in Discord: never zero, always a string in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snowflake(NonZeroU64);

impl Snowflake {
    /// The id as a number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// When the id was made, as ISO 8601, the way Discord writes `joined_at`.
    pub(crate) fn made_at(self) -> String {
        iso(self.time())
    }

    /// When the id was made, to the second.
    pub(crate) fn time(self) -> OffsetDateTime {
        let seconds = ((self.get() >> 22) + DISCORD_EPOCH_MS) / 1000;
        i64::try_from(seconds)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// A time as Discord writes it: ISO 8601 in UTC, with microseconds.
pub(crate) fn iso(at: OffsetDateTime) -> String {
    let form = format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]+00:00"
    );
    at.to_offset(UtcOffset::UTC)
        .format(form)
        .unwrap_or_else(|_| "1970-01-01T00:00:00.000000+00:00".to_owned())
}

impl fmt::Display for Snowflake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The text was not a decimal number from 1 to 2^64 - 1 without leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a snowflake")]
pub struct NotASnowflake;

impl FromStr for Snowflake {
    type Err = NotASnowflake;

    fn from_str(text: &str) -> Result<Self, NotASnowflake> {
        if text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotASnowflake);
        }
        // One id is written in one way.
        if text.is_empty() || text.starts_with('0') {
            return Err(NotASnowflake);
        }
        text.parse()
            .ok()
            .and_then(NonZeroU64::new)
            .map(Self)
            .ok_or(NotASnowflake)
    }
}

impl Serialize for Snowflake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Number(u64),
        }
        let id = match Form::deserialize(deserializer)? {
            Form::Text(text) => text.parse().ok(),
            Form::Number(number) => NonZeroU64::new(number).map(Self),
        };
        id.ok_or_else(|| de::Error::custom(NotASnowflake))
    }
}

/// Random numbers from a seed: the same on every machine and in every version,
/// which no library promises for its generators. SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct SeededRng {
    state: u64,
}

impl SeededRng {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 32 hexadecimal digits, the shape of session ids and image hashes.
    pub(crate) fn hex(&mut self) -> String {
        format!("{:016x}{:016x}", self.next_u64(), self.next_u64())
    }

    /// Letters and digits, the shape of tokens and codes.
    pub(crate) fn letters(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length)
            .map(|_| {
                let place = usize::try_from(self.next_u64() % 62).unwrap_or(0);
                char::from(ALPHABET[place])
            })
            .collect()
    }
}

/// Where ids come from: each is later than every one before it.
#[derive(Clone, Debug)]
pub(crate) struct IdSource {
    pub(crate) rng: SeededRng,
    last: u64,
    by_clock: bool,
}

impl IdSource {
    /// Ids by the seed alone: the same after the same history.
    pub(crate) fn new(rng: SeededRng) -> Self {
        Self {
            rng,
            last: 0,
            by_clock: false,
        }
    }

    /// From now on ids tell by the clock when something was made.
    pub(crate) fn go_by_the_clock(&mut self) {
        self.by_clock = true;
    }

    /// Whether an id tells when something was made.
    pub(crate) fn is_by_clock(&self) -> bool {
        self.by_clock
    }

    /// The id of something that is made now; by the clock a moment later if another one is
    /// of this millisecond.
    pub(crate) fn draw(&mut self, now: OffsetDateTime) -> Snowflake {
        let before = self.last >> 22;
        let ms = if self.by_clock {
            let unix_ms = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
            unix_ms.saturating_sub(DISCORD_EPOCH_MS).max(before + 1)
        } else {
            before.max(FIRST_MS) + 1 + self.rng.next_u64() % GREATEST_STEP_MS
        };
        let maker = self.rng.next_u64() % (1 << 22);
        self.last = (ms << 22) | maker;
        Snowflake(NonZeroU64::new(self.last).unwrap_or(NonZeroU64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_ids_in_rising_order() {
        let draw = || {
            let mut ids = IdSource::new(SeededRng::from_seed(7));
            (0..100)
                .map(|_| ids.draw(OffsetDateTime::UNIX_EPOCH))
                .collect::<Vec<_>>()
        };
        let ids = draw();
        assert_eq!(ids, draw());
        assert!(ids.is_sorted());
        assert!(
            ids[0].made_at().starts_with("2019-02-0"),
            "{}",
            ids[0].made_at()
        );
    }

    #[test]
    fn an_id_with_leading_zeros_is_none() {
        assert!("175928847299117063".parse::<Snowflake>().is_ok());
        assert!("0175928847299117063".parse::<Snowflake>().is_err());
        assert!("0".parse::<Snowflake>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_an_id_or_an_error(text in ".*") {
            if let Ok(id) = text.parse::<Snowflake>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn every_id_has_a_date(number in 1_u64..) {
            let id: Snowflake = number.to_string().parse().expect("a positive number is an id");
            prop_assert!(id.made_at().ends_with("+00:00"));
        }
    }
}
