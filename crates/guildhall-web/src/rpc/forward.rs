//! A command's way to the gateway, and its answer's way back.

use std::time::Duration;

use guildhall_model::command::{
    CommandDone, CommandError, CommandErrorCode, CommandRequest, Outcome, judge,
};
use guildhall_ports::{Clock, SessionId};
use tokio::time::timeout;

use super::{
    authorise::guild,
    failure::{NOWHERE, refused, unanswered},
};
use crate::{
    fanout::{Fanout, Viewer},
    http::ApiError,
    link::Link,
};

/// How long a command may take. What Discord makes wait for longer is answered before, with a time.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// How long an answer waits for the replica to have seen the effect, so that who reads the world
/// next finds it. Whoever gave the command takes it as settled a second after its answer.
const HOLD_LIMIT: Duration = Duration::from_secs(1);

/// Refuses early what the gateway would refuse, by the replica.
///
/// Nothing with a key: it may be a repeat of what was done, which changed the world or the actor's
/// rights, and has to be answered as it was then. The gateway knows. That the actor sees the room is
/// known before, with or without a key. Nor anything about a room that they need not see: whatever was
/// said of it would say that it is there.
pub(super) fn refuse_early(
    fanout: &Fanout,
    clock: &dyn Clock,
    request: &CommandRequest,
) -> Result<(), ApiError> {
    if request.key.is_some() || !request.command.is_about_seen_room() {
        return Ok(());
    }
    let id = request.command.guild_id();
    let logs = fanout.replica().read();
    let guild = guild(&logs, id).ok_or(NOWHERE)?;
    let judged = judge(id, guild, request.actor, &request.command, clock.now());
    judged.map(|_standing| ()).map_err(refused)
}

/// Who gave a command, to be told that it is settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Giver<'a> {
    pub(super) viewer: &'a Viewer,
    pub(super) session: &'a SessionId,
    /// Its key, as it came.
    pub(super) key: Option<&'a str>,
}

/// Has a command done. When this returns, the replica has seen the effect or a second has passed,
/// and the streams of the session that gave it are told that its key is settled.
pub(super) async fn forward(
    link: &Link,
    fanout: &Fanout,
    giver: Giver<'_>,
    request: CommandRequest,
) -> Result<CommandDone, ApiError> {
    let answer = link.command(request.clone(), COMMAND_LIMIT).await;
    let result = answer.map_err(unanswered);
    let result = result.and_then(|result| result.map_err(refused));
    told(fanout, giver, &request, result).await
}

/// The same of one with a key that names what its giver does not see, or no more: it is answered as when
/// it came before, if it did, and is done in no case. Whatever else is so it is about nothing that there is.
pub(super) async fn recall(
    link: &Link,
    fanout: &Fanout,
    giver: Giver<'_>,
    request: CommandRequest,
) -> Result<CommandDone, ApiError> {
    match link.repeat(request.clone(), COMMAND_LIMIT).await {
        Ok(Err(error)) if is_unanswered(&error) => Err(NOWHERE),
        Ok(result) => told(fanout, giver, &request, result.map_err(refused)).await,
        Err(_unanswered) => Err(NOWHERE),
    }
}

/// The gateway cannot say.
fn is_unanswered(error: &CommandError) -> bool {
    use CommandErrorCode::{Deadline, Stopping};
    matches!(error.code, Stopping | Deadline)
}

async fn told(
    fanout: &Fanout,
    giver: Giver<'_>,
    request: &CommandRequest,
    result: Result<CommandDone, ApiError>,
) -> Result<CommandDone, ApiError> {
    log(request, &result);
    let done = result?;
    if let Some(at) = &done.at {
        // The stream that shows it waits for as long as it takes; an answer does not.
        let _in_time = timeout(HOLD_LIMIT, fanout.replica().reached(at)).await;
    }
    if let (Outcome::Done, Some(key)) = (done.outcome, giver.key) {
        let at = done.at.clone();
        giver.viewer.settle(giver.session, key.to_owned(), at);
    }
    Ok(done)
}

fn log(request: &CommandRequest, result: &Result<CommandDone, ApiError>) {
    let (command, actor) = (request.command.name(), request.actor);
    let guild_id = request.command.guild_id();
    let outcome = match result {
        Ok(CommandDone { outcome, .. }) => match outcome {
            Outcome::Done => "done",
            Outcome::Queued { .. } => "queued",
            Outcome::Waiting { .. } => "waiting",
        },
        Err(error) => error.code,
    };
    tracing::info!(viewer.id = %actor, guild.id = %guild_id, command, outcome, "[RPC] Command answered");
}
