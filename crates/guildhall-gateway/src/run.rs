//! The built role, and the tasks it is made of: for each shard a connection and a sequencer, the
//! listener, attachments.

/// Being listed where web roles look.
mod announcement;
/// The tasks of the role: each ends with a value, and the first that ends ends all.
mod tasks;
/// What belongs to one shard.
mod shard;

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use guildhall_http::Listener;
use guildhall_model::Cursor;
use guildhall_ports::{Health, JournalError, KeptCommand, LinkAddress, room_store::SigningKey};
use tokio::join;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

use crate::{
    Config, GatewayBuildError, GatewayPorts, GatewayRunError, ShardId,
    discord_rest::{DiscordRest, RestBudget},
    execute::{self, CommandContext, Executor, ExecutorSetup, GuildWorlds},
    health::GatewayHealth,
    link::{self, AttachedLogs, AttachmentContext, LinkServer},
    log::{LogSetup, ProcessRetention, Retention},
    revocations::{self, KeptRevocations, RevocationWriter},
    rooms::{RoomTable, ViewerTables},
    sequencer::ManagedRooms,
    shard::IdentifyLimiter,
    upkeep::{self, UpkeepSetup},
};
use announcement::Announcement;
use shard::{Shard, SharedByShards};
use tasks::{TaskExit, Tasks};

/// A gateway role that listens and has not begun.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    ports: GatewayPorts,
    listener: Listener,
    address: SocketAddr,
    rest: DiscordRest,
    /// At least one, ascending.
    shards: Vec<Shard>,
    /// Commands that an earlier process left.
    commands: Vec<KeptCommand>,
    /// The rooms that earlier processes made.
    rooms: RoomTable,
    /// What was revoked until now, and who keeps what is revoked next.
    revocations: (KeptRevocations, RevocationWriter),
}

impl Config {
    /// Loads the journals and begins the logs on the bus, and binds the listener. Spawns nothing and
    /// asks Discord nothing.
    pub async fn build(self, ports: GatewayPorts) -> Result<Gateway, GatewayBuildError> {
        crate::metrics::describe(&self.names);
        let ids = shard_ids(&self.shards)?;
        let budget = RestBudget {
            look_ups: self.limits.requests_per_second,
            commands: self.limits.command_requests_per_second,
        };
        let rest = DiscordRest::new(
            self.discord_url.clone().into(),
            &self.tls,
            &self.bot_token,
            budget,
            self.names.root_certificates,
        )
        .map_err(|error| GatewayBuildError::Tls(error.to_string()))?;
        let listener = Listener::bind(self.listen);
        let listener = listener.map_err(GatewayBuildError::NotBound)?;
        let address = listener
            .local_addr()
            .map_err(|error| GatewayBuildError::Failed(error.to_string()))?;
        let fence = ports.journals.fence().await.map_err(not_loaded)?;
        let setup = LogSetup {
            bus: Arc::clone(&ports.bus),
            fence,
            retention: Retention {
                records_per_guild: self.log_window.get(),
                bytes_per_guild: self.limits.guild_bytes,
                bytes: self.limits.log_bytes,
            },
            process: ProcessRetention::new(self.limits.process_bytes),
        };
        let store = Arc::clone(&ports.rooms);
        let rooms = RoomTable::load(self.rooms.clone(), store, fresh_key()).await;
        let rooms = rooms.map_err(not_loaded)?;
        let managed = ManagedRooms::new(rooms.managed(), rooms.being_made());
        let mut shards = Vec::with_capacity(ids.len());
        for id in ids {
            let (journals, clock) = (&*ports.journals, &*ports.clock);
            let restored = Shard::restore(id, &self, &managed, journals, setup.clone(), clock);
            shards.push(restored.await?);
        }
        let commands = ports.commands.load().await.map_err(not_loaded)?;
        let (store, clock) = (Arc::clone(&ports.revocations), Arc::clone(&ports.clock));
        let revocations = revocations::load(store, clock).await.map_err(not_loaded)?;
        Ok(Gateway {
            config: self,
            ports,
            listener,
            address,
            rest,
            shards,
            commands,
            rooms,
            revocations,
        })
    }
}

fn not_loaded(error: JournalError) -> GatewayBuildError {
    match error {
        JournalError::Refused(sentence) => GatewayBuildError::Misconfigured(sentence),
        error => GatewayBuildError::Failed(error.to_string()),
    }
}

/// For invites, where there is no key for them yet.
fn fresh_key() -> SigningKey {
    #[expect(clippy::disallowed_methods, reason = "a driver draws for its machine")]
    SigningKey(rand::random())
}

