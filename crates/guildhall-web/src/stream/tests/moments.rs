//! What one cause did is one moment: frame by frame as the link brings it, whoever looks sees the
//! world before a group or the world after it, whether by a snapshot, a new stream, a stream that
//! is open or one that comes back.

use std::{collections::BTreeMap, time::Instant};

use guildhall_link::{Frame, Receiver, SocketInput, receiver::Output};
use guildhall_model::{
    Change, Cursor, Envelope, Guild, Position, World,
    guild::{RoomInfo, RoomRights},
};
use proptest::{collection::vec, prelude::*};

use super::{
    harness::{
        ANNA, BEN, HALL, Harness, LOBBY, Listener, VAULT, VAULT_ROLE, at, hall, hidden_but_for,
        joined, left, room,
    },
    picture::Picture,
    simulation::{Browser, Step, VIEWERS, apply, changes, step, truth, unknown},
};

/// The web role's end of the link, writing to a harness.
struct Link(Receiver<()>);

impl Link {
    #[expect(clippy::disallowed_methods, reason = "nothing of it is about time")]
    fn attached(after: Position) -> Self {
        let at = Cursor::from(after);
        let mut machine = Receiver::new(Some(at.clone()), Instant::now());
        let heads = at.clone();
        for frame in [Frame::Hello { heads }, Frame::SnapshotEnd { at }] {
            machine.handle(SocketInput::FrameCame(Ok(frame)), Instant::now());
        }
        while machine.poll_output().is_some() {}
        Self(machine)
    }

