//! Mistakes of the operator: exit code 78 or a line of `/readyz`, with one sentence that names
//! the setting.

use std::net::TcpListener;

use crate::house::{Discord, Folder, House, Process, SESSION_SECRET, client, free_port, until};

type Setting<'a> = (&'a str, &'a str);

const LINK: Setting<'_> = ("LINK_TOKEN", "8f1c0b7e29d64a35c1f0e8b7d2964a53");
const TOKEN: Setting<'_> = ("DISCORD_BOT_TOKEN", "MTIz.abc.defghi");
const ANY_PORT: Setting<'_> = ("GATEWAY_WS_PORT", "0");

/// One role alone, with these settings and nothing else.
struct Role {
    process: Process,
    ops: u16,
    _folder: Folder,
}

impl Role {
    fn start(command: &str, settings: &[Setting<'_>]) -> Self {
        let folder = Folder::new();
        let ops = free_port();
        let own = |(name, value): &Setting<'_>| ((*name).to_owned(), (*value).to_owned());
        let settings: Vec<_> = settings.iter().map(own).collect();
        let flags = ["--ops-port", &ops.to_string()];
        Self {
            process: Process::start(command, &flags, &settings, &folder.0),
            ops,
            _folder: folder,
        }
    }

    /// Waits for its end; answers with its exit code and what it said.
    async fn refused(mut self) -> (Option<i32>, String) {
        let status = self.process.ended().await;
        (status.code(), self.process.log())
    }

    /// Waits for a line of `/readyz` that holds all of these texts.
    async fn says(&self, texts: &[&str]) {
        let http = client();
        let url = format!("http://127.0.0.1:{}/readyz", self.ops);
        until(&texts.join(" "), async || {
            let Ok(answer) = http.get(&url).send().await else {
                return false;
            };
            let lines = answer.text().await.unwrap_or_default();
            let all = |line: &str| texts.iter().all(|text| line.contains(text));
            lines.lines().any(all)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_work_end_the_process_with_78() {
    let cases: [(&str, &[Setting<'_>], &str); 6] = [
        ("gateway", &[LINK], "DISCORD_BOT_TOKEN"),
        (
            "gateway",
            &[LINK, ("DISCORD_BOT_TOKEN", "short")],
            "DISCORD_BOT_TOKEN",
        ),
        ("gateway", &[TOKEN, ("LINK_TOKEN", "short")], "LINK_TOKEN"),
        (
            "gateway",
            &[LINK, TOKEN, ("DISCORD_INTENTS", "all")],
            "DISCORD_INTENTS",
        ),
        (
            "gateway",
            &[LINK, TOKEN, ("GATEWAY_WS_PROT", "1")],
            "did you mean GATEWAY_WS_PORT",
        ),
        (
            "web",
            &[LINK, ("BASE_URL", "http://example.com")],
            "BASE_URL",
        ),
    ];
    for (command, settings, names) in cases {
        let (code, said) = Role::start(command, settings).refused().await;
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
    let settings = [LINK, TOKEN, ("GATEWAY_WS_PORT", port.as_str())];
    let (code, said) = Role::start("gateway", &settings).refused().await;
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("GATEWAY_WS_PORT"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_discord_refuses_ends_the_gateway_with_78() {
    let folder = Folder::new();
    let (_simulator, discord) = simulator(&folder).await;
    let wrong = format!("{}x", discord.bot_token);
    let url = ("DISCORD_URL", discord.url.as_str());
    let settings = [LINK, url, ANY_PORT, ("DISCORD_BOT_TOKEN", &wrong)];
    let (code, said) = Role::start("gateway", &settings).refused().await;
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("DISCORD_BOT_TOKEN"), "{said}");
    assert!(!said.contains(&wrong), "the token itself is never said");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_discord_is_a_line_of_readyz() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let settings = [LINK, TOKEN, ANY_PORT, ("DISCORD_URL", &url)];
    let gateway = Role::start("gateway", &settings);
    gateway.says(&["discord: degraded", "DISCORD_URL"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guild_the_bot_is_not_in_is_a_line_of_readyz() {
    let folder = Folder::new();
    let (_simulator, discord) = simulator(&folder).await;
    let guilds = format!("{},424242", discord.guild);
    let settings = [
        LINK,
        ANY_PORT,
        ("DISCORD_URL", &discord.url),
        ("DISCORD_BOT_TOKEN", &discord.bot_token),
        ("DISCORD_GUILD_ID", &guilds),
    ];
    let gateway = Role::start("gateway", &settings);
    gateway.says(&["DISCORD_GUILD_ID", "424242"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_link_token_is_told_by_both_sides() {
    let house = House::start().await;
    let link = format!("ws://127.0.0.1:{}", house.ports.link);
    let port = free_port().to_string();
    let settings = [
        ("LINK_TOKEN", "another-token-than-the-gateways-0123456789"),
        ("SESSION_SECRET", SESSION_SECRET),
        ("GATEWAY_WS_URL", &link),
        ("WEB_PORT", &port),
        ("DISCORD_CLIENT_ID", "1"),
        ("DISCORD_CLIENT_SECRET", "x"),
    ];
    let web = Role::start("web", &settings);
    web.process.until_logged("LINK_TOKEN").await;
    house.gateway.until_logged("wrong LINK_TOKEN").await;
    web.says(&["link", "LINK_TOKEN"]).await;
    web.says(&["world: failing"]).await;
}

async fn simulator(folder: &Folder) -> (Process, Discord) {
    let process = Process::start("simulator", &["--listen", "127.0.0.1:0"], &[], &folder.0);
    let address = process.line_after("Discord side").await;
    let discord = Discord::at(address.trim_end_matches('/')).await;
    (process, discord)
}
