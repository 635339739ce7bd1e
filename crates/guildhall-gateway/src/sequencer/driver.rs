//! The task itself: takes what is in the inbox, has [`WorkingWorld`] apply it, and sees each batch
//! through its commit to the outside.

use std::{collections::HashMap, sync::Arc, time::Duration};

use guildhall_link::frame::Ack;
use guildhall_model::{GuildId, Position, UnixMs, guild::Membership};
use guildhall_ports::{Clock, Journal, journal::ResumeState};
use metrics::{Gauge, counter, histogram};
use tokio::{
    select,
    sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info_span};

use super::{
    ReadinessReport, SequencerExit,
    append::{Appender, Batch, PublishedStatus, SealedBatch},
    committing::{AfterCommit, CommitProgress, Committing, FinishedCommit},
    working_world::{BatchOutcome, Effect, Restored, WorkingWorld},
};
use crate::{
    GatewaySettingNames, Limits,
    discord_rest::{DiscordRest, RestError},
    inbox::{Answered, Input, MembersRequest, QuestionId, WatchReply},
    log::Log,
    metrics::gauge_of_log,
    normalise::Cdn,
    rights::{MemberKey, WatchId},
};

/// Inputs per batch. One dispatch is one input, so it is never split. Full: nothing is taken from
/// the inbox until the batch before it is committed.
const BATCH: usize = 512;

/// All that the sequencer needs.
#[derive(Debug)]
pub(crate) struct SequencerSetup {
    pub journal: Arc<dyn Journal>,
    pub log: Log,
    pub restored: Restored,
    pub published: PublishedStatus,
    pub report: watch::Sender<ReadinessReport>,
    pub rest: DiscordRest,
    pub clock: Arc<dyn Clock>,
    pub cdn: Cdn,
    pub limits: Limits,
    pub names: GatewaySettingNames,
    /// Notified: the shard begins a new session.
    pub renew: Arc<Notify>,
    /// Says that the log was rolled back: [`super::Sequencer::report_rollback`].
    pub rollback: watch::Receiver<Option<Position>>,
    /// To the connection to Discord, if there is one.
    pub requests: mpsc::Sender<MembersRequest>,
    /// Likewise, and behind those.
    pub channel_infos: mpsc::Sender<GuildId>,
}

/// Runs until it is stopped. Takes what is in the inbox then, and no more, and commits it.
pub(crate) async fn run(
    setup: SequencerSetup,
    inbox: mpsc::Receiver<Input>,
    stop: CancellationToken,
) -> SequencerExit {
    let state = Arc::clone(&setup.restored.state);
    let (limits, names, now) = (setup.limits, setup.names, setup.clock.now());
    let working = WorkingWorld::new(setup.restored, setup.cdn, limits, names.guilds, now);
    setup.published.status.send_replace(working.status());
    let log = setup.log.id();
    let rights = RightsGauges {
        age: gauge_of_log("guildhall_rights_age_seconds", log),
        waiting: gauge_of_log("guildhall_rights_waiting", log),
        watched: gauge_of_log("guildhall_rights_watched", log),
    };
    let driver = Driver {
        working,
        appender: Appender::new(
            setup.journal,
            setup.log,
            state,
            setup.published,
            names.data_dir,
        ),
        report: setup.report,
        rest: setup.rest,
        clock: setup.clock,
        renew: setup.renew,
        requests: setup.requests,
        channel_infos: setup.channel_infos,
        inbox,
        rollback: setup.rollback,
        gathered: 0,
        permits: None,
        committing: Committing::idle(),
        look_ups: JoinSet::new(),
        replies: HashMap::new(),
        lost: Vec::new(),
        watches: 0,
        questions: HashMap::new(),
        asked: 0,
        measured_at: None,
        rights,
    };
    driver.run(stop).await
}

struct Driver {
    working: WorkingWorld,
    appender: Appender,
    report: watch::Sender<ReadinessReport>,
    rest: DiscordRest,
    clock: Arc<dyn Clock>,
    renew: Arc<Notify>,
    requests: mpsc::Sender<MembersRequest>,
    channel_infos: mpsc::Sender<GuildId>,
    inbox: mpsc::Receiver<Input>,
    rollback: watch::Receiver<Option<Position>>,
    /// Inputs in the batch that gathers.
    gathered: usize,
    /// Their permits for the bytes that may wait: what is not committed still counts.
    permits: Option<OwnedSemaphorePermit>,
    committing: Committing,
    /// As many as the rights machine asks for at one time: a few.
    look_ups: JoinSet<LookedUp>,
    /// Of watches that are not answered. Each has a permit, then a deadline, so they are bounded by
    /// how many web roles can send within it.
    replies: HashMap<WatchId, WatchReply>,
    /// Who waits to hear how to go on with Discord, once the batch that gathers is committed.
    lost: Vec<oneshot::Sender<Option<ResumeState>>>,
    watches: u64,
    /// Of questions that are not answered. Each has a deadline, and is one of a bounded number of
    /// commands.
    questions: HashMap<QuestionId, oneshot::Sender<Answered>>,
    asked: u64,
    measured_at: Option<std::time::Instant>,
    rights: RightsGauges,
}

