//! Which streams are open, for whoever runs this instance. It names people and guilds and how long
//! streams have been open, and nothing that opens anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use guildhall_model::{ChannelId, GuildId, SessionId, UnixMs, UserId};
use metrics::gauge;
use parking_lot::Mutex;
use serde::Serialize;

use crate::{
    auth::{OverlayLink, OverlayName},
    replica::ViewerId,
};

/// People in a report. Those with the most streams are in it.
const PEOPLE_MAX: usize = 1_000;

/// Overlay links in a report. Those with the most streams are in it.
const OVERLAYS_MAX: usize = 1_000;

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
    since: UnixMs,
    whose: StreamOwner,
}

#[derive(Debug)]
enum StreamOwner {
    Viewer {
        viewer: ViewerId,
        guilds: Arc<[GuildId]>,
    },
    Overlay {
        link: Box<OverlayLink>,
        name: OverlayName,
    },
}

/// One of them, until this is dropped.
#[derive(Debug)]
pub(crate) struct ListedStream {
    number: u64,
    streams: OpenStreams,
}

/// Who has streams open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamsReport {
    /// How many streams are open, those of programs that see what the bot sees included.
    pub streams: usize,
    /// How many of them are of overlay links.
    pub overlay_streams: usize,
    /// Of how many people, overlay links apart.
    pub users: usize,
    /// Those with the most streams first; at most 1,000, and so fewer than `users` where they are more.
    pub people: Vec<PersonReport>,
    /// Overlay links that are in use, those with the most streams first; at most 1,000.
    pub overlays: Vec<OverlayReport>,
}

/// The streams of one overlay link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OverlayReport {
    /// By which it is revoked; it opens nothing.
    pub id: String,
    /// Who made it.
    pub user_id: UserId,
    /// Where its room is.
    pub guild_id: GuildId,
    /// Its room.
    pub channel_id: ChannelId,
    /// How many it has open.
    pub streams: usize,
    /// When the oldest of them was opened.
    pub since: UnixMs,
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
        let viewer = viewer.into();
        let whose = StreamOwner::Viewer { viewer, guilds };
        self.add(StreamEntry { since, whose })
    }

    /// One more, of an overlay link.
    pub(crate) fn list_overlay(
        &self,
        link: OverlayLink,
        name: OverlayName,
        since: UnixMs,
    ) -> ListedStream {
        gauge!("guildhall_overlay_streams").increment(1);
        let link = Box::new(link);
        let whose = StreamOwner::Overlay { link, name };
        self.add(StreamEntry { since, whose })
    }

    fn add(&self, stream: StreamEntry) -> ListedStream {
        let mut listed = self.0.lock();
        listed.count += 1;
        let number = listed.count;
        listed.streams.insert(number, stream);
        ListedStream {
            number,
            streams: self.clone(),
        }
    }

    /// Who has streams open now.
    pub(crate) fn report(&self) -> StreamsReport {
        let mut people: BTreeMap<UserId, Person> = BTreeMap::new();
        let mut overlays: BTreeMap<SessionId, OverlayReport> = BTreeMap::new();
        let streams = {
            let listed = self.0.lock();
            for stream in listed.streams.values() {
                match &stream.whose {
                    StreamOwner::Viewer {
                        viewer: ViewerId::Person(user_id),
                        guilds,
                    } => people
                        .entry(*user_id)
                        .or_default()
                        .add(stream.since, guilds),
                    StreamOwner::Viewer {
                        viewer: ViewerId::Bot,
                        ..
                    } => {}
                    StreamOwner::Overlay { link, name } => {
                        let known = overlays.entry(link.session_id.clone());
                        let report = known.or_insert_with(|| reported(link, name, stream.since));
                        report.streams += 1;
                        report.since = report.since.min(stream.since);
                    }
                }
            }
            listed.streams.len()
        };
        let overlay_streams = overlays.values().map(|overlay| overlay.streams).sum();
        let mut overlays: Vec<_> = overlays.into_values().collect();
        overlays.sort_by_key(|overlay| usize::MAX - overlay.streams);
        overlays.truncate(OVERLAYS_MAX);
        let users = people.len();
        let mut people: Vec<_> = people.into_iter().collect();
        people.sort_by_key(|(user_id, person)| (usize::MAX - person.streams, *user_id));
        people.truncate(PEOPLE_MAX);
        StreamsReport {
            streams,
            overlay_streams,
            users,
            people: people.into_iter().map(Person::report).collect(),
            overlays,
        }
    }
}

/// One that has no stream yet.
fn reported(link: &OverlayLink, name: &OverlayName, since: UnixMs) -> OverlayReport {
    OverlayReport {
        id: name.0.clone(),
        user_id: link.maker,
        guild_id: link.guild_id,
        channel_id: link.channel_id,
        streams: 0,
        since,
    }
}

#[derive(Default)]
struct Person {
    streams: usize,
    since: UnixMs,
    guilds: BTreeSet<GuildId>,
}

impl Person {
    fn add(&mut self, since: UnixMs, guilds: &[GuildId]) {
        self.since = match self.streams {
            0 => since,
            _ => self.since.min(since),
        };
        self.streams += 1;
        self.guilds.extend(guilds);
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
        let gone = self.streams.0.lock().streams.remove(&self.number);
        if let Some(StreamEntry {
            whose: StreamOwner::Overlay { .. },
            ..
        }) = gone
        {
            gauge!("guildhall_overlay_streams").decrement(1);
        }
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
    fn overlays_are_told_apart_from_the_people_who_made_them() {
        let streams = OpenStreams::default();
        let link = |id, maker| OverlayLink::of_test(id, UserId(maker), GuildId(5), ChannelId(7));
        let open = |id, maker, since| {
            let name = OverlayName(format!("name {id}"));
            streams.list_overlay(link(id, maker), name, since)
        };
        let _own = streams.list(UserId(1), 5, guilds(&[5]));
        let first = open(1, 1, 30);
        let _others = [open(2, 1, 20), open(2, 1, 10)];
        let report = streams.report();
        assert_eq!(
            (report.streams, report.overlay_streams, report.users),
            (4, 3, 1)
        );
        assert_eq!(report.people[0].streams, 1, "only their own");
        let told: Vec<_> = report
            .overlays
            .iter()
            .map(|it| (&*it.id, it.user_id.0, it.channel_id.0, it.streams, it.since))
            .collect();
        assert_eq!(told, [("name 2", 1, 7, 2, 10), ("name 1", 1, 7, 1, 30)]);
        drop(first);
        assert_eq!(streams.report().overlay_streams, 2);
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
