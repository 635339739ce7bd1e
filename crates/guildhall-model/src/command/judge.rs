//! Whether a command may be done, and whether there is anything to do: Discord's own rights of the
//! actor, as if they did it in Discord themselves, since Discord lets the bot pass.

/// Rooms that Guildhall made.
mod managed;

use super::{
    Before, Command, CommandError, CommandErrorCode,
    before::{is_blocked, room_of},
};
use crate::{
    ChannelId, GuildId, MemberView, Permissions, UnixMs, UserId,
    guild::{Guild, Membership, OverwriteTarget, Room, RoomManagement},
    permission::{ChannelKind, Member, effective, in_channel, in_guild},
};

pub use managed::judge_creation;

/// Where a command that may be done stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is to be done.
    ToDo(Before),
    /// It is so already.
    AlreadySo,
    /// The person whom it moves is not in voice, as far as the actor may know.
    NotInVoice,
}

/// Decides. `now`: Unix ms, for timeouts.
///
/// By Discord's rights and by who owns a room; what is set for the whole product, and what is kept of
/// invites, decides whoever carries it out. An invite is found to be genuine before this is asked.
pub fn judge(
    guild_id: GuildId,
    guild: &Guild,
    actor: UserId,
    command: &Command,
    now: UnixMs,
) -> Result<Judgement, CommandError> {
    if let Command::EnterLobby { channel_id, .. } = *command {
        return managed::enters_lobby(guild, actor, channel_id);
    }
    let user_id = actor;
    let actor = Actor::of(guild_id, guild, actor, now)?;
    if let Command::JoinRoom { channel_id, .. } = *command {
        actor.in_no_timeout()?;
        return actor.joins(channel_id);
    }
    // First of all, or what else is said of a room that the actor does not see says that it is there.
    if let Some(channel_id) = command.channel_id() {
        actor.seen_room(channel_id)?;
    }
    if let Command::CreateRoom {
        parent_id: Some(parent_id),
        ..
    } = *command
    {
        actor.seen_category(parent_id)?;
    }
    actor.in_no_timeout()?;
    match *command {
        Command::Disconnect { .. } => {
            return Ok(match actor.room() {
                Some(room) => Judgement::ToDo(Before::Room(Some(room))),
                None => Judgement::AlreadySo,
            });
        }
        Command::ConnectUserToVoiceChannel {
            channel_id,
            user_id,
            ..
        } => return actor.connects(user_id, channel_id),
        Command::KickFromRoom {
            channel_id,
            user_id,
            allow_return,
            ..
        } => return actor.kicks(user_id, channel_id, allow_return),
        _ => actor.is_allowed(command)?,
    }
    let before = Before::of(command, user_id, guild);
    // That a room has no status is not known before Discord was asked: so it is taken away anew.
    let is_known = before != Some(Before::Status(None));
    if is_known && command.is_so(user_id, guild) == Some(true) {
        return Ok(Judgement::AlreadySo);
    }
    Ok(Judgement::ToDo(before.unwrap_or(Before::Unknown)))
}

/// Whether somebody manages a room that they see: it is theirs, or they may MANAGE_CHANNELS there.
pub fn judge_management(
    guild_id: GuildId,
    guild: &Guild,
    actor: UserId,
    channel_id: ChannelId,
    now: UnixMs,
) -> Result<(), CommandError> {
    let actor = Actor::of(guild_id, guild, actor, now)?;
    // First of all, as above.
    actor.seen_room(channel_id)?;
    actor.in_no_timeout()?;
    actor.owns_or_needs(MANAGE_CHANNELS, channel_id)
}

/// A permission with the name that Discord gives it.
type Named = (Permissions, &'static str);

const MANAGE_CHANNELS: Named = (Permissions::MANAGE_CHANNELS, "MANAGE_CHANNELS");
const MOVE_MEMBERS: Named = (Permissions::MOVE_MEMBERS, "MOVE_MEMBERS");
const CONNECT: Named = (Permissions::CONNECT, "CONNECT");
const SET_VOICE_CHANNEL_STATUS: Named = (
    Permissions::SET_VOICE_CHANNEL_STATUS,
    "SET_VOICE_CHANNEL_STATUS",
);

/// Who asks, in their guild.
struct Actor<'a> {
    guild_id: GuildId,
    guild: &'a Guild,
    member: Member<'a>,
    view: MemberView<'a>,
}

