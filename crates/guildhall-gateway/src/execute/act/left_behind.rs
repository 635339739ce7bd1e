//! What an earlier process was about to do, or had done: Discord's state says which.

use std::time::Duration;

use guildhall_http::driver_time::now;
use guildhall_model::command::{
    Before, CommandError, CommandErrorCode, CommandRequest, CommandResult,
};
use guildhall_ports::millis;

use super::{Act, ActExit, Ended, LIVE, done};
use crate::{
    execute::{act::CommandContext, ledger::AcceptedCommand, unknown},
    inbox::{About, Answered, QuestionAnswer},
};

/// What is older than this is not done any more: whoever asked has long been told that nobody
/// answers.
const OLDEST: Duration = Duration::from_mins(1);

impl Act {
    /// One that may have been done.
    pub(in crate::execute) fn left_behind(
        context: CommandContext,
        accepted: AcceptedCommand,
    ) -> Self {
        Self {
            promised: false,
            ..Self::resumed(context, accepted, None)
        }
    }

    /// Finds out whether it was done, and does it if it was not.
    pub(in crate::execute) async fn find_out(mut self, before: Before) -> ActExit {
        self.decide(before).await.into()
    }

    async fn decide(&mut self, before: Before) -> Result<ActExit, Ended> {
        let about = About::Before {
            request: Box::new(CommandRequest::clone(&self.accepted.request)),
            until: now() + LIVE,
        };
        let Some(Answered {
            answer: QuestionAnswer::Before(Some(is_now)),
            at,
        }) = self.ask(about).await?
        else {
            return self.settle(Err(unknown())).await;
        };
        let request = &self.accepted.request;
        if is_now.is_after(&request.command) {
            return self.settle(Ok(done(Some(at.into())))).await;
        }
        if is_now != before {
            // Done and undone by somebody, or never done and changed by somebody.
            return self.settle(Err(unknown())).await;
        }
        let age = self
            .context
            .clock
            .now()
            .saturating_sub(self.accepted.asked_at);
        if age <= millis(OLDEST) {
            return self.carry_out().await;
        }
        self.settle(too_old(&before)).await
    }
}

fn too_old(before: &Before) -> CommandResult {
    Err(match before {
        Before::Unknown => unknown(),
        _ => CommandError::new(
            CommandErrorCode::DiscordFailed,
            "It was not done: the gateway was restarted, and was away for too long.",
        ),
    })
}
