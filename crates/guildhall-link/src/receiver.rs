//! The web role's end of an attachment.
//!
//! ```text
//! Connected ──hello──▶ Replaying ──snapshot_end──▶ Following
//!     └───────────────── any end ─────────────────────▶ Ended
//! ```
//!
//! INVARIANT(no-gap): from `snapshot_end` on, and before it where the subscription went on after
//! its position in a log, every event of that log carries the number after the last one. Anything
//! else ends the attachment, and the next one asks for everything. Between logs there is no order.
//!
//! INVARIANT(whole-groups): the replica is handed whole groups, so its position is never inside
//! one, and neither is that of the next subscription. What came of a group that is cut off goes
//! with the attachment, and is sent again.

/// Requests, and their answers.
mod requests;
/// What was revoked.
mod revocations;
/// One log, and which event of it may come next.
mod tail;
/// When the gateway is told who looks at which room.
mod viewers;

use std::{sync::Arc, time::Instant};

use guildhall_model::{
    Cursor, Envelope, GuildId, LogId, Position, Revocation, UserId, command::CommandRequest,
    event::LiveEvent,
};

use crate::{
    FrameError,
    attachment::{Conversation, End, Remainder, SocketInput, SocketOutput, Violation},
    frame::{
        AdmitRequestBody, Base, Frame, LogStatus, RefusalCode, ReplyBody, RequestBody, Tell,
        ViewerTable,
    },
    pending::Pending,
};

pub use requests::GUILDS_PER_WATCH;
use tail::{LogTail, NotTaken, TailOutput};
use viewers::ViewersTelling;
pub use viewers::{ROOMS_PER_TELL, VIEWERS_EVERY};

/// What happened.
#[derive(Debug)]
pub enum Input<R> {
    /// Something at the socket, or to the process.
    Socket(SocketInput),
    /// Somebody wants this user's rights looked up.
    WatchAsked {
        /// Who.
        user_id: UserId,
        /// Where.
        guild_ids: Vec<GuildId>,
        /// Until when an answer is of use.
        due: Instant,
        /// For [`Output::Answer`].
        reply: R,
    },
    /// Somebody wants something done in Discord.
    CommandAsked {
        /// Who, and what.
        request: Box<CommandRequest>,
        /// Until when an answer is of use.
        due: Instant,
        /// For [`Output::Answer`].
        reply: R,
    },
    /// Somebody wants to know what this was answered before.
    RepeatAsked {
        /// Who, and what.
        request: Box<CommandRequest>,
        /// Until when an answer is of use.
        due: Instant,
        /// For [`Output::Answer`].
        reply: R,
    },
    /// Somebody signs in by an invite.
    AdmitAsked {
        /// Whom, and by which.
        request: Box<AdmitRequestBody>,
        /// Until when an answer is of use.
        due: Instant,
        /// For [`Output::Answer`].
        reply: R,
    },
    /// Sessions are over, and the gateway is to keep that.
    RevokeAsked {
        /// Which.
        revocation: Revocation,
        /// Until when an answer is of use.
        due: Instant,
        /// For [`Output::Answer`].
        reply: R,
    },
    /// The table of viewers changed, or is to be told for the first time.
    ViewersChanged,
    /// The answer to [`Output::CountViewers`].
    ViewersCounted(ViewerTable),
    /// The replica did not take an event.
    ReplicaRefused,
}

impl<R> Input<R> {
    /// Who is to be told, if somebody asks for something.
    #[must_use]
    pub fn into_reply(self) -> Option<R> {
        match self {
            Self::WatchAsked { reply, .. }
            | Self::CommandAsked { reply, .. }
            | Self::RepeatAsked { reply, .. }
            | Self::AdmitAsked { reply, .. }
            | Self::RevokeAsked { reply, .. } => Some(reply),
            Self::Socket(_)
            | Self::ViewersChanged
            | Self::ViewersCounted(_)
            | Self::ReplicaRefused => None,
        }
    }
}

