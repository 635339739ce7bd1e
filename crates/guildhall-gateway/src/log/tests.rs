use std::collections::BTreeMap;

use guildhall_model::{
    Change, ChannelId, Envelope, Event, Guild, GuildId, LogId, Permissions, SealedEvent, UnixMs,
    UserId,
    guild::{GuildInfo, Membership, Occupant, Room, RoomInfo, RoomKind, RoomRights, VoiceFlags},
};
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
            log.append(grouped(log.head(), later.to_vec())).expect("at the head");
            if let Ok(events) = log.read(at, most) {
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
            if let Ok(events) = log.read(at, most) {
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
            prop_assert_eq!(log.read(head.at(seq), 1).is_ok(), usable);
            prop_assert_eq!(matches!(log.join(Some(head.at(seq))), Join::After(_)), usable);
        }
    }

    #[test]
    fn what_the_journal_keeps_is_the_log_again_and_bounded(
        batches in proptest::collection::vec(proptest::collection::vec(event(), 0..12), 1..20),
        retention in retentions(),
        compact_at in proptest::collection::vec(any::<bool>(), 20),
    ) {
        let (log, mut kept) = (Log::new(Position::start(LogId(0), EPOCH), retention), Journalled::default());
        for (batch, compacts) in batches.into_iter().zip(compact_at) {
            // As the appender does: bases of what is published, then the batch.
            let bases = if compacts { log.lock().compact_beyond(0) } else { Vec::new() };
            let batch = grouped(log.head(), batch);
            kept.take(bases, &batch);
            log.append(batch).expect("at the head");
        }
        let (bases, events) = kept.saved();
        let again = Log::restored(log.head(), bases, events, retention);
        prop_assert_eq!(again.world(), log.world());
        prop_assert_eq!(joined_anew(&again), joined_anew(&log));
        for seq in 0..=log.head().seq {
            let at = log.head().at(seq);
            prop_assert_eq!(again.read(at, 2), log.read(at, 2), "cursors stay good");
        }
        let bases = log.lock().compact_beyond(0);
        kept.take(bases, &[]);
        let retained = log.lock();
        let evicted = kept.events.len() - retained.events.len();
        prop_assert!(evicted <= retained.events.len() / 2, "a journal is as large as the log, nearly");
    }

    #[test]
    fn no_floor_is_inside_a_group(
        batches in proptest::collection::vec(proptest::collection::vec(event(), 1..12), 1..12),
        retention in retentions(),
    ) {
        let log = Log::new(Position::start(LogId(0), EPOCH), retention);
        let mut inside = Vec::new();
        for batch in batches {
            let batch = grouped(log.head(), batch);
            inside.extend(batch.iter().filter(|event| event.more).map(|event| event.at.seq));
            log.append(batch).expect("at the head");
            let retained = log.lock();
            let floors: Vec<u64> = retained.guilds.values().map(|index| index.floor).collect();
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
        prop_assert!(retained.bytes <= retention.bytes);
        prop_assert_eq!(retained.bytes, retained.events.values().map(|kept| kept.weight()).sum::<usize>());
        for index in retained.guilds.values() {
            prop_assert!(index.retained.len() <= retention.records_per_guild);
            prop_assert!(index.retained.iter().all(|seq| retained.events.contains_key(seq)));
        }
    }
}

#[test]
fn a_writer_that_is_not_at_the_head_is_refused_and_changes_nothing() {
    let log = Log::new(Position::start(LogId(0), EPOCH), wide());
    let start = log.head();
    let head = write(&log, start, vec![arrival(1)]).expect("at the head");
    assert_eq!(head, start.at(1));
    assert_eq!(write(&log, start, vec![arrival(2)]), Err(Fenced { head }));
    assert_eq!(
        write(&log, head.at(2), vec![arrival(2)]),
        Err(Fenced { head })
    );
    assert_eq!(log.head(), head);
}

#[test]
fn positions_of_another_life_begin_anew_and_one_beyond_the_head_is_told_apart() {
    let log = Log::new(Position::start(LogId(0), EPOCH), wide());
    let head = write(&log, log.head(), vec![arrival(1)]).expect("at the head");
    let strangers = [
        Position::start(LogId(0), EPOCH - 1),
        Position::start(LogId(1), EPOCH),
    ];
    for stranger in strangers {
        assert_eq!(log.read(stranger, 10), Err(Expired), "{stranger}");
        assert!(
            matches!(log.join(Some(stranger)), Join::Bases { .. }),
            "{stranger}"
        );
    }
    let beyond = head.at(2);
    assert_eq!(log.read(beyond, 10), Err(Expired));
    assert!(matches!(log.join(Some(beyond)), Join::Beyond(at) if at == beyond));
    assert_eq!(log.read(head, 10), Ok(Vec::new()));
}

#[test]
fn followers_are_told_of_an_append_and_not_of_an_empty_one() {
    let log = Log::new(Position::start(LogId(0), EPOCH), wide());
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
    let log = Log::new(Position::start(LogId(0), EPOCH), retention);
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

/// Seals events and appends them, as a writer that stands at `after` would.
pub(crate) fn write(log: &Log, after: Position, events: Vec<Event>) -> Result<Position, Fenced> {
    log.append(sealed(after, events)).map(|()| log.head())
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
}

impl Journalled {
    fn take(&mut self, bases: Vec<JournalBase>, events: &[Arc<SealedEvent>]) {
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
    let log = Log::new(Position::start(LogId(0), EPOCH), retention);
    write(&log, log.head(), vec![arrival(1)]).expect("at the head");
    let (mut bases, mut upto) = (0, 0);
    for _ in 0..40 {
        let name = "n".repeat(100_000);
        let renamed = Change::GuildUpdated(GuildInfo { name, icon: None });
        write(&log, log.head(), vec![of(1, renamed)]).expect("at the head");
        for base in log.compact() {
            (bases, upto) = (bases + 1, base.floor);
        }
    }
    // Ten are retained, and of what was evicted at most half as much is not in a base.
    assert!((5..=10).contains(&bases), "{bases} bases");
    assert!(log.head().seq - upto <= 10 + 6, "up to {upto}");
}

fn wide() -> Retention {
    Retention {
        records_per_guild: 4096,
        bytes: 64 << 20,
        evicted_in_journal: 4_096,
    }
}

fn retentions() -> impl Strategy<Value = Retention> {
    (1..40_usize, prop_oneof![Just(64 << 20), 500..20_000_usize]).prop_map(
        |(records_per_guild, bytes)| Retention {
            records_per_guild,
            bytes,
            evicted_in_journal: 4_096,
        },
    )
}

fn written(batches: Vec<Vec<Event>>, retention: Retention) -> (Log, World) {
    let log = Log::new(Position::start(LogId(0), EPOCH), retention);
    let mut world = World::default();
    for batch in batches {
        for event in &batch {
            world.apply(event);
        }
        log.append(grouped(log.head(), batch)).expect("at the head");
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
