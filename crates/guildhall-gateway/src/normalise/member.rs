use guildhall_model::{
    Change, Guild, GuildId, RoleId, UserId,
    world::{Membership, Occupant},
};
use serde::Deserialize;

use super::{
    Context, MemberSeen, Read,
    cdn::{Avatar, Cdn, Face},
    lenient::{self, Field, Flags},
    missing,
};

/// Member flag IS_GUEST: invited to one voice channel only.
const GUEST: u32 = 4;

/// What we keep of a guild member object. `user` is absent in some dispatches.
#[derive(Debug, Deserialize)]
pub(super) struct Member {
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    user: Option<User>,
    #[serde(default)]
    nick: Field<String>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    avatar: Option<String>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    roles: Option<Vec<RoleId>>,
    #[serde(default)]
    flags: Option<Flags>,
    #[serde(default)]
    joined_at: Field<String>,
}

/// What we keep of a user object.
#[derive(Debug, Deserialize)]
struct User {
    id: UserId,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    username: Option<String>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    discriminator: Option<String>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    global_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    avatar: Option<String>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    bot: Option<bool>,
}

/// How somebody looks in a guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
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
pub(super) fn seen(data: &str, context: &Context<'_>) -> Read {
    let InGuild { guild_id } = serde_json::from_str(data)?;
    let member: Member = serde_json::from_str(data)?;
    let user_id = member.user_id().ok_or_else(|| missing("user"))?;
    let Some(guild) = context.guild(guild_id) else {
        return Ok(None);
    };
    let changes = renamed(guild_id, guild, user_id, &member, context.cdn);
    let told = context.told(guild_id, changes.into_iter().collect());
    Ok(Some(told.with_members(member.seen(user_id))))
}

/// GUILD_MEMBER_REMOVE: left, kicked or banned. In large guilds no voice state may follow.
pub(super) fn removed(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Removed {
        guild_id: GuildId,
        user: User,
    }
    let Removed { guild_id, user } = serde_json::from_str(data)?;
    let Some(guild) = context.guild(guild_id) else {
        return Ok(None);
    };
    let left = guild.voice.get(&user.id).map(|there| Change::VoiceLeft {
        previous_channel_id: there.channel_id,
        user_id: user.id,
    });
    let stranger = MemberSeen {
        user_id: user.id,
        membership: Membership::Stranger,
    };
    let told = context.told(guild_id, left.into_iter().collect());
    Ok(Some(told.with_members([stranger])))
}

impl Member {
    pub(super) fn user_id(&self) -> Option<UserId> {
        self.user.as_ref().map(|user| user.id)
    }

    /// What the object says about the member's rights: nothing without its roles.
    pub(super) fn seen(&self, user_id: UserId) -> Option<MemberSeen> {
        let roles = self.roles.clone()?;
        // Without flags: a guest is the only member who never joined.
        let guest = match self.flags {
            Some(flags) => flags.has(GUEST),
            None => self.joined_at == Field::Null,
        };
        Some(MemberSeen {
            user_id,
            membership: Membership::member(roles, guest),
        })
    }
}

impl Look {
    /// What the member object says; where it says nothing, what is known. Somebody of whom
    /// nothing at all is known goes by his id until the next dispatch about him.
    pub(super) fn of(
        guild_id: GuildId,
        user_id: UserId,
        member: Option<&Member>,
        known: Option<&Occupant>,
        cdn: &Cdn,
    ) -> Self {
        let told = member.and_then(|member| Some((member, member.user.as_ref()?)));
        match (told.filter(|(_, user)| user.id == user_id), known) {
            (Some((member, user)), known) => Self::told(guild_id, member, user, known, cdn),
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
                avatar: cdn.avatar(Face {
                    guild_id,
                    user_id,
                    here: None,
                    everywhere: None,
                    discriminator: None,
                }),
                bot: false,
            },
        }
    }

    fn told(
        guild_id: GuildId,
        member: &Member,
        user: &User,
        known: Option<&Occupant>,
        cdn: &Cdn,
    ) -> Self {
        let username = said(user.username.as_deref())
            .or(known.map(|known| known.username.as_str()))
            .map_or_else(|| user.id.to_string(), str::to_owned);
        let global = said(user.global_name.as_deref());
        let nick = match (&member.nick, known) {
            (Field::Set(nick), _) => said(Some(nick)),
            // An absent nickname is no news of it; a null one is.
            (Field::Absent, Some(known)) => Some(known.display_name.as_str()),
            (Field::Absent, None) | (Field::Null, _) => None,
        };
        let display_name = nick.or(global).unwrap_or(&username).to_owned();
        let avatar = cdn.avatar(Face {
            guild_id,
            user_id: user.id,
            here: member.avatar.as_deref(),
            everywhere: user.avatar.as_deref(),
            discriminator: user.discriminator.as_deref(),
        });
        Self {
            username,
            display_name,
            avatar,
            bot: user.bot.unwrap_or(false),
        }
    }
}

/// `voice.updated`, if they are in a room and look different now.
fn renamed(
    guild_id: GuildId,
    guild: &Guild,
    user_id: UserId,
    member: &Member,
    cdn: &Cdn,
) -> Option<Change> {
    let known = guild.voice.get(&user_id)?;
    let look = Look::of(guild_id, user_id, Some(member), Some(known), cdn);
    let now = Occupant {
        username: look.username,
        display_name: look.display_name,
        avatar: look.avatar.hash,
        avatar_url: look.avatar.url,
        bot: look.bot,
        ..known.clone()
    };
    (now != *known).then_some(Change::VoiceUpdated(now))
}

fn said(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
