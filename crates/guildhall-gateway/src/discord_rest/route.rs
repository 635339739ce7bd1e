//! The routes this role calls: one table says of each how it is called, and what may be done with it.

use std::fmt;

use guildhall_model::{ChannelId, GuildId, RoleId, UserId, guild::OverwriteTarget};
use reqwest::Method;

/// Below Discord's origin. A call without a version would be one of an old API.
const BASE: &str = "/api/v10";

/// One route with the ids in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RestRoute {
    /// Where the Gateway is.
    GatewayBot,
    /// A member as they are now.
    GetMember(GuildId, UserId),
    /// Moves or disconnects a member.
    ModifyMember(GuildId, UserId),
    /// Adds somebody who consented (`guilds.join`).
    AddMember(GuildId, UserId),
    /// Where a member is in voice.
    GetVoiceState(GuildId, UserId),
    /// A channel as it is now.
    GetChannel(ChannelId),
    /// Changes a channel, but not its name.
    ModifyChannel(ChannelId),
    /// Changes a channel's name, and perhaps more.
    RenameChannel(ChannelId),
    /// Sets the status of a voice channel.
    SetVoiceStatus(ChannelId),
    /// A guild's channels as they are now, those that the bot may view.
    ListChannels(GuildId),
    /// Makes a channel.
    CreateChannel(GuildId),
    /// Deletes one.
    DeleteChannel(ChannelId),
    /// Sets what one role or member may in a channel.
    PutOverwrite(ChannelId, OverwriteTarget),
    /// Takes that away.
    DeleteOverwrite(ChannelId, OverwriteTarget),
    /// A guild's roles as they are now.
    ListRoles(GuildId),
    /// Makes a role.
    CreateRole(GuildId),
    /// Deletes one.
    DeleteRole(GuildId, RoleId),
    /// Gives a member a role.
    PutMemberRole(GuildId, UserId, RoleId),
    /// Takes it from them.
    DeleteMemberRole(GuildId, UserId, RoleId),
    /// Writes a message.
    CreateMessage(ChannelId),
}

/// A route without the ids in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RouteTemplate {
    /// See [`RestRoute::GatewayBot`]; likewise below.
    GatewayBot,
    GetMember,
    ModifyMember,
    AddMember,
    GetVoiceState,
    GetChannel,
    ModifyChannel,
    /// Discord limits names more than the rest of a channel, and tells it by a 429 alone: so it
    /// waits apart.
    RenameChannel,
    SetVoiceStatus,
    ListChannels,
    CreateChannel,
    DeleteChannel,
    PutOverwrite,
    DeleteOverwrite,
    ListRoles,
    CreateRole,
    DeleteRole,
    PutMemberRole,
    DeleteMemberRole,
    CreateMessage,
}

/// The part of a path that has limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum MajorId {
    None,
    Guild(GuildId),
    Channel(ChannelId),
}

/// What is limited by itself as long as Discord has not named the bucket, and what waits in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RouteKey {
    pub template: RouteTemplate,
    pub major: MajorId,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub(crate) struct RouteRow {
    /// How it is called.
    pub method: Method,
    /// Its path below the API's, with names for ids.
    pub path: &'static str,
    /// Whether Discord takes `X-Audit-Log-Reason`.
    pub takes_reason: bool,
}

impl RouteTemplate {
    /// Each once.
    pub(crate) const ALL: [Self; 20] = [
        Self::GatewayBot,
        Self::GetMember,
        Self::ModifyMember,
        Self::AddMember,
        Self::GetVoiceState,
        Self::GetChannel,
        Self::ModifyChannel,
        Self::RenameChannel,
        Self::SetVoiceStatus,
        Self::ListChannels,
        Self::CreateChannel,
        Self::DeleteChannel,
        Self::PutOverwrite,
        Self::DeleteOverwrite,
        Self::ListRoles,
        Self::CreateRole,
        Self::DeleteRole,
        Self::PutMemberRole,
        Self::DeleteMemberRole,
        Self::CreateMessage,
    ];

