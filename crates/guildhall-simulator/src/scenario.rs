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

use axum::extract::FromRef;
use tokio::{select, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    config::{Config, Scenario},
    snowflake::SeededRng,
    state::{AppState, Discord, RunningScenario, Shared, Tasks},
};

/// Plays one scenario at a time.
#[derive(Clone)]
pub(crate) struct Player {
    config: Arc<Config>,
    discord: Arc<Discord>,
    running: Shared<RunningScenario>,
    tasks: Arc<Tasks>,
}

impl FromRef<AppState> for Player {
    fn from_ref(state: &AppState) -> Self {
        Self {
            config: state.config.clone(),
            discord: state.discord.clone(),
            running: state.scenario.clone(),
            tasks: state.tasks.clone(),
        }
    }
}

impl Player {
    /// Ends the present scenario and begins another.
    pub(crate) fn start(&self, scenario: Scenario) {
        let stop = self.tasks.stop.child_token();
        let mut running = self.running.lock();
        if let Some(before) = running.stop.take() {
            before.cancel();
        }
        *running = RunningScenario {
            scenario,
            turns: 0,
            stop: Some(stop.clone()),
        };
        drop(running);
        if matches!(scenario, Scenario::Evening | Scenario::Outage) {
            self.tasks.tracker.spawn(self.clone().play(scenario, stop));
        }
    }

    async fn play(self, scenario: Scenario, stop: CancellationToken) {
        // Apart from the world's draws, so that ids stay what they are.
        let mut rng = SeededRng::from_seed(self.config.seed ^ 0x0073_6365_6e65);
        let mut turn: u64 = 0;
        loop {
            let pause = pause(&mut rng, self.config.scenario_pace);
            select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => break,
            }
            match scenario {
                Scenario::Evening => {
                    // A turn may meet a world that somebody else changed; then it passes.
                    let _ = self.discord.change(clock::now(), |world| {
                        evening::turn(world, &mut rng, clock::unix_micros() / 1_000_000)
                    });
                }
                Scenario::Outage => outage::turn(&self.discord, turn),
                Scenario::Static | Scenario::Big => break,
            }
            turn += 1;
            let mut running = self.running.lock();
            if !stop.is_cancelled() {
                running.turns = turn;
            }
        }
        if scenario == Scenario::Outage {
            outage::end(&self.discord);
        }
    }
}

/// Between half and one and a half of the pace.
fn pause(rng: &mut SeededRng, pace: Duration) -> Duration {
    let share = u32::try_from(rng.next_u64() % 1000).unwrap_or(0);
    pace / 2 + pace * share / 1000
}
