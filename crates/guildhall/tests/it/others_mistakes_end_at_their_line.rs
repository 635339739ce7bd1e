//! Settings stand beside those of other programs, in one `.env` and one environment: what is wrong
//! there is told, and only what is ours ends the process.

use std::fs;

use crate::house::{Folder, Process, free_port, until};

type Setting<'a> = (&'a str, &'a str);

const GATEWAY: [Setting<'_>; 3] = [
    ("LINK_TOKEN", "8f1c0b7e29d64a35c1f0e8b7d2964a53"),
    ("DISCORD_BOT_TOKEN", "MTIz.abc.defghi"),
    ("GATEWAY_WS_PORT", "0"),
];

fn start(command: &str, flags: &[&str], settings: &[Setting<'_>], folder: &Folder) -> Process {
    let own = |(name, value): &Setting<'_>| ((*name).to_owned(), (*value).to_owned());
    let settings: Vec<_> = settings.iter().map(own).collect();
    Process::start(command, flags, &settings, &folder.0)
}

/// A gateway that talks to nobody, in this folder.
fn gateway(settings: &[Setting<'_>], folder: &Folder) -> Process {
    let discord = format!("http://127.0.0.1:{}", free_port());
    let ops = free_port().to_string();
    let mut all = settings.to_vec();
    all.extend([("DISCORD_URL", discord.as_str()), ("OPS_PORT", &ops)]);
    start("gateway", &[], &all, folder)
}

const STARTED: &str = "[Gateway WS] Server listening on port";

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_another_program_is_a_warning_that_names_it() {
    let folder = Folder::new();
    let ours = GATEWAY.map(|(name, value)| format!("{name}={value}\r\n"));
    let ours = ours.concat();
    let others = "VITE_APP_TITLE=My Cool App\r\nDATABASE_URL=postgres://db\r\nDB_PORT=5432\r\n";
    let text = format!("\u{feff}# shared\r\n{others}{ours}A='open\r\n");
    fs::write(folder.0.join(".env"), text).expect("a file");
    let gateway = gateway(&[], &folder);
    gateway.until_logged(STARTED).await;
    let log = gateway.log();
    for told in ["Line 2 of .env", "Line 8 of .env", "DATABASE_URL in .env"] {
        assert!(log.contains(told), "{told} in {log}");
    }
    assert!(!log.contains("Cool") && !log.contains("DB_PORT"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dotenv_that_is_a_folder_is_a_warning() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join(".env")).expect("a folder");
    let gateway = gateway(&GATEWAY, &folder);
    gateway.until_logged(STARTED).await;
    assert!(
        gateway.log().contains(".env is passed over"),
        "{}",
        gateway.log()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_starts_beside_a_house_whose_settings_are_all_wrong() {
    let folder = Folder::new();
    let text = "VITE_APP_TITLE=My Cool App\nDISCORD_BOT_TOKEN='open\nDISCORD_CLIENT_ID=your-application-id\n\
                LINK_TOKEN=a b\nSESION_SECRET=x\nBASE_URL=\"nowhere\"\nDATABASE_URL=x\nTOKEN=x\n";
    fs::write(folder.0.join(".env"), text).expect("a file");
    let ports: Vec<String> = (0..4).map(|_| free_port().to_string()).collect();
    let listen = format!("127.0.0.1:{}", ports[1]);
    let flags = [
        "--web-port",
        &ports[0],
        "--simulator-listen",
        &listen,
        "--gateway-ws-port",
        &ports[2],
        "--ops-port",
        &ports[3],
    ];
    let demo = start("demo", &flags, &[("DISCORD_TOKEN", "x")], &folder);
    demo.line_after("stream").await;
    assert!(demo.log().contains("Line 1 of .env"), "{}", demo.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_mistakes_are_told_in_one_go_before_anything_is_written() {
    let folder = Folder::new();
    let text =
        "VITE_APP_TITLE=My Cool App\nLOG_WINDOW: 5\nDISCORD_CLIENT_SECRET=your-client-secret\n";
    fs::write(folder.0.join(".env"), text).expect("a file");
    let settings = [
        ("DISCORD_BOT_TOKEN", "'MTIz.abc.defghi'"),
        ("DISCORD_APPLICATION_ID", "1"),
        ("WEB_HOST", "example.com"),
        ("OPS_PORT", "70000"),
        ("RUST_LOG", "inof"),
        ("STREAMS_MAX", "0"),
        ("REDIS_URL", "redis://127.0.0.1"),
    ];
    for flags in [&[][..], &["--check"]] {
        let mut all = start("all", flags, &settings, &folder);
        assert_eq!(all.ended().await.code(), Some(78), "{}", all.log());
        let log = all.log();
        for begin in [
            "warning: Line 1 of .env",
            "Line 2 of .env, LOG_WINDOW",
            "DISCORD_CLIENT_SECRET is a placeholder",
            "DISCORD_BOT_TOKEN is in quotation marks",
            "DISCORD_CLIENT_ID is not set",
            "WEB_HOST is",
            "OPS_PORT is",
            "RUST_LOG has",
            "STREAMS_MAX is",
            "REDIS_URL is set",
        ] {
            let line = format!("guildhall: {begin}");
            let lines = log.lines().filter(|said| said.starts_with(&line));
            assert_eq!(lines.count(), 1, "{line} in:\n{log}");
        }
        // And one for the name that is not ours.
        assert_eq!(log.lines().count(), 11, "{log}");
        assert!(log.contains("did you mean DISCORD_CLIENT_ID?"), "{log}");
    }
    assert!(!folder.0.join("data").exists(), "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_good_settings_says_nothing_and_leaves() {
    let folder = Folder::new();
    let mut gateway = start("gateway", &["--check"], &GATEWAY, &folder);
    assert_eq!(gateway.ended().await.code(), Some(0));
    assert_eq!(gateway.log(), "");
    assert!(!folder.0.join("data").exists(), "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_none_of_this_machine_is_named() {
    let folder = Folder::new();
    // An address for documentation: nobody has it.
    let nobodys = "203.0.113.7";
    let web = [
        GATEWAY[0],
        ("SESSION_SECRET", "c4d91e07a8b35f62901d7ce4ba86f35e"),
        ("DISCORD_CLIENT_ID", "1"),
        ("DISCORD_CLIENT_SECRET", "x"),
        ("WEB_PORT", "0"),
        ("BASE_URL", "http://localhost:3000"),
        ("OPS_PORT", "0"),
    ];
    let gateway = [GATEWAY.as_slice(), &[("OPS_PORT", "0")]].concat();
    for (role, settings, host) in [
        ("web", web.as_slice(), "WEB_HOST"),
        ("web", &web, "OPS_HOST"),
        ("gateway", &gateway, "GATEWAY_WS_HOST"),
        ("gateway", &gateway, "OPS_HOST"),
    ] {
        let settings = [settings, &[(host, nobodys)]].concat();
        let mut process = start(role, &[], &settings, &folder);
        assert_eq!(process.ended().await.code(), Some(78), "{}", process.log());
        until(host, async || {
            process.log().contains(&format!("guildhall: {host}:"))
        })
        .await;
        assert!(!process.log().contains("_PORT"), "{}", process.log());
    }
}
