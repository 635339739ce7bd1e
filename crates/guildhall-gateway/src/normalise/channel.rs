//! Rooms and categories, from the channel objects of dispatches.

use std::collections::BTreeMap;

use guildhall_model::{
    Change, ChannelId, Guild, GuildId, Permissions, RoleId, UserId,
    guild::{Category, Overwrite, OverwriteTarget, Room, RoomInfo, RoomKind, RoomRights},
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{
    Context, Read,
    difference::room_changes,
    lenient::{Checked, Field, Flags, Oddities, Text},
    missing,
    occupancy::{self, Location},
};

/// Channel flag CHANNEL_OBFUSCATED: the bot may not view the channel, and what Discord sends of
/// it is made up. Known by the flag alone; a real channel may have the made-up name.
const OBFUSCATED: u32 = 17;

/// What we keep of a channel object.
#[derive(Debug, Deserialize)]
pub(super) struct ChannelObject {
    pub(super) id: ChannelId,
    #[serde(rename = "type")]
    kind: u64,
    #[serde(default)]
    guild_id: Field<GuildId>,
    #[serde(default)]
    name: Field<Text>,
    /// Browsers compare it as a number, and a guild has 500 channels.
    #[serde(default)]
    position: Field<i32>,
    /// At most 99 in a voice channel and 10,000 in a stage.
    #[serde(default)]
    user_limit: Field<u16>,
    #[serde(default)]
    parent_id: Field<ChannelId>,
    #[serde(default)]
    flags: Flags,
    #[serde(default)]
    permission_overwrites: Overwrites,
}

impl Checked for ChannelObject {
    fn check(&self, oddities: &mut Oddities) {
        let Self {
            id: _,
            kind: _,
            guild_id,
            name,
            position,
            user_limit,
            parent_id,
            flags,
            permission_overwrites,
        } = self;
        oddities.stale_if(guild_id.is_odd(), "guild_id");
        oddities.stale_if(flags.is_odd(), "flags");
        if self.kind() == ChannelType::Other || self.flags.has(OBFUSCATED) {
            // Nothing else of it is kept.
            return;
        }
        oddities.text(name, "name");
        oddities.stale_if(name.is_not_set(), "name");
        // Absent ones are fine where they are known: see `check_rights`.
        let unreadable = matches!(permission_overwrites, Overwrites::Unreadable);
        oddities.stale_if(unreadable, "permission_overwrites");
        if self.kind() == ChannelType::Category {
            return;
        }
        oddities.stale_if(position.is_odd_or_null(), "position");
        oddities.stale_if(user_limit.is_odd_or_null(), "user_limit");
        oddities.stale_if(parent_id.is_odd(), "parent_id");
    }
}

/// The overwrites of a channel object.
#[derive(Debug, Default)]
enum Overwrites {
    #[default]
    Absent,
    Read(Vec<Overwrite>),
    /// Who may see the channel is not known.
    Unreadable,
}

/// What a channel is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChannelType {
    Room(RoomKind),
    Category,
    /// Text, threads, forums and whatever comes.
    Other,
}

/// CHANNEL_CREATE and CHANNEL_UPDATE: each may be the first one we hear of a channel.
pub(super) fn created_or_updated(data: &str, context: &Context<'_>) -> Read {
    let channel: ChannelObject = serde_json::from_str(data)?;
    let around = channel.parent_id.get().copied().unwrap_or(channel.id);
    let Some((guild_id, guild)) = guild_of(&channel.guild_id, [channel.id, around], context)?
    else {
        return Ok(None);
    };
    let changes = match channel.kind() {
        ChannelType::Room(kind) => {
            let known = guild.rooms.get(&channel.id);
            let room = channel.room(kind, known, &guild.categories);
            let changes = match known {
                Some(known) => room_changes(known, &room),
                None => [Change::RoomCreated(room)]
                    .into_iter()
                    .chain(occupancy::waiting_join(guild, channel.id))
                    .collect(),
            };
            category_removed(guild, channel.id)
                .into_iter()
                .chain(changes)
                .collect()
        }
        ChannelType::Category => {
            let category = channel.category(guild.categories.get(&channel.id));
            let set = category.map(|category| category_set(guild, channel.id, category));
            let turned = no_room_now(guild, channel.id);
            turned.chain(set.unwrap_or_default()).collect()
        }
        ChannelType::Other => no_room_now(guild, channel.id)
            .chain(category_removed(guild, channel.id))
            .collect(),
    };
    let mut oddities = Oddities::of(&channel);
    channel.check_rights(Some(guild), &mut oddities);
    let delta = context.delta(guild_id, changes);
    Ok(Some(delta.with_oddities(oddities)))
}

