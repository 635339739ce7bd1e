//! Guilds, channels, roles, people, and who may see what.
//!
//! The world knows nothing of sessions or sockets. Each change is a method that
//! answers with the events Discord would send for it; what they cost in
//! permissions is not asked, because `/sim` may do anything.

/// A map that remembers the order of insertion.
mod table;
/// Keep, clear or set.
mod edit;
/// Discord's permission bits.
mod permission;
/// Which gateway intent lets an event through.
mod intents;
/// Where sign-ins may lead back to.
mod redirects;
/// Who did what, and why.
mod audit;
/// Guilds and what is in them.
mod entity;
/// What a member may see and do.
mod access;
/// Events: what is told, to whom, in Discord's JSON.
mod event;
/// Discord's JSON of each entity.
mod payload;
/// Since when a voice channel has been occupied.
mod voice_start;
/// How every change of a guild runs: what the bot sees before and after it.
mod change;
/// Joining, moving, leaving, muting; load stamps.
mod voice;
/// Channels and their overwrites.
mod channels;
/// Roles.
mod roles;
/// Who comes online, and who goes.
mod presence;
/// Who is in a thread, and what is told of it.
mod thread_members;
/// People and memberships.
mod members;
/// Timeouts and bans.
mod moderation;
/// Invites.
mod invites;
/// Application commands.
mod commands;
/// What people ask of the bot.
mod interactions;
/// Messages, reactions and typing.
mod messages;
/// Votes.
mod polls;
/// Threads.
mod threads;
/// Webhooks.
mod webhooks;
/// Direct messages.
mod directs;
/// Whole guilds: made, renamed, out of service, left.
mod guilds;
/// The world of a seed, before anybody acts.
mod seed;
/// Ten thousand people in five hundred channels.
mod big;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::snowflake::{IdSource, SeededRng, Snowflake};

pub(crate) use access::Rank;
pub(crate) use audit::Cause;
pub(crate) use change::{Changed, Refusal};
pub(crate) use channels::{ChannelEdit, NewChannel};
pub(crate) use commands::{CHAT_INPUT, Command, MESSAGE, USER};
pub(crate) use edit::Edit;
pub(crate) use entity::{
    Allowed, AllowedMentions, Ban, Channel, ChannelKind, ChannelSettings, Emoji, Guild, GuildPage,
    IncomingWebhook, Invite, Member, Message, MessageParts, MessageSource, Messages, Overwrite,
    OverwriteKind, Presence, Role, Status, Thread, ThreadMember, User, VoiceState, find_component,
};
pub(crate) use event::{Appears, Event, EventBody, text as event_text};
pub(crate) use guilds::{GuildEdit, NewGuild};
pub(crate) use intents::Intents;
pub use intents::PrivilegedIntents;
pub(crate) use interactions::{
    Answer, Interaction, InteractionKind, Interactions, LARGEST_FILE, Named, NewInteraction,
};
pub(crate) use invites::NewInvite;
pub(crate) use members::{Departure, MemberEdit, NewUser, UserEdit};
pub(crate) use messages::{MessageEdit, NewMessage};
use payload::partial_channel;
pub(crate) use payload::{
    MemberObject, UserObject, VoiceStateObject, active_threads, channel_dispatch, direct_object,
    thread_list, thread_member, thread_object, webhook_object, whole_thread_member,
};
pub(crate) use payload::{
    current_user, guild_create, guild_object, presence, role_object, unavailable, visible_channels,
};
pub(crate) use permission::Permissions;
pub(crate) use redirects::Redirects;
pub(crate) use roles::{NewRole, RoleEdit};
pub(crate) use table::Table;
pub(crate) use threads::{NewThread, ThreadEdit};
pub(crate) use voice::VoiceEdit;
pub(crate) use webhooks::WebhookEdit;

/// The application that bots and logins use, and its secrets.
pub(crate) struct Registration {
    /// Also the bot's user id.
    pub(crate) id: Snowflake,
    pub(crate) bot_token: String,
    /// The token of the beginning, which can be restored.
    first_bot_token: String,
    pub(crate) client_secret: String,
    /// The portal's switches.
    pub(crate) privileged_intents: PrivilegedIntents,
    /// The portal's list.
    pub(crate) redirects: Redirects,
    /// How often the bot token was replaced because too many sessions were started.
    pub(crate) token_resets: u32,
    /// Fields of the Application object that it has given itself.
    pub(crate) settings: Map<String, Value>,
    /// In the order they were registered.
    commands: Vec<Command>,
}

