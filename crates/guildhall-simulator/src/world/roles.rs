//! Roles.

use serde_json::json;

use super::{
    Event, Guild, Intents, Permissions, Rank, Role, World,
    audit::{Action, added, changed, removed},
    change::{Changed, Refusal},
    payload::{MemberObject, role_facts, role_object},
};
use crate::snowflake::Snowflake;

/// A role to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewRole {
    /// A chosen id, or a fresh one.
    pub(crate) id: Option<Snowflake>,
    pub(crate) name: String,
    pub(crate) color: u32,
    pub(crate) permissions: Permissions,
    pub(crate) hoist: bool,
    pub(crate) mentionable: bool,
}

/// What becomes of a role; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoleEdit {
    pub(crate) name: Option<String>,
    pub(crate) color: Option<u32>,
    pub(crate) permissions: Option<Permissions>,
    pub(crate) hoist: Option<bool>,
    pub(crate) mentionable: Option<bool>,
}

impl World {
    /// The guild that has this role.
    pub(crate) fn guild_of_role(&self, role_id: Snowflake) -> Result<Snowflake, Refusal> {
        self.guilds
            .iter()
            .find(|guild| guild.roles.contains(role_id))
            .map(|guild| guild.id)
            .ok_or(Refusal::Unknown("role"))
    }

    pub(crate) fn create_role(&mut self, guild_id: Snowflake, new: NewRole) -> Changed<Snowflake> {
        let id = self.free_id(new.id)?;
        self.in_guild(guild_id, |guild, _, effects| {
            let role = Role {
                id,
                name: new.name,
                color: new.color,
                // Discord puts a new role above @everyone and below all others: where
                // positions are equal, the younger role is the lower one.
                position: 1,
                permissions: new.permissions,
                hoist: new.hoist,
                mentionable: new.mentionable,
                bot_id: None,
            };
            effects
                .events
                .push(role_event("GUILD_ROLE_CREATE", guild_id, &role));
            effects.record_changes(Action::RoleCreate, id, added(&role_facts(&role)));
            guild.roles.insert(id, role);
            Ok(id)
        })
    }

    pub(crate) fn edit_role(&mut self, role_id: Snowflake, edit: RoleEdit) -> Changed<()> {
        let guild_id = self.guild_of_role(role_id)?;
        self.in_guild(guild_id, |guild, _, effects| {
            let role = guild
                .roles
                .get_mut(role_id)
                .ok_or(Refusal::Unknown("role"))?;
            let before = role_facts(role);
            if let Some(name) = edit.name {
                role.name = name;
            }
            role.color = edit.color.unwrap_or(role.color);
            role.permissions = edit.permissions.unwrap_or(role.permissions);
            role.hoist = edit.hoist.unwrap_or(role.hoist);
            role.mentionable = edit.mentionable.unwrap_or(role.mentionable);
            effects
                .events
                .push(role_event("GUILD_ROLE_UPDATE", guild_id, role));
            let changes = changed(&before, &role_facts(role));
            effects.record_changes(Action::RoleUpdate, role_id, changes);
            Ok(())
        })
    }

    /// Gives roles new places; the others make room.
    pub(crate) fn place_roles(
        &mut self,
        guild_id: Snowflake,
        places: &[(Snowflake, u16)],
    ) -> Changed<()> {
        if places.is_empty() {
            return Ok(((), Vec::new()));
        }
        self.in_guild(guild_id, |guild, _, effects| {
            for (role_id, position) in guild.with_roles_at(places) {
                let role = guild
                    .roles
                    .get_mut(role_id)
                    .ok_or(Refusal::Unknown("role"))?;
                let before = role_facts(role);
                if role.position == position {
                    continue;
                }
                role.position = position;
                effects
                    .events
                    .push(role_event("GUILD_ROLE_UPDATE", guild_id, role));
                // Who only made room was not moved by anybody.
                if places.iter().any(|(id, _)| *id == role_id) {
                    let changes = changed(&before, &role_facts(role));
                    effects.record_changes(Action::RoleUpdate, role_id, changes);
                }
            }
            Ok(())
        })
    }

    /// Removes a role from the guild and from everybody who had it.
    pub(crate) fn delete_role(&mut self, role_id: Snowflake) -> Changed<()> {
        let guild_id = self.guild_of_role(role_id)?;
        if role_id == guild_id {
            return Err(Refusal::invalid("@everyone cannot be deleted"));
        }
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, users, effects| {
            if let Some(role) = guild.roles.remove(role_id) {
                let changes = removed(&role_facts(&role));
                effects.record_changes(Action::RoleDelete, role_id, changes);
            }
            let gone = json!({"guild_id": guild_id, "role_id": role_id});
            effects.events.push(Event::new(
                "GUILD_ROLE_DELETE",
                Intents::GUILDS,
                guild_id,
                &gone,
            ));
            for member in guild.members.iter_mut() {
                let had = member.roles.len();
                member.roles.retain(|id| *id != role_id);
                if let (true, Some(user)) = (member.roles.len() < had, users.get(member.user_id)) {
                    let object = MemberObject::new(member, user).in_guild(guild_id);
                    let needs = super::members::update_needs(member.user_id, bot);
                    effects.events.push(Event::new(
                        "GUILD_MEMBER_UPDATE",
                        needs,
                        guild_id,
                        &object,
                    ));
                }
            }
            Ok(())
        })
    }
}

impl Guild {
    /// Every role but @everyone from the lowest up, counted from 1, with some in
    /// places of their own.
    pub(crate) fn with_roles_at(&self, places: &[(Snowflake, u16)]) -> Vec<(Snowflake, u16)> {
        let moved = |role: &Role| places.iter().find(|(id, _)| *id == role.id);
        let mut roles: Vec<_> = self
            .roles
            .iter()
            .filter(|role| role.id != self.id)
            .collect();
        roles.sort_by_key(|role| Rank::of(role));
        let mut sorted: Vec<_> = roles.iter().filter(|role| moved(role).is_none()).collect();
        let mut wanted: Vec<_> = roles
            .iter()
            .filter_map(|role| Some((moved(role)?.1, role)))
            .collect();
        wanted.sort_by_key(|(position, _)| *position);
        for (position, role) in wanted {
            let place = usize::from(position.saturating_sub(1));
            sorted.insert(place.min(sorted.len()), role);
        }
        sorted
            .into_iter()
            .zip(1..)
            .map(|(role, position)| (role.id, position))
            .collect()
    }
}

fn role_event(name: &'static str, guild_id: Snowflake, role: &Role) -> Event {
    let data = json!({"guild_id": guild_id, "role": role_object(role)});
    Event::new(name, Intents::GUILDS, guild_id, &data)
}
