//! What others want to know of the world, and how they are answered.

use std::time::Instant;

use guildhall_model::{
    GuildId, Position, UserId,
    command::{Before, Command, CommandError, CommandRequest, Judgement},
};
use tokio::sync::oneshot;

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
}

/// What is waited for.
#[derive(Clone, Debug)]
pub(crate) enum Expectation {
    /// The guild is as if a command of this actor had been done.
    Done(UserId, Command),
    /// A command about somebody who was not in voice is [`Judgement::NotInVoice`] no more.
    Ready(Box<CommandRequest>),
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
    So,
    NotInTime,
}
