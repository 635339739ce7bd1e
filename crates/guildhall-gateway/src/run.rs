//! The built role, and the tasks it is made of: shard, sequencer, listener, attachments.

/// The tasks of the role: each ends with a value, and the first that ends ends all.
mod tasks;

use std::{net::SocketAddr, sync::Arc};

use guildhall_http::Listener;
use guildhall_link::frame::{Discord, DiscordStatus};
use guildhall_model::World;
use guildhall_ports::{Clock, Health, Journal, journal::Terms};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, info, info_span};
use url::Url;

use crate::{
    Config, GatewayBuildError, GatewayRunError,
    discord_rest::DiscordRest,
    health::GatewayHealth,
    inbox::Input,
    link::{self, AttachedLog, AttachedLogs, AttachmentContext, LinkServer},
    log::{Log, Retention},
    normalise::Cdn,
    restore::{bot_of, restore},
    sequencer::{self, PublishedStatus, ReadinessReport, Restored, Sequencer, SequencerSetup},
    shard::{self, IdentifyLimiter, Shard},
};
use tasks::{TaskExit, Tasks};

/// A gateway role that listens and has not begun.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    clock: Arc<dyn Clock>,
    listener: Listener,
    address: SocketAddr,
    rest: DiscordRest,
    journal: Arc<dyn Journal>,
    log: Log,
    restored: Restored,
    sequencer: Sequencer,
    inbox: mpsc::Receiver<Input>,
    published: PublishedStatus,
    report: watch::Sender<ReadinessReport>,
}

impl Config {
    /// Loads the journal and binds the listener. Spawns nothing and asks Discord nothing.
    pub async fn build(
        self,
        clock: Arc<dyn Clock>,
        journal: Arc<dyn Journal>,
    ) -> Result<Gateway, GatewayBuildError> {
        crate::metrics::describe(&self.names);
        let (origin, share) = (self.discord_url.clone(), self.limits.requests_per_second);
        let rest = DiscordRest::new(
            origin.into(),
            &self.tls,
            &self.bot_token,
            share,
            self.names.root_certificates,
        )
        .map_err(|error| GatewayBuildError::Tls(error.to_string()))?;
        let listener = Listener::bind(self.listen);
        let listener = listener.map_err(GatewayBuildError::NotBound)?;
        let address = listener
            .local_addr()
            .map_err(|error| GatewayBuildError::Failed(error.to_string()))?;
        let now = clock.now();
        let retention = Retention {
            records_per_guild: self.log_window.get(),
            bytes: self.limits.log_bytes,
            evicted_in_journal: self.limits.journal_evicted,
        };
        let terms = Terms {
            shard: [0, 1],
            intents: self.intents.bits(),
            guilds: self.guilds.clone(),
            world_format: World::FORMAT,
        };
        let bot = bot_of(&self.bot_token);
        let (log, restored) = restore(&*journal, terms, bot, retention, now, &self.names).await?;
        let (sequencer, inbox) = Sequencer::new();
        let status = DiscordStatus {
            discord: Discord::Down,
            since: now,
            guild_ids: Vec::new(),
            complete: false,
        };
        Ok(Gateway {
            journal,
            log,
            restored,
            config: self,
            clock,
            listener,
            address,
            rest,
            sequencer,
            inbox,
            published: PublishedStatus {
                status: watch::Sender::new(status),
                stalled: watch::Sender::new(false),
            },
            report: watch::Sender::new(ReadinessReport::default()),
        })
    }
}

impl Gateway {
    /// Where web roles dial.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The role's lines of `/readyz`.
    pub fn health(&self) -> Arc<dyn Health> {
        Arc::new(GatewayHealth {
            status: self.published.status.subscribe(),
            report: self.report.subscribe(),
            stalled: self.published.stalled.subscribe(),
            names: self.config.names,
        })
    }

    /// Runs until `stop`, with every task in `tracker`. Closes Discord in a way that keeps the
    /// session. A task that ends unasked ends all others, and is answered.
    ///
    /// Dropped before it is done, it aborts its tasks where they stand: what was not committed is
    /// lost, and the connection to Discord is cut. Those of the link, which `tracker` alone knows, are
    /// asked to end.
    pub async fn run(
        self,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<(), GatewayRunError> {
        let stop = stop.child_token();
        let _ended = stop.clone().drop_guard();
        // The sequencer stops last, to take what the shard still hands over.
        let (limits, names) = (self.config.limits, self.config.names);
        let sequencer_stop = CancellationToken::new();
        let _sequencer_ended = sequencer_stop.clone().drop_guard();
        let renew = Arc::new(Notify::new());
        let cdn = Cdn::new(&self.config.cdn_url);
        let require_tls = self.config.is_discord_behind_tls();
        let server = LinkServer {
            tokens: Arc::new(self.config.link_tokens),
            context: AttachmentContext {
                logs: AttachedLogs::new(vec![AttachedLog {
                    log: self.log.clone(),
                    sequencer: self.sequencer.clone(),
                    status: self.published.status.subscribe(),
                }]),
                clock: Arc::clone(&self.clock),
            },
            limits,
            tokens_setting: names.link_tokens,
            tracker: tracker.clone(),
            stop: stop.clone(),
        };
        let shard = Shard {
            rest: self.rest.clone(),
            require_tls,
            tls: self.config.tls,
            bot_token: self.config.bot_token,
            intents: self.config.intents,
            gateway_url: self.config.discord_gateway_url.map(Url::from),
            limits,
            names,
            identify_limiter: IdentifyLimiter::new(limits.identify_spacing),
            inbox: self.sequencer.inbox(),
            resume: self.restored.state.resume.clone(),
            renew: Arc::clone(&renew),
            clock: Arc::clone(&self.clock),
        };
        let (requests, asked) = mpsc::channel(shard::REQUESTS);
        let setup = SequencerSetup {
            journal: self.journal,
            log: self.log,
            restored: self.restored,
            rollback: self.sequencer.subscribe_rollback(),
            published: self.published,
            report: self.report,
            rest: self.rest,
            clock: self.clock,
            cdn,
            limits,
            names,
            renew,
            requests,
        };
        let mut tasks = Tasks::new(tracker);
        let sequencer = sequencer::run(setup, self.inbox, sequencer_stop.clone())
            .instrument(info_span!("sequencer"));
        tasks.spawn("the sequencer's task broke", async {
            TaskExit::Sequencer(sequencer.await)
        });
        let listener = link::serve(self.listener, server);
        tasks.spawn("the link's listener broke", async {
            listener.await;
            TaskExit::Listener
        });
        let shard =
            shard::run(shard, asked, stop.clone()).instrument(info_span!("shard", shard.id = 0));
        tasks.spawn("the connection's task broke", async {
            TaskExit::Shard(shard.await)
        });
        let result = tasks.run(&stop, &sequencer_stop, &names).await;
        info!("[Gateway] Stopped");
        result
    }
}

#[cfg(test)]
mod tests;
