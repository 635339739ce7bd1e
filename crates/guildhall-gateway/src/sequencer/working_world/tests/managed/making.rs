//! Rooms that are being made: known from their first moment, and nothing else is taken for one.

use guildhall_model::{
    Permissions,
    guild::{Overwrite, OverwriteTarget},
};
use guildhall_ports::room_store::{RoomNumber, RoomPhase, RoomRecord};

use super::*;
use crate::{inbox::Making, rooms::RoomDraft};

const NUMBER: RoomNumber = RoomNumber(1);
const BOT: u64 = 100;

/// What of a channel is not as Discord was asked for it.
type Change = fn(&mut Value);

#[test]
fn a_room_of_ours_is_told_as_ours_before_discord_has_answered() {
    let mut harness = live();
    harness.ask(1, asked());
    harness.working.take();
    harness.dispatch("CHANNEL_CREATE", &made("10"));
    let told = harness.working.take();
    let [event] = &told.events[..] else {
        panic!("it is told once: {told:?}")
    };
    let super::Change::RoomCreated(room) = &event.change else {
        panic!("{event:?}")
    };
    assert_eq!(room.info.managed, Some(OURS));
    harness.ask(2, is_made(COMING));
    assert_eq!(answers(&mut harness), [(2, QuestionAnswer::So)]);
    // Another one like it is not.
    harness.dispatch("CHANNEL_CREATE", &made("11"));
    assert_eq!(info(&harness, ChannelId(11)).managed, None);
    assert_eq!(names(&harness.working.take()), ["room.created"]);
}

#[test]
fn whatever_is_made_by_hand_at_that_moment_is_not_taken_for_ours() {
    let others: [(&str, Change); 9] = [
        ("another name", |it| it["name"] = "table ".into()),
        ("a stage", |it| it["type"] = 13.into()),
        ("another limit", |it| it["user_limit"] = 3.into()),
        ("in a category", |it| it["parent_id"] = "5".into()),
        ("there before", |it| it["id"] = "8".into()),
        ("without the bot", |it| drop(overwrites(it).remove(1))),
        ("with somebody else", |it| {
            let other = json!({"id": "77", "type": 1, "allow": "1024", "deny": "0"});
            overwrites(it).push(other);
        }),
        ("with a bit more", |it| {
            overwrites(it)[1]["allow"] = (ENTRY | 1).to_string().into();
        }),
        ("of a role of that id", |it| {
            overwrites(it)[2]["type"] = 0.into();
        }),
    ];
    for (what, change) in others {
        let mut harness = live();
        harness.ask(1, asked());
        let mut other = made("10");
        change(&mut other);
        harness.dispatch("CHANNEL_CREATE", &other);
        let id = other["id"].as_str().expect("an id").parse().expect("one");
        assert_eq!(info(&harness, ChannelId(id)).managed, None, "{what}");
        // Ours is known all the same, in whatever order it says who may do what.
        let mut ours = made("12");
        overwrites(&mut ours).reverse();
        overwrites(&mut ours).push(json!({"id": "6", "type": 0, "allow": "0", "deny": "0"}));
        harness.dispatch("CHANNEL_CREATE", &ours);
        assert_eq!(info(&harness, ChannelId(12)).managed, Some(OURS), "{what}");
    }
}

#[test]
fn a_copy_that_came_first_is_told_as_such_once_discord_names_ours() {
    for ours_comes_first in [false, true] {
        let mut harness = live();
        harness.ask(1, asked());
        harness.dispatch("CHANNEL_CREATE", &made("10"));
        if ours_comes_first {
            harness.dispatch("CHANNEL_CREATE", &made("11"));
        }
        harness.working.take();
        harness.ask(2, is_made(ChannelId(11)));
        let told = harness.working.take();
        let corrected = 1 + usize::from(ours_comes_first);
        assert_eq!(names(&told), vec!["room.updated"; corrected]);
        assert_eq!(info(&harness, COMING).managed, None);
        if !ours_comes_first {
            harness.dispatch("CHANNEL_CREATE", &made("11"));
            assert_eq!(names(&harness.working.take()), ["room.created"]);
        }
        assert_eq!(info(&harness, ChannelId(11)).managed, Some(OURS));
    }
}

