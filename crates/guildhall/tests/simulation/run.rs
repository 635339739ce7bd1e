//! One run: guilds, a gateway that dies now and then, a follower, and all that goes wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};

use guildhall_gateway::{Config, GatewaySettingNames, Intents, Limits, RoomSettings};
use guildhall_http::{Secret, StrongSecret};
use guildhall_model::{Cursor, GuildId, LogId};
use parking_lot::{Mutex, MutexGuard};
use reqwest::{Client, Method};
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    acts::{ActGenerator, Request},
    discord::Discord,
    expectations::Expectations,
    faults,
    follower::Follower,
    journal::{CommitStage, SlowJournals},
    pauses::{pause, random_millis, random_pause},
    plan::Plan,
    process::Process,
    rng::Rng,
    simulator_state::{CDN, SimulatorState},
};

/// So long may anything take that is waited for, on a busy machine.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(90);
/// So long is waited for a commit to be killed in. While there is no connection none comes.
const COMMIT_LIMIT: Duration = Duration::from_millis(400);
/// After so long without a watch a user is looked up again.
pub(crate) const WATCH_BREAK: Duration = Duration::from_millis(400);

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    pub(crate) faults: usize,
    pub(crate) events: usize,
    pub(crate) replaced: usize,
    pub(crate) on_disk: usize,
    pub(crate) many_logs: usize,
    pub(crate) unheard: usize,
}

/// How it was when everything was in the log and nothing had been done.
#[derive(Clone, Debug)]
pub(crate) struct Baseline {
    /// The heads of the logs.
    pub(crate) heads: BTreeMap<LogId, u64>,
    /// How many sessions Discord had begun.
    pub(crate) sessions_begun: u64,
}

pub(crate) struct Run {
    pub(crate) plan: Plan,
    pub(crate) rng: Rng,
    pub(crate) act_generator: ActGenerator,
    pub(crate) discord: Discord,
    pub(crate) state: SimulatorState,
    pub(crate) journals: SlowJournals,
    pub(crate) expectations: Arc<Mutex<Expectations>>,
    pub(crate) follower: Follower,
    pub(crate) config: Config,
    pub(crate) link_token: String,
    pub(crate) tally: Tally,
    pub(crate) baseline: Option<Baseline>,
    address: watch::Sender<Option<SocketAddr>>,
    process: Option<Process>,
    watches: JoinSet<()>,
    pub(crate) watched_at: Instant,
}

impl Run {
    /// Starts the simulated Discord, and a follower that has nothing to follow yet.
    pub(crate) async fn build(
        seed: u64,
        expectations: Arc<Mutex<Expectations>>,
        http: Client,
    ) -> Self {
        let mut rng = Rng::of(seed);
        let plan = Plan::draw(&mut rng);
        expectations.lock().note(format!("{plan:?}"));
        let discord = Discord::start(plan.simulator(seed), http).await;
        let act_generator = ActGenerator::new(rng.branch(), plan.faults.reorder);
        let journals = SlowJournals::new(rng.branch(), &plan);
        let (address, dialled) = watch::channel(None);
        // Its own, so that no follower ever reads another run's log.
        let token = format!("link-token-of-one-run-0123456789-{seed}");
        let shards = plan.shards().collect();
        let follower = Follower::start(dialled, journals.clone(), shards, token.clone());
        let config = config(&plan, &discord, &token);
        let state = discord.state().await;
        Self {
            plan,
            rng,
            act_generator,
            discord,
            state,
            journals,
            expectations,
            follower,
            config,
            link_token: token,
            tally: Tally::default(),
            baseline: None,
            address,
            process: None,
            watches: JoinSet::new(),
            watched_at: Instant::now(),
        }
    }

    /// Acts, faults and kills, until it is time to settle.
    pub(crate) async fn drive(&mut self) -> Result<(), String> {
        self.settle_guilds().await;
        if self.plan.some_bridged {
            self.config.guilds = Some(self.some_guilds());
        }
        self.note(format!("bridged: {:?}", self.config.guilds));
        self.start().await?;
        if self.plan.waits_for_baseline {
            self.until_complete().await?;
            let head = |log: LogId| {
                let head = self.journals.history(log).log.len();
                (log, u64::try_from(head).expect("a few"))
            };
            self.baseline = Some(Baseline {
                heads: self.plan.shards().map(|shard| head(shard.log())).collect(),
                sessions_begun: self.discord.state().await.sessions_begun(),
            });
        }
        self.expectations().open(&self.state);
        for _ in 0..self.plan.steps {
            match self.rng.between(0, 99) {
                0..=59 => self.acts(1, 5).await,
                60..=77 => self.fault().await,
                78..=89 => self.process_ends().await?,
                _ => self.watch_somebody(),
            }
            let length = random_pause(&mut self.rng);
            pause(length).await;
        }
        Ok(())
    }

