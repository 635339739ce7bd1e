//! The one task that owns the working world. Dispatches, look-ups, watches and changes of the
//! connection happen to it in the order in which they arrived, and leave it in batches.

/// How we stand with Discord, as events make it.
mod standing;
/// What each input does to the world: no IO.
mod working;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use guildhall_link::frame::DiscordStatus;
use guildhall_model::{GuildId, Position, UserId};
use guildhall_ports::Clock;
use metrics::{counter, gauge, histogram};
use tokio::{
    select,
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info_span};

use crate::{
    Limits,
    append::{Appender, Batch},
    discord_rest::{DiscordRest, RestError},
    log::Log,
    normalise::Cdn,
    rights::{Pair, WatchId},
    shard::{Dispatch, MembersRequest},
};
use working::{Act, Working};

/// Dispatches and others that may wait. Full: the shard closes and RESUMEs later, so that memory
/// is bounded and nothing is lost.
const INBOX: usize = 8_192;
/// Watches that may wait in the inbox: they leave nearly all of it to dispatches. Full: who
/// watches waits.
const WATCHES_IN_INBOX: usize = 256;
/// Inputs per batch. One dispatch is one input, so it is never split.
const BATCH: usize = 512;

/// A handle on the keeper.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    inbox: mpsc::Sender<Input>,
    places: Arc<Semaphore>,
}

/// A watch is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    /// Everything the answer needed is in the log at or before this position.
    pub at: Position,
    /// Guilds where the user could not be looked up, or that are not bridged.
    pub failed: Vec<GuildId>,
}

/// The keeper is no more: the process is about to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the gateway is stopping")]
pub(crate) struct Stopped;

/// What can happen to the working world.
#[derive(Debug)]
pub(crate) enum Input {
    /// Discord told something.
    Dispatch(Dispatch),
    /// The connection to Discord is not there.
    Lost(Lost),
    /// A web role has a user.
    Watch(Watch),
}

/// The connection to Discord is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// There is a session that may be resumed.
    pub resumable: bool,
    /// Failures in a row, this one included.
    pub tries: u32,
    /// A sentence for the operator.
    pub why: String,
}

/// A web role has a user.
#[derive(Debug)]
pub(crate) struct Watch {
    user_id: UserId,
    guild_ids: Vec<GuildId>,
    reply: oneshot::Sender<Watched>,
    /// Free again as soon as the keeper has it in hand.
    place: OwnedSemaphorePermit,
}

/// What others may look at: how things stand, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Why there is no connection, and after how many tries.
    pub lost: Option<Lost>,
    /// Guilds of the settings that READY did not name.
    pub missing: BTreeSet<GuildId>,
    /// Guilds of which a dispatch could not be read since the last fresh picture.
    pub stale: BTreeSet<GuildId>,
}

/// Why the keeper ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeeperExit {
    /// As asked.
    Stopped,
    /// Somebody else wrote to the log.
    Fenced,
    /// REST said 401.
    TokenRefused,
}

impl Keeper {
    /// A handle, and the other end of its inbox, which is [`run`]'s.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Input>) {
        let (inbox, inputs) = mpsc::channel(INBOX);
        let places = Arc::new(Semaphore::new(WATCHES_IN_INBOX));
        (Self { inbox, places }, inputs)
    }

    /// The inbox, for the shard.
    pub(crate) fn inbox(&self) -> mpsc::Sender<Input> {
        self.inbox.clone()
    }

    /// This user is here: his rights in these guilds are to be in the log, and kept fresh for a
    /// while. Answered at once where that was so before, else when they were looked up; always
    /// within [`Limits::watch_answer`].
    pub(crate) async fn watch(
        &self,
        user_id: UserId,
        guild_ids: Vec<GuildId>,
    ) -> Result<Watched, Stopped> {
        let (reply, answer) = oneshot::channel();
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| Stopped)?;
        let watch = Watch {
            user_id,
            guild_ids,
            reply,
            place,
        };
        self.inbox
            .send(Input::Watch(watch))
            .await
            .map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

/// All that the keeper needs.
#[derive(Debug)]
pub(crate) struct Setup {
    pub log: Log,
    pub status: watch::Sender<DiscordStatus>,
    pub report: watch::Sender<Report>,
    pub rest: DiscordRest,
    pub clock: Arc<dyn Clock>,
    pub cdn: Cdn,
    pub guilds: Option<BTreeSet<GuildId>>,
    pub limits: Limits,
    /// Notified: the shard begins a new session.
    pub renew: Arc<Notify>,
    /// To the connection to Discord, if there is one.
    pub requests: mpsc::Sender<MembersRequest>,
}

/// Runs until it is stopped. Takes what is in the inbox then, and no more.
pub(crate) async fn run(
    setup: Setup,
    inbox: mpsc::Receiver<Input>,
    stop: CancellationToken,
) -> KeeperExit {
    let working = Working::new(setup.guilds, setup.cdn, setup.limits, setup.clock.now());
    let driver = Driver {
        working,
        appender: Appender::new(setup.log, setup.status),
        report: setup.report,
        rest: setup.rest,
        clock: setup.clock,
        renew: setup.renew,
        requests: setup.requests,
        inbox,
        look_ups: JoinSet::new(),
        replies: HashMap::new(),
        watches: 0,
        measured_at: None,
    };
    driver.run(stop).await
}

struct Driver {
    working: Working,
    appender: Appender,
    report: watch::Sender<Report>,
    rest: DiscordRest,
    clock: Arc<dyn Clock>,
    renew: Arc<Notify>,
    requests: mpsc::Sender<MembersRequest>,
    inbox: mpsc::Receiver<Input>,
    /// As many as the rights machine asks for at one time: a few.
    look_ups: JoinSet<LookedUp>,
    /// Of watches that are not answered. Each has a place, then a deadline, so they are bounded by
    /// how many web roles can send within it.
    replies: HashMap<WatchId, oneshot::Sender<Watched>>,
    watches: u64,
    measured_at: Option<std::time::Instant>,
}

