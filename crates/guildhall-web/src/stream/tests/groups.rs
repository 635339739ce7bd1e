//! What one cause did carries its `id:` on the last event alone that a viewer sees of it: live,
//! replayed or read late it is the same, and whoever breaks off anywhere and comes back with the
//! last `id:` has everything once.

use guildhall_model::{
    Change, ChannelId, Cursor, Guild, GuildId, Permissions, RoleId, UserId, World,
    event::{Audience, Family, FamilySet},
    guild::{GuildInfo, Membership, OverwriteTarget, Role, RoomInfo, VoiceFlags},
};
use proptest::{collection::vec, prelude::*};

use super::{
    harness::{
        ANNA, BEN, EPOCH, HALL, Harness, LOBBY, Listener, Sse, VAULT, VAULT_ROLE, at, hall, joined,
        left, person, room,
    },
    simulation::{Step, VIEWERS, apply, changes, step},
};
use crate::visible::Selector;

const ANNEX: GuildId = GuildId(900);
const GUILDS: [GuildId; 2] = [HALL, ANNEX];
const GHOST: UserId = UserId(77);

/// What one cause did, as numbers that [`harmless`] reads.
type Cause = (bool, Vec<(u8, u8)>);

fn annex() -> Guild {
    let mut annex = hall();
    let everyone = (ANNEX.everyone(), Permissions::VIEW_CHANNEL);
    annex.roles.extend([everyone]);
    let vault = annex.rooms.get_mut(&VAULT).expect("a room");
    for overwrite in &mut vault.rights.overwrites {
        if overwrite.target == OverwriteTarget::Role(HALL.everyone()) {
            overwrite.target = OverwriteTarget::Role(ANNEX.everyone());
        }
    }
    annex
}

/// Something after which everybody sees the same rooms: shown to some, or to nobody.
fn harmless(kind: u8, other: u8, guild: &Guild) -> Vec<Change> {
    let channel = if other.is_multiple_of(2) {
        LOBBY
    } else {
        VAULT
    };
    let rights = |channel| guild.rooms[&channel].rights.clone();
    let roles = |user| {
        if user == BEN {
            vec![VAULT_ROLE]
        } else {
            vec![]
        }
    };
    let there = guild.voice.get(&GHOST).map(|there| there.channel_id);
    match kind {
        0..=3 => {
            let leaving = there.map(|there| left(GHOST, there));
            leaving
                .into_iter()
                .chain([joined(GHOST, channel)])
                .collect()
        }
        4 => there.map(|there| left(GHOST, there)).into_iter().collect(),
        5 => there.map(|there| muted(there, other)).into_iter().collect(),
        6 => vec![Change::RoomUpdated(RoomInfo {
            ..room(channel, &format!("Room {other}"), rights(channel)).info
        })],
        7 => vec![Change::RoomRights {
            channel_id: channel,
            rights: rights(channel),
        }],
        8 => vec![Change::RoleSet(Role {
            role_id: RoleId(51),
            permissions: [Permissions::NONE, Permissions::VIEW_CHANNEL][usize::from(other % 2)],
        })],
        9 => {
            // Somebody is looked up, and is what they were.
            let user_id = [ANNA, BEN, GHOST][usize::from(other % 3)];
            vec![Change::Rights {
                user_id,
                membership: Some(Membership::member(roles(user_id))),
            }]
        }
        10 => vec![Change::Gap { from: 1, to: 2 }],
        _ => vec![Change::GuildUpdated(GuildInfo {
            name: format!("Hall {other}"),
            icon: None,
        })],
    }
}

fn muted(there: ChannelId, other: u8) -> Change {
    let mut muted = person(GHOST, there);
    muted.flags = VoiceFlags {
        self_mute: other.is_multiple_of(2),
        ..VoiceFlags::default()
    };
    Change::VoiceUpdated(muted)
}

fn cause() -> impl Strategy<Value = Cause> {
    (any::<bool>(), vec((0..12_u8, any::<u8>()), 1..5))
}

fn queries() -> impl Strategy<Value = Selector> {
    let of = |channels: Option<ChannelId>, families| Selector {
        channels: channels.map(|channel| Box::from([channel])),
        families,
    };
    let only = |family| FamilySet::default().with(family);
    let all = Selector::ALL.families;
    prop_oneof![
        Just(Selector::ALL),
        Just(of(None, only(Family::Voice))),
        Just(of(None, only(Family::Room))),
        Just(of(Some(LOBBY), all)),
        Just(of(Some(VAULT), all)),
    ]
}

/// An event as [`Reader`] keeps it: its number in the log and its name.
type Told = (u64, String);

/// A browser as the protocol says: what came of a group counts when the last of it has come, and
/// goes with a connection that ends before.
#[derive(Clone, Debug, Default)]
struct Reader {
    told: Vec<Told>,
    unfinished: Vec<Told>,
    cursor: Option<Cursor>,
}

