//! Rooms that Guildhall made: what their owners may, and who is let in.

use super::{
    Actor, Before, CONNECT, ChannelId, ChannelKind, CommandError, CommandErrorCode, Guild, GuildId,
    Judgement, MANAGE_CHANNELS, MOVE_MEMBERS, Membership, Named, OverwriteTarget, Permissions,
    Room, RoomManagement, UnixMs, UserId, effective, in_channel, in_guild, is_blocked, room_of,
};
use crate::{RoleId, guild::Category};

/// Whether somebody may make a room in some of these categories, and in which, in the given order;
/// without any, outside of all. `creators`: roles that may, instead of whoever may CONNECT there.
pub fn judge_creation(
    guild_id: GuildId,
    guild: &Guild,
    actor: UserId,
    (parents, creators): (&[ChannelId], &[RoleId]),
    now: UnixMs,
) -> Result<Vec<ChannelId>, CommandError> {
    let actor = Actor::of(guild_id, guild, actor, now)?;
    actor.in_no_timeout()?;
    let everywhere = in_guild(guild_id, guild, actor.member);
    let is_creator = |role: &RoleId| actor.member.roles.contains(role);
    if !creators.is_empty() && everywhere != Permissions::ALL && !creators.iter().any(is_creator) {
        return Err(CommandError::new(
            CommandErrorCode::Forbidden,
            "Rooms are made here by whoever has a certain role; whoever manages the guild's roles \
             can give it to you.",
        ));
    }
    let there = |parent: &ChannelId| Some((*parent, guild.categories.get(parent)?));
    let there: Vec<(ChannelId, &Category)> = parents.iter().filter_map(there).collect();
    if there.is_empty() && !parents.is_empty() {
        return Err(CommandError::new(
            CommandErrorCode::NotFound,
            "The categories in which rooms are made are gone; whoever runs this can name others.",
        ));
    }
    let may = |rights: Permissions| !creators.is_empty() || rights.contains(Permissions::CONNECT);
    let allowed = there
        .into_iter()
        .filter(|(_, category)| may(actor.counts_in_category(category)))
        .map(|(parent, _)| parent);
    let allowed: Vec<ChannelId> = allowed.collect();
    if allowed.is_empty() && !(parents.is_empty() && may(everywhere)) {
        let (_, name) = CONNECT;
        return Err(CommandError::new(
            CommandErrorCode::Forbidden,
            format!(
                "You lack {name} where rooms are made; whoever manages the guild's roles can give \
                 it to you."
            ),
        )
        .missing(&[name]));
    }
    Ok(allowed)
}

/// Whoever came into a lobby was let in by Discord: nothing else is asked of them.
pub(super) fn enters_lobby(
    guild: &Guild,
    actor: UserId,
    lobby: ChannelId,
) -> Result<Judgement, CommandError> {
    if !guild.available {
        return Err(super::outage());
    }
    if room_of(guild, actor) != Some(lobby) {
        return Err(CommandError::new(
            CommandErrorCode::NotInRoom,
            "That person is not in the lobby any more.",
        ));
    }
    Ok(Judgement::ToDo(Before::Room(Some(lobby))))
}

