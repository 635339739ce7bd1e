//! Thousands come at one moment, such as after a deploy: each of them is looked up and let in, in
//! the order in which they came, within what Discord allows, and voice goes on meanwhile.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use guildhall_link::{
    Frame,
    frame::{ReplyBody, Request, RequestBody, WatchRequestBody},
    pending::WATCH_LIMIT,
};
use guildhall_model::{Change, GuildId, UserId};
use serde_json::json;
use tokio::{
    net::TcpStream,
    select,
    time::{Instant, interval, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::house::{House, LINK_TOKEN, SOON};

const PEOPLE: usize = 5_000;
/// So many of those who came later may be answered before somebody: one call's worth.
const CALL: usize = 100;
/// Who comes while nobody waits is asked for alone, at Discord's pace for that. A busy machine
/// hears slowly, so there are more of them.
const ALONE: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_people_who_come_at_one_moment_are_let_in_while_voice_goes_on() {
    // A busy machine reads slowly: who follows the link here is not to be left behind.
    let house = House::of("big", &[("LOG_WINDOW", "50000")]).await;
    let state = house.discord.state().await;
    let guilds = state["guilds"].as_array().expect("guilds");
    let people = |guild: &serde_json::Value| guild["members"].as_array().map_or(0, Vec::len);
    let big = guilds.iter().max_by_key(|guild| people(guild));
    let big = big.expect("there are guilds");
    let id = |value: &serde_json::Value| value.as_str().and_then(|id| id.parse().ok());
    let guild_id = GuildId(id(&big["id"]).expect("an id"));
    let members = big["members"].as_array().into_iter().flatten();
    let users = members
        .filter_map(|member| id(&member["userId"]))
        .map(UserId);
    let users: Vec<UserId> = users.take(PEOPLE).collect();
    assert_eq!(users.len(), PEOPLE);

    let mut link = Link::follow(house.ports.link).await;
    let load = json!({"eventsPerSecond": 200, "seconds": 5});
    house.discord.post("/sim/load", &load).await;
    let told = link.watch(guild_id, &users).await;

    assert_eq!(told.order.len(), PEOPLE);
    // The gateway answers within 4.5 s of taking a question, with or without an outcome: a machine
    // so busy that all of it takes twice as long can show the order, and no more.
    assert!(
        told.failed == 0 || told.took > 2 * WATCH_LIMIT,
        "{} failed, in {:?}",
        told.failed,
        told.took
    );
    let passed = passed(&told.order);
    assert!(
        passed <= ALONE,
        "{passed} were passed by more than {CALL} others"
    );
    // How late is the machine's matter; were voice left until all are let in, there would be none.
    let sent = told.took.min(Duration::from_secs(5)).as_secs_f64() * 200.0;
    assert!(
        f64::from(told.stamps) > sent / 3.0,
        "{} of {sent} voice events meanwhile, {:?} late at most",
        told.stamps,
        told.latest
    );
    let calls = house.metrics(house.ports.gateway_ops).await;
    let calls = calls
        .lines()
        .find_map(|line| line.strip_prefix("guildhall_rights_calls_total "));
    let calls: usize = calls.and_then(|count| count.parse().ok()).expect("a count");
    assert!(
        (45..=56).contains(&calls),
        "{calls} calls, of the 56 of a minute"
    );
}

/// How many were answered after more than a call's worth of those who came later.
fn passed(order: &[usize]) -> usize {
    let mut answered_at = vec![0; order.len()];
    for (at, person) in order.iter().enumerate() {
        answered_at[*person] = at;
    }
    let passed = |person: &usize| {
        let (own, later) = (answered_at[*person], &answered_at[person + 1..]);
        later.iter().filter(|at| **at < own).count() > CALL
    };
    (0..order.len()).filter(passed).count()
}

/// What was told during the storm.
struct Told {
    /// Who was answered, by their place in the line.
    order: Vec<usize>,
    failed: usize,
    /// From the first question to the last answer.
    took: Duration,
    /// Events of the load user, and how late the latest of them came.
    stamps: u32,
    latest: Duration,
}

/// The link as a web role has it.
struct Link {
    says: SplitSink<Socket, Message>,
    hears: SplitStream<Socket>,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Link {
    /// Returns when it has the world.
    async fn follow(port: u16) -> Self {
        let url = format!("ws://127.0.0.1:{port}/link");
        let mut request = url.into_client_request().expect("a request");
        let token = format!("Bearer {LINK_TOKEN}").parse().expect("a header");
        request.headers_mut().insert("authorization", token);
        let (socket, _) = connect_async(request).await.expect("the right token");
        let (says, hears) = socket.split();
        let mut link = Self { says, hears };
        say(&mut link.says, [Frame::Subscribe { after: None }]).await;
        while !matches!(hear(&mut link.hears).await, Frame::SnapshotEnd { .. }) {}
        link
    }

    /// Asks for all of them at once, and waits for every answer.
    async fn watch(&mut self, guild_id: GuildId, users: &[UserId]) -> Told {
        let began = Instant::now();
        let questions = (0..).zip(users).map(|(id, user_id)| {
            let watch = WatchRequestBody {
                user_id: *user_id,
                guild_ids: vec![guild_id],
            };
            Frame::Request(Request {
                id,
                // Longer than the gateway takes to say that it does not know.
                deadline: 12 * WATCH_LIMIT,
                body: RequestBody::Watch(watch),
            })
        });
        let mut told = Told {
            order: Vec::new(),
            failed: 0,
            took: Duration::ZERO,
            stamps: 0,
            latest: Duration::ZERO,
        };
        let hears = &mut self.hears;
        let answered = async {
            while told.order.len() < users.len() {
                told.take(hear(hears).await);
            }
        };
        let says = &mut self.says;
        let asked = async {
            say(says, questions).await;
            // Who says nothing for ten seconds is cut.
            let mut beats = interval(Duration::from_secs(2));
            loop {
                beats.tick().await;
                let beat = says.send(Message::Ping(Vec::new().into())).await;
                beat.expect("it is taken");
            }
        };
        select! {
            () = answered => {}
            () = asked => {}
        }
        told.took = began.elapsed();
        told
    }
}

impl Told {
    fn take(&mut self, frame: Frame) {
        match frame {
            Frame::Reply(reply) => {
                let person = usize::try_from(reply.id).expect("one of ours");
                self.order.push(person);
                let known = matches!(reply.result, Ok(ReplyBody::Watched(watched)) if watched.failed.is_empty());
                self.failed += usize::from(!known);
            }
            Frame::Event(envelope) => {
                if let Change::VoiceUpdated(occupant) = &envelope.event.change
                    && let Some(late) = late(&occupant.username)
                {
                    self.stamps += 1;
                    self.latest = self.latest.max(late);
                }
            }
            _ => {}
        }
    }
}

async fn say(says: &mut SplitSink<Socket, Message>, frames: impl IntoIterator<Item = Frame>) {
    for frame in frames {
        let message = Message::text(frame.encode(0));
        says.feed(message).await.expect("it is taken");
    }
    says.flush().await.expect("it is taken");
}

async fn hear(hears: &mut SplitStream<Socket>) -> Frame {
    loop {
        let message = timeout(SOON, hears.next()).await.expect("in time");
        let message = message.expect("it stays open").expect("a message");
        match message {
            Message::Text(text) => return Frame::decode(text.as_str()).expect("a frame"),
            Message::Close(why) => panic!("closed: {why:?}"),
            _ => {}
        }
    }
}

/// How long ago the load user was stamped: `NUMBER:MICROSECONDS`.
fn late(stamp: &str) -> Option<Duration> {
    let (_, micros) = stamp.split_once(':')?;
    let sent = UNIX_EPOCH + Duration::from_micros(micros.parse().ok()?);
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulator's clock is this one"
    )]
    let now = SystemTime::now();
    now.duration_since(sent).ok()
}
