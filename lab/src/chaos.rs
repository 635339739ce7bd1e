//! `cargo xtask chaos`: real processes are killed in a row under load, and every open stream has
//! to have been told everything, once, in order.
//!
//! Streams on two web instances count the simulator's stamps while the gateway's process is
//! ended by SIGKILL at moments drawn from a seed, some of them while it is still starting. Discord
//! keeps what it sends meanwhile, so as long as its session lives nothing may be missing: not a
//! position, not a picture.
//!
//! The streams are of four people with other rights, and the rights of one change all the time; what each
//! is shown is held against Discord's own algorithm. Proxies before links and browsers cut, slow down,
//! silence and deafen what goes through them.

mod browser;
mod rng;
mod checker;
mod discord;
mod house;
mod kills;
mod picture;
mod truth;
mod viewers;
mod faults;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::bail;
use parking_lot::Mutex;

use crate::bench::clock::{now, unix_micros};
use crate::bench::http::Client;
use crate::binary;
use browser::Browsers;
use checker::{Checker, Count, Sums};
use discord::{DiscordState, Load};
use house::House;
use kills::Kills;
use picture::Picture;
use rng::Rng;
use truth::Truth;
use viewers::{CHANGING, Onlooker};

#[derive(clap::Args)]
pub(crate) struct ChaosOptions {
    /// How often the gateway is killed
    #[arg(long, value_name = "N", default_value_t = KILLS)]
    kills: u64,

    /// Draws the moments. Without one it is drawn itself, and printed, so that a run can be had
    /// again
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Stamps that Discord sends, without a pause
    #[arg(long, value_name = "N", default_value_t = EVENTS_PER_SECOND)]
    events_per_second: u64,

    /// Open streams, half of them on each web instance
    #[arg(long, value_name = "N", default_value_t = STREAMS)]
    streams: usize,

    /// Kill web instances, too
    #[arg(long)]
    web: bool,

    /// Each K-th start asks for other intents, which ends Discord's session: what happened
    /// meanwhile is then found by comparing, and need not be told one by one
    #[arg(long, value_name = "K")]
    fresh: Option<u64>,

    /// The debug build, for trying
    #[arg(long)]
    debug: bool,

    /// Use the binary as it is
    #[arg(long)]
    no_build: bool,
}

/// What is done when nobody says anything.
const KILLS: u64 = 50;
/// What the faults delay at most, some 40 s of it, must stay within the 16 MiB that a guild's log keeps.
const EVENTS_PER_SECOND: u64 = 200;
const STREAMS: usize = 24;

/// An instance that missed some dials waits up to 16 s for the next one. So much the log keeps.
const WINDOW_SECONDS: u64 = 100;
const OPEN_WITHIN: Duration = Duration::from_secs(30);
const QUIET_WITHIN: Duration = Duration::from_secs(90);
/// A repetition would come at once.
const LISTEN_ON: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

