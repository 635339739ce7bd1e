//! The commands of one attachment, and what else it asks to be done, from the request to the answer.

use std::{future::pending, time::Duration};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use guildhall_http::driver_time::now;
use guildhall_link::{frame::AdmitRequestBody, sender::Input};
use guildhall_model::command::{CommandError, CommandErrorCode, CommandRequest};
use tokio::time::timeout;

use crate::execute::Executor;

/// The commands of one attachment that are not answered yet: at most
/// [`guildhall_link::sender::REQUESTS_UNDER_WAY`], which the machine sees to.
pub(super) struct UnansweredCommands {
    executor: Executor,
    answers: FuturesUnordered<BoxFuture<'static, Input>>,
}

impl UnansweredCommands {
    pub(super) fn new(executor: Executor) -> Self {
        Self {
            executor,
            answers: FuturesUnordered::new(),
        }
    }

    /// One more, behind all others. `deadline`: so long is its answer of use.
    pub(super) fn execute(&mut self, request_id: u64, request: CommandRequest, deadline: Duration) {
        let executed = self.executor.execute(request, now() + deadline);
        self.answers.push(Box::pin(async move {
            let result = executed.await;
            Input::Commanded { request_id, result }
        }));
    }

    /// What one was answered before.
    pub(super) fn recall(&mut self, request_id: u64, request: CommandRequest, deadline: Duration) {
        let recalled = timeout(deadline, self.executor.recall(request));
        self.answers.push(Box::pin(async move {
            let result = recalled.await.unwrap_or_else(|_| Err(late()));
            Input::Commanded { request_id, result }
        }));
    }

    /// Somebody signs in by an invite.
    pub(super) fn admit(
        &mut self,
        request_id: u64,
        request: Box<AdmitRequestBody>,
        deadline: Duration,
    ) {
        let admitted = timeout(deadline, self.executor.admit(request));
        self.answers.push(Box::pin(async move {
            let result = admitted.await.unwrap_or_else(|_| Err(late()));
            Input::Admitted { request_id, result }
        }));
    }

    /// Sessions are over, which is being kept; `kept` says whether it was before.
    pub(super) fn revoke(
        &mut self,
        request_id: u64,
        kept: impl Future<Output = bool> + Send + 'static,
    ) {
        self.answers.push(Box::pin(async move {
            let known = kept.await;
            Input::Revoked { request_id, known }
        }));
    }

    /// Waits for the next that is answered, for ever if there is none. May be dropped and called
    /// again.
    pub(super) async fn next(&mut self) -> Input {
        match self.answers.next().await {
            Some(answered) => answered,
            None => pending().await,
        }
    }
}

fn late() -> CommandError {
    CommandError::new(
        CommandErrorCode::Deadline,
        "Its deadline passed before it was answered.",
    )
}
