//! The task: takes commands, begins them in their order, and answers when they have ended.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use guildhall_model::{
    UnixMs,
    command::{Before, CommandError, CommandErrorCode, CommandRequest, CommandResult, Outcome},
};
use guildhall_ports::{CommandState, JournalError, KeptCommand};
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
    act::{Act, ActExit, CommandContext, Ended, appearance},
    busy,
    ledger::{AcceptedCommand, Ledger},
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
    /// One for each delayed command.
    delays: JoinSet<(u64, Option<UnixMs>)>,
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
    /// An earlier process may have done it; before that this was so.
    LeftBehind(Before),
}

/// What woke the task.
enum Wakeup {
    Submitted(Submission),
    Acted(u64, ActExit),
    Due(u64, Option<UnixMs>),
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
                Some(Ok((id, until))) = self.delays.join_next() => Wakeup::Due(id, until),
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
                Wakeup::Due(id, appears_until) => {
                    self.due(id, appears_until);
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
                CommandState::Intended { before } => {
                    self.line_up(accepted, Origin::LeftBehind(before));
                }
                CommandState::Queued { due } => {
                    self.delay(
                        accepted.id,
                        Arc::clone(&accepted.request),
                        Outcome::Queued { done_at: due },
                    );
                }
                CommandState::Waiting { until } => {
                    self.delay(
                        accepted.id,
                        Arc::clone(&accepted.request),
                        Outcome::Waiting { until },
                    );
                }
                CommandState::Settled { .. } => {}
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
                    Origin::LeftBehind(before) => {
                        Act::left_behind(context, accepted).find_out(before).await
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
                if let Some(request) = self.ledger.delayed(id, outcome) {
                    self.delay(id, request, outcome);
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

    /// An older one of its kind that waits is not done any more.
    fn supersede(&mut self, newer: u64) {
        let Some(older) = self.ledger.supersede(newer) else {
            return;
        };
        let context = self.context.clone();
        let id = older.id;
        if let Some(delay) = self.delay_handles.remove(&id) {
            delay.abort();
        }
        self.acts.spawn(async move {
            let superseded = CommandError::new(
                CommandErrorCode::Superseded,
                "A newer command of its kind took its place.",
            );
            (
                id,
                Act::resumed(context, older, None)
                    .end(Err(superseded))
                    .await,
            )
        });
    }

    fn delay(&mut self, id: u64, request: Arc<CommandRequest>, outcome: Outcome) {
        let context = self.context.clone();
        let delay = self.delays.spawn(async move {
            match outcome {
                Outcome::Waiting { until } => {
                    appearance(context, request, until).await;
                    (id, Some(until))
                }
                Outcome::Queued { done_at } => {
                    let left = done_at.saturating_sub(context.clock.now());
                    sleep(Duration::from_millis(left)).await;
                    (id, None)
                }
                Outcome::Done => (id, None),
            }
        });
        self.delay_handles.insert(id, delay);
    }

    fn due(&mut self, id: u64, appears_until: Option<UnixMs>) {
        self.delay_handles.remove(&id);
        if let Some(accepted) = self.ledger.resume(id) {
            self.line_up(accepted, Origin::Delayed { appears_until });
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