#[test]
fn where_discord_made_none_what_was_taken_for_it_is_told_as_none_of_ours() {
    let mut harness = live();
    harness.ask(1, asked());
    harness.dispatch("CHANNEL_CREATE", &made("10"));
    harness.working.take();
    harness.ask(2, making(Making::NotMade));
    assert_eq!(names(&harness.working.take()), ["room.updated"]);
    assert_eq!(info(&harness, COMING).managed, None);
    // Nothing is waited for any more; and where it is being deleted nothing is told but that.
    harness.dispatch("CHANNEL_CREATE", &made("11"));
    assert_eq!(info(&harness, ChannelId(11)).managed, None);
    harness.ask(3, asked());
    harness.dispatch("CHANNEL_CREATE", &made("12"));
    harness.working.take();
    harness.ask(4, manage(ChannelId(12), None));
    harness.ask(5, making(Making::NotMade));
    assert_eq!(names(&harness.working.take()), [""; 0]);
    harness.dispatch("CHANNEL_DELETE", &made("12"));
    assert_eq!(names(&harness.working.take()), ["room.deleted"]);
}

#[test]
fn a_room_whose_making_a_kill_cut_short_is_ours_however_it_comes() {
    let restarted = |world: World| {
        let being_made = [(GUILD, NUMBER, draft())];
        let restored = Restored {
            world,
            managed: ManagedRooms::new(None, being_made),
            ..restored(None)
        };
        let cdn = Cdn::new(&"https://cdn.example".parse().expect("a URL"));
        let mut harness = live();
        harness.working = WorkingWorld::new(restored, cdn, Limits::default(), "THE_GUILDS", 10);
        harness.working.begun(harness.now, harness.wall);
        harness
    };
    let mut before = live();
    before.ask(1, asked());
    let empty = World::default().apply_all(&before.working.take().events);
    before.dispatch("CHANNEL_CREATE", &made("10"));
    let with_it = empty.clone().apply_all(&before.working.take().events);
    // It was in the log already: nothing is told of it.
    let mut harness = restarted(with_it);
    assert_eq!(names(&harness.working.take()), [""; 0]);
    assert_eq!(info(&harness, COMING).managed, Some(OURS));
    // It is in the fresh picture of its guild.
    let mut harness = restarted(empty);
    harness.dispatch("READY", &ready(&["1"]));
    let mut whole = guild("1");
    whole["channels"] = json!([channel("9", "a room"), made("10")]);
    harness.dispatch("GUILD_CREATE", &whole);
    assert_eq!(info(&harness, COMING).managed, Some(OURS));
    harness.ask(2, is_made(COMING));
    let told = harness.working.take();
    assert!(!names(&told).contains(&"room.updated"), "{told:?}");
}

const ENTRY: u64 = 1 << 10 | 1 << 20;

fn draft() -> RoomDraft {
    let one = |target, allow, deny| Overwrite {
        target,
        allow: Permissions(allow),
        deny: Permissions(deny),
    };
    let record = RoomRecord {
        number: NUMBER,
        guild_id: GUILD,
        owner_id: OURS.owner_id,
        phase: RoomPhase::Making { since: 1 },
        name: "table".to_owned(),
        parent_id: None,
        limit: 4,
        private: true,
        locked: OURS.locked,
        hidden: OURS.hidden,
        role_id: None,
        mark: 1,
        overwrites: vec![
            one(OverwriteTarget::Role(GUILD.everyone()), 0, ENTRY),
            one(OverwriteTarget::Member(UserId(BOT)), ENTRY, 0),
            one(OverwriteTarget::Member(OURS.owner_id), ENTRY, 0),
        ],
        before: vec![ROOM, ChannelId(8)],
        set_aside: Vec::new(),
        lobby: None,
        made_at: 1,
        command: Some(1),
        unsettled: true,
        late_until: None,
    };
    RoomDraft::of(&record).expect("it is asked for")
}

/// The channel that it becomes.
fn made(id: &str) -> Value {
    let overwrite = |id: u64, kind: u8, allow: u64, deny: u64| json!({"id": id.to_string(), "type": kind, "allow": allow.to_string(), "deny": deny.to_string()});
    let mut channel = channel(id, "table");
    channel["user_limit"] = 4.into();
    channel["permission_overwrites"] = json!([
        overwrite(GUILD.0, 0, 0, ENTRY),
        overwrite(BOT, 1, ENTRY, 0),
        overwrite(OURS.owner_id.0, 1, ENTRY, 0),
    ]);
    channel
}

fn overwrites(channel: &mut Value) -> &mut Vec<Value> {
    let all = channel["permission_overwrites"].as_array_mut();
    all.expect("a list")
}

fn making(making: Making) -> About {
    About::Making {
        room: NUMBER,
        making,
    }
}

fn asked() -> About {
    making(Making::Asked(Box::new(draft())))
}

fn is_made(channel_id: ChannelId) -> About {
    making(Making::Made(channel_id, OURS))
}