impl Reader {
    fn take(&mut self, event: &Sse) {
        if let Some(number) = number(event) {
            self.unfinished.push((number, event.event.clone()));
        }
        if let Some(id) = &event.id {
            self.cursor = Some(id.parse().expect("a cursor"));
            self.told.append(&mut self.unfinished);
        }
    }

    fn take_all(&mut self, events: &[Sse]) {
        for event in events {
            self.take(event);
        }
    }

    fn seq(&self) -> u64 {
        self.cursor
            .as_ref()
            .map_or(0, |cursor| cursor.positions()[0].seq)
    }
}

/// Which event of the log it is; control events are none.
fn number(event: &Sse) -> Option<u64> {
    event.data.get("guildId")?;
    Some(event.data["ts"].as_u64().expect("a time") - EPOCH)
}

/// The same, from what was sealed: the events of a group that a viewer with this query is to hear.
fn expected(viewer: UserId, query: &Selector, change: &Change) -> bool {
    let asked = |channel: ChannelId| {
        let channels = query.channels.as_deref();
        channels.is_none_or(|channels| channels.contains(&channel))
    };
    let family = match change {
        Change::VoiceJoined(_) | Change::VoiceLeft { .. } | Change::VoiceUpdated(_) => {
            query.families.contains(Family::Voice)
        }
        Change::RoomUpdated(_) => query.families.contains(Family::Room),
        _ => true,
    };
    match change.audience() {
        Audience::Room(room) | Audience::RoomBefore(room) => {
            family && asked(room) && (room == LOBBY || viewer == BEN)
        }
        Audience::Guild | Audience::GuildBefore => true,
        Audience::Nobody => false,
    }
}

/// A viewer with what they asked for, what they are to hear, and two streams: one that is read after
/// each group, and one that is read when it happens to be.
struct Watched {
    viewer: UserId,
    query: Selector,
    expected: Vec<Told>,
    streams: [(Listener, Vec<Sse>); 2],
}

impl Watched {
    fn new(harness: &Harness, viewer: UserId, query: Selector) -> Self {
        let open = || {
            let mut stream = harness.open_on(viewer, &GUILDS, query.clone(), None);
            let first = stream.events();
            (stream, first)
        };
        Self {
            viewer,
            streams: [open(), open()],
            query,
            expected: Vec::new(),
        }
    }

    fn read(&mut self, late_too: bool) {
        let count = if late_too { 2 } else { 1 };
        for (stream, events) in &mut self.streams[..count] {
            events.extend(stream.events());
        }
    }
}

/// The rules of the `id:` that hold whatever happens.
fn ids_are_right(harness: &Harness, events: &[Sse]) -> Result<(), TestCaseError> {
    let mut reader = Reader::default();
    for event in events {
        if let Some(number) = number(event)
            // These may be of a later moment than the record that led to them.
            && !event.event.starts_with("guild.")
        {
            prop_assert!(number > reader.seq(), "{event:?} was passed already");
        }
        reader.take(event);
        prop_assert!(
            harness.boundaries.contains(&at(reader.seq())),
            "{event:?} is inside a group"
        );
    }
    prop_assert!(reader.unfinished.is_empty(), "{:?}", events.last());
    Ok(())
}

