//! People who move by themselves, and days on which Discord does badly.
//!
//! A scenario is a run of turns drawn from the seed: the same turns in the same
//! order for the same seed, as long as nobody else acts.

/// A lively evening.
mod evening;
/// Guilds out of service, torn connections.
mod outage;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::{select, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{clock, config::Scenario, discord::Discord, snowflake::Chance};

/// The scenario under way.
#[derive(Debug, Default)]
pub(crate) struct Running {
    pub(crate) scenario: Scenario,
    /// How many turns it has taken.
    pub(crate) turns: u64,
    stop: Option<CancellationToken>,
}

/// Ends the present scenario and begins another.
pub(crate) fn start(discord: &Arc<Discord>, scenario: Scenario) {
    let stop = discord.stop.child_token();
    discord.with_scenario(|running| {
        if let Some(before) = running.stop.take() {
            before.cancel();
        }
        *running = Running {
            scenario,
            turns: 0,
            stop: Some(stop.clone()),
        };
    });
    if matches!(scenario, Scenario::Evening | Scenario::Outage) {
        discord.tracker.spawn(run(discord.clone(), scenario, stop));
    }
}

async fn run(discord: Arc<Discord>, scenario: Scenario, stop: CancellationToken) {
    // Apart from the world's draws, so that ids stay what they are.
    let mut chance = Chance::from_seed(discord.config.seed ^ 0x0073_6365_6e65);
    let mut turn: u64 = 0;
    loop {
        let pause = pause(&mut chance, discord.config.scenario_pace);
        select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => break,
        }
        match scenario {
            Scenario::Evening => {
                // A turn may meet a world that somebody else changed; then it passes.
                let _ = discord.change(clock::now(), |world| {
                    evening::turn(world, &mut chance, clock::unix_micros() / 1_000_000)
                });
            }
            Scenario::Outage => outage::turn(&discord, turn),
            Scenario::Standing | Scenario::Big => break,
        }
        turn += 1;
        discord.with_scenario(|running| {
            if !stop.is_cancelled() {
                running.turns = turn;
            }
        });
    }
    if scenario == Scenario::Outage {
        outage::end(&discord);
    }
}

/// Between half and one and a half of the pace.
fn pause(chance: &mut Chance, pace: Duration) -> Duration {
    let share = u32::try_from(chance.draw() % 1000).unwrap_or(0);
    pace / 2 + pace * share / 1000
}
