//! Who may do and see what: Discord's own algorithm, on ids and bits only (Discord's
//! documentation, "Permissions"). This is the only place that decides.

/// What the deciding functions say on their way.
mod step;
/// What somebody sees of a guild: viewers who see the same share one class.
mod class;
/// The way to a decision, step by step.
mod explanation;

use crate::{
    GuildId, Permissions, RoleId, UserId,
    guild::{Guild, Overwrite, OverwriteTarget},
};

pub use class::{MemberView, VisibilityOfMany, VisibleRooms};
pub use explanation::{DecidedBy, RightsExplanation, explain};
pub use step::{OverwriteStage, RightsStep};

/// Nobody's id, on no overwrite and the owner of nothing: Discord's snowflakes begin in 2015.
const NOBODY: UserId = UserId(0);

/// A member as the algorithm sees one.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Who.
    pub user_id: UserId,
    /// Their roles; `@everyone` need not be in it, roles that the guild does not have count for
    /// nothing.
    pub roles: &'a [RoleId],
    /// In a timeout right now. Its end sends no event, so the caller compares with its clock.
    pub timed_out: bool,
}

/// What kind of channel the implicit denials are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// Text: without SEND_MESSAGES neither mentions, files, embeds nor TTS count.
    Text,
    /// Voice or stage: without CONNECT nothing but seeing it counts.
    Voice,
}

/// What a member may do in the whole guild: `@everyone` with all of their roles; everything for
/// the owner and for administrators.
#[must_use]
pub fn in_guild(guild_id: GuildId, guild: &Guild, member: Member<'_>) -> Permissions {
    base(guild_id, guild, member, &mut |_| {})
}

/// The same, with a word on each step. Whoever does not listen pays nothing for it.
fn base(
    guild_id: GuildId,
    guild: &Guild,
    member: Member<'_>,
    note: &mut impl FnMut(RightsStep),
) -> Permissions {
    if member.user_id == guild.owner_id && member.user_id != NOBODY {
        note(RightsStep::OwnsGuild);
        return Permissions::ALL;
    }
    let mut base = Permissions::NONE;
    let everyone = guild_id.everyone();
    for role_id in [&everyone].into_iter().chain(member.roles) {
        let role = guild.roles.get(role_id).copied();
        let permissions = role.unwrap_or_default();
        note(RightsStep::Role {
            role_id: *role_id,
            permissions,
            known: role.is_some(),
        });
        base = base | permissions;
    }
    if base.contains(Permissions::ADMINISTRATOR) {
        note(RightsStep::Administrator);
        return Permissions::ALL;
    }
    note(RightsStep::Base { permissions: base });
    base
}

/// What Discord stores for a member in a channel: overwrites for `@everyone`, then of all their
/// roles that the guild has together (allow beats deny, no order among roles), then their own. Nothing is inherited
/// from the category. `Permissions::ALL` for the owner and for administrators only: no overwrite
/// makes one.
#[must_use]
pub fn in_channel(
    guild_id: GuildId,
    guild: &Guild,
    overwrites: &[Overwrite],
    member: Member<'_>,
) -> Permissions {
    let base = in_guild(guild_id, guild, member);
    overwritten((guild_id, guild), base, overwrites, member, &mut |_| {})
}

/// The same for a member who may do `base` in the whole guild.
fn overwritten(
    (guild_id, guild): (GuildId, &Guild),
    base: Permissions,
    overwrites: &[Overwrite],
    member: Member<'_>,
    note: &mut impl FnMut(RightsStep),
) -> Permissions {
    if base == Permissions::ALL {
        return base;
    }
    let everyone = guild_id.everyone();
    // A deleted role is in members' lists and channels' overwrites for a while longer, and Discord
    // passes it over.
    let has = |role: &RoleId| member.roles.contains(role) && guild.roles.contains_key(role);
    let (mut first, mut roles, mut own) = <((u64, u64), (u64, u64), (u64, u64))>::default();
    for overwrite in overwrites {
        let (sum, stage) = match overwrite.target {
            OverwriteTarget::Role(role) if role == everyone => {
                (&mut first, OverwriteStage::Everyone)
            }
            OverwriteTarget::Role(role) if has(&role) => (&mut roles, OverwriteStage::Roles),
            OverwriteTarget::Member(user) if user == member.user_id => {
                (&mut own, OverwriteStage::Member)
            }
            OverwriteTarget::Role(_) | OverwriteTarget::Member(_) => continue,
        };
        note(RightsStep::Overwrite {
            stage,
            overwrite: *overwrite,
        });
        sum.0 |= overwrite.deny.0;
        sum.1 |= overwrite.allow.0;
    }
    if !guild.roles.contains_key(&everyone) {
        // Every guild has it, so what it gives is not known.
        first.1 = 0;
    }
    let mut stored = base;
    for ((deny, allow), stage) in [first, roles, own].into_iter().zip(OverwriteStage::ORDER) {
        let (deny, allow) = (Permissions(deny), Permissions(allow));
        stored = stored.overwritten(deny, allow);
        note(RightsStep::Overwritten {
            stage,
            deny,
            allow,
            permissions: stored,
        });
    }
    stored.without(Permissions::ADMINISTRATOR)
}

/// What of the stored permissions counts: the implicit denials of Discord's documentation.
///
/// `connected`: the member is in this voice channel right now, which lets them see it whatever
/// the overwrites say. Owner and administrators are exempt from everything, timeouts included.
#[must_use]
pub fn effective(
    stored: Permissions,
    kind: ChannelKind,
    member: Member<'_>,
    connected: bool,
) -> Permissions {
    counted(stored, kind, member, connected, &mut |_| {})
}

/// The same, with a word on each step.
fn counted(
    stored: Permissions,
    kind: ChannelKind,
    member: Member<'_>,
    connected: bool,
    note: &mut impl FnMut(RightsStep),
) -> Permissions {
    if stored == Permissions::ALL {
        return stored;
    }
    let mut counts = stored;
    if connected && !counts.contains(Permissions::VIEW_CHANNEL) {
        note(RightsStep::Connected);
        counts = counts | Permissions::VIEW_CHANNEL;
    }
    if !counts.contains(Permissions::VIEW_CHANNEL) {
        note(RightsStep::NotSeen);
        return Permissions::NONE;
    }
    if kind == ChannelKind::Text && !counts.contains(Permissions::SEND_MESSAGES) {
        counts = counts.without(
            Permissions::MENTION_EVERYONE
                | Permissions::SEND_TTS_MESSAGES
                | Permissions::ATTACH_FILES
                | Permissions::EMBED_LINKS,
        );
    }
    if kind == ChannelKind::Voice && !counts.contains(Permissions::CONNECT) {
        counts = Permissions::VIEW_CHANNEL;
    }
    if member.timed_out {
        note(RightsStep::TimedOut);
        let kept = Permissions::VIEW_CHANNEL | Permissions::READ_MESSAGE_HISTORY;
        counts = Permissions(counts.0 & kept.0);
    }
    counts
}

#[cfg(test)]
mod tests;
