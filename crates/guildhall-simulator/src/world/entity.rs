//! Guilds and what is in them, with only the fields that something here depends on.

/// Invites.
mod invite;
/// Messages and their reactions.
mod message;
/// Who is online, and what they are at.
mod presence;
/// Threads, and who is in them.
mod thread;
/// Webhooks.
mod webhook;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

pub(crate) use invite::Invite;
pub(crate) use message::{
    Allowed, AllowedMentions, Emoji, Message, MessageParts, MessageSource, Messages, find_component,
};
pub(crate) use presence::{Presence, Status};
pub(crate) use thread::{Thread, ThreadMember};
pub(crate) use webhook::IncomingWebhook;

use super::{audit::AuditLog, permission::Permissions, table::Table};
use crate::snowflake::Snowflake;

/// A person or a bot, the same in every guild.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: Snowflake,
    pub(crate) username: String,
    pub(crate) global_name: Option<String>,
    /// Hash of a drawn picture; `None` shows one of the default ones.
    pub(crate) avatar: Option<String>,
    pub(crate) bot: bool,
    pub(crate) presence: Presence,
}

/// A guild with everything in it.
#[derive(Clone, Debug)]
pub(crate) struct Guild {
    pub(crate) id: Snowflake,
    pub(crate) name: String,
    pub(crate) icon: Option<String>,
    pub(crate) owner_id: Snowflake,
    /// Fields of the Guild object that are not as in a new guild.
    pub(crate) settings: BTreeMap<&'static str, Value>,
    /// False during an outage.
    pub(crate) available: bool,
    /// Whose name carries the stamps of load; nobody signs in as this user.
    pub(crate) load_user_id: Option<Snowflake>,
    pub(crate) roles: Table<Role>,
    pub(crate) channels: Table<Channel>,
    pub(crate) members: Table<Member>,
    /// By user; whoever is absent is in no channel.
    pub(crate) voice_states: Table<VoiceState>,
    /// By user; the reason each was banned for.
    pub(crate) bans: Table<Ban>,
    /// In the order they were made.
    pub(crate) invites: Vec<Invite>,
    pub(crate) audit_log: AuditLog,
    pub(crate) messages: Messages,
    pub(crate) threads: Table<Thread>,
    pub(crate) webhooks: Table<IncomingWebhook>,
    /// What else it shows to those who come, in Discord's JSON.
    pub(crate) pages: BTreeMap<GuildPage, Value>,
    /// Whose direct messages with the bot these are. They are kept like a guild of two with
    /// one channel, whose id is its own; there is nothing else of a guild about them.
    pub(crate) direct_with: Option<Snowflake>,
}

/// What a guild shows to those who come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GuildPage {
    WelcomeScreen,
    Onboarding,
}

/// Somebody who may not come back.
#[derive(Clone, Debug)]
pub(crate) struct Ban {
    pub(crate) user_id: Snowflake,
    pub(crate) reason: Option<String>,
}

/// A role; the one with the guild's id is @everyone.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) id: Snowflake,
    pub(crate) name: String,
    pub(crate) color: u32,
    pub(crate) position: u16,
    pub(crate) permissions: Permissions,
    /// Shown apart in the list of members.
    pub(crate) hoist: bool,
    pub(crate) mentionable: bool,
    /// The bot this role belongs to, when Discord manages it.
    pub(crate) bot_id: Option<Snowflake>,
}

/// A channel of a guild.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: Snowflake,
    pub(crate) kind: ChannelKind,
    pub(crate) name: String,
    pub(crate) position: u16,
    pub(crate) parent_id: Option<Snowflake>,
    pub(crate) user_limit: u32,
    pub(crate) overwrites: Vec<Overwrite>,
    pub(crate) settings: ChannelSettings,
    /// What stands under a voice channel's name; no part of the Channel object.
    pub(crate) voice_status: Option<String>,
    /// Since when somebody has been in it, in seconds since 1970; no part of the
    /// Channel object either.
    pub(crate) voice_started: Option<i64>,
    /// The last thing said in it, deleted since or not.
    pub(crate) last_message_id: Option<Snowflake>,
    /// When the newest of its pins was pinned, as it last became another.
    pub(crate) last_pin: Option<OffsetDateTime>,
}

