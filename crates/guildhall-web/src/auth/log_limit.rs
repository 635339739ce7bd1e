//! Log lines about what others can cause: one per kind and minute, with how many there were.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The time in which one line of a kind is enough.
const QUIET: Duration = Duration::from_mins(1);

/// When each kind was last said. Kinds are words of ours, so there are few.
#[derive(Debug, Default)]
pub(super) struct LogLimit(Mutex<HashMap<&'static str, Said>>);

#[derive(Debug)]
struct Said {
    at: Instant,
    since: u64,
}

impl LogLimit {
    /// Whether to say it now, and how often it happened unsaid since the last line.
    pub(super) fn admit(&self, kind: &'static str, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get_mut(kind) {
            Some(said) if now < said.at + QUIET => {
                said.since += 1;
                None
            }
            last => {
                let unsaid = last.map_or(0, |said| said.since);
                said.insert(kind, Said { at: now, since: 0 });
                Some(unsaid)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_kind_is_said_once_a_minute_with_how_many_there_were() {
        let (limit, now) = (LogLimit::default(), Instant::now());
        assert_eq!(limit.admit("a", now), Some(0));
        assert_eq!(limit.admit("a", now), None);
        assert_eq!(limit.admit("b", now), Some(0));
        assert_eq!(limit.admit("a", now + QUIET / 2), None);
        assert_eq!(limit.admit("a", now + QUIET), Some(2));
        assert_eq!(limit.admit("a", now + QUIET), None);
    }
}
