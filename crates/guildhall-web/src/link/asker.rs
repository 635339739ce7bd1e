//! Who waits for the gateway's answer to a request.

use guildhall_link::{
    frame::{AdmitResult, ReplyBody, Watched},
    receiver::Unanswered,
};
use guildhall_model::command::CommandResult;
use tokio::sync::oneshot;
use tracing::debug;

use super::revocations::SentRevocation;

/// Who asked, and how they are told.
#[derive(Debug)]
pub(super) enum Asker {
    /// Dropped: there is no answer.
    Watch(oneshot::Sender<Watched>),
    Command(oneshot::Sender<Result<CommandResult, Unanswered>>),
    Admit(oneshot::Sender<Result<AdmitResult, Unanswered>>),
    Revoke(SentRevocation),
    /// Told whether it was not kept before.
    Once(oneshot::Sender<Result<bool, Unanswered>>),
}

impl Asker {
    /// Whoever asked may have gone, which is no failure.
    pub(super) fn tell(self, answer: Result<ReplyBody, Unanswered>) {
        match (self, answer) {
            (Self::Watch(asker), Ok(ReplyBody::Watched(watched))) => _ = asker.send(watched),
            (Self::Watch(_), answer) => debug!(?answer, "[Gateway Client] No answer to a watch"),
            (Self::Command(asker), Ok(ReplyBody::Command(result))) => _ = asker.send(Ok(result)),
            (Self::Command(asker), Err(why)) => _ = asker.send(Err(why)),
            // A gateway that answers something else has not answered.
            (Self::Command(asker), Ok(_)) => _ = asker.send(Err(Unanswered::Down)),
            (Self::Admit(asker), Ok(ReplyBody::Admitted(result))) => _ = asker.send(Ok(result)),
            (Self::Admit(asker), Err(why)) => _ = asker.send(Err(why)),
            (Self::Admit(asker), Ok(_)) => _ = asker.send(Err(Unanswered::Down)),
            (Self::Revoke(sent), Ok(ReplyBody::Revoked { .. })) => sent.answered(Ok(())),
            (Self::Revoke(sent), Err(why)) => sent.answered(Err(why)),
            (Self::Revoke(sent), Ok(_)) => sent.answered(Err(Unanswered::Down)),
            (Self::Once(asker), Ok(ReplyBody::Revoked { known })) => _ = asker.send(Ok(!known)),
            (Self::Once(asker), Err(why)) => _ = asker.send(Err(why)),
            (Self::Once(asker), Ok(_)) => _ = asker.send(Err(Unanswered::Down)),
        }
    }
}
