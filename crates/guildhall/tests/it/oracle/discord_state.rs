//! What there is in Discord, as `GET /sim/state` shows it: what can be done next hangs on it.

use guildhall_model::{ChannelId, GuildId, Permissions, RoleId, UserId};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DiscordState {
    pub(crate) application: Application,
    pub(crate) users: Vec<User>,
    pub(crate) guilds: Vec<Guild>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Application {
    pub(crate) id: UserId,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) bot: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Guild {
    pub(crate) id: GuildId,
    pub(crate) owner_id: UserId,
    pub(crate) available: bool,
    pub(crate) roles: Vec<Role>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) members: Vec<Member>,
    pub(crate) voice_states: Vec<VoiceState>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Role {
    pub(crate) id: RoleId,
    pub(crate) permissions: Permissions,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    #[serde(rename = "type")]
    pub(crate) kind: u64,
    pub(crate) parent_id: Option<ChannelId>,
    pub(crate) permission_overwrites: Vec<Overwrite>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Overwrite {
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    /// Of a role, or of a member.
    pub(crate) id: RoleId,
    pub(crate) allow: Permissions,
    pub(crate) deny: Permissions,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    pub(crate) user_id: UserId,
    pub(crate) roles: Vec<RoleId>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VoiceState {
    pub(crate) user_id: UserId,
}

impl Guild {
    pub(crate) fn has(&self, user_id: UserId) -> bool {
        self.member(user_id).is_some()
    }

    pub(crate) fn member(&self, user_id: UserId) -> Option<&Member> {
        self.members.iter().find(|member| member.user_id == user_id)
    }

    /// Where people can be.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &Channel> {
        let channels = self.channels.iter();
        channels.filter(|channel| [2, 13].contains(&channel.kind))
    }
}

impl Channel {
    pub(crate) fn is_category(&self) -> bool {
        self.kind == 4
    }
}
