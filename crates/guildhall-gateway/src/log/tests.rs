use std::collections::BTreeMap;

/// Which guild gives first.
mod bounds;

use futures_util::FutureExt;
use guildhall_model::{
    Change, ChannelId, Envelope, Event, Guild, GuildId, LogId, Permissions, SealedEvent, UnixMs,
    UserId,
    guild::{GuildInfo, Membership, Occupant, Room, RoomInfo, RoomKind, RoomRights, VoiceFlags},
};
use guildhall_ports::{journal::Surplus, memory::InMemoryEventBus};
use proptest::prelude::*;

use super::*;

const EPOCH: UnixMs = 1_700_000_000_000;

proptest! {
    #[test]
    fn bases_with_the_backlog_are_the_world_at_the_head(
        batches in proptest::collection::vec(proptest::collection::vec(event(), 0..12), 1..20),
        retention in retentions(),
    ) {
        let (log, world) = written(batches, retention);
        let (replica, head) = joined_anew(&log);
        prop_assert_eq!(head, log.head());
        prop_assert_eq!(replica, world);
    }

    #[test]
    fn a_reader_that_joins_midway_comes_to_the_same_world(
        before in proptest::collection::vec(event(), 0..60),
        after in proptest::collection::vec(event(), 0..60),
        retention in retentions(),
        most in 1..7_usize,
    ) {
        let (log, _) = written(vec![before.clone()], retention);
        let (mut replica, mut at) = joined_anew(&log);
        for later in after.chunks(2) {
            append(&log, grouped(log.head(), later.to_vec()));
            if let Ok(events) = read(&log, at, most) {
                for envelope in events {
                    prop_assert_eq!(envelope.at.seq, at.seq + 1);
                    replica.apply(&envelope.event);
                    at = envelope.at;
                }
            } else {
                (replica, at) = joined_anew(&log);
            }
        }
        while at != log.head() {
            if let Ok(events) = read(&log, at, most) {
                for envelope in events {
                    replica.apply(&envelope.event);
                    at = envelope.at;
                }
            } else {
                (replica, at) = joined_anew(&log);
            }
        }
        let world = World::default().apply_all(before.iter().chain(&after));
        prop_assert_eq!(replica, world);
    }

    #[test]
    fn a_position_expires_exactly_when_a_floor_has_passed_it(
        batches in proptest::collection::vec(proptest::collection::vec(event(), 1..12), 1..12),
        retention in retentions(),
    ) {
        let (log, _) = written(batches, retention);
        let Join::Bases { bases, head, .. } = log.join(None) else {
            panic!("nobody can go on after nothing")
        };
        let highest = bases.iter().map(|base| base.floor.seq).max().unwrap_or(0);
        for seq in 0..=head.seq {
            let usable = seq >= highest;
            prop_assert_eq!(read(&log, head.at(seq), 1).is_ok(), usable);
            prop_assert_eq!(matches!(log.join(Some(head.at(seq))), Join::After(_)), usable);
        }
    }

    #[test]
    fn what_the_journal_keeps_is_the_log_again_and_bounded(
        batches in proptest::collection::vec(proptest::collection::vec(event(), 0..12), 1..20),
        retention in retentions(),
        asks in proptest::collection::vec(any::<bool>(), 20),
    ) {
        let (log, mut kept) = (log(Position::start(LogId(0), EPOCH), retention), Journalled::default());
        for (batch, asks) in batches.into_iter().zip(asks) {
            // As the appender does: bases of what is published, then the batch.
            let wanted = if asks { kept.guilds() } else { Vec::new() };
            let (floors, bases) = (log.risen_floors(), log.bases_of(&wanted));
            let batch = grouped(log.head(), batch);
            kept.take(&floors, bases, &batch);
            append(&log, batch);
        }
        let (bases, events) = kept.saved();
        let again = restored(log.head(), bases, events, retention);
        prop_assert_eq!(again.world(), log.world());
        prop_assert_eq!(joined_anew(&again), joined_anew(&log));
        for seq in 0..=log.head().seq {
            let at = log.head().at(seq);
            prop_assert_eq!(read(&again, at, 2), read(&log, at, 2), "cursors stay good");
        }
        // What was told is what is retained no more.
        kept.take(&log.risen_floors(), Vec::new(), &[]);
        let retained = log.lock();
        let needed = kept.events.iter().filter(|event| !kept.is_told_away(event));
        prop_assert_eq!(needed.count(), retained.events.len());
    }

    #[test]
    fn no_floor_is_inside_a_group(
        batches in proptest::collection::vec(proptest::collection::vec(event(), 1..12), 1..12),
        retention in retentions(),
    ) {
        let log = log(Position::start(LogId(0), EPOCH), retention);
        let mut inside = Vec::new();
        for batch in batches {
            let batch = grouped(log.head(), batch);
            inside.extend(batch.iter().filter(|event| event.more).map(|event| event.at.seq));
            append(&log, batch);
            let retained = log.lock();
            let floors: Vec<u64> = retained.windows.values().map(|window| window.floor).collect();
            prop_assert!(floors.iter().all(|floor| !inside.contains(floor)), "{:?}", floors);
        }
    }

    #[test]
    fn retention_is_bounded_per_guild_and_in_bytes(
        events in proptest::collection::vec(event(), 0..200),
        retention in retentions(),
    ) {
        let (log, _) = written(vec![events], retention);
        let retained = log.lock();
        prop_assert!(retained.bytes() <= retention.bytes);
        prop_assert_eq!(retained.bytes(), retained.events.values().map(|kept| kept.weight()).sum::<usize>());
        for window in retained.windows.values() {
            prop_assert!(window.retained.len() <= retention.records_per_guild);
            prop_assert!(window.bytes <= retention.bytes_per_guild);
            let weights = window.retained.iter().map(|seq| retained.events[seq].weight());
            prop_assert_eq!(weights.sum::<usize>(), window.bytes);
        }
    }
}