/// What a channel has besides, and nothing here depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelSettings {
    pub(crate) topic: Option<String>,
    pub(crate) nsfw: bool,
    pub(crate) bitrate: u32,
    pub(crate) rate_limit_per_user: u32,
    pub(crate) rtc_region: Option<String>,
    /// 1 is auto, 2 is full.
    pub(crate) video_quality_mode: u32,
    /// After how many minutes a client archives a thread that is begun there.
    pub(crate) default_auto_archive_duration: Option<u32>,
    /// `rate_limit_per_user` that a thread has which is begun there.
    pub(crate) default_thread_rate_limit_per_user: Option<u32>,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            topic: None,
            nsfw: false,
            bitrate: 64_000,
            rate_limit_per_user: 0,
            rtc_region: None,
            video_quality_mode: 1,
            default_auto_archive_duration: None,
            default_thread_rate_limit_per_user: None,
        }
    }
}

/// The channel types that this simulator knows, with Discord's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub(crate) enum ChannelKind {
    Text,
    Direct,
    Voice,
    Category,
    Announcement,
    AnnouncementThread,
    PublicThread,
    PrivateThread,
    Stage,
    Forum,
}

impl ChannelKind {
    /// Whether people can connect to it.
    pub(crate) fn is_voice(self) -> bool {
        matches!(self, Self::Voice | Self::Stage)
    }

    pub(crate) fn is_thread(self) -> bool {
        matches!(
            self,
            Self::AnnouncementThread | Self::PublicThread | Self::PrivateThread
        )
    }

    /// Whether only guilds with the COMMUNITY feature may make one.
    pub(crate) fn is_of_communities(self) -> bool {
        matches!(self, Self::Announcement | Self::Stage | Self::Forum)
    }

    /// Whether people can write in it; a forum's messages are in its threads.
    pub(crate) fn has_messages(self) -> bool {
        !matches!(self, Self::Category | Self::Forum)
    }
}

impl From<ChannelKind> for u8 {
    fn from(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::Text => 0,
            ChannelKind::Direct => 1,
            ChannelKind::Voice => 2,
            ChannelKind::Category => 4,
            ChannelKind::Announcement => 5,
            ChannelKind::AnnouncementThread => 10,
            ChannelKind::PublicThread => 11,
            ChannelKind::PrivateThread => 12,
            ChannelKind::Stage => 13,
            ChannelKind::Forum => 15,
        }
    }
}

impl TryFrom<u8> for ChannelKind {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Ok(match number {
            0 => Self::Text,
            2 => Self::Voice,
            4 => Self::Category,
            5 => Self::Announcement,
            13 => Self::Stage,
            15 => Self::Forum,
            other => {
                return Err(format!(
                    "{other} is not a channel type of a guild known here"
                ));
            }
        })
    }
}

/// One permission overwrite of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Overwrite {
    /// A role's or a user's id.
    pub(crate) id: Snowflake,
    #[serde(rename = "type")]
    pub(crate) kind: OverwriteKind,
    #[serde(default)]
    pub(crate) allow: Permissions,
    #[serde(default)]
    pub(crate) deny: Permissions,
}

/// Whom an overwrite names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub(crate) enum OverwriteKind {
    Role,
    Member,
}

impl From<OverwriteKind> for u8 {
    fn from(kind: OverwriteKind) -> Self {
        match kind {
            OverwriteKind::Role => 0,
            OverwriteKind::Member => 1,
        }
    }
}

impl TryFrom<u8> for OverwriteKind {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            0 => Ok(Self::Role),
            1 => Ok(Self::Member),
            other => Err(format!(
                "{other} is not an overwrite type: 0 is a role, 1 a member"
            )),
        }
    }
}

/// A user's membership of one guild.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) user_id: Snowflake,
    pub(crate) nick: Option<String>,
    /// Without @everyone.
    pub(crate) roles: Vec<Snowflake>,
    pub(crate) joined_at: String,
    /// Muted by the server, in every channel.
    pub(crate) mute: bool,
    /// Deafened by the server, in every channel.
    pub(crate) deaf: bool,
    /// Timed out until then.
    pub(crate) timeout: Option<OffsetDateTime>,
}

/// Where somebody is connected, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "Discord's own flags, independent of each other"
)]
pub(crate) struct VoiceState {
    pub(crate) user_id: Snowflake,
    pub(crate) channel_id: Snowflake,
    pub(crate) session_id: String,
    pub(crate) self_mute: bool,
    pub(crate) self_deaf: bool,
    pub(crate) self_stream: bool,
    pub(crate) self_video: bool,
    /// In a stage's audience.
    pub(crate) suppress: bool,
    /// The hand is up since then.
    pub(crate) request_to_speak: Option<String>,
}
