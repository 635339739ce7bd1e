//! Scripts that are given the address of a simulator and end with 0 or say why not.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use guildhall_simulator::{Config, PrivilegedIntents};
use tokio::{process::Command, time::timeout};

use crate::{
    capabilities::Column,
    house::{Failure, House, Outcome, repository},
};

/// A whole script; each of its waits has a limit of its own.
const LONGEST: Duration = Duration::from_mins(5);

/// The repository's `tests/libraries`.
fn scripts() -> PathBuf {
    repository().join("tests/libraries")
}

/// Runs to the end; what it printed. That is shown in one piece, so that scripts side
/// by side stay readable.
#[expect(
    clippy::print_stdout,
    reason = "what a library saw is what whoever runs this wants to read"
)]
async fn run(program: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let running = Command::new(program)
        .args(arguments)
        .current_dir(scripts())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = timeout(LONGEST, running).await;
    let line = format!("{} {}", program.display(), arguments.join(" "));
    let output = ended
        .map_err(|_| format!("`{line}` did not end within {} s", LONGEST.as_secs()))?
        .map_err(|error| {
            format!("`{line}` cannot be started ({error}): `cargo xtask test integration` installs what it needs")
        })?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    println!("{said}{complained}");
    if output.status.success() {
        Ok(said.into_owned())
    } else {
        Err(format!("`{line}` failed ({}): {complained}", output.status).into())
    }
}

/// Two sessions within half a minute ask for the same lists of members.
pub(crate) fn lists_may_be_asked_for_again(config: &mut Config) {
    config.member_list_interval = Duration::from_secs(1);
}

#[tokio::test]
async fn discord_js_is_told_everything_once_and_in_order() -> Outcome {
    let house = House::open(lists_may_be_asked_for_again).await?;
    let said = run(Path::new("node"), &["discordjs/proof.mjs", &house.origin]).await?;
    Column::of_output(&said).must_stand_under("discord.js")
}

#[tokio::test]
async fn discord_py_is_told_everything_once_and_in_order() -> Outcome {
    let house = House::open(lists_may_be_asked_for_again).await?;
    let python = repository().join("target/python/bin/python");
    let said = run(&python, &["discordpy/proof.py", &house.origin]).await?;
    Column::of_output(&said).must_stand_under("discord.py")
}

#[tokio::test]
async fn hikari_is_told_everything_once_and_in_order() -> Outcome {
    let house = House::open(lists_may_be_asked_for_again).await?;
    let python = repository().join("target/python/bin/python");
    let said = run(&python, &["hikari/proof.py", &house.origin]).await?;
    Column::of_output(&said).must_stand_under("hikari")
}

#[tokio::test]
async fn eris_is_told_everything_once_and_in_order() -> Outcome {
    // It identifies again at once, and again each time it is told that this is too soon.
    let house = House::open(|config| {
        lists_may_be_asked_for_again(config);
        config.identify_interval = Duration::ZERO;
    })
    .await?;
    let said = run(Path::new("node"), &["eris/proof.mjs", &house.origin]).await?;
    Column::of_output(&said).must_stand_under("eris")
}

#[tokio::test]
async fn the_bot_of_the_manual_passes_its_test() -> Outcome {
    let house = House::open(|config| config.identify_interval = Duration::ZERO).await?;
    run(Path::new("node"), &["discordjs/manual.mjs", &house.origin]).await?;
    Ok(())
}

/// The simulator's page in Chromium.
const PAGE: &str = "../browser/simulator.mjs";

#[tokio::test]
async fn the_page_does_in_chromium_what_is_pressed() -> Outcome {
    let house = House::open(|config| config.identify_interval = Duration::ZERO).await?;
    run(Path::new("node"), &[PAGE, &house.origin, "acts"]).await?;
    Ok(())
}

#[tokio::test]
async fn the_page_shuts_nobody_out_with_anybody_on_it() -> Outcome {
    let house = House::open(|_| {}).await?;
    run(Path::new("node"), &[PAGE, &house.origin, "looks"]).await?;
    Ok(())
}

#[tokio::test]
async fn each_refusal_is_the_documented_one() -> Outcome {
    let roomy = House::open(|config| {
        config.identify_interval = Duration::ZERO;
        config.rate_limits.bucket_requests = 1000;
        config.rate_limits.global_requests = 1000;
    })
    .await?;
    let strict = House::open(|config| {
        config.guilds_per_shard = 2;
        config.heartbeat_interval = Duration::from_millis(500);
        config.heartbeat_grace = Duration::from_millis(500);
        config.privileged_intents = PrivilegedIntents::NONE;
        config.rate_limits.bucket_window = Duration::from_secs(20);
    })
    .await?;
    let spent = House::open(|config| {
        config.identify_interval = Duration::ZERO;
        config.session_starts = 1;
    })
    .await?;
    let mute = House::open(|config| {
        config.heartbeat_interval = Duration::from_millis(500);
        config.heartbeat_grace = Duration::from_millis(500);
    })
    .await?;
    let houses = [
        ("roomy", &roomy),
        ("strict", &strict),
        ("spent", &spent),
        ("mute", &mute),
    ];
    let arguments: Vec<_> = houses
        .iter()
        .map(|(name, house)| format!("{name}={}", house.origin))
        .collect();
    let mut line = vec!["refusals.py"];
    line.extend(arguments.iter().map(String::as_str));
    run(Path::new("python3"), &line).await?;
    Ok(())
}

#[tokio::test]
async fn a_script_that_fails_fails_the_test() -> Result<(), Failure> {
    let nobody = "roomy=http://127.0.0.1:1";
    let outcome = run(Path::new("python3"), &["refusals.py", nobody]).await;
    assert!(outcome.is_err_and(|error| error.to_string().contains("failed")));
    Ok(())
}