#[test]
fn a_writer_that_is_not_at_the_head_is_refused_and_changes_nothing() {
    let log = log(Position::start(LogId(0), EPOCH), wide());
    let start = log.head();
    let head = write(&log, start, vec![arrival(1)]).expect("at the head");
    assert_eq!(head, start.at(1));
    for after in [start, head.at(2)] {
        let fenced = Fenced::NotAtHead { after, head };
        let refused = write(&log, after, vec![arrival(2)]);
        assert_eq!(refused, Err(AppendError::Fenced(fenced)));
    }
    assert_eq!(log.world().guilds.len(), 1);
    assert_eq!(log.head(), head);
}

#[test]
fn positions_of_another_life_begin_anew_and_one_beyond_the_head_is_told_apart() {
    let log = log(Position::start(LogId(0), EPOCH), wide());
    let head = write(&log, log.head(), vec![arrival(1)]).expect("at the head");
    let strangers = [
        Position::start(LogId(0), EPOCH - 1),
        Position::start(LogId(1), EPOCH),
    ];
    for stranger in strangers {
        assert_eq!(
            read(&log, stranger, 10),
            Err(ReadError::Expired(stranger)),
            "{stranger}"
        );
        assert!(
            matches!(log.join(Some(stranger)), Join::Bases { .. }),
            "{stranger}"
        );
    }
    let beyond = head.at(2);
    assert_eq!(read(&log, beyond, 10), Err(ReadError::Expired(beyond)));
    assert!(matches!(log.join(Some(beyond)), Join::Beyond(at) if at == beyond));
    assert_eq!(read(&log, head, 10), Ok(Vec::new()));
}

#[test]
fn followers_are_told_of_an_append_and_not_of_an_empty_one() {
    let log = log(Position::start(LogId(0), EPOCH), wide());
    let mut follow = log.follow();
    write(&log, log.head(), Vec::new()).expect("at the head");
    assert!(!follow.has_changed().expect("the log lives"));
    let head = write(&log, log.head(), vec![arrival(1)]).expect("at the head");
    assert!(follow.has_changed().expect("the log lives"));
    assert_eq!(*follow.borrow_and_update(), head);
}

#[test]
fn a_busy_guild_evicts_nothing_of_a_quiet_one() {
    let retention = Retention {
        records_per_guild: 4,
        ..wide()
    };
    let log = log(Position::start(LogId(0), EPOCH), retention);
    let busy = (0..50).map(|user| joined(2, user, 1));
    let events = [arrival(1), arrival(2)].into_iter().chain(busy).collect();
    write(&log, log.head(), events).expect("at the head");
    let Join::Bases { bases, backlog, .. } = log.join(None) else {
        panic!("nobody can go on after nothing")
    };
    assert_eq!(
        bases[0].guild, None,
        "the quiet guild's arrival is still an event"
    );
    assert_eq!(backlog.first().map(|first| first.at.seq), Some(1));
    assert_eq!(backlog.len(), 1 + 4);
}

/// A log for tests: on a bus of its own, with nothing in it.
pub(crate) fn log(start: Position, retention: Retention) -> Log {
    restored(start, Vec::new(), Vec::new(), retention)
}

