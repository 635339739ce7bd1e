//! Which streams are open, for whoever runs this instance. It names people and guilds and how long
//! streams have been open, and nothing that opens anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use guildhall_model::{GuildId, UnixMs, UserId};
use parking_lot::Mutex;
use serde::Serialize;

use crate::replica::ViewerId;

/// People in a report. Those with the most streams are in it.
const PEOPLE_MAX: usize = 1_000;

/// Guilds of one person in a report.
const GUILDS_MAX: usize = 20;

/// Those of this instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenStreams(Arc<Mutex<Listed>>);

#[derive(Debug, Default)]
struct Listed {
    streams: BTreeMap<u64, StreamEntry>,
    count: u64,
}

#[derive(Debug)]
struct StreamEntry {
    viewer: ViewerId,
    since: UnixMs,
    guilds: Arc<[GuildId]>,
}

/// One of them, until this is dropped.
#[derive(Debug)]
pub(crate) struct ListedStream {
    number: u64,
    streams: OpenStreams,
}

/// Who has streams open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamsReport {
    /// How many streams are open, those of programs that see what the bot sees included.
    pub streams: usize,
    /// Of how many people.
    pub users: usize,
    /// Those with the most streams first; at most 1,000, and so fewer than `users` where they are more.
    pub people: Vec<PersonReport>,
}

/// The streams of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonReport {
    /// Who.
    pub user_id: UserId,
    /// How many they have open.
    pub streams: usize,
    /// When the oldest of them was opened.
    pub since: UnixMs,
    /// How many guilds they are about, those that are not there included.
    pub guild_count: usize,
    /// Which, ascending, the first twenty.
    pub guilds: Vec<GuildId>,
}

impl OpenStreams {
    /// One more.
    pub(crate) fn list(
        &self,
        viewer: impl Into<ViewerId>,
        since: UnixMs,
        guilds: Arc<[GuildId]>,
    ) -> ListedStream {
        let mut listed = self.0.lock();
        listed.count += 1;
        let number = listed.count;
        let stream = StreamEntry {
            viewer: viewer.into(),
            since,
            guilds,
        };
        listed.streams.insert(number, stream);
        ListedStream {
            number,
            streams: self.clone(),
        }
    }

    /// Who has streams open now.
    pub(crate) fn report(&self) -> StreamsReport {
        let mut people: BTreeMap<UserId, Person> = BTreeMap::new();
        let streams = {
            let listed = self.0.lock();
            for stream in listed.streams.values() {
                if let ViewerId::Person(user_id) = stream.viewer {
                    people.entry(user_id).or_default().add(stream);
                }
            }
            listed.streams.len()
        };
        let users = people.len();
        let mut people: Vec<_> = people.into_iter().collect();
        people.sort_by_key(|(user_id, person)| (usize::MAX - person.streams, *user_id));
        people.truncate(PEOPLE_MAX);
        StreamsReport {
            streams,
            users,
            people: people.into_iter().map(Person::report).collect(),
        }
    }
}

#[derive(Default)]
struct Person {
    streams: usize,
    since: UnixMs,
    guilds: BTreeSet<GuildId>,
}

impl Person {
    fn add(&mut self, stream: &StreamEntry) {
        self.since = match self.streams {
            0 => stream.since,
            _ => self.since.min(stream.since),
        };
        self.streams += 1;
        self.guilds.extend(stream.guilds.iter());
    }

    fn report((user_id, person): (UserId, Self)) -> PersonReport {
        PersonReport {
            user_id,
            streams: person.streams,
            since: person.since,
            guild_count: person.guilds.len(),
            guilds: person.guilds.into_iter().take(GUILDS_MAX).collect(),
        }
    }
}

impl Drop for ListedStream {
    fn drop(&mut self) {
        self.streams.0.lock().streams.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guilds(ids: &[u64]) -> Arc<[GuildId]> {
        ids.iter().copied().map(GuildId).collect()
    }

    #[test]
    fn who_has_most_is_first_and_who_left_is_not_there() {
        let streams = OpenStreams::default();
        let ann = streams.list(UserId(1), 30, guilds(&[5, 7]));
        let _ben = streams.list(UserId(2), 10, guilds(&[7]));
        let _again = streams.list(UserId(2), 20, guilds(&[6]));
        let _carl = streams.list(UserId(3), 40, guilds(&[]));
        let report = streams.report();
        assert_eq!((report.streams, report.users), (4, 3));
        let told: Vec<_> = report
            .people
            .iter()
            .map(|it| (it.user_id.0, it.streams, it.since, it.guild_count))
            .collect();
        assert_eq!(told, [(2, 2, 10, 2), (1, 1, 30, 2), (3, 1, 40, 0)]);
        assert_eq!(report.people[0].guilds, [GuildId(6), GuildId(7)]);
        drop(ann);
        assert_eq!(streams.report().users, 2);
    }

    #[test]
    fn a_report_is_bounded() {
        let streams = OpenStreams::default();
        let many: Vec<u64> = (1..=200).collect();
        let open: Vec<_> = (0..1_500)
            .map(|user| streams.list(UserId(user), user, guilds(&many)))
            .collect();
        let report = streams.report();
        assert_eq!((report.streams, report.users), (1_500, 1_500));
        assert_eq!(report.people.len(), PEOPLE_MAX);
        let first = &report.people[0];
        assert_eq!((first.guild_count, first.guilds.len()), (200, GUILDS_MAX));
        drop(open);
        assert_eq!(streams.report().people, []);
    }
}
