//! The connection to Discord's Gateway, kept up for ever: a machine for the protocol of each
//! connection ([`session`]), a driver that moves bytes for it ([`connection`]), and between two of
//! them the [`ReconnectPolicy`], which is all that outlives a connection.

/// One connection, from dialling to its end.
mod connection;
/// The WebSocket, its compression and its bounds.
mod transport;
/// The protocol of one connection: a pure machine.
mod session;
/// When to connect again, and whether to RESUME: a pure machine.
mod reconnect_policy;
/// When an IDENTIFY may be sent.
mod identify;
/// A message of Discord's Gateway, taken out of its envelope.
mod message;

use std::{sync::Arc, time::Duration};

use guildhall_http::Secret;
use guildhall_model::GuildId;
use guildhall_ports::{Clock, journal::ResumeState};
use metrics::{counter, gauge};
use rustls::ClientConfig;
use tokio::{
    select,
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use crate::{
    GatewaySettingNames, Intents, Limits, ShardId,
    discord_rest::{DiscordRest, RestError},
    inbox::{Inbox, Lost, MembersRequest, Stopped},
    metrics::gauge_of_log,
};
use connection::{ConnectionExit, Lent};
use reconnect_policy::{Disconnect, Misconfigured, Next, ReconnectPolicy};
use transport::Compression;

pub(crate) use identify::IdentifyLimiter;

/// Requests that may wait for the connection. Full: what is not sent has no answer.
pub(crate) const REQUESTS: usize = 16;

/// After so many failures in a row an operator should look.
const ALERT_TRIES: u32 = 5;

/// All that the shard needs.
#[derive(Debug)]
pub(crate) struct ShardSetup {
    pub id: ShardId,
    pub rest: DiscordRest,
    pub bot_token: Secret,
    pub intents: Intents,
    /// `None`: what `/gateway/bot` answers.
    pub gateway_url: Option<Url>,
    /// The operator's own address is one with TLS. The token is sent to no other then, whatever
    /// address Discord names.
    pub require_tls: bool,
    /// How TLS is spoken.
    pub tls: Arc<ClientConfig>,
    pub limits: Limits,
    pub names: GatewaySettingNames,
    /// Shared by all shards of the process.
    pub identify_limiter: IdentifyLimiter,
    /// To the sequencer, in order of arrival.
    pub inbox: Inbox,
    /// The session that the process before this one left.
    pub resume: Option<ResumeState>,
    /// Notified: the session is to be replaced by a fresh one.
    pub renew: Arc<Notify>,
    pub clock: Arc<dyn Clock>,
}

/// Why the shard ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ShardExit {
    /// As asked: Discord keeps the session for a while.
    Stopped,
    /// No retry cures it: one sentence that names the setting and the cure.
    Misconfigured(String),
    /// Nobody takes the dispatches any more.
    InboxClosed,
}

/// Runs until it is stopped, or something no retry cures.
pub(crate) async fn run(
    shard: ShardSetup,
    mut requests: mpsc::Receiver<MembersRequest>,
    mut channel_infos: mpsc::Receiver<GuildId>,
    stop: CancellationToken,
) -> ShardExit {
    let mut policy = ReconnectPolicy::new(shard.limits, shard.resume.clone());
    let mut gateway_url = shard.gateway_url.clone();
    let mut compression = Compression::Zstd;
    loop {
        let lent = Lent {
            policy: &mut policy,
            requests: &mut requests,
            channel_infos: &mut channel_infos,
            compression: &mut compression,
        };
        let disconnect = match shard.connect(lent, &mut gateway_url, &stop).await {
            ConnectionExit::Disconnected(disconnect) => disconnect,
            ConnectionExit::Stopped => return ShardExit::Stopped,
            ConnectionExit::InboxClosed => return ShardExit::InboxClosed,
        };
        #[expect(clippy::disallowed_methods, reason = "this is the driver")]
        let chance = rand::random();
        let next = policy.disconnected(&disconnect, chance, Instant::now().into_std());
        counter!("guildhall_gateway_disconnects_total", "reason" => reason(&disconnect))
            .increment(1);
        record_tries(&policy, shard.id);
        let at = match next {
            Next::Connect { at } => at,
            Next::Misconfigured(misconfigured) => {
                return ShardExit::Misconfigured(misconfigured.sentence(&shard.names));
            }
        };
        let lost = Lost {
            resumable: policy.has_session(),
            tries: policy.tries(),
            why: describe(&disconnect, &shard.names),
        };
        log_disconnect(&lost, &disconnect);
        if matches!(disconnect, Disconnect::Unreachable(_)) && policy.resume_url().is_none() {
            // It may have moved: asked for again.
            gateway_url.clone_from(&shard.gateway_url);
        }
        // However full the inbox is, and however slow the disk: not before all that came is
        // committed.
        let resume = select! {
            resume = shard.inbox.lost(lost) => resume,
            () = stop.cancelled() => return ShardExit::Stopped,
        };
        match resume {
            Ok(resume) => policy.committed(resume),
            Err(Stopped) => return ShardExit::InboxClosed,
        }
        select! {
            () = sleep_until(at.into()) => {}
            () = stop.cancelled() => return ShardExit::Stopped,
        }
    }
}