    /// One event crosses.
    #[expect(clippy::disallowed_methods, reason = "nothing of it is about time")]
    fn cross(&mut self, envelope: &Envelope, harness: &mut Harness) {
        let frame = Frame::decode(&Frame::Event(envelope.clone()).encode(0));
        self.0.handle(SocketInput::FrameCame(frame), Instant::now());
        while let Some(output) = self.0.poll_output() {
            match output {
                Output::Apply(group) => harness.take(group),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// What everybody is shown by a snapshot, and by a stream that opens now.
fn shown(harness: &Harness) -> [Picture; 3] {
    VIEWERS.map(|user| {
        let truth = truth(harness, user);
        let mut anew = Browser::new(harness, user);
        anew.read();
        assert_eq!(anew.picture, truth, "a new stream of viewer {user}");
        truth
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_shown_the_middle_of_a_group(
        groups in vec((vec(step(), 1..4), any::<u8>()), 1..20),
        window in prop_oneof![Just(4_usize), Just(1_000)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let _entered = runtime.as_ref().expect("a runtime").enter();
        let mut harness = Harness::of(window, vec![(HALL, hall())]);
        let mut world = World { guilds: [(HALL, hall())].into() };
        let mut link = Link::attached(at(0));
        let mut browsers = VIEWERS.map(|user| Browser::new(&harness, user));
        browsers.iter_mut().for_each(Browser::read);

        for (steps, cut) in &groups {
            let group = sealed(&harness, &mut world, steps);
            let before = shown(&harness);
            if usize::from(*cut) < group.len() {
                // The connection dies inside the group, and another begins where the replica is.
                group[..usize::from(*cut)].iter().for_each(|event| link.cross(event, &mut harness));
                link = Link::attached(harness.head_of(HALL));
            }
            for envelope in &group {
                link.cross(envelope, &mut harness);
                let now = shown(&harness);
                if envelope.more {
                    prop_assert_eq!(&now, &before, "at {}", envelope.at);
                }
                for (browser, now) in browsers.iter_mut().zip(&now) {
                    browser.read();
                    let unseen = unknown(&harness, browser.user);
                    let picture = browser.picture.clone().without(&unseen);
                    prop_assert_eq!(&picture, now, "viewer {}", browser.user);
                    if cut % 4 == 0 {
                        browser.reconnect(&harness, usize::from(*cut));
                        let picture = browser.picture.clone().without(&unseen);
                        prop_assert_eq!(&picture, now, "again, viewer {}", browser.user);
                    }
                }
            }
        }
        let logs = harness.fanout.replica().read();
        let guild = logs.guild(HALL).and_then(crate::replica::GuildLog::guild);
        prop_assert_eq!(guild, world.guilds.get(&HALL));
    }
}

fn sealed(harness: &Harness, world: &mut World, steps: &[Step]) -> Vec<Envelope> {
    let mut all = Vec::new();
    for step in steps {
        let next = changes(*step, HALL, world.guilds.get(&HALL));
        apply(world, HALL, &next);
        all.extend(next);
    }
    harness.sealed(HALL, all)
}

/// All that the events say, of who crosses them one by one and looks after each.
fn looked(harness: &mut Harness, group: Vec<Change>) -> Vec<String> {
    let mut link = Link::attached(harness.head_of(HALL));
    let mut texts = Vec::new();
    for envelope in harness.sealed(HALL, group) {
        link.cross(&envelope, harness);
        texts.push(harness.open(ANNA, None).text());
        texts.push(harness.open(ANNA, Some(at(0))).text());
    }
    texts
}

fn renamed(name: &str) -> Change {
    Change::RoomUpdated(RoomInfo {
        ..room(VAULT, name, hidden_but_for(VAULT_ROLE)).info
    })
}

fn shown_to(role: guildhall_model::RoleId) -> Change {
    Change::RoomRights {
        channel_id: VAULT,
        rights: hidden_but_for(role),
    }
}

fn names(listener: &mut Listener) -> Vec<String> {
    let events = listener.events();
    let name = |event: &super::harness::Sse| event.event.clone();
    events.iter().map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_renamed_and_revealed_at_once_is_never_shown_by_its_old_name() {
    let mut harness = Harness::hall();
    let (mut anna, mut ben) = (harness.open(ANNA, None), harness.open(BEN, None));
    anna.pieces();
    ben.pieces();
    let group = vec![
        Change::RoomRights {
            channel_id: VAULT,
            rights: RoomRights::default(),
        },
        renamed("Parlour"),
    ];
    let mut texts = looked(&mut harness, group);
    let last = texts.last().expect("looked").clone();
    assert!(last.contains("Parlour"), "{last}");
    texts.push(anna.text());
    assert!(!texts.concat().contains("Vault"), "{texts:#?}");
    assert_eq!(names(&mut ben), ["room.updated"], "who saw it before too");
}

#[tokio::test(start_paused = true)]
async fn who_loses_a_room_does_not_learn_its_new_name() {
    let mut harness = Harness::hall();
    harness.tell(Change::RoomRights {
        channel_id: VAULT,
        rights: RoomRights::default(),
    });
    let (mut anna, mut ben) = (harness.open(ANNA, None), harness.open(BEN, None));
    anna.pieces();
    ben.pieces();
    let mut texts = looked(&mut harness, vec![shown_to(VAULT_ROLE), renamed("Secret")]);
    texts.push(anna.text());
    assert!(!texts.concat().contains("Secret"), "{texts:#?}");
    assert_eq!(names(&mut ben), ["room.updated"], "who keeps it");
}

#[tokio::test(start_paused = true)]
async fn a_move_is_one_moment() {
    let mut harness = Harness::hall();
    let ghost = guildhall_model::UserId(77);
    let den = guildhall_model::ChannelId(203);
    harness.tell(Change::RoomCreated(room(den, "Den", RoomRights::default())));
    harness.tell(joined(ghost, LOBBY));
    let before = looked(&mut harness, vec![left(ghost, LOBBY), joined(ghost, den)]);
    let there = before
        .iter()
        .step_by(2)
        .map(|text| text.matches("\"userId\":\"77\"").count());
    assert_eq!(there.collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_guild_told_anew_to_whom_nothing_is_known_of_is_unavailable() {
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    let nobody_known = Guild {
        memberships: BTreeMap::new(),
        ..hall()
    };
    harness.tell_group(vec![
        Change::GuildAvailable(Some(Box::new(hall()))),
        Change::GuildAvailable(Some(Box::new(nobody_known))),
    ]);
    assert_eq!(names(&mut anna), ["guild.unavailable"]);
}
