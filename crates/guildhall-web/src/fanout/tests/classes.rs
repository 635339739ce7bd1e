//! Two viewers are of one class if and only if they see the same rooms, whatever happens; and
//! nobody joins again who need not.

use guildhall_model::{
    Change, ChannelId, Event, Guild, GuildId, Permissions, RoleId, UserId, World,
    arbitrary::{self, GUILD, naive},
    guild::{Membership, Overwrite, OverwriteTarget, Role, RoomRights},
};
use proptest::{collection::vec, prelude::*};

use crate::{
    fanout::classes::ClassId,
    replica::GuildLog,
    stream::tests::harness::{
        ANNA, BEN, CARL, HALL, Harness, LOBBY, Listener, VAULT, VAULT_ROLE, at, hall,
        hidden_but_for, joined, left, person, room,
    },
    visible::Selector,
};

const DEN: ChannelId = ChannelId(203);

fn users() -> impl Iterator<Item = UserId> + Clone {
    (1..=5).map(UserId)
}

/// What a gateway never appends: somebody in a room that is not there, or moved without joining.
fn is_told(change: &Change, guild: Option<&Guild>) -> bool {
    let Some(guild) = guild else {
        return true;
    };
    match change {
        Change::VoiceJoined(occupant) => guild.rooms.contains_key(&occupant.channel_id),
        Change::VoiceUpdated(occupant) => {
            let known = guild.voice.get(&occupant.user_id);
            known.is_some_and(|known| known.channel_id == occupant.channel_id)
        }
        _ => true,
    }
}

fn seen(harness: &Harness, id: GuildId, user: UserId) -> Option<Vec<ChannelId>> {
    let logs = harness.fanout.replica().read();
    let guild = logs.guild(id).and_then(GuildLog::guild)?;
    naive::rooms(id, guild, user)
}

/// Holds the classes of these viewers against the slow oracle. Who is in none is passed over: as
/// long as nobody answered about them, and until their streams have joined again.
pub(crate) fn classes_are_right(harness: &Harness, id: GuildId, users: &[UserId]) {
    let classes = users.iter().filter_map(|user| {
        let (class, rooms) = harness.fanout.class_of(id, *user)?;
        let seen = seen(harness, id, *user);
        assert_eq!(
            seen.as_deref(),
            Some(rooms.ids()),
            "{user} sees what their class does"
        );
        Some((*user, class, rooms))
    });
    let classes: Vec<_> = classes.collect();
    for (one, class, rooms) in &classes {
        for (other, of_other, seen) in &classes {
            assert_eq!(class == of_other, rooms == seen, "{one} and {other}");
        }
    }
}

