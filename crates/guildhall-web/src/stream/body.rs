//! One stream from its first byte to its last, as a response body. It holds its position in each log
//! and its subscriptions: no queue, no task of its own, one timer.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use guildhall_http::PollWhenWoken;
use guildhall_model::{
    ChannelId, Cursor, GuildId, UnixMs,
    event::{ByePayload, ByeReason, CheckpointPayload, ResumedPayload, StatusPayload},
};
use http_body::Frame;
use metrics::{counter, histogram};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::{
    admission::RoomVisibility,
    reconnect::{retry_ms, retry_ms_after},
    replay::{JoinFrom, Joined, NotJoinable, ReplayVerdict, join, status_scope},
    setup::StreamSetup,
    write::SseWriter,
};
use crate::{
    auth::LoginHeads,
    fanout::{GuildSubscription, Published, StreamPosition, TooFarBehind, ViewedRooms},
    visible::{ControlEvent, GuildView, Visible},
};

/// Between two checkpoints.
pub(crate) const CHECKPOINT_EVERY: Duration = Duration::from_secs(15);

/// How long a stream waits for the world or its viewer's rights before it says `bye`.
const JOIN_LIMIT: Duration = Duration::from_secs(5);

/// The body of `GET /api/stream`.
pub(crate) struct StreamBody {
    setup: Box<StreamSetup>,
    state: StreamState,
    /// To the query's guilds; empty unless it is live.
    subscriptions: Vec<GuildSubscription>,
    /// The number of the last word of the live lane that was looked at; 0: all are to be told.
    live_told: u64,
    /// The viewer's when the stream joined.
    rights_generation: u64,
    /// The guilds that it is about, as they were when it joined, ascending.
    wanted: Arc<[GuildId]>,
    /// What the browser has of each guild.
    views: BTreeMap<GuildId, GuildView>,
    /// Guilds of the query in which the viewer is known to be no member.
    not_member_of: Vec<GuildId>,
    /// On which rooms' pages its person is, as far as they see them.
    viewed: ViewedRooms,
    /// The replica's when it was last looked at; `None`: to be looked at again.
    freshness_generation: Option<u64>,
    /// The status that was last sent.
    last_status: Option<StatusPayload>,
    next_checkpoint: Instant,
    timer: Pin<Box<Sleep>>,
    revoked: PollWhenWoken<WaitForCancellationFutureOwned>,
}

/// Where a stream is.
#[derive(Debug)]
enum StreamState {
    /// Nothing was sent yet; it gives up at this time.
    Opening { until: Instant },
    /// All up to here was sent, and its subscriptions have what comes.
    Live(StreamPosition),
    /// All up to here was sent. It has no subscriptions, and waits until this time to join again.
    Detached {
        position: StreamPosition,
        until: Instant,
    },
    /// It has ended.
    Closed,
}

impl StreamState {
    /// Where it stands, once something was sent.
    fn position(&self) -> Option<&StreamPosition> {
        match self {
            Self::Live(position) | Self::Detached { position, .. } => Some(position),
            Self::Opening { .. } | Self::Closed => None,
        }
    }
}

impl StreamBody {
    /// A stream that has sent nothing yet. `now`: tokio's time.
    pub(crate) fn new(setup: StreamSetup, now: Instant) -> Self {
        let until = now + JOIN_LIMIT;
        Self {
            state: StreamState::Opening { until },
            subscriptions: Vec::new(),
            live_told: 0,
            rights_generation: 0,
            wanted: Arc::default(),
            views: BTreeMap::new(),
            not_member_of: Vec::new(),
            viewed: ViewedRooms::new(setup.fanout.room_viewers(), &[]),
            freshness_generation: None,
            last_status: None,
            next_checkpoint: setup.timing.first_checkpoint,
            timer: Box::pin(tokio::time::sleep_until(
                until.min(setup.timing.first_checkpoint),
            )),
            revoked: PollWhenWoken::new(setup.session_end.clone().cancelled_owned()),
            setup: Box::new(setup),
        }
    }