impl ShardSetup {
    async fn connect(
        &self,
        lent: Lent<'_>,
        gateway_url: &mut Option<Url>,
        stop: &CancellationToken,
    ) -> ConnectionExit {
        let dialable = |address| transport::dialable(address, self.require_tls);
        let resume_url = lent.policy.resume_url().and_then(dialable);
        let identify = lent.policy.resume().is_none();
        if identify || resume_url.is_none() && gateway_url.is_none() {
            let found = select! {
                found = self.find_gateway(identify) => found,
                () = stop.cancelled() => return ConnectionExit::Stopped,
            };
            match found {
                Ok(url) => *gateway_url = self.gateway_url.clone().or(Some(url)),
                Err(disconnect) => return ConnectionExit::Disconnected(disconnect),
            }
        }
        let url = resume_url.or_else(|| dialable(gateway_url.as_ref()?.as_str()));
        let Some(url) = url else {
            let why = "the Gateway's address is none that can be dialled".to_owned();
            return ConnectionExit::Disconnected(Disconnect::Unreachable(why));
        };
        connection::run(self, lent, url, stop).await
    }

    /// Where to connect. Before each IDENTIFY also: are there enough left?
    ///
    /// Spending them all has Discord reset the token, so the last ones are never used.
    async fn find_gateway(&self, identify: bool) -> Result<Url, Disconnect> {
        let bot = self.rest.gateway_bot().await.map_err(|error| match error {
            RestError::Unauthorised => Disconnect::TokenRefused,
            error => Disconnect::Unreachable(error.to_string()),
        })?;
        let limit = bot.session_start_limit;
        self.identify_limiter.allow(limit.max_concurrency);
        gauge!("guildhall_gateway_identifies_remaining").set(f64::from(limit.remaining));
        if identify && limit.remaining < self.limits.identify_reserve {
            return Err(Disconnect::BudgetLow {
                remaining: limit.remaining,
                resets_in: Duration::from_millis(limit.reset_after),
            });
        }
        let address = bot.url.parse();
        address.map_err(|_| Disconnect::Unreachable("Discord named no Gateway address".to_owned()))
    }
}

/// The gauge that alerts are built on: so it has to go down again, too.
fn record_tries(policy: &ReconnectPolicy, shard: ShardId) {
    let failed = gauge_of_log("guildhall_gateway_failed_tries", shard.log());
    failed.set(f64::from(policy.tries()));
}

/// The sentence about a token that REST refused in the middle of everything.
pub(crate) fn token_refused(names: &GatewaySettingNames) -> String {
    Misconfigured::TOKEN.sentence(names)
}

