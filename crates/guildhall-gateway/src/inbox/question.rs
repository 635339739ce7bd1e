//! What others want to know of the world, and how they are answered.

use std::time::Instant;

use guildhall_model::{
    ChannelId, GuildId, Position, UnixMs, UserId,
    command::{Before, Command, CommandError, CommandRequest, Judgement},
    guild::{Membership, Overwrite, RoomManagement},
};
use guildhall_ports::room_store::RoomNumber;
use tokio::sync::oneshot;

use super::scene::{Scene, SceneQuestion};
use crate::rooms::RoomDraft;

/// A number of a question within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct QuestionId(pub u64);

/// A question about one guild.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) guild_id: GuildId,
    pub(crate) about: About,
    /// Told once everything that the answer rests on is committed.
    pub(crate) reply: oneshot::Sender<Answered>,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum About {
    /// May this be done now, and is there anything to do? Answered [`QuestionAnswer::Judged`].
    Command(Box<CommandRequest>),
    /// What is so now of that which a command changes? Answered [`QuestionAnswer::Before`] once Discord is
    /// live in this guild, else [`QuestionAnswer::NotInTime`].
    Before {
        request: Box<CommandRequest>,
        until: Instant,
    },
    /// When is this so? Answered [`QuestionAnswer::So`], or [`QuestionAnswer::NotInTime`].
    When {
        expectation: Expectation,
        until: Instant,
    },
    /// How far the making of a room is. A room that is taken for one of ours and is none is told as
    /// `room.updated`. Answered [`QuestionAnswer::So`].
    Making { room: RoomNumber, making: Making },
    /// From now on this is kept of a room, which may be still to come. Told as `room.updated` where it
    /// is something else. `None`: Discord has deleted it, and what is kept stays with it until the
    /// world has heard of that. Answered [`QuestionAnswer::So`].
    Manage {
        channel_id: ChannelId,
        management: Option<RoomManagement>,
    },
    /// Nobody is in a room and on its page, and it will be deleted then; `None`: it stays after all.
    /// Told as `room.idle` if the room is there. Answered [`QuestionAnswer::So`].
    Idle {
        channel_id: ChannelId,
        deletes_at: Option<UnixMs>,
    },
    /// This is what somebody is in the guild, as Discord said when it was asked at that time: they
    /// were just let in. Answered [`QuestionAnswer::So`].
    MemberIs {
        user_id: UserId,
        membership: Membership,
        as_of: Instant,
    },
    /// What is so where a command is to be carried out? Answered [`QuestionAnswer::Scene`].
    Scene(Box<SceneQuestion>),
    /// Who is in these rooms? Answered [`QuestionAnswer::Occupants`].
    Occupants { channels: Vec<ChannelId> },
    /// Which rooms are there? Answered [`QuestionAnswer::Rooms`].
    Rooms,
}

/// How far the making of a room is.
#[derive(Debug)]
pub(crate) enum Making {
    /// Discord is about to be asked for it: from now on the first room that comes and is like that is
    /// told as ours.
    Asked(Box<RoomDraft>),
    /// It has made this one, whichever was taken for it.
    Made(ChannelId, RoomManagement),
    /// It made none, or nobody knows.
    NotMade,
}

/// What is waited for.
#[derive(Clone, Debug)]
pub(crate) enum Expectation {
    /// The guild is as if a command of this actor had been done.
    Done(UserId, Command),
    /// A command about somebody who was not in voice is [`Judgement::NotInVoice`] no more.
    Ready(Box<CommandRequest>),
    /// The room is there.
    RoomIs(ChannelId),
    /// The guild is there, and the room is not.
    RoomGone(ChannelId),
}

/// An answer, and where in the log it is so.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) answer: QuestionAnswer,
    /// Everything that the answer rests on is at or before this.
    pub(crate) at: Position,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum QuestionAnswer {
    Judged(Result<Judgement, CommandError>),
    /// `None`: there is no such guild or room.
    Before(Option<Before>),
    /// `None`: there is no such guild.
    Scene(Option<Box<Scene>>),
    Occupants(GuildSeen<RoomOccupancy>),
    Rooms(GuildSeen<SeenRoom>),
    So,
    NotInTime,
}

/// Something of each of a guild's rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuildSeen<T> {
    /// The guild is available and Discord live there: it is as Discord has it.
    pub(crate) live: bool,
    /// None where the guild is not there.
    pub(crate) rooms: Vec<T>,
}

/// Who is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomOccupancy {
    pub(crate) channel_id: ChannelId,
    /// It is there.
    pub(crate) exists: bool,
    /// The bot may view it: of one that it may not view nobody can say who is in it.
    pub(crate) readable: bool,
    /// In order of their ids.
    pub(crate) users: Vec<UserId>,
}

/// A room, for comparing it with what is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeenRoom {
    pub(crate) channel_id: ChannelId,
    pub(crate) name: String,
    pub(crate) parent_id: Option<ChannelId>,
    /// As last seen, if it is obfuscated.
    pub(crate) overwrites: Vec<Overwrite>,
    /// The bot may not view it.
    pub(crate) obfuscated: bool,
}