impl<'a> Actor<'a> {
    fn of(
        guild_id: GuildId,
        guild: &'a Guild,
        user_id: UserId,
        now: UnixMs,
    ) -> Result<Self, CommandError> {
        if !guild.available {
            return Err(outage());
        }
        let membership = guild.memberships.get(&user_id);
        let roles = match membership {
            Some(Membership::Member { roles, .. }) => roles,
            Some(Membership::Stranger) => return Err(CommandError::nowhere()),
            None => {
                return Err(CommandError::new(
                    CommandErrorCode::GuildUnavailable,
                    "Your rights in this guild are being looked up.",
                )
                .retry_after_ms(1_000));
            }
        };
        let view = MemberView::of(guild_id, guild, user_id).ok_or_else(CommandError::nowhere)?;
        let member = Member {
            user_id,
            roles,
            timed_out: membership.is_some_and(|is| is.is_timed_out(now)),
        };
        Ok(Self {
            guild_id,
            guild,
            member,
            view,
        })
    }

    /// Owner and administrators are exempt from timeouts, as in Discord.
    fn in_no_timeout(&self) -> Result<(), CommandError> {
        let rights = || in_guild(self.guild_id, self.guild, self.member);
        if self.member.timed_out && rights() != Permissions::ALL {
            return Err(CommandError::new(
                CommandErrorCode::TimedOut,
                "You are in a timeout in this guild; a moderator can end it.",
            ));
        }
        Ok(())
    }

    /// The room in which the actor is.
    fn room(&self) -> Option<ChannelId> {
        room_of(self.guild, self.member.user_id)
    }

    /// What moves nobody, and so is done or not: who may.
    fn is_allowed(&self, command: &Command) -> Result<(), CommandError> {
        match *command {
            Command::RenameRoom { channel_id, .. } | Command::SetRoomLimit { channel_id, .. } => {
                self.owns_or_needs(MANAGE_CHANNELS, channel_id)?;
            }
            Command::SetRoomStatus { channel_id, .. } => {
                let is_there = self.room() == Some(channel_id);
                let needed = if is_there && !self.may(MANAGE_CHANNELS, channel_id)? {
                    SET_VOICE_CHANNEL_STATUS
                } else {
                    MANAGE_CHANNELS
                };
                self.owns_or_needs(needed, channel_id)?;
            }
            Command::LockRoom { channel_id, .. }
            | Command::HideRoom { channel_id, .. }
            | Command::CloseRoom { channel_id, .. }
            | Command::CreateInvite { channel_id, .. }
            | Command::RevokeInvites { channel_id, .. } => {
                self.managed(channel_id)?;
                self.owns_or_needs(MANAGE_CHANNELS, channel_id)?;
            }
            Command::TransferRoom {
                channel_id,
                user_id,
                ..
            } => self.transfers(channel_id, user_id)?,
            Command::BlockFromRoom {
                channel_id,
                user_id,
                ..
            } => self.blocks(channel_id, user_id)?,
            Command::UnblockFromRoom { channel_id, .. } => {
                self.managed(channel_id)?;
                self.owns_or_needs(MOVE_MEMBERS, channel_id)?;
            }
            Command::ClaimRoom { channel_id, .. } => self.claims(channel_id)?,
            Command::ConnectUserToVoiceChannel { .. }
            | Command::Disconnect { .. }
            | Command::KickFromRoom { .. }
            | Command::CreateRoom { .. }
            | Command::EnterLobby { .. }
            | Command::JoinRoom { .. } => {}
        }
        Ok(())
    }

