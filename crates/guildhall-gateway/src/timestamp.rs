//! Discord's timestamps: ISO 8601, as of `communication_disabled_until`.

use std::{borrow::Cow, str::FromStr};

use guildhall_model::UnixMs;
use serde::{Deserialize, Deserializer, de};

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/// A time as Discord writes it, `2026-01-31T12:00:00.123000+00:00`. One before 1970 is 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) UnixMs);

/// It is no date with a time and an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no timestamp of the form 2026-01-31T12:00:00+00:00")]
pub(crate) struct NoTimestamp;

impl FromStr for Timestamp {
    type Err = NoTimestamp;

    fn from_str(text: &str) -> Result<Self, NoTimestamp> {
        let at = read(text).ok_or(NoTimestamp)?;
        Ok(Self(UnixMs::try_from(at).unwrap_or(0)))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

fn read(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let (year, rest) = number(date, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
    let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !valid || !rest.is_empty() {
        return None;
    }
    let (clock, rest) = clock(time)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => number(rest, 2).filter(|(second, _)| *second < 60)?,
        None => (0, rest),
    };
    let (ms, rest) = match rest.strip_prefix('.') {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    let local = days_since_1970(year, month, day) * MS_PER_DAY + clock + second * 1000 + ms;
    Some(local - offset(rest)?)
}

/// Hours and minutes, in ms, and what stands after them.
fn clock(text: &str) -> Option<(i64, &str)> {
    let (hour, rest) = number(text, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
    let valid = hour < 24 && minute < 60;
    valid.then_some(((hour * 60 + minute) * 60_000, rest))
}

/// `Z`, or how far the clocks there are ahead, in ms.
fn offset(text: &str) -> Option<i64> {
    let ahead = match text.chars().next()? {
        'Z' => return (text == "Z").then_some(0),
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (ms, rest) = clock(&text[1..])?;
    rest.is_empty().then_some(ahead * ms)
}

/// Digits after the point: what is finer than a millisecond is cut off.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(digits);
    let ms = digits.bytes().chain(*b"000").take(3);
    let ms = ms.fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    (!digits.is_empty()).then_some((ms, rest))
}

fn number(text: &str, digits: usize) -> Option<(i64, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let all_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|_| all_digits)?;
    Some((number, rest))
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the proleptic Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    // Every year before this one, with the leap days among them.
    let before = |year: i64| year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    before(year) - before(1970) + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_discord_and_others_write_them() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2022-01-01T00:00:00.000000+00:00", 1_640_995_200_000),
            ("2021-03-31T18:45:31.297561+00:00", 1_617_216_331_297),
            ("2021-03-31T20:45:31.2+02:00", 1_617_216_331_200),
            ("2021-03-31T13:15:31-05:30", 1_617_216_331_000),
            ("2021-03-31T18:45Z", 1_617_216_300_000),
            ("2099-12-31T23:59:59.999Z", 4_102_444_799_999),
            ("1969-12-31T23:59:59Z", 0),
        ] {
            assert_eq!(text.parse(), Ok(Timestamp(ms)), "{text}");
        }
    }

    #[test]
    fn each_day_of_four_centuries_is_the_day_after_the_one_before() {
        let mut days = days_since_1970(1970, 1, 1);
        assert_eq!(days, 0);
        for year in 1970..2370 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    assert_eq!(
                        days_since_1970(year, month, day),
                        days,
                        "{year}-{month}-{day}"
                    );
                    days += 1;
                }
            }
        }
        assert_eq!(
            days, 146_097,
            "as many as the calendar has in four centuries"
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "T",
            "2021-03-31",
            "2021-03-31 18:45:31Z",
            "2021-03-31T18:45:31",
            "2021-13-01T00:00:00Z",
            "2021-00-01T00:00:00Z",
            "2021-02-29T00:00:00Z",
            "2021-03-32T00:00:00Z",
            "2021-03-31T24:00:00Z",
            "2021-03-31T18:60:00Z",
            "2021-03-31T18:45:60Z",
            "2021-03-31T18:45:31.Z",
            "2021-03-31T18:45:31+0200",
            "2021-03-31T18:45:31+24:00",
            "2021-03-31T18:45:31Zulu",
            "+021-03-31T18:45:31Z",
            "2021-3-31T18:45:31Z",
            "tomorrow",
            "１９７０-01-01T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(NoTimestamp), "{text}");
        }
        assert!(serde_json::from_str::<Timestamp>("1617216331297").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC{0,40}|[0-9TZ:.+-]{0,32}") {
            let _ = text.parse::<Timestamp>();
        }
    }
}
