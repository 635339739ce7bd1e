//! The ground truth: the simulator's state, as `GET /sim/state` shows it, and what a bridge must make of it.

use std::collections::BTreeMap;

use guildhall_model::{
    ChannelId, GuildId, Permissions, RoleId, UserId,
    guild::{Membership, Occupant, RoomInfo, RoomKind, VoiceFlags},
};
use serde::Deserialize;

/// Where pictures are.
pub(crate) const CDN: &str = "https://cdn.example";

/// Everything there is.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SimulatorState {
    pub(crate) application: Application,
    pub(crate) users: Vec<User>,
    pub(crate) guilds: Vec<Guild>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Application {
    pub(crate) id: UserId,
    pub(crate) session_starts: SessionStarts,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SessionStarts {
    pub(crate) total: u64,
    pub(crate) remaining: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) global_name: Option<String>,
    pub(crate) avatar: Option<String>,
    pub(crate) bot: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Guild {
    pub(crate) id: GuildId,
    pub(crate) name: String,
    pub(crate) icon: Option<String>,
    pub(crate) owner_id: UserId,
    pub(crate) available: bool,
    pub(crate) load_user_id: Option<UserId>,
    pub(crate) roles: Vec<Role>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) members: Vec<Member>,
    pub(crate) voice_states: Vec<VoiceState>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Role {
    pub(crate) id: RoleId,
    pub(crate) permissions: Permissions,
    pub(crate) managed: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    #[serde(rename = "type")]
    pub(crate) kind: u64,
    pub(crate) name: String,
    pub(crate) parent_id: Option<ChannelId>,
    pub(crate) position: i64,
    pub(crate) user_limit: u32,
    pub(crate) permission_overwrites: Vec<Overwrite>,
    pub(crate) bot_sees: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Overwrite {
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    pub(crate) id: RoleId,
    #[serde(deserialize_with = "bits")]
    pub(crate) allow: u64,
    #[serde(deserialize_with = "bits")]
    pub(crate) deny: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    pub(crate) user_id: UserId,
    pub(crate) nick: Option<String>,
    pub(crate) roles: Vec<RoleId>,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "Discord's own flags")]
pub(crate) struct VoiceState {
    pub(crate) user_id: UserId,
    pub(crate) channel_id: ChannelId,
    self_mute: bool,
    self_deaf: bool,
    self_stream: bool,
    self_video: bool,
    suppress: bool,
    mute: bool,
    deaf: bool,
}

fn bits<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Permissions::deserialize(deserializer).map(|permissions| permissions.0)
}

impl SimulatorState {
    pub(crate) fn guild(&self, guild_id: GuildId) -> Option<&Guild> {
        self.guilds.iter().find(|guild| guild.id == guild_id)
    }

    /// The guilds that the bot is in.
    pub(crate) fn bridged(&self) -> impl Iterator<Item = &Guild> {
        self.guilds
            .iter()
            .filter(|guild| guild.has(self.application.id))
    }

    pub(crate) fn user(&self, user_id: UserId) -> &User {
        let user = self.users.iter().find(|user| user.id == user_id);
        user.expect("members are users")
    }

    /// How many sessions were ever begun.
    pub(crate) fn sessions_begun(&self) -> u64 {
        let SessionStarts { total, remaining } = self.application.session_starts;
        total - remaining
    }

    /// Somebody in a room, apart from since when.
    pub(crate) fn occupant(&self, guild: &Guild, voice_state: &VoiceState) -> Occupant {
        let user = self.user(voice_state.user_id);
        let nick = guild
            .member(user.id)
            .and_then(|member| member.nick.as_ref());
        let name = nick.or(user.global_name.as_ref()).unwrap_or(&user.username);
        let avatar_url = match &user.avatar {
            Some(hash) => format!("{CDN}/avatars/{}/{hash}.png?size=128", user.id),
            None => format!("{CDN}/embed/avatars/{}.png", (user.id.0 >> 22) % 6),
        };
        Occupant {
            channel_id: voice_state.channel_id,
            user_id: user.id,
            username: user.username.clone(),
            display_name: name.clone(),
            avatar: user.avatar.clone(),
            avatar_url,
            bot: user.bot,
            since: 0,
            flags: voice_state.flags(),
        }
    }
}

impl Guild {
    pub(crate) fn has(&self, user_id: UserId) -> bool {
        self.member(user_id).is_some()
    }

    pub(crate) fn member(&self, user_id: UserId) -> Option<&Member> {
        self.members.iter().find(|member| member.user_id == user_id)
    }

    pub(crate) fn voice_state(&self, user_id: UserId) -> Option<&VoiceState> {
        self.voice_states
            .iter()
            .find(|voice_state| voice_state.user_id == user_id)
    }

    pub(crate) fn channel(&self, channel_id: ChannelId) -> Option<&Channel> {
        self.channels
            .iter()
            .find(|channel| channel.id == channel_id)
    }

    pub(crate) fn rooms(&self) -> impl Iterator<Item = &Channel> {
        self.channels
            .iter()
            .filter(|channel| channel.room_kind().is_some())
    }

    /// What a watched user is here.
    pub(crate) fn membership(&self, user_id: UserId) -> Membership {
        self.member(user_id).map_or(Membership::Stranger, |member| {
            Membership::member(member.roles.clone())
        })
    }
}

impl Channel {
    /// `None`: nobody can be in it.
    pub(crate) fn room_kind(&self) -> Option<RoomKind> {
        match self.kind {
            2 => Some(RoomKind::Voice),
            13 => Some(RoomKind::Stage),
            _ => None,
        }
    }

    pub(crate) fn is_category(&self) -> bool {
        self.kind == 4
    }

    /// What who sees the room may know; for the parent's name one has to know the parent.
    pub(crate) fn info(
        &self,
        kind: RoomKind,
        categories: &BTreeMap<ChannelId, String>,
    ) -> RoomInfo {
        let parent_name = self.parent_id.and_then(|id| categories.get(&id).cloned());
        RoomInfo {
            channel_id: self.id,
            name: self.name.clone(),
            kind,
            parent_id: self.parent_id,
            parent_name,
            position: self.position,
            user_limit: self.user_limit,
            managed: None,
            status: None,
        }
    }
}

impl VoiceState {
    pub(crate) fn flags(&self) -> VoiceFlags {
        VoiceFlags {
            mute: self.mute,
            deaf: self.deaf,
            self_mute: self.self_mute,
            self_deaf: self.self_deaf,
            streaming: self.self_stream,
            video: self.self_video,
            suppressed: self.suppress,
        }
    }
}
