//! Hop 2, Discord's words to ours: which events a dispatch makes in the world as it is.
//!
//! Pure: no IO, no clock, no state of its own. Dispatches arrive none, one or several times and in
//! any order, so everything here compares with the world and says only what differs: the same
//! dispatch twice says nothing the second time. The JSON is read by small structs of the fields we
//! keep, leniently: a field that Discord makes nullable, or one odd member in a list, must not
//! lose an event. What could not be read is said with what could ([`Oddities`]).

/// The lenient pieces that the shapes are read with.
mod lenient;
/// The addresses of avatars.
mod cdn;
/// Where in a guild somebody is, and what changes between two such locations.
mod occupancy;
/// Members and users: names, avatars, roles.
mod member;
/// Voice states: who is in a room, or in a channel that is none yet.
mod voice;
/// How many voice states may wait for their room.
mod pending;
/// Rooms and categories.
mod channel;
/// The lines of text below rooms' names.
mod status;
/// Permissions of roles.
mod role;
/// Guilds coming, changing and going.
mod guild;
/// Answers to Request Guild Members.
mod chunk;
/// Bans and audit log entries: about a member, without a member object.
mod moderation;
/// The difference between two snapshots of one guild, as changes.
mod difference;

use std::collections::BTreeSet;

use guildhall_model::{Change, Event, Guild, GuildId, UnixMs, UserId, World, guild::Membership};
use serde::{Deserialize, de};

use lenient::Field;

pub(crate) use cdn::Cdn;
pub(crate) use chunk::{MembersChunk, RateLimited};
pub(crate) use lenient::Oddities;

/// What a dispatch is read against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The world before the dispatch.
    pub(crate) world: &'a World,
    /// When the dispatch was received.
    pub(crate) now: UnixMs,
    /// Makes addresses of avatars.
    pub(crate) cdn: &'a Cdn,
    /// The guilds that are bridged; `None`: all. Of others nothing is seen.
    pub(crate) bridged: Option<&'a BTreeSet<GuildId>>,
}

/// What a dispatch said.
#[derive(Debug)]
pub(crate) enum Normalised {
    /// It was about a bridged guild, possibly with nothing new.
    Guild(GuildDelta),
    /// READY: a session began.
    Ready(Ready),
    /// A part of an answer to a request of ours.
    MembersChunk(MembersChunk),
    /// A request of ours has no answer.
    RateLimited(RateLimited),
    /// A member may be something else now; what, it does not say.
    MembershipInvalidated {
        /// Where.
        guild_id: GuildId,
        /// Who.
        user_id: UserId,
    },
    /// Not of a kind, or not of a guild, that we follow.
    Irrelevant,
    /// Of a kind we follow, and not to be understood. The world stays as it was.
    Unreadable {
        /// The guild, if at least that could be read.
        guild_id: Option<GuildId>,
        /// Why.
        reason: serde_json::Error,
    },
}

/// What a dispatch said about one guild.
#[derive(Debug, PartialEq)]
pub(crate) struct GuildDelta {
    /// The guild.
    pub(crate) guild_id: GuildId,
    /// What changed, in order. To be appended together: a dispatch is never split.
    pub(crate) events: Vec<Event>,
    /// The members whose roles could be read off the dispatch, in its order. What is done with
    /// them is up to who watches: they are not in `events`.
    pub(crate) members: Vec<MemberSeen>,
    /// Members of whom it said what they are, unreadably.
    pub(crate) unreadable_members: Vec<UserId>,
    /// What of it could not be read.
    pub(crate) oddities: Oddities,
    /// So many users no longer wait for their room, since too many do.
    pub(crate) pending_dropped: usize,
    /// Whether the guild as a whole came or went, changes or none.
    pub(crate) transition: Option<GuildTransition>,
}

/// What a user is in a guild, as Discord just said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberSeen {
    /// Who.
    pub(crate) user_id: UserId,
    /// As what.
    pub(crate) membership: Membership,
}

