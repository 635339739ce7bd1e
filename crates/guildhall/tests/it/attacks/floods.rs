//! As many requests as one person, one program or nobody can send: whoever has nothing to do with it is answered,
//! and told what happens, in at most three times the time that it took before.

/// As fast as it goes.
mod flood;

use std::{collections::BTreeMap, fmt, time::Duration};

use serde_json::json;
use tokio::time::Instant;

use super::unharmed;
use crate::house::{
    House, Stream, raw,
    secrets::{API_TOKEN, API_TOKENS, JWT_SECRET, Secrets},
};
use flood::{Flood, Shot};

/// Quiet and flood take turns, so that whatever else this machine does is in both.
const ROUNDS: usize = 7;

/// Requests and events of a round, of each of both.
const SAMPLES: usize = 40;

/// Below this it is the machine's own lateness that is measured, which two CPUs with other tests on them have.
const FLOOR: Duration = Duration::from_millis(12);

/// Somebody who has nothing to do with it.
struct Bystander<'a> {
    house: &'a House,
    cookie: String,
    stream: Stream,
}

/// The slowest of a hundred, in quiet and in the flood, of events and of requests.
#[derive(Default)]
struct Felt {
    events: [Vec<Duration>; 2],
    requests: [Vec<Duration>; 2],
}

const QUIET: usize = 0;
const FLOODED: usize = 1;

impl<'a> Bystander<'a> {
    async fn new(house: &'a House) -> Self {
        let (cookie, stream) = house.visit().await;
        Self {
            house,
            cookie,
            stream,
        }
    }

    /// One round's worth of what it feels.
    async fn feels(&mut self, felt: &mut Felt, when: usize) {
        let request = format!(
            "GET /api/state HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nConnection: close\r\n\r\n",
            self.cookie
        );
        let (mut events, mut requests) = (Vec::new(), Vec::new());
        for number in 0..SAMPLES {
            let began = Instant::now();
            let answer = raw::said(self.house.ports.web, &request).await;
            requests.push(began.elapsed());
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            let stamp = format!("{when}-{number}");
            let began = Instant::now();
            self.house.discord.stamp(&stamp).await;
            loop {
                let updated = self.stream.until("voice.updated").await;
                if updated.data["username"] == stamp.as_str() {
                    break;
                }
            }
            events.push(began.elapsed());
        }
        felt.events[when].push(slowest(events));
        felt.requests[when].push(slowest(requests));
    }
}

/// The 99th of a hundred, which of so few is the last but none.
fn slowest(mut took: Vec<Duration>) -> Duration {
    took.sort();
    took[took.len() - 1 - took.len() / 100]
}

fn median(rounds: &[Duration]) -> Duration {
    let mut rounds = rounds.to_vec();
    rounds.sort();
    rounds[rounds.len() / 2]
}

impl Felt {
    fn is_like_quiet(&self, what: &str) {
        for (kind, rounds) in [("events", &self.events), ("requests", &self.requests)] {
            let [quiet, flood] = [QUIET, FLOODED].map(|when| median(&rounds[when]));
            let most = 3 * quiet.max(FLOOR);
            assert!(
                flood <= most,
                "{what}: {kind}: {quiet:?} in quiet, {flood:?} in the flood"
            );
        }
    }
}

impl fmt::Display for Felt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, rounds) in [("events", &self.events), ("requests", &self.requests)] {
            let [quiet, flood] = [QUIET, FLOODED].map(|when| median(&rounds[when]));
            let times = flood.as_secs_f64() / quiet.as_secs_f64();
            write!(
                f,
                "; {kind} p99 {quiet:.1?} in quiet, {flood:.1?} in the flood ({times:.1}×)"
            )?;
        }
        Ok(())
    }
}

async fn house() -> House {
    let settings = [
        ("API_TOKENS", API_TOKENS),
        ("JWT_SECRET", JWT_SECRET),
        ("RUST_LOG", "info"),
    ];
    House::with(&settings).await
}

/// Quiet and flood in turn, and what was felt.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what the test is read for"
)]
async fn endure(house: &House, what: &str, shots: Vec<Shot>) {
    let mut bystander = Bystander::new(house).await;
    let mut felt = Felt::default();
    let (mut sent, mut lasted) = (0, Duration::ZERO);
    let mut statuses = BTreeMap::<u16, u64>::new();
    for _ in 0..ROUNDS {
        bystander.feels(&mut felt, QUIET).await;
        let flood = Flood::begin(house.ports.web, shots.clone());
        flood.runs().await;
        let began = Instant::now();
        bystander.feels(&mut felt, FLOODED).await;
        lasted += began.elapsed();
        for (status, count) in flood.stop() {
            *statuses.entry(status).or_default() += count;
            sent += count;
        }
    }
    println!("flood by {what}: {sent} requests in {lasted:.1?} {statuses:?}{felt}");
    assert!(!statuses.contains_key(&500), "{statuses:?}");
    let unanswered = statuses.get(&0).copied().unwrap_or(0);
    assert!(
        unanswered * 100 <= sent,
        "{unanswered} of {sent} without an answer"
    );
    felt.is_like_quiet(what);
    Secrets::of(house).are_in_no_log_of(house);
    unharmed(house);
}

