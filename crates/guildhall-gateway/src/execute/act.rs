//! One command from its judgement to its end.
//!
//! What may have been done is kept before it is sent, and what is answered is kept before it is
//! answered: so whatever ends the process, the next one knows what to ask Discord about.

/// What goes on later: when Discord lets it, or somebody appears.
mod later;
/// What an earlier process left.
mod left_behind;
/// Commands about rooms of ours.
mod rooms;

pub(super) use later::{appearance, live};
pub(super) use rooms::{RepairExit, genuine, gone, no_seats_left, repair, revoked};

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_http::driver_time::now;
use guildhall_model::{
    Cursor, GuildId, Position, UnixMs, UserId,
    command::{
        Before, CommandDone, CommandError, CommandErrorCode, CommandRequest, CommandResult,
        Judgement, Outcome,
    },
};
use guildhall_ports::{Clock, CommandJournal, CommandState, Intent, JournalError, millis};
use tracing::debug;

use super::{
    discord_error,
    ledger::{AcceptedCommand, Delay},
    single_call::SingleCall,
    unknown,
    worlds::GuildWorlds,
};
use crate::{
    discord_rest::{CallTerms, DiscordRest, RestCaller, RestError, error_code},
    inbox::{About, Answered, Expectation, QuestionAnswer, SceneQuestion, Stopped},
    rooms::{RoomTable, ViewerTables},
};

/// A call to Discord ends within this, whatever happens.
pub(crate) const CALL: Duration = Duration::from_secs(15);
/// So long is waited for Discord in silence; for longer the command is queued.
const THROTTLE: Duration = Duration::from_secs(2);
/// So often is a command sent that nobody has answered.
const TRIES: u32 = 2;
/// So long after Discord's answer is its event waited for.
const EFFECT: Duration = Duration::from_secs(1);

/// What acts have of the outside.
#[derive(Clone, Debug)]
pub(crate) struct CommandContext {
    pub(crate) worlds: GuildWorlds,
    pub(crate) rest: DiscordRest,
    pub(crate) journal: Arc<dyn CommandJournal>,
    pub(crate) rooms: RoomTable,
    /// Who is on which room's page.
    pub(crate) viewers: ViewerTables,
    pub(crate) clock: Arc<dyn Clock>,
    /// A call to Discord ends within this, whatever happens: [`CALL`], but in tests.
    pub(crate) call_time: Duration,
}

impl CommandContext {
    /// Without the members' intent no dispatch tells what we have just made of somebody: so Discord
    /// is asked, and the log told. Returns where it says so; `None`: it can't be found out now, and
    /// is when they are looked up the next time.
    pub(super) async fn tell_rights(&self, guild_id: GuildId, user_id: UserId) -> Option<Cursor> {
        let as_of = now();
        let membership = self.rest.membership(guild_id, user_id).await.ok()?;
        let about = About::MemberIs {
            user_id,
            membership,
            as_of,
        };
        let told = self.worlds.ask(guild_id, about).await.ok()??;
        Some(told.at.into())
    }
}

/// How an act ended. Whatever it says is kept already.
#[derive(Debug)]
pub(super) enum ActExit {
    /// It is over. `repeatable`: another try under the same key would be another command.
    Settled {
        result: CommandResult,
        repeatable: bool,
    },
    /// It goes on later.
    Delayed(Delay),
    /// The process ends.
    Ended(Ended),
}

/// Why the process ends.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was asked to.
    Stopping,
    /// What must be kept cannot be.
    NotKept(JournalError),
    /// Discord refused the token.
    TokenRefused,
}

impl From<Result<ActExit, Ended>> for ActExit {
    fn from(ended: Result<ActExit, Ended>) -> Self {
        ended.unwrap_or_else(Self::Ended)
    }
}

impl From<Stopped> for Ended {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopping
    }
}

/// One command while it is carried out.
pub(super) struct Act {
    context: CommandContext,
    accepted: AcceptedCommand,
    /// It is not begun after this; `None`: it was begun before.
    due: Option<Instant>,
    /// Until when the person may appear; `None`: it did not wait yet.
    appears_until: Option<UnixMs>,
    /// Something of it is kept.
    kept: bool,
    /// Somebody was told that it is done later.
    promised: bool,
    /// Whether one more may be delayed.
    may_delay: bool,
}

/// What Discord said.
enum Sent {
    Done,
    /// Nothing: whether it was done is not known.
    Lost,
    /// The person is not in voice.
    NotInVoice,
    /// It makes us wait so long.
    Throttled(UnixMs),
    Failed(CommandError),
}

impl Act {
    /// A command that came now. `due`: it is not begun later.
    pub(super) fn new(
        context: CommandContext,
        accepted: AcceptedCommand,
        due: Instant,
        may_delay: bool,
    ) -> Self {
        Self {
            context,
            accepted,
            due: Some(due),
            appears_until: None,
            kept: false,
            promised: false,
            may_delay,
        }
    }

