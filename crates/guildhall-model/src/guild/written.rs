//! How a guild is read and written. The rights of its categories stand beside their names, since they
//! came later: who does not know of them reads the names as before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    ChannelId, Permissions, RoleId, UserId,
    guild::{Category, Guild, GuildInfo, Membership, Occupant, Room, RoomRights},
};

/// The fields of a [`Guild`], as they are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WrittenGuild {
    info: GuildInfo,
    available: bool,
    owner_id: UserId,
    roles: BTreeMap<RoleId, Permissions>,
    categories: BTreeMap<ChannelId, String>,
    #[serde(default)]
    category_rights: BTreeMap<ChannelId, RoomRights>,
    rooms: BTreeMap<ChannelId, Room>,
    voice: BTreeMap<UserId, Occupant>,
    #[serde(default)]
    pending_voice: BTreeMap<UserId, Occupant>,
    memberships: BTreeMap<UserId, Membership>,
}

impl From<WrittenGuild> for Guild {
    fn from(mut read: WrittenGuild) -> Self {
        let categories = read.categories.into_iter().map(|(channel_id, name)| {
            let rights = read.category_rights.remove(&channel_id);
            let rights = rights.unwrap_or_default();
            (channel_id, Category { name, rights })
        });
        Self {
            info: read.info,
            available: read.available,
            owner_id: read.owner_id,
            roles: read.roles,
            categories: categories.collect(),
            rooms: read.rooms,
            voice: read.voice,
            pending_voice: read.pending_voice,
            memberships: read.memberships,
        }
    }
}

/// The same, as they are written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    info: &'a GuildInfo,
    available: bool,
    owner_id: UserId,
    roles: &'a BTreeMap<RoleId, Permissions>,
    categories: BTreeMap<ChannelId, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    category_rights: BTreeMap<ChannelId, &'a RoomRights>,
    rooms: &'a BTreeMap<ChannelId, Room>,
    voice: &'a BTreeMap<UserId, Occupant>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pending_voice: &'a BTreeMap<UserId, Occupant>,
    memberships: &'a BTreeMap<UserId, Membership>,
}

impl Serialize for Guild {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let categories = || self.categories.iter();
        let of_its_own = |(_, category): &(_, &Category)| category.rights != RoomRights::default();
        let written = Written {
            info: &self.info,
            available: self.available,
            owner_id: self.owner_id,
            roles: &self.roles,
            categories: categories().map(|(id, one)| (*id, &*one.name)).collect(),
            category_rights: categories()
                .filter(of_its_own)
                .map(|(id, one)| (*id, &one.rights))
                .collect(),
            rooms: &self.rooms,
            voice: &self.voice,
            pending_voice: &self.pending_voice,
            memberships: &self.memberships,
        };
        written.serialize(serializer)
    }
}
