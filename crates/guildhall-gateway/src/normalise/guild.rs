use std::collections::BTreeMap;

use guildhall_model::{
    Change, Event, Guild, GuildId, UserId,
    world::{GuildInfo, Occupant},
};
use serde::Deserialize;

use super::{
    Context, GuildNews, MemberSeen, Read, Told,
    channel::{Channel, Kind},
    difference::difference,
    lenient::{self, Entries, Field},
    member::{Look, Member},
    missing,
    role::Role,
    voice::VoiceState,
};

/// What we keep of GUILD_CREATE. In an outage it may be nothing but id and `unavailable`.
#[derive(Debug, Deserialize)]
struct Created {
    id: GuildId,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    unavailable: Option<bool>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    icon: Option<String>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    owner_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::entries")]
    roles: Option<Entries<Role>>,
    #[serde(default, deserialize_with = "lenient::entries")]
    channels: Option<Entries<Channel>>,
    #[serde(default, deserialize_with = "lenient::entries")]
    voice_states: Option<Entries<VoiceState>>,
    #[serde(default, deserialize_with = "lenient::readable")]
    members: Option<Vec<Member>>,
}

/// GUILD_CREATE: the bot's guilds after READY, one back from an outage, or a new one.
///
/// Nothing marks which, so what is known decides: a new guild comes whole, of a known one the
/// differences, which nobody told as they happened.
pub(super) fn created(data: &str, context: &Context<'_>) -> Read {
    let created: Created = serde_json::from_str(data)?;
    let known = context.guild(created.id);
    if created.unavailable == Some(true) {
        return Ok(Some(outage(created.id, known, context)));
    }
    let now = created.guild(known, context)?;
    let told = match known {
        None => context.told(
            created.id,
            vec![Change::GuildAvailable(Some(Box::new(now)))],
        ),
        Some(known) => back(created.id, known, &now, context),
    };
    let told = told.with_members(created.members_seen());
    let news = if created.is_whole() {
        GuildNews::Came
    } else {
        GuildNews::CameInPart
    };
    Ok(Some(told.with_news(news)))
}

/// GUILD_UPDATE: name, icon, owner. It has neither channels nor voice states, which is no news
/// of them.
pub(super) fn updated(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Updated {
        id: GuildId,
        #[serde(default, deserialize_with = "lenient::odd_is_none")]
        name: Option<String>,
        #[serde(default)]
        icon: Field<String>,
        #[serde(default, deserialize_with = "lenient::odd_is_none")]
        owner_id: Option<UserId>,
    }
    let updated: Updated = serde_json::from_str(data)?;
    let Some(known) = context.guild(updated.id) else {
        return Ok(None);
    };
    let info = GuildInfo {
        name: updated.name.unwrap_or_else(|| known.info.name.clone()),
        icon: match updated.icon {
            Field::Absent => known.info.icon.clone(),
            Field::Null => None,
            Field::Set(icon) => Some(icon),
        },
    };
    let owner = updated.owner_id.filter(|owner| *owner != known.owner_id);
    let renamed = (info != known.info).then_some(Change::GuildUpdated(info));
    let handed = owner.map(|owner_id| Change::OwnerChanged { owner_id });
    let changes = renamed.into_iter().chain(handed).collect();
    Ok(Some(context.told(updated.id, changes)))
}

/// GUILD_DELETE: an outage if it says so, else the bot was removed.
pub(super) fn deleted(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Deleted {
        id: GuildId,
        #[serde(default, deserialize_with = "lenient::odd_is_none")]
        unavailable: Option<bool>,
    }
    let deleted: Deleted = serde_json::from_str(data)?;
    let known = context.guild(deleted.id);
    if deleted.unavailable == Some(true) {
        return Ok(Some(outage(deleted.id, known, context)));
    }
    let removed = known.map(|_| Change::GuildRemoved).into_iter().collect();
    let told = context.told(deleted.id, removed);
    Ok(Some(told.with_news(GuildNews::Gone)))
}

fn outage(guild_id: GuildId, known: Option<&Guild>, context: &Context<'_>) -> Told {
    let first = known.filter(|known| known.available);
    let changes = first
        .map(|_| Change::GuildUnavailable)
        .into_iter()
        .collect();
    let told = context.told(guild_id, changes);
    told.with_news(GuildNews::Unavailable)
}

fn back(guild_id: GuildId, known: &Guild, now: &Guild, context: &Context<'_>) -> Told {
    let available = (!known.available).then_some(Change::GuildAvailable(None));
    let available = available.map(|change| context.event(guild_id, change));
    let mut told = context.told(guild_id, difference(known, now));
    let events = told.events.into_iter().map(|event| Event {
        synthetic: true,
        ..event
    });
    told.events = events.chain(available).collect();
    told
}

