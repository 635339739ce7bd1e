//! The task: takes commands, begins them in their order, and answers when they have ended.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use guildhall_model::{
    Position, UnixMs,
    command::{Before, CommandError, CommandErrorCode, CommandResult, Outcome},
};
use guildhall_ports::{Intent, JournalError, KeptCommand};
use metrics::{counter, gauge, histogram};
use tokio::{
    select,
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    COMMANDS, COMMANDS_PER_ACTOR, RUNNING, Submission,
    act::{Act, ActExit, CommandContext, Ended, appearance, live},
    busy,
    ledger::{AcceptedCommand, Ledger, Unsettled},
    order::CommandOrder,
};

/// Keys that are no longer good are looked for this often.
const EXPIRY_EVERY: Duration = Duration::from_secs(30);

/// All that the executor needs.
#[derive(Debug)]
pub(crate) struct ExecutorSetup {
    pub(crate) context: CommandContext,
    /// What an earlier process left.
    pub(crate) kept: Vec<KeptCommand>,
}

/// Why the executor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExecutorExit {
    /// As asked.
    Stopped,
    /// What must be kept cannot be.
    NotKept(JournalError),
    /// REST said 401.
    TokenRefused,
}

/// Runs until it is stopped. What is under way then is cut off, and found out about by the next.
pub(crate) async fn run(
    setup: ExecutorSetup,
    inbox: mpsc::Receiver<Submission>,
    stop: CancellationToken,
) -> ExecutorExit {
    let mut driver = Driver {
        context: setup.context,
        ledger: Ledger::default(),
        order: CommandOrder::default(),
        lined_up: BTreeMap::new(),
        acts: JoinSet::new(),
        delays: JoinSet::new(),
        delay_handles: HashMap::new(),
    };
    driver.restore(setup.kept);
    driver.run(inbox, stop).await
}

struct Driver {
    context: CommandContext,
    ledger: Ledger,
    order: CommandOrder,
    /// Those in the queues that are not begun.
    lined_up: BTreeMap<u64, LinedUp>,
    /// At most [`RUNNING`], and those of an earlier process.
    acts: JoinSet<(u64, ActExit)>,
    /// One for each command that waits for a time, for somebody to appear, or for Discord to be live.
    delays: JoinSet<(AcceptedCommand, Origin)>,
    delay_handles: HashMap<u64, AbortHandle>,
}

/// A command in the queues.
#[derive(Debug)]
struct LinedUp {
    accepted: AcceptedCommand,
    origin: Origin,
    came_at: Instant,
}

/// Where a command in the queues comes from.
#[derive(Debug)]
enum Origin {
    /// A web role has just handed it over. It is not begun later than that.
    New { due: std::time::Instant },
    /// It was delayed. `appears_until`: somebody has to appear in voice by then.
    Delayed { appears_until: Option<UnixMs> },
    /// An earlier process may have done it. What is so since Discord is live, and where the log
    /// stands; `None`: nobody knows.
    LeftBehind(Intent, Option<(Before, Position)>),
}

/// What woke the task.
enum Wakeup {
    Submitted(Submission),
    Acted(u64, ActExit),
    Due(AcceptedCommand, Origin),
    TimePassed,
    Stop,
}

