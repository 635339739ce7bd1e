//! Members and users: names, avatars, and the roles that were read off a member object.

use guildhall_model::{
    Change, Guild, GuildId, RoleId, UserId,
    guild::{Membership, Occupant},
};
use serde::Deserialize;

use super::{
    Context, MemberSeen, Read,
    cdn::{Avatar, AvatarSource, Cdn},
    lenient::{self, Checked, Field, Flags, Oddities, Text},
    missing,
    occupancy::{self, Location},
};
use crate::timestamp::Timestamp;

/// Member flag IS_GUEST: invited to one voice channel only.
const GUEST: u32 = 4;

/// What we keep of a guild member object. `user` is absent in some dispatches.
#[derive(Debug, Deserialize)]
pub(super) struct MemberObject {
    #[serde(default, deserialize_with = "lenient::object")]
    user: Field<User>,
    #[serde(default)]
    nick: Field<Text>,
    #[serde(default)]
    avatar: Field<Text>,
    #[serde(default)]
    roles: Field<Vec<RoleId>>,
    #[serde(default)]
    flags: Option<Flags>,
    #[serde(default)]
    joined_at: Field<Text>,
    #[serde(default)]
    communication_disabled_until: Field<Timestamp>,
}

impl Checked for MemberObject {
    fn check(&self, oddities: &mut Oddities) {
        let Self {
            user,
            nick,
            avatar,
            roles,
            flags,
            joined_at,
            communication_disabled_until,
        } = self;
        oddities.stale_if(user.is_odd_or_null(), "user");
        oddities.within(user.get());
        oddities.text(nick, "nick");
        oddities.harmless_if(avatar.is_odd(), "avatar");
        oddities.stale_if(roles.is_odd_or_null(), "roles");
        oddities.stale_if(flags.is_some_and(Flags::is_odd), "flags");
        // It only says what the flags say, where there are none.
        oddities.stale_if(flags.is_none() && joined_at.is_odd(), "joined_at");
        // It decides what they may do.
        let timeout = communication_disabled_until;
        oddities.stale_if(timeout.is_odd(), "communication_disabled_until");
    }
}

/// What we keep of a user object.
#[derive(Debug, Deserialize)]
struct User {
    id: UserId,
    #[serde(default)]
    username: Field<Text>,
    #[serde(default)]
    discriminator: Field<Text>,
    #[serde(default)]
    global_name: Field<Text>,
    #[serde(default)]
    avatar: Field<Text>,
    #[serde(default)]
    bot: Field<bool>,
}

impl Checked for User {
    fn check(&self, oddities: &mut Oddities) {
        let Self {
            id: _,
            username,
            discriminator,
            global_name,
            avatar,
            bot,
        } = self;
        oddities.text(username, "username");
        oddities.stale_if(matches!(username, Field::Null), "username");
        oddities.text(global_name, "global_name");
        oddities.harmless_if(discriminator.is_odd(), "discriminator");
        oddities.harmless_if(avatar.is_odd(), "avatar");
        oddities.harmless_if(bot.is_odd_or_null(), "bot");
    }
}

/// Name and avatar of a user in a guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GuildProfile {
    pub(super) username: String,
    pub(super) display_name: String,
    pub(super) avatar: Avatar,
    pub(super) bot: bool,
}

#[derive(Deserialize)]
struct InGuild {
    guild_id: GuildId,
}

/// GUILD_MEMBER_ADD and GUILD_MEMBER_UPDATE, which also tells of changes to the user.
pub(super) fn added_or_updated(data: &str, context: &Context<'_>) -> Read {
    let InGuild { guild_id } = serde_json::from_str(data)?;
    let member: MemberObject = serde_json::from_str(data)?;
    let user_id = member.user_id().ok_or_else(|| missing("user"))?;
    let Some(guild) = context.guild(guild_id) else {
        return Ok(None);
    };
    let changes = profile_changed(guild_id, guild, user_id, &member, context.cdn);
    let delta = context.delta(guild_id, changes.into_iter().collect());
    let delta = delta.with_members(context, [(user_id, &member)]);
    Ok(Some(delta.with_oddities(Oddities::of(&member))))
}

/// GUILD_MEMBER_REMOVE: left, kicked or banned. In large guilds no voice state may follow.
pub(super) fn removed(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Removed {
        guild_id: GuildId,
        user: Gone,
    }
    #[derive(Deserialize)]
    struct Gone {
        id: UserId,
    }
    let Removed { guild_id, user } = serde_json::from_str(data)?;
    let Some(guild) = context.guild(guild_id) else {
        return Ok(None);
    };
    let left = occupancy::changes(Location::of(user.id, guild), Location::Nowhere);
    let mut delta = context.delta(guild_id, left);
    delta.members.push(MemberSeen {
        user_id: user.id,
        membership: Membership::Stranger,
    });
    Ok(Some(delta))
}

