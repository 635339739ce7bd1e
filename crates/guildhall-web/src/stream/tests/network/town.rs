//! All of them together: what is built, what happens to it, and when it is right again.

use std::{fmt, sync::Arc, time::Duration};

use guildhall_link::frame::Discord;
use guildhall_model::{Change, GuildId, Position, UnixMs};
use guildhall_ports::Clock;
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{task::JoinSet, time::Instant};

use super::{
    super::{
        harness::{ANNEX, EPOCH, HALL, Harness, NOWHERE, begin, config},
        picture::Picture,
        simulation::{Step, VIEWERS, changes, truth},
    },
    browser::{Browser, Sums, Told},
    gateway::Gateway,
    log::Log,
    net::{Host, Net, Way},
    pass,
    web::{WEBS, WebRole},
};
use crate::{
    auth::{AuthConfig, PlayedRevocations},
    replica::Bounds,
};

/// Two of each person.
const BROWSERS: u8 = 6;
/// How often somebody looks whether all is right.
const LOOK: Duration = Duration::from_millis(250);
/// What would be told twice would be told within this.
const LISTEN_ON: Duration = Duration::from_secs(40);

/// Tokio's time as a clock.
#[derive(Clone, Copy, Debug)]
struct VirtualClock(Instant);

impl Clock for VirtualClock {
    fn now(&self) -> UnixMs {
        EPOCH + guildhall_ports::millis(self.0.elapsed())
    }
}

/// Everything there is.
pub(super) struct Town {
    net: Net,
    rng: StdRng,
    clock: Arc<dyn Clock>,
    log: Log,
    gateway: Gateway,
    webs: [WebRole; WEBS as usize],
    browsers: JoinSet<()>,
    told: Vec<Arc<Mutex<Told>>>,
    /// Ways that are going to be good again.
    mending: JoinSet<()>,
    /// Processes that are going to be there again.
    back: Vec<(Instant, Host)>,
    /// What each person sees, and where the log stood then.
    right: Option<(Position, [Picture; 3])>,
    tally: Tally,
}

/// What was done and told in a run, or in all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    faults: u64,
    ends: u64,
    causes: u64,
    told: Sums,
    /// Until every picture was the truth, at most.
    slowest: Duration,
}

/// Records that are kept of each guild.
fn window(rng: &mut StdRng) -> usize {
    [6, 64, 1_000][rng.random_range(0..3)]
}

/// What an instance keeps: often so little that it gives up what somebody still has to be told.
fn bounds(rng: &mut StdRng) -> Bounds {
    let mut bounds = Bounds::of(window(rng));
    if rng.random_ratio(1, 2) {
        bounds.transitions.records = rng.random_range(1..4);
        bounds.transitions.bytes = rng.random_range(200..4_000);
    }
    if rng.random_ratio(1, 2) {
        bounds.buffers.records = rng.random_range(1..4);
        bounds.buffers.frames = rng.random_range(1..8);
    }
    if rng.random_ratio(1, 3) {
        bounds.log_bytes = rng.random_range(4_000..40_000);
        bounds.process_bytes = bounds.log_bytes;
    }
    bounds
}

