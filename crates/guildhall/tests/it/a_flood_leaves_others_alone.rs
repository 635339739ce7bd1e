//! Somebody who asks for very much: whoever comes meanwhile signs in and gets their stream as in
//! a quiet house.

use std::{fmt::Write as _, time::Duration};

use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::{select, time::Instant};

use crate::house::House;

/// Who comes while it is quiet, and then during the flood.
const COMERS: usize = 4;
/// Requests of the one who asks, at one time.
const AT_ONCE: usize = 4;
/// Guild ids in one request: as many as it may name.
const NAMED: usize = 100;
/// Up to here a wait says more of a busy machine than of the flood: the machine's own test in
/// `rights` holds the second. Without shares it is half a minute, and no picture.
const FELT: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn who_names_guilds_that_do_not_exist_is_noticed_by_nobody_else() {
    let house = House::start().await;
    let (greedy, _open) = house.visit().await;
    let comers = &house.discord.people[..];
    let quiet = come(&house, &comers[..COMERS]).await;
    let invented = |request: usize| {
        let ids = (0..NAMED).map(|id| (900_000 + request % 35 * NAMED + id).to_string());
        ids.collect::<Vec<_>>()
    };
    let flood = during(&house, &greedy, invented, &comers[COMERS..2 * COMERS]).await;
    compare("guilds that do not exist", &quiet, &flood);
    let gateway = house.metrics(house.ports.gateway_ops).await;
    let pairs = measured(&gateway, "guildhall_rights_watched ");
    assert!(pairs < 200.0, "{pairs} pairs are kept");
    let oversized = "guildhall_link_violations_total{role=\"gateway\",kind=\"oversized\"} ";
    assert!(
        measured(&gateway, oversized) < 1.0,
        "the link was never cut"
    );
    let web = house.metrics(house.ports.web_ops).await;
    assert!(measured(&web, "guildhall_link_up ") > 0.0, "the link is up");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_every_guild_of_the_bot_is_noticed_by_nobody_else() {
    const GUILDS: usize = 600;
    let house = House::start().await;
    for number in 0..GUILDS {
        let body = json!({"name": format!("guild {number}")});
        house.discord.post("/sim/guilds", &body).await;
    }
    let state = house.discord.state().await;
    let guilds = state["guilds"].as_array().expect("guilds");
    let guilds: Vec<String> = guilds
        .iter()
        .map(|guild| guild["id"].as_str().expect("an id").to_owned())
        .collect();
    assert!(guilds.len() > GUILDS);
    let (greedy, _open) = house.visit().await;
    let comers = &house.discord.people[..];
    let quiet = come(&house, &comers[..COMERS]).await;
    let real = |request: usize| {
        let chunks: Vec<&[String]> = guilds.chunks(NAMED).collect();
        chunks[request % chunks.len()].to_vec()
    };
    let flood = during(&house, &greedy, real, &comers[COMERS..2 * COMERS]).await;
    compare("every guild of the bot", &quiet, &flood);
    let gateway = house.metrics(house.ports.gateway_ops).await;
    let refused = measured(&gateway, "guildhall_rights_refused_total{bound=\"user\"} ");
    println!("{refused} look-ups were refused");
}

/// Others come while one person asks on and on.
async fn during(
    house: &House,
    cookie: &str,
    ids: impl Fn(usize) -> Vec<String>,
    comers: &[String],
) -> Vec<Duration> {
    let ask = |request: usize| {
        let mut path = "/api/state".to_owned();
        for (index, id) in ids(request).iter().enumerate() {
            let sign = if index == 0 { '?' } else { '&' };
            write!(path, "{sign}guild={id}").expect("a text");
        }
        async move {
            let _whatever = house.get(&path, Some(cookie)).await.bytes().await;
        }
    };
    let asking = stream::iter(0..).for_each_concurrent(AT_ONCE, ask);
    let coming = come(house, comers);
    select! {
        () = asking => unreachable!("it has no end"),
        waits = coming => waits,
    }
}

/// They sign in, one after the other, and open a stream; how long each waited for the picture.
async fn come(house: &House, comers: &[String]) -> Vec<Duration> {
    let mut waits = Vec::new();
    for comer in comers {
        let began = Instant::now();
        let cookie = house.sign_in(comer).await;
        let mut stream = house.stream(&cookie, "", None).await;
        let snapshot = stream.until("snapshot").await;
        let guilds = snapshot.data["guilds"].as_array().map_or(0, Vec::len);
        assert!(
            guilds > 0,
            "they see their guild at once: {}",
            snapshot.data
        );
        waits.push(began.elapsed());
    }
    waits.sort();
    waits
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what the test is read for"
)]
fn compare(what: &str, quiet: &[Duration], flood: &[Duration]) {
    let (middle, last) = (COMERS / 2, COMERS - 1);
    println!(
        "{what}: a newcomer waited {:?}, at most {:?}; in quiet {:?}, at most {:?}",
        flood[middle], flood[last], quiet[middle], quiet[last]
    );
    let allowed = (quiet[last] * 2).max(FELT);
    assert!(flood[last] <= allowed, "{:?} of {allowed:?}", flood[last]);
}

fn measured(metrics: &str, name: &str) -> f64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix(name));
    value.map_or(0.0, |value| value.parse().expect("a number"))
}