    fn connects(&self, user_id: UserId, channel_id: ChannelId) -> Result<Judgement, CommandError> {
        let is_self = user_id == self.member.user_id;
        if is_self && self.room() != Some(channel_id) {
            // Whoever keeps them out is told of before what they lack.
            self.is_let_in(self.seen_room(channel_id)?)?;
        }
        self.needs(CONNECT, channel_id)?;
        if !is_self {
            self.needs(MOVE_MEMBERS, channel_id)?;
        }
        let from = room_of(self.guild, user_id);
        // Where the actor does not see somebody, they are nowhere.
        let from = from.filter(|room| is_self || self.sees(*room));
        if from == Some(channel_id) {
            return Ok(Judgement::AlreadySo);
        }
        if let Some(from) = from.filter(|_| !is_self) {
            self.needs(MOVE_MEMBERS, from)?;
        }
        self.fits(channel_id, self.seen_room(channel_id)?)?;
        Ok(match from {
            None => Judgement::NotInVoice,
            from => Judgement::ToDo(Before::Room(from)),
        })
    }

    /// Discord lets whoever may move members into full rooms.
    fn fits(&self, channel_id: ChannelId, room: &Room) -> Result<(), CommandError> {
        let limit = room.info.user_limit as usize;
        let full = limit > 0 && self.guild.occupants(channel_id).count() >= limit;
        if full
            && !self
                .counts_in(channel_id, room)
                .contains(Permissions::MOVE_MEMBERS)
        {
            return Err(CommandError::new(
                CommandErrorCode::RoomFull,
                format!(
                    "The room is full: {limit} fit in. Whoever manages it can raise the limit."
                ),
            ));
        }
        Ok(())
    }

    fn kicks(
        &self,
        user_id: UserId,
        channel_id: ChannelId,
        allow_return: bool,
    ) -> Result<Judgement, CommandError> {
        self.owns_or_needs(MOVE_MEMBERS, channel_id)?;
        if let (false, Some(managed)) = (allow_return, self.seen_room(channel_id)?.info.managed) {
            managed::is_not_owners(managed, user_id)?;
        }
        if room_of(self.guild, user_id) != Some(channel_id) {
            return Err(CommandError::new(
                CommandErrorCode::NotInRoom,
                "That person is not in this room.",
            ));
        }
        Ok(Judgement::ToDo(Before::Room(Some(channel_id))))
    }

    fn needs(&self, needed: Named, channel_id: ChannelId) -> Result<(), CommandError> {
        if self.may(needed, channel_id)? {
            return Ok(());
        }
        let (_, name) = needed;
        let is_ours = self.seen_room(channel_id)?.info.managed.is_some();
        let who_gives_it = if is_ours && needed == CONNECT {
            "its owner can invite you"
        } else {
            "whoever manages the guild's roles can give it to you"
        };
        Err(CommandError::new(
            CommandErrorCode::Forbidden,
            format!("You lack {name} in this room; {who_gives_it}."),
        )
        .missing(&[name]))
    }

    fn may(&self, needed: Named, channel_id: ChannelId) -> Result<bool, CommandError> {
        let room = self.seen_room(channel_id)?;
        let is_ours = room.info.managed.is_some();
        // What locks a room of ours denies CONNECT, and these would be gone with it: whoever has
        // locked it could not open it again.
        let outlasts_a_lock = needed == MANAGE_CHANNELS || needed == MOVE_MEMBERS;
        let has = if is_ours && outlasts_a_lock {
            self.stored_in(room)
        } else {
            self.counts_in(channel_id, room)
        };
        Ok(has.contains(needed.0))
    }

    /// What counts of the actor's permissions in a room.
    fn counts_in(&self, channel_id: ChannelId, room: &Room) -> Permissions {
        let connected = self.room() == Some(channel_id);
        let stored = self.stored_in(room);
        effective(stored, ChannelKind::Voice, self.member, connected)
    }

    /// What roles and overwrites give the actor in a room, whatever follows from what they lack.
    fn stored_in(&self, room: &Room) -> Permissions {
        let rights = &room.rights.overwrites;
        in_channel(self.guild_id, self.guild, rights, self.member)
    }

    fn seen_room(&self, channel_id: ChannelId) -> Result<&'a Room, CommandError> {
        let room = self.guild.rooms.get(&channel_id);
        room.filter(|_| self.sees(channel_id))
            .ok_or_else(CommandError::nowhere)
    }

    fn sees(&self, channel_id: ChannelId) -> bool {
        self.view.sees(channel_id)
    }
}

fn outage() -> CommandError {
    CommandError::new(
        CommandErrorCode::GuildUnavailable,
        "Discord has an outage in this guild.",
    )
}
