//! What a session is answered: member chunks, channel info, sounds, and where
//! the bot's own voice goes.
//!
//! A question about a guild that the bot is not in, or that is another shard's,
//! gets no answer, and neither does the whole member list without GUILD_MEMBERS.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    ask::{Ask, ChannelField, ChannelInfoAsk, MembersAsk, VoiceAsk, Wanted},
    sessions::Sessions,
};
use crate::{
    discord::Discord,
    snowflake::Snowflake,
    world::{
        Edit, Guild, Intents, Member, MemberObject, Permissions, User, VoiceEdit, World,
        event_text, presence,
    },
};

/// Members in one GUILD_MEMBERS_CHUNK.
const CHUNK: usize = 1000;

/// Answers a session of this simulator.
pub(super) fn answer(discord: &Discord, session_id: &str, ask: Ask, now: Instant) {
    match ask {
        Ask::Presence => {}
        Ask::Voice(voice) => set_own_voice(discord, session_id, voice, now),
        Ask::Members(ask) => discord.with(|core| {
            core.sessions
                .answer_members(&core.world, session_id, &ask, now);
        }),
        Ask::Sounds(guild_ids) => discord.with(|core| {
            for guild_id in guild_ids {
                if core.sessions.hears(&core.world, session_id, guild_id) {
                    let data = json!({"guild_id": guild_id, "soundboard_sounds": []});
                    core.sessions.tell(session_id, "SOUNDBOARD_SOUNDS", &data);
                }
            }
        }),
        Ask::ChannelInfo(ask) => discord.with(|core| {
            if !core.sessions.hears(&core.world, session_id, ask.guild_id) {
                return;
            }
            if let Some(guild) = core.world.bot_guild(ask.guild_id) {
                let data = channel_info(guild, core.world.bot_id(), &ask);
                core.sessions.tell(session_id, "CHANNEL_INFO", &data);
            }
        }),
    }
}

/// Joins, moves or leaves. Where the bot may not connect nothing happens.
fn set_own_voice(discord: &Discord, session_id: &str, ask: VoiceAsk, now: Instant) {
    let moved = discord.change(now, |world| {
        let bot = world.bot_id();
        let guild = world
            .bot_guild(ask.guild_id)
            .filter(|guild| guild.available);
        let before = guild.and_then(|guild| Some(guild.voice_states.get(bot)?.channel_id));
        let allowed = guild.is_some_and(|guild| {
            ask.channel_id
                .is_none_or(|id| Some(id) == before || may_connect(guild, id, bot))
        });
        if !allowed || (before.is_none() && ask.channel_id.is_none()) {
            return Ok((false, Vec::new()));
        }
        let edit = VoiceEdit {
            channel_id: Edit::from(ask.channel_id),
            self_mute: Some(ask.self_mute),
            self_deaf: Some(ask.self_deaf),
            ..VoiceEdit::default()
        };
        let ((), events) = world.set_voice(ask.guild_id, bot, edit)?;
        Ok((ask.channel_id.is_some() && before != ask.channel_id, events))
    });
    // There is no voice server here: a null endpoint is how Discord says that none is
    // allocated yet.
    if let Ok(true) = moved {
        discord.with(|core| {
            let token = core.world.chance().hex();
            let data = json!({"token": token, "guild_id": ask.guild_id, "endpoint": null});
            core.sessions.tell(session_id, "VOICE_SERVER_UPDATE", &data);
        });
    }
}

fn may_connect(guild: &Guild, channel_id: Snowflake, bot: Snowflake) -> bool {
    let Some(channel) = guild.channels.get(channel_id) else {
        return false;
    };
    let permissions = guild.permissions_in(bot, channel);
    let inside = guild
        .voice_states
        .iter()
        .filter(|state| state.channel_id == channel_id)
        .count();
    let limit = usize::try_from(channel.user_limit).unwrap_or(usize::MAX);
    let room = limit == 0 || inside < limit || permissions.has(Permissions::MOVE_MEMBERS);
    channel.kind.is_voice()
        && room
        && permissions.has(Permissions::VIEW_CHANNEL.and(Permissions::CONNECT))
}

