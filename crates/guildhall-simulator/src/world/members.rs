//! People and memberships.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Edit, Event, Guild, Intents, Member, Presence, User, World,
    audit::{Action, change},
    change::{Changed, Refusal},
    entity::Ban,
    payload::{MemberObject, UserObject, current_user},
    thread_members, voice,
};
use crate::snowflake::Snowflake;

/// A person or bot to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewUser {
    /// A chosen id, or a fresh one.
    pub(crate) id: Option<Snowflake>,
    pub(crate) username: String,
    pub(crate) global_name: Option<String>,
    pub(crate) bot: bool,
}

/// What becomes of a user; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserEdit {
    pub(crate) username: Option<String>,
    pub(crate) global_name: Edit<String>,
    pub(crate) avatar: Edit<String>,
}

/// What becomes of a membership; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemberEdit {
    pub(crate) nick: Edit<String>,
    pub(crate) roles: Option<Vec<Snowflake>>,
}

/// How a membership ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    Left,
    Kicked,
    Banned,
}

impl World {
    pub(crate) fn create_user(&mut self, new: NewUser) -> Result<Snowflake, Refusal> {
        let id = self.free_id(new.id)?;
        let avatar = Some(self.rng().hex());
        let user = User {
            id,
            username: new.username,
            global_name: new.global_name,
            avatar,
            bot: new.bot,
            presence: Presence::default(),
        };
        self.users.insert(id, user);
        Ok(id)
    }

    /// Renames a user; every guild they are in hears of it as GUILD_MEMBER_UPDATE.
    pub(crate) fn edit_user(&mut self, user_id: Snowflake, edit: UserEdit) -> Changed<()> {
        let user = self
            .users
            .get_mut(user_id)
            .ok_or(Refusal::Unknown("user"))?;
        if let Some(username) = edit.username {
            user.username = username;
        }
        edit.global_name.apply(&mut user.global_name);
        edit.avatar.apply(&mut user.avatar);
        let bot = self.bot_id();
        let guilds: Vec<_> = self
            .guilds
            .iter()
            .filter(|guild| guild.members.contains(user_id))
            .map(|guild| guild.id)
            .collect();
        let mut events = Vec::new();
        if user_id == bot
            && let Some(user) = self.users.get(bot)
        {
            events.push(Event::global("USER_UPDATE", &current_user(self, user)));
        }
        for guild_id in guilds {
            let ((), told) = self.beside_rights(guild_id, |guild, users, effects| {
                effects
                    .events
                    .extend(updated(guild, users.get(user_id), user_id, bot));
                Ok(())
            })?;
            events.extend(told);
        }
        // A presence names the user, too.
        events.extend(self.presence_events(user_id));
        Ok(((), events))
    }

    /// Makes a user a member. Somebody who is one already stays as they are.
    pub(crate) fn add_member(
        &mut self,
        guild_id: Snowflake,
        user_id: Snowflake,
        edit: MemberEdit,
    ) -> Changed<()> {
        let joined_at = self.new_id().made_at();
        self.in_guild(guild_id, |guild, users, effects| {
            let user = users.get(user_id).ok_or(Refusal::Unknown("user"))?;
            if guild.members.contains(user_id) {
                return Ok(());
            }
            let mut roles = edit.roles.unwrap_or_default();
            check_roles(guild, &roles)?;
            once_each(&mut roles);
            let mut nick = None;
            edit.nick.apply(&mut nick);
            let member = Member {
                user_id,
                nick,
                roles,
                joined_at,
                mute: false,
                deaf: false,
                timeout: None,
            };
            let object = MemberObject::new(&member, user).in_guild(guild_id);
            effects.events.push(Event::new(
                "GUILD_MEMBER_ADD",
                Intents::GUILD_MEMBERS,
                guild_id,
                &object,
            ));
            guild.members.insert(user_id, member);
            Ok(())
        })
    }

