//! The link to the gateway: the handle for the rest of the role, and the one task behind it.
//!
//! The task owns the [`Publisher`]: events go from the socket into the replica and nowhere else. What
//! others want of the gateway they ask here.

/// Who waits for an answer.
mod asker;
/// How a gateway is reached.
mod connect;
/// Dials, and dials again; one socket at a time.
mod dial;
/// Whether the gateway's clock and ours agree.
mod gateway_clock;
/// How the link is, for operators.
mod health;
/// What was revoked.
pub(crate) mod revocations;

use std::{sync::Arc, time::Duration};

use guildhall_http::driver_time::now;
use guildhall_link::{
    frame::{AdmitRequestBody, AdmitResult, Watched},
    pending::{REQUESTS_IN_FLIGHT, WATCH_LIMIT},
    receiver::{Input, Unanswered},
};
use guildhall_model::{
    GuildId, Revocation, UserId,
    command::{CommandRequest, CommandResult},
};
use guildhall_ports::{Check, Condition};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use crate::{Config, WebPorts, WebSettingNames, fanout::Publisher};

pub(crate) use connect::{Connect, Tcp};
pub(crate) use dial::Dialler;
pub(crate) use health::LinkHealth;
pub(crate) use revocations::Revocations;

use asker::Asker;
use dial::GatewayConnector;

/// Requests on their way to the task. It takes them as fast as they come unless a write to the
/// gateway is stuck; whoever finds this full gets no answer. As many as may be under
/// way, since all of them may come at one moment.
const ASKS_WAITING: usize = REQUESTS_IN_FLIGHT;

/// How long letting somebody in may take. They look at an empty page meanwhile.
const ADMIT_LIMIT: Duration = Duration::from_secs(5);

/// A handle on the link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    asks: mpsc::Sender<LinkAsk>,
    health: watch::Receiver<LinkHealth>,
    revocations: Revocations,
    names: WebSettingNames,
}

/// The gateway did not answer: the link is down or slow. Ask again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the gateway did not answer")]
pub(crate) struct GatewayUnavailable;

/// Makes the handle, and the task for the caller to run. Dials nothing yet.
pub(crate) fn open(
    config: &Config,
    publisher: Publisher,
    ports: &WebPorts,
    connect: Arc<dyn Connect>,
) -> (Link, Dialler) {
    let (asks, inbox) = mpsc::channel(ASKS_WAITING);
    let (health_sender, health) = watch::channel(LinkHealth::Starting);
    let names = config.names;
    let revocations = Revocations::new(Arc::clone(&ports.sessions));
    let link = Link {
        asks,
        health,
        revocations: revocations.clone(),
        names,
    };
    let gateway = GatewayConnector {
        registry: Arc::clone(&ports.gateways),
        connect,
        tls: Arc::clone(&config.tls),
        authorization: config.link_token.secret().authorization("Bearer"),
        roots_setting: names.root_certificates,
    };
    let dialler = Dialler::new(
        gateway,
        names,
        publisher,
        revocations,
        Arc::clone(&ports.clock),
        inbox,
        health_sender,
    );
    (link, dialler)
}

/// What the task is asked to send, as its machine takes it.
type LinkAsk = Input<Asker>;

impl Link {
    /// Has this user's rights in these guilds put into the log. Once the replica has come to the
    /// answer's positions it knows them, but for the guilds named as failed. Returns within 5 s, at
    /// once while the link is down.
    pub(crate) async fn watch(
        &self,
        user_id: UserId,
        guild_ids: Vec<GuildId>,
    ) -> Result<Watched, GatewayUnavailable> {
        let (reply, answer) = oneshot::channel();
        let ask = Input::WatchAsked {
            user_id,
            guild_ids,
            due: now() + WATCH_LIMIT,
            reply: Asker::Watch(reply),
        };
        self.asks.try_send(ask).map_err(|_| GatewayUnavailable)?;
        match timeout(WATCH_LIMIT, answer).await {
            Ok(Ok(watched)) => Ok(watched),
            Ok(Err(_)) | Err(_) => Err(GatewayUnavailable),
        }
    }

    /// Has something done in Discord. Answered within `limit`, at once while the link is down. What
    /// was asked for may be done all the same if it is [`Unanswered::Late`], or the link went down
    /// meanwhile.
    pub(crate) async fn command(
        &self,
        request: CommandRequest,
        limit: Duration,
    ) -> Result<CommandResult, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let ask = Input::CommandAsked {
            request: Box::new(request),
            due: now() + limit,
            reply: Asker::Command(reply),
        };
        self.ask(ask, limit, answer).await
    }

    /// Asks what a command with a key was answered when it came before; nothing is done. Answered
    /// within `limit`, at once while the link is down.
    pub(crate) async fn repeat(
        &self,
        request: CommandRequest,
        limit: Duration,
    ) -> Result<CommandResult, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let ask = Input::RepeatAsked {
            request: Box::new(request),
            due: now() + limit,
            reply: Asker::Command(reply),
        };
        self.ask(ask, limit, answer).await
    }

    /// Has the gateway look at an invite, and let somebody in by it. Answered within 5 s, at once
    /// while the link is down.
    pub(crate) async fn admit(&self, request: AdmitRequestBody) -> Result<AdmitResult, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let ask = Input::AdmitAsked {
            request: Box::new(request),
            due: now() + ADMIT_LIMIT,
            reply: Asker::Admit(reply),
        };
        self.ask(ask, ADMIT_LIMIT, answer).await
    }

    /// Has the gateway keep something that is good once, and says whether nobody had it kept before.
    /// Answered within 5 s, at once while the link is down. It may be kept all the same if it is
    /// [`Unanswered::Late`], or the link went down meanwhile.
    pub(crate) async fn keep_once(&self, revocation: Revocation) -> Result<bool, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let ask = Input::RevokeAsked {
            revocation,
            due: now() + revocations::REVOKE_LIMIT,
            reply: Asker::Once(reply),
        };
        self.ask(ask, revocations::REVOKE_LIMIT, answer).await
    }

    async fn ask<T>(
        &self,
        ask: LinkAsk,
        limit: Duration,
        answer: oneshot::Receiver<Result<T, Unanswered>>,
    ) -> Result<T, Unanswered> {
        self.asks.try_send(ask).map_err(|_| Unanswered::Busy)?;
        match timeout(limit, answer).await {
            Ok(Ok(answer)) => answer,
            // The task ended, and the process does.
            Ok(Err(_)) => Err(Unanswered::Down),
            Err(_) => Err(Unanswered::Late),
        }
    }

    /// What was revoked: to be sent to the gateway, and told by it.
    pub(crate) fn revocations(&self) -> Revocations {
        self.revocations.clone()
    }

    /// The link's line of `/readyz`.
    pub(crate) fn check(&self) -> Check {
        let check = self.health.borrow().check(&self.names);
        if check.condition == Condition::Passing && !self.revocations.are_known() {
            return Check {
                condition: Condition::Failing,
                detail: "The gateway does not say which sessions are over, so nobody is let in: \
                         update it."
                    .to_owned(),
                ..check
            };
        }
        check
    }
}

#[cfg(test)]
pub(crate) mod tests;