    /// Its row of the table.
    pub(crate) fn row(self) -> RouteRow {
        const MEMBER: &str = "/guilds/{guild}/members/{user}";
        const CHANNEL: &str = "/channels/{channel}";
        const CHANNELS: &str = "/guilds/{guild}/channels";
        const OVERWRITE: &str = "/channels/{channel}/permissions/{target}";
        const ROLES: &str = "/guilds/{guild}/roles";
        const MEMBER_ROLE: &str = "/guilds/{guild}/members/{user}/roles/{role}";
        let row = |method, path, takes_reason| RouteRow {
            method,
            path,
            takes_reason,
        };
        match self {
            Self::GatewayBot => row(Method::GET, "/gateway/bot", false),
            Self::GetMember => row(Method::GET, MEMBER, false),
            Self::ModifyMember => row(Method::PATCH, MEMBER, true),
            Self::AddMember => row(Method::PUT, MEMBER, false),
            Self::GetVoiceState => row(Method::GET, "/guilds/{guild}/voice-states/{user}", false),
            Self::GetChannel => row(Method::GET, CHANNEL, false),
            Self::ModifyChannel | Self::RenameChannel => row(Method::PATCH, CHANNEL, true),
            Self::SetVoiceStatus => row(Method::PUT, "/channels/{channel}/voice-status", true),
            Self::ListChannels => row(Method::GET, CHANNELS, false),
            Self::CreateChannel => row(Method::POST, CHANNELS, true),
            Self::DeleteChannel => row(Method::DELETE, CHANNEL, true),
            Self::PutOverwrite => row(Method::PUT, OVERWRITE, true),
            Self::DeleteOverwrite => row(Method::DELETE, OVERWRITE, true),
            Self::ListRoles => row(Method::GET, ROLES, false),
            Self::CreateRole => row(Method::POST, ROLES, true),
            Self::DeleteRole => row(Method::DELETE, "/guilds/{guild}/roles/{role}", true),
            Self::PutMemberRole => row(Method::PUT, MEMBER_ROLE, true),
            Self::DeleteMemberRole => row(Method::DELETE, MEMBER_ROLE, true),
            Self::CreateMessage => row(Method::POST, "/channels/{channel}/messages", false),
        }
    }

    /// Whether a call changes nothing, so that it may be made again. What changes something may not:
    /// without an answer it may have been done, somebody may have acted since, and a repeat would
    /// undo that.
    pub(crate) fn only_reads(self) -> bool {
        self.row().method == Method::GET
    }

    /// Whether the role can't do without, whatever it costs of Discord's patience.
    pub(super) fn is_essential(self) -> bool {
        self == Self::GatewayBot
    }
}

/// As metrics and logs name it.
impl fmt::Display for RouteTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RouteRow { method, path, .. } = self.row();
        write!(f, "{method} {path}")
    }
}

impl RestRoute {
    /// Without the ids.
    pub(crate) fn template(self) -> RouteTemplate {
        match self {
            Self::GatewayBot => RouteTemplate::GatewayBot,
            Self::GetMember(..) => RouteTemplate::GetMember,
            Self::ModifyMember(..) => RouteTemplate::ModifyMember,
            Self::AddMember(..) => RouteTemplate::AddMember,
            Self::GetVoiceState(..) => RouteTemplate::GetVoiceState,
            Self::GetChannel(_) => RouteTemplate::GetChannel,
            Self::ModifyChannel(_) => RouteTemplate::ModifyChannel,
            Self::RenameChannel(_) => RouteTemplate::RenameChannel,
            Self::SetVoiceStatus(_) => RouteTemplate::SetVoiceStatus,
            Self::ListChannels(_) => RouteTemplate::ListChannels,
            Self::CreateChannel(_) => RouteTemplate::CreateChannel,
            Self::DeleteChannel(_) => RouteTemplate::DeleteChannel,
            Self::PutOverwrite(..) => RouteTemplate::PutOverwrite,
            Self::DeleteOverwrite(..) => RouteTemplate::DeleteOverwrite,
            Self::ListRoles(_) => RouteTemplate::ListRoles,
            Self::CreateRole(_) => RouteTemplate::CreateRole,
            Self::DeleteRole(..) => RouteTemplate::DeleteRole,
            Self::PutMemberRole(..) => RouteTemplate::PutMemberRole,
            Self::DeleteMemberRole(..) => RouteTemplate::DeleteMemberRole,
            Self::CreateMessage(_) => RouteTemplate::CreateMessage,
        }
    }

    /// What limits go by.
    pub(super) fn key(self) -> RouteKey {
        let major = match self {
            Self::GatewayBot => MajorId::None,
            Self::GetMember(guild_id, _)
            | Self::ModifyMember(guild_id, _)
            | Self::AddMember(guild_id, _)
            | Self::GetVoiceState(guild_id, _)
            | Self::ListChannels(guild_id)
            | Self::CreateChannel(guild_id)
            | Self::ListRoles(guild_id)
            | Self::CreateRole(guild_id)
            | Self::DeleteRole(guild_id, _)
            | Self::PutMemberRole(guild_id, ..)
            | Self::DeleteMemberRole(guild_id, ..) => MajorId::Guild(guild_id),
            Self::GetChannel(channel_id)
            | Self::ModifyChannel(channel_id)
            | Self::RenameChannel(channel_id)
            | Self::SetVoiceStatus(channel_id)
            | Self::DeleteChannel(channel_id)
            | Self::PutOverwrite(channel_id, _)
            | Self::DeleteOverwrite(channel_id, _)
            | Self::CreateMessage(channel_id) => MajorId::Channel(channel_id),
        };
        RouteKey {
            template: self.template(),
            major,
        }
    }

