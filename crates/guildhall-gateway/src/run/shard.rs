//! One shard of the bot's: a session with Discord, and the log that comes of it.

use std::sync::Arc;

use guildhall_link::frame::{Discord, DiscordStatus};
use guildhall_model::World;
use guildhall_ports::{Clock, Journal, Journals, journal::Terms};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};
use url::Url;

use super::tasks::{TaskExit, Tasks};
use crate::{
    Config, GatewayBuildError, GatewayPorts, ShardId,
    discord_rest::DiscordRest,
    execute::GuildWorld,
    health::ShardHealth,
    history::HistoryFollower,
    inbox::Input,
    link::AttachedLog,
    log::{Log, LogSetup},
    normalise::Cdn,
    restore::{Restoration, bot_of, restore},
    sequencer::{
        self, ManagedRooms, PublishedStatus, ReadinessReport, Restored, Sequencer, SequencerSetup,
    },
    shard::{self, IdentifyLimiter, ShardSetup},
    upkeep::UpkeepShard,
};

/// What belongs to one shard, from Discord's session to the log: nothing of it is another's.
#[derive(Debug)]
pub(super) struct Shard {
    id: ShardId,
    journal: Arc<dyn Journal>,
    log: Log,
    restored: Restored,
    sequencer: Sequencer,
    inbox: mpsc::Receiver<Input>,
    published: PublishedStatus,
    report: watch::Sender<ReadinessReport>,
}

/// What the shards of a process share.
pub(super) struct SharedByShards<'a> {
    pub config: &'a Config,
    pub clock: Arc<dyn Clock>,
    pub rest: DiscordRest,
    pub identify_limiter: IdentifyLimiter,
    /// Stops the connections.
    pub stop: CancellationToken,
    /// Stops the sequencers, which stop last, to take what the connections still hand over.
    pub sequencer_stop: CancellationToken,
}

impl Shard {
    /// Loads the shard's log.
    pub(super) async fn restore(
        id: ShardId,
        config: &Config,
        managed: &ManagedRooms,
        journals: &dyn Journals,
        setup: LogSetup,
        clock: &dyn Clock,
    ) -> Result<Self, GatewayBuildError> {
        let terms = Terms {
            shard: id.pair(),
            intents: config.intents.bits(),
            guilds: config.guilds.clone(),
            world_format: World::FORMAT,
        };
        let now = clock.now();
        let journal = journals.journal(id.log(), setup.fence);
        let restoration = Restoration {
            shard: id,
            managed: managed.of_shard(id),
            terms,
            bot: bot_of(&config.bot_token),
            now,
            names: &config.names,
        };
        let (log, restored) = restore(&*journal, setup, restoration).await?;
        let (sequencer, inbox) = Sequencer::new();
        let status = DiscordStatus {
            discord: Discord::Down,
            since: now,
            guild_ids: Vec::new(),
            complete: false,
        };
        Ok(Self {
            id,
            journal,
            log,
            restored,
            sequencer,
            inbox,
            published: PublishedStatus {
                status: watch::Sender::new(status),
                stalled: watch::Sender::new(false),
            },
            report: watch::Sender::new(ReadinessReport::default()),
        })
    }

    /// What operators are told about it.
    pub(super) fn health(&self) -> ShardHealth {
        ShardHealth {
            shard: self.id,
            status: self.published.status.subscribe(),
            report: self.report.subscribe(),
            stalled: self.published.stalled.subscribe(),
        }
    }

    /// What brings its events to whatever keeps history.
    pub(super) fn history(&self, ports: &GatewayPorts) -> HistoryFollower {
        let (store, bus) = (Arc::clone(&ports.history), Arc::clone(&ports.bus));
        HistoryFollower::new(store, bus, self.log.head())
    }

    /// Whom to ask about its guilds.
    pub(super) fn world(&self) -> GuildWorld {
        GuildWorld {
            shard: self.id,
            sequencer: self.sequencer.clone(),
            log: self.log.clone(),
        }
    }

    /// What whoever looks after rooms needs of it.
    pub(super) fn upkeep(&self) -> UpkeepShard {
        UpkeepShard {
            shard: self.id,
            log: self.log.clone(),
            status: self.published.status.subscribe(),
        }
    }

    /// What the link needs of it.
    pub(super) fn attached_log(&self) -> AttachedLog {
        AttachedLog {
            shard: self.id,
            log: self.log.clone(),
            sequencer: self.sequencer.clone(),
            status: self.published.status.subscribe(),
        }
    }

    /// Begins its two tasks: the connection to Discord, and the sequencer.
    pub(super) fn spawn(self, shared: &SharedByShards<'_>, tasks: &mut Tasks<'_>) {
        let config = shared.config;
        let (limits, names) = (config.limits, config.names);
        let renew = Arc::new(Notify::new());
        let number = self.id.number;
        let connection = ShardSetup {
            id: self.id,
            rest: shared.rest.clone(),
            require_tls: config.is_discord_behind_tls(),
            tls: Arc::clone(&config.tls),
            bot_token: config.bot_token.clone(),
            intents: config.intents,
            gateway_url: config.discord_gateway_url.clone().map(Url::from),
            limits,
            names,
            identify_limiter: shared.identify_limiter.clone(),
            inbox: self.sequencer.inbox(),
            resume: self.restored.state.resume.clone(),
            renew: Arc::clone(&renew),
            clock: Arc::clone(&shared.clock),
        };
        let (requests, asked) = mpsc::channel(shard::REQUESTS);
        let (channel_infos, infos_asked) = mpsc::channel(shard::REQUESTS);
        let setup = SequencerSetup {
            journal: self.journal,
            log: self.log,
            restored: self.restored,
            rollback: self.sequencer.subscribe_rollback(),
            published: self.published,
            report: self.report,
            rest: shared.rest.clone(),
            clock: Arc::clone(&shared.clock),
            cdn: Cdn::new(&config.cdn_url),
            limits,
            names,
            renew,
            requests,
            channel_infos,
        };
        let sequencer = sequencer::run(setup, self.inbox, shared.sequencer_stop.clone());
        let sequencer = Box::pin(sequencer).instrument(info_span!("sequencer", shard.id = number));
        tasks.spawn_sequencer("the sequencer's task broke", async {
            TaskExit::Sequencer(sequencer.await)
        });
        let connection = shard::run(connection, asked, infos_asked, shared.stop.clone())
            .instrument(info_span!("shard", shard.id = number));
        tasks.spawn("the connection's task broke", async {
            TaskExit::Shard(connection.await)
        });
    }
}