fn post(path: &str, headers: &str, body: &str) -> Shot {
    let length = body.len();
    Shot::of(&format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

fn get(path: &str, headers: &str) -> Shot {
    Shot::of(&format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"
    ))
}

/// What whoever is let in can ask.
fn shots_of(house: &House, headers: &str) -> Vec<Shot> {
    let discord = &house.discord;
    let in_guild = json!({ "guildId": discord.guild }).to_string();
    let in_room = json!({ "channelId": discord.rooms[0] }).to_string();
    let named = json!({ "channelId": discord.rooms[0], "name": "x" }).to_string();
    vec![
        get("/api/state", headers),
        get("/api/stream", headers).ends_with_its_first_bytes(),
        get("/api/state?guild=1", headers),
        get("/api/me", headers),
        post("/api/rpc/getVoiceChannelMembers", headers, &in_room),
        post("/api/rpc/checkUserInVoiceChannel", headers, &in_guild),
        post("/api/rpc/renameRoom", headers, &named),
        post("/api/rpc/connectUserToVoiceChannel", headers, &in_room),
        post(
            "/api/rpc/createRoom",
            headers,
            &json!({ "guildId": discord.guild, "name": "x" }).to_string(),
        ),
        post(
            "/api/rpc/joinRoom",
            headers,
            &json!({ "token": "A".repeat(90) }).to_string(),
        ),
        post("/api/rpc/renameRoom", headers, &"[".repeat(60_000)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_is_signed_in() {
    let house = house().await;
    let cookie = house.sign_in(&house.discord.people[0]).await;
    let headers = format!("Cookie: {cookie}\r\nOrigin: {}\r\n", house.url(""));
    let shots = shots_of(&house, &headers);
    endure(&house, "somebody who is signed in", shots).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_program() {
    let house = house().await;
    let as_itself = format!("Authorization: Bearer {API_TOKEN}\r\n");
    let as_somebody = format!("{as_itself}Guildhall-As: {}\r\n", house.discord.people[0]);
    let mut shots = shots_of(&house, &as_itself);
    shots.extend(shots_of(&house, &as_somebody));
    for invented in 0..20 {
        let as_invented = format!("{as_itself}Guildhall-As: {}\r\n", 77_000 + invented);
        shots.push(get(
            &format!("/api/state?guild={}", house.discord.guild),
            &as_invented,
        ));
    }
    endure(&house, "a program", shots).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whom_nobody_knows() {
    let house = house().await;
    let forged =
        "Cookie: guildhall=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n";
    let mut shots = shots_of(&house, forged);
    shots.extend(shots_of(
        &house,
        "Authorization: Bearer forged-0123456789abcdef0123456789abcdef\r\n",
    ));
    let signature = "X-Signature-Ed25519: 00\r\nX-Signature-Timestamp: 1\r\n";
    shots.extend([
        get("/", ""),
        get("/api/openapi.json", ""),
        get("/auth/login?returnTo=/x", ""),
        get(
            "/auth/login?invite=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "",
        ),
        get(
            "/auth/callback?code=x&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "",
        ),
        post(
            "/auth/exchange",
            "",
            &json!({ "token": "eyJhbGciOiJIUzI1NiJ9.e30.AAAA" }).to_string(),
        ),
        post("/auth/logout", forged, "{}"),
        post("/webhooks/discord", signature, "{\"type\":0}"),
        get("/nowhere", ""),
        Shot::of("NONSENSE\r\n\r\n"),
    ]);
    endure(&house, "nobody", shots).await;
}

/// Each sign-in of theirs is one that Discord refuses.
#[tokio::test(flavor = "multi_thread")]
async fn one_whom_nobody_knows_with_sign_ins_that_discord_refuses() {
    let house = house().await;
    let login = house.get("/auth/login", None).await;
    let attempt = crate::house::cookie_of(&login).expect("an attempt cookie");
    let authorize = crate::house::location_of(&login);
    let state = authorize
        .split("state=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let path = format!(
        "/auth/callback?code=forged&state={}",
        state.expect("a state")
    );
    let shots = vec![
        get(&path, &format!("Cookie: {attempt}\r\n")),
        get("/auth/login", ""),
    ];
    endure(&house, "false sign-ins", shots).await;
}
