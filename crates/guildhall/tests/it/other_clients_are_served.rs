//! Clients that nobody here wrote: their jars keep our cookies, their readers our frames.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::house::{House, SOON};

/// The script, and what it says line by line.
struct Python {
    says: Lines<BufReader<ChildStdout>>,
    _script: Child,
}

impl Python {
    fn start(house: &House) -> Self {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let python = root.join("target/python/bin/python");
        let script = root.join("tests/libraries/httpclients/visit.py");
        let told = json!({"web": house.url(""), "user": house.discord.visitor});
        let mut child = Command::new(&python)
            .arg(script)
            .arg(told.to_string())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
        let says = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self {
            says,
            _script: child,
        }
    }

    async fn says(&mut self) -> Value {
        let line = timeout(SOON, self.says.next_line()).await;
        let line = line.expect("in time").expect("it is readable");
        let line = line.expect("the script goes on");
        serde_json::from_str(&line).expect("JSON")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_clients_sign_in_and_hear_each_event_as_one() {
    let house = House::start().await;
    let mut python = Python::start(&house);
    let signed_in = json!({"client": "aiohttp", "callback": 303, "state": 200});
    assert_eq!(python.says().await, signed_in);

    let ready = json!({"client": "httpx-sse", "ready": true});
    assert_eq!(python.says().await, ready);
    let name = "x\u{2028}event: guild.removed\u{2028}data: {}\u{2029}\u{2029}\u{85}\u{85}";
    house.discord.stamp(name).await;
    let heard = json!({"client": "httpx-sse", "event": "voice.updated", "name": name});
    assert_eq!(python.says().await, heard);
}

#[tokio::test(flavor = "multi_thread")]
async fn false_callbacks_reach_discord_rarely_and_honest_people_always() {
    let mut house = House::with(&[("TRUSTED_PROXIES", "loopback")]).await;
    // This machine's own address is not counted.
    house.http = crate::house::client_at("203.0.113.7");
    for _ in 0..150 {
        let login = house.get("/auth/login", None).await;
        let attempt = crate::house::cookie_of(&login).expect("an attempt cookie");
        let authorize = crate::house::location_of(&login);
        let authorize: url::Url = authorize.parse().expect("a URL");
        let state = authorize.query_pairs().find(|(name, _)| name == "state");
        let state = state.expect("a state").1.into_owned();
        let callback = format!("/auth/callback?code=junk&state={state}");
        let answer = house.get(&callback, Some(&attempt)).await;
        let told = answer.headers().contains_key("retry-after");
        assert!([400, 429].contains(&answer.status().as_u16()));
        assert_eq!(answer.status() == 429, told);
    }
    let metrics = house.metrics(house.ports.web_ops).await;
    let invalid = metrics
        .lines()
        .find_map(|line| line.strip_prefix("guildhall_login_invalid_answers_total "));
    let invalid: u32 = invalid.and_then(|it| it.parse().ok()).expect("a count");
    assert!((60..150).contains(&invalid), "{invalid}");
    let said = house.web.log().matches("caused too many invalid").count();
    assert_eq!(said, 1, "one line, not one for each");
}
