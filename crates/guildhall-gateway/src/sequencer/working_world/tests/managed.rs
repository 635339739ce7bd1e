//! Rooms that Guildhall made.

/// Rooms that are being made.
mod making;

use guildhall_model::{
    ChannelId,
    guild::{RoomInfo, RoomManagement},
};
use proptest::prelude::*;

use super::{questions::answers, *};
use crate::inbox::{
    About, Expectation, GuildSeen, QuestionAnswer, QuestionId, RoomOccupancy, SeenRoom,
};

const ROOM: ChannelId = ChannelId(9);
const COMING: ChannelId = ChannelId(10);

#[test]
fn what_is_kept_of_a_room_is_told_as_its_news_and_stays_whatever_discord_says() {
    let mut harness = live();
    harness.ask(1, manage(ROOM, Some(OURS)));
    assert_eq!(answers(&mut harness), [(1, QuestionAnswer::So)]);
    assert_eq!(info(&harness, ROOM).managed, Some(OURS));
    let renamed = channel("9", "another name");
    harness.dispatch("CHANNEL_UPDATE", &renamed);
    let known = info(&harness, ROOM);
    assert_eq!(
        (known.name.as_str(), known.managed),
        ("another name", Some(OURS))
    );
    // The same again is no news.
    harness.working.take();
    harness.ask(2, manage(ROOM, Some(OURS)));
    let outcome = harness.working.take();
    assert_eq!(names(&outcome), [""; 0]);
    let locked = RoomManagement {
        locked: true,
        ..OURS
    };
    harness.ask(3, manage(ROOM, Some(locked)));
    let told = harness.working.take();
    assert_eq!(names(&told), ["room.updated"]);
    assert_eq!(info(&harness, ROOM).managed, Some(locked));
}

#[test]
fn a_room_that_discord_has_deleted_is_ours_until_the_world_hears_of_it() {
    let mut harness = live();
    harness.ask(1, manage(ROOM, Some(OURS)));
    harness.working.take();
    harness.ask(2, manage(ROOM, None));
    harness.dispatch("CHANNEL_UPDATE", &channel("9", "another name"));
    let known = info(&harness, ROOM).clone();
    assert_eq!(
        (known.name.as_str(), known.managed),
        ("another name", Some(OURS))
    );
    harness.dispatch("CHANNEL_DELETE", &channel("9", "another name"));
    let told = harness.working.take();
    assert_eq!(names(&told), ["room.updated", "room.deleted"]);
    // Then nothing is kept of it.
    harness.dispatch("CHANNEL_CREATE", &channel("9", "a room"));
    assert_eq!(info(&harness, ROOM).managed, None);
    // Also where it is missing in a fresh picture of its guild, or never came.
    for id in [ROOM, COMING] {
        harness.ask(3, manage(id, Some(OURS)));
        harness.ask(4, manage(id, None));
    }
    let mut whole = guild("1");
    whole["channels"] = json!([]);
    harness.dispatch("GUILD_CREATE", &whole);
    for id in ["9", "10"] {
        harness.dispatch("CHANNEL_CREATE", &channel(id, "a room"));
    }
    let told = harness.working.take();
    let updates = names(&told)
        .into_iter()
        .filter(|name| *name == "room.updated");
    assert_eq!(updates.count(), 1, "that the first is ours: {told:?}");
    for id in [ROOM, COMING] {
        assert_eq!(info(&harness, id).managed, None);
    }
}

