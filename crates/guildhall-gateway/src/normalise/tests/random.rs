//! Any dispatches in any order, damaged ones too: whatever is heard, what is said of it is lawful.

use std::collections::BTreeSet;

use guildhall_model::{ChannelId, Guild, MemberView, RoleId, guild::Membership};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};

use super::{
    Change, Event, GUILD, GuildDelta, GuildId, Harness, Normalised, Ready, UserId, World,
    discord::{
        ANN, BOB, OWNER, category, channel, guild, member, member_update, obfuscated, outage,
        overwrite, partial_voice_state, ready, role, user, voice_state, with, without,
    },
};

proptest! {
    #[test]
    fn whatever_is_heard_the_world_stays_lawful(
        dispatches in vec((dispatch(), option_of_damage()), 1..25),
    ) {
        let mut harness = Harness::empty();
        for ((kind, payload), damage) in dispatches {
            let payload = damage.into_iter().fold(payload, |payload, (at, how)| how.done(payload, at));
            let before = harness.world.clone();
            let events = said(harness.seen(kind, &payload));
            if let Err(law) = lawful(before, &events, &harness.world) {
                return Err(TestCaseError::fail(format!("{law}\n{kind} {payload}\n{events:#?}")));
            }
            let again = said(harness.seen(kind, &payload));
            prop_assert!(again.is_empty(), "said twice: {kind} {payload}\n{again:#?}");
        }
    }

    #[test]
    fn no_moment_of_a_difference_shows_what_neither_end_does(
        first in whole_guild(),
        second in whole_guild(),
    ) {
        let mut harness = Harness::empty();
        harness.hear("GUILD_CREATE", &first);
        for (user, roles) in [(ANN, vec![2, 3]), (BOB, vec![4]), (OWNER, vec![])] {
            let roles = roles.into_iter().map(RoleId).collect();
            let rights = Change::Rights {
                user_id: UserId(user),
                membership: Some(Membership::member(roles)),
            };
            harness.world.apply(&Event { guild_id: GUILD, ts: 0, synthetic: false, change: rights });
        }
        let mut world = harness.world.clone();
        let before = all_visible(&world);
        let events = harness.hear("GUILD_CREATE", &second).events;
        let after = all_visible(&harness.world);
        for event in &events {
            world.apply(event);
            for visible in all_visible(&world) {
                let at_an_end = before.contains(&visible) || after.contains(&visible);
                prop_assert!(at_an_end, "{visible:?} after {event:?} of {events:#?}");
            }
        }
    }

    #[test]
    fn any_text_is_answered(kind in 0..KINDS.len(), text in "\\PC{0,60}|\\{\"id\":[0-9\"a\\[]{1,5},\"guild_id\":[0-9\"]{1,5}\\}") {
        let harness = Harness::built();
        let _: Normalised = harness.read(KINDS[kind], &text);
        let _: Normalised = harness.read(&text, &text);
    }
}

const KINDS: [&str; 14] = [
    "CHANNEL_INFO",
    "VOICE_CHANNEL_STATUS_UPDATE",
    "READY",
    "VOICE_STATE_UPDATE",
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_DELETE",
    "GUILD_CREATE",
    "GUILD_UPDATE",
    "GUILD_DELETE",
    "GUILD_ROLE_UPDATE",
    "GUILD_ROLE_DELETE",
    "GUILD_MEMBER_UPDATE",
    "GUILD_MEMBER_REMOVE",
];

/// Who sees which room.
fn all_visible(world: &World) -> BTreeSet<(u64, ChannelId)> {
    let guild = &world.guilds[&GUILD];
    let users = [ANN, BOB, OWNER].into_iter();
    let rooms = |user| {
        let view = MemberView::of(GUILD, guild, UserId(user)).expect("a member");
        let seen = guild.rooms.keys().filter(move |room| view.sees(**room));
        seen.map(move |room| (user, *room))
    };
    users.flat_map(rooms).collect()
}

fn said(seen: Normalised) -> Vec<Event> {
    match seen {
        Normalised::Guild(GuildDelta { events, .. }) | Normalised::Ready(Ready { events, .. }) => {
            events
        }
        Normalised::MembersChunk(_)
        | Normalised::RateLimited(_)
        | Normalised::MembershipInvalidated { .. }
        | Normalised::Irrelevant
        | Normalised::Unreadable { .. } => Vec::new(),
    }
}

/// What every list of events of one dispatch keeps to.
fn lawful(mut world: World, events: &[Event], after: &World) -> Result<(), String> {
    let first = world.clone();
    for (index, event) in events.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &events[before]);
        if !fits(event, before, &world, &first) {
            return Err(format!(
                "event {index} does not fit the world it is said in"
            ));
        }
        let before = world.clone();
        world.apply(event);
        if world == before {
            return Err(format!("event {index} says nothing"));
        }
    }
    if world != *after {
        return Err("the events do not lead to the world".to_owned());
    }
    world.guilds.values().try_for_each(consistent)
}

