//! What the machine is told, and what it has its driver do.

use std::{sync::Arc, time::Duration};

use guildhall_model::{
    GuildId, LogId, Position, Revocation, SealedEvent, UserId,
    command::{CommandRequest, CommandResult},
    event::LiveEvent,
};

use crate::{
    attachment::{End, SocketInput, SocketOutput, Violation},
    frame::{AdmitRequestBody, AdmitResult, Base, DiscordStatus, Frame, ViewerTable, Watched},
};

/// What happened. Positions name the log that it happened to; a log that was not in the heads is
/// passed over.
#[derive(Debug)]
pub enum Input {
    /// Something at the socket, or to the process.
    Socket(SocketInput),
    /// A log was joined after the position of [`Output::Join`]: its next event is the next one.
    JoinedAfter {
        /// That position.
        after: Position,
        /// The log's head at that moment.
        head: Position,
    },
    /// A log was joined from the bases.
    JoinedBases {
        /// Each guild at its floor.
        bases: Vec<Base>,
        /// Every event after them, in log order.
        backlog: Vec<Arc<SealedEvent>>,
        /// The log's head at that moment.
        head: Position,
    },
    /// The answer to [`Output::Read`], in log order.
    EventsRead {
        /// Of which log.
        log: LogId,
        /// What came next; nothing if there was nothing.
        events: Vec<Arc<SealedEvent>>,
    },
    /// The other answer to [`Output::Read`]: what comes next is no longer there.
    LogExpired,
    /// A log has grown.
    HeadMoved(Position),
    /// A word of the live lane: at first all that there are, then each that changes. It takes the
    /// place of the one before about the same, if that was not sent yet.
    LiveSaid(Arc<LiveEvent>),
    /// Discord's status behind a log changed.
    StatusChanged {
        /// To this.
        status: DiscordStatus,
        /// The log's head at that moment: what led to the change is at or below it.
        head: Position,
    },
    /// What [`Output::Watch`] asked for is done.
    Watched {
        /// From there.
        request_id: u64,
        /// The answer, to be sent behind the events up to its positions.
        watched: Watched,
    },
    /// What came of [`Output::Command`] or [`Output::Repeat`].
    Commanded {
        /// From there.
        request_id: u64,
        /// The answer, to be sent behind the events up to its positions.
        result: CommandResult,
    },
    /// What came of [`Output::Admit`].
    Admitted {
        /// From there.
        request_id: u64,
        /// The answer.
        result: AdmitResult,
    },
    /// There are revocations up to this number.
    RevokedMoved(u64),
    /// The answer to [`Output::ReadRevoked`].
    RevokedRead {
        /// What came next.
        revocations: Vec<Revocation>,
        /// The number of the last of them, or up to which there is none.
        end: u64,
        /// There are some after that.
        more: bool,
    },
    /// What [`Output::Revoke`] asked for is kept.
    Revoked {
        /// From there.
        request_id: u64,
        /// It was kept before.
        known: bool,
    },
}

/// What the driver is to do.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// Send a frame.
    Send(Frame),
    /// Send the next event.
    Relay(Arc<SealedEvent>),
    /// Send a ping.
    Ping,
    /// Join a log and say how: [`Input::JoinedAfter`] or [`Input::JoinedBases`].
    Join {
        /// Which.
        log: LogId,
        /// Where the web role's replica stands in it.
        after: Option<Position>,
    },
    /// Read at most [`EVENTS_PER_READ`](super::EVENTS_PER_READ) events after this position, of the log that it names, and
    /// say [`Input::EventsRead`] or [`Input::LogExpired`].
    Read(Position),
    /// Have this user's rights put into the logs of these guilds, then say [`Input::Watched`],
    /// whatever has become of the request. Do not wait for it.
    Watch {
        /// To be repeated in the answer.
        request_id: u64,
        /// Who.
        user_id: UserId,
        /// Where.
        guild_ids: Vec<GuildId>,
    },
    /// Have this done in Discord, then say [`Input::Commanded`], whatever has become of the request.
    /// Do not wait for it.
    Command {
        /// To be repeated in the answer.
        request_id: u64,
        /// Who, and what.
        request: Box<CommandRequest>,
        /// So long does the web role wait; after that it is told so by this machine.
        deadline: Duration,
    },
    /// Look up what this was answered before, then say [`Input::Commanded`], whatever has become of the
    /// request. Nothing is done.
    Repeat {
        /// The request's number.
        request_id: u64,
        /// Who, and what.
        request: Box<CommandRequest>,
        /// So long is its answer of use.
        deadline: Duration,
    },
    /// Look at an invite, and let somebody in by it, then say [`Input::Admitted`], whatever has
    /// become of the request. Do not wait for it, and keep nothing of it.
    Admit {
        /// To be repeated in the answer.
        request_id: u64,
        /// Whom, and by which invite.
        request: Box<AdmitRequestBody>,
        /// So long does the web role wait; after that it is told so by this machine.
        deadline: Duration,
    },
    /// Read at most [`REVOCATIONS_PER_TELL`](super::REVOCATIONS_PER_TELL) revocations after this number, and say
    /// [`Input::RevokedRead`].
    ReadRevoked(u64),
    /// Keep this, have every attachment told, then say [`Input::Revoked`], whatever has become of the
    /// request. Do not wait for it.
    Revoke {
        /// To be repeated in the answer.
        request_id: u64,
        /// Which sessions are over.
        revocation: Revocation,
    },
    /// How many are on the page of each room, by this web instance's count: all of them. It takes
    /// the place of what the same instance said before, on whichever attachment.
    Viewers(ViewerTable),
    /// The other end broke a rule: count it, and log the first of a kind.
    Report(Violation),
    /// The other end said an `error`: log it.
    PeerFailed {
        /// In a word.
        code: String,
        /// In a sentence.
        message: String,
    },
    /// The last output: close, with the end's code if it has one.
    End(End),
}

impl From<SocketInput> for Input {
    fn from(input: SocketInput) -> Self {
        Self::Socket(input)
    }
}

impl From<SocketOutput> for Output {
    fn from(output: SocketOutput) -> Self {
        match output {
            SocketOutput::Send(frame) => Self::Send(frame),
            SocketOutput::Ping => Self::Ping,
            SocketOutput::Report(violation) => Self::Report(violation),
            SocketOutput::PeerFailed { code, message } => Self::PeerFailed { code, message },
            SocketOutput::End(end) => Self::End(end),
        }
    }
}
