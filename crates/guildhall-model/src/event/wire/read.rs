//! Reads the link's form of an event.

use serde::{
    Deserialize,
    de::{self, DeserializeOwned},
};

use super::{Change, Event};
use crate::{
    ChannelId, GuildId, RoleId, UnixMs, UserId,
    guild::{Membership, RoomRights},
};

/// Why a payload is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("{event}: {reason}")]
pub struct EventError {
    event: String,
    reason: serde_json::Error,
}

impl Event {
    /// Reads the link's form. An event name this build does not know becomes
    /// [`Change::Unknown`]; a payload that does not fit its name is an error.
    pub fn from_wire(name: &str, payload: &str) -> Result<Self, EventError> {
        let read = || -> Result<Self, serde_json::Error> {
            let meta: Meta = serde_json::from_str(payload)?;
            Ok(Self {
                guild_id: meta.guild_id,
                ts: meta.ts,
                synthetic: meta.synthetic,
                change: Change::from_wire(name, payload)?,
            })
        };
        read().map_err(|reason| EventError {
            event: name.chars().take(40).collect(),
            reason,
        })
    }
}

impl Change {
    fn from_wire(name: &str, payload: &str) -> Result<Self, serde_json::Error> {
        fn read<T: DeserializeOwned>(payload: &str) -> Result<T, serde_json::Error> {
            serde_json::from_str(payload)
        }
        Ok(match name {
            "voice.joined" => Self::VoiceJoined(read(payload)?),
            "voice.left" => {
                let left: VoiceLeftPayload = read(payload)?;
                Self::VoiceLeft {
                    previous_channel_id: left.previous_channel_id,
                    user_id: left.user_id,
                }
            }
            "voice.updated" => Self::VoiceUpdated(read(payload)?),
            "room.created" => Self::RoomCreated(read(payload)?),
            "room.updated" => Self::RoomUpdated(read(payload)?),
            "room.deleted" => Self::RoomDeleted {
                channel_id: read::<ChannelPayload>(payload)?.channel_id,
            },
            "guild.available" => Self::GuildAvailable(read::<GuildPayload>(payload)?.guild),
            "guild.unavailable" => Self::GuildUnavailable,
            "guild.updated" => Self::GuildUpdated(read(payload)?),
            "guild.removed" => Self::GuildRemoved,
            "gap" => {
                let gap: GapPayload = read(payload)?;
                Self::Gap {
                    from: gap.from,
                    to: gap.to,
                }
            }
            "voice.pending" => Self::VoicePending(read(payload)?),
            "voice.pending_removed" => Self::VoicePendingRemoved {
                user_id: read::<UserPayload>(payload)?.user_id,
            },
            "owner.changed" => Self::OwnerChanged {
                owner_id: read::<OwnerPayload>(payload)?.owner_id,
            },
            "role.set" => Self::RoleSet(read(payload)?),
            "role.removed" => Self::RoleRemoved {
                role_id: read::<RolePayload>(payload)?.role_id,
            },
            "room.rights" => {
                let room: RoomRightsPayload = read(payload)?;
                Self::RoomRights {
                    channel_id: room.channel_id,
                    rights: room.rights,
                }
            }
            "category.set" => {
                let category: CategoryPayload = read(payload)?;
                Self::CategorySet {
                    channel_id: category.channel_id,
                    name: category.name,
                }
            }
            "category.removed" => Self::CategoryRemoved {
                channel_id: read::<ChannelPayload>(payload)?.channel_id,
            },
            "rights" => {
                let rights: RightsPayload = read(payload)?;
                Self::Rights {
                    user_id: rights.user_id,
                    membership: rights.membership()?,
                }
            }
            "rights.reset" => Self::RightsReset,
            _ => Self::Unknown,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    guild_id: GuildId,
    ts: UnixMs,
    #[serde(default)]
    synthetic: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VoiceLeftPayload {
    previous_channel_id: ChannelId,
    user_id: UserId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChannelPayload {
    channel_id: ChannelId,
}

#[derive(Deserialize)]
struct GuildPayload {
    #[serde(default)]
    guild: Option<Box<crate::Guild>>,
}

#[derive(Deserialize)]
struct GapPayload {
    from: UnixMs,
    to: UnixMs,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserPayload {
    user_id: UserId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnerPayload {
    owner_id: UserId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RolePayload {
    role_id: RoleId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoomRightsPayload {
    channel_id: ChannelId,
    rights: RoomRights,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CategoryPayload {
    channel_id: ChannelId,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RightsPayload {
    user_id: UserId,
    #[serde(default)]
    forgotten: bool,
    #[serde(default)]
    member: Option<bool>,
    #[serde(default)]
    guest: bool,
    #[serde(default)]
    roles: Vec<RoleId>,
}

impl RightsPayload {
    /// Nothing is guessed: rights that say neither `forgotten` nor `member` are an error.
    fn membership(self) -> Result<Option<Membership>, serde_json::Error> {
        match (self.forgotten, self.member) {
            (true, _) => Ok(None),
            (false, Some(true)) => Ok(Some(Membership::member(self.roles, self.guest))),
            (false, Some(false)) => Ok(Some(Membership::Stranger)),
            (false, None) => Err(de::Error::missing_field("member")),
        }
    }
}
