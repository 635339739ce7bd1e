//! Every interval by its name: whoever starts a simulator may shrink or stretch it.

use std::{fmt, time::Duration};

use super::Config;

/// One interval of a [`Config`].
#[derive(Clone, Copy)]
pub struct Interval {
    /// As it is written on command lines.
    pub name: &'static str,
    /// One line for `--help` and the documentation.
    pub help: &'static str,
    place: fn(&mut Config) -> &mut Duration,
}

impl fmt::Debug for Interval {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(out)
    }
}

/// Why an interval was not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoInterval {
    /// The text is not of the form `NAME=DURATION`.
    #[error("{0:?} is not NAME=DURATION, such as heartbeat=45s")]
    Form(String),
    /// Nothing is called so.
    #[error("there is no interval {0:?}")]
    Name(String),
    /// What should be a time is none.
    #[error("{0:?} is no duration: write it as 0, 250ms, 30s, 5m, 24h or 7d")]
    Duration(String),
}

macro_rules! interval {
    ($name:literal, $($place:ident).+, $help:literal) => {
        Interval { name: $name, help: $help, place: |config| &mut config.$($place).+ }
    };
}

/// All of them, in the order of the documentation.
pub const INTERVALS: &[Interval] = &[
    interval!(
        "heartbeat",
        heartbeat_interval,
        "heartbeat_interval of HELLO"
    ),
    interval!(
        "heartbeat-grace",
        heartbeat_grace,
        "from a missed heartbeat to the close"
    ),
    interval!(
        "reconnect-grace",
        reconnect_grace,
        "how long a client may stay after op 7 or op 9"
    ),
    interval!(
        "resume-window",
        resume_window,
        "how long a session without a connection can be resumed"
    ),
    interval!(
        "guild-create",
        guild_create_delay,
        "from READY to the first GUILD_CREATE, and between guilds"
    ),
    interval!(
        "identify",
        identify_interval,
        "between two IDENTIFYs of one slot"
    ),
    interval!(
        "session-starts",
        session_start_window,
        "how long a started session counts"
    ),
    interval!(
        "sends",
        send_window,
        "the window of 120 payloads that a client may send"
    ),
    interval!(
        "member-list",
        member_list_interval,
        "between two requests for a guild's member list"
    ),
    interval!(
        "write-limit",
        write_limit,
        "a client that takes no byte for so long is torn off"
    ),
    interval!(
        "close-limit",
        close_limit,
        "how long a closed client may take to echo the close"
    ),
    interval!(
        "bucket",
        rate_limits.bucket_window,
        "the window of one REST bucket"
    ),
    interval!(
        "global",
        rate_limits.global_window,
        "the window of the global REST limit"
    ),
    interval!(
        "invalid",
        rate_limits.invalid_window,
        "how long a 401, 403 or 429 counts against an address"
    ),
    interval!(
        "rename",
        rate_limits.rename_window,
        "the window of two changes of a channel's name, and of two of its topic"
    ),
    interval!(
        "roles",
        rate_limits.role_window,
        "the window of 250 roles that are made in a guild"
    ),
    interval!(
        "invite-second",
        invite_second,
        "how long a second of an invite's max_age is"
    ),
    interval!(
        "interaction-answer",
        interaction_answer,
        "how long a bot may take to answer an interaction at all"
    ),
    interval!(
        "interaction-token",
        interaction_token,
        "how long an interaction's token is good for what follows its first answer"
    ),
    interval!(
        "nonce",
        nonce_memory,
        "how long an enforced nonce is remembered"
    ),
    interval!("code", grants.code, "life of an OAuth2 code"),
    interval!("access", grants.access, "life of an access token"),
    interval!("refresh", grants.refresh, "life of a refresh token"),
    interval!(
        "webhook-retry",
        webhook_retry,
        "before a webhook event is told again; each further pause is twice as long"
    ),
    interval!(
        "webhook-give-up",
        webhook_give_up,
        "how long a webhook event is told again"
    ),
    interval!(
        "head-limit",
        head_limit,
        "how long the head of a request may take"
    ),
    interval!(
        "body-limit",
        body_limit,
        "how long the body of a request may take"
    ),
    interval!(
        "stop-limit",
        stop_limit,
        "how long a stopping simulator waits for answers under way"
    ),
    interval!(
        "scenario",
        scenario_pace,
        "between two turns of a scenario, on average"
    ),
];

impl Interval {
    /// What it is unless somebody says otherwise, as it would be written.
    #[must_use]
    pub fn default_text(&self) -> String {
        written(*(self.place)(&mut Config::default()))
    }
}

impl Config {
    /// Sets an interval from `NAME=DURATION`.
    pub fn set_interval(&mut self, text: &str) -> Result<(), NoInterval> {
        let (name, duration) = text
            .split_once('=')
            .ok_or_else(|| NoInterval::Form(text.to_owned()))?;
        let interval = INTERVALS
            .iter()
            .find(|interval| interval.name == name)
            .ok_or_else(|| NoInterval::Name(name.to_owned()))?;
        let duration = read(duration).ok_or_else(|| NoInterval::Duration(duration.to_owned()))?;
        *(interval.place)(self) = duration;
        Ok(())
    }
}

/// The units, the longest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 24 * 60 * 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];
/// Longer than any test, and short enough for every clock.
const LONGEST: Duration = Duration::from_hours(24 * 365);

fn read(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, ms) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let ms = number.parse::<u64>().ok()?.checked_mul(ms)?;
    Some(Duration::from_millis(ms)).filter(|duration| *duration <= LONGEST)
}

fn written(duration: Duration) -> String {
    let ms = duration.as_millis();
    let fits = |(name, of): &(&str, u64)| {
        let of = u128::from(*of);
        (ms > 0 && ms.is_multiple_of(of)).then(|| format!("{}{name}", ms / of))
    };
    UNITS
        .iter()
        .find_map(fits)
        .unwrap_or_else(|| "0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interval_can_be_set_to_what_it_is_and_to_something_else() {
        for interval in INTERVALS {
            let mut config = Config::default();
            let as_it_is = format!("{}={}", interval.name, interval.default_text());
            assert_eq!(config.set_interval(&as_it_is), Ok(()));
            assert_eq!(config, Config::default(), "{as_it_is}");
            let shrunk = format!("{}=7ms", interval.name);
            assert_eq!(config.set_interval(&shrunk), Ok(()));
            assert_eq!(*(interval.place)(&mut config), Duration::from_millis(7));
            assert_ne!(config, Config::default(), "{shrunk}");
        }
    }

    #[test]
    fn every_interval_is_in_the_manual() {
        let manual = include_str!("../../../../docs/simulator.md");
        for interval in INTERVALS {
            let Interval { name, help, .. } = interval;
            let row = format!("| `{name}` | {help} | {} |", interval.default_text());
            assert!(manual.contains(&row), "{row}");
        }
    }

    #[test]
    fn what_is_no_interval_is_said() {
        let mut config = Config::default();
        for wrong in [
            "heartbeat",
            "heartbeats=1s",
            "heartbeat=",
            "heartbeat=1",
            "heartbeat=s",
            "heartbeat=-1s",
            "heartbeat=1.5s",
            "heartbeat=1 s",
            "heartbeat=99999999999999999999d",
            "heartbeat=366d",
        ] {
            assert!(config.set_interval(wrong).is_err(), "{wrong}");
        }
        assert_eq!(config, Config::default());
        assert_eq!(config.set_interval("heartbeat=0"), Ok(()));
    }
}
