//! Clients of streams that nobody here wrote, each directly and behind nginx, through a web process
//! that is killed and one that is stopped: every stamp once, in order, and `resumed` each time.

use std::{path::Path, process::Stdio, time::Duration};

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::house::{House, Nginx};

/// Until a client is back: one that was refused a few times draws its next attempt from a range
/// that has grown to half a minute.
const BACK: Duration = Duration::from_mins(1);

/// The program that runs a client, its script beneath `tests`, and what the script is told it is.
const CLIENTS: [(&str, &str, &str); 5] = [
    (PYTHON, "libraries/httpclients/follow.py", "httpx-sse"),
    (PYTHON, "libraries/httpclients/follow.py", "sseclient-py"),
    (PYTHON, "libraries/httpclients/follow.py", "curl"),
    (
        "node",
        "libraries/eventsource/follow.mjs",
        "npm's eventsource",
    ),
    ("node", "browser/follow.mjs", "Chromium"),
];

const PYTHON: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/python/bin/python"
);

/// A client's script, and what it heard.
struct Client {
    name: String,
    says: Lines<BufReader<ChildStdout>>,
    /// The script ends with it.
    _stdin: ChildStdin,
    stamps: Vec<String>,
    /// Everything else, in order.
    others: Vec<String>,
}

/// A line of a script.
#[derive(Deserialize)]
struct Heard {
    event: String,
    stamp: Option<String>,
}

impl Client {
    /// `by`: whether an `EventSource` comes back by itself, or the lines that the page prints
    /// have it do so.
    fn start(
        (program, script, client): (&str, &str, &str),
        (way, url): (&str, &str),
        cookie: &str,
    ) -> Self {
        // It gives up at a proxy's 502.
        let by = if way == "directly" {
            "itself"
        } else {
            "the page's lines"
        };
        let tests = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests"));
        let told = json!({"client": client, "url": url, "cookie": cookie, "by": by});
        let mut child = Command::new(program)
            .arg(tests.join(script))
            .arg(told.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        Self {
            name: format!("{client}, {way}"),
            says: BufReader::new(child.stdout.take().expect("piped")).lines(),
            _stdin: child.stdin.take().expect("piped"),
            stamps: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Reads until it has heard so many stamps, and `resumed` so often.
    async fn heard(&mut self, stamps: usize, resumed: usize) {
        let enough = async {
            while self.stamps.len() < stamps || self.resumed() < resumed || self.others.is_empty() {
                let line = self.says.next_line().await.expect("it is readable");
                let line = line.unwrap_or_else(|| panic!("{} ended", self.name));
                let heard: Heard = serde_json::from_str(&line).expect("a line of JSON");
                match heard.stamp {
                    Some(stamp) => self.stamps.push(stamp),
                    None => self.others.push(heard.event),
                }
            }
        };
        let in_time = timeout(BACK, enough).await.is_ok();
        let Self {
            name,
            stamps,
            others,
            ..
        } = self;
        assert!(in_time, "{name} heard {others:?} and stamps {stamps:?}");
    }

    fn resumed(&self) -> usize {
        self.others
            .iter()
            .filter(|event| *event == "resumed")
            .count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wrote_it_a_client_has_every_event_once_and_in_order_through_a_kill_and_a_stop() {
    let mut house = House::with(&[("TRUSTED_PROXIES", "loopback")]).await;
    let nginx = Nginx::before(house.ports.web, house.folder()).await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    let ways = [
        ("directly", house.url("/api/stream")),
        ("behind nginx", nginx.url("/api/stream")),
    ];
    let start = |client| {
        ways.each_ref()
            .map(|(way, url)| Client::start(client, (way, url), &cookie))
    };
    let mut clients: Vec<Client> = CLIENTS.into_iter().flat_map(start).collect();
    join_all(clients.iter_mut().map(|client| client.heard(0, 0))).await;

    let mut sent: Vec<String> = Vec::new();
    for (times, signal) in ["KILL", "TERM"].into_iter().enumerate() {
        stamp(&house, &mut sent, 40).await;
        house.web.signal(signal);
        stamp(&house, &mut sent, 20).await;
        house.web.ended().await;
        stamp(&house, &mut sent, 20).await;
        house.restart_web().await;
        stamp(&house, &mut sent, 20).await;
        let back = |client| Client::heard(client, sent.len(), times + 1);
        join_all(clients.iter_mut().map(back)).await;
    }
    stamp(&house, &mut sent, 1).await;
    for client in &mut clients {
        client.heard(sent.len(), 2).await;
        let Client {
            name,
            stamps,
            others,
            ..
        } = client;
        assert_eq!(*stamps, sent, "{name}");
        let snapshots = others.iter().filter(|event| *event == "snapshot");
        assert_eq!(
            (snapshots.count(), others[0].as_str()),
            (1, "snapshot"),
            "{name}: {others:?}"
        );
        assert!(
            others.iter().any(|event| event == "bye"),
            "{name}: {others:?}"
        );
    }
}

/// So many more, one after the other.
async fn stamp(house: &House, sent: &mut Vec<String>, count: usize) {
    for _ in 0..count {
        let stamp = sent.len().to_string();
        house.discord.stamp(&stamp).await;
        sent.push(stamp);
    }
}