type LookedUp = (Pair, Result<guildhall_model::world::Membership, RestError>);

impl Driver {
    async fn run(mut self, stop: CancellationToken) -> KeeperExit {
        self.working.begun(Instant::now().into_std());
        let mut inputs = Vec::with_capacity(BATCH);
        loop {
            let deadline = self.working.deadline();
            let mut answers = Vec::new();
            let stopping = select! {
                // None: every handle is gone, so nothing will ever come.
                taken = self.inbox.recv_many(&mut inputs, BATCH) => taken == 0,
                Some(answer) = self.look_ups.join_next() => {
                    answers.extend(answer);
                    false
                }
                () = until(deadline) => false,
                () = stop.cancelled() => true,
            };
            // An answer must not overtake the dispatches that arrived before it.
            while inputs.len() < BATCH
                && let Ok(input) = self.inbox.try_recv()
            {
                inputs.push(input);
            }
            while let Some(answer) = self.look_ups.try_join_next() {
                answers.extend(answer);
            }
            if let Some(exit) = self.handle(&mut inputs, answers) {
                return exit;
            }
            if stopping && self.inbox.is_empty() {
                return KeeperExit::Stopped;
            }
        }
    }

    /// One batch.
    fn handle(&mut self, inputs: &mut Vec<Input>, answers: Vec<LookedUp>) -> Option<KeeperExit> {
        let now = Instant::now().into_std();
        let wall = self.clock.now();
        if !inputs.is_empty() {
            let size = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
            histogram!("guildhall_gateway_batch_inputs").record(f64::from(size));
        }
        for input in inputs.drain(..) {
            match input {
                Input::Dispatch(dispatch) => self.working.dispatched(&dispatch, now),
                Input::Lost(lost) => self.working.lost(lost, now, wall),
                Input::Watch(watch) => {
                    drop(watch.place);
                    self.watches += 1;
                    let id = WatchId(self.watches);
                    self.replies.insert(id, watch.reply);
                    self.working
                        .watched(id, watch.user_id, watch.guild_ids, now, wall);
                }
            }
        }
        for (pair, answer) in answers {
            counter!("guildhall_rights_lookups_total", "result" => result(&answer)).increment(1);
            if answer == Err(RestError::Unauthorised) {
                return Some(KeeperExit::TokenRefused);
            }
            if let Err(error) = &answer {
                debug!(guild.id = %pair.0, viewer.id = %pair.1, "look-up failed: {error}");
            }
            self.working.looked_up(pair, answer.ok(), now, wall);
        }
        self.working.time_passed(now, wall);
        self.finish(now)
    }

    /// Batch → (commit) → publish, then answers and look-ups.
    fn finish(&mut self, now: std::time::Instant) -> Option<KeeperExit> {
        let outcome = self.working.take();
        let batch = Batch {
            events: outcome.events,
            status: outcome.status,
        };
        let Ok(at) = self.appender.append(batch) else {
            return Some(KeeperExit::Fenced);
        };
        for act in outcome.acts {
            match act {
                Act::LookUp(pair) => self.look_up(pair),
                Act::LookUpMany(request) => {
                    counter!("guildhall_rights_calls_total").increment(1);
                    // Full: the connection has no time, and soon there will be none. What is not
                    // sent has no answer, and is asked for again.
                    let _full = self.requests.try_send(request);
                }
                Act::Answer { watch, failed } => {
                    if let Some(reply) = self.replies.remove(&watch) {
                        // Who asked may be gone; the rights are in the log all the same.
                        let _gone = reply.send(Watched { at, failed });
                    }
                }
                Act::Renew => self.renew.notify_one(),
            }
        }
        if let Some(report) = outcome.report {
            self.report.send_replace(report);
        }
        self.measure(now);
        None
    }

    /// Once a second at most: it looks at every watched user.
    fn measure(&mut self, now: std::time::Instant) {
        if self
            .measured_at
            .is_some_and(|at| now < at + Duration::from_secs(1))
        {
            return;
        }
        self.measured_at = Some(now);
        gauge!("guildhall_rights_age_seconds").set(self.working.rights_age(now).as_secs_f64());
        let watched = u32::try_from(self.working.watched_count(now)).unwrap_or(u32::MAX);
        gauge!("guildhall_rights_watched").set(f64::from(watched));
    }

    fn look_up(&mut self, (guild_id, user_id): Pair) {
        let rest = self.rest.clone();
        let span = info_span!("look_up", guild.id = %guild_id, viewer.id = %user_id);
        let asked = async move {
            (
                (guild_id, user_id),
                rest.membership(guild_id, user_id).await,
            )
        };
        self.look_ups.spawn(asked.instrument(span));
    }
}

async fn until(deadline: Option<std::time::Instant>) {
    match deadline {
        // Never so near that a deadline which stays would spin.
        Some(at) => {
            let soonest = Instant::now() + Duration::from_millis(5);
            sleep_until(soonest.max(at.into())).await;
        }
        None => std::future::pending().await,
    }
}

fn result(answer: &Result<guildhall_model::world::Membership, RestError>) -> &'static str {
    use guildhall_model::world::Membership::{Member, Stranger};
    match answer {
        Ok(Member { .. }) => "member",
        Ok(Stranger) => "stranger",
        Err(RestError::Unauthorised) => "token",
        Err(RestError::Refused { .. }) => "refused",
        Err(RestError::Unreachable(_)) => "unreachable",
    }
}