/// Whoever breaks off after any event of these and comes back has everything once.
fn nothing_is_lost_or_repeated(
    harness: &Harness,
    watched: &Watched,
    events: &[Sse],
) -> Result<(), TestCaseError> {
    let mut reader = Reader::default();
    for event in events {
        reader.take(event);
        let mut cut = Reader {
            unfinished: Vec::new(),
            ..reader.clone()
        };
        let place = at(cut.seq());
        let (viewer, query) = (watched.viewer, watched.query.clone());
        let mut again = harness.open_on(viewer, &GUILDS, query, Some(place));
        let replayed = again.events();
        prop_assert_eq!(&replayed[0].event, "resumed");
        let rest: Vec<&Sse> = replayed
            .iter()
            .filter(|event| number(event).is_some())
            .collect();
        prop_assert_eq!(&replayed[0].data["replayed"], rest.len());
        ids_are_right(harness, &replayed)?;
        cut.take_all(&replayed);
        prop_assert_eq!(&cut.told, &watched.expected, "again at {}", place);
        // What was live and what is replayed are the same to the last byte of sense.
        let live: Vec<&Sse> = events
            .iter()
            .filter(|event| number(event) > Some(place.seq))
            .collect();
        prop_assert_eq!(rest, live);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn whoever_breaks_off_anywhere_has_everything_once(
        causes in vec((cause(), any::<u8>()), 1..16),
        queries in (queries(), queries()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let _entered = runtime.as_ref().expect("a runtime").enter();
        let guilds = vec![(HALL, hall()), (ANNEX, annex())];
        let mut world = World { guilds: guilds.iter().cloned().collect() };
        let mut harness = Harness::of(1_000, guilds);
        let mut everybody = [
            Watched::new(&harness, ANNA, queries.0),
            Watched::new(&harness, BEN, queries.1),
        ];
        for ((in_annex, numbers), read) in &causes {
            let guild_id = GUILDS[usize::from(*in_annex)];
            let mut told = Vec::new();
            for (kind, other) in numbers {
                let next = harmless(*kind, *other, &world.guilds[&guild_id]);
                apply(&mut world, guild_id, &next);
                told.extend(next);
            }
            let group = harness.sealed(guild_id, told);
            for watched in &mut everybody {
                let hears = group.iter().filter(|sealed| {
                    expected(watched.viewer, &watched.query, &sealed.event.change)
                });
                let hears = hears.map(|sealed| {
                    (sealed.at.seq, sealed.event.change.name().to_owned())
                });
                watched.expected.extend(hears);
            }
            harness.take(group);
            for (index, watched) in everybody.iter_mut().enumerate() {
                watched.read(read >> index & 1 == 1);
            }
        }
        for watched in &mut everybody {
            watched.read(true);
            for (_, events) in &watched.streams {
                ids_are_right(&harness, events)?;
                nothing_is_lost_or_repeated(&harness, watched, events)?;
            }
            let [(_, live), (_, late)] = &watched.streams;
            prop_assert_eq!(live, late);
        }
    }

    #[test]
    fn no_id_is_inside_a_group_and_nothing_comes_after_its_id(
        groups in vec((vec(step(), 1..5), any::<u8>()), 1..24),
        window in prop_oneof![Just(4_usize), Just(1_000)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let _entered = runtime.as_ref().expect("a runtime").enter();
        let mut harness = Harness::of(window, vec![(HALL, hall())]);
        let mut world = World { guilds: [(HALL, hall())].into() };
        let open = |harness: &Harness, cursor| {
            VIEWERS.map(|user| harness.open_on(user, &GUILDS, Selector::ALL, cursor))
        };
        let mut streams = open(&harness, None);
        for (steps, read) in &groups {
            let told = steps_in(&mut world, steps);
            if !told.is_empty() {
                let group = harness.sealed(HALL, told);
                harness.take(group);
            }
            for (index, stream) in streams.iter_mut().enumerate() {
                if read >> index & 1 == 1 {
                    ids_are_right(&harness, &stream.events())?;
                }
            }
            let place = harness.boundaries.iter().nth(usize::from(*read) % harness.boundaries.len());
            for mut again in open(&harness, place.copied()) {
                ids_are_right(&harness, &again.events())?;
            }
        }
    }
}

fn steps_in(world: &mut World, steps: &[Step]) -> Vec<Change> {
    let mut told = Vec::new();
    for step in steps {
        let next = changes(*step, HALL, world.guilds.get(&HALL));
        apply(world, HALL, &next);
        told.extend(next);
    }
    told
}

fn ids(events: &[Sse]) -> Vec<(&str, Option<String>)> {
    let of = |event: &'_ Sse| event.id.clone();
    events
        .iter()
        .map(|event| (&*event.event, of(event)))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_last_event_of_a_move_that_a_viewer_sees_carries_the_end_of_it() {
    let mut harness = Harness::hall();
    harness.tell(joined(GHOST, LOBBY));
    let (mut anna, mut ben) = (harness.open(ANNA, None), harness.open(BEN, None));
    anna.pieces();
    ben.pieces();
    harness.tell_group(vec![left(GHOST, LOBBY), joined(GHOST, VAULT)]);
    let end = Some(at(3).to_string());
    assert_eq!(
        ids(&anna.events()),
        [("voice.left", end.clone())],
        "she does not see the other"
    );
    let bens = [("voice.left", None), ("voice.joined", end.clone())];
    assert_eq!(ids(&ben.events()), bens);
    let mut again = harness.open(BEN, Some(at(1)));
    let resumed = ("resumed", Some(at(1).to_string()));
    assert_eq!(ids(&again.events()), [&[resumed][..], &bens].concat());
}

#[tokio::test(start_paused = true)]
async fn a_place_inside_a_group_that_an_older_version_gave_out_is_gone_on_from() {
    let mut harness = Harness::hall();
    harness.tell_group(vec![joined(GHOST, LOBBY), left(GHOST, LOBBY)]);
    let mut old = harness.open(BEN, Some(at(1)));
    let told = [
        ("resumed", Some(at(1).to_string())),
        ("voice.left", Some(at(2).to_string())),
    ];
    assert_eq!(ids(&old.events()), told);
}

#[tokio::test(start_paused = true)]
async fn an_event_of_a_group_that_ends_a_membership_is_no_place_to_go_on_from() {
    let mut harness = Harness::hall();
    harness.tell(joined(GHOST, LOBBY));
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    harness.tell_group(vec![
        left(GHOST, LOBBY),
        Change::Rights {
            user_id: ANNA,
            membership: Some(Membership::Stranger),
        },
        joined(GHOST, LOBBY),
    ]);
    let told = [
        ("voice.left", None),
        ("guild.removed", Some(at(4).to_string())),
    ];
    assert_eq!(ids(&anna.events()), told);
}
