//! What an earlier process was about to do, or had done: what has happened since says which.

use std::time::Duration;

use guildhall_model::{
    Position,
    command::{Before, Command, CommandError, CommandErrorCode},
};
use guildhall_ports::{Intent, millis};

use super::{Act, ActExit, Ended, done};
use crate::execute::{act::CommandContext, ledger::AcceptedCommand, unknown};

/// What is older than this is not done any more, but if it was promised: whoever asked has long been
/// told that nobody answers.
const OLDEST: Duration = Duration::from_mins(1);

impl Act {
    /// Finds out whether it was done, and does it if it was not. `is_now`: what is so since Discord
    /// is live, and where the log stands; `None`: nobody knows.
    pub(in crate::execute) async fn find_out(
        context: CommandContext,
        accepted: AcceptedCommand,
        intent: Intent,
        is_now: Option<(Before, Position)>,
    ) -> ActExit {
        let mut act = Self::resumed(context, accepted, None);
        act.promised = intent.promised;
        act.decide(intent, is_now).await.into()
    }

    async fn decide(
        &mut self,
        intent: Intent,
        is_now: Option<(Before, Position)>,
    ) -> Result<ActExit, Ended> {
        let Some((is_now, at)) = is_now else {
            return self.settle(Err(unknown())).await;
        };
        if self.single_call().is_none() {
            return self.go_on_in_our_room(&intent, &is_now, at).await;
        }
        let request = &self.accepted.request;
        if is_now.is_after(&request.command, request.actor) {
            return self.settle(Ok(done(Some(at.into())))).await;
        }
        // Done and undone by somebody, or never done and changed by somebody.
        let worlds = &self.context.worlds;
        if is_now != intent.before || worlds.touched_since(intent.at, request).await {
            return self.settle(Err(unknown())).await;
        }
        if !self.is_old(&intent) {
            return self.carry_out().await;
        }
        self.settle(Err(match intent.before {
            Before::Unknown => unknown(),
            _ => CommandError::new(
                CommandErrorCode::DiscordFailed,
                "It was not done: the gateway was restarted, and was away for too long.",
            ),
        }))
        .await
    }

    /// Each step of it may be taken again, or what it has made is found: so it is gone on with, unless
    /// it is too old.
    async fn go_on_in_our_room(
        &mut self,
        intent: &Intent,
        is_now: &Before,
        at: Position,
    ) -> Result<ActExit, Ended> {
        let request = &self.accepted.request;
        // The world begins with what is kept, so of an unsettled room it says what Discord may not
        // have heard of.
        let room = request.command.channel_id();
        let room = room.and_then(|room| self.context.rooms.by_channel(room));
        let is_told = says_all(&request.command) && room.is_none_or(|room| !room.unsettled);
        if is_told && is_now.is_after(&request.command, request.actor) {
            return self.settle(Ok(done(Some(at.into())))).await;
        }
        if self.is_old(intent) {
            return self.undo_in_our_room().await;
        }
        self.in_our_room().await
    }

    fn is_old(&self, intent: &Intent) -> bool {
        let age = self.context.clock.now().saturating_sub(intent.since);
        !intent.promised && age > millis(OLDEST)
    }
}

/// Whether the world says by itself that a command is done, with all of its steps.
fn says_all(command: &Command) -> bool {
    matches!(
        command,
        Command::LockRoom { .. }
            | Command::HideRoom { .. }
            | Command::TransferRoom { .. }
            | Command::ClaimRoom { .. }
            | Command::UnblockFromRoom { .. }
            | Command::JoinRoom { .. }
            | Command::CloseRoom { .. }
    )
}