/// What happened to a guild as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GuildTransition {
    /// It is there, with everything in it.
    Came,
    /// It is there, and something in it could not be read: that is as it was known.
    CameInPart,
    /// It is in an outage.
    Unavailable,
    /// The bot is no longer in it.
    Gone,
}

/// What READY said.
#[derive(Debug, PartialEq)]
pub(crate) struct Ready {
    /// The bot's own user.
    pub(crate) bot: UserId,
    /// The bridged guilds that the bot is in. Each will come by GUILD_CREATE or be said to be in
    /// an outage.
    pub(crate) guilds: BTreeSet<GuildId>,
    /// Known guilds that the bot is no longer in: a `guild.removed` each.
    pub(crate) events: Vec<Event>,
    /// Discord's name of the session; `None`: it can't be resumed.
    pub(crate) session_id: Option<String>,
    /// Where to resume it.
    pub(crate) resume_url: Option<String>,
}

/// Discord gives no shard more than 2,500 guilds; a longer list than this is none.
const GUILDS_PER_SHARD: usize = 10_000;

/// Of a session's name, and of the address to resume it at: they have about 40.
const SESSION_BYTES: usize = 512;

/// The answer to a question for the status of a guild's voice channels.
pub(crate) const CHANNEL_INFO: &str = "CHANNEL_INFO";

/// Reads one dispatch: `kind` is its `t`, `data` the JSON text of its `d`. Total: any text is
/// answered.
pub(crate) fn dispatch(kind: &str, data: &str, context: &Context<'_>) -> Normalised {
    let read = match kind {
        "READY" => return ready(data, context),
        // Whatever it was, something of its guild was missed.
        "" => return unreadable(kind, data, missing("t")),
        "GUILD_MEMBERS_CHUNK" => {
            return match chunk::part(data) {
                Ok(chunk) => chunk.map_or(Normalised::Irrelevant, Normalised::MembersChunk),
                Err(reason) => unreadable(kind, data, reason),
            };
        }
        "RATE_LIMITED" => {
            return chunk::rate_limited(data)
                .map_or(Normalised::Irrelevant, Normalised::RateLimited);
        }
        "GUILD_BAN_ADD" | "GUILD_BAN_REMOVE" => return moderation::ban(data),
        "GUILD_AUDIT_LOG_ENTRY_CREATE" => return moderation::audit_entry(data),
        "VOICE_STATE_UPDATE" => voice::state_updated(data, context),
        "CHANNEL_CREATE" | "CHANNEL_UPDATE" => channel::created_or_updated(data, context),
        "CHANNEL_DELETE" => channel::deleted(data, context),
        CHANNEL_INFO => status::channel_info(data, context),
        "VOICE_CHANNEL_STATUS_UPDATE" => status::updated(data, context),
        "GUILD_CREATE" => guild::created(data, context),
        "GUILD_UPDATE" => guild::updated(data, context),
        "GUILD_DELETE" => guild::deleted(data, context),
        "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => role::set(data, context),
        "GUILD_ROLE_DELETE" => role::deleted(data, context),
        "GUILD_MEMBER_ADD" | "GUILD_MEMBER_UPDATE" => member::added_or_updated(data, context),
        "GUILD_MEMBER_REMOVE" => member::removed(data, context),
        _ => return Normalised::Irrelevant,
    };
    match read {
        Ok(Some(delta)) if context.is_bridged(delta.guild_id) => Normalised::Guild(delta),
        Ok(_) => Normalised::Irrelevant,
        Err(reason) => match unreadable(kind, data, reason) {
            Normalised::Unreadable {
                guild_id: Some(guild_id),
                ..
            } if !context.is_bridged(guild_id) => Normalised::Irrelevant,
            unreadable => unreadable,
        },
    }
}

/// What each family answers: `None` if the dispatch is of no guild that we know.
type Read = Result<Option<GuildDelta>, serde_json::Error>;

impl<'a> Context<'a> {
    fn is_bridged(&self, guild_id: GuildId) -> bool {
        self.bridged.is_none_or(|guilds| guilds.contains(&guild_id))
    }

