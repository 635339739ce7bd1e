//! A bot of three shards has three logs. A browser that is about guilds of all of them misses
//! nothing and hears nothing twice, whoever is killed.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::house::{Discord, Frame, SOON, ShardedHouse, Stream};

const SHARDS: u64 = 3;
/// In the third shard: that of its number without the lowest 22 bits.
const CLUB: u64 = (1_000 * SHARDS + 2) << 22;

/// What is told of one guild, and heard of it.
#[derive(Default)]
struct Guild {
    told: Vec<String>,
    heard: Vec<String>,
}

/// The guilds of the house: one in each shard, in that order.
struct Guilds {
    ids: [String; 3],
    /// Who sits in the club's room, and where.
    member: (String, String),
    all: BTreeMap<String, Guild>,
}

impl Guilds {
    /// Tells one thing more of each guild: two carry stamps, in the third somebody's flag flips.
    async fn tell(&mut self, discord: &Discord) {
        for id in self.ids.clone() {
            let guild = self.all.entry(id.clone()).or_default();
            let number = guild.told.len();
            if id == CLUB.to_string() {
                let is_muted = number.is_multiple_of(2);
                let (user, room) = &self.member;
                let path = format!("/sim/guilds/{id}/voice");
                let voice = json!({"userId": user, "channelId": room, "selfMute": is_muted});
                discord.post(&path, &voice).await;
                guild.told.push(is_muted.to_string());
            } else {
                let stamp = json!({"guildId": id, "stamp": number.to_string()});
                discord.post("/sim/stamp", &stamp).await;
                guild.told.push(number.to_string());
            }
        }
    }

    fn hear(&mut self, frame: &Frame) {
        if frame.event != "voice.updated" {
            return;
        }
        let id = frame.data["guildId"].as_str().expect("an id");
        let guild = self.all.get_mut(id).expect("one of these");
        guild.heard.push(if id == CLUB.to_string() {
            frame.data["selfMute"].to_string()
        } else {
            frame.data["username"].as_str().expect("a name").to_owned()
        });
    }

    /// Reads until all that was told has been heard, and answers with the names of what came
    /// beside it.
    async fn catch_up(&mut self, stream: &mut Stream) -> Vec<String> {
        let mut others = Vec::new();
        let reading = timeout(SOON, async {
            let length = |of: fn(&Guild) -> usize, all: &BTreeMap<String, Guild>| -> usize {
                all.values().map(of).sum()
            };
            while length(|guild| guild.heard.len(), &self.all)
                < length(|guild| guild.told.len(), &self.all)
            {
                let frame = stream.next().await.expect("the stream goes on");
                self.hear(&frame);
                if frame.event != "voice.updated" {
                    others.push(frame.event);
                }
            }
        });
        let is_done = reading.await.is_ok();
        for (id, guild) in &self.all {
            assert_eq!(guild.heard, guild.told, "guild {id}:\n{}", stream.raw);
        }
        assert!(is_done, "nothing more came:\n{}", stream.raw);
        others
    }
}

/// One guild more, and the visitor in all of them; the first two are in shards of their own.
async fn spread(discord: &Discord) -> Guilds {
    let state = discord.state().await;
    let guild_in = |shard: u64| {
        let mut guilds = state["guilds"].as_array().expect("guilds").iter();
        let is_in = |guild: &&Value| {
            let id: u64 = guild["id"]
                .as_str()
                .expect("an id")
                .parse()
                .expect("digits");
            (id >> 22) % SHARDS == shard
        };
        let found = guilds.find(is_in).expect("the standing world has one");
        found["id"].as_str().expect("an id").to_owned()
    };
    let club = CLUB.to_string();
    let body = json!({"id": club, "name": "The Club", "ownerId": discord.visitor});
    discord.post("/sim/guilds", &body).await;
    let user = discord
        .post("/sim/users", &json!({"username": "cleo"}))
        .await;
    let user = user["id"].as_str().expect("an id").to_owned();
    discord
        .post("/sim/members", &json!({"guildId": club, "userId": user}))
        .await;
    let state = discord.state().await;
    let guilds = state["guilds"].as_array().expect("guilds");
    let made = guilds
        .iter()
        .find(|guild| guild["id"] == club)
        .expect("it was made");
    let channels = made["channels"].as_array().expect("channels").iter();
    let room = channels
        .filter(|channel| channel["type"] == 2)
        .map(|room| &room["id"])
        .next();
    let room = room
        .and_then(Value::as_str)
        .expect("a voice channel")
        .to_owned();
    let voice = json!({"userId": user, "channelId": room});
    discord
        .post(&format!("/sim/guilds/{club}/voice"), &voice)
        .await;
    Guilds {
        ids: [guild_in(0), guild_in(1), club],
        member: (user, room),
        all: BTreeMap::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_follows_three_logs_through_kills_of_web_and_of_the_gateway() {
    let mut guilds = None;
    let mut house = ShardedHouse::start(3, async |discord| {
        guilds = Some(spread(discord).await);
    })
    .await;
    let mut guilds = guilds.expect("spread");
    let cookie = house.sign_in(&house.discord.visitor).await;
    let mut stream = house.stream(&cookie, None).await;
    let snapshot = stream.until("snapshot").await;
    let shown = snapshot.data["guilds"].as_array().expect("guilds").iter();
    let shown: Vec<&Value> = shown.map(|guild| &guild["id"]).collect();
    for id in &guilds.ids {
        assert!(shown.contains(&&json!(id)), "{id} in {shown:?}");
    }
    let cursor = stream.cursor.clone().expect("a cursor");
    assert!(cursor.starts_with('~'), "of several logs: {cursor}");
    for _ in 0..20 {
        guilds.tell(&house.discord).await;
    }
    assert_eq!(guilds.catch_up(&mut stream).await, [""; 0]);

    // Web is killed, and Discord goes on.
    guilds.tell(&house.discord).await;
    house.kill_web().await;
    for _ in 0..20 {
        guilds.tell(&house.discord).await;
    }
    // What had come before the end was read, or comes again.
    while let Some(frame) = stream.next().await {
        guilds.hear(&frame);
    }
    let cursor = stream.cursor.clone();
    house.restart_web().await;
    let mut stream = house.stream(&cookie, cursor.as_deref()).await;
    let others = guilds.catch_up(&mut stream).await;
    assert_eq!(others, ["resumed"], "{}", stream.raw);

    // The gateway is killed under the open stream.
    guilds.tell(&house.discord).await;
    house.kill_gateway().await;
    for _ in 0..20 {
        guilds.tell(&house.discord).await;
    }
    house.restart_gateway().await;
    let mut others = guilds.catch_up(&mut stream).await;
    others.retain(|name| name != "status");
    assert_eq!(others, [""; 0], "{}", stream.raw);

    // Who comes back goes on in all of the logs.
    let cursor = stream.cursor.clone();
    drop(stream);
    guilds.tell(&house.discord).await;
    let mut again = house.stream(&cookie, cursor.as_deref()).await;
    let mut others = guilds.catch_up(&mut again).await;
    others.retain(|name| name != "status");
    assert_eq!(others, ["resumed"], "{}", again.raw);
}
