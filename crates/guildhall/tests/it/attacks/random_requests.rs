//! Ten thousand requests over every route of the OpenAPI document, drawn from it, so that a new route is tried
//! by itself: most of them of people who are signed in, in a guild where things happen. Each is answered as the
//! document says, and nobody is shown what they may not see.
//!
//! `ATTACK_SEED=7 cargo test -p guildhall --test it random_requests -- --nocapture` draws that seed's requests;
//! `ATTACK_REQUESTS` says how many.

/// What is asked.
mod draw;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, future::join_all, stream};
use parking_lot::Mutex;
use reqwest::{Response, StatusCode, header::HeaderValue};
use serde_json::{Value, json};
use tokio::{select, time::timeout};

use super::{document, operations, unharmed};
use crate::{
    commands::stage::{id, member},
    house::{
        House, SOON, Stream, retry,
        secrets::{API_TOKEN, API_TOKENS, JWT_SECRET, Secrets},
    },
    oracle::{number, rng::Rng},
    others_come_in::by_another_login::{by_secret, claims},
};
use draw::{Draw, Drawn, Pools};

const REQUESTS: u64 = 10_000;
const AT_ONCE: usize = 16;
/// Ordinary members who are signed in. Each may have one thing done in a second.
const PEOPLE: usize = 30;
/// Nobody but the gated room's people sees this.
const HIDDEN: &str = "the-name-of-the-hidden-room";
/// How long a stream is listened to that one request in so many opened.
const LISTENED: Duration = Duration::from_millis(200);

/// Who asks.
struct Actor {
    user: String,
    /// Whether they see the gated room.
    sees_hidden: bool,
    cookie: tokio::sync::Mutex<String>,
}

