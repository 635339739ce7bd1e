//! The permissions that the bot needs, by what it is used for. This is the one list of them: what it lacks
//! for a command is judged by it, and the link that invites the bot asks for it.

use crate::Permissions;

/// Whatever is done in a voice channel needs these there: without CONNECT nothing else counts.
pub(super) const IN_A_ROOM: Permissions = all(&[Permissions::VIEW_CHANNEL, Permissions::CONNECT]);

/// What it takes to make rooms, in the guild.
pub(super) const TO_MAKE_ROOMS: Permissions = all(&[
    IN_A_ROOM,
    Permissions::MANAGE_CHANNELS,
    Permissions::MANAGE_ROLES,
    Permissions::MOVE_MEMBERS,
]);

/// What a bot is used for; each more than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BotUse {
    /// Rooms are shown. A room that the bot may not view nobody is shown.
    Show,
    /// Also: people are moved, and channels that others made are renamed, limited and given a status.
    Command,
    /// Also: rooms are made and kept, with who may come in, and their chats are told what they are.
    Rooms,
}

impl BotUse {
    /// All that it takes in a guild.
    #[must_use]
    pub const fn permissions(self) -> Permissions {
        match self {
            Self::Show => Permissions::VIEW_CHANNEL,
            Self::Command => all(&[
                IN_A_ROOM,
                Permissions::MANAGE_CHANNELS,
                Permissions::MOVE_MEMBERS,
                Permissions::SET_VOICE_CHANNEL_STATUS,
            ]),
            Self::Rooms => all(&[
                Self::Command.permissions(),
                TO_MAKE_ROOMS,
                Permissions::SEND_MESSAGES,
            ]),
        }
    }
}

/// What it takes, beside these, to let people into a guild by an invite to a room.
pub const TO_LET_PEOPLE_IN: Permissions = Permissions::CREATE_INSTANT_INVITE;

/// What it takes, beside these, to be told of changes by the audit log.
pub const TO_HEAR_THE_AUDIT_LOG: Permissions = Permissions::VIEW_AUDIT_LOG;

const fn all(list: &[Permissions]) -> Permissions {
    let mut bits = 0;
    let mut at = 0;
    while at < list.len() {
        bits |= list[at].0;
        at += 1;
    }
    Permissions(bits)
}