    fn guild(&self, guild_id: GuildId) -> Option<&'a Guild> {
        self.world.guilds.get(&guild_id)
    }

    /// What a dispatch changes in a guild.
    fn delta(&self, guild_id: GuildId, changes: Vec<Change>) -> GuildDelta {
        let (changes, pending_dropped) = pending::bounded(self.guild(guild_id), changes);
        let event = |change| self.event(guild_id, change);
        GuildDelta {
            guild_id,
            events: changes.into_iter().map(event).collect(),
            members: Vec::new(),
            unreadable_members: Vec::new(),
            oddities: Oddities::default(),
            pending_dropped,
            transition: None,
        }
    }

    fn event(&self, guild_id: GuildId, change: Change) -> Event {
        Event {
            guild_id,
            ts: self.now,
            synthetic: false,
            change,
        }
    }
}

impl GuildDelta {
    fn with_members<'a>(
        mut self,
        context: &Context<'_>,
        members: impl IntoIterator<Item = (UserId, &'a member::MemberObject)>,
    ) -> Self {
        let known = context.guild(self.guild_id);
        for (user_id, member) in members {
            let known = known.and_then(|guild| guild.memberships.get(&user_id));
            self.members.extend(member.membership(user_id, known));
            if member.has_unreadable_rights() {
                self.unreadable_members.push(user_id);
            }
        }
        self
    }

    fn with_oddities(self, oddities: Oddities) -> Self {
        Self { oddities, ..self }
    }

    fn with_transition(self, transition: GuildTransition) -> Self {
        Self {
            transition: Some(transition),
            ..self
        }
    }
}

fn ready(data: &str, context: &Context<'_>) -> Normalised {
    #[derive(Deserialize)]
    struct Payload {
        user: Id,
        guilds: Vec<Id>,
        #[serde(default)]
        session_id: Field<String>,
        #[serde(default)]
        resume_gateway_url: Field<String>,
    }
    #[derive(Deserialize)]
    struct Id {
        id: GuildId,
    }
    let payload: Payload = match serde_json::from_str(data) {
        Ok(payload) => payload,
        Err(reason) => return unreadable("READY", data, reason),
    };
    if payload.guilds.len() > GUILDS_PER_SHARD {
        let reason = de::Error::invalid_length(payload.guilds.len(), &"the guilds of one shard");
        return unreadable("READY", data, reason);
    }
    // Longer ones go into the journal with each commit. Without them the session can't be resumed.
    let short = |text: Field<String>| match text {
        Field::Set(text) if text.len() <= SESSION_BYTES => Some(text),
        _ => None,
    };
    let guilds: BTreeSet<GuildId> = payload
        .guilds
        .into_iter()
        .map(|guild| guild.id)
        .filter(|guild_id| context.is_bridged(*guild_id))
        .collect();
    let known = context.world.guilds.keys();
    let events = known
        .filter(|guild_id| !guilds.contains(guild_id))
        .map(|guild_id| Event {
            synthetic: true,
            ..context.event(*guild_id, Change::GuildRemoved)
        })
        .collect();
    Normalised::Ready(Ready {
        bot: UserId(payload.user.id.0),
        guilds,
        events,
        session_id: short(payload.session_id),
        resume_url: short(payload.resume_gateway_url),
    })
}

fn unreadable(kind: &str, data: &str, reason: serde_json::Error) -> Normalised {
    #[derive(Deserialize)]
    struct Ids {
        #[serde(default)]
        id: Field<GuildId>,
        #[serde(default)]
        guild_id: Field<GuildId>,
    }
    let whole = matches!(kind, "GUILD_CREATE" | "GUILD_UPDATE" | "GUILD_DELETE");
    let ids: Option<Ids> = serde_json::from_str(data).ok();
    let id = ids.map(|ids| if whole { ids.id } else { ids.guild_id });
    let guild_id = id.and_then(|id| id.get().copied());
    Normalised::Unreadable { guild_id, reason }
}

/// The error of a payload without something that nothing can be said without.
fn missing(field: &'static str) -> serde_json::Error {
    de::Error::missing_field(field)
}

#[cfg(test)]
mod tests;