/// Logs at the level that it deserves: that Discord asked to reconnect, or does not know a session
/// after an outage any more, is no failure.
fn log_disconnect(lost: &Lost, disconnect: &Disconnect) {
    let Lost { tries, why, .. } = lost;
    match disconnect {
        Disconnect::BudgetLow { .. } => error!("[Gateway] Not connected: {why}"),
        _ if *tries == ALERT_TRIES => {
            error!("[Gateway] Not connected after {ALERT_TRIES} tries in a row, trying on: {why}");
        }
        Disconnect::Unreachable(_) => warn!("[Gateway] Not connected: {why}"),
        Disconnect::Failed(_) => warn!("[Gateway] Disconnected: {why}"),
        Disconnect::InvalidSession { resumable: false } => {
            info!("[Gateway] Session refused: {why}; a new one is begun");
        }
        Disconnect::ReconnectAsked | Disconnect::Renewed | Disconnect::InvalidSession { .. } => {
            info!("[Gateway] Reconnecting: {why}");
        }
        _ if *tries > 1 => warn!("[Gateway] Disconnected again: {why}"),
        _ => info!("[Gateway] Disconnected: {why}"),
    }
}

/// For the operator; no addresses, no secrets.
fn describe(disconnect: &Disconnect, names: &GatewaySettingNames) -> String {
    let GatewaySettingNames {
        bot_token,
        discord_url,
        discord_gateway_url,
        ..
    } = names;
    match disconnect {
        Disconnect::Unreachable(why) => format!(
            "Discord can't be reached ({why}): look at the network, {discord_url} and \
             {discord_gateway_url}"
        ),
        Disconnect::BudgetLow {
            remaining,
            resets_in,
        } => format!(
            "only {remaining} new sessions are left of the bot's daily budget, and using them up \
             would have Discord reset {bot_token}: waiting, {} minutes until there are more. \
             Look for another program that runs with this token",
            resets_in.as_secs().div_ceil(60)
        ),
        Disconnect::Cut(None) => "the connection broke off".to_owned(),
        Disconnect::Cut(Some(close)) => match explain(close.code) {
            Some(meaning) => format!("Discord closed the connection ({close}): {meaning}"),
            None => format!("Discord closed the connection ({close})"),
        },
        Disconnect::Failed(why) => format!("the connection could not be gone on with: {why}"),
        Disconnect::ReconnectAsked => "Discord asked to reconnect".to_owned(),
        Disconnect::InvalidSession { resumable: true } => {
            "Discord asked to resume the session again".to_owned()
        }
        Disconnect::InvalidSession { resumable: false } => {
            "Discord does not know the session any more".to_owned()
        }
        Disconnect::InboxFull => {
            "dispatches came faster than they could be taken; they will be replayed".to_owned()
        }
        Disconnect::Zombie => "Discord no longer answered heartbeats".to_owned(),
        Disconnect::Renewed => {
            "a dispatch could not be read; a fresh picture was asked for".to_owned()
        }
        Disconnect::TokenRefused => "Discord refused the token".to_owned(),
    }
}

/// What a close code means that no setting is the cure of.
fn explain(code: u16) -> Option<&'static str> {
    Some(match code {
        4000 => "something went wrong on Discord's side",
        4001 | 4002 => {
            "it did not understand what we sent, or that was larger than 4,096 bytes; what was \
             asked for with it stays unanswered. Please report this with the lines before it"
        }
        4003 | 4005 => "we spoke out of turn. Please report this with the lines before it",
        4007 | 4009 => "it does not know the session any more",
        4008 => {
            "more than 120 messages in a minute. Look for another program that runs with this token"
        }
        _ => return None,
    })
}

fn reason(disconnect: &Disconnect) -> &'static str {
    match disconnect {
        Disconnect::Unreachable(_) => "unreachable",
        Disconnect::BudgetLow { .. } => "budget",
        Disconnect::Cut(_) | Disconnect::Failed(_) => "cut",
        Disconnect::ReconnectAsked => "reconnect_asked",
        Disconnect::InvalidSession { .. } => "invalid_session",
        Disconnect::InboxFull => "inbox_full",
        Disconnect::Zombie => "zombie",
        Disconnect::Renewed => "renewed",
        Disconnect::TokenRefused => "token",
    }
}

#[cfg(test)]
pub(crate) mod tests;
/// Beside a client of another author.
#[cfg(test)]
mod differential;
