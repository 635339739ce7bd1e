//! The task: takes commands, begins them in their order, and answers when they have ended.

/// Which rooms are to be repaired, and when.
mod repairs;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use guildhall_link::frame::{AdmitRequestBody, AdmitResult};
use guildhall_model::{
    Position, UnixMs,
    command::{Before, CommandError, CommandErrorCode, CommandRequest, CommandResult},
};
use guildhall_ports::{Intent, JournalError, KeptCommand, room_store::RoomNumber};
use metrics::{counter, gauge, histogram};
use tokio::{
    select,
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinSet},
    time::{Instant, MissedTickBehavior, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    COMMANDS, COMMANDS_PER_ACTOR, RUNNING, Submission,
    act::{Act, ActExit, CommandContext, Ended, RepairExit, appearance, live, repair},
    admit::admit,
    bot_rights, busy,
    ledger::{AcceptedCommand, Delay, Ledger, Unsettled},
    order::CommandOrder,
};
use repairs::Repairs;

/// Keys that are no longer good are looked for this often.
const EXPIRY_EVERY: Duration = Duration::from_secs(30);
/// Rooms that are to be repaired are looked for this often.
const REPAIRS_EVERY: Duration = Duration::from_secs(1);

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
        repairs: Repairs::default(),
        admissions: JoinSet::new(),
        followers: JoinSet::new(),
    };
    for log in driver.context.worlds.logs() {
        let said = bot_rights::follow(driver.context.clone(), log);
        driver.followers.spawn(said);
    }
    driver.restore(setup.kept);
    driver.repair_all();
    driver.run(inbox, stop).await
}

struct Driver {
    context: CommandContext,
    ledger: Ledger,
    order: CommandOrder,
    /// Those in the queues that are not begun.
    lined_up: BTreeMap<u64, LinedUp>,
    /// At most [`RUNNING`], and those of an earlier process.
    acts: JoinSet<(u64, Exit)>,
    /// One for each command that waits for a time, for somebody to appear, or for Discord to be live.
    delays: JoinSet<(AcceptedCommand, Origin)>,
    delay_handles: HashMap<u64, AbortHandle>,
    repairs: Repairs,
    /// At most [`RUNNING`].
    admissions: JoinSet<()>,
    /// One for each log. They end with this task.
    followers: JoinSet<()>,
}

/// What is in the queues.
#[derive(Debug)]
struct LinedUp {
    work: Work,
    came_at: Instant,
}

#[derive(Debug)]
enum Work {
    Command(AcceptedCommand, Origin),
    Repair(RoomNumber),
}

/// How it ended.
enum Exit {
    Act(ActExit),
    Repair(RoomNumber, RepairExit),
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
    Acted(u64, Exit),
    Due(AcceptedCommand, Origin),
    TimePassed,
    RepairsDue,
    Stop,
}

