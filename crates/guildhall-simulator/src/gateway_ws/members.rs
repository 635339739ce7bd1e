//! Members, a thousand at a time: op 8.
//!
//! Each chunk is made in a critical section of its own, so that nobody waits for
//! a long list. What changes in between is told as it happens, as always.

use serde::Serialize;
use serde_json::{Value, json};
use tokio::{task::yield_now, time::Instant};

use crate::{
    sessions::{GuildMembersRequest, WantedMembers},
    snowflake::Snowflake,
    state::{Core, Discord},
    world::{Guild, Intents, Member, MemberObject, User, World, event_text, presence},
};

/// Members in one GUILD_MEMBERS_CHUNK.
const CHUNK: usize = 1000;

/// Answers a session: chunks, RATE_LIMITED, or nothing.
pub(super) async fn answer(
    discord: &Discord,
    session_id: &str,
    request: GuildMembersRequest,
    now: Instant,
) {
    let begun = discord.with(|core| ChunkedAnswer::begin(core, session_id, request, now));
    let Some(mut answer) = begun else {
        return;
    };
    while discord.with(|core| answer.tell_next(core, session_id)) {
        yield_now().await;
    }
}

/// A request that is being answered.
struct ChunkedAnswer {
    guild_id: Snowflake,
    found: Vec<Snowflake>,
    not_found: Vec<Value>,
    presences: bool,
    nonce: Option<String>,
    told: usize,
}

#[derive(Serialize)]
struct Chunk<'a> {
    guild_id: Snowflake,
    members: Vec<MemberObject<'a>>,
    #[serde(rename = "chunk_index")]
    index: usize,
    #[serde(rename = "chunk_count")]
    count: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    not_found: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    presences: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl ChunkedAnswer {
    /// Nothing is answered for a guild that the session does not hear of, nor for its
    /// list without GUILD_MEMBERS or too soon after the last one.
    fn begin(
        core: &mut Core,
        session_id: &str,
        request: GuildMembersRequest,
        now: Instant,
    ) -> Option<Self> {
        let (world, sessions) = (&core.world, &mut core.sessions);
        if !sessions.receives(world, session_id, request.guild_id) {
            return None;
        }
        let intents = sessions.intents_of(session_id)?;
        let guild = world.bot_guild(request.guild_id)?;
        if let WantedMembers::List(_) = request.wanted {
            if !intents.has(Intents::GUILD_MEMBERS) {
                return None;
            }
            if let Some(wait) = sessions.member_list_wait(request.guild_id, now) {
                let mut meta = json!({"guild_id": request.guild_id});
                if let Some(nonce) = &request.nonce {
                    meta["nonce"] = json!(nonce);
                }
                let data = json!({"opcode": 8, "retry_after": wait.as_secs_f64(), "meta": meta});
                sessions.push_to(session_id, "RATE_LIMITED", event_text(&data));
                return None;
            }
            sessions.member_list_asked(request.guild_id, now);
        }
        let (found, not_found) = find(world, guild, request.wanted);
        Some(Self {
            guild_id: request.guild_id,
            found,
            not_found,
            presences: request.presences && intents.has(Intents::GUILD_PRESENCES),
            nonce: request.nonce,
            told: 0,
        })
    }

    /// Tells the next chunk; whether there are more. A request that finds nobody is
    /// answered too.
    fn tell_next(&mut self, core: &mut Core, session_id: &str) -> bool {
        let count = self.found.len().div_ceil(CHUNK).max(1);
        let Some(guild) = core.world.bot_guild(self.guild_id) else {
            return false;
        };
        let users = &core.world.users;
        let members: Vec<&Member> = self
            .found
            .iter()
            .skip(self.told * CHUNK)
            .take(CHUNK)
            .filter_map(|id| guild.members.get(*id))
            .collect();
        let presences = self.presences.then(|| {
            members
                .iter()
                .filter_map(|member| users.get(member.user_id))
                .filter(|user| !user.presence.is_offline())
                .map(presence)
                .collect()
        });
        let chunk = Chunk {
            guild_id: self.guild_id,
            members: members
                .iter()
                .filter_map(|member| Some(MemberObject::new(member, users.get(member.user_id)?)))
                .collect(),
            index: self.told,
            count,
            not_found: &self.not_found,
            presences,
            nonce: self.nonce.as_deref(),
        };
        let text = event_text(&chunk);
        core.sessions
            .push_to(session_id, "GUILD_MEMBERS_CHUNK", text);
        self.told += 1;
        self.told < count
    }
}

/// Who is meant, and which ids are nobody's.
fn find(world: &World, guild: &Guild, wanted: WantedMembers) -> (Vec<Snowflake>, Vec<Value>) {
    let everybody = guild.members.iter();
    let mut not_found = Vec::new();
    let found = match wanted {
        WantedMembers::List(limit) => everybody
            .map(|member| member.user_id)
            .filter(|user_id| world.users.contains(*user_id))
            .take(limit.unwrap_or(usize::MAX))
            .collect(),
        WantedMembers::Prefix(prefix, limit) => {
            let prefix = prefix.to_lowercase();
            everybody
                .filter(|member| {
                    let user = world.users.get(member.user_id);
                    user.is_some_and(|user| is_called(member, user, &prefix))
                })
                .map(|member| member.user_id)
                .take(limit)
                .collect()
        }
        WantedMembers::Ids(ids) => {
            let mut found = Vec::new();
            for id in ids {
                let known = serde_json::from_value(id.clone())
                    .ok()
                    .filter(|user_id| guild.members.contains(*user_id));
                match known {
                    Some(user_id) => found.push(user_id),
                    None => not_found.push(id),
                }
            }
            found
        }
    };
    (found, not_found)
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