impl Driver {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Submission>,
        stop: CancellationToken,
    ) -> ExecutorExit {
        let mut expiry = tokio::time::interval(EXPIRY_EVERY);
        loop {
            self.begin();
            let wakeup = select! {
                () = stop.cancelled() => Wakeup::Stop,
                Some(ended) = self.acts.join_next() => {
                    let (id, exit) = ended.expect("no act is aborted, and none outlives a panic");
                    Wakeup::Acted(id, exit)
                }
                // Those of commands whose place others took end as aborted.
                Some(Ok((accepted, origin))) = self.delays.join_next() => {
                    Wakeup::Due(accepted, origin)
                }
                Some(submission) = inbox.recv() => Wakeup::Submitted(submission),
                _ = expiry.tick() => Wakeup::TimePassed,
            };
            let exit = match wakeup {
                // The sequencer is gone, which ends the role: it says why.
                Wakeup::Acted(_, ActExit::Ended(Ended::Stopping)) => {
                    stop.cancelled().await;
                    Some(ExecutorExit::Stopped)
                }
                Wakeup::Submitted(submission) => {
                    self.submitted(submission);
                    None
                }
                Wakeup::Acted(id, exit) => self.acted(id, exit),
                Wakeup::Due(accepted, origin) => {
                    self.due(accepted, origin);
                    None
                }
                Wakeup::TimePassed => self.expire().await,
                Wakeup::Stop => Some(ExecutorExit::Stopped),
            };
            if let Some(exit) = exit {
                return exit;
            }
        }
    }

    fn restore(&mut self, kept: Vec<KeptCommand>) {
        for (accepted, state) in self.ledger.restore(kept) {
            match state {
                Unsettled::Intended(intent) => self.find_out(accepted, intent),
                Unsettled::Delayed(outcome) => self.delay(accepted, outcome),
                Unsettled::Superseded => self.end_superseded(accepted),
            }
        }
    }

    fn submitted(&mut self, submission: Submission) {
        let Submission {
            request,
            due,
            reply,
        } = submission;
        let Err((request, reply)) = self.ledger.repeated(request, reply) else {
            counter!("guildhall_commands_repeated_total").increment(1);
            return;
        };
        if self.order.len() >= COMMANDS || self.order.given_by(request.actor) >= COMMANDS_PER_ACTOR
        {
            counter!("guildhall_commands_total", "command" => request.command.name(), "result" => "busy")
                .increment(1);
            let _gone = reply.send(Err(busy()));
            return;
        }
        let now = self.context.clock.now();
        let accepted = self.ledger.accept(request, reply, now);
        self.line_up(accepted, Origin::New { due });
    }

    fn line_up(&mut self, accepted: AcceptedCommand, origin: Origin) {
        let id = accepted.id;
        self.order.push(id, &accepted.request);
        let lined_up = LinedUp {
            accepted,
            origin,
            came_at: Instant::now(),
        };
        self.lined_up.insert(id, lined_up);
    }

    /// Begins as many as may be under way.
    fn begin(&mut self) {
        while self.acts.len() < RUNNING
            && let Some(id) = self.order.begin()
        {
            let Some(LinedUp {
                accepted,
                origin,
                came_at,
            }) = self.lined_up.remove(&id)
            else {
                continue;
            };
            histogram!("guildhall_command_wait_seconds").record(came_at.elapsed().as_secs_f64());
            let context = self.context.clone();
            let may_delay = self.ledger.may_delay(accepted.request.actor);
            self.acts.spawn(async move {
                let exit = match origin {
                    Origin::New { due } => Act::new(context, accepted, due, may_delay).run().await,
                    Origin::Delayed { appears_until } => {
                        Act::resumed(context, accepted, appears_until).run().await
                    }
                    Origin::LeftBehind(intent, is_now) => {
                        Act::find_out(context, accepted, intent, is_now).await
                    }
                };
                (id, exit)
            });
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of commands")]
        gauge!("guildhall_commands_waiting").set(self.lined_up.len() as f64);
    }

    fn acted(&mut self, id: u64, exit: ActExit) -> Option<ExecutorExit> {
        self.order.ended(id);
        match exit {
            ActExit::Settled { result, repeatable } => {
                self.settled(id, result, repeatable);
                None
            }
            ActExit::Delayed(outcome) => {
                self.supersede(id);
                if let Some(accepted) = self.ledger.delayed(id, outcome) {
                    self.delay(accepted, outcome);
                }
                None
            }
            ActExit::Ended(Ended::Stopping) => Some(ExecutorExit::Stopped),
            ActExit::Ended(Ended::NotKept(error)) => Some(ExecutorExit::NotKept(error)),
            ActExit::Ended(Ended::TokenRefused) => Some(ExecutorExit::TokenRefused),
        }
    }

    fn settled(&mut self, id: u64, result: CommandResult, repeatable: bool) {
        if result.is_ok() {
            self.supersede(id);
        }
        let name = self.ledger.name(id);
        let said = match &result {
            Ok(_) => "done".to_owned(),
            Err(error) => error.code.to_string(),
        };
        counter!("guildhall_commands_total", "command" => name, "result" => said).increment(1);
        let now = self.context.clock.now();
        self.ledger.settled(id, result, repeatable, now);
    }

    /// Older ones that wait are not done any more.
    fn supersede(&mut self, newer: u64) {
        for older in self.ledger.supersede(newer) {
            if let Some(delay) = self.delay_handles.remove(&older.id) {
                delay.abort();
            }
            self.end_superseded(older);
        }
    }

    fn end_superseded(&mut self, older: AcceptedCommand) {
        let context = self.context.clone();
        let id = older.id;
        self.acts.spawn(async move {
            let superseded = CommandError::new(
                CommandErrorCode::Superseded,
                "A newer command took its place.",
            );
            let act = Act::resumed(context, older, None);
            (id, act.end(Err(superseded)).await)
        });
    }

    /// Goes on with a command when its time has come and Discord is live. Nothing of that takes a
    /// place among those that are carried out, or holds up others of the same person.
    fn delay(&mut self, accepted: AcceptedCommand, outcome: Outcome) {
        let context = self.context.clone();
        let id = accepted.id;
        let delay = self.delays.spawn(async move {
            let appears_until = match outcome {
                Outcome::Waiting { until } => {
                    appearance(&context, &accepted.request, until).await;
                    Some(until)
                }
                Outcome::Queued { done_at } => {
                    let left = done_at.saturating_sub(context.clock.now());
                    sleep(Duration::from_millis(left)).await;
                    None
                }
                Outcome::Done => None,
            };
            live(&context, &accepted.request).await;
            (accepted, Origin::Delayed { appears_until })
        });
        self.delay_handles.insert(id, delay);
    }

    /// The same with one that an earlier process may have done.
    fn find_out(&mut self, accepted: AcceptedCommand, intent: Intent) {
        let context = self.context.clone();
        self.delays.spawn(async move {
            let is_now = live(&context, &accepted.request).await;
            (accepted, Origin::LeftBehind(intent, is_now))
        });
    }

    fn due(&mut self, accepted: AcceptedCommand, origin: Origin) {
        self.delay_handles.remove(&accepted.id);
        let goes_on = match &origin {
            Origin::Delayed { .. } => self.ledger.resume(accepted.id).is_some(),
            Origin::New { .. } | Origin::LeftBehind(..) => true,
        };
        if goes_on {
            self.line_up(accepted, origin);
        }
    }

    async fn expire(&mut self) -> Option<ExecutorExit> {
        let gone = self.ledger.expire(self.context.clock.now());
        if gone.is_empty() {
            return None;
        }
        let forgotten = self.context.journal.forget(gone).await;
        forgotten.err().map(ExecutorExit::NotKept)
    }
}