impl Actor<'_> {
    /// What Guildhall keeps of a room that the actor sees.
    pub(super) fn managed(&self, channel_id: ChannelId) -> Result<RoomManagement, CommandError> {
        let room = self.seen_room(channel_id)?;
        room.info.managed.ok_or_else(|| {
            CommandError::new(
                CommandErrorCode::NotManaged,
                "This is done to rooms that were made here, and this one was not.",
            )
        })
    }

    fn owns(&self, channel_id: ChannelId) -> Result<bool, CommandError> {
        let managed = self.seen_room(channel_id)?.info.managed;
        Ok(managed.is_some_and(|managed| managed.owner_id == self.member.user_id))
    }

    /// In one's own room no permission of Discord's is asked for.
    pub(super) fn owns_or_needs(
        &self,
        needed: Named,
        channel_id: ChannelId,
    ) -> Result<(), CommandError> {
        if self.owns(channel_id)? {
            return Ok(());
        }
        self.needs(needed, channel_id)
    }

    /// By an invite that is genuine, into a room that the actor need not see.
    pub(super) fn joins(&self, channel_id: ChannelId) -> Result<Judgement, CommandError> {
        let room = self.guild.rooms.get(&channel_id);
        let Some(room) = room.filter(|room| room.info.managed.is_some()) else {
            return Err(CommandError::new(
                CommandErrorCode::InviteInvalid,
                "The room of this invite is gone.",
            ));
        };
        let from = self.room();
        if from == Some(channel_id) {
            return Ok(Judgement::AlreadySo);
        }
        self.is_let_in(room)?;
        self.fits(channel_id, room)?;
        Ok(match from {
            None => Judgement::NotInVoice,
            from => Judgement::ToDo(Before::Room(from)),
        })
    }

    /// Into a room that Guildhall made come neither those who are kept out by name nor, while it is
    /// locked, those who are not listed. As in Discord, whoever may do everything may.
    pub(super) fn is_let_in(&self, room: &Room) -> Result<(), CommandError> {
        let Some(managed) = room.info.managed else {
            return Ok(());
        };
        let user_id = self.member.user_id;
        let everywhere = in_guild(self.guild_id, self.guild, self.member);
        if everywhere == Permissions::ALL || managed.owner_id == user_id {
            return Ok(());
        }
        if is_blocked(room, user_id) {
            return Err(CommandError::new(
                CommandErrorCode::Blocked,
                "You are kept out of this room; its owner can let you in again.",
            ));
        }
        if managed.locked && !self.is_listed(room) {
            return Err(CommandError::new(
                CommandErrorCode::RoomLocked,
                "The room is locked; its owner can open it.",
            ));
        }
        Ok(())
    }

    /// Whether an overwrite lets the actor in by name, or by a role of theirs.
    fn is_listed(&self, room: &Room) -> bool {
        let everyone = self.guild_id.everyone();
        let mut overwrites = room.rights.overwrites.iter();
        overwrites.any(|one| {
            let is_theirs = match one.target {
                OverwriteTarget::Member(user_id) => user_id == self.member.user_id,
                OverwriteTarget::Role(role) => {
                    role != everyone
                        && self.member.roles.contains(&role)
                        && self.guild.roles.contains_key(&role)
                }
            };
            is_theirs && one.allow.contains(Permissions::CONNECT)
        })
    }

    pub(super) fn transfers(
        &self,
        channel_id: ChannelId,
        user_id: UserId,
    ) -> Result<(), CommandError> {
        self.managed(channel_id)?;
        self.owns_or_needs(MANAGE_CHANNELS, channel_id)?;
        if self.guild.memberships.get(&user_id) == Some(&Membership::Stranger) {
            return Err(CommandError::new(
                CommandErrorCode::NotFound,
                "That person is no member of the guild.",
            ));
        }
        Ok(())
    }

    pub(super) fn blocks(
        &self,
        channel_id: ChannelId,
        user_id: UserId,
    ) -> Result<(), CommandError> {
        let managed = self.managed(channel_id)?;
        self.owns_or_needs(MOVE_MEMBERS, channel_id)?;
        is_not_owners(managed, user_id)
    }

    /// For how long the owner has to be gone decides whoever carries it out.
    pub(super) fn claims(&self, channel_id: ChannelId) -> Result<(), CommandError> {
        let managed = self.managed(channel_id)?;
        if managed.owner_id == self.member.user_id {
            return Ok(());
        }
        if self.room() != Some(channel_id) {
            return Err(CommandError::new(
                CommandErrorCode::NotInRoom,
                "Whoever is in the room can make it theirs, and you are not.",
            ));
        }
        if room_of(self.guild, managed.owner_id) == Some(channel_id) {
            return Err(CommandError::new(
                CommandErrorCode::OwnerPresent,
                "The room's owner is there.",
            ));
        }
        Ok(())
    }

    /// A category is seen by whoever may view it, or a room in it.
    pub(super) fn seen_category(&self, category_id: ChannelId) -> Result<(), CommandError> {
        let category = self.guild.categories.get(&category_id);
        let category = category.ok_or_else(CommandError::nowhere)?;
        let counts = self.counts_in_category(category);
        let mut rooms = self.guild.rooms.values();
        if counts.contains(Permissions::VIEW_CHANNEL)
            || rooms.any(|room| {
                room.info.parent_id == Some(category_id) && self.sees(room.info.channel_id)
            })
        {
            return Ok(());
        }
        Err(CommandError::nowhere())
    }

    /// Of a category that the bot may not view nothing is known.
    fn counts_in_category(&self, category: &Category) -> Permissions {
        if category.rights.obfuscated {
            return Permissions::NONE;
        }
        let overwrites = &category.rights.overwrites;
        let stored = in_channel(self.guild_id, self.guild, overwrites, self.member);
        effective(stored, ChannelKind::Voice, self.member, false)
    }
}

/// Nobody is kept out of their own room.
pub(super) fn is_not_owners(managed: RoomManagement, user_id: UserId) -> Result<(), CommandError> {
    if managed.owner_id == user_id {
        return Err(CommandError::new(
            CommandErrorCode::Invalid,
            "The room is theirs: it can be made somebody else's, or closed.",
        ));
    }
    Ok(())
}
