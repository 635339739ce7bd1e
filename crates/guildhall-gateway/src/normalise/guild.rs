//! Guilds that come, change, go, or are in an outage.

use std::collections::BTreeMap;

use guildhall_model::{
    Change, ChannelId, Event, Guild, GuildId, UserId,
    guild::{GuildInfo, Occupant, Overwrite, OverwriteTarget, Room},
};
use serde::Deserialize;

use super::{
    Context, GuildDelta, GuildTransition, Read,
    channel::{ChannelObject, ChannelType},
    difference::difference,
    lenient::{Checked, Field, LenientList, Oddities, Text},
    member::{GuildProfile, MemberObject},
    missing,
    occupancy::Location,
    pending,
    role::RoleObject,
    voice::VoiceState,
};

/// What we keep of GUILD_CREATE. In an outage it may be nothing but id and `unavailable`.
#[derive(Debug, Deserialize)]
struct Created {
    id: GuildId,
    #[serde(default)]
    unavailable: Field<bool>,
    #[serde(default)]
    name: Field<Text>,
    #[serde(default)]
    icon: Field<Text>,
    #[serde(default)]
    owner_id: Field<UserId>,
    #[serde(default)]
    roles: Field<LenientList<RoleObject>>,
    #[serde(default)]
    channels: Field<LenientList<ChannelObject>>,
    #[serde(default)]
    voice_states: Field<LenientList<VoiceState>>,
    #[serde(default)]
    members: Field<LenientList<MemberObject>>,
}

impl Checked for Created {
    fn check(&self, oddities: &mut Oddities) {
        let Self {
            id,
            unavailable,
            name,
            icon,
            owner_id,
            roles,
            channels,
            voice_states,
            members,
        } = self;
        oddities.stale_if(unavailable.is_odd(), "unavailable");
        oddities.text(name, "name");
        oddities.stale_if(name.is_not_set(), "name");
        oddities.harmless_if(icon.is_odd(), "icon");
        oddities.stale_if(owner_id.is_not_set(), "owner_id");
        oddities.list(roles, "roles");
        let everyone = roles.entries().any(|role| role.is_everyone(*id));
        oddities.stale_if(!everyone, "roles");
        oddities.list(channels, "channels");
        oddities.list(voice_states, "voice_states");
        oddities.list(members, "members");
    }
}

/// GUILD_CREATE: the bot's guilds after READY, one back from an outage, or a new one.
///
/// Nothing marks which, so what is known decides: a new guild comes whole, of a known one come the
/// differences, which no dispatch said as they happened.
pub(super) fn created(data: &str, context: &Context<'_>) -> Read {
    let created: Created = serde_json::from_str(data)?;
    let known = context.guild(created.id);
    if created.unavailable == Field::Set(true) {
        return Ok(Some(outage(created.id, known, context)));
    }
    let mut now = created.guild(known, context)?;
    let dropped = pending::shorten(&mut now.pending_voice).len();
    let delta = match known {
        None => context.delta(
            created.id,
            vec![Change::GuildAvailable(Some(Box::new(now)))],
        ),
        Some(known) => back(created.id, known, &now, context),
    };
    let mut delta = delta.with_members(context, created.members_listed());
    delta.oddities = Oddities::of(&created);
    for channel in created.channels.entries() {
        channel.check_rights(known, &mut delta.oddities);
    }
    delta.pending_dropped += dropped;
    let transition = if delta.oddities.stale.is_none() {
        GuildTransition::Came
    } else {
        GuildTransition::CameInPart
    };
    Ok(Some(delta.with_transition(transition)))
}

/// GUILD_UPDATE: name, icon, owner. It has neither channels nor voice states, which is no news
/// of them.
pub(super) fn updated(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Updated {
        id: GuildId,
        #[serde(default)]
        name: Field<Text>,
        #[serde(default)]
        icon: Field<Text>,
        #[serde(default)]
        owner_id: Field<UserId>,
    }
    let updated: Updated = serde_json::from_str(data)?;
    let Some(known) = context.guild(updated.id) else {
        return Ok(None);
    };
    let name = updated.name.text().unwrap_or(&known.info.name);
    let info = GuildInfo {
        name: name.to_owned(),
        icon: icon(&updated.icon, Some(known)),
    };
    let owner = updated.owner_id.get().copied();
    let owner = owner.filter(|owner| *owner != known.owner_id);
    let renamed = (info != known.info).then_some(Change::GuildUpdated(info));
    let handed = owner.map(|owner_id| Change::OwnerChanged { owner_id });
    let changes = renamed.into_iter().chain(handed).collect();
    let mut oddities = Oddities::default();
    oddities.text(&updated.name, "name");
    oddities.stale_if(updated.name.is_odd_or_null(), "name");
    oddities.harmless_if(updated.icon.is_odd(), "icon");
    oddities.stale_if(updated.owner_id.is_odd_or_null(), "owner_id");
    let delta = context.delta(updated.id, changes);
    Ok(Some(delta.with_oddities(oddities)))
}