    /// One that was delayed, and goes on. `appears_until`: if it waited for somebody.
    pub(super) fn resumed(
        context: CommandContext,
        accepted: AcceptedCommand,
        appears_until: Option<UnixMs>,
    ) -> Self {
        Self {
            context,
            accepted,
            due: None,
            appears_until,
            kept: true,
            promised: true,
            // It gave its place up a moment ago.
            may_delay: true,
        }
    }

    /// To its end.
    pub(super) async fn run(mut self) -> ActExit {
        self.carry_out().await.into()
    }

    async fn carry_out(&mut self) -> Result<ActExit, Ended> {
        if self.due.is_some_and(|due| now() >= due) {
            return self.settle(Err(not_begun())).await;
        }
        let now = self.context.clock.now();
        if self.appears_until.is_some_and(|until| until <= now) {
            return self.settle(Err(did_not_appear())).await;
        }
        let Some(call) = self.single_call() else {
            return self.in_our_room().await;
        };
        for _ in 0..TRIES {
            let request = Box::new(CommandRequest::clone(&self.accepted.request));
            let Some(judged) = self.ask(About::Command(request)).await? else {
                let nowhere = "This gateway does not serve that guild.";
                let error = CommandError::new(CommandErrorCode::NotFound, nowhere);
                return self.settle(Err(error)).await;
            };
            let QuestionAnswer::Judged(judgement) = judged.answer else {
                return Err(Ended::Stopping);
            };
            let before = match judgement {
                Err(error) => return self.settle(Err(error)).await,
                Ok(Judgement::AlreadySo) => {
                    return self.settle(Ok(done(Some(judged.at.into())))).await;
                }
                Ok(Judgement::NotInVoice) => return self.wait_for_person().await,
                Ok(Judgement::ToDo(before)) => before,
            };
            let missing = self.missing_of_bot().await?;
            if !missing.is_empty() {
                let error = discord_error::bot_lacks(&missing);
                return self.settle(Err(error)).await;
            }
            if let Some(exit) = self.do_it(&call, before, judged.at).await? {
                return Ok(exit);
            }
        }
        self.settle(Err(unknown())).await
    }

    /// `None`: it was not done, and nothing has happened since, so it may be tried again. `at`: where
    /// the log stood when `before` was so.
    async fn do_it(
        &mut self,
        call: &SingleCall,
        before: Before,
        at: Position,
    ) -> Result<Option<ActExit>, Ended> {
        // Without a key nobody can ask what became of it.
        if self.kept || self.accepted.request.key.is_some() {
            let intent = Intent {
                before,
                at,
                since: self.context.clock.now(),
                promised: self.promised,
            };
            self.keep(CommandState::Intended(intent)).await?;
        }
        let exit = match self.send(call).await? {
            Sent::Done => {
                let at = self.effect().await?;
                self.settle(Ok(done(at))).await
            }
            Sent::NotInVoice => self.wait_for_person().await,
            Sent::Throttled(until) => self.queue(until).await,
            Sent::Failed(error) => self.settle(Err(error)).await,
            Sent::Lost => match self.fate(call, at).await? {
                Fate::Done(at) => self.settle(Ok(done(at))).await,
                Fate::NotDone => return Ok(None),
                Fate::Unknown => self.settle(Err(unknown())).await,
            },
        };
        exit.map(Some)
    }

