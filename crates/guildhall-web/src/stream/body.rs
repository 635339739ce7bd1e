//! One stream from its first byte to its last, as a response body. It holds a place in the log
//! and nothing else: no queue, no task of its own, one timer.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use guildhall_model::{Cursor, GuildId, Position};
use guildhall_ports::Clock;
use http_body::Frame;
use metrics::counter;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::{
    limit::Permit,
    reconnect::{retry_ms, retry_ms_after},
    replay::{From, Joined, NotYet, Opening, join},
    write::SseWriter,
};
use crate::{
    auth::SessionEnd,
    fanout::{Attendance, Behind, Fanout, Seat},
    replica::StatusPayload,
    seldom::Seldom,
    visible::{ByeReason, ControlEvent, Narrow, Told, Visible},
};

/// Between two checkpoints.
pub(crate) const CHECKPOINT_EVERY: Duration = Duration::from_secs(15);

/// How long a stream waits for the world or its viewer's rights before it says `bye`.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a stream is opened with.
pub(crate) struct Opened {
    pub(crate) fanout: Fanout,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) attendance: Attendance,
    /// Given back with the last word, or when the body is dropped.
    pub(crate) permit: Option<Permit>,
    /// What it is about, in ascending order: those that are there, and those that may come.
    pub(crate) guilds: Arc<[GuildId]>,
    pub(crate) narrow: Narrow,
    pub(crate) cursor: Option<Cursor>,
    /// The positions that the session noted at login.
    pub(crate) heads: Vec<Position>,
    /// Cancelled when the session is revoked on this instance.
    pub(crate) session_end: SessionEnd,
    pub(crate) timing: Timing,
}

/// A stream's times and chances, drawn by who opens it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// When the first checkpoint is due; later ones every [`CHECKPOINT_EVERY`].
    pub(crate) first_checkpoint: Instant,
    /// When it ends, and why.
    pub(crate) ends: (Instant, ByeReason),
    /// 0 to 1, spreads reconnects.
    pub(crate) chance: f64,
}

/// The body of `GET /api/stream`.
pub(crate) struct StreamBody {
    opened: Box<Opened>,
    place: Place,
    /// Seats at the query's guilds; empty while there is no place.
    seats: Vec<Seat>,
    /// The viewer's turn when the seats were taken.
    turn: u64,
    /// What the browser has of which guild.
    told: BTreeMap<GuildId, Told>,
    /// Guilds of the query in which the viewer is known to be no member.
    strangers: Vec<GuildId>,
    /// The replica's standing when it was last looked at; `None`: to be looked at again.
    standing_turn: Option<u64>,
    /// The status that was last said.
    said: Option<StatusPayload>,
    next_checkpoint: Instant,
    timer: Pin<Box<Sleep>>,
    revoked: Seldom<WaitForCancellationFutureOwned>,
}

/// Where a stream is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Not begun; gives up at this time.
    Door { until: Instant },
    /// All up to here was sent.
    At(Position),
    /// All up to here was sent, and it waits to be seated again until this time.
    Adrift { position: Position, until: Instant },
    /// Over.
    Left,
}

impl StreamBody {
    /// A stream that has sent nothing yet. `now`: tokio's time.
    pub(crate) fn new(opened: Opened, now: Instant) -> Self {
        let until = now + PATIENCE;
        Self {
            place: Place::Door { until },
            seats: Vec::new(),
            turn: 0,
            told: BTreeMap::new(),
            strangers: Vec::new(),
            standing_turn: None,
            said: None,
            next_checkpoint: opened.timing.first_checkpoint,
            timer: Box::pin(tokio::time::sleep_until(
                until.min(opened.timing.first_checkpoint),
            )),
            revoked: Seldom::new(opened.session_end.clone().cancelled_owned()),
            opened: Box::new(opened),
        }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.opened.attendance.signal().listen(cx.waker());
        loop {
            if matches!(self.place, Place::Left) {
                return Poll::Ready(None);
            }
            if let Some(reason) = self.asked_to_leave(cx) {
                return Poll::Ready(Some(self.bye(reason)));
            }
            let mut out = SseWriter::default();
            self.advance(&mut out);
            if !out.is_empty() {
                return Poll::Ready(Some(out.finish()));
            }
            ready!(self.timer.as_mut().poll(cx));
            if let Some(bytes) = self.time_passed() {
                return Poll::Ready(Some(bytes));
            }
        }
    }

