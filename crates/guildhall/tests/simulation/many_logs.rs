//! Several shards in one gateway: each has a session with Discord and a log of its own, all in one
//! file, and one attachment of the link brings them all.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{SinkExt, StreamExt};
use guildhall_gateway::{Config, ShardId};
use guildhall_http::driver_time::{now, sleep_to};
use guildhall_link::{
    Receiver, SocketInput,
    receiver::{Input, Output},
};
use guildhall_model::{Cursor, Envelope, GuildId, LogId, World};
use guildhall_stores::sqlite::SqliteJournals;
use reqwest::{Client, Method};
use serde_json::json;
use tempfile::TempDir;
use tokio::{select, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    discord::Discord,
    follower::{dial, input_of},
    plan::Plan,
    process::Process,
    rng::Rng,
    run::{WAIT_LIMIT, config},
};

const LINK_TOKEN: &str = "link-token-of-many-logs-0123456789";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_logs_in_one_file_are_killed_and_resumed_without_loss() {
    are_killed_and_resumed(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seventeen_logs_in_one_file_are_killed_and_resumed_without_loss() {
    are_killed_and_resumed(17).await;
}

async fn are_killed_and_resumed(count: u16) {
    let house = ManyShards::new(count).await;
    let guilds = house.guilds().await;
    assert!(ShardId::all(count).all(|shard| guilds.iter().any(|id| shard.has(*id))));
    let mut replica = ManyLogs::of(count);
    let mut process = house.start().await;
    let is_there = |replica: &ManyLogs| replica.world.guilds.len() == guilds.len();
    replica.follow(process.address, is_there).await;
    house.rename(&guilds, "early").await;
    replica
        .follow(process.address, |it| it.are_named("early"))
        .await;
    let begun = house.discord.state().await.sessions_begun();
    assert_eq!(begun, u64::from(count), "a session for each shard");
    assert_eq!(
        replica.begun,
        usize::from(count),
        "each log from its bases, once"
    );

    for round in 0..3 {
        let names = [format!("under way {round}"), format!("meanwhile {round}")];
        let [under_way, meanwhile] = &names;
        // Some of it is committed, some on its way.
        house.rename(&guilds, under_way).await;
        if round == 2 {
            process.stop().await.expect("stops in order");
        } else {
            process.kill().await.expect("is killed");
        }
        house.rename(&guilds, meanwhile).await;
        process = house.start().await;
        replica
            .follow(process.address, |it| it.are_named(meanwhile))
            .await;
        for guild_id in &guilds {
            assert_eq!(replica.names_of(*guild_id), names, "each once, in order");
        }
    }
    assert_eq!(
        replica.begun,
        usize::from(count),
        "every cursor was resumed"
    );
    let begun = house.discord.state().await.sessions_begun();
    assert_eq!(begun, u64::from(count), "every session was resumed");
    for (log, events) in &replica.events {
        let first = events.keys().next().copied().unwrap_or_default();
        assert!(
            events.keys().copied().eq((first..).take(events.len())),
            "log {log}"
        );
        let own = |envelope: &Envelope| {
            let shard = ShardId {
                number: log.0,
                count,
            };
            envelope.at.log == *log && shard.has(envelope.event.guild_id)
        };
        assert!(events.values().all(own), "log {log}");
    }
    process.stop().await.expect("stops in order");
    house.discord.stop().await;
}

/// A simulated Discord with guilds for every shard, and the folder of a gateway.
struct ManyShards {
    discord: Discord,
    config: Config,
    folder: TempDir,
}

impl ManyShards {
    async fn new(count: u16) -> Self {
        // A second installation in this process is refused, which is fine.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0);
        let http = http.build().expect("a client");
        let plan = Plan::draw(&mut Rng::of(count.into()));
        let simulator = guildhall_simulator::Config {
            max_concurrency: 4,
            resume_window: WAIT_LIMIT,
            replay_events: 65_536,
            ..plan.simulator(count.into())
        };
        let discord = Discord::start(simulator, http).await;
        // As old as one another, nearly: the milliseconds of an id choose the shard.
        for number in 0..2 * u64::from(count) {
            let id = (381_000_000_000 + number) << 22;
            let body = json!({"id": id.to_string(), "name": format!("guild {number}")});
            discord.post("/guilds", &body).await;
        }
        let config = Config {
            shards: ShardId::all(count).collect(),
            ..config(&plan, &discord, LINK_TOKEN)
        };
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            discord,
            config,
            folder,
        }
    }

    async fn guilds(&self) -> Vec<GuildId> {
        let state = self.discord.state().await;
        state.guilds.iter().map(|guild| guild.id).collect()
    }

    /// A process over the file that the one before it left.
    async fn start(&self) -> Process {
        let path = self.folder.path().join("journal.sqlite3");
        let journals = SqliteJournals::open(&path, "DATA_DIR").expect("nobody has it");
        let process = Process::start(self.config.clone(), Arc::new(journals)).await;
        process.expect("starts")
    }

    async fn rename(&self, guilds: &[GuildId], name: &str) {
        for guild_id in guilds {
            let path = format!("/guilds/{guild_id}");
            let body = json!({"name": name});
            self.discord.act(Method::PATCH, &path, &body).await;
        }
    }
}

/// A replica of all logs, which keeps its world and its cursor whatever becomes of the gateway.
#[derive(Default)]
struct ManyLogs {
    count: usize,
    world: World,
    cursor: Option<Cursor>,
    events: BTreeMap<LogId, BTreeMap<u64, Envelope>>,
    /// How often a log had to be begun from its bases.
    begun: usize,
    /// By log, of this attachment: whether Discord is live behind it.
    live: BTreeMap<LogId, bool>,
    complete: bool,
}

impl ManyLogs {
    fn of(count: u16) -> Self {
        Self {
            count: count.into(),
            ..Self::default()
        }
    }

    fn are_named(&self, name: &str) -> bool {
        let mut guilds = self.world.guilds.values();
        guilds.all(|guild| guild.info.name == name)
    }

    /// The last two that it was given.
    fn names_of(&self, guild_id: GuildId) -> Vec<String> {
        let events = self.events.values().flat_map(BTreeMap::values);
        let names = events.filter_map(|envelope| match &envelope.event.change {
            guildhall_model::Change::GuildUpdated(info) if envelope.event.guild_id == guild_id => {
                Some(info.name.clone())
            }
            _ => None,
        });
        let mut names: Vec<String> = names.collect();
        names.split_off(names.len().saturating_sub(2))
    }

    /// Attaches, and follows until all logs are complete and live, and it is so.
    async fn follow(&mut self, address: std::net::SocketAddr, so: impl Fn(&Self) -> bool) {
        let following = async {
            loop {
                let live = |it: &Self| it.live.len() == it.count && it.live.values().all(|is| *is);
                if self
                    .attend(address, |it| it.complete && live(it) && so(it))
                    .await
                {
                    return;
                }
            }
        };
        let followed = timeout(WAIT_LIMIT, following).await;
        assert!(followed.is_ok(), "{:?} {:?}", self.cursor, self.live);
    }

    /// One attachment, until it is so; `false`: it ended before.
    async fn attend(&mut self, address: std::net::SocketAddr, so: impl Fn(&Self) -> bool) -> bool {
        (self.complete, self.live) = (false, BTreeMap::new());
        let mut socket = dial(address, LINK_TOKEN).await.expect("it listens");
        let mut machine = Receiver::<()>::new(self.cursor.clone(), now());
        loop {
            while let Some(output) = machine.poll_output() {
                match output {
                    Output::Send(frame) => {
                        let sent = socket.send(Message::text(frame.encode(0))).await;
                        if sent.is_err() {
                            machine.handle(SocketInput::ConnectionLost, now());
                        }
                    }
                    Output::End(_) => return false,
                    output => self.take(output),
                }
            }
            if so(self) {
                return true;
            }
            let input: Input<()> = select! {
                biased;
                message = socket.next() => input_of(message).into(),
                () = sleep_to(machine.deadline()) => SocketInput::TimePassed.into(),
            };
            machine.handle(input, now());
        }
    }

    fn take(&mut self, output: Output<()>) {
        match output {
            Output::Begin(_) => self.begun += 1,
            Output::Base(base) => {
                if let Some(guild) = base.guild {
                    self.world.guilds.insert(base.guild_id, guild);
                }
            }
            Output::Apply(group) => {
                for envelope in group {
                    self.world.apply(&envelope.event);
                    if let Some(cursor) = self.cursor.take() {
                        let cursor = cursor.with(envelope.at).expect("few logs");
                        self.cursor = Some(cursor);
                    }
                    let events = self.events.entry(envelope.at.log).or_default();
                    let twice = events.insert(envelope.at.seq, envelope);
                    assert!(twice.is_none(), "twice: {twice:?}");
                }
            }
            Output::Complete(at) => {
                assert_eq!(at.positions().len(), self.count);
                self.complete = true;
                self.cursor = Some(at);
            }
            Output::Status(status) => {
                let live = status.status.discord == guildhall_link::frame::Discord::Live;
                self.live
                    .insert(status.at.log, live && status.status.complete);
            }
            Output::Report(violation) => panic!("the link's rules: {violation}"),
            _ => {}
        }
    }
}