/// CHANNEL_DELETE. The voice states of those who were in it may come before it or after it.
pub(super) fn deleted(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Deleted {
        id: ChannelId,
        #[serde(default)]
        guild_id: Field<GuildId>,
    }
    let channel: Deleted = serde_json::from_str(data)?;
    let Some((guild_id, guild)) = guild_of(&channel.guild_id, [channel.id; 2], context)? else {
        return Ok(None);
    };
    let gone = room_deleted(guild, channel.id).into_iter();
    let gone = gone
        .chain(occupancy::wait_no_more(guild, channel.id))
        .chain(category_removed(guild, channel.id));
    let mut oddities = Oddities::default();
    oddities.stale_if(channel.guild_id.is_odd(), "guild_id");
    let delta = context.delta(guild_id, gone.collect());
    Ok(Some(delta.with_oddities(oddities)))
}

impl ChannelObject {
    pub(super) fn kind(&self) -> ChannelType {
        match self.kind {
            2 => ChannelType::Room(RoomKind::Voice),
            13 => ChannelType::Room(RoomKind::Stage),
            4 => ChannelType::Category,
            _ => ChannelType::Other,
        }
    }

    /// Who may see the channel is said neither by this nor by what was known of it: one never
    /// seen, or one that was hidden, whose overwrites may be others by now.
    fn rights_unknown(&self, known: Option<&RoomRights>) -> bool {
        match self.permission_overwrites {
            Overwrites::Read(_) => false,
            Overwrites::Unreadable => true,
            Overwrites::Absent => known.is_none_or(|known| known.obfuscated),
        }
    }

    /// What [`Checked::check`] cannot see, since it hangs on what was known of the guild.
    pub(super) fn check_rights(&self, guild: Option<&Guild>, oddities: &mut Oddities) {
        let known = match self.kind() {
            ChannelType::Room(_) => {
                guild.and_then(|guild| Some(&guild.rooms.get(&self.id)?.rights))
            }
            ChannelType::Category => {
                guild.and_then(|guild| Some(&guild.categories.get(&self.id)?.rights))
            }
            ChannelType::Other => return,
        };
        let unknown = !self.flags.has(OBFUSCATED) && self.rights_unknown(known);
        oddities.stale_if(unknown, "permission_overwrites");
    }

    /// What of a channel's rights is said, and where nothing is, was known. What an obfuscated one
    /// says of them is false.
    fn rights(&self, known: Option<&RoomRights>) -> RoomRights {
        let obfuscated = self.flags.has(OBFUSCATED);
        match &self.permission_overwrites {
            Overwrites::Read(overwrites) if !obfuscated => RoomRights {
                overwrites: overwrites.clone(),
                obfuscated,
            },
            _ => RoomRights {
                overwrites: known
                    .map(|known| known.overwrites.clone())
                    .unwrap_or_default(),
                // Not always what Discord said, but its effect: nobody is shown a room of unknown
                // rights.
                obfuscated: obfuscated || self.rights_unknown(known),
            },
        }
    }

    /// The room as it is now. What an obfuscated channel says of itself is false, so then
    /// everything but the obfuscation stays as it was known.
    pub(super) fn room(
        &self,
        kind: RoomKind,
        known: Option<&Room>,
        categories: &BTreeMap<ChannelId, Category>,
    ) -> Room {
        let obfuscated = self.flags.has(OBFUSCATED);
        let mut info = match known {
            Some(known) if obfuscated => known.info.clone(),
            _ => self.info(kind, known),
        };
        info.parent_name = info
            .parent_id
            .and_then(|parent| Some(categories.get(&parent)?.name.clone()));
        let rights = self.rights(known.map(|known| &known.rights));
        Room { info, rights }
    }

    fn info(&self, kind: RoomKind, known: Option<&Room>) -> RoomInfo {
        let known = known.map(|known| &known.info);
        let name = self.name.text().or(known.map(|known| known.name.as_str()));
        let position = self.position.get().copied().map(i64::from);
        let position = position.or(known.map(|known| known.position));
        let user_limit = self.user_limit.get().copied().map(u32::from);
        let user_limit = user_limit.or(known.map(|known| known.user_limit));
        let parent_id = match &self.parent_id {
            Field::Odd => known.and_then(|known| known.parent_id),
            sent => sent.get().copied(),
        };
        RoomInfo {
            channel_id: self.id,
            name: name.unwrap_or_default().to_owned(),
            kind,
            parent_id: parent_id.filter(|parent| *parent != self.id),
            parent_name: None,
            position: position.unwrap_or_default(),
            user_limit: user_limit.unwrap_or_default(),
            managed: known.and_then(|known| known.managed),
            status: known.and_then(|known| known.status.clone()),
        }
    }