    /// The path of a request.
    pub(super) fn path(self) -> String {
        let mut path = self.template().row().path.to_owned();
        let mut fill = |name, id: u64| path = path.replace(name, &id.to_string());
        match self.key().major {
            MajorId::None => {}
            MajorId::Guild(GuildId(id)) => fill("{guild}", id),
            MajorId::Channel(ChannelId(id)) => fill("{channel}", id),
        }
        match self {
            Self::GetMember(_, UserId(user))
            | Self::ModifyMember(_, UserId(user))
            | Self::AddMember(_, UserId(user))
            | Self::GetVoiceState(_, UserId(user)) => fill("{user}", user),
            Self::PutMemberRole(_, UserId(user), RoleId(role))
            | Self::DeleteMemberRole(_, UserId(user), RoleId(role)) => {
                fill("{user}", user);
                fill("{role}", role);
            }
            Self::DeleteRole(_, RoleId(role)) => fill("{role}", role),
            Self::PutOverwrite(_, target) | Self::DeleteOverwrite(_, target) => match target {
                OverwriteTarget::Role(RoleId(id)) | OverwriteTarget::Member(UserId(id)) => {
                    fill("{target}", id);
                }
            },
            Self::GatewayBot
            | Self::GetChannel(_)
            | Self::ModifyChannel(_)
            | Self::RenameChannel(_)
            | Self::SetVoiceStatus(_)
            | Self::ListChannels(_)
            | Self::CreateChannel(_)
            | Self::DeleteChannel(_)
            | Self::ListRoles(_)
            | Self::CreateRole(_)
            | Self::CreateMessage(_) => {}
        }
        format!("{BASE}{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_filled_and_has_its_major_id_first() {
        let (guild, channel, user, role) = (GuildId(1), ChannelId(2), UserId(3), RoleId(4));
        let routes = [
            (RestRoute::GatewayBot, "/api/v10/gateway/bot"),
            (
                RestRoute::GetMember(guild, user),
                "/api/v10/guilds/1/members/3",
            ),
            (
                RestRoute::ModifyMember(guild, user),
                "/api/v10/guilds/1/members/3",
            ),
            (
                RestRoute::AddMember(guild, user),
                "/api/v10/guilds/1/members/3",
            ),
            (
                RestRoute::GetVoiceState(guild, user),
                "/api/v10/guilds/1/voice-states/3",
            ),
            (RestRoute::GetChannel(channel), "/api/v10/channels/2"),
            (RestRoute::ModifyChannel(channel), "/api/v10/channels/2"),
            (RestRoute::RenameChannel(channel), "/api/v10/channels/2"),
            (
                RestRoute::SetVoiceStatus(channel),
                "/api/v10/channels/2/voice-status",
            ),
            (RestRoute::ListChannels(guild), "/api/v10/guilds/1/channels"),
            (
                RestRoute::CreateChannel(guild),
                "/api/v10/guilds/1/channels",
            ),
            (RestRoute::DeleteChannel(channel), "/api/v10/channels/2"),
            (
                RestRoute::PutOverwrite(channel, OverwriteTarget::Member(user)),
                "/api/v10/channels/2/permissions/3",
            ),
            (
                RestRoute::DeleteOverwrite(channel, OverwriteTarget::Role(role)),
                "/api/v10/channels/2/permissions/4",
            ),
            (RestRoute::ListRoles(guild), "/api/v10/guilds/1/roles"),
            (RestRoute::CreateRole(guild), "/api/v10/guilds/1/roles"),
            (
                RestRoute::DeleteRole(guild, role),
                "/api/v10/guilds/1/roles/4",
            ),
            (
                RestRoute::PutMemberRole(guild, user, role),
                "/api/v10/guilds/1/members/3/roles/4",
            ),
            (
                RestRoute::DeleteMemberRole(guild, user, role),
                "/api/v10/guilds/1/members/3/roles/4",
            ),
            (
                RestRoute::CreateMessage(channel),
                "/api/v10/channels/2/messages",
            ),
        ];
        let templates = routes.map(|(route, _)| route.template());
        assert_eq!(templates, RouteTemplate::ALL, "every route is tried here");
        for (route, path) in routes {
            assert_eq!(route.path(), path);
            let expected = match route.key().major {
                MajorId::None => None,
                MajorId::Guild(id) => Some(id.to_string()),
                MajorId::Channel(id) => Some(id.to_string()),
            };
            let first = path.split('/').nth(4).filter(|part| *part != "bot");
            assert_eq!(first.map(str::to_owned), expected, "{path}");
        }
    }
}
