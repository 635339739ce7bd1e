//! The one promise, `world(P)` + events = `world(Q)`, and the world after lists of events that
//! other languages check too.

use std::{collections::BTreeMap, fs, path::Path};

use proptest::{collection::vec, prelude::*};
use serde::Deserialize;

use crate::{
    Change, Event, GuildId, Permissions, RoleId, UserId, World, arbitrary,
    guild::{Guild, GuildInfo, Membership, Role},
};

proptest! {
    #[test]
    fn a_snapshot_and_the_events_after_it_are_the_later_snapshot(
        start in arbitrary::world(),
        events in vec(arbitrary::event(), 0..30),
        at in any::<prop::sample::Index>(),
    ) {
        let (before, after) = events.split_at(at.index(events.len() + 1));
        let json = serde_json::to_string(&start.clone().apply_all(before)).expect("worlds serialise");
        let snapshot: World = serde_json::from_str(&json).expect("and are read back");
        prop_assert_eq!(snapshot.apply_all(after), start.apply_all(&events));
    }

    #[test]
    fn a_world_read_back_is_the_world_that_was_written(world in arbitrary::world()) {
        let json = serde_json::to_string(&world).expect("worlds serialise");
        prop_assert_eq!(serde_json::from_str::<World>(&json).expect("and are read back"), world);
    }

    #[test]
    fn nobody_is_in_a_room_that_is_not_there(events in vec(arbitrary::event(), 0..60)) {
        let mut world = World::default();
        for event in &events {
            // What the gateway promises: nobody joins a room that is not there.
            if let Change::VoiceJoined(occupant) | Change::VoiceUpdated(occupant) = &event.change {
                let guild = world.guilds.get(&event.guild_id);
                if !guild.is_some_and(|guild| guild.rooms.contains_key(&occupant.channel_id)) {
                    continue;
                }
            }
            world.apply(event);
            for guild in world.guilds.values() {
                for (user_id, occupant) in &guild.voice {
                    prop_assert!(guild.rooms.contains_key(&occupant.channel_id));
                    prop_assert_eq!(*user_id, occupant.user_id);
                }
            }
        }
    }

    #[test]
    fn an_event_touches_its_own_guild_alone(world in arbitrary::world(), event in arbitrary::event()) {
        let mut after = world.clone();
        after.apply(&event);
        let others = |world: &World| {
            let mut guilds = world.guilds.clone();
            guilds.remove(&event.guild_id);
            guilds
        };
        prop_assert_eq!(others(&after), others(&world));
    }

    #[test]
    fn any_text_is_a_world_or_an_error(text in "\\PC{0,80}|[\\[\\]{}\",:0-9a-z]{0,80}") {
        if let Ok(world) = serde_json::from_str::<World>(&text) {
            prop_assert!(serde_json::to_string(&world).is_ok());
        }
    }
}

#[test]
fn roles_of_a_member_are_a_set() {
    let two = vec![RoleId(5), RoleId(3), RoleId(5)];
    assert_eq!(
        Membership::member(two),
        Membership::member(vec![RoleId(3), RoleId(5)])
    );
}

#[test]
fn a_timeout_is_over_at_its_end_and_a_stranger_is_in_none() {
    let member = Membership::member(Vec::new()).timed_out_until(Some(5));
    assert!(member.is_timed_out(4));
    assert!(!member.is_timed_out(5));
    assert!(!member.timed_out_until(None).is_timed_out(0));
    let stranger = Membership::Stranger.timed_out_until(Some(5));
    assert_eq!(stranger, Membership::Stranger);
    assert!(!stranger.is_timed_out(0));
}

#[test]
fn a_membership_without_a_timeout_is_written_as_before_there_were_any() {
    let guest = Membership::guest(vec![RoleId(3)]);
    for (membership, json) in [
        (&guest, r#"{"is":"member","roles":["3"],"guest":true}"#),
        (
            &guest.clone().timed_out_until(Some(7)),
            r#"{"is":"member","roles":["3"],"guest":true,"timeoutUntil":7}"#,
        ),
        (&Membership::Stranger, r#"{"is":"stranger"}"#),
    ] {
        let written = serde_json::to_string(membership).expect("is written");
        assert_eq!(written, json);
        let read: Membership = serde_json::from_str(json).expect("is read");
        assert_eq!(read, *membership);
    }
}

#[test]
fn a_role_that_went_and_came_again_is_nobodys() {
    let (user_id, role_id) = (UserId(9), RoleId(3));
    let rights = |roles: &[RoleId]| Change::Rights {
        user_id,
        membership: Some(Membership::member(roles.to_vec())),
    };
    let permissions = Permissions::VIEW_CHANNEL;
    let set = Change::RoleSet(Role {
        role_id,
        permissions,
    });
    let guild = Guild {
        info: GuildInfo {
            name: "a guild".to_owned(),
            icon: None,
        },
        available: true,
        owner_id: UserId(7),
        roles: [(role_id, permissions)].into(),
        categories: BTreeMap::new(),
        rooms: BTreeMap::new(),
        voice: BTreeMap::new(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::new(),
    };
    let changes = [
        Change::GuildAvailable(Some(Box::new(guild))),
        rights(&[role_id, RoleId(5)]),
        Change::RoleRemoved { role_id },
        set,
    ];
    let guild_id = GuildId(1);
    let events = changes.map(|change| Event {
        guild_id,
        ts: 0,
        synthetic: false,
        change,
    });
    let world = World::default().apply_all(&events);
    let guild = &world.guilds[&guild_id];
    assert_eq!(guild.roles[&role_id], permissions);
    let kept = Membership::member(vec![RoleId(5)]);
    assert_eq!(guild.memberships[&user_id], kept);
}

/// `fixtures/world/NAME.json`: `{about, events, world}`, the events in the link's form, the world
/// after them all, from none.
#[test]
fn the_committed_event_lists_end_in_the_committed_worlds() {
    #[derive(Deserialize)]
    struct Fixture<'a> {
        #[serde(borrow)]
        events: Vec<&'a serde_json::value::RawValue>,
        world: World,
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/world");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).expect("fixtures/world is there") {
        let path = entry.expect("readable").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a text");
        let fixture: Fixture<'_> = serde_json::from_str(&text).expect("a fixture");
        let events = fixture.events.iter().map(|event| {
            serde_json::from_str(event.get()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        });
        let events: Vec<Event> = events.collect();
        assert!(!events.iter().any(|event| event.change == Change::Unknown));
        let world = World::default().apply_all(&events);
        assert_eq!(world, fixture.world, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 6, "only {seen} fixtures in {}", folder.display());
}
