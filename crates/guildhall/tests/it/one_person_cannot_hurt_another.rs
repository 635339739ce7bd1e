//! Whatever one person, or one machine, opens and keeps: the others are served, and as fast.

/// What floods are made of, and what a bystander feels of them.
mod flood;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest},
};

use crate::house::{House, OPEN_FILES, SOON, Stream, client_at, raw, until};
use flood::{Bystander, Held, again, raise_open_files};

const HEALTH: &str = "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
const LINK_HEALTH: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
const HALF: &str = "GET /link HTTP/1.1\r\nHost: localho";

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_beyond_the_open_files_keep_nobody_out() {
    raise_open_files();
    let mut house = House::with(&[(OPEN_FILES, "1024")]).await;
    let (cookie, mut stream) = house.visit().await;
    let bystander = Bystander::new(&house, &cookie);
    let quiet = bystander.feels(60).await;

    let ports = &house.ports;
    let mut held = Held::default();
    held.open(ports.web, HEALTH, 1_200).await;
    held.open(ports.web, HALF, 300).await;
    held.open(ports.web, "", 300).await;
    for ops in [ports.web_ops, ports.gateway_ops] {
        held.open(ops, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 100)
            .await;
        held.open(ops, HALF, 50).await;
    }
    held.open(ports.link, LINK_HEALTH, 300).await;
    held.open(ports.link, HALF, 300).await;
    held.open(ports.link, "", 300).await;
    let flood = bystander.feels(60).await;
    println!(
        "idle connections: {} kept; quiet {quiet}, flood {flood}",
        held.count()
    );
    flood.is_like(&quiet);

    // Beside the bound, 32 may be on their way out.
    let web = house.metrics(house.ports.web_ops).await;
    assert!(metric(&web, "guildhall_connections{listener=\"web\"}") <= 704 + 32);
    assert!(metric(&web, "guildhall_connections{listener=\"ops\"}") <= 32 + 32);
    assert!(metric(&web, "guildhall_connections_closed_total{listener=\"web\"}") >= 1_000);
    assert_eq!(
        metric(&web, "guildhall_accept_failures_total{listener=\"web\"}"),
        0
    );

    // The link is dialled again, and its listener takes it, with all of that still there.
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    house.restart_gateway();
    house
        .gateway
        .until_logged("[Gateway WS] Client connected")
        .await;
    house.until_ready(house.ports.web_ops).await;
    house.discord.stamp("unharmed").await;
    assert_eq!(
        stream.until("voice.updated").await.data["username"],
        "unharmed"
    );
    let second = house.stream(&cookie, "", None).await;
    drop((second, held));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_link_token_keeps_no_web_role_out() {
    let mut house = House::start().await;
    let (cookie, mut stream) = house.visit().await;
    let bystander = Bystander::new(&house, &cookie);
    let quiet = bystander.feels(60).await;
    let wrong = "GET /link HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\r\n";
    let (mut held, port) = (Held::default(), house.ports.link);
    held.open(port, LINK_HEALTH, 300).await;
    held.open(port, "", 100).await;
    let looping = again(port, &[LINK_HEALTH, wrong, HALF, ""], 300);
    let flood = bystander.feels(60).await;

    house.web.signal("KILL");
    house.web.ended().await;
    house.restart_web().await;
    let served = house.stream(&cookie, "", stream.cursor.as_deref()).await;
    let opened = looping.stop().await;
    println!("link without a token: {opened} connections; quiet {quiet}, flood {flood}");
    flood.is_like(&quiet);
    let lines = house.gateway.log().matches("wrong LINK_TOKEN").count();
    assert!((1..=3).contains(&lines), "{lines} lines");
    let gateway = house.metrics(house.ports.gateway_ops).await;
    let refusals = metric(&gateway, "guildhall_link_refusals_total");
    assert!(refusals > 10, "{refusals} were refused");
    assert!(metric(&gateway, "guildhall_connections{listener=\"link\"}") <= 64 + 32);
    drop((served, stream.next().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_who_opens_streams_in_a_loop_and_one_who_opens_connections_are_alone_with_it() {
    let house = House::with(&[("STREAMS_PER_USER", "40")]).await;
    let (cookie, mut stream) = house.visit().await;
    let greedy = house.sign_in(&house.discord.people[0]).await;
    let bystander = Bystander::new(&house, &cookie);
    let quiet = bystander.feels(60).await;

    let mut open = Vec::new();
    for _ in 0..40 {
        let mut one = house.stream(&greedy, "", None).await;
        one.until("snapshot").await;
        open.push(one);
    }
    let more = async {
        let mut refused = 0;
        for _ in 0..400 {
            let mut one = house.stream(&greedy, "", None).await;
            let bye = one.until("bye").await;
            assert_eq!(bye.data["reason"], "too_many_streams");
            refused += 1;
        }
        refused
    };
    let (refused, flood) = tokio::join!(more, bystander.feels(60));
    println!("streams: {refused} refused; quiet {quiet}, flood {flood}");
    flood.is_like(&quiet);
    let web = house.metrics(house.ports.web_ops).await;
    assert_eq!(
        metric(&web, "guildhall_streams_refused_total{bound=\"user\"}"),
        400
    );
    let lines = house.web.log().matches("refused: there may be").count();
    assert!((1..=3).contains(&lines), "{lines} lines");

    let looping = again(house.ports.web, &["", HALF, HEALTH], 200);
    let flood = bystander.feels(60).await;
    let opened = looping.stop().await;
    println!("connections: {opened} opened; quiet {quiet}, flood {flood}");
    flood.is_like(&quiet);
    house.discord.stamp("unharmed").await;
    stream.until("voice.updated").await;
    drop(open);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_people_behind_one_address_sign_in_and_stream() {
    const PEOPLE: usize = 200;
    raise_open_files();
    let settings = [
        ("TRUSTED_PROXIES", "loopback"),
        ("STREAMS_PER_ADDRESS", "200"),
    ];
    let mut house = House::of("big", &settings).await;
    house.http = client_at("203.0.113.7");
    let state = house.discord.state().await;
    let guilds = state["guilds"].as_array().expect("guilds");
    let people = |guild: &Value| guild["members"].as_array().map_or(0, Vec::len);
    let big = guilds
        .iter()
        .max_by_key(|guild| people(guild))
        .expect("guilds");
    let bots = state["users"].as_array().into_iter().flatten();
    let bots: Vec<&Value> = bots
        .filter(|user| user["bot"] == true)
        .map(|user| &user["id"])
        .collect();
    let members = big["members"].as_array().into_iter().flatten();
    let people = members.filter(|member| {
        !bots.contains(&&member["userId"]) && member["userId"] != big["loadUserId"]
    });
    let users = people.filter_map(|member| member["userId"].as_str());
    let users: Vec<&str> = users.take(PEOPLE + 1).collect();

    let house = &house;
    let come = |user| async move {
        let cookie = house.sign_in(user).await;
        let mut stream = house.stream(&cookie, "", None).await;
        stream.until("snapshot").await;
        (cookie, stream)
    };
    let here: Vec<(String, Stream)> = stream::iter(&users[..PEOPLE])
        .map(|user| come(user))
        .buffer_unordered(20)
        .collect()
        .await;
    assert_eq!(here.len(), PEOPLE);

    // The bound is really counted: one more is one too many, but not from elsewhere.
    let cookie = house.sign_in(users[PEOPLE]).await;
    let mut one_more = house.stream(&cookie, "", None).await;
    assert_eq!(
        one_more.until("bye").await.data["reason"],
        "too_many_streams"
    );
    let elsewhere = client_at("198.51.100.9, 203.0.113.8");
    let mut there = Stream::open(&elsewhere, &house.url("/api/stream"), &cookie, None).await;
    there.until("snapshot").await;
    let web = house.metrics(house.ports.web_ops).await;
    assert_eq!(metric(&web, "guildhall_streams"), 201);
    assert_eq!(
        metric(&web, "guildhall_streams_refused_total{bound=\"address\"}"),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_listed_is_told_of_once() {
    let mut house = House::start().await;
    house.http = client_at("203.0.113.7");
    let cookie = house.sign_in(&house.discord.visitor).await;
    house.state(&cookie).await;
    let said = || house.web.log().matches("not in TRUSTED_PROXIES").count();
    until("a line", async || said() > 0).await;
    house.state(&cookie).await;
    assert_eq!(said(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_listener_and_the_links_take_a_request_with_one_host() {
    let house = House::start().await;
    let ports = &house.ports;
    for (port, path) in [
        (ports.web_ops, "/healthz"),
        (ports.gateway_ops, "/healthz"),
        (ports.link, "/health"),
    ] {
        for (hosts, status) in [
            ("", "400"),
            ("Host: a\r\nHost: b\r\n", "400"),
            ("Host: localhost\r\n", "200"),
        ] {
            let request = format!("GET {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
            let answer = raw::said(port, &request).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{path} {hosts:?}: {answer}"
            );
        }
    }
    // And a token, wrong or not, opens nothing when it is not at the link.
    let url = format!("ws://127.0.0.1:{}/health", ports.link);
    let request = url.into_client_request().expect("a request");
    let refused = timeout(SOON, connect_async(request))
        .await
        .expect("in time");
    assert!(matches!(refused, Err(Error::Http(_))), "{refused:?}");
}

/// The value of one metric.
fn metric(metrics: &str, name: &str) -> u64 {
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in:\n{metrics}"))
}
