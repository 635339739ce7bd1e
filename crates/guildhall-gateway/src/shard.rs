//! The connection to Discord, kept up for ever: one value of Discord's library for each
//! connection, and between two of them our own patience.
//!
//! The library dials again by itself, without waiting and without a word; so a value of it is
//! dropped as soon as its connection is gone. What outlives a connection is a [`Course`].

/// One connection, from dialling to its end.
mod connection;
/// What to do when a connection has ended.
mod reconnect_policy;
/// When an IDENTIFY may be sent.
mod identify;
/// What comes out of a connection.
mod message;

use std::{sync::Arc, time::Duration};

use guildhall_ports::{Clock, journal::ResumeState};
use metrics::{counter, gauge};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    select,
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use twilight_gateway::{Config as ShardConfig, ConfigBuilder};
use url::Url;

use crate::{
    Intents, Limits,
    discord_rest::{DiscordRest, RestError},
    inbox::{Inbox, Lost, MembersRequest, Stopped},
};
use connection::{Connection, Outcome};
use reconnect_policy::{Close, Course, Ended, Next};

pub(crate) use identify::Identifies;

/// Requests that may wait for the connection. Full: what is not sent has no answer.
pub(crate) const REQUESTS: usize = 16;

/// After so many failures in a row an operator should look.
const ALERT_TRIES: u32 = 5;

/// All that the shard needs.
#[derive(Debug)]
pub(crate) struct Shard {
    pub rest: DiscordRest,
    pub bot_token: SecretString,
    pub intents: Intents,
    /// `None`: what `/gateway/bot` answers.
    pub gateway_url: Option<Url>,
    /// The operator's own address is one with TLS. The token is sent to no other then, whatever
    /// address Discord names.
    pub tls: bool,
    pub limits: Limits,
    /// Shared by all shards of the process.
    pub identifies: Identifies,
    /// To the keeper, in order of arrival.
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
    NobodyListens,
}

/// Runs until it is stopped, or something no retry cures.
pub(crate) async fn run(
    shard: Shard,
    mut requests: mpsc::Receiver<MembersRequest>,
    stop: CancellationToken,
) -> ShardExit {
    let intents = twilight_gateway::Intents::from_bits_truncate(shard.intents.bits());
    // Built once: it holds the TLS roots.
    let template = ConfigBuilder::new(shard.bot_token.expose_secret().to_owned(), intents).build();
    let mut course = Course::new(shard.limits, shard.resume.clone());
    let mut base = shard.gateway_url.clone();
    loop {
        let ended = match shard
            .connect(&mut course, &mut base, &mut requests, &template, &stop)
            .await
        {
            Outcome::Ended(ended) => ended,
            Outcome::Stopped => return ShardExit::Stopped,
            Outcome::NobodyListens => return ShardExit::NobodyListens,
        };
        #[expect(clippy::disallowed_methods, reason = "this is the driver")]
        let chance = rand::random();
        let next = course.ended(&ended, chance, Instant::now().into_std());
        counter!("guildhall_gateway_disconnects_total", "reason" => reason(&ended)).increment(1);
        show_tries(&course);
        let at = match next {
            Next::Connect { at } => at,
            Next::Misconfigured(sentence) => return ShardExit::Misconfigured(sentence),
        };
        let lost = Lost {
            resumable: course.has_session(),
            tries: course.tries(),
            why: sentence(&ended),
        };
        tell(&lost, &ended);
        if matches!(ended, Ended::Unreachable(_)) && course.resume_url().is_none() {
            // It may have moved: asked for again.
            base.clone_from(&shard.gateway_url);
        }
        // However full the inbox is, and however slow the disk: not before all that came is
        // committed.
        let resume = select! {
            resume = shard.inbox.lost(lost) => resume,
            () = stop.cancelled() => return ShardExit::Stopped,
        };
        match resume {
            Ok(resume) => course.committed(resume),
            Err(Stopped) => return ShardExit::NobodyListens,
        }
        select! {
            () = sleep_until(at.into()) => {}
            () = stop.cancelled() => return ShardExit::Stopped,
        }
    }
}

impl Shard {
    async fn connect(
        &self,
        course: &mut Course,
        base: &mut Option<Url>,
        requests: &mut mpsc::Receiver<MembersRequest>,
        template: &ShardConfig,
        stop: &CancellationToken,
    ) -> Outcome {
        let identify = course.resume().is_none();
        if identify || course.resume_url().is_none() && base.is_none() {
            let found = select! {
                found = self.find(identify) => found,
                () = stop.cancelled() => return Outcome::Stopped,
            };
            match found {
                Ok(url) => *base = self.gateway_url.clone().or(Some(url)),
                Err(ended) => return Outcome::Ended(ended),
            }
        }
        let dialable = |address| connection::dialable(address, self.tls);
        let wanted = course.resume_url().and_then(dialable);
        let url = wanted.or_else(|| dialable(base.as_ref()?.as_str()));
        let Some(url) = url else {
            let why = "the Gateway's address is none that can be dialled".to_owned();
            return Outcome::Ended(Ended::Unreachable(why));
        };
        Connection::new(self, course, requests, template, url)
            .run(stop)
            .await
    }

