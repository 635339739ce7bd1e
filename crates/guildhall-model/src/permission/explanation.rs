//! The way to a decision, step by step. The steps are what the deciding functions themselves say
//! on their way, so an explanation can't tell of another decision than the one that was taken.

use serde::Serialize;

use super::{MemberView, OverwriteStage, RightsStep};
use crate::{
    ChannelId, GuildId, Permissions, RoleId, UnixMs, UserId,
    guild::{Guild, Membership, OverwriteTarget},
};

/// What made a permission count, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(
    tag = "rule",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum DecidedBy {
    /// There is no such room in the guild.
    NoSuchRoom,
    /// It is not known what they are in the guild.
    NotLookedUp,
    /// Discord said: no member.
    NoMember,
    /// The bot can't view the room.
    BotCannotView,
    /// They own the guild.
    OwnsGuild,
    /// These roles have ADMINISTRATOR.
    Administrator {
        /// Which.
        roles: Vec<RoleId>,
    },
    /// They are a guest, who has the room they are in and no other.
    Guest,
    /// They are connected there.
    Connected,
    /// No overwrite says anything; these roles give it. None: none gives it.
    Roles {
        /// Which.
        roles: Vec<RoleId>,
    },
    /// These overwrites of the last stage that says anything.
    Overwrites {
        /// The stage.
        stage: OverwriteStage,
        /// Whose.
        targets: Vec<OverwriteTarget>,
    },
    /// They don't see the room.
    NotSeen,
    /// They are in a timeout.
    TimedOut,
}

/// Why somebody sees a room, or does not, and whether they may connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RightsExplanation {
    /// Whether they are shown the room: what [`MemberView::sees`] says.
    pub sees: bool,
    /// Why.
    pub sees_by: DecidedBy,
    /// Whether they may connect.
    pub connects: bool,
    /// Why.
    pub connects_by: DecidedBy,
    /// The way there.
    pub steps: Vec<RightsStep>,
}

/// Explains what a user sees of a room and may do there.
#[must_use]
pub fn explain(
    guild_id: GuildId,
    guild: &Guild,
    user_id: UserId,
    channel: ChannelId,
    now: UnixMs,
) -> RightsExplanation {
    let mut steps = Vec::new();
    let mut note = |step| steps.push(step);
    let view = MemberView::noted(guild_id, guild, user_id, &mut note);
    let Some(room) = guild.rooms.get(&channel) else {
        return RightsExplanation::nothing(DecidedBy::NoSuchRoom, steps);
    };
    let membership = guild.memberships.get(&user_id);
    let Some(view) = view else {
        let why = match membership {
            Some(Membership::Stranger) => DecidedBy::NoMember,
            Some(Membership::Member { .. }) | None => DecidedBy::NotLookedUp,
        };
        return RightsExplanation::nothing(why, steps);
    };
    let timed_out = membership.is_some_and(|is| is.is_timed_out(now));
    let rights = view.rights_in(channel, room, timed_out, &mut note);
    RightsExplanation {
        sees: rights.contains(Permissions::VIEW_CHANNEL),
        sees_by: decided_by(&steps, Permissions::VIEW_CHANNEL),
        connects: rights.contains(Permissions::CONNECT),
        connects_by: decided_by(&steps, Permissions::CONNECT),
        steps,
    }
}

impl RightsExplanation {
    fn nothing(why: DecidedBy, steps: Vec<RightsStep>) -> Self {
        Self {
            sees: false,
            sees_by: why.clone(),
            connects: false,
            connects_by: why,
            steps,
        }
    }
}

/// The last step that said anything of one permission.
fn decided_by(steps: &[RightsStep], wanted: Permissions) -> DecidedBy {
    let mut why = DecidedBy::Roles { roles: Vec::new() };
    for step in steps {
        why = match *step {
            RightsStep::Obfuscated => return DecidedBy::BotCannotView,
            RightsStep::OwnsGuild => DecidedBy::OwnsGuild,
            RightsStep::Administrator => DecidedBy::Administrator {
                roles: giving(steps, Permissions::ADMINISTRATOR),
            },
            RightsStep::Base { .. } => DecidedBy::Roles {
                roles: giving(steps, wanted),
            },
            RightsStep::Guest { .. } => DecidedBy::Guest,
            RightsStep::Overwritten {
                stage, deny, allow, ..
            } if (deny | allow).contains(wanted) => DecidedBy::Overwrites {
                stage,
                targets: saying(steps, stage, wanted, allow.contains(wanted)),
            },
            RightsStep::Connected if wanted == Permissions::VIEW_CHANNEL => DecidedBy::Connected,
            RightsStep::NotSeen if wanted != Permissions::VIEW_CHANNEL => DecidedBy::NotSeen,
            RightsStep::TimedOut if wanted != Permissions::VIEW_CHANNEL => DecidedBy::TimedOut,
            RightsStep::Role { .. }
            | RightsStep::Overwrite { .. }
            | RightsStep::Overwritten { .. }
            | RightsStep::Connected
            | RightsStep::NotSeen
            | RightsStep::TimedOut => continue,
        };
    }
    why
}

/// The roles that give a permission in the whole guild.
fn giving(steps: &[RightsStep], wanted: Permissions) -> Vec<RoleId> {
    let mut roles = Vec::new();
    for step in steps {
        match *step {
            RightsStep::Role {
                role_id,
                permissions,
                ..
            } if permissions.contains(wanted) && !roles.contains(&role_id) => roles.push(role_id),
            _ => {}
        }
    }
    roles
}

/// Whose overwrites of a stage allow a permission, or deny it.
fn saying(
    steps: &[RightsStep],
    of: OverwriteStage,
    wanted: Permissions,
    allows: bool,
) -> Vec<OverwriteTarget> {
    let said = steps.iter().filter_map(|step| match *step {
        RightsStep::Overwrite { stage, overwrite } if stage == of => {
            let bits = if allows {
                overwrite.allow
            } else {
                overwrite.deny
            };
            bits.contains(wanted).then_some(overwrite.target)
        }
        _ => None,
    });
    said.collect()
}

#[cfg(test)]
mod tests;
