//! How rooms and their overwrites are read and written: with their fields side by side. serde reads
//! flattened fields through a list of all of them, which takes a multiple of the time.

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    ChannelId, Permissions, RoleId, UserId,
    guild::{Overwrite, OverwriteTarget, Room, RoomInfo, RoomKind, RoomManagement, RoomRights},
};

/// The public side of a room.
// The fields of a [`RoomInfo`], in the order in which they are written; what browsers are told of
// them is here as well.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = RoomInfo))]
pub(super) struct FlatInfo {
    /// The Discord channel.
    channel_id: ChannelId,
    /// Its name.
    name: String,
    /// Voice or stage.
    kind: RoomKind,
    /// The category it is in.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    parent_id: Option<ChannelId>,
    /// The category's name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    parent_name: Option<String>,
    /// Discord's sorting position.
    position: i64,
    /// How many fit in; 0: no limit.
    user_limit: u32,
    /// True: Guildhall made it, and the next three are there.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    managed: Option<bool>,
    /// Whose room it is.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    owner_id: Option<UserId>,
    /// Nobody new may enter.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    locked: Option<bool>,
    /// Who is not listed does not see it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    hidden: Option<bool>,
    /// The line of text below its name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    status: Option<String>,
}

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
    #[serde(default)]
    managed: Option<bool>,
    #[serde(default)]
    owner_id: Option<UserId>,
    #[serde(default)]
    locked: Option<bool>,
    #[serde(default)]
    hidden: Option<bool>,
    #[serde(default)]
    status: Option<String>,
    rights: RoomRights,
}

/// A room that is managed, and nobody's.
#[derive(Debug, thiserror::Error)]
#[error("missing field `ownerId`")]
pub(super) struct NoOwner;

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

impl TryFrom<FlatInfo> for RoomInfo {
    type Error = NoOwner;

    fn try_from(flat: FlatInfo) -> Result<Self, NoOwner> {
        let management = if flat.managed == Some(true) {
            Some(RoomManagement {
                owner_id: flat.owner_id.ok_or(NoOwner)?,
                locked: flat.locked.unwrap_or_default(),
                hidden: flat.hidden.unwrap_or_default(),
            })
        } else {
            None
        };
        Ok(Self {
            channel_id: flat.channel_id,
            name: flat.name,
            kind: flat.kind,
            parent_id: flat.parent_id,
            parent_name: flat.parent_name,
            position: flat.position,
            user_limit: flat.user_limit,
            managed: management,
            status: flat.status,
        })
    }
}

impl TryFrom<FlatRoom> for Room {
    type Error = NoOwner;

    fn try_from(flat: FlatRoom) -> Result<Self, NoOwner> {
        let info = FlatInfo {
            channel_id: flat.channel_id,
            name: flat.name,
            kind: flat.kind,
            parent_id: flat.parent_id,
            parent_name: flat.parent_name,
            position: flat.position,
            user_limit: flat.user_limit,
            managed: flat.managed,
            owner_id: flat.owner_id,
            locked: flat.locked,
            hidden: flat.hidden,
            status: flat.status,
        };
        Ok(Self {
            info: info.try_into()?,
            rights: flat.rights,
        })
    }
}

impl Serialize for RoomInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Written<'a> {
            channel_id: ChannelId,
            name: &'a str,
            kind: RoomKind,
            #[serde(skip_serializing_if = "Option::is_none")]
            parent_id: Option<ChannelId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            parent_name: Option<&'a str>,
            position: i64,
            user_limit: u32,
            #[serde(skip_serializing_if = "Option::is_none")]
            managed: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            owner_id: Option<UserId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            locked: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            hidden: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<&'a str>,
        }
        let managed = self.managed;
        let written = Written {
            channel_id: self.channel_id,
            name: &self.name,
            kind: self.kind,
            parent_id: self.parent_id,
            parent_name: self.parent_name.as_deref(),
            position: self.position,
            user_limit: self.user_limit,
            managed: managed.map(|_| true),
            owner_id: managed.map(|managed| managed.owner_id),
            locked: managed.map(|managed| managed.locked),
            hidden: managed.map(|managed| managed.hidden),
            status: self.status.as_deref(),
        };
        written.serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for RoomInfo {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        FlatInfo::schema()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for RoomInfo {
    fn name() -> std::borrow::Cow<'static, str> {
        "RoomInfo".into()
    }

    fn schemas(
        schemas: &mut Vec<(
            String,
            utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>,
        )>,
    ) {
        FlatInfo::schemas(schemas);
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