/// Each once, ascending; refused unless they are parts of one whole.
fn shard_ids(shards: &[ShardId]) -> Result<BTreeSet<ShardId>, GatewayBuildError> {
    let ids: BTreeSet<ShardId> = shards.iter().copied().collect();
    let count = shards.first().map_or(0, |first| first.count);
    let is_one_whole = ids
        .iter()
        .all(|id| id.count == count && id.number < id.count);
    if ids.is_empty() || ids.len() != shards.len() || ids.len() > Cursor::MAX_LOGS || !is_one_whole
    {
        let most = Cursor::MAX_LOGS;
        return Err(GatewayBuildError::Failed(format!(
            "a gateway has 1 to {most} shards, each once and all of the same count"
        )));
    }
    Ok(ids)
}

impl Gateway {
    /// Where web roles dial.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The same as it is announced. Who listens on every address of the machine is dialled on its
    /// own: 127.0.0.1.
    pub fn link_address(&self) -> LinkAddress {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        LinkAddress::new(format!("ws://{address}/link"))
    }

    /// The role's lines of `/readyz`.
    pub fn health(&self) -> Arc<dyn Health> {
        Arc::new(GatewayHealth {
            shards: self.shards.iter().map(Shard::health).collect(),
            names: self.config.names,
        })
    }

    /// Runs until `stop`, with every task in `tracker`. Closes Discord in a way that keeps the
    /// sessions. A task that ends unasked ends all others, and is answered.
    ///
    /// Dropped before it is done, it aborts its tasks where they stand: what was not committed is
    /// lost, and the connections to Discord are cut. Those of the link, which `tracker` alone knows,
    /// are asked to end.
    pub async fn run(
        self,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<(), GatewayRunError> {
        let stop = stop.child_token();
        let address = self.link_address();
        let _ended = stop.clone().drop_guard();
        // Sequencers stop last, to take what the connections still hand over.
        let sequencer_stop = CancellationToken::new();
        let _sequencers_ended = sequencer_stop.clone().drop_guard();
        let (limits, names) = (self.config.limits, self.config.names);
        let mut tasks = Tasks::new(tracker);
        let (executor, submissions) = Executor::new();
        let viewers = ViewerTables::new();
        let context = CommandContext {
            worlds: GuildWorlds::new(self.shards.iter().map(Shard::world)),
            rest: self.rest.clone(),
            journal: Arc::clone(&self.ports.commands),
            rooms: self.rooms,
            viewers: viewers.clone(),
            call_time: execute::CALL,
            clock: Arc::clone(&self.ports.clock),
        };
        let setup = UpkeepSetup {
            context: context.clone(),
            executor: executor.clone(),
            shards: self.shards.iter().map(Shard::upkeep).collect(),
        };
        let upkeep = upkeep::run(setup, stop.clone());
        tasks.spawn("the task that looks after rooms broke", async {
            upkeep.await;
            TaskExit::Upkeep
        });
        let kept = self.commands;
        let setup = ExecutorSetup { context, kept };
        let executing = execute::run(setup, submissions, stop.clone());
        tasks.spawn("the executor's task broke", async {
            TaskExit::Executor(executing.await)
        });
        let (revocations, writer) = self.revocations;
        let keeping = writer.run(stop.clone());
        tasks.spawn("the task that keeps revocations broke", async {
            TaskExit::Revocations(keeping.await)
        });
        let server = LinkServer {
            tokens: Arc::new(self.config.link_tokens.clone()),
            context: AttachmentContext {
                logs: AttachedLogs::new(self.shards.iter().map(Shard::attached_log).collect()),
                executor,
                viewers,
                revocations,
                clock: Arc::clone(&self.ports.clock),
            },
            limits,
            tokens_setting: names.link_tokens,
            tracker: tracker.clone(),
            stop: stop.clone(),
        };
        let listener = link::serve(self.listener, server);
        tasks.spawn("the link's listener broke", async {
            listener.await;
            TaskExit::Listener
        });
        let shared = SharedByShards {
            config: &self.config,
            clock: Arc::clone(&self.ports.clock),
            rest: self.rest,
            identify_limiter: IdentifyLimiter::new(limits.identify_spacing),
            stop: stop.clone(),
            sequencer_stop: sequencer_stop.clone(),
        };
        for shard in self.shards {
            spawn_history(&shard, &self.ports, &stop, &mut tasks);
            shard.spawn(&shared, &mut tasks);
        }
        // Beside the tasks: whatever becomes of the registry, they are watched and the stop is heard.
        let announcement = Announcement::new(self.ports.registry, address);
        let (result, ()) = join!(
            tasks.run(&stop, &sequencer_stop, &names),
            announcement.keep_until(&stop),
        );
        info!("[Gateway] Stopped");
        result
    }
}

fn spawn_history(
    shard: &Shard,
    ports: &GatewayPorts,
    stop: &CancellationToken,
    tasks: &mut Tasks<'_>,
) {
    let history = shard.history(ports);
    let stop = stop.clone();
    tasks.spawn("the follower for history broke", async move {
        // Where there is none to be kept it has ended at once, which is no end of the role.
        stop.run_until_cancelled(history.run()).await;
        stop.cancelled().await;
        TaskExit::History
    });
}

#[cfg(test)]
mod tests;
