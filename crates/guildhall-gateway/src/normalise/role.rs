use guildhall_model::{Change, GuildId, Permissions, RoleId, world};
use serde::Deserialize;

use super::{Context, Read, lenient, missing};

/// What we keep of a role object: its name, colour and place among roles show nobody anything.
#[derive(Debug, Deserialize)]
pub(super) struct Role {
    pub(super) id: RoleId,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    pub(super) permissions: Option<Permissions>,
}

/// GUILD_ROLE_CREATE and GUILD_ROLE_UPDATE.
pub(super) fn set(data: &str, context: &Context<'_>) -> Read {
    #[derive(Deserialize)]
    struct Set {
        guild_id: GuildId,
        role: Role,
    }
    let Set { guild_id, role } = serde_json::from_str(data)?;
    let permissions = role.permissions.ok_or_else(|| missing("permissions"))?;
    let Some(guild) = context.guild(guild_id) else {
        return Ok(None);
    };
    let change = Change::RoleSet(world::Role {
        role_id: role.id,
        permissions,
    });
    let differs = guild.roles.get(&role.id) != Some(&permissions);
    let changes = differs.then_some(change).into_iter().collect();
    Ok(Some(context.told(guild_id, changes)))
}

/// GUILD_ROLE_DELETE.
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
    let known = guild.roles.contains_key(&role_id);
    let change = known.then_some(Change::RoleRemoved { role_id });
    Ok(Some(context.told(guild_id, change.into_iter().collect())))
}