pub(crate) fn run(options: &ChaosOptions) -> anyhow::Result<()> {
    if options.kills == 0 || options.streams == 0 || options.fresh == Some(0) {
        bail!("--kills, --streams and --fresh are at least 1");
    }
    let profile = if options.debug { "debug" } else { "release" };
    let binary = binary::guildhall(profile, !options.no_build)?;
    let seed = options.seed.unwrap_or_else(unix_micros);
    println!("--seed {seed}");

    let folder = std::env::temp_dir().join(format!("guildhall-chaos-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let told = |error: anyhow::Error| error.context(format!("logs are in {}", folder.display()));
    let outcome = wreak(options, seed, &binary, &folder).map_err(told)?;
    outcome.print(options);
    if outcome.faults(options) > 0 {
        let faults = outcome.faults(options);
        return Err(told(anyhow::anyhow!("{faults} faults with --seed {seed}")));
    }
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The whole run.
fn wreak(
    options: &ChaosOptions,
    seed: u64,
    binary: &Path,
    folder: &Path,
) -> anyhow::Result<Outcome> {
    let rate = options.events_per_second;
    let window = rate * WINDOW_SECONDS;
    let (mut house, changes) = House::start(binary, folder, window, options.streams)?;
    let viewers = (0..options.streams).map(|number| house.viewer(number));
    let checker = Arc::new(Mutex::new(Checker::of(viewers)));
    let addresses = (0..options.streams).map(|number| house.address(number));
    let browsers = Browsers::open(addresses, &checker)?;
    wait_until_open(&checker)?;
    let load = Load::begin(house.simulator_at, &house.guild_id, rate);

    let mut kills = Kills::new(Rng::from_seed(seed), &house, changes)?;
    for number in 1..=options.kills {
        kills.one(number, options, &mut house)?;
    }
    let sent = load.end()?;
    house.faults.heal();
    kills.live_again(&mut house)?;
    for web in &mut house.webs {
        web.wait_until_ready()?;
    }
    println!("{sent} events; waiting until it is quiet");
    let pictures = wait_for_quiet(&house, &checker, sent)?;
    thread::sleep(LISTEN_ON);
    browsers.end()?;

    let state = DiscordState::read(&mut Client::new(house.simulator_at))?;
    let checker = checker.lock();
    Ok(Outcome {
        sent,
        sums: checker.sums(sent),
        count: checker.count,
        faults: checker.faults().to_vec(),
        pictures,
        identifies: state.identifies(),
        rights_changes: kills.rights_changes(),
        network_faults: house.faults.made,
        webs_killed: kills.webs_killed,
        live_ms: kills.live_ms,
    })
}

/// Returns when each stream has its first picture.
fn wait_until_open(checker: &Mutex<Checker>) -> anyhow::Result<()> {
    let deadline = now() + OPEN_WITHIN;
    let streams = checker.lock().streams();
    while checker.lock().open() < streams {
        if now() > deadline {
            let faults = checker.lock().faults().join("\n");
            bail!("not all streams have a picture after {OPEN_WITHIN:?}\n{faults}");
        }
        thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// What was looked at when it was quiet.
#[derive(Clone, Copy)]
struct Pictures {
    checked: u64,
    wrong: u64,
}

/// Waits until every stream and every instance shows what Discord lets its viewer see, or the time is
/// up.
fn wait_for_quiet(house: &House, checker: &Mutex<Checker>, sent: u64) -> anyhow::Result<Pictures> {
    let deadline = now() + QUIET_WITHIN;
    loop {
        let behind = checker.lock().behind(sent);
        let wrong = wrong_pictures(house, checker)?;
        let in_time = now() < deadline;
        if (behind == 0 && wrong.is_empty()) || !in_time {
            let streams = checker.lock().streams();
            for what in &wrong {
                println!("{what}");
            }
            return Ok(Pictures {
                checked: u64::try_from(streams + house.webs.len() * house.viewers.len())?,
                wrong: u64::try_from(wrong.len())?,
            });
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// Which are not as they should be, in words.
fn wrong_pictures(house: &House, checker: &Mutex<Checker>) -> anyhow::Result<Vec<String>> {
    let state = Client::new(house.simulator_at).get("/sim/state", &[])?.body;
    let truth = Truth::of(&state)?;
    let mut pictures = Vec::new();
    for web in &house.webs {
        for viewer in 0..house.viewers.len() {
            let of = format!("/api/state of {}", web.name);
            pictures.push((of, viewer, house.picture(web, viewer)?));
        }
    }
    let mut checker = checker.lock();
    for stream in 0..checker.streams() {
        let viewer = checker.viewer(stream);
        pictures.push((format!("stream {stream}"), viewer, checker.picture(stream)));
    }
    let mut wrong = Vec::new();
    for (whose, viewer, picture) in pictures {
        let Onlooker { what, user_id } = &house.viewers[viewer];
        let right = truth.picture(&house.guild_id, user_id)?;
        let has_people = right.has_people() || viewer == CHANGING;
        if picture.as_ref() != Some(&right) || !has_people {
            let seen = picture.as_ref().map(Picture::rooms);
            let rooms = right.rooms();
            wrong.push(format!(
                "{whose}, {what}: rooms {seen:?}, and in truth {rooms}: {picture:?}, and in truth {right:?}"
            ));
        }
    }
    Ok(wrong)
}

struct Outcome {
    sent: u64,
    sums: Sums,
    count: Count,
    faults: Vec<String>,
    pictures: Pictures,
    identifies: u64,
    rights_changes: u64,
    network_faults: u64,
    webs_killed: u64,
    /// From each start to live, if it lived so long.
    live_ms: Vec<u64>,
}

impl Outcome {
    /// What may not have happened. A session that was ended on purpose takes with it what it had
    /// not told.
    fn faults(&self, options: &ChaosOptions) -> u64 {
        let Self { sums, count, .. } = self;
        let always = sums.doubled
            + sums.reordered
            + sums.uneven
            + count.snapshots
            + count.fallen_ids
            + count.two_payloads
            + count.refused
            + self.pictures.wrong;
        let with_one_session = sums.lost + count.synthetic + self.identifies.abs_diff(1);
        match options.fresh {
            None => always + with_one_session,
            Some(_) => always,
        }
    }

    fn print(&self, options: &ChaosOptions) {
        let Self { sums, count, .. } = self;
        for fault in &self.faults {
            println!("{fault}");
        }
        println!(
            "{} connections of {} streams, {} resumed, {} statuses; {} ids that fell, {} positions \
             with two payloads, {} not told to all; {} found by comparing; {} refused; {} wrong pictures",
            count.connections,
            options.streams,
            count.resumed,
            count.statuses,
            count.fallen_ids,
            count.two_payloads,
            sums.uneven,
            count.synthetic,
            count.refused,
            self.pictures.wrong,
        );
        let ms = |micros: Option<u64>| micros.map_or(0, |micros| micros / 1_000);
        println!(
            "stamp to stream, kills and all: p50 {} ms, p99 {} ms, max {} ms",
            ms(sums.p50),
            ms(sums.p99),
            ms(sums.max)
        );
        let mut live = self.live_ms.clone();
        live.sort_unstable();
        let median = live.get(live.len() / 2).copied().unwrap_or(0);
        let most = live.last().copied().unwrap_or(0);
        let webs = match self.webs_killed {
            0 => String::new(),
            kills => format!(" and {kills} of web instances"),
        };
        let (lost, missing) = match options.fresh {
            None => (sums.lost, ""),
            Some(_) => (sums.lost, " (ended sessions)"),
        };
        println!(
            "\n{} kills{webs}, {} faults of the network, {} events, {} deliveries, {lost} lost{missing}, \
             {} doubled, {} reordered, {} snapshots ({} more for changed rights), {} rights changes, \
             {} pictures checked, {} IDENTIFY, restart to live {median}/{most} ms",
            options.kills,
            self.network_faults,
            self.sent,
            sums.deliveries,
            sums.doubled,
            sums.reordered,
            count.snapshots,
            count.rights_snapshots,
            self.rights_changes,
            self.pictures.checked,
            self.identifies,
        );
    }
}
