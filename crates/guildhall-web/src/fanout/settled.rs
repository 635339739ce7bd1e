//! Commands that are settled, for the streams of the session that gave them. They are numbered and
//! kept once for a session; each stream has the number of the last one that it was told.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use guildhall_model::Cursor;
use guildhall_ports::SessionId;
use parking_lot::Mutex;

use crate::replica::LogPositions;

/// Kept for streams that were not polled since. Beyond it the oldest is forgotten: whoever gave a
/// command takes it as settled a second after its answer all the same.
const KEPT: usize = 64;

/// The sessions of one viewer that have a stream open.
#[derive(Debug, Default)]
pub(super) struct SettledOfSessions(Mutex<Vec<(SessionId, Weak<SettledCommands>)>>);

/// What was settled for one session, as long as it has a stream.
#[derive(Debug, Default)]
struct SettledCommands {
    /// The number of the last one; streams look here first.
    last: AtomicU64,
    /// Ascending, without a gap, up to `last`.
    kept: Mutex<VecDeque<SettledCommand>>,
}

/// A command that is done.
#[derive(Debug)]
struct SettledCommand {
    key: String,
    /// Whoever has read up to here has seen what it did.
    at: Option<Cursor>,
}

/// What one stream was told of it.
#[derive(Debug)]
pub(crate) struct SettledReader {
    session: Arc<SettledCommands>,
    told: u64,
}

impl SettledOfSessions {
    /// For a stream that opens now: it is told what is settled from now on.
    pub(super) fn reader(&self, id: &SessionId) -> SettledReader {
        let mut sessions = self.0.lock();
        sessions.retain(|(_, session)| session.strong_count() > 0);
        let known = sessions.iter().find(|(known, _)| known == id);
        let session = known.and_then(|(_, session)| session.upgrade());
        let session = session.unwrap_or_else(|| {
            let new = Arc::new(SettledCommands::default());
            sessions.push((id.clone(), Arc::downgrade(&new)));
            new
        });
        SettledReader {
            told: session.last.load(Ordering::Acquire),
            session,
        }
    }

    /// A command of a session is done. Returns whether the session has a stream to be told.
    pub(super) fn settle(&self, id: &SessionId, key: String, at: Option<Cursor>) -> bool {
        let sessions = self.0.lock();
        let known = sessions.iter().find(|(known, _)| known == id);
        let Some(session) = known.and_then(|(_, session)| session.upgrade()) else {
            return false;
        };
        drop(sessions);
        session.push(SettledCommand { key, at });
        true
    }
}

impl SettledCommands {
    fn push(&self, command: SettledCommand) {
        let mut kept = self.kept.lock();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(command);
        self.last.fetch_add(1, Ordering::AcqRel);
    }
}

impl SettledReader {
    /// The keys that the stream was not told yet, in order, now that all up to `position` was sent:
    /// up to the first one whose effect is still to come.
    pub(crate) fn next(&mut self, position: &LogPositions) -> Vec<String> {
        if self.session.last.load(Ordering::Acquire) == self.told {
            return Vec::new();
        }
        let kept = self.session.kept.lock();
        let last = self.session.last.load(Ordering::Acquire);
        let forgotten = last - kept.len() as u64;
        self.told = self.told.max(forgotten);
        let known = usize::try_from(self.told - forgotten).unwrap_or(usize::MAX);
        let new = kept.iter().skip(known);
        let new = new.take_while(|command| command.is_behind(position));
        let keys: Vec<String> = new.map(|command| command.key.clone()).collect();
        self.told += keys.len() as u64;
        keys
    }
}

impl SettledCommand {
    /// Whether a stream at this position was sent what it did. A log that the stream is not about
    /// does not count, and in another epoch nothing is to come.
    fn is_behind(&self, position: &LogPositions) -> bool {
        let mut effects = self.at.iter().flat_map(Cursor::positions);
        effects.all(|effect| {
            let here = position.in_log(effect.log);
            here.is_none_or(|here| !here.comparable(*effect) || here.seq >= effect.seq)
        })
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::{LogId, Position};

    use super::*;

    fn at(log: u16, epoch: u64, seq: u64) -> Position {
        let log = LogId(log);
        Position { log, epoch, seq }
    }

    fn session(name: &str) -> SessionId {
        SessionId::new(name.to_owned())
    }

    fn settle(of: &SettledOfSessions, key: &str, effect: Option<Position>) -> bool {
        of.settle(&session("one"), key.to_owned(), effect.map(Cursor::from))
    }

    #[test]
    fn each_stream_of_the_session_is_told_once_what_it_has_passed() {
        let sessions = SettledOfSessions::default();
        let mut first = sessions.reader(&session("one"));
        assert!(settle(&sessions, "a", Some(at(0, 7, 5))));
        let mut second = sessions.reader(&session("one"));
        assert!(settle(&sessions, "b", None));

        let behind = LogPositions::from(at(0, 7, 4));
        let there = LogPositions::from(at(0, 7, 5));
        assert_eq!(
            first.next(&behind),
            [""; 0],
            "in order, and not before its effect"
        );
        assert_eq!(second.next(&behind), ["b"], "it opened behind the first");
        assert_eq!(first.next(&there), ["a", "b"]);
        assert_eq!(first.next(&there), [""; 0]);
    }

    #[test]
    fn another_session_is_told_nothing() {
        let sessions = SettledOfSessions::default();
        let mut other = sessions.reader(&session("two"));
        assert!(!settle(&sessions, "a", None), "nobody is there to be told");
        assert_eq!(other.next(&at(0, 7, 9).into()), [""; 0]);
    }

    #[test]
    fn what_is_in_no_log_of_the_stream_or_in_an_epoch_that_is_over_holds_up_nothing() {
        let sessions = SettledOfSessions::default();
        let mut reader = sessions.reader(&session("one"));
        settle(&sessions, "elsewhere", Some(at(3, 7, 5)));
        settle(&sessions, "before", Some(at(0, 6, 5)));
        assert_eq!(reader.next(&at(0, 7, 1).into()), ["elsewhere", "before"]);
    }

    #[test]
    fn what_nobody_reads_is_bounded() {
        let sessions = SettledOfSessions::default();
        let mut reader = sessions.reader(&session("one"));
        for number in 0..KEPT + 3 {
            settle(&sessions, &number.to_string(), None);
        }
        let keys = reader.next(&at(0, 7, 1).into());
        assert_eq!(keys.len(), KEPT);
        assert_eq!(keys[0], "3");
        settle(&sessions, "last", None);
        assert_eq!(reader.next(&at(0, 7, 1).into()), ["last"]);
    }
}
