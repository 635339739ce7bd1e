//! Mistakes of the operator: exit code 78 or a line of `/readyz`, with one sentence that names
//! the setting.

use std::net::TcpListener;

use crate::house::{Discord, Folder, House, Process, client, free_port, until};

type Setting<'a> = (&'a str, &'a str);

/// Starts a role with these settings; answers with its exit code and what it said.
async fn refused(command: &str, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = Folder::new();
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut process = Process::start(command, &[], &settings, &folder.0);
    let status = process.ended().await;
    (status.code(), process.log())
}

const LINK: (&str, &str) = ("LINK_TOKEN", "0123456789abcdef0123456789abcdef");

async fn simulator(folder: &Folder) -> (Process, Discord) {
    let process = Process::start("simulator", &["--listen", "127.0.0.1:0"], &[], &folder.0);
    let address = process.line_after("Discord side").await;
    let discord = Discord::at(address.trim_end_matches('/')).await;
    (process, discord)
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_work_end_the_process_with_78() {
    let token = ("DISCORD_BOT_TOKEN", "MTIz.abc.defghi");
    let cases: [(&str, &[Setting], &str); 6] = [
        ("gateway", &[LINK], "DISCORD_BOT_TOKEN"),
        (
            "gateway",
            &[LINK, ("DISCORD_BOT_TOKEN", "short")],
            "DISCORD_BOT_TOKEN",
        ),
        ("gateway", &[token, ("LINK_TOKEN", "short")], "LINK_TOKEN"),
        (
            "gateway",
            &[LINK, token, ("DISCORD_INTENTS", "all")],
            "DISCORD_INTENTS",
        ),
        (
            "gateway",
            &[LINK, token, ("GATEWAY_WS_PROT", "1")],
            "did you mean GATEWAY_WS_PORT",
        ),
        (
            "web",
            &[LINK, ("BASE_URL", "http://example.com")],
            "BASE_URL",
        ),
    ];
    for (command, settings, names) in cases {
        let (code, said) = refused(command, settings).await;
        assert_eq!(code, Some(78), "{settings:?}: {said}");
        assert!(said.contains(names), "{settings:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_told() {
    let occupied = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = occupied
        .local_addr()
        .expect("its address")
        .port()
        .to_string();
    let token = ("DISCORD_BOT_TOKEN", "MTIz.abc.defghi");
    let settings = [LINK, token, ("GATEWAY_WS_PORT", &port), ("OPS_PORT", "0")];
    let (code, said) = refused("gateway", &settings).await;
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("GATEWAY_WS_PORT"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discord_refuses_for_good_ends_the_gateway_with_78() {
    let folder = Folder::new();
    let (_process, discord) = simulator(&folder).await;
    let wrong = format!("{}x", discord.bot_token);
    let url = ("DISCORD_URL", discord.url.as_str());
    let ports = [("GATEWAY_WS_PORT", "0"), ("OPS_PORT", "0")];
    let settings = [LINK, url, ports[0], ports[1], ("DISCORD_BOT_TOKEN", &wrong)];
    let (code, said) = refused("gateway", &settings).await;
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("DISCORD_BOT_TOKEN"), "{said}");
    assert!(!said.contains(&wrong), "the token itself is never said");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_discord_is_a_line_of_readyz() {
    let folder = Folder::new();
    let (ops, nobody) = (free_port(), free_port());
    let url = format!("http://127.0.0.1:{nobody}");
    let settings = [
        LINK,
        ("DISCORD_URL", &url),
        ("DISCORD_BOT_TOKEN", "MTIz.abc.defghi"),
        ("GATEWAY_WS_PORT", "0"),
    ];
    let settings: Vec<_> = settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let _gateway = Process::start(
        "gateway",
        &["--ops-port", &ops.to_string()],
        &settings,
        &folder.0,
    );
    let http = client();
    let url = format!("http://127.0.0.1:{ops}/readyz");
    until("readyz says that Discord can't be reached", async || {
        let Ok(answer) = http.get(&url).send().await else {
            return false;
        };
        let lines = answer.text().await.unwrap_or_default();
        lines
            .lines()
            .any(|line| line.starts_with("discord: degraded") && line.contains("DISCORD_URL"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guild_the_bot_is_not_in_is_a_line_of_readyz() {
    let folder = Folder::new();
    let (_process, discord) = simulator(&folder).await;
    let ops = free_port();
    let guilds = format!("{},424242", discord.guild);
    let settings = [
        LINK,
        ("DISCORD_URL", &discord.url),
        ("DISCORD_BOT_TOKEN", &discord.bot_token),
        ("GATEWAY_WS_PORT", "0"),
        ("DISCORD_GUILD_ID", &guilds),
    ];
    let settings: Vec<_> = settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let _gateway = Process::start(
        "gateway",
        &["--ops-port", &ops.to_string()],
        &settings,
        &folder.0,
    );
    let http = client();
    let url = format!("http://127.0.0.1:{ops}/readyz");
    until(
        "readyz names the unknown guild and its setting",
        async || {
            let Ok(answer) = http.get(&url).send().await else {
                return false;
            };
            let lines = answer.text().await.unwrap_or_default();
            lines
                .lines()
                .any(|line| line.contains("DISCORD_GUILD_ID") && line.contains("424242"))
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_link_token_is_told_by_both_sides() {
    let house = House::start().await;
    let folder = Folder::new();
    let ops = free_port();
    let (link, web) = (
        format!("ws://127.0.0.1:{}", house.ports.link),
        free_port().to_string(),
    );
    let settings = [
        ("LINK_TOKEN", "another-token-than-the-gateways-0123456789"),
        ("SESSION_SECRET", crate::house::SESSION_SECRET),
        ("GATEWAY_WS_URL", &link),
        ("WEB_PORT", &web),
        ("DISCORD_CLIENT_ID", "1"),
        ("DISCORD_CLIENT_SECRET", "x"),
    ];
    let settings: Vec<_> = settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let process = Process::start(
        "web",
        &["--ops-port", &ops.to_string()],
        &settings,
        &folder.0,
    );
    process.until_logged("LINK_TOKEN").await;
    house.gateway.until_logged("wrong LINK_TOKEN").await;
    let readyz = format!("http://127.0.0.1:{ops}/readyz");
    let answer = house.http.get(readyz).send().await.expect("ops answers");
    assert_eq!(answer.status(), 503);
    assert!(
        answer
            .text()
            .await
            .is_ok_and(|lines| lines.contains("LINK_TOKEN"))
    );
}