    /// Its person is on the pages of these rooms. To be said before it is read.
    pub(crate) fn view(&mut self, rooms: &[ChannelId]) {
        self.viewed = ViewedRooms::new(self.setup.fanout.room_viewers(), rooms);
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.setup.registration.waker().register(cx.waker());
        loop {
            if matches!(self.state, StreamState::Closed) {
                return Poll::Ready(None);
            }
            if let Some(reason) = self.end_requested(cx) {
                return Poll::Ready(Some(self.bye(reason)));
            }
            let mut out = SseWriter::default();
            self.advance(&mut out);
            if !out.is_empty() {
                return Poll::Ready(Some(out.finish()));
            }
            // After all that tells why.
            if self.has_lost_its_room() {
                return Poll::Ready(Some(self.bye(ByeReason::SessionRevoked)));
            }
            ready!(self.timer.as_mut().poll(cx));
            if let Some(bytes) = self.time_passed() {
                return Poll::Ready(Some(bytes));
            }
        }
    }

    fn end_requested(&mut self, cx: &mut Context<'_>) -> Option<ByeReason> {
        if self.setup.fanout.is_draining() {
            return Some(ByeReason::Draining);
        }
        let revoked = self.revoked.poll(cx).is_ready();
        revoked.then_some(ByeReason::SessionRevoked)
    }

    /// Whether it is an overlay's, and its viewer is known not to see the one room any more. As long as that
    /// is not known nothing of the room is shown either.
    fn has_lost_its_room(&self) -> bool {
        let Some((guild, room)) = self.setup.only_room else {
            return false;
        };
        let StreamState::Live(_) = self.state else {
            return false;
        };
        let mut buffers = self.subscriptions.iter().filter_map(|it| it.buffer());
        let viewer = self.setup.registration.viewer();
        !buffers.any(|buffer| buffer.sees(room))
            && RoomVisibility::of(&self.setup.fanout, viewer, (guild, room))
                == RoomVisibility::Unseen
    }

    /// Writes all that is pending and moves the position past it.
    fn advance(&mut self, out: &mut SseWriter) {
        // INVARIANT(rights-before-published): the numbers are read before the generation, and
        // written after it; so whatever they cover was judged by the rights of that generation.
        let published = self.state.position().map(StreamPosition::published);
        let live_last = self.setup.fanout.live_last();
        match (&self.state, published) {
            (StreamState::Live(_), Some(published))
                if self.rights_generation
                    == self.setup.registration.viewer().rights_generation() =>
            {
                if self.read(&published, out).is_err() {
                    self.rejoin(out);
                }
            }
            (StreamState::Live(_) | StreamState::Detached { .. }, _) => self.rejoin(out),
            (StreamState::Opening { .. }, _) => self.start(out),
            (StreamState::Closed, _) => {}
        }
        if let Some(at) = out.rights_changed_at() {
            self.note_obeyed(at);
        }
        if out.shows_rooms() {
            // What the live lane said of a room before it was shown is told with it.
            self.live_told = 0;
        }
        self.count_viewed();
        self.write_live(live_last, out);
        self.write_status_change(out);
        self.write_settled(out);
    }

    /// What changed the viewer's rights, and came to the gateway at this time, is told.
    fn note_obeyed(&self, changed_at: UnixMs) {
        let took = self.setup.clock.now().saturating_sub(changed_at);
        let took = Duration::from_millis(took);
        histogram!("guildhall_rights_obeyed_seconds").record(took.as_secs_f64());
    }

    /// Counts as a viewer of the rooms that its person is on the page of and sees. A stream that
    /// waits to join again, some seconds at most, counts as before.
    fn count_viewed(&mut self) {
        if self.viewed.is_empty() || !matches!(self.state, StreamState::Live(_)) {
            return;
        }
        let buffers = || self.subscriptions.iter().filter_map(|it| it.buffer());
        self.viewed
            .update(|room| buffers().any(|buffer| buffer.sees(room)));
    }

    /// Writes what the live lane says after what was told of it, the latest word of each key.
    fn write_live(&mut self, upto: u64, out: &mut SseWriter) {
        if upto == self.live_told || !matches!(self.state, StreamState::Live(_)) {
            return;
        }
        let mut shown = Vec::new();
        for subscription in &self.subscriptions {
            let Some(buffer) = subscription.buffer() else {
                continue;
            };
            let guild_id = subscription.guild_id();
            let fanout = &self.setup.fanout;
            let events = fanout.live_between(guild_id, self.live_told, upto);
            shown.extend(events.iter().filter_map(|event| buffer.show_live(event)));
        }
        // INVARIANT(raised-before-shown): if a class went on with rights that are not this viewer's,
        // their generation was raised before it showed anything by them.
        if self.rights_generation != self.setup.registration.viewer().rights_generation() {
            return;
        }
        for visible in &shown {
            out.live(visible);
        }
        self.live_told = upto;
    }