    fn asked_to_leave(&mut self, cx: &mut Context<'_>) -> Option<ByeReason> {
        if self.opened.fanout.is_draining() {
            return Some(ByeReason::Draining);
        }
        let revoked = self.revoked.poll(cx).is_ready();
        revoked.then_some(ByeReason::SessionRevoked)
    }

    /// Writes all that is pending and moves the place past it.
    fn advance(&mut self, out: &mut SseWriter) {
        // INVARIANT(turn-before-published): the number is read before the turn, and written after
        // it; so whatever this number covers was judged by the rights that the turn stands for.
        let published = self.opened.fanout.published();
        match self.place {
            Place::At(position) if self.turn == self.opened.attendance.viewer().turn() => {
                if self.read(position, published, out).is_err() {
                    self.join_again(position, out);
                }
            }
            Place::At(position) | Place::Adrift { position, .. } => {
                self.join_again(position, out);
            }
            Place::Door { .. } => self.enter(out),
            Place::Left => {}
        }
        self.say_standing(out);
    }

    fn read(
        &mut self,
        position: Position,
        published: u64,
        out: &mut SseWriter,
    ) -> Result<(), Behind> {
        if published <= position.seq {
            return Ok(());
        }
        let mut run = Vec::new();
        for feed in self.seats.iter().filter_map(Seat::feed) {
            feed.read(position.seq, published, &mut run)?;
        }
        if self.seats.len() > 1 {
            run.sort_by_key(|visible| visible.get().at.seq);
        }
        out.records(&run);
        self.place = Place::At(position.at(published));
        Ok(())
    }

    fn enter(&mut self, out: &mut SseWriter) {
        let from = From::Browser {
            cursor: self.opened.cursor.as_ref(),
            heads: &self.opened.heads,
        };
        let Ok(joined) = self.join(from) else {
            return;
        };
        out.retry(retry_ms(self.opened.timing.chance));
        let opening = self.sit_down(joined);
        if let Opening::Records(replay) = &opening
            && let Place::At(position) = self.place
        {
            let records = &replay.records;
            let first = records.first().map(|first| first.get().at);
            let cursor = first.map_or(position, |first| first.at(first.seq - 1));
            counter!("guildhall_stream_resumptions_total").increment(1);
            let resumed = ControlEvent::Resumed {
                replayed: records.len(),
                status: self.say_status(),
            };
            out.control(Some(cursor), &Visible::control(resumed));
        }
        self.open(opening, out);
    }

    fn join_again(&mut self, position: Position, out: &mut SseWriter) {
        let from = From::Stream {
            position,
            told: &self.told,
            now: self.opened.clock.now(),
        };
        match self.join(from) {
            Ok(joined) => {
                let opening = self.sit_down(joined);
                self.open(opening, out);
            }
            Err(_) if matches!(self.place, Place::Adrift { .. }) => {}
            Err(_) => {
                // Without seats nothing is heard but the viewer's bell, which is what we wait for.
                self.seats = Vec::new();
                let until = Instant::now() + PATIENCE;
                self.place = Place::Adrift { position, until };
                self.set_timer();
            }
        }
    }

    fn sit_down(&mut self, joined: Joined) -> Opening {
        // The new seats were taken before the old ones are given back here.
        self.seats = joined.seats;
        self.turn = joined.turn;
        self.told = joined.told;
        self.strangers = joined.strangers;
        // What may be known of the guilds is part of the status.
        self.standing_turn = None;
        self.place = Place::At(joined.position);
        self.set_timer();
        joined.opening
    }