#[test]
fn a_room_that_comes_is_ours_from_its_first_moment() {
    let mut harness = live();
    harness.ask(1, manage(COMING, Some(OURS)));
    let waits = About::When {
        expectation: Expectation::RoomIs(COMING),
        until: harness.now + Duration::from_secs(5),
    };
    harness.ask(2, waits);
    assert_eq!(answers(&mut harness), [(1, QuestionAnswer::So)]);
    harness.dispatch("CHANNEL_CREATE", &channel("10", "table"));
    let outcome = harness.working.take();
    let [event] = &outcome.events[..] else {
        panic!("it is told once: {outcome:?}")
    };
    let Change::RoomCreated(room) = &event.change else {
        panic!("{event:?}")
    };
    assert_eq!(room.info.managed, Some(OURS));
    let id = QuestionId(2);
    let answer = QuestionAnswer::So;
    assert_eq!(outcome.effects, [Effect::AnswerQuestion { id, answer }]);
    // Also after it went and came, and with a fresh picture of its guild.
    harness.dispatch("CHANNEL_DELETE", &channel("10", "table"));
    harness.ask(
        3,
        About::When {
            expectation: Expectation::RoomGone(COMING),
            until: harness.now + Duration::from_secs(5),
        },
    );
    assert_eq!(answers(&mut harness), [(3, QuestionAnswer::So)]);
    let mut whole = guild("1");
    whole["channels"] = json!([channel("9", "a room"), channel("10", "table")]);
    harness.dispatch("GUILD_DELETE", &json!({"id": "1"}));
    harness.dispatch("GUILD_CREATE", &whole);
    assert_eq!(info(&harness, COMING).managed, Some(OURS));
    assert_eq!(info(&harness, ROOM).managed, None);
}

#[test]
fn at_the_start_what_is_kept_counts_and_not_what_the_log_says() {
    let mut harness = live();
    harness.ask(1, manage(ROOM, Some(OURS)));
    let outcome = harness.working.take();
    let theirs = RoomManagement {
        owner_id: UserId(8),
        ..OURS
    };
    for kept in [None, Some(OURS), Some(theirs)] {
        let managed = kept.map(|management| (GUILD, ROOM, management));
        let restored = Restored {
            world: World::default().apply_all(&outcome.events),
            managed: ManagedRooms::new(managed, None),
            ..restored(None)
        };
        let cdn = Cdn::new(&"https://cdn.example".parse().expect("a URL"));
        let mut working = WorkingWorld::new(restored, cdn, Limits::default(), "THE_GUILDS", 10);
        working.begun(Instant::now(), 10);
        let told = working.take();
        let differs = kept != Some(OURS);
        assert_eq!(told.events.len(), usize::from(differs), "{kept:?}");
        assert!(told.events.iter().all(|event| event.synthetic));
        let room = &working.world.guilds[&GUILD].rooms[&ROOM];
        assert_eq!(room.info.managed, kept);
    }
}

#[test]
fn a_room_that_will_be_deleted_is_told_of_and_one_that_is_not_there_is_not() {
    let mut harness = live();
    harness.working.take();
    let idle = |channel_id, deletes_at| About::Idle {
        channel_id,
        deletes_at,
    };
    harness.ask(1, idle(ROOM, Some(30_000)));
    harness.ask(2, idle(ROOM, None));
    harness.ask(3, idle(COMING, Some(30_000)));
    let outcome = harness.working.take();
    assert_eq!(names(&outcome), ["room.idle", "room.idle"]);
    assert_eq!(outcome.effects.len(), 3, "each is answered");
}

#[test]
fn who_is_in_which_room_is_told_with_how_far_it_is_to_be_believed() {
    let mut harness = live();
    harness.dispatch("VOICE_STATE_UPDATE", &voice("5", "9"));
    let ask = || About::Occupants {
        channels: vec![ROOM, COMING],
    };
    let seen = |live, readable| {
        let occupancy = |channel_id, exists, readable, users: &[u64]| RoomOccupancy {
            channel_id,
            exists,
            readable,
            users: users.iter().copied().map(UserId).collect(),
        };
        QuestionAnswer::Occupants(GuildSeen {
            live,
            rooms: vec![
                occupancy(ROOM, true, readable, &[5]),
                occupancy(COMING, false, false, &[]),
            ],
        })
    };
    harness.working.take();
    harness.ask(1, ask());
    assert_eq!(answers(&mut harness), [(1, seen(true, true))]);
    let mut hidden = channel("9", "a room");
    hidden["flags"] = json!(1 << 17);
    harness.dispatch("CHANNEL_UPDATE", &hidden);
    harness.ask(2, ask());
    assert_eq!(answers(&mut harness), [(2, seen(true, false))]);
    harness.working.lost(cut(), harness.now, harness.wall);
    harness.ask(3, ask());
    assert_eq!(answers(&mut harness), [(3, seen(false, false))]);
    harness.ask(4, About::Rooms);
    let room = SeenRoom {
        channel_id: ROOM,
        name: "a room".to_owned(),
        parent_id: None,
        overwrites: Vec::new(),
        obfuscated: true,
    };
    let rooms = GuildSeen {
        live: false,
        rooms: vec![room],
    };
    assert_eq!(answers(&mut harness), [(4, QuestionAnswer::Rooms(rooms))]);
}