    /// As many guilds as planned.
    async fn settle_guilds(&mut self) {
        while self.state.guilds.len() > self.plan.guilds {
            let last = self.state.guilds.last().expect("there are some").id;
            self.do_unseen(Method::DELETE, format!("/guilds/{last}"))
                .await;
        }
        if self.state.guilds.len() < self.plan.guilds {
            let body = json!({"id": "1599999999999999999", "name": "A Fourth"});
            self.discord.post("/guilds", &body).await;
            self.state = self.discord.state().await;
        }
    }

    async fn do_unseen(&mut self, method: Method, path: String) {
        self.discord.act(method, &path, &json!({})).await;
        self.state = self.discord.state().await;
    }

    fn some_guilds(&mut self) -> BTreeSet<GuildId> {
        let all: Vec<GuildId> = self.state.guilds.iter().map(|guild| guild.id).collect();
        let mut some: BTreeSet<GuildId> = all.iter().copied().collect();
        if let Some(left_out) = self.rng.pick(all).filter(|_| some.len() > 1) {
            some.remove(&left_out);
        }
        some
    }

    async fn acts(&mut self, least: u64, most: u64) {
        for _ in 0..self.rng.between(least, most) {
            let request = self.act_generator.choose(&self.state);
            self.perform(request).await;
        }
    }

    /// Does something, and writes down what must come of it.
    pub(crate) async fn perform(&mut self, request: Request) {
        let Request { method, path, body } = request;
        self.note(format!("act    {method} {path} {body}"));
        self.discord.act(method, &path, &body).await;
        let before = std::mem::replace(&mut self.state, self.discord.state().await);
        self.expectations.lock().follow(&before, &self.state);
    }

    async fn fault(&mut self) {
        let fault = faults::draw(&mut self.rng, self.plan.faults);
        self.note(format!("fault  {fault}"));
        self.discord.post("/faults", &fault).await;
        self.tally.faults += 1;
    }

    /// The gateway's process is killed or stopped, and another one begins.
    async fn process_ends(&mut self) -> Result<(), String> {
        match self.rng.between(0, 9) {
            0..=2 => self.kill().await?,
            3 => self.kill_at(CommitStage::Asked).await?,
            4 | 5 => self.kill_at(CommitStage::Written).await?,
            6 => self.kill_at(CommitStage::Done).await?,
            7 => {
                self.stop().await?;
                self.start().await?;
                return Ok(());
            }
            _ => self.stop().await?,
        }
        let down = random_millis(&mut self.rng, 60);
        self.acts(0, 3).await;
        pause(down).await;
        if self.plan.settings_change && self.rng.one_in(3) {
            self.change_settings();
        }
        self.start().await
    }

    /// Kills it in the middle of a commit, if one comes.
    async fn kill_at(&mut self, stage: CommitStage) -> Result<(), String> {
        self.note(format!("to be killed at {stage:?}"));
        let held = self.journals.hold(stage);
        self.acts(1, 3).await;
        if timeout(COMMIT_LIMIT, held).await.is_ok() {
            // What it ought not to tell has the time to be told.
            pause(Duration::from_millis(15)).await;
        }
        let killed = self.kill().await;
        self.journals.release();
        killed
    }

    fn change_settings(&mut self) {
        if self.rng.one_in(2) {
            self.config.intents.members = !self.config.intents.members;
        } else {
            self.config.guilds = match self.config.guilds {
                None => Some(self.some_guilds()),
                Some(_) => None,
            };
        }
        let Config {
            intents, guilds, ..
        } = &self.config;
        self.note(format!("settings {intents:?}, bridged {guilds:?}"));
    }