/// Everything that exists.
pub(crate) struct World {
    pub(crate) application: Registration,
    pub(crate) users: Table<User>,
    pub(crate) guilds: Table<Guild>,
    /// The bot's direct messages, by the ids of their channels.
    pub(crate) directs: Table<Guild>,
    pub(crate) interactions: Interactions,
    ids: IdSource,
    /// What comes in no fixed number, because bots come and go as they like.
    secrets: SeededRng,
    voices: SeededRng,
    cause: Option<Cause>,
    now: OffsetDateTime,
}

impl World {
    /// The world of a seed, before anybody acts.
    pub(crate) fn from_seed(seed: u64) -> Self {
        seed::build(seed)
    }

    /// Another world in place of this one. What is secret is drawn on: a session of before
    /// cannot be taken for one of after.
    pub(crate) fn become_again(&mut self, mut other: Self) {
        std::mem::swap(&mut other.secrets, &mut self.secrets);
        *self = other;
    }

    /// The bot's user.
    pub(crate) fn bot_id(&self) -> Snowflake {
        self.application.id
    }

    /// Changes the world on somebody's behalf: the audit log names them.
    pub(crate) fn on_behalf<T>(&mut self, cause: Cause, act: impl FnOnce(&mut Self) -> T) -> T {
        self.cause = Some(cause);
        let answer = act(self);
        self.cause = None;
        answer
    }

    /// The world is looked at for the first time: who is in a room came just now.
    pub(crate) fn begin(&mut self, now: OffsetDateTime) {
        self.now = now;
        for guild in self.guilds.iter_mut() {
            voice_start::begin(guild, now);
        }
    }

    /// Whatever happens from here on happens then. Invites whose time is over are
    /// gone; Discord tells nobody.
    pub(crate) fn set_now(&mut self, now: OffsetDateTime) {
        self.now = now;
        for guild in self.guilds.iter_mut() {
            guild.invites.retain(|invite| !invite.is_over(now));
        }
    }

    /// Replaces the bot token; the old one opens nothing any more.
    pub(crate) fn reset_bot_token(&mut self) {
        self.application.bot_token = seed::token_of(self.application.id, &mut self.secrets);
        self.application.token_resets += 1;
    }

    /// Makes the token of the beginning hold again.
    pub(crate) fn restore_bot_token(&mut self) {
        let first = &self.application.first_bot_token;
        self.application.bot_token.clone_from(first);
    }

    /// From now on ids tell by the clock when something was made.
    pub(crate) fn take_ids_from_the_clock(&mut self) {
        self.ids.go_by_the_clock();
    }

    /// A fresh id, the same after the same history unless it is by the clock.
    pub(crate) fn new_id(&mut self) -> Snowflake {
        self.ids.draw(self.now)
    }

    /// Whether an id is of something made before then. Ids of a seed never are: they do not
    /// tell.
    pub(crate) fn is_older(&self, id: Snowflake, than: OffsetDateTime) -> bool {
        self.ids.is_by_clock() && id.time() < than
    }

    /// Random numbers for what is made together with a thing that has an id.
    pub(crate) fn rng(&mut self) -> &mut SeededRng {
        &mut self.ids.rng
    }

    /// Random numbers for session ids and tokens, apart from that of ids: who logs in, and how
    /// often, changes no later id.
    pub(crate) fn secret(&mut self) -> &mut SeededRng {
        &mut self.secrets
    }

    /// The guilds the bot is in, in their order.
    pub(crate) fn bot_guilds(&self) -> impl Iterator<Item = &Guild> {
        self.guilds
            .iter()
            .filter(|guild| guild.members.contains(self.bot_id()))
    }

    /// A guild the bot is in.
    pub(crate) fn bot_guild(&self, id: Snowflake) -> Option<&Guild> {
        self.guilds
            .get(id)
            .filter(|guild| guild.members.contains(self.bot_id()))
    }
}
