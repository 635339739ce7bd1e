//! Writes an event's payload: everything for the link, or what browsers get of it.

use serde::{Serialize, Serializer};

use super::{Change, Event, PublicPayload, WirePayload};
use crate::{
    ChannelId, GuildId, RoleId, UnixMs, UserId,
    guild::{GuildInfo, Membership, Occupant, Role, Room, RoomInfo, RoomRights},
};

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
