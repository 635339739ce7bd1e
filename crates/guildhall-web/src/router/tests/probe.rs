//! The probe is a stream as the real one is, and opens for its token alone.

use super::*;
use crate::{ProbeEcho, ProbeKey};

const BASE_URL: &str = "http://localhost:3000/hall";

/// With a token of these settings.
fn probed() -> (Served, String) {
    let mut config = config();
    config.base_url = BASE_URL.parse().expect("a URL");
    let served = Served::set_up(&config, Config::keep_alive("web", 1_000));
    let token = ProbeKey::of(&config).token(served.harness.clock.now());
    (served, format!("/hall/api/probe?token={token}"))
}

/// The names and values of a head, but for those that are of the moment.
fn lasting(head: &str) -> Vec<String> {
    let lines = head.to_lowercase();
    let lines = lines
        .lines()
        .take_while(|line| !line.is_empty())
        .map(str::to_owned);
    let mut lines: Vec<String> = lines
        .filter(|line| !line.starts_with("date:") && !line.starts_with("set-cookie:"))
        .collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn a_probe_has_the_head_of_a_stream_and_says_what_came() {
    let (served, path) = probed();
    let cookie = [("Cookie", served.cookie.as_str())];
    let mut stream = served.ask("GET", "/hall/api/stream", &cookie).await;
    let stream = stream.until("event: snapshot").await.to_owned();
    let headers = [
        ("Last-Event-ID", "0-1-2"),
        ("Cookie", "x=1; guildhall=pppp"),
        ("Accept-Encoding", "gzip"),
        ("X-Forwarded-For", "192.0.2.7"),
        ("Connection", "close"),
    ];
    let asked = format!("{path}&quietMs=10&cookieLength=3000");
    let said = served
        .ask("GET", &asked, &headers)
        .await
        .until_closed()
        .await;
    let mut here = lasting(&said);
    // It was asked to close.
    here.retain(|line| line != "connection: close");
    assert_eq!(here, lasting(&stream));
    let cookie = said.lines().find(|line| line.starts_with("set-cookie: "));
    assert!(cookie.is_some_and(|line| line.len() > 3_000), "{said}");
    let data = said.lines().filter_map(|line| line.strip_prefix("data: "));
    let data: Vec<&str> = data.collect();
    let echo: ProbeEcho = serde_json::from_str(data[0]).expect("an echo");
    let right = ProbeEcho {
        last_event_id: Some("0-1-2".to_owned()),
        cookie_length: Some(4),
        accept_encoding: Some("gzip".to_owned()),
        http_version: "HTTP/1.1".to_owned(),
        client_address: "127.0.0.1".to_owned(),
        proxy_believed: Some(false),
    };
    assert_eq!(echo, right);
    let times: Vec<String> = [250, 500, 750, 1000, 1010]
        .map(|at| format!("{{\"atMs\":{at}}}"))
        .into();
    assert_eq!(data[1..], times);
    served.stop.cancel();
}

#[tokio::test]
async fn without_a_token_or_by_a_wrong_question_there_is_no_probe() {
    let (served, path) = probed();
    let close = [("Connection", "close")];
    for (path, status) in [
        ("/hall/api/probe", "400"),
        ("/hall/api/probe?token=", "401"),
        ("/hall/api/probe?token=AAAA", "401"),
        (&format!("{path}&quietMs=3600001"), "400"),
        (&format!("{path}&cookieLength=4001"), "400"),
        (&format!("{path}&other=1"), "400"),
    ] {
        let answer = served.ask("GET", path, &close).await.until_closed().await;
        let begin = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&begin), "{path}: {answer}");
        assert!(answer.contains("\"error\""), "{path}: {answer}");
    }
    let later = served.harness.clock.now() + 61_000;
    served.harness.clock.set(later);
    let answer = served.ask("GET", &path, &close).await.until_closed().await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    served.stop.cancel();
}

#[tokio::test]
async fn so_many_probes_are_open_at_one_time_and_no_more() {
    let (served, path) = probed();
    let path = format!("{path}&quietMs=600000");
    let mut open = Vec::new();
    for _ in 0..16 {
        let mut probe = served.ask("GET", &path, &[]).await;
        probe.until("event: echo").await;
        open.push(probe);
    }
    let close = [("Connection", "close")];
    let answer = served.ask("GET", &path, &close).await.until_closed().await;
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    served.stop.cancel();
}
