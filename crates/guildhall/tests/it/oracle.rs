//! The oracle: what the house shows is judged by discord.py's own `permissions_for`. Six people look at
//! random guilds in which everything changes that decides who may see what; a second session of the
//! bot records what Discord tells; and when all is over each frame of each stream, each picture and
//! each answer must follow from it: nothing shown that may not be seen, nothing left out, nothing twice,
//! and in time.
//!
//! `ORACLE_SEED=7 cargo test -p guildhall --test it oracle:: -- --nocapture` repeats a seed; `ORACLE_RUNS`
//! says how many runs there are with GUILD_MEMBERS, and for how many times as long without.

/// What happens in Discord.
mod acts;
/// Who asks the house.
mod asker;
/// What there is in Discord.
mod discord_state;
/// What was shown is judged.
mod judge;
/// What a run with leaks leaves behind.
mod kept;
/// Who looks.
mod observer;
/// Pictures, frame by frame.
mod picture;
/// What a run is like.
mod plan;
/// By when, and what excuses a delay.
mod promise;
/// What Discord tells.
mod recorder;
/// The house.
mod rig;
/// One run.
mod run;
/// Random numbers from a seed.
pub(crate) mod rng;
/// The guilds.
mod scene;
/// What it came to.
mod tally;
/// What was so when, by discord.py.
mod timeline;
/// What goes wrong on the road.
mod troubles;
/// A picture in a guild's time.
mod walk;

use std::time::Duration;

use plan::Plan;
use rig::Told;
use run::run;
use tally::Tally;

/// How much happens in one run, and for how long at most.
const ACTS: usize = 120;
const ACTING: Duration = Duration::from_secs(18);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_guild_members_every_frame_and_answer_is_what_the_oracle_says() {
    let runs = number("ORACLE_RUNS").unwrap_or(1);
    let first = number("ORACLE_SEED").unwrap_or(1);
    let mut all = Tally::default();
    for seed in first..first + runs {
        all += both(seed, Told::Members, 1).await;
    }
    println!("with GUILD_MEMBERS: {all}");
    conclude(first, &all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_them_it_is_so_within_a_minute() {
    let first = number("ORACLE_SEED").unwrap_or(1);
    let runs = number("ORACLE_RUNS").unwrap_or(1);
    let all = both(first, Told::Nothing, u32::try_from(runs).expect("a few")).await;
    println!("without: {all}");
    conclude(first, &all);
}

/// A house with one log and one with three, side by side.
async fn both(seed: u64, told: Told, times: u32) -> Tally {
    let plan = |logs, told| Plan {
        seed,
        logs,
        told,
        acts: ACTS * usize::try_from(times).expect("a few"),
        acting: ACTING * times,
    };
    // Who is not told of members may be told of what moderators do.
    let other = match told {
        Told::Nothing => Told::Moderation,
        told => told,
    };
    let (mut one, three) = tokio::join!(run(plan(1, other)), run(plan(3, told)));
    one += three;
    one
}

fn conclude(seed: u64, all: &Tally) {
    let Some(first) = all.leaks.first() else {
        return;
    };
    let more: Vec<&str> = all
        .leaks
        .iter()
        .skip(1)
        .take(4)
        .map(String::as_str)
        .collect();
    let (count, more) = (all.leaks.len(), more.join("\n\n"));
    let kept = &all.kept;
    panic!("{count} leaks from seed {seed}: {first}\n\n{more}\n\nall of it is in {kept:?}");
}

/// A number that whoever runs this gave.
pub(crate) fn number(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own argument, which cargo has no other way to hand over"
    )]
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}
