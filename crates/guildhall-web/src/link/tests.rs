//! A link whose gateway a test plays.

use std::{pin::pin, sync::Arc};

use guildhall_link::receiver::{Input, Unanswered};
use guildhall_model::command::{CommandError, CommandRequest, CommandResult};
use guildhall_ports::memory::CookieSessionStore;
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
};

use super::{ASKS_WAITING, Link, LinkAsk, LinkHealth, asker::Asker, revocations};
use crate::config::tests::NAMES;

/// The gateway as the test plays it. It answers no watch.
pub(crate) struct PlayedGateway {
    asks: mpsc::Receiver<LinkAsk>,
}

/// Who waits for an answer.
pub(crate) struct CommandAsker(oneshot::Sender<Result<CommandResult, Unanswered>>);

/// A link to it.
pub(crate) fn played() -> (Link, PlayedGateway) {
    let (asks, inbox) = mpsc::channel(ASKS_WAITING);
    let (_, health) = watch::channel(LinkHealth::Up);
    let names = NAMES;
    let link = Link {
        asks,
        health,
        revocations: revocations::tests::known(Arc::new(CookieSessionStore::default())),
        names,
    };
    (link, PlayedGateway { asks: inbox })
}

impl PlayedGateway {
    /// Waits for a command.
    pub(crate) async fn command(&mut self) -> (CommandRequest, CommandAsker) {
        loop {
            match self.asks.recv().await.expect("there is a link") {
                Input::CommandAsked {
                    request,
                    reply: Asker::Command(asker),
                    ..
                } => return (*request, CommandAsker(asker)),
                other => drop(other),
            }
        }
    }

    /// Waits for somebody to ask what a command was answered before.
    pub(crate) async fn repeat(&mut self) -> (CommandRequest, CommandAsker) {
        loop {
            match self.asks.recv().await.expect("there is a link") {
                Input::RepeatAsked {
                    request,
                    reply: Asker::Command(asker),
                    ..
                } => return (*request, CommandAsker(asker)),
                other => drop(other),
            }
        }
    }

    /// Says that nothing was answered before to whoever asks, until something is so. Answers with how
    /// often it was asked. No command may come.
    pub(crate) async fn knows_nothing<T>(&mut self, until: impl Future<Output = T>) -> (T, usize) {
        let mut until = pin!(until);
        let (mut times, mut others) = (0, Vec::new());
        loop {
            let ask = select! {
                done = &mut until => return (done, times),
                ask = self.asks.recv() => ask.expect("there is a link"),
            };
            match ask {
                Input::RepeatAsked {
                    reply: Asker::Command(asker),
                    ..
                } => {
                    times += 1;
                    CommandAsker(asker).tell(Ok(Err(CommandError::nowhere())));
                }
                Input::CommandAsked { request, .. } => panic!("a command came: {request:?}"),
                other => others.push(other),
            }
        }
    }

    /// Whether no command came since, whatever else was asked.
    pub(crate) fn was_given_no_command(&mut self) -> bool {
        let asks = std::iter::from_fn(|| self.asks.try_recv().ok());
        let is_command = |ask: LinkAsk| matches!(ask, Input::CommandAsked { .. });
        !asks.into_iter().any(is_command)
    }

    /// Whether nobody asked for anything since.
    pub(crate) fn was_asked_nothing(&mut self) -> bool {
        self.asks.try_recv().is_err()
    }
}

impl CommandAsker {
    /// Answers.
    pub(crate) fn tell(self, answer: Result<CommandResult, Unanswered>) {
        self.0.send(answer).expect("somebody waits for it");
    }

    /// Answers whoever does not wait any more.
    pub(crate) fn answer_nobody(self, answer: Result<CommandResult, Unanswered>) {
        assert!(self.0.send(answer).is_err(), "somebody waits for it");
    }
}