impl Created {
    /// The guild as it is now. What the payload leaves open, which Discord's never does, stays as
    /// it was known; without roles and channels it is no guild.
    fn guild(
        &self,
        known: Option<&Guild>,
        context: &Context<'_>,
    ) -> Result<Guild, serde_json::Error> {
        let roles = self.roles.as_ref().ok_or_else(|| missing("roles"))?;
        let channels = self.channels.as_ref().ok_or_else(|| missing("channels"))?;
        let name = self
            .name
            .clone()
            .or(known.map(|known| known.info.name.clone()));
        let owner_id = self.owner_id.or(known.map(|known| known.owner_id));
        let mut guild = Guild {
            info: GuildInfo {
                name: name.ok_or_else(|| missing("name"))?,
                icon: self.icon.clone(),
            },
            available: true,
            owner_id: owner_id.ok_or_else(|| missing("owner_id"))?,
            roles: BTreeMap::new(),
            categories: BTreeMap::new(),
            rooms: BTreeMap::new(),
            voice: BTreeMap::new(),
            memberships: known
                .map(|known| known.memberships.clone())
                .unwrap_or_default(),
        };
        if let Some(known) = known.filter(|_| roles.odd) {
            guild.roles.clone_from(&known.roles);
        }
        for role in &roles.read {
            let before = known.and_then(|known| known.roles.get(&role.id).copied());
            if let Some(permissions) = role.permissions.or(before) {
                guild.roles.insert(role.id, permissions);
            }
        }
        fill_rooms(&mut guild, channels, known);
        self.fill_voice(&mut guild, known, context);
        Ok(guild)
    }

    /// Voice states have no member here: who they are is said by `members`.
    fn fill_voice(&self, guild: &mut Guild, known: Option<&Guild>, context: &Context<'_>) {
        let before = |user: &UserId| known.and_then(|known| known.voice.get(user));
        let Some(states) = &self.voice_states else {
            let kept = known.into_iter().flat_map(|known| known.voice.values());
            let kept = kept.filter(|there| guild.rooms.contains_key(&there.channel_id));
            guild.voice = kept.map(|there| (there.user_id, there.clone())).collect();
            return;
        };
        let members = self.members.iter().flatten();
        let members: BTreeMap<UserId, &Member> = members
            .filter_map(|member| Some((member.user_id()?, member)))
            .collect();
        if let Some(known) = known.filter(|_| states.odd) {
            let kept = known.voice.iter();
            let kept = kept.filter(|(_, there)| guild.rooms.contains_key(&there.channel_id));
            guild.voice = kept.map(|(user, there)| (*user, there.clone())).collect();
        }
        for state in &states.read {
            let user_id = state.user_id;
            let known = before(&user_id);
            let member = state.member.as_ref().or(members.get(&user_id).copied());
            let room = state
                .channel_id
                .filter(|room| guild.rooms.contains_key(room));
            let occupant = room.map(|room| -> Occupant {
                let look = Look::of(self.id, user_id, member, known, context.cdn);
                state.occupant(room, look, known, context.now)
            });
            match occupant {
                Some(occupant) => guild.voice.insert(user_id, occupant),
                None => guild.voice.remove(&user_id),
            };
        }
    }

    /// Whether all of it could be read. Where not, what is missing stays as it was known.
    fn is_whole(&self) -> bool {
        let roles = self.roles.as_ref().is_some_and(|roles| roles.odd);
        let channels = self.channels.as_ref().is_some_and(|channels| channels.odd);
        let states = self.voice_states.as_ref().is_some_and(|states| states.odd);
        !(roles || channels || states)
    }

    fn members_seen(&self) -> impl Iterator<Item = MemberSeen> {
        let listed = self.members.iter().flatten();
        let listed = listed.filter_map(|member| member.seen(member.user_id()?));
        let speaking = self.voice_states.iter().flat_map(|states| &states.read);
        let speaking = speaking.filter_map(|state| state.member.as_ref()?.seen(state.user_id));
        listed.chain(speaking)
    }
}

/// Categories first: rooms carry their names.
fn fill_rooms(guild: &mut Guild, channels: &Entries<Channel>, known: Option<&Guild>) {
    let nameless = BTreeMap::new();
    let names = known.map_or(&nameless, |known| &known.categories);
    if let Some(known) = known.filter(|_| channels.odd) {
        guild.categories.clone_from(&known.categories);
        guild.rooms.clone_from(&known.rooms);
    }
    let channels = &channels.read;
    for channel in channels {
        let name = channel.category_name(names);
        if let (Kind::Category, Some(name)) = (channel.kind(), name) {
            guild.categories.insert(channel.id, name.to_owned());
        }
    }
    for channel in channels {
        if let Kind::Room(kind) = channel.kind() {
            let before = known.and_then(|known| known.rooms.get(&channel.id));
            let room = channel.room(kind, before, &guild.categories);
            guild.rooms.insert(channel.id, room);
        }
    }
}