    /// The category as it is now, unless only a made-up name of it ever came.
    pub(super) fn category(&self, known: Option<&Category>) -> Option<Category> {
        let sent = self.name.text().filter(|_| !self.flags.has(OBFUSCATED));
        let name = sent.or(known.map(|known| known.name.as_str()))?;
        Some(Category {
            name: name.to_owned(),
            rights: self.rights(known.map(|known| &known.rights)),
        })
    }
}

impl<'de> Deserialize<'de> for Overwrites {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Entry {
            id: RoleId,
            #[serde(rename = "type")]
            kind: u64,
            allow: Permissions,
            deny: Permissions,
        }
        let raw = <&RawValue>::deserialize(deserializer)?;
        let Ok(entries) = serde_json::from_str::<Vec<Entry>>(raw.get()) else {
            return Ok(Self::Unreadable);
        };
        let read = |entry: Entry| {
            let target = match entry.kind {
                0 => OverwriteTarget::Role(entry.id),
                1 => OverwriteTarget::Member(UserId(entry.id.0)),
                _ => return None,
            };
            Some(Overwrite {
                target,
                allow: entry.allow,
                deny: entry.deny,
            })
        };
        let overwrites: Option<Vec<Overwrite>> = entries.into_iter().map(read).collect();
        Ok(overwrites.map_or(Self::Unreadable, |mut overwrites| {
            // Their order means nothing, so it must not look like a change.
            overwrites.sort_by_key(|overwrite| match overwrite.target {
                OverwriteTarget::Role(role) => (0, role.0),
                OverwriteTarget::Member(user) => (1, user.0),
            });
            Self::Read(overwrites)
        }))
    }
}

/// The guild of a channel object, which may not name it: then that of the channel or its category.
pub(super) fn guild_of<'a>(
    named: &Field<GuildId>,
    around: [ChannelId; 2],
    context: &Context<'a>,
) -> Result<Option<(GuildId, &'a Guild)>, serde_json::Error> {
    if let Field::Set(guild_id) = named {
        return Ok(context.guild(*guild_id).map(|guild| (*guild_id, guild)));
    }
    let mut guilds = context.world.guilds.iter();
    let has = |guild: &Guild, channel: &ChannelId| {
        guild.rooms.contains_key(channel)
            || guild.categories.contains_key(channel)
            || guild.pending(*channel).next().is_some()
    };
    match guilds.find(|(_, guild)| around.iter().any(|channel| has(guild, channel))) {
        Some((guild_id, guild)) => Ok(Some((*guild_id, guild))),
        None if named.is_odd() => Err(missing("guild_id")),
        None => Ok(None),
    }
}

/// The channel is of another type now. Its occupants leave before the room goes, and wait for when
/// it is a room again.
fn no_room_now(guild: &Guild, channel_id: ChannelId) -> impl Iterator<Item = Change> {
    let deleted = room_deleted(guild, channel_id).into_iter();
    deleted.chain(occupancy::wait_again(guild, channel_id))
}

/// A room's occupants leave before it goes, each once.
fn room_deleted(guild: &Guild, channel_id: ChannelId) -> Vec<Change> {
    if !guild.rooms.contains_key(&channel_id) {
        return Vec::new();
    }
    let left = guild
        .occupants(channel_id)
        .flat_map(|there| occupancy::changes(Location::Room(there), Location::Nowhere));
    left.chain([Change::RoomDeleted { channel_id }]).collect()
}

fn category_set(guild: &Guild, channel_id: ChannelId, category: Category) -> Vec<Change> {
    if guild.categories.get(&channel_id) == Some(&category) {
        return Vec::new();
    }
    let name = category.name.clone();
    let set = Change::CategorySet {
        channel_id,
        category,
    };
    let others = rooms_in(guild, channel_id);
    let others = others.filter(|room| room.parent_name.as_ref() != Some(&name));
    let renamed = others.map(|room| RoomInfo {
        parent_name: Some(name.clone()),
        ..room.clone()
    });
    [set]
        .into_iter()
        .chain(renamed.map(Change::RoomUpdated))
        .collect()
}

/// A category's rooms stay and are in none.
fn category_removed(guild: &Guild, channel_id: ChannelId) -> Vec<Change> {
    if !guild.categories.contains_key(&channel_id) {
        return Vec::new();
    }
    let removed = Change::CategoryRemoved { channel_id };
    let freed = rooms_in(guild, channel_id).map(|room| RoomInfo {
        parent_id: None,
        parent_name: None,
        ..room.clone()
    });
    [removed]
        .into_iter()
        .chain(freed.map(Change::RoomUpdated))
        .collect()
}

fn rooms_in(guild: &Guild, category: ChannelId) -> impl Iterator<Item = &RoomInfo> {
    let infos = guild.rooms.values().map(|room| &room.info);
    infos.filter(move |info| info.parent_id == Some(category))
}