/// Absent or odd, it is as it was known.
fn icon(icon: &Field<Text>, known: Option<&Guild>) -> Option<String> {
    match icon {
        Field::Absent | Field::Odd => known.and_then(|known| known.info.icon.clone()),
        Field::Null => None,
        Field::Set(icon) => Some(icon.text.clone()),
    }
}

/// GUILD_DELETE: an outage if it says so, else the bot was removed.
pub(super) fn deleted(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Deleted {
        id: GuildId,
        #[serde(default)]
        unavailable: Field<bool>,
    }
    let deleted: Deleted = serde_json::from_str(data)?;
    let known = context.guild(deleted.id);
    // What could not be read is taken for the lesser of the two, which a fresh READY mends.
    let odd = deleted.unavailable.is_odd_or_null();
    if odd || deleted.unavailable == Field::Set(true) {
        let mut delta = outage(deleted.id, known, context);
        delta.oddities.stale_if(odd, "unavailable");
        return Ok(Some(delta));
    }
    let removed = known.map(|_| Change::GuildRemoved).into_iter().collect();
    let delta = context.delta(deleted.id, removed);
    Ok(Some(delta.with_transition(GuildTransition::Gone)))
}

fn outage(guild_id: GuildId, known: Option<&Guild>, context: &Context<'_>) -> GuildDelta {
    let first = known.filter(|known| known.available);
    let changes = first
        .map(|_| Change::GuildUnavailable)
        .into_iter()
        .collect();
    let delta = context.delta(guild_id, changes);
    delta.with_transition(GuildTransition::Unavailable)
}

fn back(guild_id: GuildId, known: &Guild, now: &Guild, context: &Context<'_>) -> GuildDelta {
    let available = (!known.available).then_some(Change::GuildAvailable(None));
    let available = available.map(|change| context.event(guild_id, change));
    let mut delta = context.delta(guild_id, difference(known, now));
    let events = delta.events.into_iter().map(|event| Event {
        synthetic: true,
        ..event
    });
    delta.events = events.chain(available).collect();
    delta
}

impl Created {
    /// The guild as it is now. What the payload leaves open, which Discord's never does, stays as
    /// it was known; without roles and channels it is no guild.
    fn guild(
        &self,
        known: Option<&Guild>,
        context: &Context<'_>,
    ) -> Result<Guild, serde_json::Error> {
        let roles = self.roles.get().ok_or_else(|| missing("roles"))?;
        let channels = self.channels.get().ok_or_else(|| missing("channels"))?;
        let name = self.name.text();
        let name = name.or(known.map(|known| known.info.name.as_str()));
        let owner_id = self.owner_id.get().copied();
        let owner_id = owner_id.or(known.map(|known| known.owner_id));
        let mut guild = Guild {
            info: GuildInfo {
                name: name.ok_or_else(|| missing("name"))?.to_owned(),
                icon: match &self.icon {
                    Field::Absent => None,
                    sent => icon(sent, known),
                },
            },
            available: true,
            owner_id: owner_id.ok_or_else(|| missing("owner_id"))?,
            roles: BTreeMap::new(),
            categories: BTreeMap::new(),
            rooms: BTreeMap::new(),
            voice: BTreeMap::new(),
            pending_voice: BTreeMap::new(),
            memberships: known
                .map(|known| known.memberships.clone())
                .unwrap_or_default(),
        };
        // Every guild has this role, so a list without it is not all of them.
        let everyone = roles.read.iter().any(|role| role.is_everyone(self.id));
        let partial = roles.odd || !everyone;
        if let Some(known) = known.filter(|_| partial) {
            guild.roles.clone_from(&known.roles);
        }
        for role in &roles.read {
            let before = known.and_then(|known| known.roles.get(&role.id).copied());
            let permissions = role.permissions.get().copied().or(before);
            // One that could never be read gives nothing, but it is there: what overwrites deny
            // it is denied.
            guild.roles.insert(role.id, permissions.unwrap_or_default());
        }
        fill_rooms(&mut guild, channels, known);
        if partial {
            hide_unclear(&mut guild);
        }
        self.fill_voice(&mut guild, known, context);
        Ok(guild)
    }