proptest! {
    /// Whatever comes in whatever order: a picture with what follows it is the later picture, and
    /// each room says what is kept of it.
    #[test]
    fn a_picture_with_what_follows_is_the_later_picture_and_says_what_is_kept(
        acts in prop::collection::vec((0..9_u8, 9..12_u64, 0..3_u64), 1..40),
    ) {
        let mut harness = live();
        let mut picture = World::default().apply_all(&harness.working.take().events);
        let mut kept = BTreeMap::new();
        let mut lines = BTreeMap::new();
        for (number, (act, room, value)) in (1..).zip(acts) {
            let channel_id = ChannelId(room);
            let (id, name) = (room.to_string(), value.to_string());
            match act {
                0 | 1 => {
                    let management = (value > 0).then_some(RoomManagement {
                        owner_id: UserId(value),
                        locked: act == 1,
                        hidden: false,
                    });
                    let is_there = harness.working.world.guilds.get(&GUILD);
                    let is_there = is_there.is_some_and(|it| it.rooms.contains_key(&channel_id));
                    match management {
                        Some(management) => _ = kept.insert(channel_id, (management, false)),
                        None if is_there => {
                            kept.entry(channel_id).and_modify(|(_, deleted)| *deleted = true);
                        }
                        None => _ = kept.remove(&channel_id),
                    }
                    harness.ask(number, manage(channel_id, management));
                }
                2 => harness.dispatch("CHANNEL_CREATE", &channel(&id, &name)),
                3 => {
                    harness.dispatch("CHANNEL_DELETE", &channel(&id, &name));
                    lines.remove(&channel_id);
                }
                4 => harness.dispatch("CHANNEL_UPDATE", &channel(&id, &name)),
                5 => {
                    let mut whole = guild("1");
                    whole["channels"] = json!([channel(&id, &name)]);
                    harness.dispatch("GUILD_CREATE", &whole);
                    lines.retain(|room, _| *room == channel_id);
                }
                6 => {
                    let info = json!({"guild_id": "1", "channels": [{"id": id, "status": name}]});
                    harness.dispatch("CHANNEL_INFO", &info);
                    lines = [(channel_id, name)].into();
                }
                7 => {
                    let update = json!({"guild_id": "1", "id": id, "status": name});
                    harness.dispatch("VOICE_CHANNEL_STATUS_UPDATE", &update);
                    lines.insert(channel_id, name);
                }
                _ => {
                    let outage = value == 0;
                    harness.dispatch("GUILD_DELETE", &json!({"id": "1", "unavailable": outage}));
                    lines.retain(|_, _| outage);
                }
            }
            let guild = harness.working.world.guilds.get(&GUILD);
            lines.retain(|room, _| guild.is_some_and(|guild| guild.rooms.contains_key(room)));
            kept.retain(|room, (_, deleted)| {
                !*deleted || guild.is_some_and(|guild| guild.rooms.contains_key(room))
            });
            picture = picture.apply_all(&harness.working.take().events);
            prop_assert_eq!(&picture, &harness.working.world);
            for room in picture.guilds.values().flat_map(|guild| guild.rooms.values()) {
                let is = kept.get(&room.info.channel_id).map(|(management, _)| *management);
                prop_assert_eq!(room.info.managed, is);
                let line = lines.get(&room.info.channel_id);
                prop_assert_eq!(room.info.status.as_ref(), line);
            }
        }
    }
}

const OURS: RoomManagement = RoomManagement {
    owner_id: UserId(7),
    locked: false,
    hidden: true,
};

fn manage(channel_id: ChannelId, management: Option<RoomManagement>) -> About {
    About::Manage {
        channel_id,
        management,
    }
}

fn info(harness: &Harness, room: ChannelId) -> &RoomInfo {
    &harness.working.world.guilds[&GUILD].rooms[&room].info
}

fn channel(id: &str, name: &str) -> Value {
    json!({
        "id": id, "guild_id": "1", "type": 2, "name": name, "permission_overwrites": [],
    })
}

fn live() -> Harness {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness
}