    fn watch_somebody(&mut self) {
        let people = self.state.users.iter().filter(|user| !user.bot);
        let Some(user_id) = self.rng.pick(people).map(|user| user.id) else {
            return;
        };
        let mut guilds: Vec<GuildId> = self.state.guilds.iter().map(|guild| guild.id).collect();
        if self.rng.one_in(2) {
            guilds.truncate(1);
        }
        self.note(format!("watch  {user_id} in {guilds:?}"));
        self.watched_at = Instant::now();
        let asked = self.follower.watch(user_id, guilds);
        self.watches.spawn(async move {
            // Whether there is an answer depends on what happens meanwhile.
            let _answer = asked.await;
        });
    }

    pub(crate) async fn start(&mut self) -> Result<(), String> {
        let opened = self.journals.reopen().await;
        opened.map_err(|error| format!("the journal to be opened: {error}"))?;
        let journals = Arc::new(self.journals.clone());
        let process = Process::start(self.config.clone(), journals).await?;
        self.note("start");
        self.address.send_replace(Some(process.address));
        self.process = Some(process);
        Ok(())
    }

    pub(crate) async fn kill(&mut self) -> Result<(), String> {
        self.note("kill");
        self.address.send_replace(None);
        self.tally.kills += 1;
        match self.process.take() {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }

    pub(crate) async fn stop(&mut self) -> Result<(), String> {
        self.note("stop");
        self.address.send_replace(None);
        match self.process.take() {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }

    /// Until every guild is in the log, or said to be in an outage.
    pub(crate) async fn until_complete(&mut self) -> Result<(), String> {
        let logs = self.plan.shards().count();
        let complete = self.follower.until(WAIT_LIMIT, |seen| {
            seen.all_are(logs, |status| status.complete)
        });
        if complete.await {
            return Ok(());
        }
        Err(self.why_not("the world did not become complete"))
    }

    /// Why something was waited for in vain.
    pub(crate) fn why_not(&mut self, what: &str) -> String {
        let failed = self.process.as_mut().and_then(Process::failed);
        let seen = self.follower.seen();
        let logs = seen.logs.values();
        let logs: Vec<_> = logs.map(|log| (log.position, &log.status)).collect();
        format!(
            "{what}: process {failed:?}, live {}, logs {logs:?}, violations {:?}",
            seen.live, seen.violations
        )
    }

    /// Where the follower stands.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        self.follower.seen().cursor()
    }

    /// Where the gateway listens, as it changes.
    pub(crate) fn dialled(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.address.subscribe()
    }

    /// Ends all of it.
    pub(crate) async fn end(mut self) -> Result<(), String> {
        self.watches.shutdown().await;
        self.follower.stop().await;
        self.discord.stop().await;
        Ok(())
    }

    pub(crate) fn note(&self, line: impl AsRef<str>) {
        self.expectations.lock().note(line);
    }

    pub(crate) fn expectations(&self) -> MutexGuard<'_, Expectations> {
        self.expectations.lock()
    }
}

/// The gateway's settings, with every interval shrunk.
pub(crate) fn config(plan: &Plan, discord: &Discord, link_token: &str) -> Config {
    let secret = |text: &str| text.parse::<Secret>().expect("visible ASCII");
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        bot_token: secret(&discord.application.bot_token),
        guilds: None,
        shards: plan.shards().collect(),
        intents: Intents {
            members: plan.members,
            moderation: plan.moderation,
        },
        link_tokens: StrongSecret::try_from(secret(link_token))
            .expect("long enough")
            .into(),
        discord_url: discord.origin.parse().expect("an address"),
        cdn_url: CDN.parse().expect("an address"),
        discord_gateway_url: None,
        tls: guildhall_http::tls::client_config(None),
        log_window: NonZeroUsize::new(plan.window).expect("some"),
        rooms: RoomSettings::default(),
        names: GatewaySettingNames {
            bot_token: "the bot's token",
            guilds: "the guilds",
            intents: "the intents",
            link_tokens: "the link's token",
            discord_url: "Discord's address",
            discord_gateway_url: "the Gateway's address",
            root_certificates: "the roots",
            data_dir: "the folder",
        },
        limits: Limits {
            requests_per_second: 1_000,
            watch_break: WATCH_BREAK,
            rights_refresh: Duration::from_millis(700),
            member_answer: Duration::from_millis(500),
            watch_answer: Duration::from_millis(1_500),
            reconnect_first: Duration::from_millis(10),
            reconnect_longest: Duration::from_millis(80),
            hello: Duration::from_millis(1_500),
            identify_spacing: Duration::from_millis(25),
            identify_after_refusal: Duration::from_millis(50),
            close: Duration::from_millis(500),
            ..Limits::default()
        },
    }
}
