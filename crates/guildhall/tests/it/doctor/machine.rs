use tokio::task::JoinSet;

use super::{
    front,
    ward::{healthy, look, look_with, setting},
};
use crate::house::{OPEN_FILES, Process};

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_no_role_could_read_is_told_as_the_role_would() {
    let house = healthy(&[]).await;
    look(&house, &[]).await.assert_healthy();
    let report = look(&house, &[("STREAMS_PER_USER", "many")]).await;
    report.assert_found(&["settings"], "STREAMS_PER_USER");
    report.assert_skipped("base-url", "settings");
    // A gateway does not read it.
    let of_gateway = ["--role", "gateway"];
    let report = look_with(&house, &[("STREAMS_PER_USER", "many")], &of_gateway).await;
    report.assert_healthy();
    report.assert_skipped("base-url", "serves no browsers");
    let of_web = ["--role", "web", "--idle", "1s"];
    let report = look_with(&house, &[("DISCORD_BOT_TOKEN", "")], &of_web).await;
    report.assert_healthy();
    report.assert_skipped("token", "no bot token");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_open_files_are_told_of_the_web_role_that_runs_or_else_of_the_shell() {
    let mut house = healthy(&[]).await;
    house.set(OPEN_FILES, "256");
    house.restart_web().await;
    let report = look(&house, &[]).await;
    report.assert_found(
        &["file-limits"],
        "the web role that runs takes 64 connections",
    );
    // What is printed second needs no root.
    let cure = report.cure("file-limits");
    assert!(cure[1].contains("STREAMS_MAX"), "{cure:?}");
    house.set("STREAMS_MAX", "50");
    house.restart_web().await;
    look(&house, &[]).await.assert_healthy();
    // Without the house it is about the shell.
    let nowhere = ["--idle", "1s", "--ops", "http://127.0.0.1:1"];
    let mut settings = house.settings().to_vec();
    settings.push(("STREAMS_MAX".to_owned(), "500".to_owned()));
    settings.retain(|(name, value)| name != "STREAMS_MAX" || value == "500");
    let flags = [&nowhere[..], &["-o", "short"]].concat();
    let mut process = Process::start("doctor", &flags, &settings, house.folder());
    assert_eq!(process.ended().await.code(), Some(0));
    let printed = process.printed();
    let line = "‼ file-limits: a process of this shell may have 256 open files";
    assert!(printed.starts_with(line), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_no_start_would_take_is_told() {
    let mut house = healthy(&[]).await;
    look(&house, &[]).await.assert_healthy();
    // Beside the house, whose own is in use.
    let folder = house.folder().join("other");
    let path = folder.display().to_string();
    std::fs::write(&folder, "no folder").expect("a file");
    let report = look(&house, &[("DATA_DIR", &path)]).await;
    report.assert_found(&["journal"], "is no folder");
    assert!(report.cure("journal")[0].contains("DATA_DIR"));
    std::fs::remove_file(&folder).expect("it is there");
    std::fs::create_dir(&folder).expect("a folder");
    look(&house, &[("DATA_DIR", &path)]).await.assert_healthy();
    let file = folder.join("gateway.sqlite3");
    std::fs::write(&file, [b'x'; 8192]).expect("a file");
    let report = look(&house, &[("DATA_DIR", &path)]).await;
    report.assert_found(&["journal"], &file.display().to_string());
    std::fs::remove_file(&file).expect("it is there");

    // What the house's gateway leaves, killed, is whole and its bot's.
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    let left = house.folder().join("data/gateway.sqlite3");
    let before = std::fs::read(&left).expect("its file");
    let report = look(&house, &[]).await;
    report.assert_healthy();
    report.assert_passed("journal");
    assert!(
        std::fs::read(&left).expect("its file") == before,
        "it only looks"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_another_bot_is_told() {
    let mut house = healthy(&[]).await;
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    let folder = house.folder().to_owned();
    let flags = ["--listen", "127.0.0.1:0", "--seed", "2"];
    let simulator = Process::start("simulator", &flags, &[], &folder);
    let address = simulator.line_after("Discord side").await;
    let other = crate::house::Discord::at(address.trim_end_matches('/')).await;
    let base = setting(&house, "BASE_URL");
    let callback = serde_json::json!({"redirectUris": [format!("{base}/auth/callback")]});
    other.patch("/sim/application", &callback).await;
    let mut running = JoinSet::new();
    let url = front::listen(&other.url, front::Changes::default(), &mut running).await;
    let of_other = [
        ("DISCORD_URL", url.as_str()),
        ("DISCORD_BOT_TOKEN", &other.bot_token),
        ("DISCORD_CLIENT_ID", &other.application_id),
        ("DISCORD_CLIENT_SECRET", &other.client_secret),
    ];
    let report = look(&house, &of_other).await;
    report.assert_found(&["journal"], &house.discord.application_id);
    assert!(report.cure("journal")[0].contains("DATA_DIR"));
    let cured = [&of_other[..], &[("DATA_DIR", "another")]].concat();
    look(&house, &cured).await.assert_healthy();
}