/// What the driver is to do.
#[derive(Debug, PartialEq)]
pub enum Output<R> {
    /// Send a frame.
    Send(Frame),
    /// Send a ping.
    Ping,
    /// Replay this log into a new, empty replica of it; the old one serves until
    /// [`Output::Complete`]. Other logs are not touched by it.
    Begin(LogId),
    /// One guild's start in the new replica of the log that its floor names.
    Base(Box<Base>),
    /// The next events of one log: one group, to be applied in one step. In a new replica numbers
    /// may be left out before it, for what is in the bases.
    Apply(Vec<Envelope>),
    /// The replica is complete at these positions, one for each log of the gateway: it may be
    /// served, and the link is up. What it has of other logs is no more.
    Complete(Cursor),
    /// The latest word about something in the live lane. After [`Output::Complete`] all of them
    /// come anew.
    Live(Arc<LiveEvent>),
    /// How the gateway stands with Discord behind one log.
    Status(LogStatus),
    /// Where the gateway's logs stand, for whoever wonders how far behind this end is.
    Heads(Cursor),
    /// Tell who asked.
    Answer {
        /// From [`Input::WatchAsked`] or another of those who ask.
        reply: R,
        /// The answer, of the kind that was asked.
        answer: Result<ReplyBody, Unanswered>,
    },
    /// Say [`Input::ViewersCounted`] with the table as it is now.
    CountViewers,
    /// These sessions are over.
    Revoked(Vec<Revocation>),
    /// All that was revoked before this attachment is told: who is let in is known now. Once, and
    /// before [`Output::Complete`], unless the gateway is of an earlier release.
    AllRevokedTold,
    /// The other end broke a rule: count it, and log the first of a kind.
    Report(Violation),
    /// The other end said an `error`: log it.
    PeerFailed {
        /// In a word.
        code: String,
        /// In a sentence.
        message: String,
    },
    /// The last output: close, with the end's code if it has one, and dial again.
    End(End),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// There is no connection, or it was lost.
    Down,
    /// Too many are waiting for one.
    Busy,
    /// Its deadline passed.
    Late,
    /// The gateway refused it.
    Refused(RefusalCode),
}

/// The web role's end of one attachment. `R` is whatever passes an answer on to who asked.
#[derive(Debug)]
pub struct Receiver<R> {
    state: State,
    conversation: Conversation<Output<R>>,
    pending: Pending<R>,
    /// The gateway's logs, in ascending order; none before the hello.
    logs: Vec<LogTail>,
    viewers: ViewersTelling,
    all_revoked_told: bool,
    caught_up: bool,
}

#[derive(Debug)]
enum State {
    Connected { after: Option<Cursor> },
    Replaying,
    Following,
}

impl<R> Receiver<R> {
    /// A connection to the gateway is open. `after`: where the replica stands, to go on from
    /// there; `None`: send everything.
    #[must_use]
    pub fn new(after: Option<Cursor>, now: Instant) -> Self {
        Self {
            state: State::Connected { after },
            conversation: Conversation::new(now),
            pending: Pending::new(),
            logs: Vec::new(),
            viewers: ViewersTelling::default(),
            all_revoked_told: false,
            caught_up: false,
        }
    }

    /// Whether it ever came to `snapshot_end`: the connection was of use.
    #[must_use]
    pub fn caught_up(&self) -> bool {
        self.caught_up
    }

    /// Takes in what happened. After the end, whoever asks is told that there is no answer.
    pub fn handle(&mut self, input: impl Into<Input<R>>, now: Instant) {
        let input = input.into();
        if self.conversation.has_ended() {
            if let Some(reply) = input.into_reply() {
                self.answer(reply, Err(Unanswered::Down));
            }
            return;
        }
        match input {
            Input::Socket(input) => self.socket(input, now),
            Input::WatchAsked {
                user_id,
                guild_ids,
                due,
                reply,
            } => self.watch(user_id, &guild_ids, reply, due, now),
            Input::CommandAsked {
                request,
                due,
                reply,
            } => self.ask(RequestBody::Command(request), reply, due, now),
            Input::RepeatAsked {
                request,
                due,
                reply,
            } => self.ask(RequestBody::Repeat(request), reply, due, now),
            Input::AdmitAsked {
                request,
                due,
                reply,
            } => self.ask(RequestBody::Admit(request), reply, due, now),
            Input::RevokeAsked {
                revocation,
                due,
                reply,
            } => self.ask(RequestBody::Revoke(revocation), reply, due, now),
            Input::ViewersChanged => self.viewers_changed(now),
            Input::ViewersCounted(table) => self.viewers_counted(table),
            Input::ReplicaRefused => self.conversation.end(End::OutOfOrder),
        }
        if self.conversation.has_ended() {
            self.abandon();
        }
    }

    /// The next thing to do. Ask until there is none.
    pub fn poll_output(&mut self) -> Option<Output<R>> {
        self.conversation.poll_output()
    }

