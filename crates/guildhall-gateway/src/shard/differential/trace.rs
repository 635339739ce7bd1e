//! What a client did, connection by connection, in words that do not depend on its luck: sessions
//! and numbers are compared with those that the server knows, and times counted from what they
//! follow.

use std::time::Duration;

use serde_json::Value;

#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) connections: Vec<ConnectionTrace>,
    pub(super) fate: Fate,
}

/// What the client did at the end of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Connected,
    /// It runs, and did not dial for ten minutes.
    Idle,
    /// It ended by itself.
    Ended,
    Panicked,
}

#[derive(Clone, Debug)]
pub(super) struct ConnectionTrace {
    pub(super) address: Address,
    /// Of the upgrade's request.
    pub(super) path_and_query: String,
    pub(super) user_agent: Option<String>,
    /// From the end of the connection before it.
    pub(super) waited: Duration,
    /// How long HELLO took; `None`: there was none.
    pub(super) hello: Option<Duration>,
    pub(super) asked: Vec<Asked>,
    /// When that was answered.
    pub(super) answered: Option<Duration>,
    /// Heartbeats that nobody asked for.
    pub(super) beats: Vec<Beat>,
    /// How long each op 1 waited for its heartbeat; `None`: it had none.
    pub(super) answers: Vec<Option<Duration>>,
    /// When members were asked for.
    pub(super) requests: Vec<Duration>,
    /// Whatever else it said.
    pub(super) others: Vec<Value>,
    pub(super) ended: Ended,
}

/// Where it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Base,
    Resume,
}

#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) what: Ask,
    /// How much later than it might have been: a RESUME at once after HELLO, an IDENTIFY also five
    /// seconds after the last one.
    pub(super) late: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// With these data.
    Identify(Value),
    Resume {
        /// It is the session that READY named last.
        is_newest: bool,
        /// Dispatches of the session that it does not know of.
        behind: i64,
    },
}

/// A heartbeat.
#[derive(Clone, Debug)]
pub(super) struct Beat {
    /// Since HELLO.
    pub(super) at: Duration,
    /// Its number is that of the last dispatch.
    pub(super) is_newest: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) by: Ender,
    /// Since the connection began.
    pub(super) at: Duration,
    /// Since the last thing that was said on it, acknowledgements apart.
    pub(super) after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ender {
    /// Or by the end of the test.
    Server {
        /// Its close was answered with this code.
        echo: Option<u16>,
    },
    Client {
        /// The code that it closed with; `None`: it went without a word.
        code: Option<u16>,
        /// How long it waited for the answer to its close, which did not come.
        held: Option<Duration>,
    },
}

/// Timers have milliseconds, and a first heartbeat any part of one.
const EXACT: Duration = Duration::from_millis(3);

impl ConnectionTrace {
    /// What is wrong with the heartbeats, for an interval of `every`; `None`: the first one came
    /// within it, and each later one exactly so long after the one before.
    pub(super) fn beat_fault(&self, every: Duration) -> Option<BeatFault> {
        let ended = self.ended.at.checked_sub(self.hello?)?;
        let mut last = None;
        for beat in &self.beats {
            match last {
                None if beat.at > every.saturating_add(EXACT) => return Some(BeatFault::Late),
                Some(last) if beat.at + EXACT < every.saturating_add(last) => {
                    return Some(BeatFault::Early);
                }
                Some(last) if beat.at > every.saturating_add(last + EXACT) => {
                    return Some(BeatFault::Late);
                }
                _ => last = Some(beat.at),
            }
        }
        let next = every.saturating_add(last.unwrap_or_default() + EXACT);
        (ended > next).then_some(BeatFault::Missing)
    }

    /// All its heartbeats have the number of the last dispatch.
    pub(super) fn beats_are_newest(&self) -> bool {
        self.beats.iter().all(|beat| beat.is_newest)
    }

    /// How long after its last heartbeat the connection ended; `None`: it sent none.
    pub(super) fn ended_after_beat(&self) -> Option<Duration> {
        let last = self.hello? + self.beats.last()?.at;
        self.ended.at.checked_sub(last)
    }

    /// When members were asked for, since the session stood.
    pub(super) fn requests_since_answer(&self) -> Vec<Duration> {
        let answered = self.answered.unwrap_or_default();
        let since = |at: &Duration| at.saturating_sub(answered);
        self.requests.iter().map(since).collect()
    }

    /// The most requests in any minute, heartbeats included.
    pub(super) fn most_in_a_minute(&self) -> usize {
        let beats = self
            .beats
            .iter()
            .map(|beat| beat.at + self.hello.unwrap_or_default());
        let mut all: Vec<Duration> = beats.chain(self.requests.iter().copied()).collect();
        all.sort();
        let minute = Duration::from_mins(1);
        let from = |(index, first): (usize, &Duration)| {
            let within = |at: &&Duration| **at < *first + minute;
            all[index..].iter().take_while(within).count()
        };
        all.iter().enumerate().map(from).max().unwrap_or_default()
    }
}

/// What is wrong with heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BeatFault {
    Early,
    Late,
    /// The last ones of the connection were not sent.
    Missing,
}