/// The same, and all who are members are in one.
fn all_are_classed(harness: &Harness) {
    let users: Vec<UserId> = users().collect();
    classes_are_right(harness, GUILD, &users);
    for user in users {
        let is_in_one = harness.fanout.class_of(GUILD, user).is_some();
        assert_eq!(is_in_one, seen(harness, GUILD, user).is_some(), "{user}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn viewers_are_of_one_class_if_and_only_if_they_see_the_same(
        guild in arbitrary::guild(),
        groups in vec((vec(arbitrary::change(), 1..4), any::<u8>()), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let _entered = runtime.as_ref().expect("a runtime").enter();
        let mut world = World { guilds: [(GUILD, guild.clone())].into() };
        let mut harness = Harness::of(64, vec![(GUILD, guild)]);
        let open = |harness: &Harness, user| {
            let mut stream = harness.open_on(user, &[GUILD], Selector::ALL, None);
            stream.pieces();
            stream
        };
        let mut streams: Vec<_> = users().map(|user| open(&harness, user)).collect();
        all_are_classed(&harness);
        for (changes, read) in groups {
            let group = changes.into_iter().filter(|change| tell(&mut world, change));
            let group = harness.sealed(GUILD, group.collect());
            harness.take(group);
            all_are_classed(&harness);
            for (bit, stream) in streams.iter_mut().enumerate() {
                if read >> bit & 1 == 1 {
                    stream.pieces();
                }
            }
            if read >> 5 & 1 == 1 {
                let which = usize::from(read) % streams.len();
                let user = users().nth(which).expect("one of them");
                streams[which] = open(&harness, user);
            }
            all_are_classed(&harness);
        }
    }
}

/// Applies a change that a gateway may append.
fn tell(world: &mut World, change: &Change) -> bool {
    let told = is_told(change, world.guilds.get(&GUILD));
    if told {
        world.apply(&Event {
            guild_id: GUILD,
            ts: 0,
            synthetic: false,
            change: change.clone(),
        });
    }
    told
}

fn member(roles: &[RoleId]) -> Membership {
    Membership::member(roles.to_vec())
}

/// Hidden from everybody but these.
fn private_for(users: &[UserId]) -> RoomRights {
    let mut rights = hidden_but_for(RoleId(404));
    rights.overwrites.extend(users.iter().map(|user| Overwrite {
        target: OverwriteTarget::Member(*user),
        allow: Permissions::VIEW_CHANNEL,
        deny: Permissions::NONE,
    }));
    rights
}

fn created(rights: RoomRights) -> Change {
    Change::RoomCreated(room(DEN, "Den", rights))
}

/// The hall with these members besides, and a stream for each of these.
fn hall_with<const N: usize>(
    change: impl FnOnce(&mut Guild),
    viewers: [UserId; N],
) -> (Harness, [Listener; N]) {
    let mut guild = hall();
    change(&mut guild);
    let harness = Harness::of(64, vec![(HALL, guild)]);
    let streams = viewers.map(|user| {
        let mut stream = harness.open(user, None);
        assert_eq!(stream.names(), ["snapshot"]);
        stream
    });
    (harness, streams)
}

fn generations<const N: usize>(harness: &Harness, users: [UserId; N]) -> [u64; N] {
    users.map(|user| harness.fanout.viewer(user).rights_generation())
}

fn class(harness: &Harness, user: UserId) -> Option<ClassId> {
    harness.fanout.class_of(HALL, user).map(|(class, _)| class)
}

#[tokio::test(start_paused = true)]
async fn owner_role_own_overwrite_and_own_room_lead_to_one_class() {
    let (harness, _streams) = hall_with(
        |guild| {
            guild.owner_id = ANNA;
            guild.memberships.insert(CARL, member(&[]));
            guild.memberships.insert(UserId(77), member(&[]));
            let vault = guild.rooms.get_mut(&VAULT).expect("there");
            let own = private_for(&[CARL]).overwrites.pop();
            vault.rights.overwrites.extend(own);
            guild.voice.insert(UserId(77), person(UserId(77), VAULT));
        },
        [ANNA, BEN, CARL, UserId(77)],
    );
    let of = |user| class(&harness, user);
    assert!(of(ANNA).is_some());
    for user in [BEN, CARL, UserId(77)] {
        assert_eq!(of(user), of(ANNA), "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn guests_in_one_room_are_of_one_class_with_whoever_sees_only_that() {
    let (harness, _streams) = hall_with(
        |guild| {
            guild.memberships.insert(ANNA, Membership::guest(vec![]));
            guild.voice.insert(ANNA, person(ANNA, LOBBY));
            guild.memberships.insert(CARL, member(&[]));
        },
        [ANNA, BEN, CARL],
    );
    assert_eq!(class(&harness, ANNA), class(&harness, CARL));
    assert_ne!(class(&harness, ANNA), class(&harness, BEN));
}

#[tokio::test(start_paused = true)]
async fn a_room_that_all_of_a_class_see_is_made_and_nobody_joins_again() {
    let all = [ANNA, BEN, CARL];
    let (mut harness, mut streams) = hall_with(
        |guild| {
            guild.memberships.insert(CARL, member(&[]));
        },
        all,
    );
    let before = (
        generations(&harness, all),
        all.map(|user| class(&harness, user)),
    );
    harness.tell(created(RoomRights::default()));
    harness.tell(joined(UserId(78), DEN));
    for stream in &mut streams {
        assert_eq!(stream.names(), ["room.created", "voice.joined"]);
    }
    harness.tell(left(UserId(78), DEN));
    harness.tell(Change::RoomDeleted { channel_id: DEN });
    for stream in &mut streams {
        assert_eq!(stream.names(), ["voice.left", "room.deleted"]);
    }
    let after = (
        generations(&harness, all),
        all.map(|user| class(&harness, user)),
    );
    assert_eq!(after, before);
}

#[tokio::test(start_paused = true)]
async fn a_private_room_is_told_to_those_named_and_wakes_nobody_else() {
    let all = [ANNA, BEN, CARL];
    let (mut harness, [mut anna, mut ben, mut carl]) = hall_with(
        |guild| {
            for user in all {
                guild.memberships.insert(user, member(&[]));
            }
        },
        all,
    );
    let (woken, [_, ben_before, carl_before]) = (ben.woken(), generations(&harness, all));
    harness.tell(created(private_for(&[ANNA])));
    assert_eq!(anna.names(), ["room.created"]);
    assert_ne!(class(&harness, ANNA), class(&harness, BEN));
    let [_, ben_after, carl_after] = generations(&harness, all);
    assert_eq!((ben_after, carl_after), (ben_before, carl_before));
    assert_eq!(
        (ben.woken(), ben.names().len(), carl.names().len()),
        (woken, 0, 0)
    );
    // With another's own overwrite he is of her class.
    harness.tell(Change::RoomRights {
        channel_id: DEN,
        rights: private_for(&[ANNA, BEN]),
    });
    assert_eq!(
        (anna.names().len(), ben.names()),
        (0, vec!["room.shown".to_owned()])
    );
    assert_eq!(class(&harness, ANNA), class(&harness, BEN));
    harness.tell(joined(UserId(78), DEN));
    for (stream, told) in [(&mut anna, 1), (&mut ben, 1), (&mut carl, 0)] {
        assert_eq!(stream.names().len(), told);
    }
    // It goes: all see the same, and are of one class again.
    harness.tell(Change::RoomDeleted { channel_id: DEN });
    assert_eq!(class(&harness, ANNA), class(&harness, CARL));
    for (stream, told) in [(&mut anna, 1), (&mut ben, 1), (&mut carl, 0)] {
        assert_eq!(stream.names().len(), told);
    }
    harness.tell(joined(UserId(78), LOBBY));
    for stream in [&mut anna, &mut ben, &mut carl] {
        assert_eq!(stream.names(), ["voice.joined"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_most_of_a_class_go_on_and_whoever_is_left_behind_joins_again() {
    let all = [ANNA, BEN, CARL];
    let (mut harness, mut streams) = hall_with(
        |guild| {
            for user in all {
                guild.memberships.insert(user, member(&[]));
            }
        },
        all,
    );
    let before = generations(&harness, all);
    let mut rights = RoomRights::default();
    rights.overwrites.push(Overwrite {
        target: OverwriteTarget::Member(CARL),
        allow: Permissions::NONE,
        deny: Permissions::VIEW_CHANNEL,
    });
    harness.tell(created(rights));
    let after = generations(&harness, all);
    assert_eq!(after[..2], before[..2]);
    assert!(after[2] > before[2]);
    let names = streams.each_mut().map(Listener::names);
    assert_eq!(names, [vec!["room.created"], vec!["room.created"], vec![]]);
    harness.tell(joined(UserId(78), DEN));
    harness.tell(joined(UserId(77), LOBBY));
    assert_eq!(
        streams.each_mut().map(|stream| stream.names().len()),
        [2, 2, 1]
    );
}

#[tokio::test(start_paused = true)]
async fn who_sees_the_same_by_other_rights_is_told_nothing() {
    let (mut harness, [mut anna, mut ben]) = hall_with(|_| {}, [ANNA, BEN]);
    let before = generations(&harness, [ANNA, BEN]);
    let woken = (anna.woken(), ben.woken());
    let roles = |user_id, roles: &[RoleId]| Change::Rights {
        user_id,
        membership: Some(member(roles)),
    };
    let role = |number, permissions| {
        Change::RoleSet(Role {
            role_id: RoleId(number),
            permissions,
        })
    };
    harness.tell(role(60, Permissions::CONNECT));
    harness.tell(roles(ANNA, &[RoleId(60)]));
    harness.tell(roles(BEN, &[VAULT_ROLE, RoleId(60)]));
    harness.tell(role(61, Permissions::ADMINISTRATOR));
    harness.tell(roles(BEN, &[RoleId(61)]));
    harness.tell(Change::OwnerChanged { owner_id: BEN });
    assert_eq!(generations(&harness, [ANNA, BEN]), before);
    assert_eq!((anna.woken(), ben.woken()), woken);
    assert!(anna.names().is_empty() && ben.names().is_empty());
    let mut back = harness.open(BEN, Some(at(0)));
    assert_eq!(back.names(), ["resumed"], "and no view begins anew");
}

#[tokio::test(start_paused = true)]
async fn after_a_log_is_sent_anew_each_stream_joins_once() {
    let (mut harness, mut streams) = hall_with(|_| {}, [ANNA, BEN]);
    harness.reload(HALL, at(0));
    let raised = generations(&harness, [ANNA, BEN]);
    for stream in &mut streams {
        stream.pieces();
    }
    assert_eq!(generations(&harness, [ANNA, BEN]), raised);
    assert!(class(&harness, ANNA).is_some() && class(&harness, BEN).is_some());
    harness.tell(joined(UserId(78), LOBBY));
    for stream in &mut streams {
        assert_eq!(stream.names(), ["voice.joined"]);
    }
}