    /// Says which commands of the session are done, behind what they did.
    fn write_settled(&mut self, out: &mut SseWriter) {
        if let StreamState::Live(position) = &self.state {
            let settled = self.setup.settled.next(position.positions());
            if !settled.is_empty() {
                let cursor = position.cursor();
                self.write_checkpoint(&cursor, settled, out);
            }
        }
    }

    fn write_checkpoint(&self, cursor: &Cursor, settled: Vec<String>, out: &mut SseWriter) {
        let now = self.setup.clock.now();
        let checkpoint = ControlEvent::Checkpoint(CheckpointPayload { now, settled });
        out.control(Some(cursor), &Visible::control(checkpoint));
    }

    /// Log after log, writes what the subscriptions have beyond the stream's position.
    fn read(&mut self, published: &Published, out: &mut SseWriter) -> Result<(), TooFarBehind> {
        let StreamState::Live(position) = &mut self.state else {
            return Ok(());
        };
        while let Some((at, upto)) = position.behind(published) {
            let mut run = Vec::new();
            for subscription in &self.subscriptions {
                if subscription.log_id() == at.log
                    && let Some(buffer) = subscription.buffer()
                {
                    buffer.read(at.seq, upto, &mut run)?;
                }
            }
            if self.subscriptions.len() > 1 {
                // Stable: rooms stay where they are around their record.
                run.sort_by_key(|visible| visible.get().at().seq);
            }
            out.frames(&run, position);
            position.advance(at.at(upto));
        }
        Ok(())
    }

    fn start(&mut self, out: &mut SseWriter) {
        let from = JoinFrom::Browser {
            cursor: self.setup.cursor.as_ref(),
            heads: &self.setup.heads,
        };
        let Ok(joined) = self.join(from) else {
            return;
        };
        // Nobody asks for them again.
        self.setup.cursor = None;
        self.setup.heads = LoginHeads::default();
        out.retry(retry_ms(self.setup.timing.chance));
        let verdict = self.attach(joined);
        if let ReplayVerdict::Records(replay) = &verdict {
            counter!("guildhall_stream_resumptions_total").increment(1);
            let resumed = ControlEvent::Resumed(ResumedPayload {
                replayed: replay.frames.len(),
                status: self.status_now(),
            });
            out.control(Some(&replay.from.cursor()), &Visible::control(resumed));
        }
        self.write_verdict(verdict, out);
    }

    /// Joins again, from where it stands.
    fn rejoin(&mut self, out: &mut SseWriter) {
        let Some(position) = self.state.position() else {
            return;
        };
        let from = JoinFrom::Stream {
            position: position.positions(),
            views: &self.views,
            now: self.setup.clock.now(),
        };
        match self.join(from) {
            Ok(joined) => {
                let verdict = self.attach(joined);
                self.write_verdict(verdict, out);
            }
            Err(_) => self.detach(),
        }
    }

    fn detach(&mut self) {
        match std::mem::replace(&mut self.state, StreamState::Closed) {
            StreamState::Live(position) => {
                // Without subscriptions only the viewer wakes it, which is what it waits for.
                self.subscriptions = Vec::new();
                let until = Instant::now() + JOIN_LIMIT;
                self.state = StreamState::Detached { position, until };
                self.set_timer();
            }
            other => self.state = other,
        }
    }

    fn attach(&mut self, joined: Joined) -> ReplayVerdict {
        // The new ones were made before the old ones are dropped here.
        self.subscriptions = joined.subscriptions;
        self.rights_generation = joined.rights_generation;
        // Told whole again: whoever or whatever came into the picture brings theirs along.
        self.live_told = 0;
        self.wanted = joined.wanted;
        self.views = joined.views;
        self.not_member_of = joined.not_member_of;
        // What the viewer may know of the guilds is part of the status.
        self.freshness_generation = None;
        self.state = StreamState::Live(joined.position);
        self.set_timer();
        joined.verdict
    }

