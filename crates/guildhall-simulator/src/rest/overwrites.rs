//! Permission overwrites of a channel.

use axum::http::StatusCode;

use super::{ApiError, call::Call, caller::Bot, form::Form, params::Ids};
use crate::world::{Channel, Edit, Guild, Overwrite, OverwriteKind, Permissions};

/// Overwrites of one channel.
const MOST_OVERWRITES: usize = 1000;

/// `PUT /channels/{channel_id}/permissions/{overwrite_id}`
pub(super) async fn put(
    bot: Bot,
    Ids([channel_id, target]): Ids<2>,
    mut form: Form,
) -> Result<StatusCode, ApiError> {
    form.must_have("type");
    let kind = kind(&mut form);
    let (allow, deny) = bits(&mut form);
    form.done()?;
    let overwrite = Overwrite {
        id: target,
        kind,
        allow,
        deny,
    };
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        call.needs_in(guild, channel, Permissions::MANAGE_ROLES)?;
        let known = channel.overwrites.iter().any(|one| one.id == target);
        if !known && channel.overwrites.len() >= MOST_OVERWRITES {
            return Err(ApiError::MOST_OVERWRITES);
        }
        may_set(call, guild, Some(channel), &[overwrite])?;
        call.change(|world| world.put_overwrite(channel_id, overwrite))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `DELETE /channels/{channel_id}/permissions/{overwrite_id}`
pub(super) async fn remove(
    bot: Bot,
    Ids([channel_id, target]): Ids<2>,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        call.needs_in(guild, channel, Permissions::MANAGE_ROLES)?;
        call.change(|world| world.remove_overwrite(channel_id, target))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `permission_overwrites` of a channel's body. Of several for one id the last
/// counts.
pub(super) fn read(form: &mut Form) -> Option<Vec<Overwrite>> {
    let mut overwrites: Vec<Overwrite> = Vec::new();
    for (place, mut below) in form.forms("permission_overwrites")? {
        below.must_have("id");
        let kind = kind(&mut below);
        let (allow, deny) = bits(&mut below);
        if let Edit::Set(id) = below.id("id") {
            overwrites.retain(|one| one.id != id);
            overwrites.push(Overwrite {
                id,
                kind,
                allow,
                deny,
            });
        }
        form.absorb(&["permission_overwrites", &place], below);
    }
    if overwrites.len() > MOST_OVERWRITES {
        let message = format!("Must be {MOST_OVERWRITES} or fewer in length.");
        form.wrong(&["permission_overwrites"], "BASE_TYPE_MAX_LENGTH", message);
    }
    Some(overwrites)
}

/// Refuses overwrites for whom there is nobody, unless the channel has them
/// already. 50013 where one that changes allows or denies what the bot itself may
/// do neither in the guild nor in the channel's category, or touches MANAGE_ROLES;
/// administrators and who has MANAGE_ROLES by an overwrite of the channel may set
/// all.
pub(super) fn may_set(
    call: &Call<'_>,
    guild: &Guild,
    channel: Option<&Channel>,
    after: &[Overwrite],
) -> Result<(), ApiError> {
    let before = channel.map_or(&[][..], |channel| &channel.overwrites);
    let known = |id| before.iter().any(|one| one.id == id);
    for one in after.iter().filter(|one| !known(one.id)) {
        match one.kind {
            OverwriteKind::Role if !guild.roles.contains(one.id) => {
                return Err(ApiError::UNKNOWN_ROLE);
            }
            OverwriteKind::Member if !call.world.users.contains(one.id) => {
                return Err(ApiError::UNKNOWN_USER);
            }
            OverwriteKind::Role | OverwriteKind::Member => {}
        }
    }
    let own = guild.rights(call.bot, call.now);
    let free = channel.is_some_and(|channel| gives_manage_roles(call, guild, channel));
    if own == Permissions::ALL || free {
        return Ok(());
    }
    let parent = channel
        .and_then(|channel| guild.channels.get(channel.parent_id?))
        .map_or(Permissions::NONE, |parent| {
            guild.rights_in(call.bot, parent, call.now)
        });
    let grantable = own.union(parent).difference(Permissions::MANAGE_ROLES);
    let allowed = after
        .iter()
        .filter(|one| !before.contains(one))
        .all(|one| grantable.has(one.allow.union(one.deny)));
    if allowed {
        Ok(())
    } else {
        Err(ApiError::MISSING_PERMISSIONS)
    }
}

/// Whether an overwrite gives the bot MANAGE_ROLES here, and none takes it away.
fn gives_manage_roles(call: &Call<'_>, guild: &Guild, channel: &Channel) -> bool {
    let roles = guild.members.get(call.bot).map(|member| &member.roles);
    let is_bots = |one: &Overwrite| match one.kind {
        OverwriteKind::Member => one.id == call.bot,
        OverwriteKind::Role => {
            one.id == guild.id || roles.is_some_and(|roles| roles.contains(&one.id))
        }
    };
    let right = Permissions::MANAGE_ROLES;
    guild.rights_in(call.bot, channel, call.now).has(right)
        && channel
            .overwrites
            .iter()
            .any(|one| is_bots(one) && one.allow.has(right))
}

fn kind(form: &mut Form) -> OverwriteKind {
    match form.small("type", 0..=1) {
        Some(1) => OverwriteKind::Member,
        _ => OverwriteKind::Role,
    }
}

fn bits(form: &mut Form) -> (Permissions, Permissions) {
    (
        form.permissions("allow").unwrap_or_default(),
        form.permissions("deny").unwrap_or_default(),
    )
}
