use std::{collections::BTreeMap, sync::Arc};

use guildhall_model::{
    Change, ChannelId, Envelope, Event, LogId, Position, SealedEvent, event::Window,
};
use proptest::prelude::*;

use super::*;
use crate::journal::{Floor, JournalBase, JournalState};

const LEAST: Amount = Amount {
    events: 12,
    bytes: 1 << 20,
};

/// What happens to a log: an event of a guild, or a floor that rises over some of its events.
#[derive(Clone, Debug)]
enum Step {
    Event(u64),
    Floor(u64, prop::sample::Index),
    /// As the gateway does: the bases that were asked for come.
    Bases,
}

proptest! {
    #[test]
    fn whoever_brings_what_is_asked_for_keeps_little_in_vain(
        steps in proptest::collection::vec(step(), 0..400)
    ) {
        let mut log = ModelLog::default();
        for step in steps {
            log.take(&step);
            // One commit may raise the surplus beyond the bound; the next brings it down.
            log.take(&Step::Bases);
            let (surplus, needed) = log.counted();
            prop_assert!(surplus <= LEAST.events.max(needed / 2), "{surplus} of {needed}");
        }
    }

    #[test]
    fn it_counts_what_there_is_and_asks_for_each_base_once(
        steps in proptest::collection::vec(step(), 0..400)
    ) {
        let mut log = ModelLog::default();
        for step in steps {
            log.take(&step);
            let (surplus, needed) = log.counted();
            prop_assert_eq!(log.kept.in_vain.events, surplus);
            prop_assert_eq!(log.kept.needed.events, needed);
            let mut asked = log.asked.clone();
            asked.sort_unstable();
            asked.dedup();
            prop_assert_eq!(asked.len(), log.asked.len());
        }
    }
}

#[test]
fn a_log_that_needs_all_of_it_is_asked_for_nothing() {
    let mut log = ModelLog::default();
    for _ in 0..10_000 {
        log.take(&Step::Event(1));
    }
    assert_eq!(log.asked, []);
}

#[test]
fn events_of_many_bytes_count_long_before_they_are_many() {
    let mut kept = Surplus::beyond(Amount {
        events: 4_096,
        bytes: 1_000,
    });
    for seq in 1..=4 {
        kept.added(GuildId(1), seq, 600);
    }
    kept.floor_raised(GuildId(1), 1);
    assert_eq!(kept.wanted(), []);
    kept.floor_raised(GuildId(1), 3);
    assert_eq!(kept.wanted(), [GuildId(1)]);
    assert_eq!(kept.wanted(), [], "it was asked for");
    kept.based(GuildId(1));
    assert_eq!((kept.in_vain.bytes, kept.needed.bytes), (0, 600));
}

struct ModelLog {
    kept: Surplus,
    head: u64,
    /// By guild: floor as told, numbers above the base.
    guilds: BTreeMap<u64, (u64, Vec<u64>)>,
    asked: Vec<GuildId>,
}

impl Default for ModelLog {
    fn default() -> Self {
        Self {
            kept: Surplus::beyond(LEAST),
            head: 0,
            guilds: BTreeMap::new(),
            asked: Vec::new(),
        }
    }
}

impl ModelLog {
    fn take(&mut self, step: &Step) {
        let mut commit = Commit {
            after: Position::start(LogId(0), 1).at(self.head),
            events: Vec::new(),
            state: Arc::new(JournalState::default()),
            floors: Vec::new(),
            bases: Vec::new(),
        };
        match *step {
            Step::Event(guild) => {
                self.head += 1;
                self.guilds.entry(guild).or_default().1.push(self.head);
                commit.events.push(event(guild, self.head));
            }
            Step::Floor(guild, ref at) => {
                let (floor, events) = self.guilds.entry(guild).or_default();
                if let Some(seq) = (!events.is_empty()).then(|| *at.get(events)) {
                    *floor = seq.max(*floor);
                    commit.floors.push(Floor {
                        guild_id: GuildId(guild),
                        window: Window::World,
                        floor: *floor,
                    });
                }
            }
            Step::Bases => {
                for guild_id in std::mem::take(&mut self.asked) {
                    let (floor, events) = self.guilds.entry(guild_id.0).or_default();
                    events.retain(|seq| seq > floor);
                    commit.bases.push(JournalBase {
                        guild_id,
                        floor: *floor,
                        guild: None,
                    });
                }
            }
        }
        self.asked.extend(self.kept.committed(&commit));
    }

    /// Events up to the floors, and above them.
    fn counted(&self) -> (usize, usize) {
        let all = self.guilds.values();
        all.fold((0, 0), |(surplus, needed), (floor, events)| {
            let up_to = events.iter().filter(|seq| *seq <= floor).count();
            (surplus + up_to, needed + events.len() - up_to)
        })
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_u64).prop_map(Step::Event),
        2 => (0..3_u64, any::<prop::sample::Index>()).prop_map(|(guild, at)| Step::Floor(guild, at)),
        1 => Just(Step::Bases),
    ]
}

fn event(guild: u64, seq: u64) -> Arc<SealedEvent> {
    Arc::new(SealedEvent::new(Envelope {
        at: Position::start(LogId(0), 1).at(seq),
        more: false,
        event: Event {
            guild_id: GuildId(guild),
            ts: 1,
            synthetic: false,
            change: Change::RoomDeleted {
                channel_id: ChannelId(1),
            },
        },
    }))
}