    fn write_verdict(&mut self, verdict: ReplayVerdict, out: &mut SseWriter) {
        match verdict {
            ReplayVerdict::Records(replay) => out.replay(&replay),
            ReplayVerdict::Snapshot { reason, at, guilds } => {
                counter!("guildhall_stream_snapshots_total", "reason" => reason.name())
                    .increment(1);
                let status = self.status_now();
                out.snapshot(&at, reason, &Visible::status(status), &guilds);
            }
        }
    }

    fn join(&self, from: JoinFrom<'_>) -> Result<Joined, NotJoinable> {
        let StreamSetup {
            fanout,
            registration,
            guilds,
            selector,
            ..
        } = &*self.setup;
        join(fanout, registration, guilds, selector, from, Instant::now())
    }

    /// Writes the status if it is another than was last sent.
    fn write_status_change(&mut self, out: &mut SseWriter) {
        if self.freshness_generation == Some(self.setup.fanout.replica().freshness_generation()) {
            return;
        }
        if let Some(cursor) = self.cursor() {
            let before = self.last_status.take();
            let status = self.status_now();
            if before.as_ref() != Some(&status) {
                let status = Visible::control(ControlEvent::Status(status));
                out.control(Some(&cursor), &status);
            }
        }
    }

    /// What its browser goes on from, once something was sent.
    fn cursor(&self) -> Option<Cursor> {
        self.state.position().map(StreamPosition::cursor)
    }

    /// The status as it is now, to be sent at once.
    fn status_now(&mut self) -> StatusPayload {
        let replica = self.setup.fanout.replica();
        self.freshness_generation = Some(replica.freshness_generation());
        let sees_any = self
            .views
            .values()
            .any(|view| *view == GuildView::Everything);
        let guilds = self.wanted.iter().copied();
        let may_know = guilds.filter(|id| !self.not_member_of.contains(id));
        let scope = status_scope(&replica.read(), may_know, sees_any);
        let status = replica.freshness().payload(&scope);
        self.last_status = Some(status.clone());
        status
    }

    /// The timer fired: what is due?
    fn time_passed(&mut self) -> Option<Bytes> {
        // Long after the deadline if the process was stopped; then one checkpoint is enough.
        let now = Instant::now();
        let (ends, reason) = self.setup.timing.ends;
        if now >= ends {
            return Some(self.bye(reason));
        }
        // The timer does not run while the machine sleeps, and knows of no clock that was set.
        let expires = self.setup.session_expires;
        if expires.is_some_and(|expires| self.setup.clock.now() >= expires) {
            return Some(self.bye(ByeReason::SessionExpired));
        }
        if let StreamState::Opening { until } | StreamState::Detached { until, .. } = self.state
            && now >= until
        {
            return Some(self.bye(ByeReason::Unavailable));
        }
        let mut out = SseWriter::default();
        if now >= self.next_checkpoint {
            self.next_checkpoint = now + CHECKPOINT_EVERY;
            if let Some(cursor) = self.cursor() {
                self.write_checkpoint(&cursor, Vec::new(), &mut out);
            }
        }
        self.set_timer();
        (!out.is_empty()).then(|| out.finish())
    }

    fn set_timer(&mut self) {
        let mut due = self.next_checkpoint.min(self.setup.timing.ends.0);
        if let StreamState::Opening { until } | StreamState::Detached { until, .. } = self.state {
            due = due.min(until);
        }
        if self.timer.deadline() != due {
            self.timer.as_mut().reset(due);
        }
    }

    fn bye(&mut self, reason: ByeReason) -> Bytes {
        let cursor = self.cursor();
        self.state = StreamState::Closed;
        self.subscriptions = Vec::new();
        self.viewed.update(|_| false);
        drop((self.setup.permit.take(), self.setup.listed.take()));
        counter!("guildhall_stream_byes_total", "reason" => reason.name()).increment(1);
        bye(reason, cursor.as_ref(), self.setup.timing.chance)
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

/// The end of a stream; all of it, for one that never began.
pub(crate) fn bye(reason: ByeReason, cursor: Option<&Cursor>, chance: f64) -> Bytes {
    let retry_ms = retry_ms_after(reason, chance);
    let mut out = SseWriter::default();
    out.retry(retry_ms);
    let bye = Visible::control(ControlEvent::Bye(ByePayload { reason, retry_ms }));
    out.control(cursor, &bye);
    out.finish()
}