    /// Changes a nickname or roles. A change of roles also stands in the audit log.
    pub(crate) fn edit_member(
        &mut self,
        guild_id: Snowflake,
        user_id: Snowflake,
        edit: MemberEdit,
    ) -> Changed<()> {
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, users, effects| {
            if let Some(roles) = &edit.roles {
                check_roles(guild, roles)?;
            }
            let member = guild
                .members
                .get_mut(user_id)
                .ok_or(Refusal::Unknown("member"))?;
            let nick_before = member.nick.clone();
            edit.nick.apply(&mut member.nick);
            let named = change(
                "nick",
                nick_before.map(Value::from),
                member.nick.clone().map(Value::from),
            );
            let roles_before = member.roles.clone();
            member.roles = edit.roles.unwrap_or_else(|| roles_before.clone());
            once_each(&mut member.roles);
            let roles_now = member.roles.clone();
            effects
                .events
                .extend(updated(guild, users.get(user_id), user_id, bot));
            let changes = named.into_iter().collect();
            effects.record_changes(Action::MemberUpdate, user_id, changes);
            let changes = given_and_taken(guild, &roles_before, &roles_now);
            effects.record_changes(Action::MemberRoles, user_id, changes);
            Ok(())
        })
    }

    /// Ends a membership: out of voice first, then out of the guild.
    pub(crate) fn remove_member(
        &mut self,
        guild_id: Snowflake,
        user_id: Snowflake,
        departure: Departure,
    ) -> Changed<()> {
        let reason = self.cause.as_ref().and_then(|cause| cause.reason.clone());
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, users, effects| {
            if guild.owner_id == user_id {
                return Err(Refusal::invalid(
                    "the owner cannot go: change ownerId first",
                ));
            }
            if !guild.members.contains(user_id) {
                return Err(Refusal::Unknown("member"));
            }
            if let Some(state) = guild.voice_states.remove(user_id) {
                effects.voice_channels.insert(state.channel_id);
                effects.events.extend(voice::voice_state_update(
                    guild,
                    users,
                    user_id,
                    Some(&state),
                ));
            }
            thread_members::leaves_all(guild, users, user_id, bot, effects);
            guild.members.remove(user_id);
            if guild.load_user_id == Some(user_id) {
                guild.load_user_id = None;
            }
            let user = users.get(user_id).map(UserObject::new);
            let gone = json!({"guild_id": guild_id, "user": user});
            if departure == Departure::Banned {
                let needs = Intents::GUILD_MODERATION;
                effects
                    .events
                    .push(Event::new("GUILD_BAN_ADD", needs, guild_id, &gone));
            }
            let needs = Intents::GUILD_MEMBERS;
            effects
                .events
                .push(Event::new("GUILD_MEMBER_REMOVE", needs, guild_id, &gone));
            match departure {
                Departure::Left => {}
                Departure::Kicked => effects.record(Action::MemberKick, user_id),
                Departure::Banned => {
                    let reason = reason.clone();
                    guild.bans.insert(user_id, Ban { user_id, reason });
                    effects.record(Action::BanAdd, user_id);
                }
            }
            Ok(())
        })
    }
}

/// The bot hears of its own membership without GUILD_MEMBERS.
pub(super) fn update_needs(user_id: Snowflake, bot: Snowflake) -> Intents {
    if user_id == bot {
        Intents::ALWAYS
    } else {
        Intents::GUILD_MEMBERS
    }
}

pub(super) fn updated(
    guild: &Guild,
    user: Option<&User>,
    user_id: Snowflake,
    bot: Snowflake,
) -> Option<Event> {
    let object = MemberObject::new(guild.members.get(user_id)?, user?).in_guild(guild.id);
    Some(Event::new(
        "GUILD_MEMBER_UPDATE",
        update_needs(user_id, bot),
        guild.id,
        &object,
    ))
}

/// `$add` and `$remove` with the roles' ids and names, as Discord writes them.
fn given_and_taken(guild: &Guild, before: &[Snowflake], now: &[Snowflake]) -> Vec<Value> {
    let named = |ids: &[Snowflake], others: &[Snowflake]| -> Vec<Value> {
        ids.iter()
            .filter(|id| !others.contains(id))
            .map(|id| json!({"id": id, "name": guild.roles.get(*id).map(|role| &role.name)}))
            .collect()
    };
    [
        ("$add", named(now, before)),
        ("$remove", named(before, now)),
    ]
    .into_iter()
    .filter(|(_, roles)| !roles.is_empty())
    .filter_map(|(key, roles)| change(key, None, Some(json!(roles))))
    .collect()
}

fn once_each(roles: &mut Vec<Snowflake>) {
    let mut seen = BTreeSet::new();
    roles.retain(|id| seen.insert(*id));
}

fn check_roles(guild: &Guild, roles: &[Snowflake]) -> Result<(), Refusal> {
    let known = |id: &Snowflake| *id != guild.id && guild.roles.contains(*id);
    if roles.iter().all(known) {
        Ok(())
    } else {
        Err(Refusal::Unknown("role"))
    }
}