    /// When to call [`Receiver::handle`] with [`SocketInput::TimePassed`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let common = self.conversation.deadline()?;
        let own = [self.pending.deadline(), self.viewers.deadline()];
        Some(own.into_iter().flatten().fold(common, Instant::min))
    }

    fn socket(&mut self, input: SocketInput, now: Instant) {
        let is_time = matches!(input, SocketInput::TimePassed);
        match self.conversation.handle(input, now) {
            Remainder::Frame(frame) => self.frame_came(frame, now),
            Remainder::Undecodable(error) => self.undecodable(&error),
            Remainder::Pinged | Remainder::Nothing => {}
        }
        if is_time && !self.conversation.has_ended() {
            self.give_up_overdue(now);
            self.tell_viewers_if_due(now);
        }
    }

    fn frame_came(&mut self, frame: Frame, now: Instant) {
        match (frame, &self.state) {
            (Frame::Hello { heads }, State::Connected { after }) => {
                let after = after.clone();
                self.greeted(&heads, after);
                self.tell_viewers_if_due(now);
            }
            (_, State::Connected { .. }) => self.conversation.violated(Violation::Unexpected),
            (Frame::Event(envelope), _) => self.event_came(envelope),
            (Frame::Snapshot(base), State::Replaying) => self.base_came(base),
            (Frame::SnapshotEnd { at }, State::Replaying) => self.replay_ended(at),
            (Frame::Status(status), _) if self.has(status.at.log) => {
                self.conversation.push(Output::Status(status));
            }
            (Frame::Heads { at }, _) => self.conversation.push(Output::Heads(at)),
            (Frame::Live(event), State::Following) => {
                self.conversation.push(Output::Live(event));
            }
            (Frame::Reply(reply), _) => self.reply_came(reply),
            (Frame::Tell(Tell::Revoked { revocations, more }), _) => {
                self.revoked(revocations, more);
            }
            // It is for gateways to be told.
            (Frame::Tell(_), _) => self.conversation.report(Violation::UnknownTell),
            _ => self.conversation.violated(Violation::Unexpected),
        }
    }

    fn greeted(&mut self, heads: &Cursor, after: Option<Cursor>) {
        let log = |head: &Position| {
            let after = after.as_ref().and_then(|after| after.in_log(head.log));
            LogTail::new(*head, after)
        };
        self.logs = heads.positions().iter().map(log).collect();
        self.state = State::Replaying;
        self.conversation.opened();
        self.conversation.send(Frame::Subscribe { after });
    }

    fn base_came(&mut self, base: Box<Base>) {
        let floor = base.floor;
        match self.log(floor.log).and_then(|log| log.base(floor)) {
            Ok(begins) => {
                if begins {
                    self.conversation.push(Output::Begin(floor.log));
                }
                self.conversation.push(Output::Base(base));
            }
            Err(why) => self.refuse(why),
        }
    }

    fn event_came(&mut self, envelope: Envelope) {
        let log = envelope.at.log;
        match self.log(log).and_then(|tail| tail.event(envelope)) {
            Ok(taken) => self.hand_over(log, taken),
            Err(why) => self.refuse(why),
        }
    }

    fn replay_ended(&mut self, at: Cursor) {
        let as_many = at.positions().len() == self.logs.len();
        if !as_many {
            return self.refuse(NotTaken::OutOfOrder);
        }
        for position in at.positions() {
            let tail = self.log(position.log);
            match tail.and_then(|tail| tail.end_replay(*position)) {
                Ok(taken) => self.hand_over(position.log, taken),
                Err(why) => return self.refuse(why),
            }
        }
        self.caught_up = true;
        self.state = State::Following;
        self.conversation.push(Output::Complete(at));
    }

    fn hand_over(&mut self, log: LogId, taken: TailOutput) {
        if taken.begins {
            self.conversation.push(Output::Begin(log));
        }
        for group in taken.groups {
            self.conversation.push(Output::Apply(group));
        }
    }

    fn refuse(&mut self, why: NotTaken) {
        match why {
            NotTaken::OutOfOrder => self.conversation.end(End::OutOfOrder),
            NotTaken::Unexpected => self.conversation.violated(Violation::Unexpected),
            NotTaken::Endless => self.conversation.violated(Violation::Endless),
        }
    }

    fn undecodable(&mut self, error: &FrameError) {
        let lost = match error {
            FrameError::Envelope(_) => return,
            FrameError::Data { frame, .. } | FrameError::NoId(frame) => *frame,
        };
        match (&self.state, lost) {
            // Nothing goes on without these; and by what is not told of revocations somebody would be
            // let in who was thrown out.
            (State::Connected { .. }, "hello")
            | (State::Replaying, "snapshot_end")
            | (_, "tell") => {
                let end = End::Violated(Violation::Undecodable);
                self.conversation.end(end);
            }
            // Which log it was of is not known, and if it was one that went on after its position
            // there is a hole now.
            (State::Replaying, "event" | "snapshot")
                if self.logs.iter().all(LogTail::misses_nothing) => {}
            (_, "event" | "snapshot") => self.conversation.end(End::OutOfOrder),
            _ => {}
        }
    }

    /// Whether the hello named a log.
    fn has(&self, log: LogId) -> bool {
        let found = self.logs.binary_search_by_key(&log, LogTail::log);
        found.is_ok()
    }

    /// A log that the hello did not name is of no place here.
    fn log(&mut self, log: LogId) -> Result<&mut LogTail, NotTaken> {
        let found = self.logs.binary_search_by_key(&log, LogTail::log);
        let index = found.map_err(|_| NotTaken::OutOfOrder)?;
        Ok(&mut self.logs[index])
    }
}

impl<R> From<SocketInput> for Input<R> {
    fn from(input: SocketInput) -> Self {
        Self::Socket(input)
    }
}

impl<R> From<SocketOutput> for Output<R> {
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

#[cfg(test)]
mod tests;
