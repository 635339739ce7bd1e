//! What goes on later: when Discord's time has come, somebody has appeared in voice, or Discord is live
//! again. Whoever was promised a time is not forgotten meanwhile.

use std::time::Duration;

use guildhall_http::driver_time::now;
use guildhall_model::{
    Position, UnixMs,
    command::{Before, Command, CommandError, CommandErrorCode, CommandRequest},
    guild::Membership,
};
use guildhall_ports::millis;

use super::{Act, ActExit, Ended, did_not_appear, done};
use crate::{
    discord_rest::RestError,
    execute::{APPEARANCE, act::CommandContext, busy, ledger::Delay},
    inbox::{About, Answered, Expectation, QuestionAnswer},
};

/// A promise that can't be kept at the moment is tried again after so long at the least,
const PROMISE_AGAIN: Duration = Duration::from_secs(5);
/// and given up when it is so old.
const PROMISE_KEPT: Duration = Duration::from_hours(2);
/// So long is Discord waited for to be live, before it is asked for again.
const LIVE: Duration = Duration::from_mins(1);

impl Act {
    pub(super) async fn wait_for_person(&mut self) -> Result<ActExit, Ended> {
        let Command::ConnectUserToVoiceChannel { .. } = self.accepted.request.command else {
            // Out of voice is where they were to be.
            return self.settle(Ok(done(None))).await;
        };
        let now = self.context.clock.now();
        let first = self.appears_until.is_none();
        let until = self.appears_until.unwrap_or(now + millis(APPEARANCE));
        if until <= now {
            return self.settle(Err(did_not_appear())).await;
        }
        if first && let Some(refusal) = self.is_nobody().await? {
            return self.settle(Err(refusal)).await;
        }
        if !self.may_delay {
            return self.settle(Err(busy())).await;
        }
        self.delay(Delay::Waiting { until }).await
    }

    /// Nobody waits for somebody who is no member of the guild.
    async fn is_nobody(&self) -> Result<Option<CommandError>, Ended> {
        let CommandRequest { actor, command, .. } = &*self.accepted.request;
        let Some(user_id) = command.moves(*actor).filter(|user_id| user_id != actor) else {
            return Ok(None);
        };
        let guild_id = command.guild_id();
        match self.context.rest.membership(guild_id, user_id).await {
            Ok(Membership::Stranger) => Ok(Some(CommandError::new(
                CommandErrorCode::NotFound,
                "That person is no member of the guild.",
            ))),
            Err(RestError::Unauthorised) => Err(Ended::TokenRefused),
            // Whoever is not known to be nobody is waited for.
            Ok(Membership::Member { .. }) | Err(_) => Ok(None),
        }
    }

    pub(super) async fn queue(&mut self, due: UnixMs) -> Result<ActExit, Ended> {
        let wait = due.saturating_sub(self.context.clock.now());
        let is_state = self
            .accepted
            .request
            .command
            .moves(self.accepted.request.actor)
            .is_none();
        if !is_state || !self.may_delay {
            // Nobody wants to be moved at some later time.
            let error = CommandError::new(
                CommandErrorCode::Busy,
                "Discord makes this wait; nothing was done.",
            );
            return self.settle(Err(error.retry_after_ms(wait))).await;
        }
        self.delay(Delay::Queued { due }).await
    }

    /// A promise that can't be kept at the moment, and when it is tried again. `None`: it is not one,
    /// or too old.
    pub(super) fn promise_again(&self, error: &CommandError) -> Option<Delay> {
        let now = self.context.clock.now();
        let old = self.accepted.asked_at.saturating_add(millis(PROMISE_KEPT)) <= now;
        if !self.promised || old {
            return None;
        }
        // Whoever is waited for is there by now: without a pause it would be tried again at once, and
        // again. What is only unknown at the moment is waited for before that.
        if self.appears_until.is_some() && error.code != CommandErrorCode::GuildUnavailable {
            return None;
        }
        let wait = error.retry_after_ms.unwrap_or_default();
        Some(match self.appears_until {
            Some(until) => Delay::Waiting { until },
            None => Delay::Queued {
                due: now + wait.max(millis(PROMISE_AGAIN)),
            },
        })
    }
}

/// Waits until Discord is live in a command's guild: before that nothing can be judged. Answers with
/// what is so there now, and where the log stood; `None`: the process ends, or nobody knows.
pub(in crate::execute) async fn live(
    context: &CommandContext,
    request: &CommandRequest,
) -> Option<(Before, Position)> {
    loop {
        let about = About::Before {
            request: Box::new(request.clone()),
            until: now() + LIVE,
        };
        let guild_id = request.command.guild_id();
        match context.worlds.ask(guild_id, about).await {
            Ok(Some(Answered {
                answer: QuestionAnswer::NotInTime,
                ..
            })) => {}
            Ok(Some(Answered {
                answer: QuestionAnswer::Before(Some(is_now)),
                at,
            })) => return Some((is_now, at)),
            _ => return None,
        }
    }
}

/// Waits until a command about somebody who is not in voice can go on. Returns at once when the time
/// is over or the process ends: the act that goes on says what that means.
pub(in crate::execute) async fn appearance(
    context: &CommandContext,
    request: &CommandRequest,
    until: UnixMs,
) {
    let left = until.saturating_sub(context.clock.now());
    let about = About::When {
        expectation: Expectation::Ready(Box::new(request.clone())),
        until: now() + Duration::from_millis(left),
    };
    let guild_id = request.command.guild_id();
    let _whatever = context.worlds.ask(guild_id, about).await;
}