impl MemberObject {
    pub(super) fn user_id(&self) -> Option<UserId> {
        self.user.get().map(|user| user.id)
    }

    /// Whether it says something about the member's rights that could not be read.
    pub(super) fn has_unreadable_rights(&self) -> bool {
        self.roles.is_odd_or_null() || self.communication_disabled_until.is_odd()
    }

    /// What the object says about the member's rights: nothing without its roles. `known`: what
    /// they were before, if the object is news of that, and not all that there is to say.
    pub(super) fn membership(
        &self,
        user_id: UserId,
        known: Option<&Membership>,
    ) -> Option<MemberSeen> {
        let roles = self.roles.get()?.clone();
        // Without flags: a guest is the only member who never joined.
        let guest = match self.flags {
            Some(flags) => flags.has(GUEST),
            None => self.joined_at.is_odd_or_null(),
        };
        let is = if guest {
            Membership::guest(roles)
        } else {
            Membership::member(roles)
        };
        let timeout_until = match self.communication_disabled_until {
            Field::Set(Timestamp(until)) => Some(until),
            Field::Null => None,
            // No news of a timeout is not its end.
            Field::Absent | Field::Odd => known.and_then(Membership::timeout_until),
        };
        Some(MemberSeen {
            user_id,
            membership: is.timed_out_until(timeout_until),
        })
    }
}

impl GuildProfile {
    /// What the member object says; where it says nothing, what is known. A user of whom nothing at
    /// all is known goes by the id until the next dispatch about them.
    pub(super) fn of(
        guild_id: GuildId,
        user_id: UserId,
        member: Option<&MemberObject>,
        known: Option<&Occupant>,
        cdn: &Cdn,
    ) -> Self {
        let sent = member.and_then(|member| Some((member, member.user.get()?)));
        match (sent.filter(|(_, user)| user.id == user_id), known) {
            (Some((member, user)), known) => Self::sent(guild_id, member, user, known, cdn),
            (None, Some(known)) => Self {
                username: known.username.clone(),
                display_name: known.display_name.clone(),
                avatar: Avatar {
                    hash: known.avatar.clone(),
                    url: known.avatar_url.clone(),
                },
                bot: known.bot,
            },
            (None, None) => Self {
                username: user_id.to_string(),
                display_name: user_id.to_string(),
                avatar: cdn.avatar(AvatarSource {
                    guild_id,
                    user_id,
                    in_guild: None,
                    global: None,
                    discriminator: None,
                }),
                bot: false,
            },
        }
    }

    fn sent(
        guild_id: GuildId,
        member: &MemberObject,
        user: &User,
        known: Option<&Occupant>,
        cdn: &Cdn,
    ) -> Self {
        let username = non_empty(user.username.text())
            .or(known.map(|known| known.username.as_str()))
            .map_or_else(|| user.id.to_string(), str::to_owned);
        let global = non_empty(user.global_name.text());
        let nick = match (&member.nick, known) {
            (Field::Set(_), _) => non_empty(member.nick.text()),
            // An absent nickname is no news of it; a null one is.
            (Field::Absent | Field::Odd, Some(known)) => Some(known.display_name.as_str()),
            (Field::Absent | Field::Odd, None) | (Field::Null, _) => None,
        };
        let display_name = nick.or(global).unwrap_or(&username).to_owned();
        let avatar = cdn.avatar(AvatarSource {
            guild_id,
            user_id: user.id,
            in_guild: member.avatar.text(),
            global: user.avatar.text(),
            discriminator: user.discriminator.text(),
        });
        Self {
            username,
            display_name,
            avatar,
            bot: user.bot.get().copied().unwrap_or(false),
        }
    }
}

/// `voice.updated`, if they are in a room and their profile changed; `voice.pending` while they wait
/// for one.
fn profile_changed(
    guild_id: GuildId,
    guild: &Guild,
    user_id: UserId,
    member: &MemberObject,
    cdn: &Cdn,
) -> Option<Change> {
    let location = Location::of(user_id, guild);
    let known = location.occupant()?;
    let profile = GuildProfile::of(guild_id, user_id, Some(member), Some(known), cdn);
    let now = Occupant {
        username: profile.username,
        display_name: profile.display_name,
        avatar: profile.avatar.hash,
        avatar_url: profile.avatar.url,
        bot: profile.bot,
        ..known.clone()
    };
    let change = match location {
        Location::Pending(_) => Change::VoicePending,
        Location::Room(_) | Location::Nowhere => Change::VoiceUpdated,
    };
    (now != *known).then(|| change(now))
}

fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
