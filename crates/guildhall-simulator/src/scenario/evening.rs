//! A lively evening: people drift between rooms, mute, stream, talk and leave.

use crate::{
    snowflake::{SeededRng, Snowflake},
    world::{
        Changed, Channel, ChannelKind, Edit, Guild, NewMessage, Permissions, Presence, Status,
        VoiceEdit, VoiceState, World,
    },
};

/// What people say of an evening.
const SAYINGS: [&str; 12] = [
    "anyone up for a round?",
    "back in five",
    "Table Two has room",
    "that was a natural 20, I swear",
    "who is streaming?",
    "the map is on the shelf",
    "tea is ready",
    "one more, then I sleep",
    "can you hear me now?",
    "good evening all",
    "I brought dice",
    "see you upstairs",
];

/// One turn of one person.
pub(super) fn turn(world: &mut World, rng: &mut SeededRng, unix_seconds: u64) -> Changed<()> {
    let visitor = world
        .guilds
        .iter()
        .next()
        .and_then(|guild| guild.members.iter().next())
        .map(|member| member.user_id);
    let guilds: Vec<_> = world
        .bot_guilds()
        .filter(|guild| guild.available)
        .map(|guild| guild.id)
        .collect();
    // Most of it happens where the visitor looks first.
    let place = match rng.next_u64() % 10 {
        0..=5 => 0,
        _ => pick(rng, guilds.len()),
    };
    let Some(guild) = guilds.get(place).and_then(|id| world.guilds.get(*id)) else {
        return Ok(((), Vec::new()));
    };
    let people: Vec<_> = guild
        .members
        .iter()
        .map(|member| member.user_id)
        .filter(|id| Some(*id) != visitor && Some(*id) != guild.load_user_id)
        .filter(|id| world.users.get(*id).is_some_and(|user| !user.bot))
        .collect();
    let Some(user_id) = people.get(pick(rng, people.len())).copied() else {
        return Ok(((), Vec::new()));
    };
    let guild_id = guild.id;
    if rng.next_u64().is_multiple_of(12) {
        let now = [Status::Online, Status::Idle, Status::Dnd, Status::Offline];
        let status = now[pick(rng, now.len())];
        let activities = Vec::new();
        return world.set_presence(user_id, Presence { status, activities });
    }
    if rng.next_u64().is_multiple_of(8) {
        return talk(world, rng, guild_id, user_id, unix_seconds);
    }
    let crowded = guild.voice_states.len() * 3 > people.len() * 2;
    let edit = match guild.voice_states.get(user_id) {
        None => join(guild, rng, user_id),
        Some(state) => stay_or_go(guild, rng, state, crowded),
    };
    match edit {
        Some(edit) => world.set_voice(guild_id, user_id, edit),
        None => Ok(((), Vec::new())),
    }
}

/// Into a room: rather one with company.
fn join(guild: &Guild, rng: &mut SeededRng, user_id: Snowflake) -> Option<VoiceEdit> {
    let rooms: Vec<_> = rooms(guild, user_id).collect();
    let company: Vec<_> = rooms
        .iter()
        .copied()
        .filter(|room| inside(guild, room.id) > 0)
        .collect();
    let chosen = if company.is_empty() || rng.next_u64().is_multiple_of(3) {
        rooms
    } else {
        company
    };
    let room = chosen.get(pick(rng, chosen.len()))?;
    Some(VoiceEdit {
        channel_id: Edit::Set(room.id),
        self_mute: Some(rng.next_u64().is_multiple_of(3)),
        ..VoiceEdit::default()
    })
}

fn stay_or_go(
    guild: &Guild,
    rng: &mut SeededRng,
    state: &VoiceState,
    crowded: bool,
) -> Option<VoiceEdit> {
    let mut edit = VoiceEdit::default();
    let leaves = if crowded { 40 } else { 18 };
    match rng.next_u64() % 100 {
        share if share < leaves => edit.channel_id = Edit::Clear,
        share if share < leaves + 25 => {
            let mut moved = join(guild, rng, state.user_id)?;
            moved.self_mute = None;
            edit = moved;
        }
        share if share < leaves + 45 => edit.self_mute = Some(!state.self_mute),
        share if share < leaves + 50 => edit.self_deaf = Some(!state.self_deaf),
        share if share < leaves + 55 => edit.self_stream = Some(!state.self_stream),
        _ => edit.self_video = Some(!state.self_video),
    }
    Some(edit)
}

/// Types, or says something, where everybody may.
fn talk(
    world: &mut World,
    rng: &mut SeededRng,
    guild_id: Snowflake,
    user_id: Snowflake,
    unix_seconds: u64,
) -> Changed<()> {
    let rights = Permissions::VIEW_CHANNEL.union(Permissions::SEND_MESSAGES);
    let channels: Vec<_> = world
        .guilds
        .get(guild_id)
        .into_iter()
        .flat_map(|guild| {
            guild.channels.iter().filter(move |channel| {
                channel.kind == ChannelKind::Text
                    && guild.permissions_in(user_id, channel).has(rights)
            })
        })
        .map(|channel| channel.id)
        .collect();
    let Some(channel_id) = channels.get(pick(rng, channels.len())).copied() else {
        return Ok(((), Vec::new()));
    };
    if rng.next_u64().is_multiple_of(2) {
        return world.type_in(channel_id, user_id, unix_seconds);
    }
    let content = SAYINGS[pick(rng, SAYINGS.len())].to_owned();
    let new = NewMessage::said(user_id, content);
    let (_, events) = world.create_message(channel_id, new)?;
    Ok(((), events))
}

/// Rooms that somebody sees, may connect to, and that are not full.
fn rooms(guild: &Guild, user_id: Snowflake) -> impl Iterator<Item = &Channel> {
    let rights = Permissions::VIEW_CHANNEL.union(Permissions::CONNECT);
    guild.channels.iter().filter(move |channel| {
        let limit = usize::try_from(channel.user_limit).unwrap_or(usize::MAX);
        channel.kind == ChannelKind::Voice
            && guild.permissions_in(user_id, channel).has(rights)
            && (limit == 0 || inside(guild, channel.id) < limit)
    })
}

fn inside(guild: &Guild, channel_id: Snowflake) -> usize {
    guild
        .voice_states
        .iter()
        .filter(|state| state.channel_id == channel_id)
        .count()
}

fn pick(rng: &mut SeededRng, count: usize) -> usize {
    let count = u64::try_from(count.max(1)).unwrap_or(1);
    usize::try_from(rng.next_u64() % count).unwrap_or(0)
}