impl Town {
    /// Everything runs, and the network is good.
    pub(super) fn build(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let net = Net::new(rng.random());
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock(Instant::now()));
        // The log's and the instances' own: either may be the smaller.
        let log = Log::new(window(&mut rng));
        let mut webs = [0, 1].map(|number| {
            let bounds = bounds(&mut rng);
            WebRole::new(Host::Web(number), bounds, Arc::clone(&clock))
        });
        let mut gateway = Gateway::new(log.clone(), Arc::clone(&clock));
        gateway.start(&net);
        for web in &mut webs {
            web.start(&net);
        }
        let (mut browsers, mut told) = (JoinSet::new(), Vec::new());
        for number in 0..BROWSERS {
            let user = VIEWERS[usize::from(number) % VIEWERS.len()];
            let store = Arc::new(guildhall_ports::memory::CookieSessionStore::default());
            let sessions = AuthConfig::of(&config()).sessions(
                store,
                PlayedRevocations::there(),
                Arc::clone(&clock),
            );
            let browser = Browser {
                number,
                cookie: begin(&sessions, user, &[HALL, ANNEX, NOWHERE]).1,
                told: Arc::default(),
            };
            told.push(Arc::clone(&browser.told));
            browsers.spawn(browser.run(net.clone(), rng.random()));
        }
        Self {
            net,
            rng,
            clock,
            log,
            gateway,
            webs,
            browsers,
            told,
            mending: JoinSet::new(),
            back: Vec::new(),
            right: None,
            tally: Tally::default(),
        }
    }

    /// All that happens.
    pub(super) async fn live_through(&mut self) {
        for _ in 0..self.rng.random_range(40..120) {
            let pause = match self.rng.random_range(0..20) {
                0 => self.rng.random_range(1_000..20_000),
                1..=5 => 0,
                _ => self.rng.random_range(1..400),
            };
            pass(Duration::from_millis(pause)).await;
            self.bring_back(Instant::now());
            match self.rng.random_range(0..10) {
                0..=6 => self.cause(),
                7 | 8 => self.spoil(),
                _ => self.end(),
            }
            self.nobody_gave_up();
        }
    }

    /// Lets everything be good again, and waits until every browser shows the truth.
    pub(super) async fn settle(&mut self, within: Duration) -> Tally {
        self.mending.shutdown().await;
        self.net.heal();
        self.bring_back(Instant::now() + Duration::from_hours(1));
        self.discord_is(Discord::Live);
        self.log.look_up_watched(self.clock.now());
        let began = Instant::now();
        while let Err(wrong) = self.pictures_are_right() {
            assert!(
                began.elapsed() < within,
                "not right after {within:?}: {wrong}"
            );
            pass(LOOK).await;
            self.nobody_gave_up();
            // Whoever came only now is watched only now.
            self.log.look_up_watched(self.clock.now());
        }
        self.tally.slowest = began.elapsed();
        self.log.rename(HALL, self.clock.now());
        pass(LISTEN_ON).await;
        self.nobody_gave_up();
        self.pictures_are_right().expect("what was right stays so");
        for told in &self.told {
            self.tally.told.add(told.lock().sums);
        }
        self.tally
    }

    /// Something happens in Discord.
    fn cause(&mut self) {
        self.tally.causes += 1;
        let guild_id = if self.rng.random_ratio(1, 4) {
            ANNEX
        } else {
            HALL
        };
        let now = self.clock.now();
        match self.rng.random_range(0..12) {
            0 | 1 => return self.log.rename(guild_id, now),
            2 => return self.log.look_up_watched(now),
            3 => {
                let discord = [Discord::Live, Discord::Resuming, Discord::Down];
                let discord = discord[self.rng.random_range(0..3)];
                return self.discord_is(discord);
            }
            _ => {}
        }
        let mut numbers: [u8; 5] = self.rng.random();
        if self.rng.random_ratio(3, 5) {
            // People who come, go and change, which nobody needs a snapshot for.
            numbers[1] %= 13;
        }
        let step = Step::of(numbers);
        let guild = self.log.guild(guild_id);
        let mut changes = changes(step, guild_id, guild.as_ref());
        // Names are numbers here, and no other.
        changes.retain(|change| !matches!(change, Change::GuildUpdated(_)));
        for change in &mut changes {
            if let Change::GuildAvailable(Some(new)) = change {
                let known = guild.as_ref().map(|guild| guild.info.name.clone());
                new.info.name = known.unwrap_or_else(|| "0".to_owned());
            }
        }
        if !changes.is_empty() {
            self.log.append(guild_id, changes, now);
        }
    }

    /// Something happens to the network.
    fn spoil(&mut self) {
        self.tally.faults += 1;
        let web = Host::Web(self.rng.random_range(0..WEBS));
        let other = if self.rng.random_ratio(1, 2) {
            Host::Gateway
        } else {
            Host::Browser(self.rng.random_range(0..BROWSERS))
        };
        match self.rng.random_range(0..6) {
            0 => return self.net.cut(web, other),
            1 => return self.net.forget(web, other),
            _ => {}
        }
        let dead = Way {
            alive: false,
            ..Way::GOOD
        };
        let slow = Way {
            delay: Duration::from_millis(self.rng.random_range(20..3_000)),
            bytes_per_second: self.rng.random_range(300..20_000),
            ..Way::GOOD
        };
        let way = if self.rng.random_ratio(2, 3) {
            dead
        } else {
            slow
        };
        let both = [(web, other), (other, web)];
        let spoilt = match self.rng.random_range(0..4) {
            0 => &both[..1],
            1 => &both[1..],
            _ => &both[..],
        };
        let lasts = Duration::from_millis(self.rng.random_range(100..25_000));
        for (from, to) in spoilt.iter().copied() {
            self.net.set(from, to, way);
            let net = self.net.clone();
            self.mending.spawn(async move {
                pass(lasts).await;
                net.set(from, to, Way::GOOD);
            });
        }
    }

    /// A process ends, one way or the other, and comes back.
    fn end(&mut self) {
        let host = match self.rng.random_range(0..4) {
            0 => Host::Web(0),
            1 => Host::Web(1),
            _ => Host::Gateway,
        };
        if self.back.iter().any(|(_, gone)| *gone == host) {
            return;
        }
        self.tally.ends += 1;
        let in_order = self.rng.random_ratio(1, 3);
        match host {
            Host::Web(number) if in_order => self.webs[usize::from(number)].stop(),
            _ if self.rng.random_ratio(1, 3) => self.net.unplug(host),
            _ => self.net.kill(host),
        }
        match host {
            Host::Web(number) => self.webs[usize::from(number)].stop(),
            Host::Gateway => self.gateway.end(),
            Host::Browser(_) => {}
        }
        if host == Host::Gateway && self.rng.random_ratio(1, 6) {
            self.log.lose();
        }
        let away = Duration::from_millis(self.rng.random_range(0..12_000));
        self.back.push((Instant::now() + away, host));
    }

    fn bring_back(&mut self, until: Instant) {
        for (_, host) in self.back.extract_if(.., |(at, _)| *at <= until) {
            match host {
                Host::Web(number) => self.webs[usize::from(number)].start(&self.net),
                Host::Gateway => self.gateway.start(&self.net),
                Host::Browser(_) => {}
            }
        }
    }

    fn discord_is(&self, discord: Discord) {
        let since = self.clock.now();
        self.log.status.send_modify(|status| {
            status.discord = discord;
            status.since = since;
        });
    }

    /// # Panics
    ///
    /// If a browser was told what it should not have been.
    fn nobody_gave_up(&mut self) {
        if let Some(ended) = self.browsers.try_join_next() {
            ended.expect("a browser found a fault");
            unreachable!("they come back for ever");
        }
    }

    /// Whether every browser shows what its person sees; else whose picture is another.
    fn pictures_are_right(&mut self) -> Result<(), String> {
        let head = *self.log.head.borrow();
        if self.right.as_ref().is_none_or(|(at, _)| *at != head) {
            let world = self.log.world();
            let harness = Harness::of(8, world.guilds.into_iter().collect::<Vec<(GuildId, _)>>());
            let right = VIEWERS.map(|user| {
                harness.answer(user, &harness.listed, &[]);
                truth(&harness, user)
            });
            self.right = Some((head, right));
        }
        let Some((_, right)) = &self.right else {
            return Ok(());
        };
        for (number, told) in self.told.iter().enumerate() {
            let (told, right) = (told.lock(), &right[number % VIEWERS.len()]);
            let picture = told.picture();
            if picture != right {
                return Err(format!(
                    "browser {number} has\n{picture:?}\nand it is\n{right:?}"
                ));
            }
        }
        Ok(())
    }
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.faults += other.faults;
        self.ends += other.ends;
        self.causes += other.causes;
        self.told.add(other.told);
        self.slowest = self.slowest.max(other.slowest);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            faults,
            ends,
            causes,
            told,
            slowest,
        } = self;
        let Sums {
            connections,
            events,
            resumed,
            snapshots,
        } = told;
        write!(
            f,
            "{faults} faults of the network, {ends} ends of processes, {causes} causes; {connections} \
             connections, {events} events, {resumed} resumed, {snapshots} snapshots; right again \
             within {slowest:?} of virtual time"
        )
    }
}
