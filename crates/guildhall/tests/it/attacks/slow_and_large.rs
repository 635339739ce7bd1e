//! Heads and bodies that are too large, that do not end, or that come a byte at a time: each is refused by a
//! bound or by a time, keeps nobody else out, and nothing of it is kept.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, interval, timeout},
};

use super::unharmed;
use crate::house::{House, SOON, raw};

/// Heads have 10 seconds, and so have bodies behind them.
const LIMIT: Duration = Duration::from_secs(10);

/// How many are slow at one time, in each way.
const SLOW: usize = 20;

struct Large {
    what: &'static str,
    bytes: Vec<u8>,
    statuses: &'static [u16],
}

fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

#[expect(clippy::too_many_lines, reason = "a flat table")]
fn large(session: &str) -> Vec<Large> {
    let post = |headers: &str, body: &[u8]| {
        let headers = format!("{session}Content-Type: application/json\r\n{headers}");
        request("POST /api/rpc/ensureUserInGuild", &headers, body)
    };
    let x = |count| "x".repeat(count);
    let chunks = |count: usize, size: usize| {
        let chunk = format!("{size:x}\r\n{}\r\n", x(size));
        chunk.repeat(count).into_bytes()
    };
    let chunked = "Transfer-Encoding: chunked\r\n";
    let mut all = Vec::new();
    let mut add = |what, statuses, bytes| {
        all.push(Large {
            what,
            bytes,
            statuses,
        });
    };
    // hyper says 431 for both.
    add(
        "a target",
        &[414, 431],
        request(&format!("GET /{}", x(20_000)), "", b""),
    );
    add(
        "a query",
        &[414, 431],
        request(&format!("GET /api/state?guild={}", x(20_000)), "", b""),
    );
    add(
        "a header",
        &[431],
        request("GET /", &format!("X: {}\r\n", x(20_000)), b""),
    );
    add(
        "a name",
        &[431],
        request("GET /", &format!("{}: x\r\n", x(20_000)), b""),
    );
    add(
        "a cookie",
        &[431],
        request(
            "GET /api/me",
            &format!("Cookie: guildhall={}\r\n", x(20_000)),
            b"",
        ),
    );
    add(
        "many headers",
        &[431],
        request("GET /", &"a: b\r\n".repeat(200), b""),
    );
    add(
        "many cookies",
        &[401],
        request(
            "GET /api/me",
            &format!("Cookie: {}\r\n", "guildhall=x; ".repeat(1_100)),
            b"",
        ),
    );
    add(
        "a body",
        &[413],
        post("Content-Length: 65537\r\n", &vec![b'x'; 65_537]),
    );
    add(
        "a body that says so",
        &[413],
        post("Content-Length: 10737418240\r\n", b""),
    );
    add(
        "a body of the largest number",
        // hyper's, whose own numbers it is beyond.
        &[431],
        post("Content-Length: 18446744073709551615\r\n", b""),
    );
    add("chunks", &[413], post(chunked, &chunks(100, 1_000)));
    add("small chunks", &[413], post(chunked, &chunks(70_000, 1)));
    add("one chunk", &[413], post(chunked, &chunks(1, 70_000)));
    add(
        "a chunk's extension",
        &[400],
        post(
            chunked,
            format!("2;{}\r\n{{}}\r\n0\r\n\r\n", x(40_000)).as_bytes(),
        ),
    );
    add(
        "extensions",
        &[400],
        post(
            chunked,
            "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n"
                .repeat(2_000)
                .as_bytes(),
        ),
    );
    add(
        "trailers",
        &[400],
        post(
            chunked,
            format!("2\r\n{{}}\r\n0\r\n{}\r\n", "a: b\r\n".repeat(20_000)).as_bytes(),
        ),
    );
    add(
        "a trailer",
        &[400],
        post(
            chunked,
            format!("2\r\n{{}}\r\n0\r\na: {}\r\n\r\n", x(100_000)).as_bytes(),
        ),
    );
    add(
        "a size of many zeros",
        &[400],
        post(
            chunked,
            format!("{}2\r\n{{}}\r\n0\r\n\r\n", "0".repeat(50_000)).as_bytes(),
        ),
    );
    add(
        "a body of nobody",
        &[401],
        request(
            "POST /api/rpc/createRoom",
            "Content-Length: 10000000\r\n",
            &vec![b'x'; 1_000_000],
        ),
    );
    add(
        "a body where none is",
        &[200],
        request(
            "GET /api/health",
            "Content-Length: 10000000\r\n",
            &vec![b'x'; 1_000_000],
        ),
    );
    add(
        "a webhook",
        &[413, 401],
        request(
            "POST /webhooks/discord",
            "Content-Length: 10000000\r\n",
            b"",
        ),
    );
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let house = House::start().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    let session = format!("Cookie: {cookie}\r\nOrigin: {}\r\n", house.url(""));
    let mut faults = Vec::new();
    let all = large(&session);
    let tried = all.len();
    for Large {
        what,
        bytes,
        statuses,
    } in all
    {
        let began = Instant::now();
        let heard = raw::answers(house.ports.web, &bytes).await;
        let heard: Vec<u16> = heard.iter().map(|answer| answer.status).collect();
        // A reset may be quicker than the answer.
        let right = heard.is_empty() || heard.len() == 1 && statuses.contains(&heard[0]);
        if !right || began.elapsed() > Duration::from_secs(5) {
            faults.push(format!("{what}: {heard:?} after {:?}", began.elapsed()));
        }
        println!("  {what}: {heard:?} in {:?}", began.elapsed());
    }
    println!("large: {tried} requests");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    unharmed(&house);
}

