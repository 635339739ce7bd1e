//! Whether a command may be done, and whether there is anything to do: Discord's own rights of the
//! actor, as if they did it in Discord themselves, since Discord lets the bot pass.

use serde::{Deserialize, Serialize};

use super::{Command, CommandError, CommandErrorCode};
use crate::{
    ChannelId, GuildId, Permissions, UnixMs, UserId, ViewerClass,
    guild::{Guild, Membership, Room},
    permission::{ChannelKind, Member, effective, in_channel, in_guild},
};

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

/// What is so before a command is done. If it is so afterwards it was not done; if neither this is so
/// nor what the command asks for, something else happened meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Before {
    /// The room in which the person is whom it moves; `None`: none.
    Room(Option<ChannelId>),
    /// The room's name.
    Name(String),
    /// How many fit into the room.
    Limit(u32),
    /// The world does not say.
    Unknown,
}

impl Before {
    /// What is so now of that which a command changes. `None`: there is no such room.
    #[must_use]
    pub fn of(command: &Command, actor: UserId, guild: &Guild) -> Option<Self> {
        let room = || {
            guild
                .rooms
                .get(&command.channel_id()?)
                .map(|room| &room.info)
        };
        match command {
            Command::RenameRoom { .. } => Some(Self::Name(room()?.name.clone())),
            Command::SetRoomLimit { .. } => Some(Self::Limit(room()?.user_limit)),
            Command::SetRoomStatus { .. } => room().map(|_| Self::Unknown),
            Command::ConnectUserToVoiceChannel { .. }
            | Command::KickFromRoom { .. }
            | Command::Disconnect { .. } => {
                let user = command.moves(actor)?;
                Some(Self::Room(room_of(guild, user)))
            }
        }
    }
}

impl Before {
    /// Whether this is how it is once a command is done.
    #[must_use]
    pub fn is_after(&self, command: &Command) -> bool {
        match (self, command) {
            (Self::Room(there), Command::ConnectUserToVoiceChannel { channel_id, .. }) => {
                *there == Some(*channel_id)
            }
            (Self::Room(there), Command::KickFromRoom { channel_id, .. }) => {
                *there != Some(*channel_id)
            }
            (Self::Room(there), Command::Disconnect { .. }) => there.is_none(),
            (Self::Name(is), Command::RenameRoom { name, .. }) => is == name,
            (Self::Limit(is), Command::SetRoomLimit { limit, .. }) => is == limit,
            _ => false,
        }
    }
}

/// Decides. `now`: Unix ms, for timeouts.
pub fn judge(
    guild_id: GuildId,
    guild: &Guild,
    actor: UserId,
    command: &Command,
    now: UnixMs,
) -> Result<Judgement, CommandError> {
    let actor = Actor::of(guild_id, guild, actor, now)?;
    // First of all, or what else is said of a room that the actor does not see says that it is there.
    if let Some(channel_id) = command.channel_id() {
        actor.seen_room(channel_id)?;
    }
    actor.in_no_timeout()?;
    match *command {
        Command::Disconnect { .. } => Ok(match actor.room() {
            Some(room) => Judgement::ToDo(Before::Room(Some(room))),
            None => Judgement::AlreadySo,
        }),
        Command::ConnectUserToVoiceChannel {
            channel_id,
            user_id,
            ..
        } => actor.connects(user_id, channel_id),
        Command::KickFromRoom {
            channel_id,
            user_id,
            ..
        } => actor.kicks(user_id, channel_id),
        Command::RenameRoom { channel_id, .. } | Command::SetRoomLimit { channel_id, .. } => {
            actor.needs(MANAGE_CHANNELS, channel_id)?;
            let user_id = actor.member.user_id;
            if command.is_so(user_id, guild) == Some(true) {
                return Ok(Judgement::AlreadySo);
            }
            let before = Before::of(command, user_id, guild);
            Ok(Judgement::ToDo(before.unwrap_or(Before::Unknown)))
        }
        Command::SetRoomStatus { channel_id, .. } => {
            let is_there = actor.room() == Some(channel_id);
            let needed = if is_there && !actor.may(MANAGE_CHANNELS, channel_id)? {
                SET_VOICE_CHANNEL_STATUS
            } else {
                MANAGE_CHANNELS
            };
            actor.needs(needed, channel_id)?;
            Ok(Judgement::ToDo(Before::Unknown))
        }
    }
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
    class: ViewerClass,
}

impl<'a> Actor<'a> {
    fn of(
        guild_id: GuildId,
        guild: &'a Guild,
        user_id: UserId,
        now: UnixMs,
    ) -> Result<Self, CommandError> {
        if !guild.available {
            return Err(CommandError::new(
                CommandErrorCode::GuildUnavailable,
                "Discord has an outage in this guild.",
            ));
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
        let class = ViewerClass::of(guild_id, guild, user_id).ok_or_else(CommandError::nowhere)?;
        let member = Member {
            user_id,
            roles,
            timed_out: membership.is_some_and(|is| is.is_timed_out(now)),
        };
        Ok(Self {
            guild_id,
            guild,
            member,
            class,
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

    fn connects(&self, user_id: UserId, channel_id: ChannelId) -> Result<Judgement, CommandError> {
        self.needs(CONNECT, channel_id)?;
        let is_self = user_id == self.member.user_id;
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
        self.fits(channel_id)?;
        Ok(match from {
            None => Judgement::NotInVoice,
            from => Judgement::ToDo(Before::Room(from)),
        })
    }

    /// Discord lets whoever may move members into full rooms.
    fn fits(&self, channel_id: ChannelId) -> Result<(), CommandError> {
        let limit = self.seen_room(channel_id)?.info.user_limit as usize;
        let full = limit > 0 && self.guild.occupants(channel_id).count() >= limit;
        if full && !self.may(MOVE_MEMBERS, channel_id)? {
            return Err(CommandError::new(
                CommandErrorCode::RoomFull,
                format!(
                    "The room is full: {limit} fit in. Whoever manages it can raise the limit."
                ),
            ));
        }
        Ok(())
    }

    fn kicks(&self, user_id: UserId, channel_id: ChannelId) -> Result<Judgement, CommandError> {
        self.needs(MOVE_MEMBERS, channel_id)?;
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
        Err(CommandError::new(
            CommandErrorCode::Forbidden,
            format!(
                "You lack {name} in this room; whoever manages the guild's roles can give it to you."
            ),
        )
        .missing(&[name]))
    }

    fn may(&self, needed: Named, channel_id: ChannelId) -> Result<bool, CommandError> {
        let room = self.seen_room(channel_id)?;
        let rights = &room.rights.overwrites;
        let stored = in_channel(self.guild_id, self.guild, rights, self.member);
        let connected = self.room() == Some(channel_id);
        let counts = effective(stored, ChannelKind::Voice, self.member, connected);
        Ok(counts.contains(needed.0))
    }

    fn seen_room(&self, channel_id: ChannelId) -> Result<&'a Room, CommandError> {
        let room = self.guild.rooms.get(&channel_id);
        room.filter(|_| self.sees(channel_id))
            .ok_or_else(CommandError::nowhere)
    }

    fn sees(&self, channel_id: ChannelId) -> bool {
        self.class.sees(self.guild, channel_id)
    }
}

fn room_of(guild: &Guild, user_id: UserId) -> Option<ChannelId> {
    guild.voice.get(&user_id).map(|there| there.channel_id)
}