    fn open(&mut self, opening: Opening, out: &mut SseWriter) {
        match opening {
            Opening::Records(replay) => out.replay(&replay),
            Opening::Snapshot {
                reason,
                at,
                before,
                guilds,
            } => {
                counter!("guildhall_stream_snapshots_total", "reason" => reason.name())
                    .increment(1);
                out.replay(&before);
                let status = self.say_status();
                out.snapshot(at, reason, &Visible::status(status), &guilds);
            }
        }
    }

    fn join(&self, from: From<'_>) -> Result<Joined, NotYet> {
        let Opened {
            fanout,
            attendance,
            guilds,
            narrow,
            ..
        } = &*self.opened;
        join(fanout, attendance, guilds, narrow, from, Instant::now())
    }

    /// Says the status if it is another than was last said.
    fn say_standing(&mut self, out: &mut SseWriter) {
        if self.standing_turn == Some(self.opened.fanout.replica().standing_turn()) {
            return;
        }
        if let Place::At(position) | Place::Adrift { position, .. } = self.place {
            let before = self.said.take();
            let status = self.say_status();
            if before.as_ref() != Some(&status) {
                let status = Visible::control(ControlEvent::Status(status));
                out.control(Some(position), &status);
            }
        }
    }

    /// The status as it is now, to be said at once.
    fn say_status(&mut self) -> StatusPayload {
        let replica = self.opened.fanout.replica();
        self.standing_turn = Some(replica.standing_turn());
        let sees_any = self.told.values().any(|told| *told == Told::Everything);
        let may_know = |id: GuildId| {
            self.opened.guilds.binary_search(&id).is_ok() && !self.strangers.contains(&id)
        };
        let status = replica.standing().payload(may_know, sees_any);
        self.said = Some(status.clone());
        status
    }

    /// The timer fired: what is due?
    fn time_passed(&mut self) -> Option<Bytes> {
        // Long after the deadline if the process was stopped; then one checkpoint is enough.
        let now = Instant::now();
        let (ends, reason) = self.opened.timing.ends;
        if now >= ends {
            return Some(self.bye(reason));
        }
        if let Place::Door { until } | Place::Adrift { until, .. } = self.place
            && now >= until
        {
            return Some(self.bye(ByeReason::Unavailable));
        }
        let mut out = SseWriter::default();
        if now >= self.next_checkpoint {
            self.next_checkpoint = now + CHECKPOINT_EVERY;
            if let Place::At(position) | Place::Adrift { position, .. } = self.place {
                let now = self.opened.clock.now();
                let checkpoint = Visible::control(ControlEvent::Checkpoint { now });
                out.control(Some(position), &checkpoint);
            }
        }
        self.set_timer();
        (!out.is_empty()).then(|| out.finish())
    }

    fn set_timer(&mut self) {
        let mut due = self.next_checkpoint.min(self.opened.timing.ends.0);
        if let Place::Door { until } | Place::Adrift { until, .. } = self.place {
            due = due.min(until);
        }
        if self.timer.deadline() != due {
            self.timer.as_mut().reset(due);
        }
    }

    fn bye(&mut self, reason: ByeReason) -> Bytes {
        let cursor = match self.place {
            Place::At(position) | Place::Adrift { position, .. } => Some(position),
            Place::Door { .. } | Place::Left => None,
        };
        self.place = Place::Left;
        self.seats = Vec::new();
        drop(self.opened.permit.take());
        bye(reason, cursor, self.opened.timing.chance)
    }
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = ready!(self.poll_bytes(cx));
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The last words of a stream; all of it, for one that never began.
pub(crate) fn bye(reason: ByeReason, cursor: Option<Position>, chance: f64) -> Bytes {
    let retry_ms = retry_ms_after(reason, chance);
    let mut out = SseWriter::default();
    out.retry(retry_ms);
    let bye = Visible::control(ControlEvent::Bye { reason, retry_ms });
    out.control(cursor, &bye);
    out.finish()
}
