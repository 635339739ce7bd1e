//! When a process ends: drawn, and never twice alike.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use super::ChaosOptions;
use super::discord::{DiscordState, People};
use super::house::House;
use super::rng::Rng;
use super::viewers::RightsChanges;
use crate::bench::clock::now;
use crate::bench::http::Client;

/// One in so many kills does not wait until the gateway is live.
const EARLY: u64 = 4;
/// When an early one comes: about as long as a start takes.
const EARLY_MS: u64 = 100;
/// One in so many takes a web instance with it.
const WITH_WEB: u64 = 3;
/// Before one in so many kills something goes wrong on the network.
const WITH_FAULT: u64 = 2;
/// Moves while the gateway is away.
const MOVES_AT_MOST: u64 = 3;
/// Changes of somebody's rights while it is live.
const CHANGES_AT_MOST: u64 = 3;

pub(super) struct Kills {
    rng: Rng,
    simulator: Client,
    people: People,
    changes: RightsChanges,
    /// When the gateway was started, if it was not seen live since.
    starting: Option<Instant>,
    starts: u64,
    /// What DISCORD_INTENTS is asked for.
    with_members: bool,
    pub(super) webs_killed: u64,
    pub(super) live_ms: Vec<u64>,
}

impl Kills {
    /// Of a gateway that is live.
    pub(super) fn new(rng: Rng, house: &House, changes: RightsChanges) -> anyhow::Result<Self> {
        let mut simulator = Client::new(house.simulator_at);
        let people = DiscordState::read(&mut simulator)?.people(&house.viewers)?;
        Ok(Self {
            rng,
            simulator,
            people,
            changes,
            starting: None,
            starts: 0,
            with_members: true,
            webs_killed: 0,
            live_ms: Vec::new(),
        })
    }

    /// One kill and the start after it.
    pub(super) fn one(
        &mut self,
        number: u64,
        options: &ChaosOptions,
        house: &mut House,
    ) -> anyhow::Result<()> {
        let mut said = self.until_its_time(house)?;
        house.gateway.end()?;
        if options.web && self.rng.one_in(WITH_WEB) {
            let instance = usize::try_from(self.rng.within(0..=1))?;
            if let Some(web) = house.webs.get_mut(instance) {
                web.kill_and_start()?;
                self.webs_killed += 1;
                write!(said, ", and {}", web.name)?;
            }
        }
        for _ in 0..self.rng.within(0..=MOVES_AT_MOST) {
            self.people.move_one(&mut self.simulator, &mut self.rng)?;
        }
        if self.rng.one_in(2) {
            self.changes.one(&mut self.rng)?;
        }
        let away = Duration::from_millis(self.rng.within(0..=300));
        thread::sleep(away);
        self.starts += 1;
        if options
            .fresh
            .is_some_and(|each| self.starts.is_multiple_of(each))
        {
            self.with_members = !self.with_members;
            let intents = if self.with_members {
                "members"
            } else {
                "guilds"
            };
            house.gateway.set("DISCORD_INTENTS", intents);
            write!(said, "; then with the intents {intents}")?;
        }
        println!("kill {number:>3} of {}: {said}", options.kills);
        self.starting = Some(now());
        house.gateway.start()
    }

    /// How often somebody's rights were changed.
    pub(super) fn rights_changes(&self) -> u64 {
        self.changes.made
    }

    /// Waits until the gateway is live, and remembers how long that took.
    pub(super) fn live_again(&mut self, house: &mut House) -> anyhow::Result<Option<u64>> {
        let Some(began) = self.starting.take() else {
            return Ok(None);
        };
        house.gateway.wait_until_live()?;
        let took = u64::try_from(began.elapsed().as_millis())?;
        self.live_ms.push(took);
        Ok(Some(took))
    }

    /// Says what the gateway did until now.
    fn until_its_time(&mut self, house: &mut House) -> anyhow::Result<String> {
        if let Some(began) = self.starting
            && self.rng.one_in(EARLY)
        {
            let due = Duration::from_millis(self.rng.within(0..=EARLY_MS));
            thread::sleep(due.saturating_sub(began.elapsed()));
            let age = began.elapsed().as_millis();
            return Ok(format!("{age} ms after its start, live or not"));
        }
        let took = self.live_again(house)?;
        if self.rng.one_in(2) {
            self.people.move_one(&mut self.simulator, &mut self.rng)?;
        }
        for _ in 0..self.rng.within(0..=CHANGES_AT_MOST) {
            self.changes.one(&mut self.rng)?;
        }
        house.faults.mend();
        if self.rng.one_in(WITH_FAULT) {
            println!("{}", house.faults.one(&mut self.rng)?);
        }
        let gap = self.rng.within(50..=1_500);
        thread::sleep(Duration::from_millis(gap));
        let live = took.map_or(String::new(), |took| format!("live after {took} ms, "));
        Ok(format!("{live}{gap} ms later"))
    }
}
