//! `cargo xtask chaos`: real processes are killed in a row under load, and every open stream has
//! to have been told everything, once, in order.
//!
//! Twenty streams on two web instances count the simulator's stamps while the gateway's process is
//! ended by SIGKILL at moments drawn from a seed, some of them while it is still starting. Discord
//! keeps what it sends meanwhile, so as long as its session lives nothing may be missing: not a
//! position, not a picture.

mod browser;
mod rng;
mod checker;
mod discord;
mod house;
mod kills;
mod picture;

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
use rng::Rng;

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
const EVENTS_PER_SECOND: u64 = 500;
const STREAMS: usize = 20;

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
    let mut house = House::start(binary, folder, rate * WINDOW_SECONDS, options.streams)?;
    let checker = Arc::new(Mutex::new(Checker::of(options.streams)));
    let addresses = (0..options.streams).map(|number| house.address(number));
    let browsers = Browsers::open(addresses, &checker)?;
    wait_until_open(&checker)?;
    let load = Load::begin(house.simulator_at, &house.guild_id, rate);

    let mut kills = Kills::new(Rng::from_seed(seed), house.simulator_at)?;
    for number in 1..=options.kills {
        kills.one(number, options, &mut house)?;
    }
    let sent = load.end()?;
    kills.live_again(&mut house)?;
    for web in &mut house.webs {
        web.wait_until_ready()?;
    }
    println!("{sent} events; waiting until it is quiet");
    let wrong_pictures = wait_for_quiet(&house, &checker, sent)?;
    thread::sleep(LISTEN_ON);
    browsers.end()?;

    let state = DiscordState::read(&mut Client::new(house.simulator_at))?;
    let checker = checker.lock();
    Ok(Outcome {
        sent,
        sums: checker.sums(sent),
        count: checker.count,
        faults: checker.faults().to_vec(),
        wrong_pictures,
        identifies: state.identifies(),
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

/// Waits until every stream and every instance shows what Discord knows; how many do not when the
/// time is up.
fn wait_for_quiet(house: &House, checker: &Mutex<Checker>, sent: u64) -> anyhow::Result<u64> {
    let deadline = now() + QUIET_WITHIN;
    loop {
        let streams = checker.lock().streams();
        let caught_up = checker.lock().at(sent) == streams;
        let wrong = wrong_pictures(house, checker)?;
        if (caught_up && wrong == 0) || now() > deadline {
            return Ok(wrong);
        }
        thread::sleep(LOOK_AGAIN);
    }
}

fn wrong_pictures(house: &House, checker: &Mutex<Checker>) -> anyhow::Result<u64> {
    let state = Client::new(house.simulator_at).get("/sim/state", &[])?.body;
    let mut pictures = Vec::new();
    for web in &house.webs {
        pictures.push(house.picture(web)?);
    }
    let mut checker = checker.lock();
    pictures.extend((0..checker.streams()).map(|stream| checker.picture(stream)));
    let mut wrong = 0;
    for picture in pictures {
        let right = match &picture {
            Some(picture) => picture.told_by_discord(&state)? == *picture && picture.has_people(),
            None => false,
        };
        wrong += u64::from(!right);
    }
    Ok(wrong)
}

struct Outcome {
    sent: u64,
    sums: Sums,
    count: Count,
    faults: Vec<String>,
    wrong_pictures: u64,
    identifies: u64,
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
            + self.wrong_pictures;
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
            self.wrong_pictures,
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
            "\n{} kills{webs}, {} events, {} deliveries, {lost} lost{missing}, {} doubled, \
             {} reordered, {} snapshots, {} IDENTIFY, restart to live {median}/{most} ms",
            options.kills,
            self.sent,
            sums.deliveries,
            sums.doubled,
            sums.reordered,
            count.snapshots,
            self.identifies,
        );
    }
}
