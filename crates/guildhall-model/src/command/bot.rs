//! What the bot itself lacks, so that Discord is never asked for what it would refuse.

use super::{
    Command,
    before::room_of,
    bot_use::{IN_A_ROOM, TO_MAKE_ROOMS},
};
use crate::{
    ChannelId, GuildId, Permissions, UserId,
    guild::{Guild, Membership},
    permission::{Member, in_channel, in_guild},
};

/// The permissions that the bot lacks for a command, as Discord names them. None while it is not
/// known what the bot is in the guild: then Discord's answer tells.
#[must_use]
pub fn missing_of_bot(
    guild_id: GuildId,
    guild: &Guild,
    bot: UserId,
    command: &Command,
) -> Vec<&'static str> {
    let Some(Membership::Member { roles, .. }) = guild.memberships.get(&bot) else {
        return Vec::new();
    };
    let member = Member {
        user_id: bot,
        roles,
        timed_out: false,
    };
    let bot = Bot {
        guild_id,
        guild,
        member,
    };
    let missing = match *command {
        Command::CreateRoom { parent_id, .. } => bot.lacks_to_make(parent_id),
        Command::EnterLobby { channel_id, .. } => {
            let to_move = bot.lacks_in(channel_id, Permissions::MOVE_MEMBERS);
            bot.lacks_to_make(None) | to_move
        }
        Command::Disconnect { .. } => Permissions::NONE,
        _ => match command.channel_id() {
            Some(channel_id) => bot.lacks_in(channel_id, bot.needs(command, channel_id)),
            None => Permissions::NONE,
        },
    };
    missing.names().collect()
}

/// The bot in a guild.
struct Bot<'a> {
    guild_id: GuildId,
    guild: &'a Guild,
    member: Member<'a>,
}

impl Bot<'_> {
    /// What a command needs in the room that it is about. `NONE`: Discord is not asked.
    fn needs(&self, command: &Command, channel_id: ChannelId) -> Permissions {
        let is_managed = || {
            let room = self.guild.rooms.get(&channel_id);
            room.is_some_and(|room| room.info.managed.is_some())
        };
        match command {
            Command::ConnectUserToVoiceChannel { .. } => Permissions::MOVE_MEMBERS,
            Command::KickFromRoom { allow_return, .. } if *allow_return || !is_managed() => {
                Permissions::MOVE_MEMBERS
            }
            Command::KickFromRoom { .. }
            | Command::BlockFromRoom { .. }
            | Command::JoinRoom { .. } => Permissions::MOVE_MEMBERS | Permissions::MANAGE_ROLES,
            Command::RenameRoom { .. }
            | Command::SetRoomLimit { .. }
            | Command::CloseRoom { .. } => Permissions::MANAGE_CHANNELS,
            Command::SetRoomStatus { .. } => {
                let status = Permissions::SET_VOICE_CHANNEL_STATUS;
                match room_of(self.guild, self.member.user_id) {
                    Some(there) if there == channel_id => status,
                    _ => status | Permissions::MANAGE_CHANNELS,
                }
            }
            Command::LockRoom { .. }
            | Command::HideRoom { .. }
            | Command::TransferRoom { .. }
            | Command::ClaimRoom { .. }
            | Command::UnblockFromRoom { .. } => Permissions::MANAGE_ROLES,
            Command::CreateInvite { .. }
            | Command::RevokeInvites { .. }
            | Command::CreateRoom { .. }
            | Command::EnterLobby { .. }
            | Command::Disconnect { .. } => Permissions::NONE,
        }
    }

    /// What of these it lacks in a room. Of one that it may not view nothing else is known.
    fn lacks_in(&self, channel_id: ChannelId, needed: Permissions) -> Permissions {
        let Some(room) = self.guild.rooms.get(&channel_id) else {
            return Permissions::NONE;
        };
        if needed == Permissions::NONE {
            return Permissions::NONE;
        }
        if room.rights.obfuscated {
            return Permissions::VIEW_CHANNEL;
        }
        let has = in_channel(
            self.guild_id,
            self.guild,
            &room.rights.overwrites,
            self.member,
        );
        (needed | IN_A_ROOM).without(has)
    }

    /// What it lacks to make rooms: in the guild, and in the category if there is one. Overwrites may
    /// only say what the bot itself has, and who is in a room is moved there.
    fn lacks_to_make(&self, parent_id: Option<ChannelId>) -> Permissions {
        let missing = TO_MAKE_ROOMS.without(in_guild(self.guild_id, self.guild, self.member));
        let parent = parent_id.and_then(|parent| self.guild.categories.get(&parent));
        let Some(parent) = parent else {
            return missing;
        };
        if parent.rights.obfuscated {
            return missing | Permissions::VIEW_CHANNEL;
        }
        let overwrites = &parent.rights.overwrites;
        let has = in_channel(self.guild_id, self.guild, overwrites, self.member);
        missing | (IN_A_ROOM | Permissions::MANAGE_CHANNELS).without(has)
    }
}
