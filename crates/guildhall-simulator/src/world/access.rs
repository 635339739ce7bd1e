//! What a member may see and do: Discord's permission algorithm, and the order of roles.

use time::OffsetDateTime;

use super::{Channel, ChannelKind, Guild, Overwrite, OverwriteKind, Permissions, Role};
use crate::snowflake::Snowflake;

impl Guild {
    /// What a member may do in the guild, before any channel has its say.
    /// Nothing for somebody who is no member.
    pub(crate) fn base_permissions(&self, user_id: Snowflake) -> Permissions {
        let Some(member) = self.members.get(user_id) else {
            return Permissions::NONE;
        };
        if user_id == self.owner_id {
            return Permissions::ALL;
        }
        let everyone = self
            .roles
            .get(self.id)
            .map_or(Permissions::NONE, |role| role.permissions);
        let base = member
            .roles
            .iter()
            .filter_map(|role_id| self.roles.get(*role_id))
            .fold(everyone, |sum, role| sum.union(role.permissions));
        if base.has(Permissions::ADMINISTRATOR) {
            Permissions::ALL
        } else {
            base
        }
    }

    /// What a member may do in a channel, as Discord stores it: base, then the
    /// overwrites of @everyone, of the member's roles together, of the member.
    pub(crate) fn permissions_in(&self, user_id: Snowflake, channel: &Channel) -> Permissions {
        let channel = self.ruling(channel);
        let base = self.base_permissions(user_id);
        let Some(member) = self.members.get(user_id) else {
            return base;
        };
        if base == Permissions::ALL {
            return base;
        }
        let apply = |sum: Permissions, deny: Permissions, allow: Permissions| {
            sum.difference(deny).union(allow)
        };
        let of = |kind: OverwriteKind, id: Snowflake| {
            channel
                .overwrites
                .iter()
                .find(move |one| one.kind == kind && one.id == id)
        };
        let both = |sum: (Permissions, Permissions), one: &Overwrite| {
            (sum.0.union(one.deny), sum.1.union(one.allow))
        };
        let mut sum = base;
        if let Some(one) = of(OverwriteKind::Role, self.id) {
            sum = apply(sum, one.deny, one.allow);
        }
        let (deny, allow) = member
            .roles
            .iter()
            .filter_map(|role_id| of(OverwriteKind::Role, *role_id))
            .fold((Permissions::NONE, Permissions::NONE), both);
        sum = apply(sum, deny, allow);
        if let Some(one) = of(OverwriteKind::Member, user_id) {
            sum = apply(sum, one.deny, one.allow);
        }
        sum
    }

    /// Whether Discord shows the channel or thread to this member: by permission, by being
    /// connected there, or for a category by a child that is shown. A private thread is
    /// shown to those who are in it or moderate it.
    pub(crate) fn shows(&self, channel: &Channel, user_id: Snowflake) -> bool {
        let directly = |channel: &Channel| {
            self.permissions_in(user_id, channel)
                .has(Permissions::VIEW_CHANNEL)
                || self
                    .voice_states
                    .get(user_id)
                    .is_some_and(|state| state.channel_id == channel.id)
        };
        directly(channel) && self.admits(channel, user_id)
            || channel.kind == ChannelKind::Category
                && self.channels.iter().any(|child| {
                    child.parent_id == Some(channel.id)
                        && child.kind != ChannelKind::Category
                        && directly(child)
                })
    }

    /// What a member may do in the guild at `now`: a timeout leaves little.
    pub(crate) fn rights(&self, user_id: Snowflake, now: OffsetDateTime) -> Permissions {
        self.awake(user_id, self.base_permissions(user_id), now)
    }

    /// What a member may do in a channel at `now`, with what Discord denies by
    /// implication: nothing without seeing it, nothing but seeing without
    /// connecting to a voice channel, little during a timeout.
    pub(crate) fn rights_in(
        &self,
        user_id: Snowflake,
        channel: &Channel,
        now: OffsetDateTime,
    ) -> Permissions {
        let stored = self.permissions_in(user_id, channel);
        let mut rights = self.awake(user_id, stored, now);
        if !rights.has(Permissions::VIEW_CHANNEL) || !self.admits(channel, user_id) {
            return Permissions::NONE;
        }
        if channel.kind.is_thread() {
            // Whether one may send in the channel counts for nothing below it.
            let sends = rights.has(Permissions::SEND_MESSAGES_IN_THREADS);
            let others = rights.difference(Permissions::SEND_MESSAGES);
            rights = if sends {
                rights.union(Permissions::SEND_MESSAGES)
            } else {
                others
            };
        }
        if channel.kind.is_voice() && !rights.has(Permissions::CONNECT) {
            return Permissions::VIEW_CHANNEL;
        }
        if !channel.kind.is_voice() && !rights.has(Permissions::SEND_MESSAGES) {
            rights = rights.difference(Permissions::OF_SENDING);
        }
        rights
    }

    /// The member's highest role; the owner stands above all.
    pub(crate) fn rank(&self, user_id: Snowflake) -> Rank {
        self.rank_among(user_id, &[])
    }

    /// The same, were these roles in these places.
    pub(crate) fn rank_among(&self, user_id: Snowflake, places: &[(Snowflake, u16)]) -> Rank {
        if user_id == self.owner_id {
            return Rank::Owner;
        }
        let place = |role: &Role| {
            let moved = places.iter().find(|(id, _)| *id == role.id);
            let position = moved.map_or(role.position, |(_, position)| *position);
            Rank::Role(position, std::cmp::Reverse(role.id))
        };
        self.members
            .get(user_id)
            .into_iter()
            .flat_map(|member| &member.roles)
            .filter_map(|id| self.roles.get(*id))
            .map(place)
            .max()
            .unwrap_or(Rank::Everyone)
    }

    fn awake(&self, user_id: Snowflake, rights: Permissions, now: OffsetDateTime) -> Permissions {
        let timed_out = self
            .members
            .get(user_id)
            .and_then(|member| member.timeout)
            .is_some_and(|until| now < until);
        if timed_out && rights != Permissions::ALL {
            let kept = Permissions::VIEW_CHANNEL.0 | Permissions::READ_MESSAGE_HISTORY.0;
            Permissions(rights.0 & kept)
        } else {
            rights
        }
    }
}

/// Where somebody or something stands. Of two roles in one position the older
/// (smaller) id stands higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Everyone,
    Role(u16, std::cmp::Reverse<Snowflake>),
    Owner,
}

impl Rank {
    pub(crate) fn of(role: &Role) -> Self {
        Self::Role(role.position, std::cmp::Reverse(role.id))
    }
}