    /// Where to connect. Before each IDENTIFY also: are there enough left?
    ///
    /// Spending them all has Discord reset the token, so the last ones are never used.
    async fn find(&self, identify: bool) -> Result<Url, Ended> {
        let bot = self.rest.gateway_bot().await.map_err(|error| match error {
            RestError::Unauthorised => Ended::TokenRefused,
            error => Ended::Unreachable(error.to_string()),
        })?;
        let limit = bot.session_start_limit;
        self.identifies.allow(limit.max_concurrency);
        gauge!("guildhall_gateway_identifies_remaining").set(f64::from(limit.remaining));
        if identify && limit.remaining < self.limits.identify_reserve {
            return Err(Ended::BudgetLow {
                remaining: limit.remaining,
                resets_in: Duration::from_millis(limit.reset_after),
            });
        }
        let address = bot.url.parse();
        address.map_err(|_| Ended::Unreachable("Discord named no Gateway address".to_owned()))
    }
}

/// What an operator is woken by: so it has to go down again, too.
fn show_tries(course: &Course) {
    gauge!("guildhall_gateway_failed_tries").set(f64::from(course.tries()));
}

/// The sentence about a token that REST refused in the middle of everything.
pub(crate) fn token_refused() -> String {
    reconnect_policy::TOKEN_REFUSED.to_owned()
}

/// What happened, as loudly as it is somebody's concern: that Discord asked to reconnect, or does
/// not know a session after an outage any more, is no failure.
fn tell(lost: &Lost, ended: &Ended) {
    let Lost { tries, why, .. } = lost;
    match ended {
        Ended::BudgetLow { .. } => error!("[Gateway] Not connected: {why}"),
        _ if *tries == ALERT_TRIES => {
            error!("[Gateway] Not connected after {ALERT_TRIES} tries in a row, trying on: {why}");
        }
        Ended::Unreachable(_) => warn!("[Gateway] Not connected: {why}"),
        Ended::InvalidSession { resumable: false } => {
            info!("[Gateway] Session refused: {why}; a new one is begun");
        }
        Ended::ReconnectAsked | Ended::Renewed | Ended::InvalidSession { .. } => {
            info!("[Gateway] Reconnecting: {why}");
        }
        _ if *tries > 1 => warn!("[Gateway] Disconnected again: {why}"),
        _ => info!("[Gateway] Disconnected: {why}"),
    }
}

/// For people; no addresses, no secrets.
fn sentence(ended: &Ended) -> String {
    match ended {
        Ended::Unreachable(why) => format!(
            "Discord can't be reached ({why}): look at the network, DISCORD_URL and \
             DISCORD_GATEWAY_URL"
        ),
        Ended::BudgetLow {
            remaining,
            resets_in,
        } => format!(
            "only {remaining} new sessions are left of the bot's daily budget, and using them up \
             would have Discord reset DISCORD_BOT_TOKEN: waiting, {} minutes until there are more. \
             Look for another program that runs with this token",
            resets_in.as_secs().div_ceil(60)
        ),
        // 1006 is never sent: the library says so of a connection without a heartbeat's answer.
        Ended::Cut(None | Some(Close { code: 1006, .. })) => "the connection broke off".to_owned(),
        Ended::Cut(Some(close)) => match hint(close.code) {
            Some(hint) => format!("Discord closed the connection ({close}): {hint}"),
            None => format!("Discord closed the connection ({close})"),
        },
        Ended::ReconnectAsked => "Discord asked to reconnect".to_owned(),
        Ended::InvalidSession { resumable: true } => {
            "Discord asked to resume the session again".to_owned()
        }
        Ended::InvalidSession { resumable: false } => {
            "Discord does not know the session any more".to_owned()
        }
        Ended::InboxFull => {
            "dispatches came faster than they could be taken; they will be replayed".to_owned()
        }
        Ended::Zombie => "Discord no longer answered heartbeats".to_owned(),
        Ended::Renewed => "a dispatch could not be read; a fresh picture was asked for".to_owned(),
        Ended::TokenRefused => "Discord refused the token".to_owned(),
    }
}

/// What a code means that no setting is the cure of.
fn hint(code: u16) -> Option<&'static str> {
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

fn reason(ended: &Ended) -> &'static str {
    match ended {
        Ended::Unreachable(_) => "unreachable",
        Ended::BudgetLow { .. } => "budget",
        Ended::Cut(_) => "cut",
        Ended::ReconnectAsked => "reconnect_asked",
        Ended::InvalidSession { .. } => "invalid_session",
        Ended::InboxFull => "inbox_full",
        Ended::Zombie => "zombie",
        Ended::Renewed => "renewed",
        Ended::TokenRefused => "token",
    }
}

#[cfg(test)]
pub(crate) mod tests;