/// What a log of tests is made with, alone in its process.
pub(crate) fn setup(records_per_guild: usize, bytes: usize) -> LogSetup {
    setup_of(Retention {
        records_per_guild,
        bytes_per_guild: bytes,
        bytes,
    })
}

fn setup_of(retention: Retention) -> LogSetup {
    LogSetup {
        bus: Arc::new(InMemoryEventBus::default()),
        fence: Fence(1),
        retention,
        process: ProcessRetention::new(usize::MAX),
    }
}

fn restored(
    head: Position,
    bases: Vec<JournalBase>,
    events: Vec<SealedEvent>,
    retention: Retention,
) -> Log {
    let log = Log::restored(setup_of(retention), head, bases, events);
    at_once(log).expect("nobody else has it")
}

/// Seals events and appends them, as a writer that stands at `after` would.
pub(crate) fn write(
    log: &Log,
    after: Position,
    events: Vec<Event>,
) -> Result<Position, AppendError> {
    at_once(log.append(after, sealed(after, events))).map(|()| log.head())
}

fn append(log: &Log, events: Vec<Arc<SealedEvent>>) {
    at_once(log.append(log.head(), events)).expect("at the head");
}

fn read(log: &Log, after: Position, most: usize) -> Result<Vec<Arc<SealedEvent>>, ReadError> {
    at_once(log.read(after, most))
}

/// A bus in memory lets nobody wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing is waited for")
}

fn sealed(after: Position, events: Vec<Event>) -> Vec<Arc<SealedEvent>> {
    let numbers = after.seq + 1..;
    let seal = |(seq, event)| {
        Arc::new(SealedEvent::new(Envelope {
            at: after.at(seq),
            more: false,
            event,
        }))
    };
    numbers.zip(events).map(seal).collect()
}

/// Sealed into groups of a few, as the appender does with what one cause did to one guild.
fn grouped(after: Position, events: Vec<Event>) -> Vec<Arc<SealedEvent>> {
    let mut sealed = sealed(after, events);
    for index in 1..sealed.len() {
        let guild_id = sealed[index].event.guild_id;
        let before = &mut sealed[index - 1];
        let more = before.event.guild_id == guild_id && !before.at.seq.is_multiple_of(4);
        let envelope = Envelope {
            more,
            ..SealedEvent::clone(before).into_envelope()
        };
        *before = Arc::new(SealedEvent::new(envelope));
    }
    sealed
}

/// What a journal has after it was given bases and events.
#[derive(Default)]
struct Journalled {
    bases: BTreeMap<GuildId, JournalBase>,
    events: Vec<SealedEvent>,
    told: BTreeMap<GuildId, u64>,
}

impl Journalled {
    fn take(&mut self, floors: &[Floor], bases: Vec<JournalBase>, events: &[Arc<SealedEvent>]) {
        let floors = floors.iter().map(|floor| (floor.guild_id, floor.floor));
        self.told.extend(floors);
        for base in bases {
            let dropped = |kept: &SealedEvent| {
                kept.event.guild_id == base.guild_id && kept.at.seq <= base.floor
            };
            self.events.retain(|kept| !dropped(kept));
            self.bases.insert(base.guild_id, base);
        }
        self.events
            .extend(events.iter().map(|event| (**event).clone()));
    }

    fn guilds(&self) -> Vec<GuildId> {
        self.events
            .iter()
            .map(|event| event.event.guild_id)
            .collect()
    }

    fn is_told_away(&self, event: &SealedEvent) -> bool {
        let floor = self.told.get(&event.event.guild_id);
        floor.is_some_and(|floor| event.at.seq <= *floor)
    }

    fn saved(&self) -> (Vec<JournalBase>, Vec<SealedEvent>) {
        (self.bases.values().cloned().collect(), self.events.clone())
    }
}