impl Driver {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Submission>,
        stop: CancellationToken,
    ) -> ExecutorExit {
        let mut expiry = tokio::time::interval(EXPIRY_EVERY);
        let mut repairs = tokio::time::interval(REPAIRS_EVERY);
        repairs.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
                _ = repairs.tick() => Wakeup::RepairsDue,
            };
            let exit = match wakeup {
                Wakeup::Submitted(submission) => {
                    self.submitted(submission);
                    None
                }
                Wakeup::Acted(id, exit) => match self.acted(id, exit) {
                    // The sequencer is gone, which ends the role: it says why.
                    Some(Ended::Stopping) => {
                        stop.cancelled().await;
                        Some(ExecutorExit::Stopped)
                    }
                    Some(Ended::NotKept(error)) => Some(ExecutorExit::NotKept(error)),
                    Some(Ended::TokenRefused) => Some(ExecutorExit::TokenRefused),
                    None => None,
                },
                Wakeup::Due(accepted, origin) => {
                    self.due(accepted, origin);
                    None
                }
                Wakeup::TimePassed => self.expire().await,
                Wakeup::RepairsDue => {
                    self.repair_due();
                    None
                }
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
                Unsettled::Delayed(delay) => self.delay(accepted, delay),
                Unsettled::Superseded => self.end_superseded(accepted),
            }
        }
    }

    fn submitted(&mut self, submission: Submission) {
        match submission {
            Submission::Command {
                request,
                due,
                reply,
                is_own,
            } => self.given((request, reply), due, is_own),
            Submission::Recall { request, reply } => self.ledger.recall(&request, reply),
            Submission::Admit { request, reply } => self.admit(request, reply),
            Submission::Repair(number) => self.repair(number),
        }
    }

    /// Beside all commands: a login waits for it.
    fn admit(&mut self, request: Box<AdmitRequestBody>, reply: oneshot::Sender<AdmitResult>) {
        while self.admissions.try_join_next().is_some() {}
        if self.admissions.len() >= RUNNING {
            let _gone = reply.send(Err(busy()));
            return;
        }
        let context = self.context.clone();
        self.admissions.spawn(async move {
            // Who asked may be gone.
            let _gone = reply.send(admit(&context, &request).await);
        });
    }

    fn given(
        &mut self,
        (request, reply): (CommandRequest, oneshot::Sender<CommandResult>),
        due: std::time::Instant,
        is_own: bool,
    ) {
        let Err((request, reply)) = self.ledger.repeated(request, reply) else {
            counter!("guildhall_commands_repeated_total").increment(1);
            return;
        };
        let has_too_many = self.order.given_by(request.actor) >= COMMANDS_PER_ACTOR;
        if self.order.len() >= COMMANDS || (has_too_many && !is_own) {
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
            work: Work::Command(accepted, origin),
            came_at: Instant::now(),
        };
        self.lined_up.insert(id, lined_up);
    }

    /// Begins as many as may be under way.
    fn begin(&mut self) {
        while self.acts.len() < RUNNING
            && let Some(id) = self.order.begin()
        {
            let Some(LinedUp { work, came_at }) = self.lined_up.remove(&id) else {
                continue;
            };
            histogram!("guildhall_command_wait_seconds").record(came_at.elapsed().as_secs_f64());
            let context = self.context.clone();
            match work {
                Work::Command(accepted, origin) => {
                    let may_delay = self.ledger.may_delay(&accepted.request);
                    self.acts.spawn(async move {
                        let exit = act(context, accepted, origin, may_delay).await;
                        (id, Exit::Act(exit))
                    });
                }
                Work::Repair(number) => {
                    self.acts.spawn(async move {
                        let exit = repair(&context, number).await;
                        (id, Exit::Repair(number, exit))
                    });
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of commands")]
        gauge!("guildhall_commands_waiting").set(self.lined_up.len() as f64);
    }

    /// `Some`: the process ends.
    fn acted(&mut self, id: u64, exit: Exit) -> Option<Ended> {
        self.order.ended(id);
        match exit {
            Exit::Act(ActExit::Settled { result, repeatable }) => {
                self.settled(id, result, repeatable);
            }
            Exit::Act(ActExit::Delayed(delay)) => {
                self.supersede(id);
                if let Some(accepted) = self.ledger.delayed(id, delay) {
                    self.delay(accepted, delay);
                }
                let given_way = self.ledger.give_way();
                self.end_older(given_way);
            }
            Exit::Repair(number, RepairExit::Repaired) => self.repairs.repaired(number),
            Exit::Repair(number, RepairExit::NotLive) => {
                self.repairs.put_off(number, Instant::now());
            }
            Exit::Repair(number, RepairExit::Awaited) => {
                self.repairs.awaited(number, Instant::now());
            }
            Exit::Repair(number, RepairExit::Later) => {
                self.repairs.failed(number, Instant::now());
            }
            Exit::Act(ActExit::Ended(ended)) | Exit::Repair(_, RepairExit::Ended(ended)) => {
                return Some(ended);
            }
        }
        None
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
        let superseded = self.ledger.supersede(newer);
        self.end_older(superseded);
    }

    fn end_older(&mut self, waiting: Vec<AcceptedCommand>) {
        for older in waiting {
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
            (id, Exit::Act(act.end(Err(superseded)).await))
        });
    }

    /// Goes on with a command when its time has come and Discord is live. Nothing of that takes a
    /// place among those that are carried out, or holds up others of the same person.
    fn delay(&mut self, accepted: AcceptedCommand, delay: Delay) {
        let context = self.context.clone();
        let id = accepted.id;
        let handle = self.delays.spawn(async move {
            let appears_until = match delay {
                Delay::Waiting { until } => {
                    appearance(&context, &accepted.request, until).await;
                    Some(until)
                }
                Delay::Queued { due } => {
                    let left = due.saturating_sub(context.clock.now());
                    sleep(Duration::from_millis(left)).await;
                    None
                }
            };
            live(&context, &accepted.request).await;
            (accepted, Origin::Delayed { appears_until })
        });
        self.delay_handles.insert(id, handle);
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

    /// Each room is looked at once: Discord may not be as an earlier process left it.
    fn repair_all(&mut self) {
        for room in self.context.rooms.rooms() {
            self.repairs.ask(room.number);
        }
        self.repair_due();
    }

    /// What could not be taken back is tried again.
    fn repair_due(&mut self) {
        for number in self.context.rooms.unsettled() {
            self.repairs.ask(number);
        }
        for number in self.repairs.due(Instant::now()) {
            self.repair(number);
        }
    }

    fn repair(&mut self, number: RoomNumber) {
        let Some(room) = self.context.rooms.by_number(number) else {
            self.repairs.repaired(number);
            return;
        };
        // Whoever makes it ends what is made of it, too.
        let maker = room.command.filter(|_| repairs::is_making(&room));
        if maker.is_some_and(|id| self.ledger.is_under_way(id)) || !self.repairs.begin(number) {
            return;
        }
        let id = self.ledger.number();
        let channel_id = room.phase.channel_id();
        self.order.push_repair(id, room.owner_id, channel_id);
        let lined_up = LinedUp {
            work: Work::Repair(number),
            came_at: Instant::now(),
        };
        self.lined_up.insert(id, lined_up);
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

async fn act(
    context: CommandContext,
    accepted: AcceptedCommand,
    origin: Origin,
    may_delay: bool,
) -> ActExit {
    match origin {
        Origin::New { due } => Act::new(context, accepted, due, may_delay).run().await,
        Origin::Delayed { appears_until } => {
            Act::resumed(context, accepted, appears_until).run().await
        }
        Origin::LeftBehind(intent, is_now) => {
            Act::find_out(context, accepted, intent, is_now).await
        }
    }
}