/// Whether an event can be said of the world it is said in. `before`: the event before it; `first`:
/// the world before them all.
fn fits(event: &Event, before: Option<&Event>, world: &World, first: &World) -> bool {
    let guild = world.guilds.get(&event.guild_id);
    let room_of = |user: &UserId| Some(guild?.voice.get(user)?.channel_id);
    let room = |channel: &ChannelId| guild.and_then(|guild| guild.rooms.get(channel));
    match &event.change {
        Change::VoiceJoined(joined) => {
            let was = first.guilds.get(&event.guild_id);
            let moved = was.is_some_and(|was| was.voice.contains_key(&joined.user_id));
            let left = |before: &Event| matches!(before.change, Change::VoiceLeft { user_id, .. } if user_id == joined.user_id);
            let adjacent = before.is_some_and(left);
            room_of(&joined.user_id).is_none()
                && room(&joined.channel_id).is_some()
                && (adjacent || !moved)
        }
        Change::VoiceLeft {
            previous_channel_id,
            user_id,
        } => room_of(user_id) == Some(*previous_channel_id),
        Change::VoiceUpdated(now) => room_of(&now.user_id) == Some(now.channel_id),
        Change::VoicePending(now) => guild.is_some() && room_of(&now.user_id).is_none(),
        Change::VoicePendingRemoved { user_id } => {
            guild.is_some_and(|guild| guild.pending_voice.contains_key(user_id))
        }
        Change::RoomCreated(now) => guild.is_some() && room(&now.info.channel_id).is_none(),
        Change::RoomDeleted { channel_id } => {
            room(channel_id).is_some()
                && guild.is_some_and(|guild| guild.occupants(*channel_id).next().is_none())
        }
        Change::GuildAvailable(Some(_)) => guild.is_none(),
        Change::GuildAvailable(None) => guild.is_some_and(|guild| !guild.available),
        Change::Gap { .. } | Change::Unknown | Change::Rights { .. } | Change::RightsReset => false,
        _ => guild.is_some(),
    }
}

/// What is so of every guild behind a dispatch.
fn consistent(guild: &Guild) -> Result<(), String> {
    if guild
        .voice
        .iter()
        .any(|(_, there)| !guild.rooms.contains_key(&there.channel_id))
    {
        return Err("somebody is in a room that is not there".to_owned());
    }
    let waiting = guild.pending_voice.values();
    if waiting
        .clone()
        .any(|there| guild.voice.contains_key(&there.user_id))
    {
        return Err("somebody is in a room and waits for one".to_owned());
    }
    if waiting
        .clone()
        .any(|there| guild.rooms.contains_key(&there.channel_id))
    {
        return Err("somebody waits for a room that is there".to_owned());
    }
    let named = |parent| Some(&guild.categories.get(&parent)?.name);
    let infos = guild.rooms.values().map(|room| &room.info);
    if infos
        .clone()
        .any(|info| info.parent_id.and_then(named) != info.parent_name.as_ref())
    {
        return Err("a room is in a category of another name".to_owned());
    }
    Ok(())
}

fn dispatch() -> impl Strategy<Value = (&'static str, Value)> {
    let sent = |kind| move |payload| (kind, payload);
    prop_oneof![
        2 => whole_guild().prop_map(sent("GUILD_CREATE")),
        1 => Just(("GUILD_CREATE", outage())),
        1 => Just(("GUILD_DELETE", outage())),
        1 => Just(("GUILD_DELETE", json!({ "id": "1" }))),
        1 => "[a-b]{1}".prop_map(|name| ("GUILD_UPDATE", with(guild(), "name", name))),
        1 => vec(1..=2_u64, 0..2).prop_map(|guilds| ("READY", ready(&guilds))),
        6 => state().prop_map(sent("VOICE_STATE_UPDATE")),
        2 => any_channel().prop_map(sent("CHANNEL_CREATE")),
        4 => any_channel().prop_map(sent("CHANNEL_UPDATE")),
        2 => any_channel().prop_map(sent("CHANNEL_DELETE")),
        1 => any_role().prop_map(|role| {
            ("GUILD_ROLE_UPDATE", json!({ "guild_id": "1", "role": role }))
        }),
        1 => (1..=4_u64).prop_map(|id| {
            ("GUILD_ROLE_DELETE", json!({ "guild_id": "1", "role_id": id.to_string() }))
        }),
        2 => (user_id(), "[a-b]{0,1}").prop_map(|(id, nick)| {
            ("GUILD_MEMBER_UPDATE", with(member_update(id), "nick", nick))
        }),
        2 => vec(status(), 0..4).prop_map(|channels| {
            ("CHANNEL_INFO", json!({ "guild_id": "1", "channels": channels }))
        }),
        2 => status().prop_map(|status| {
            ("VOICE_CHANNEL_STATUS_UPDATE", with(status, "guild_id", "1"))
        }),
        1 => user_id().prop_map(|id| {
            ("GUILD_MEMBER_REMOVE", json!({ "guild_id": "1", "user": user(id) }))
        }),
    ]
}

fn status() -> impl Strategy<Value = Value> {
    let line = prop::option::weighted(0.7, "[a-b]{0,1}");
    (400..406_u64, line).prop_map(|(id, line)| json!({ "id": id.to_string(), "status": line }))
}