/// A connection on which a byte comes every half second, for ever.
async fn drips(port: u16, first: Vec<u8>, drop: &[u8]) -> (Duration, String) {
    let began = Instant::now();
    let connected = TcpStream::connect(("127.0.0.1", port)).await;
    let (mut reads, mut writes) = connected.expect("it listens").into_split();
    writes.write_all(&first).await.expect("it reads");
    let mut heard = Vec::new();
    let dripping = async {
        let mut pace = interval(Duration::from_millis(500));
        loop {
            pace.tick().await;
            if writes.write_all(drop).await.is_err() {
                // What was answered before is read still.
                std::future::pending::<()>().await;
            }
        }
    };
    let talk = async {
        tokio::select! {
            () = dripping => {},
            _reset = reads.read_to_end(&mut heard) => {},
        }
    };
    timeout(3 * SOON, talk).await.expect("it has an end");
    (
        began.elapsed(),
        String::from_utf8_lossy(&heard).into_owned(),
    )
}

/// Where it is said, what it begins with, and what comes drop by drop.
type Way = (&'static str, u16, Vec<u8>, &'static [u8]);

fn ways(house: &House, cookie: &str) -> Vec<Way> {
    let session = format!(
        "Cookie: {cookie}\r\nOrigin: {}\r\nContent-Type: application/json\r\n",
        house.url("")
    );
    let post =
        |path: &str, more: &str| request(&format!("POST {path}"), &format!("{session}{more}"), b"");
    let (length, chunked) = ("Content-Length: 5000\r\n", "Transfer-Encoding: chunked\r\n");
    let ports = &house.ports;
    vec![
        ("a target", ports.web, b"GET /".to_vec(), b"x"),
        (
            "a header",
            ports.web,
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ".to_vec(),
            b"x",
        ),
        (
            "headers",
            ports.web,
            b"GET / HTTP/1.1\r\nHost: localhost\r\n".to_vec(),
            b"a: b\r\n",
        ),
        ("lines before a request", ports.web, Vec::new(), b"\r\n"),
        (
            "a head at the link",
            ports.link,
            b"GET /link HTTP/1.1\r\nX: ".to_vec(),
            b"x",
        ),
        (
            "a head at ops",
            ports.web_ops,
            b"GET /metrics HTTP/1.1\r\nX: ".to_vec(),
            b"x",
        ),
        (
            "a body",
            ports.web,
            post("/api/rpc/ensureUserInGuild", length),
            b" ",
        ),
        (
            "chunks",
            ports.web,
            post("/api/rpc/ensureUserInGuild", chunked),
            b"1\r\n \r\n",
        ),
        (
            "a chunk's size",
            ports.web,
            post("/api/rpc/ensureUserInGuild", chunked),
            b"0",
        ),
        (
            "a body to sign out",
            ports.web,
            post("/auth/logout", length),
            b" ",
        ),
        ("a JWT", ports.web, post("/auth/exchange", length), b" "),
        (
            "a webhook",
            ports.web,
            post("/webhooks/discord", length),
            b" ",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_it_a_byte_at_a_time_is_not_waited_for() {
    let house = House::with(&[("JWT_SECRET", crate::house::secrets::JWT_SECRET)]).await;
    let (cookie, mut stream) = house.visit().await;
    let ways = ways(&house, &cookie);
    let all = ways.iter().flat_map(|way| std::iter::repeat_n(way, SLOW));
    let dripping = join_all(all.map(async |(what, port, begin, drop)| {
        let (took, heard) = drips(*port, begin.clone(), drop).await;
        (*what, took, heard)
    }));
    // Meanwhile somebody else is served.
    let other = house.sign_in(&house.discord.people[0]).await;
    let served = async {
        let mut pace = interval(Duration::from_millis(250));
        let mut longest = Duration::ZERO;
        for number in 0..36 {
            pace.tick().await;
            let began = Instant::now();
            house.state(&other).await;
            house.discord.stamp(&format!("{number}")).await;
            stream.until("voice.updated").await;
            longest = longest.max(began.elapsed());
        }
        longest
    };
    let (ended, longest) = tokio::join!(dripping, served);
    let mut faults = Vec::new();
    for (what, took, heard) in &ended {
        let refused = heard.is_empty()
            || heard.starts_with("HTTP/1.1 4")
            || heard.starts_with("HTTP/1.1 503");
        if *took > LIMIT + Duration::from_secs(4) || !refused {
            faults.push(format!("{what}: {took:?} {heard}"));
        }
    }
    for (what, ..) in &ways {
        let of_it = ended.iter().filter(|(name, ..)| name == what);
        let longest = of_it.map(|(_, took, _)| took).max().expect("some");
        println!("  {what}: {SLOW} connections, each over within {longest:?}");
    }
    println!(
        "slow: {} connections; another waited {longest:?} at most",
        ended.len()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    unharmed(&house);
}

/// Requests of which nobody reads the answers pile up at whoever sent them.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_in_a_row_are_answered_in_a_row() {
    const REQUESTS: usize = 10_000;
    let house = House::start().await;
    let one = "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let last = "GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let heard = raw::answers(house.ports.web, one.repeat(REQUESTS - 1) + last).await;
    assert_eq!(heard.len(), REQUESTS);
    assert!(heard.iter().all(|answer| answer.status == 200));
}