/// Whom one request is from.
enum Asker<'a> {
    SignedIn(&'a Actor),
    /// A program, as one of them or as itself.
    Program(Option<&'a Actor>),
    Nobody(&'static str),
}

impl Asker<'_> {
    fn sees_hidden(&self) -> bool {
        match self {
            Self::SignedIn(actor) | Self::Program(Some(actor)) => actor.sees_hidden,
            Self::Program(None) => true,
            Self::Nobody(_) => false,
        }
    }
}

struct Run {
    house: House,
    document: Value,
    actors: Vec<Actor>,
    pools: Mutex<Arc<Pools>>,
    secrets: Secrets,
    /// Answers by route and status.
    tally: Mutex<BTreeMap<(String, u16), u64>>,
    signed_in: Mutex<u64>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_as_it_says_whatever_it_is_asked() {
    let seed = number("ATTACK_SEED").unwrap_or(20_150);
    let count = number("ATTACK_REQUESTS").unwrap_or(REQUESTS);
    println!("ATTACK_SEED={seed} ATTACK_REQUESTS={count}");
    let mut run = prepare().await;
    let mut watching = Vec::new();
    for actor in run.actors.iter().filter(|actor| !actor.sees_hidden).take(5) {
        let cookie = actor.cookie.lock().await.clone();
        watching.push(run.house.stream(&cookie, "", None).await);
    }
    let faults = Mutex::new(Vec::new());
    let asking = stream::iter(0..count).for_each_concurrent(AT_ONCE, |index| {
        let (run, faults) = (&run, &faults);
        async move {
            if let Some(fault) = run.one(seed, index).await {
                faults.lock().push(fault);
            }
        }
    });
    let listening = join_all(watching.iter_mut().map(read_on));
    select! {
        () = asking => {},
        _ = listening => unreachable!("they are ended by this test"),
        never = something_happens(&run.house) => never,
    }
    let faults = faults.into_inner();
    run.print();
    for fault in &faults {
        println!("{fault}");
    }
    assert!(
        faults.is_empty(),
        "{} of {count} with ATTACK_SEED={seed}",
        faults.len()
    );
    run.every_route_was_asked();
    for stream in &mut watching {
        still_comes(&run.house, stream).await;
        assert!(!stream.raw.contains(HIDDEN), "{}", stream.raw);
        assert!(
            !stream.raw.contains(&run.house.discord.gated),
            "{}",
            stream.raw
        );
    }
    for actor in &mut run.actors {
        let cookie = actor.cookie.get_mut();
        run.secrets
            .add("a session", cookie.split_once('=').expect("NAME=VALUE").1);
    }
    run.secrets.are_in_no_log_of(&run.house);
    unharmed(&run.house);
}

/// What all watch goes on; one who signed out meanwhile has an end instead.
async fn still_comes(house: &House, stream: &mut Stream) {
    house.discord.stamp("the-end-of-it").await;
    let last = async {
        while let Some(frame) = stream.next().await {
            if frame.data["username"] == "the-end-of-it" || frame.event == "bye" {
                return;
            }
        }
    };
    timeout(SOON, last).await.expect("it comes, or it ends");
}

async fn read_on(stream: &mut Stream) {
    while stream.next().await.is_some() {}
    // Signed out by a request.
    std::future::pending::<()>().await;
}

/// People come and go, in the hidden room above all.
async fn something_happens(house: &House) -> ! {
    let discord = &house.discord;
    let [one, other] = &discord.rooms;
    loop {
        for room in [&discord.gated, one, &discord.gated, other] {
            discord.voice(&discord.people[0], Some(room)).await;
            let body = json!({ "userId": discord.people[1], "channelId": room });
            discord
                .try_change(
                    "POST",
                    &format!("/sim/guilds/{}/voice", discord.guild),
                    &body,
                )
                .await;
            retry().await;
        }
    }
}

const PARENT: &str = "1500000000000000001";

/// MANAGE_CHANNELS and MOVE_MEMBERS.
const MODERATES: u64 = 1 << 4 | 1 << 24;

async fn prepare() -> Run {
    let flags = ["--interval", "bucket=50ms", "--interval", "global=50ms"];
    let settings = [
        ("RUST_LOG", "trace"),
        ("API_TOKENS", API_TOKENS),
        ("JWT_SECRET", JWT_SECRET),
        ("ROOM_PARENTS", PARENT),
        ("ROOMS_MAX", "400"),
    ];
    let house = House::simulated(&flags, &settings, async |discord| {
        let parent = json!({ "id": PARENT, "guildId": discord.guild, "name": "Rooms", "type": 4 });
        discord.post("/sim/channels", &parent).await;
        discord
            .edit_channel(&discord.gated, &json!({ "name": HIDDEN }))
            .await;
    })
    .await;
    let discord = &house.discord;
    let owner = id(&json!({ "id": discord.state().await["guilds"][0]["ownerId"] }));
    let moderators = json!({ "guildId": discord.guild, "name": "moderators", "permissions": MODERATES.to_string() });
    let moderators = id(&discord.post("/sim/roles", &moderators).await);
    let mut users = vec![(owner, true)];
    for number in 0..PEOPLE {
        // Some see the gated room; some have rooms of others in their hands.
        let role = match number % 6 {
            5 => Some(&discord.gate_role),
            4 => Some(&moderators),
            _ => None,
        };
        let roles: Vec<&str> = role.into_iter().map(String::as_str).collect();
        let user = member(discord, &format!("person{number}"), &roles).await;
        users.push((user, role == Some(&discord.gate_role)));
    }
    let mut actors = Vec::new();
    for (user, sees_hidden) in users {
        let cookie = tokio::sync::Mutex::new(house.sign_in(&user).await);
        actors.push(Actor {
            user,
            sees_hidden,
            cookie,
        });
    }
    let pools = Pools {
        guilds: vec![discord.guild.clone()],
        channels: [
            discord.rooms.as_slice(),
            &[discord.gated.clone(), PARENT.to_owned()],
        ]
        .concat(),
        users: actors.iter().map(|actor| actor.user.clone()).collect(),
        invites: Vec::new(),
        jwts: (0..40)
            .map(|number| {
                by_secret(&claims(
                    &actors[number % 30].user,
                    &format!("jwt{number}"),
                    500,
                ))
            })
            .collect(),
        cursors: Vec::new(),
    };
    Run {
        document: document(&house).await,
        secrets: Secrets::of(&house),
        actors,
        pools: Mutex::new(Arc::new(pools)),
        tally: Mutex::default(),
        signed_in: Mutex::default(),
        house,
    }
}

impl Run {
    /// Asks once; what was wrong with the answer.
    async fn one(&self, seed: u64, index: u64) -> Option<String> {
        let mut rng = Rng::of(seed ^ index.rotate_left(32));
        let operations = operations(&self.document);
        let which = usize::try_from(index).expect("an index") % operations.len();
        let (method, path, operation) = operations[which];
        let asker = self.asker(&mut rng);
        let pools = Arc::clone(&self.pools.lock());
        let origin = self.house.url("");
        let mut draw = Draw {
            rng: rng.branch(),
            path,
            document: &self.document,
            pools: &pools,
            origin: &origin,
        };
        let drawn = draw.request(method, operation);
        let answer = match self.send(&drawn, &asker).await {
            Ok(answer) => answer,
            Err(error) => return Some(format!("{index}: {drawn:?}: {error:?}")),
        };
        let (status, head) = (answer.status(), format!("{:?}", answer.headers()));
        *self
            .tally
            .lock()
            .entry((path.to_owned(), status.as_u16()))
            .or_default() += 1;
        let body = read(answer, path == "/api/stream").await;
        if let Asker::SignedIn(actor) = &asker {
            *self.signed_in.lock() += 1;
            self.come_back(actor, path, status).await;
        }
        self.learn(&body);
        let fault = self.fault(&drawn, method, operation, &asker, status, &head, &body)?;
        let said: String = body.chars().take(400).collect();
        Some(format!("{index}: {fault}: {status} {said}\n  {drawn:?}"))
    }

    fn asker(&self, rng: &mut Rng) -> Asker<'_> {
        let actor = &self.actors[usize::try_from(rng.between(0, 30)).expect("an index")];
        match rng.between(0, 19) {
            0 => Asker::Nobody(""),
            1 => Asker::Nobody("guildhall=forged"),
            2 => Asker::Program(None),
            3 | 4 => Asker::Program(Some(actor)),
            _ => Asker::SignedIn(actor),
        }
    }

    async fn send(&self, drawn: &Drawn, asker: &Asker<'_>) -> reqwest::Result<Response> {
        let method = drawn.method.parse().expect("a method");
        let request = self
            .house
            .http
            .request(method, self.house.url(&drawn.target));
        let mut headers = drawn.headers.clone();
        let value = |text: &str| text.parse::<HeaderValue>().expect("a value");
        match asker {
            Asker::SignedIn(actor) => {
                headers.insert("cookie", value(&actor.cookie.lock().await));
            }
            Asker::Nobody(cookie) => {
                headers.insert("cookie", value(cookie));
            }
            Asker::Program(acts_as) => {
                headers.insert("authorization", value(&format!("Bearer {API_TOKEN}")));
                headers.remove("origin");
                if let Some(actor) = acts_as {
                    headers.insert("guildhall-as", value(&actor.user));
                }
            }
        }
        let request = request.headers(headers).timeout(SOON);
        let request = match &drawn.body {
            Some(body) => request.body(body.clone()),
            None => request,
        };
        request.send().await
    }

    /// Whoever signed out, or was signed out, signs in again.
    async fn come_back(&self, actor: &Actor, path: &str, status: StatusCode) {
        let left = path == "/auth/logout" && status == StatusCode::NO_CONTENT;
        if left || status == StatusCode::UNAUTHORIZED {
            let mut cookie = actor.cookie.lock().await;
            let who = self.house.get("/api/me", Some(&cookie)).await;
            if who.status() == StatusCode::UNAUTHORIZED {
                *cookie = self.house.sign_in(&actor.user).await;
            }
        }
    }

    /// Rooms, invites and cursors of an answer are asked about later.
    fn learn(&self, body: &str) {
        let Ok(Value::Object(answer)) = serde_json::from_str(body) else {
            return;
        };
        let mut pools = self.pools.lock();
        for (name, value) in answer {
            let Some(value) = value.as_str() else {
                continue;
            };
            let pools = Arc::make_mut(&mut pools);
            let pool = match name.as_str() {
                "channelId" => &mut pools.channels,
                "token" => &mut pools.invites,
                "cursor" | "position" => &mut pools.cursors,
                _ => continue,
            };
            if !pool.iter().any(|known| known == value) && pool.len() < 200 {
                pool.push(value.to_owned());
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of a request and its answer")]
    fn fault(
        &self,
        drawn: &Drawn,
        method: &str,
        operation: &Value,
        asker: &Asker<'_>,
        status: StatusCode,
        head: &str,
        body: &str,
    ) -> Option<String> {
        if let Some(secret) = self.secrets.found_in(head).or(self.secrets.found_in(body)) {
            return Some(format!("it tells {secret}"));
        }
        let hidden = [HIDDEN, &self.house.discord.gated];
        if !asker.sees_hidden()
            && hidden
                .iter()
                .any(|it| body.contains(it) || head.contains(it))
        {
            return Some("it tells of the hidden room".to_owned());
        }
        if head.to_lowercase().contains("x-injected") {
            return Some(format!("it has a header of the request's: {head}"));
        }
        let is_other_method = !drawn.method.eq_ignore_ascii_case(method);
        let documented = operation["responses"].get(status.as_str()).is_some();
        let right = documented || is_other_method && (status == 405 || status.is_success());
        if !right {
            return Some("no answer of the document's".to_owned());
        }
        let is_error =
            head.contains("application/json") && !status.is_success() && drawn.method != "HEAD";
        let code = |body| {
            serde_json::from_str::<Value>(body).is_ok_and(|it| it["error"]["code"].is_string())
        };
        (is_error && !code(body)).then(|| "no error of ours".to_owned())
    }

    #[expect(
        clippy::print_stdout,
        reason = "the figures are what the test is read for"
    )]
    fn print(&self) {
        let tally = self.tally.lock();
        let mut by_status = BTreeMap::<u16, u64>::new();
        for ((_, status), count) in &*tally {
            *by_status.entry(*status).or_default() += count;
        }
        let all: u64 = by_status.values().sum();
        println!(
            "random requests: {all}, {} of them signed in; {by_status:?}",
            self.signed_in.lock()
        );
        for (_, path, operation) in operations(&self.document) {
            let of_path = tally.iter().filter(|((asked, _), _)| asked == path);
            let statuses: BTreeMap<u16, u64> = of_path
                .map(|((_, status), count)| (*status, *count))
                .collect();
            let good = statuses.keys().any(|status| *status < 400);
            let mark = if good { "" } else { " (never done)" };
            println!("  {path} {statuses:?}{mark} {}", operation["operationId"]);
        }
    }

    fn every_route_was_asked(&self) {
        let tally = self.tally.lock();
        for (_, path, _) in operations(&self.document) {
            assert!(tally.keys().any(|(asked, _)| asked == path), "{path}");
        }
    }
}

/// The whole answer; of a stream what comes in a moment.
async fn read(mut answer: Response, is_stream: bool) -> String {
    if !is_stream {
        return answer.text().await.unwrap_or_default();
    }
    let mut text = Vec::new();
    let reading = async {
        while let Ok(Some(part)) = answer.chunk().await {
            text.extend_from_slice(&part);
        }
    };
    let _goes_on = timeout(LISTENED, reading).await;
    String::from_utf8_lossy(&text).into_owned()
}