fn whole_guild() -> impl Strategy<Value = Value> {
    let lists = (
        vec(any_channel(), 0..4),
        vec((user_id(), 400..406_u64), 0..3),
        (prop::option::weighted(0.9, view()), vec(any_role(), 0..3)),
        vec(user_id(), 0..3),
    );
    (lists, prop::sample::select(vec![7_u64, 8])).prop_map(
        |((channels, states, (everyone, mut roles), members), owner)| {
            roles.extend(everyone.map(|may| role(1, &may.to_string())));
            let states = states
                .into_iter()
                .map(|(user, channel)| partial_voice_state(user, channel));
            let guild = with(guild(), "owner_id", owner.to_string());
            let guild = with(guild, "channels", channels);
            let guild = with(guild, "voice_states", states.collect::<Vec<_>>());
            let guild = with(
                guild,
                "members",
                members.into_iter().map(member).collect::<Vec<_>>(),
            );
            with(guild, "roles", roles)
        },
    )
}

fn user_id() -> impl Strategy<Value = u64> {
    prop::sample::select(vec![ANN, BOB, OWNER])
}

fn state() -> impl Strategy<Value = Value> {
    let channel = prop::option::weighted(0.8, 400..406_u64);
    (user_id(), channel, any::<bool>(), any::<bool>()).prop_map(
        |(user, channel, mute, anonymous)| {
            let state = with(voice_state(user, channel), "mute", mute);
            if anonymous {
                without(state, "member")
            } else {
                state
            }
        },
    )
}

/// Rooms, categories and others under one another's numbers.
fn any_channel() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec![2_u64, 2, 2, 13, 4, 4, 0]);
    let parent = prop::option::of(400..406_u64);
    (
        400..406_u64,
        kind,
        parent,
        "[a-b]{1}",
        view(),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(id, kind, parent, name, deny, hidden)| {
            let base = if kind == 4 {
                category(id, &name)
            } else {
                channel(id, &name)
            };
            let parent = parent.map(|id| id.to_string());
            let [allow, deny] = [deny, 1024 - deny].map(|bits| bits.to_string());
            let overwrites = json!([overwrite(0, 1, "0", &deny), overwrite(0, 3, &allow, "0")]);
            let channel = with(with(base, "type", kind), "parent_id", parent);
            let channel = with(channel, "permission_overwrites", overwrites);
            if hidden { obfuscated(channel) } else { channel }
        })
}

fn any_role() -> impl Strategy<Value = Value> {
    (1..=4_u64, view()).prop_map(|(id, permissions)| role(id, &permissions.to_string()))
}

/// VIEW_CHANNEL or nothing.
fn view() -> impl Strategy<Value = u64> {
    prop::sample::select(vec![0_u64, 1024])
}

/// One thing wrong with a payload.
#[derive(Clone, Debug)]
enum Damage {
    Removed,
    Replaced(Value),
}

fn option_of_damage() -> impl Strategy<Value = Option<(Index, Damage)>> {
    let odd = prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(401),
        json!("401"),
        json!("odd"),
        json!([]),
        json!({}),
        json!([null]),
        json!(1.5),
    ]);
    let damage = prop_oneof![Just(Damage::Removed), odd.prop_map(Damage::Replaced)];
    prop::option::weighted(0.3, (any::<Index>(), damage))
}

impl Damage {
    fn done(self, mut payload: Value, at: Index) -> Value {
        let mut places = Vec::new();
        pointers(&payload, String::new(), &mut places);
        let place = at.get(&places).clone();
        match self {
            Self::Replaced(odd) => {
                if let Some(value) = payload.pointer_mut(&place) {
                    *value = odd;
                }
            }
            Self::Removed => {
                let (holder, field) = place.rsplit_once('/').unwrap_or_default();
                if let Some(Value::Object(fields)) = payload.pointer_mut(holder) {
                    fields.remove(field);
                }
            }
        }
        payload
    }
}

fn pointers(value: &Value, here: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                pointers(value, format!("{here}/{name}"), places);
            }
        }
        Value::Array(entries) => {
            for (index, value) in entries.iter().enumerate() {
                pointers(value, format!("{here}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(here);
}

#[test]
fn the_laws_are_laws() {
    let mut harness = Harness::built();
    let join = said(harness.seen("VOICE_STATE_UPDATE", &voice_state(ANN, Some(401))));
    let before = Harness::built().world;
    assert_eq!(lawful(before.clone(), &join, &harness.world), Ok(()));
    assert!(
        lawful(harness.world.clone(), &join, &harness.world).is_err(),
        "joined twice"
    );
    assert!(
        lawful(before.clone(), &join, &before).is_err(),
        "led elsewhere"
    );
    let gone = Event {
        change: Change::RoomDeleted {
            channel_id: ChannelId(401),
        },
        ..join[0].clone()
    };
    assert!(
        lawful(harness.world.clone(), &[gone], &before).is_err(),
        "went with people in it"
    );
    let elsewhere = Event {
        guild_id: GuildId(77),
        ..join[0].clone()
    };
    assert!(
        lawful(before.clone(), &[elsewhere], &before).is_err(),
        "in no guild"
    );
}