    /// What the bot lacks for it, so that Discord is not asked for what it would refuse.
    async fn missing_of_bot(&self) -> Result<Vec<&'static str>, Stopped> {
        let question = SceneQuestion {
            request: CommandRequest::clone(&self.accepted.request),
            parents: Vec::new(),
            creators: Vec::new(),
        };
        let answered = self.ask(About::Scene(Box::new(question))).await?;
        Ok(match answered.map(|answered| answered.answer) {
            Some(QuestionAnswer::Scene(Some(scene))) => scene.missing,
            _ => Vec::new(),
        })
    }

    /// Has Discord do it.
    async fn send(&self, call: &SingleCall) -> Result<Sent, Ended> {
        let request = &self.accepted.request;
        let reason = format!("{} by {}", request.command.name(), request.actor);
        let terms = self.terms(Some(&reason));
        match call.act(&self.context.rest, &terms).await {
            Ok(()) => Ok(Sent::Done),
            Err(RestError::Unauthorised) => Err(Ended::TokenRefused),
            Err(RestError::Throttled { until }) => Ok(Sent::Throttled(self.wall(until))),
            Err(RestError::Refused(refusal)) if refusal.code == error_code::NOT_IN_VOICE => {
                Ok(Sent::NotInVoice)
            }
            Err(RestError::Unknown(why)) => {
                debug!("a command may have been done: {why}");
                Ok(Sent::Lost)
            }
            Err(error) => {
                let mut told = discord_error::translated(&error, &request.command, now());
                if told.code == CommandErrorCode::BotForbidden {
                    // The world may have learnt since what it is.
                    let missing = self.missing_of_bot().await?;
                    if !missing.is_empty() {
                        told = discord_error::bot_lacks(&missing);
                    }
                }
                Ok(Sent::Failed(told))
            }
        }
    }

    /// What became of a command that nobody has answered: its event or Discord's state says that it
    /// was done; it was not if nothing has happened since `at` to what it is about.
    async fn fate(&self, call: &SingleCall, at: Position) -> Result<Fate, Ended> {
        let request = &self.accepted.request;
        if let Some(effect) = self.effect().await? {
            return Ok(Fate::Done(Some(effect)));
        }
        let terms = self.terms(None);
        match call.is_now(&self.context.rest, &terms).await {
            Err(RestError::Unauthorised) => return Err(Ended::TokenRefused),
            Ok(Some(is_now)) if is_now.is_after(&request.command, request.actor) => {
                return Ok(Fate::Done(None));
            }
            Ok(_) => {}
            Err(_) => return Ok(Fate::Unknown),
        }
        let touched = self.context.worlds.touched_since(at, request).await;
        Ok(if touched {
            Fate::Unknown
        } else {
            Fate::NotDone
        })
    }

    fn terms<'a>(&self, reason: Option<&'a str>) -> CallTerms<'a> {
        CallTerms {
            caller: RestCaller::Command(self.accepted.request.actor),
            deadline: now() + self.context.call_time,
            longest_throttle: THROTTLE,
            reason,
        }
    }

    /// Waits until the effect has come back as an event. `None`: nothing tells of it, or not in
    /// time.
    async fn effect(&self) -> Result<Option<Cursor>, Ended> {
        let request = &self.accepted.request;
        let about = About::When {
            expectation: Expectation::Done(request.actor, request.command.clone()),
            until: now() + EFFECT,
        };
        let answered = self.ask(about).await?;
        let so = answered.filter(|answered| answered.answer == QuestionAnswer::So);
        Ok(so.map(|answered| answered.at.into()))
    }

    /// It is not carried out any more.
    pub(super) async fn end(mut self, result: CommandResult) -> ActExit {
        self.settle(result).await.into()
    }

    /// Ends it, kept if its key will be asked for.
    async fn settle(&mut self, result: CommandResult) -> Result<ActExit, Ended> {
        let repeatable = is_final(&result);
        let failed = result.as_ref().err().filter(|_| !repeatable);
        if let Some(delay) = failed.and_then(|error| self.promise_again(error)) {
            return self.delay(delay).await;
        }
        if result
            .as_ref()
            .is_ok_and(|done| done.outcome == Outcome::Done)
        {
            let (request, at) = (&self.accepted.request, self.context.clock.now());
            let learnt = self.context.rooms.learn(request, at).await;
            learnt.map_err(Ended::NotKept)?;
        }
        if repeatable && self.accepted.request.key.is_some() {
            let at = self.context.clock.now();
            let result = result.clone().into();
            self.keep(CommandState::Settled { at, result }).await?;
        } else if self.kept {
            let forgotten = self.context.journal.forget(vec![self.accepted.id]).await;
            forgotten.map_err(Ended::NotKept)?;
        }
        Ok(ActExit::Settled { result, repeatable })
    }

    /// It goes on later.
    async fn delay(&mut self, delay: Delay) -> Result<ActExit, Ended> {
        self.keep(delay.state()).await?;
        Ok(ActExit::Delayed(delay))
    }

    async fn keep(&mut self, state: CommandState) -> Result<(), Ended> {
        self.kept = true;
        let kept = self.context.journal.keep(self.accepted.kept(state)).await;
        kept.map_err(Ended::NotKept)
    }

    async fn ask(&self, about: About) -> Result<Option<Answered>, Stopped> {
        let guild_id = self.accepted.request.command.guild_id();
        self.context.worlds.ask(guild_id, about).await
    }

    fn wall(&self, at: Instant) -> UnixMs {
        let wait = at.saturating_duration_since(now());
        self.context.clock.now() + millis(wait)
    }
}

/// What became of a command that nobody has answered.
enum Fate {
    Done(Option<Cursor>),
    NotDone,
    /// Something has happened since: perhaps it was this.
    Unknown,
}

fn done(at: Option<Cursor>) -> CommandDone {
    CommandDone {
        outcome: Outcome::Done,
        at,
        made: None,
    }
}

/// Whether the same key is to be answered the same, since something was done or decided. What only
/// could not be tried is tried anew.
fn is_final(result: &CommandResult) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => !matches!(
            error.code,
            CommandErrorCode::Busy
                | CommandErrorCode::GuildUnavailable
                | CommandErrorCode::Stopping
                | CommandErrorCode::Deadline
                | CommandErrorCode::DiscordFailed
        ),
    }
}

fn not_begun() -> CommandError {
    CommandError::new(
        CommandErrorCode::Deadline,
        "Its deadline passed before it was begun; nothing was done.",
    )
    .retry_after_ms(1_000)
}

fn did_not_appear() -> CommandError {
    CommandError::new(
        CommandErrorCode::NotInRoom,
        "The person did not come into voice in time.",
    )
}