/// How the rights of this log's guilds are measured.
struct RightsGauges {
    age: Gauge,
    waiting: Gauge,
    watched: Gauge,
}

/// What woke the task.
enum Wakeup {
    Commit(CommitProgress),
    LogRolledBack,
    Gather,
}

type LookedUp = (MemberKey, Result<Membership, RestError>);

impl Driver {
    async fn run(mut self, stop: CancellationToken) -> SequencerExit {
        self.working
            .begun(Instant::now().into_std(), self.clock.now());
        let mut inputs = Vec::with_capacity(BATCH);
        let mut stopping = false;
        loop {
            let deadline = self.working.deadline();
            let room = BATCH.saturating_sub(self.gathered);
            let mut answers = Vec::new();
            let wakeup = select! {
                // What is committed is shown before anything new is taken.
                biased;
                progress = self.committing.progress() => Wakeup::Commit(progress),
                Ok(_) = self.rollback.wait_for(Option::is_some) => Wakeup::LogRolledBack,
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    Wakeup::Gather
                }
                // None: every handle is gone, so nothing will ever come.
                taken = self.inbox.recv_many(&mut inputs, room),
                    if room > 0 && !(stopping && self.inbox.is_empty()) =>
                {
                    stopping |= taken == 0;
                    Wakeup::Gather
                }
                Some(answer) = self.look_ups.join_next(), if room > 0 => {
                    answers.extend(answer);
                    Wakeup::Gather
                }
                () = until(deadline) => Wakeup::Gather,
                else => Wakeup::Gather,
            };
            let done = match wakeup {
                Wakeup::Commit(CommitProgress::Finished(done)) => self.committed(*done).await,
                Wakeup::Commit(CommitProgress::Stalled) => {
                    self.appender.stalled(self.clock.now());
                    Ok(())
                }
                Wakeup::LogRolledBack => return self.begin_new_epoch().await,
                Wakeup::Gather => self.gather(&mut inputs, answers, room),
            };
            let done = match done {
                Ok(()) => self.begin_commit().await,
                ended => ended,
            };
            if let Err(exit) = done {
                return exit;
            }
            if stopping && self.inbox.is_empty() && self.committing.is_idle() {
                return SequencerExit::Stopped;
            }
        }
    }

    /// Takes what there is into the batch that gathers.
    fn gather(
        &mut self,
        inputs: &mut Vec<Input>,
        mut answers: Vec<LookedUp>,
        room: usize,
    ) -> Result<(), SequencerExit> {
        // An answer must not overtake the dispatches that arrived before it.
        while inputs.len() < room
            && let Ok(input) = self.inbox.try_recv()
        {
            inputs.push(input);
        }
        while let Some(answer) = self.look_ups.try_join_next() {
            answers.extend(answer);
        }
        self.gathered += inputs.len();
        let now = Instant::now().into_std();
        let wall = self.clock.now();
        for input in inputs.drain(..) {
            self.take_in(input, now, wall);
        }
        for (key, answer) in answers {
            counter!("guildhall_rights_lookups_total", "result" => result(&answer)).increment(1);
            if answer == Err(RestError::Unauthorised) {
                return Err(SequencerExit::TokenRefused);
            }
            if let Err(error) = &answer {
                debug!(guild.id = %key.0, viewer.id = %key.1, "look-up failed: {error}");
            }
            self.working.looked_up(key, answer.ok(), now, wall);
        }
        self.working.time_passed(now, wall);
        self.measure(now);
        Ok(())
    }

    fn take_in(&mut self, input: Input, now: std::time::Instant, wall: UnixMs) {
        match input {
            Input::Dispatch(dispatch, permit) => {
                self.working.dispatched(&dispatch, now);
                match &mut self.permits {
                    Some(permits) => permits.merge(permit),
                    none => *none = Some(permit),
                }
            }
            Input::Lost(lost, reply) => {
                self.working.lost(lost, now, wall);
                self.lost.push(reply);
            }
            Input::Watch(watch) => {
                drop(watch.permit);
                self.watches += 1;
                let id = WatchId(self.watches);
                self.replies.insert(id, watch.reply);
                self.working
                    .watched(id, watch.user_id, watch.guild_ids, now, wall);
            }
            Input::Ask(question) => {
                self.asked += 1;
                let id = QuestionId(self.asked);
                self.questions.insert(id, question.reply);
                self.working
                    .asked(id, question.guild_id, question.about, wall);
            }
        }
    }

    /// Has the next start begin a new epoch with the world as it was last committed.
    async fn begin_new_epoch(mut self) -> SequencerExit {
        while !self.committing.is_idle() {
            if let CommitProgress::Finished(done) = self.committing.progress().await
                && let Err(exit) = self.committed(*done).await
            {
                return exit;
            }
        }
        match self.appender.begin_new_epoch(self.clock.now()).await {
            Ok(()) => SequencerExit::LogRolledBack,
            Err(error) => error.into(),
        }
    }

    /// Ends the batch that gathers and begins its commit, unless another is being committed.
    async fn begin_commit(&mut self) -> Result<(), SequencerExit> {
        if !self.committing.is_idle() {
            return Ok(());
        }
        if let Some(fatal) = self.working.fatal() {
            return Err(fatal.into());
        }
        if self.gathered > 0 {
            let size = u32::try_from(self.gathered).unwrap_or(u32::MAX);
            histogram!("guildhall_gateway_batch_inputs").record(f64::from(size));
        }
        self.gathered = 0;
        let BatchOutcome {
            events,
            causes,
            status,
            report,
            state,
            effects,
        } = self.working.take();
        let after = AfterCommit {
            effects,
            report,
            lost: std::mem::take(&mut self.lost),
            resume: self.working.resume(),
            permits: self.permits.take(),
        };
        let batch = Batch {
            events,
            causes,
            status,
            state,
        };
        let sealed = self.appender.seal(batch);
        match self.appender.commit(&sealed) {
            Some(done) => {
                self.committing.begin(done, sealed, after);
                Ok(())
            }
            None => self.publish(sealed, after).await,
        }
    }

    async fn committed(&mut self, done: FinishedCommit) -> Result<(), SequencerExit> {
        histogram!("guildhall_journal_commit_seconds").record(done.took.as_secs_f64());
        self.appender.committed(done.result?);
        self.publish(done.sealed, done.after).await
    }

    /// Shows a batch, then answers and begins look-ups.
    async fn publish(
        &mut self,
        sealed: SealedBatch,
        after: AfterCommit,
    ) -> Result<(), SequencerExit> {
        let at = self.appender.publish(sealed).await?;
        for effect in after.effects {
            match effect {
                Effect::LookUpByRest(key) => self.look_up(key),
                Effect::LookUpByOp8(request) => {
                    counter!("guildhall_rights_calls_total").increment(1);
                    // Full: the connection has no time, and soon there will be none. What is not
                    // sent has no answer, and is asked for again.
                    let _full = self.requests.try_send(request);
                }
                Effect::AskForChannelInfo(guild_id) => {
                    // Full: as above.
                    let _full = self.channel_infos.try_send(guild_id);
                }
                Effect::Answer { watch, failed } => {
                    if let Some(reply) = self.replies.remove(&watch) {
                        // Who asked may be gone; the rights are in the log all the same. If not, there is room.
                        let WatchReply { request_id, to } = reply;
                        let _gone = to.try_send(Ack {
                            request_id,
                            at,
                            failed,
                        });
                    }
                }
                Effect::AnswerQuestion { id, answer } => {
                    if let Some(reply) = self.questions.remove(&id) {
                        // Who asked may be gone.
                        let _gone = reply.send(Answered { answer, at });
                    }
                }
                Effect::Renew => self.renew.notify_one(),
            }
        }
        for reply in after.lost {
            // A shard that is gone by now does not go on.
            let _gone = reply.send(after.resume.clone());
        }
        if let Some(report) = after.report {
            self.report.send_replace(report);
        }
        drop(after.permits);
        Ok(())
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
        self.rights
            .age
            .set(self.working.rights_age(now).as_secs_f64());
        let waiting = u32::try_from(self.working.waiting_count()).unwrap_or(u32::MAX);
        self.rights.waiting.set(f64::from(waiting));
        let watched = u32::try_from(self.working.watched_count(now)).unwrap_or(u32::MAX);
        self.rights.watched.set(f64::from(watched));
    }

    fn look_up(&mut self, (guild_id, user_id): MemberKey) {
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

fn result(answer: &Result<Membership, RestError>) -> &'static str {
    match answer {
        Ok(Membership::Member { .. }) => "member",
        Ok(Membership::Stranger) => "stranger",
        Err(RestError::Unauthorised) => "token",
        Err(RestError::Refused(_)) => "refused",
        Err(RestError::Throttled { .. } | RestError::Overloaded { .. }) => "throttled",
        Err(RestError::Unreachable(_) | RestError::Unknown(_)) => "unreachable",
    }
}

#[cfg(test)]
mod tests;
