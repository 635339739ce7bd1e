//! The JSON of events. On the link `{"event": NAME, "payload": {"guildId", "ts", …}}` with
//! everything; to browsers the same payload without what is internal.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned},
    ser::SerializeStruct,
};
use serde_json::value::RawValue;

use super::{Change, Event};
use crate::{
    ChannelId, GuildId, RoleId, UnixMs, UserId,
    guild::{GuildInfo, Membership, Occupant, Role, Room, RoomInfo, RoomRights},
};

/// Why a payload is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("{event}: {reason}")]
pub struct EventError {
    event: String,
    reason: serde_json::Error,
}

/// The payload of a public event as browsers get it (`docs/protocol/sse.md`): no rights in it.
pub struct PublicPayload<'a>(&'a Event);

/// The payload of the link's form, with everything. Beside [`Change::name`] it is what
/// [`Event::from_wire`] reads.
pub struct WirePayload<'a>(&'a Event);

impl Event {
    /// The link's payload alone, for whoever keeps the name beside it.
    #[must_use]
    pub fn wire_payload(&self) -> WirePayload<'_> {
        WirePayload(self)
    }

    /// What a browser may be sent, if the event is public at all. Whether *this* browser may is
    /// the filter's business.
    #[must_use]
    pub fn public(&self) -> Option<PublicPayload<'_>> {
        (self.change.audience() != super::Audience::Nobody).then_some(PublicPayload(self))
    }

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
    /// The event's name on every wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::VoiceJoined(_) => "voice.joined",
            Self::VoiceLeft { .. } => "voice.left",
            Self::VoiceUpdated(_) => "voice.updated",
            Self::RoomCreated(_) => "room.created",
            Self::RoomUpdated(_) => "room.updated",
            Self::RoomDeleted { .. } => "room.deleted",
            Self::GuildAvailable(_) => "guild.available",
            Self::GuildUnavailable => "guild.unavailable",
            Self::GuildUpdated(_) => "guild.updated",
            Self::GuildRemoved => "guild.removed",
            Self::Gap { .. } => "gap",
            Self::VoicePending(_) => "voice.pending",
            Self::VoicePendingRemoved { .. } => "voice.pending_removed",
            Self::OwnerChanged { .. } => "owner.changed",
            Self::RoleSet(_) => "role.set",
            Self::RoleRemoved { .. } => "role.removed",
            Self::RoomRights { .. } => "room.rights",
            Self::CategorySet { .. } => "category.set",
            Self::CategoryRemoved { .. } => "category.removed",
            Self::Rights { .. } => "rights",
            Self::RightsReset => "rights.reset",
            Self::Unknown => "unknown",
        }
    }

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

/// The link's `data` of an event frame.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = serializer.serialize_struct("Event", 2)?;
        data.serialize_field("event", self.change.name())?;
        data.serialize_field("payload", &self.wire_payload())?;
        data.end()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Data<'a> {
            #[serde(borrow)]
            event: Cow<'a, str>,
            #[serde(borrow)]
            payload: &'a RawValue,
        }
        let data = Data::deserialize(deserializer)?;
        Self::from_wire(&data.event, data.payload.get()).map_err(de::Error::custom)
    }
}

impl Serialize for WirePayload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = Body::internal(&self.0.change);
        self.0.payload(body).serialize(serializer)
    }
}

impl Serialize for PublicPayload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = match &self.0.change {
            Change::RoomCreated(room) => Body::RoomInfo(&room.info),
            // The guild's picture differs from class to class; who adds it is the filter.
            Change::GuildAvailable(_) => Body::Nothing {},
            change => Body::internal(change),
        };
        self.0.payload(body).serialize(serializer)
    }
}

impl Event {
    fn payload<'a>(&self, body: Body<'a>) -> Payload<'a> {
        Payload {
            guild_id: self.guild_id,
            ts: self.ts,
            synthetic: self.synthetic,
            body,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    guild_id: GuildId,
    ts: UnixMs,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    synthetic: bool,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Body<'a> {
    Occupant(&'a Occupant),
    VoiceLeft {
        channel_id: (),
        previous_channel_id: ChannelId,
        user_id: UserId,
    },
    Room(&'a Room),
    RoomInfo(&'a RoomInfo),
    Channel {
        channel_id: ChannelId,
    },
    Guild {
        guild: &'a crate::Guild,
    },
    GuildInfo(&'a GuildInfo),
    Gap {
        from: UnixMs,
        to: UnixMs,
    },
    User {
        user_id: UserId,
    },
    Owner {
        owner_id: UserId,
    },
    Role(&'a Role),
    RoleRemoved {
        role_id: RoleId,
    },
    RoomRights {
        channel_id: ChannelId,
        rights: &'a RoomRights,
    },
    Category {
        channel_id: ChannelId,
        name: &'a str,
    },
    Rights {
        user_id: UserId,
        roles: &'a [RoleId],
        guest: bool,
        member: bool,
    },
    Forgotten {
        user_id: UserId,
        forgotten: bool,
    },
    Nothing {},
}

impl<'a> Body<'a> {
    fn internal(change: &'a Change) -> Self {
        match change {
            Change::VoiceJoined(occupant)
            | Change::VoiceUpdated(occupant)
            | Change::VoicePending(occupant) => Self::Occupant(occupant),
            Change::VoicePendingRemoved { user_id } => Self::User { user_id: *user_id },
            Change::VoiceLeft {
                previous_channel_id,
                user_id,
            } => Self::VoiceLeft {
                channel_id: (),
                previous_channel_id: *previous_channel_id,
                user_id: *user_id,
            },
            Change::RoomCreated(room) => Self::Room(room),
            Change::RoomUpdated(info) => Self::RoomInfo(info),
            Change::RoomDeleted { channel_id } | Change::CategoryRemoved { channel_id } => {
                Self::Channel {
                    channel_id: *channel_id,
                }
            }
            Change::GuildAvailable(Some(guild)) => Self::Guild { guild },
            Change::GuildAvailable(None)
            | Change::GuildUnavailable
            | Change::GuildRemoved
            | Change::RightsReset
            | Change::Unknown => Self::Nothing {},
            Change::GuildUpdated(info) => Self::GuildInfo(info),
            Change::Gap { from, to } => Self::Gap {
                from: *from,
                to: *to,
            },
            Change::OwnerChanged { owner_id } => Self::Owner {
                owner_id: *owner_id,
            },
            Change::RoleSet(role) => Self::Role(role),
            Change::RoleRemoved { role_id } => Self::RoleRemoved { role_id: *role_id },
            Change::RoomRights { channel_id, rights } => Self::RoomRights {
                channel_id: *channel_id,
                rights,
            },
            Change::CategorySet { channel_id, name } => Self::Category {
                channel_id: *channel_id,
                name,
            },
            Change::Rights {
                user_id,
                membership,
            } => Self::rights(*user_id, membership.as_ref()),
        }
    }

    fn rights(user_id: UserId, membership: Option<&'a Membership>) -> Self {
        match membership {
            Some(Membership::Member { roles, guest }) => Self::Rights {
                user_id,
                roles,
                guest: *guest,
                member: true,
            },
            Some(Membership::Stranger) => Self::Rights {
                user_id,
                roles: &[],
                guest: false,
                member: false,
            },
            None => Self::Forgotten {
                user_id,
                forgotten: true,
            },
        }
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
