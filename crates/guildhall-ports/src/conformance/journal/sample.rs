//! What the suite puts into a journal: events, guilds and states, the same in each run.

use std::{collections::BTreeSet, sync::Arc};

use guildhall_model::{
    Change, ChannelId, Envelope, Event, Guild, GuildId, LogId, Position, SealedEvent, UserId,
    arbitrary, event::Window,
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::journal::{Commit, Floor, JournalBase, JournalState, ResumeState, Terms};

/// Whose journal most of the suite is about.
pub(super) const LOG: LogId = LogId(1);

pub(super) const ONE: GuildId = GuildId(1);
pub(super) const TWO: GuildId = GuildId(2);

pub(super) fn start() -> Position {
    Position::start(LOG, 1_700_000_000_000)
}

/// An event with nothing in it.
pub(super) fn bare(guild_id: GuildId) -> Event {
    Event {
        guild_id,
        ts: 1_700_000_000_001,
        synthetic: false,
        change: Change::RoomDeleted {
            channel_id: ChannelId(7),
        },
    }
}

pub(super) fn state(number: u64) -> JournalState {
    JournalState {
        bot: Some(UserId(number)),
        resume: Some(ResumeState {
            session_id: format!("session \u{0}\"{number}"),
            sequence: number,
            url: Some("wss://resume.example".to_owned()),
            terms: Terms {
                shard: [0, 1],
                intents: 129,
                guilds: Some(BTreeSet::from([ONE, GuildId(u64::MAX)])),
                world_format: 1,
            },
        }),
        heard_at: Some(number),
        renewed_at: Some(number),
        forget_at: Some(number),
        awaited: BTreeSet::from([ONE]),
        outages: BTreeSet::from([TWO]),
        stale: BTreeSet::new(),
    }
}

pub(super) fn base(guild_id: GuildId, floor: u64, guild: Option<Guild>) -> JournalBase {
    JournalBase {
        guild_id,
        floor,
        guild,
    }
}

pub(super) fn floor_of(guild_id: GuildId, floor: u64) -> Floor {
    Floor {
        guild_id,
        window: Window::World,
        floor,
    }
}

/// A commit that says nothing new.
pub(super) fn nothing(after: Position) -> Commit {
    Commit {
        after,
        events: Vec::new(),
        state: Arc::new(state(0)),
        floors: Vec::new(),
        bases: Vec::new(),
    }
}

pub(super) fn sealed(at: Position, event: Event) -> Arc<SealedEvent> {
    Arc::new(SealedEvent::new(Envelope {
        at,
        // Whether a group goes on is kept like everything else.
        more: at.seq % 3 == 1,
        event,
    }))
}

pub(super) fn following(
    head: Position,
    events: impl IntoIterator<Item = Event>,
) -> Vec<Arc<SealedEvent>> {
    let numbered = (head.seq + 1..).zip(events);
    let events = numbered.map(|(seq, event)| sealed(head.at(seq), event));
    events.collect()
}

pub(super) fn two_guilds() -> [Guild; 2] {
    let guilds = any_of(&arbitrary::guild(), 2);
    guilds.try_into().expect("as many as were asked for")
}

/// The same ones in each run.
pub(super) fn any_of<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    let mut one = || strategy.new_tree(&mut runner).expect("rejects nothing");
    (0..count).map(|_| one().current()).collect()
}
