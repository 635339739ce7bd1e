//! Permissions of roles.

use guildhall_model::{Change, GuildId, Permissions, RoleId, guild};
use serde::Deserialize;

use super::{
    Context, Read,
    lenient::{Checked, Field, Oddities},
    missing,
};

/// What we keep of a role object: its name, colour and position among roles show nobody anything.
#[derive(Debug, Deserialize)]
pub(super) struct RoleObject {
    pub(super) id: RoleId,
    #[serde(default)]
    pub(super) permissions: Field<Permissions>,
}

impl RoleObject {
    /// The role that everybody in the guild has: it has the guild's id.
    pub(super) fn is_everyone(&self, guild_id: GuildId) -> bool {
        is_everyone(self.id, guild_id)
    }
}

impl Checked for RoleObject {
    fn check(&self, oddities: &mut Oddities) {
        let Self { id: _, permissions } = self;
        oddities.stale_if(permissions.is_not_set(), "permissions");
    }
}

/// GUILD_ROLE_CREATE and GUILD_ROLE_UPDATE.
pub(super) fn set(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Set {
        guild_id: GuildId,
        role: RoleObject,
    }
    let Set { guild_id, role } = serde_json::from_str(data)?;
    let guild = context.guild(guild_id);
    let known = guild.and_then(|guild| guild.roles.get(&role.id).copied());
    let permissions = match (role.permissions.get(), known) {
        (Some(permissions), _) => *permissions,
        (None, Some(_)) => return Err(missing("permissions")),
        // It gives nothing, but it is there: what overwrites deny it is denied.
        (None, None) => Permissions::NONE,
    };
    if guild.is_none() {
        return Ok(None);
    }
    let change = Change::RoleSet(guild::Role {
        role_id: role.id,
        permissions,
    });
    let changes = (known != Some(permissions)).then_some(change);
    let delta = context.delta(guild_id, changes.into_iter().collect());
    Ok(Some(delta.with_oddities(Oddities::of(&role))))
}

/// GUILD_ROLE_DELETE. The role that everybody has cannot go: who says that it did is not obeyed,
/// since without it nobody would see anything, and only a full snapshot tells what was meant.
pub(super) fn deleted(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Deleted {
        guild_id: GuildId,
        role_id: RoleId,
    }
    let Deleted { guild_id, role_id } = serde_json::from_str(data)?;
    let Some(guild) = context.guild(guild_id) else {
        return Ok(None);
    };
    let everyone = is_everyone(role_id, guild_id);
    let known = guild.roles.contains_key(&role_id) && !everyone;
    let change = known.then_some(Change::RoleRemoved { role_id });
    let mut oddities = Oddities::default();
    oddities.stale_if(everyone, "role_id");
    let delta = context.delta(guild_id, change.into_iter().collect());
    Ok(Some(delta.with_oddities(oddities)))
}

fn is_everyone(role_id: RoleId, guild_id: GuildId) -> bool {
    role_id.0 == guild_id.0
}