/// The voice channels that the bot may view and that have something to say.
fn channel_info(guild: &Guild, bot: Snowflake, ask: &ChannelInfoAsk) -> Value {
    let told: Vec<_> = guild
        .channels
        .iter()
        .filter(|channel| channel.kind.is_voice() && guild.shows(channel, bot))
        .filter_map(|channel| {
            let asked = |field| ask.fields.contains(&field);
            let status = channel.voice_status.as_ref();
            let status = status.filter(|_| asked(ChannelField::Status));
            let started = channel.voice_started;
            let started = started.filter(|_| asked(ChannelField::VoiceStartTime));
            let mut told = json!({"id": channel.id});
            if let Some(status) = status {
                told["status"] = json!(status);
            }
            if let Some(started) = started {
                told["voice_start_time"] = json!(started);
            }
            (status.is_some() || started.is_some()).then_some(told)
        })
        .collect();
    json!({"guild_id": guild.id, "channels": told})
}

impl Sessions {
    fn answer_members(&mut self, world: &World, session_id: &str, ask: &MembersAsk, now: Instant) {
        if !self.hears(world, session_id, ask.guild_id) {
            return;
        }
        let Some(intents) = self.intents_of(session_id) else {
            return;
        };
        let Some(guild) = world.bot_guild(ask.guild_id) else {
            return;
        };
        if let Wanted::List(limit) = ask.wanted {
            if !intents.has(Intents::GUILD_MEMBERS) {
                return;
            }
            let wait = self.member_list_wait(ask.guild_id, now);
            if let (None, Some(wait)) = (limit, wait) {
                let mut meta = json!({"guild_id": ask.guild_id});
                if let Some(nonce) = &ask.nonce {
                    meta["nonce"] = json!(nonce);
                }
                let data = json!({"opcode": 8, "retry_after": wait.as_secs_f64(), "meta": meta});
                self.tell(session_id, "RATE_LIMITED", &data);
                return;
            }
            if limit.is_none() {
                self.member_list_asked(ask.guild_id, now);
            }
        }
        let with_presences = ask.presences && intents.has(Intents::GUILD_PRESENCES);
        for chunk in chunks(world, guild, ask, with_presences) {
            self.tell(session_id, "GUILD_MEMBERS_CHUNK", &chunk);
        }
    }
}

fn chunks(world: &World, guild: &Guild, ask: &MembersAsk, with_presences: bool) -> Vec<Value> {
    let known = |member: &&Member| world.users.contains(member.user_id);
    let mut not_found = Vec::new();
    let found: Vec<&Member> = match &ask.wanted {
        Wanted::List(limit) => guild
            .members
            .iter()
            .filter(known)
            .take(limit.unwrap_or(usize::MAX))
            .collect(),
        Wanted::Prefix(prefix, limit) => {
            let prefix = prefix.to_lowercase();
            let begins = |member: &&Member| {
                let user = world.users.get(member.user_id);
                user.is_some_and(|user| is_called(member, user, &prefix))
            };
            guild.members.iter().filter(begins).take(*limit).collect()
        }
        Wanted::Ids(ids) => ids
            .iter()
            .filter_map(|id| {
                let member = serde_json::from_value(id.clone())
                    .ok()
                    .and_then(|id: Snowflake| guild.members.get(id));
                if member.is_none() {
                    not_found.push(id);
                }
                member
            })
            .collect(),
    };
    // A request that finds nobody is answered too.
    let parts: Vec<&[&Member]> = if found.is_empty() {
        vec![&[]]
    } else {
        found.chunks(CHUNK).collect()
    };
    let count = parts.len();
    parts
        .into_iter()
        .enumerate()
        .map(|(index, members)| {
            let objects: Vec<_> = members
                .iter()
                .filter_map(|member| {
                    Some(MemberObject::new(member, world.users.get(member.user_id)?))
                })
                .collect();
            let mut data = json!({
                "guild_id": guild.id,
                "members": objects,
                "chunk_index": index,
                "chunk_count": count,
            });
            if !not_found.is_empty() {
                data["not_found"] = json!(not_found);
            }
            if with_presences {
                data["presences"] = members
                    .iter()
                    .filter_map(|member| world.users.get(member.user_id))
                    .filter(|user| !user.presence.is_offline())
                    .map(presence)
                    .collect();
            }
            if let Some(nonce) = &ask.nonce {
                data["nonce"] = json!(nonce);
            }
            data
        })
        .collect()
}

fn is_called(member: &Member, user: &User, prefix: &str) -> bool {
    [
        Some(user.username.as_str()),
        user.global_name.as_deref(),
        member.nick.as_deref(),
    ]
    .into_iter()
    .flatten()
    .any(|name| name.to_lowercase().starts_with(prefix))
}

impl Sessions {
    /// Tells one session something that concerns no other.
    fn tell(&mut self, session_id: &str, name: &'static str, data: &Value) {
        if let Some(session) = self.get_mut(session_id) {
            session.push(name, event_text(data));
        }
    }
}
