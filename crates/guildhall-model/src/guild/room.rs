//! How rooms and their overwrites are read: with their fields side by side, as they are written.
//! serde reads flattened fields through a list of all of them, which takes a multiple of the time.

use serde::Deserialize;

use crate::{
    ChannelId, Permissions, RoleId, UserId,
    guild::{Overwrite, OverwriteTarget, Room, RoomInfo, RoomKind, RoomRights},
};

/// The fields of a [`Room`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FlatRoom {
    channel_id: ChannelId,
    name: String,
    kind: RoomKind,
    #[serde(default)]
    parent_id: Option<ChannelId>,
    #[serde(default)]
    parent_name: Option<String>,
    position: i64,
    user_limit: u32,
    rights: RoomRights,
}

/// The fields of an [`Overwrite`].
#[derive(Deserialize)]
pub(super) struct FlatOverwrite {
    #[serde(rename = "type")]
    kind: TargetKind,
    id: RoleId,
    allow: Permissions,
    deny: Permissions,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum TargetKind {
    Role,
    Member,
}

impl From<FlatRoom> for Room {
    fn from(flat: FlatRoom) -> Self {
        Self {
            info: RoomInfo {
                channel_id: flat.channel_id,
                name: flat.name,
                kind: flat.kind,
                parent_id: flat.parent_id,
                parent_name: flat.parent_name,
                position: flat.position,
                user_limit: flat.user_limit,
            },
            rights: flat.rights,
        }
    }
}

impl From<FlatOverwrite> for Overwrite {
    fn from(flat: FlatOverwrite) -> Self {
        let RoleId(id) = flat.id;
        Self {
            target: match flat.kind {
                TargetKind::Role => OverwriteTarget::Role(flat.id),
                TargetKind::Member => OverwriteTarget::Member(UserId(id)),
            },
            allow: flat.allow,
            deny: flat.deny,
        }
    }
}
