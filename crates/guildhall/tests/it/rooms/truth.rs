//! What Discord has of rooms, as the simulator knows it: what was made since the house began, and who
//! may do what there, by Discord's own algorithm.

use serde_json::{Value, json};

pub(super) const VIEW: u64 = 1 << 10;
pub(super) const CONNECT: u64 = 1 << 20;
pub(super) const MANAGE_CHANNELS: u64 = 1 << 4;
pub(super) const MOVE_MEMBERS: u64 = 1 << 24;
pub(super) const MANAGE_ROLES: u64 = 1 << 28;
const ADMINISTRATOR: u64 = 1 << 3;
const ALL: u64 = u64::MAX;

/// The first guild, which is where rooms are made.
pub(super) fn guild(truth: &Value) -> &Value {
    &truth["guilds"][0]
}

/// A list of the first guild's.
pub(super) fn list<'a>(truth: &'a Value, what: &str) -> &'a [Value] {
    guild(truth)[what].as_array().map_or(&[], Vec::as_slice)
}

/// What is in a list and was not before.
pub(super) fn made<'a>(before: &Value, after: &'a Value, what: &str) -> Vec<&'a Value> {
    let known: Vec<&Value> = list(before, what).iter().map(|one| &one["id"]).collect();
    let new = list(after, what).iter();
    new.filter(|one| !known.contains(&&one["id"])).collect()
}

/// The channels that were made since, by id.
pub(super) fn rooms(before: &Value, after: &Value) -> Vec<String> {
    let made = made(before, after, "channels").into_iter();
    made.map(|one| text(&one["id"])).collect()
}

/// The roles that were made for rooms since: they may nothing by themselves, which those that tests
/// make do not.
pub(super) fn roles<'a>(before: &Value, after: &'a Value) -> Vec<&'a Value> {
    let made = made(before, after, "roles").into_iter();
    made.filter(|role| role["permissions"] == "0").collect()
}

/// The one channel of this name that was made since; a panic if there are several.
pub(super) fn room_named(before: &Value, after: &Value, name: &str) -> Option<String> {
    let made = made(before, after, "channels").into_iter();
    let mut named = made.filter(|one| one["name"] == name);
    let room = named.next().map(|one| text(&one["id"]));
    assert!(named.next().is_none(), "two rooms are called {name}");
    room
}

/// A channel, if it is there.
pub(super) fn channel<'a>(truth: &'a Value, room: &str) -> Option<&'a Value> {
    list(truth, "channels").iter().find(|one| one["id"] == room)
}

/// Everything of the first guild that a house may change, without what of rooms was made since: as it
/// was before, if nothing else was touched.
pub(super) fn rest(before: &Value, after: &Value) -> Value {
    let known = |what: &str| {
        let ids: Vec<&Value> = list(before, what).iter().map(|one| &one["id"]).collect();
        let kept = list(after, what).iter();
        let kept: Vec<Value> = kept
            .filter(|one| ids.contains(&&one["id"]))
            .cloned()
            .collect();
        kept
    };
    let untouched = |mut channel: Value| {
        // How long somebody has been there is no trace of a room's.
        channel["voiceStartTime"] = Value::Null;
        channel["messages"] = Value::Null;
        channel
    };
    let channels: Vec<Value> = known("channels").into_iter().map(untouched).collect();
    let mut roles = known("roles");
    for role in &mut roles {
        role["position"] = Value::Null;
    }
    json!({"channels": channels, "roles": roles})
}

/// Panics if something is left of rooms.
pub(super) fn assert_nothing_is_left(before: &Value, after: &Value) {
    for left in [made(before, after, "channels"), roles(before, after)] {
        assert!(left.is_empty(), "this is left: {left:#?}");
    }
    assert_eq!(
        rest(before, after),
        rest(before, before),
        "something else was touched"
    );
    let roles: Vec<&Value> = list(after, "roles").iter().map(|one| &one["id"]).collect();
    for member in list(after, "members") {
        let own = member["roles"].as_array().into_iter().flatten();
        let lost: Vec<_> = own.filter(|role| !roles.contains(role)).collect();
        assert!(lost.is_empty(), "{member} has roles that are gone");
    }
}

/// What somebody may do in a channel: base, then the overwrites of @everyone, of roles, of the member.
pub(super) fn rights(truth: &Value, user: &str, channel: &Value) -> u64 {
    let guild = guild(truth);
    let members = list(truth, "members");
    let Some(member) = members.iter().find(|one| one["userId"] == user) else {
        return 0;
    };
    if guild["ownerId"] == user {
        return ALL;
    }
    let own: Vec<&Value> = member["roles"].as_array().into_iter().flatten().collect();
    let has = |id: &Value| *id == guild["id"] || own.contains(&id);
    let roles = list(truth, "roles").iter();
    let base = roles
        .filter(|role| has(&role["id"]))
        .fold(0, |sum, role| sum | bits(&role["permissions"]));
    if base & ADMINISTRATOR != 0 {
        return ALL;
    }
    let overwrites: Vec<&Value> = overwrites(channel).iter().collect();
    let apply = |sum: u64, of: &[&&Value]| {
        let deny = of.iter().fold(0, |all, one| all | bits(&one["deny"]));
        let allow = of.iter().fold(0, |all, one| all | bits(&one["allow"]));
        (sum & !deny) | allow
    };
    let of = |holds: &dyn Fn(&Value) -> bool| -> Vec<&&Value> {
        overwrites.iter().filter(|one| holds(one)).collect()
    };
    let everyone = of(&|one| one["type"] == 0 && one["id"] == guild["id"]);
    let by_role = of(&|one| one["type"] == 0 && own.contains(&&one["id"]));
    let by_name = of(&|one| one["type"] == 1 && one["id"] == user);
    apply(apply(apply(base, &everyone), &by_role), &by_name)
}

/// Whether somebody may see a room, and connect to it.
pub(super) fn gets_in(truth: &Value, user: &str, room: &str) -> bool {
    let needed = VIEW | CONNECT;
    channel(truth, room).is_some_and(|one| rights(truth, user, one) & needed == needed)
}

/// Whether somebody may see a room.
pub(super) fn sees(truth: &Value, user: &str, room: &str) -> bool {
    channel(truth, room).is_some_and(|one| rights(truth, user, one) & VIEW != 0)
}

/// A channel's overwrites.
pub(super) fn overwrites(channel: &Value) -> &[Value] {
    let all = channel["permissionOverwrites"].as_array();
    all.map_or(&[], Vec::as_slice)
}

/// How often something of this kind happened to something, by the audit log.
pub(super) fn times_logged(truth: &Value, action: u64, target: &str) -> usize {
    let entries = list(truth, "auditLog").iter();
    let such = entries.filter(|one| one["action_type"] == action && one["target_id"] == target);
    such.count()
}

/// Audit log entries of a channel's end.
pub(super) const CHANNEL_DELETE: u64 = 12;

/// What was said in a channel, oldest first.
pub(super) fn said<'a>(truth: &'a Value, room: &str) -> Vec<&'a str> {
    let messages = channel(truth, room).and_then(|one| one["messages"].as_array());
    let messages = messages.into_iter().flatten().rev();
    messages.filter_map(|one| one["content"].as_str()).collect()
}

pub(super) fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn bits(value: &Value) -> u64 {
    value
        .as_str()
        .and_then(|bits| bits.parse().ok())
        .unwrap_or(0)
}