    /// Voice states have no member in this dispatch: who they are is in `members`.
    fn fill_voice(&self, guild: &mut Guild, known: Option<&Guild>, context: &Context<'_>) {
        let complete = matches!(&self.voice_states, Field::Set(states) if !states.odd);
        if let Some(known) = known.filter(|_| !complete) {
            // Not all could be read, so who was there is there still, unless the channel went.
            let is_there = |there: &&Occupant| {
                guild.rooms.contains_key(&there.channel_id) || self.lists(there.channel_id)
            };
            let inside = known.voice.values().filter(is_there);
            let kept: Vec<Occupant> = inside
                .chain(known.pending_voice.values())
                .cloned()
                .collect();
            for there in kept {
                put(guild, Location::in_guild(guild, there));
            }
        }
        let members: BTreeMap<UserId, &MemberObject> = self
            .members
            .entries()
            .filter_map(|member| Some((member.user_id()?, member)))
            .collect();
        for state in self.voice_states.entries() {
            let user_id = state.user_id;
            let known = known.and_then(|known| Location::of(user_id, known).occupant());
            let member = state.member.get().or(members.get(&user_id).copied());
            guild.voice.remove(&user_id);
            guild.pending_voice.remove(&user_id);
            if let Some(channel_id) = state.channel_id {
                let profile = GuildProfile::of(self.id, user_id, member, known, context.cdn);
                let there = state.occupant(channel_id, profile, known, context.now);
                put(guild, Location::in_guild(guild, there));
            }
        }
    }

    fn lists(&self, channel_id: ChannelId) -> bool {
        let mut channels = self.channels.entries();
        channels.any(|channel| channel.id == channel_id)
    }

    fn members_listed(&self) -> impl Iterator<Item = (UserId, &MemberObject)> {
        let listed = self.members.entries();
        let listed = listed.filter_map(|member| Some((member.user_id()?, member)));
        let speaking = self.voice_states.entries();
        let speaking = speaking.filter_map(|state| Some((state.user_id, state.member.get()?)));
        listed.chain(speaking)
    }
}

fn put(guild: &mut Guild, location: Location<Occupant>) {
    match location {
        Location::Nowhere => {}
        Location::Room(there) => {
            guild.voice.insert(there.user_id, there);
        }
        Location::Pending(there) => {
            guild.pending_voice.insert(there.user_id, there);
        }
    }
}

/// Not all roles could be read, and a role that is not there denies nobody anything: the rooms whose
/// overwrites name such a role are shown to nobody until a full snapshot comes.
fn hide_unclear(guild: &mut Guild) {
    let Guild { roles, rooms, .. } = guild;
    let unclear = |overwrite: &Overwrite| match overwrite.target {
        OverwriteTarget::Role(role) => !roles.contains_key(&role),
        OverwriteTarget::Member(_) => false,
    };
    for room in rooms.values_mut() {
        room.rights.obfuscated |= room.rights.overwrites.iter().any(unclear);
    }
}

/// Categories first: rooms carry their names.
fn fill_rooms(guild: &mut Guild, channels: &LenientList<ChannelObject>, known: Option<&Guild>) {
    if let Some(known) = known.filter(|_| channels.odd) {
        guild.categories.clone_from(&known.categories);
        guild.rooms.clone_from(&known.rooms);
        // What can be read may be something else now.
        for channel in &channels.read {
            guild.categories.remove(&channel.id);
            guild.rooms.remove(&channel.id);
        }
    }
    let odd = channels.odd;
    let channels = &channels.read;
    for channel in channels {
        if channel.kind() != ChannelType::Category {
            continue;
        }
        // Of one that is listed twice the later word is about the earlier one.
        let listed = guild.categories.get(&channel.id);
        let before = || known.and_then(|known| known.categories.get(&channel.id));
        if let Some(category) = channel.category(listed.or_else(before)) {
            guild.categories.insert(channel.id, category);
        }
    }
    for channel in channels {
        if let ChannelType::Room(kind) = channel.kind() {
            let before = known.and_then(|known| known.rooms.get(&channel.id));
            let room = channel.room(kind, before, &guild.categories);
            guild.rooms.insert(channel.id, room);
        }
    }
    if odd {
        for Room { info, .. } in guild.rooms.values_mut() {
            let parent = info.parent_id.and_then(|id| guild.categories.get(&id));
            info.parent_name = parent.map(|parent| parent.name.clone());
        }
    }
}