#[test]
fn evicted_events_of_many_bytes_make_bases_long_before_they_are_many() {
    let retention = Retention {
        bytes: 1 << 20,
        ..wide()
    };
    let log = log(Position::start(LogId(0), EPOCH), retention);
    let mut surplus = Surplus::beyond(guildhall_ports::journal::Amount {
        events: 4_096,
        bytes: 100_000,
    });
    let (mut bases, mut upto, mut wanted) = (0, 0, Vec::new());
    for number in 0..41 {
        let name = "n".repeat(100_000);
        let renamed = Change::GuildUpdated(GuildInfo { name, icon: None });
        let event = if number == 0 {
            arrival(1)
        } else {
            of(1, renamed)
        };
        let commit = guildhall_ports::journal::Commit {
            after: log.head(),
            events: sealed(log.head(), vec![event]),
            state: Arc::default(),
            floors: log.risen_floors(),
            bases: log.bases_of(&wanted),
        };
        for base in &commit.bases {
            (bases, upto) = (bases + 1, base.floor);
        }
        wanted = surplus.committed(&commit);
        append(&log, commit.events);
    }
    // Ten are retained, and of what was evicted at most half as much is not in a base.
    assert!((4..=10).contains(&bases), "{bases} bases");
    assert!(log.head().seq - upto <= 10 + 7, "up to {upto}");
}

fn wide() -> Retention {
    Retention {
        records_per_guild: 4096,
        bytes_per_guild: 64 << 20,
        bytes: 64 << 20,
    }
}

fn retentions() -> impl Strategy<Value = Retention> {
    let bytes = || prop_oneof![Just(64 << 20), 500..20_000_usize];
    (1..40_usize, bytes(), bytes()).prop_map(|(records_per_guild, bytes_per_guild, bytes)| {
        Retention {
            records_per_guild,
            bytes_per_guild,
            bytes,
        }
    })
}

fn written(batches: Vec<Vec<Event>>, retention: Retention) -> (Log, World) {
    let log = log(Position::start(LogId(0), EPOCH), retention);
    let mut world = World::default();
    for batch in batches {
        for event in &batch {
            world.apply(event);
        }
        append(&log, grouped(log.head(), batch));
    }
    (log, world)
}

/// What a replica makes of a fresh join.
fn joined_anew(log: &Log) -> (World, Position) {
    let Join::Bases {
        bases,
        backlog,
        head,
    } = log.join(None)
    else {
        panic!("nobody can go on after nothing")
    };
    let guilds = bases
        .into_iter()
        .filter_map(|base| Some((base.guild_id, base.guild?)));
    let mut world = World {
        guilds: guilds.collect(),
    };
    for envelope in &backlog {
        world.apply(&envelope.event);
    }
    (world, head)
}

fn event() -> impl Strategy<Value = Event> {
    let (guild, user, room) = (1..4_u64, 1..5_u64, 1..4_u64);
    (guild, user, room, 0..8_u8).prop_map(|(guild, user, room, kind)| match kind {
        0 => arrival(guild),
        1 => of(guild, Change::GuildRemoved),
        2 => of(guild, Change::RoomCreated(a_room(room))),
        3 => of(
            guild,
            Change::RoomDeleted {
                channel_id: ChannelId(room),
            },
        ),
        4 => {
            let left = Change::VoiceLeft {
                previous_channel_id: ChannelId(room),
                user_id: UserId(user),
            };
            of(guild, left)
        }
        5 => {
            let rights = Change::Rights {
                user_id: UserId(user),
                membership: (room > 1).then_some(Membership::Stranger),
            };
            of(guild, rights)
        }
        _ => joined(guild, user, room),
    })
}

fn joined(guild: u64, user: u64, room: u64) -> Event {
    let occupant = Occupant {
        channel_id: ChannelId(room),
        user_id: UserId(user),
        username: format!("user{user}"),
        display_name: String::new(),
        avatar: None,
        avatar_url: String::new(),
        bot: false,
        since: EPOCH,
        flags: VoiceFlags::default(),
    };
    of(guild, Change::VoiceJoined(occupant))
}

fn arrival(guild: u64) -> Event {
    let whole = Guild {
        info: GuildInfo {
            name: format!("guild {guild}"),
            icon: None,
        },
        available: true,
        owner_id: UserId(1),
        roles: [(GuildId(guild).everyone(), Permissions::NONE)].into(),
        categories: BTreeMap::new(),
        rooms: [(ChannelId(1), a_room(1))].into(),
        voice: BTreeMap::new(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::new(),
    };
    of(guild, Change::GuildAvailable(Some(Box::new(whole))))
}

fn a_room(room: u64) -> Room {
    Room {
        info: RoomInfo {
            channel_id: ChannelId(room),
            name: format!("room {room}"),
            kind: RoomKind::Voice,
            parent_id: None,
            parent_name: None,
            position: 0,
            user_limit: 0,
            managed: None,
            status: None,
        },
        rights: RoomRights::default(),
    }
}

fn of(guild: u64, change: Change) -> Event {
    Event {
        guild_id: GuildId(guild),
        ts: EPOCH,
        synthetic: false,
        change,
    }
}
