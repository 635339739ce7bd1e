//! Random histories of rooms: people make them, come, go, lock, block, hand over and close, people delete
//! them in Discord, Discord fails, and gateway and web are killed. Whenever all is quiet, what Guildhall
//! knows is what Discord has: each channel and role that was made is of one room that is known, nobody
//! owns more than they may, and locks, owners and those kept out are as was told. In the end everything is
//! closed, and nothing is left.
//!
//! `ROOM_SEED=7 cargo test -p guildhall --test it histories_of_rooms -- --nocapture` repeats one; `ROOM_HISTORIES`
//! says how many there are.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    stage::{LOBBY, Stage},
    truth,
};
use crate::{
    commands::{
        stage::room_of,
        teller::{Answer, Teller, is_worth_another_try},
    },
    house::retry,
};

/// How many there are, if nobody says otherwise.
const HISTORIES: u64 = 2;
const PEOPLE: usize = 6;
/// Turns until all has to be quiet, and how often it has to.
const TURNS: usize = 25;
const REST: usize = 3;

/// What of Discord's may fail, as often as not.
const ROUTES: [&str; 8] = [
    "POST /guilds/{guild_id}/channels",
    "DELETE /channels/{channel_id}",
    "PUT /channels/{channel_id}/permissions/{overwrite_id}",
    "PATCH /channels/{channel_id}",
    "PATCH /guilds/{guild_id}/members/{user_id}",
    "POST /guilds/{guild_id}/roles",
    "DELETE /guilds/{guild_id}/roles/{role_id}",
    "PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}",
];

/// Random numbers from a seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let end = u64::try_from(end).expect("small");
        usize::try_from((mixed ^ (mixed >> 31)) % end).expect("small")
    }
}

struct History {
    stage: Stage,
    chance: Chance,
    people: Vec<Teller>,
    /// Invites that were given, by room.
    tokens: Vec<String>,
    rooms: Vec<String>,
    given: usize,
    open: JoinSet<(GivenCommand, Option<Answer>)>,
    /// Nobody knows yet what becomes of them.
    undecided: Vec<GivenCommand>,
    told: Vec<String>,
}

/// With its key, so that it can be asked again what became of it.
struct GivenCommand {
    who: Teller,
    name: &'static str,
    key: String,
    body: Value,
}

/// Side by side: half of it is waiting.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_rooms_what_is_known_is_what_there_is() {
    let seed = number("ROOM_SEED");
    let count = number("ROOM_HISTORIES").unwrap_or(HISTORIES);
    let seeds = seed.map_or(0..count, |seed| seed..seed + 1);
    for seed in seeds {
        println!("ROOM_SEED={seed}");
        let histories = ["overwrites", "role"].map(|mode| one(mode, seed));
        for told in join_all(histories).await {
            println!("{told}");
        }
    }
}

async fn one(mode: &'static str, seed: u64) -> String {
    let lobby = json!([{"channel": LOBBY, "template": "{name}", "idle": "60s"}]).to_string();
    let settings = [("ROOM_MODE", mode), ("LOBBIES", lobby.as_str())];
    let stage = Stage::open(&settings).await;
    let names: Vec<String> = (0..PEOPLE)
        .map(|number| format!("person{number}"))
        .collect();
    let people = join_all(names.iter().map(|name| stage.person(name))).await;
    let mut history = History {
        stage,
        chance: Chance(seed),
        people,
        tokens: Vec::new(),
        rooms: Vec::new(),
        given: 0,
        open: JoinSet::new(),
        undecided: Vec::new(),
        told: Vec::new(),
    };
    for _ in 0..REST {
        for _ in 0..TURNS {
            history.turn().await;
        }
        history.rest().await;
    }
    for who in &history.people {
        history.stage.house.discord.voice(&who.id, None).await;
    }
    history.stage.close_all().await;
    let mut words = BTreeMap::<&str, usize>::new();
    for word in &history.told {
        *words.entry(word).or_default() += 1;
    }
    format!("{mode}: {} commands, {words:?}", history.given)
}

impl History {
    async fn turn(&mut self) {
        match self.chance.below(20) {
            0..=9 => self.give().await,
            10..=12 => self.walk().await,
            13..=15 => self.fault().await,
            16 => self.somebody_deletes().await,
            17 => self.kill_gateway().await,
            18 => self.kill_web().await,
            _ => retry().await,
        }
    }

    /// Somebody asks for something, whether it makes sense or not.
    async fn give(&mut self) {
        let truth = self.stage.truth().await;
        self.rooms = truth::rooms(&self.stage.before, &truth);
        let who = self.people[self.chance.below(PEOPLE)].clone();
        let whom = self.people[self.chance.below(PEOPLE)].id.clone();
        let yes = self.chance.below(2) == 0;
        let some = self.chance.below(self.rooms.len().max(1));
        let room = self.rooms.get(some).cloned();
        let token = self.chance.below(self.tokens.len().max(1));
        let token = self.tokens.get(token).cloned();
        let guild = self.stage.guild();
        let (name, body) = match (self.chance.below(10), room, token) {
            (1, Some(room), _) => ("createInvite", json!({"channelId": room, "seats": 2})),
            (2 | 3, _, Some(token)) => ("joinRoom", json!({"token": token})),
            (4, Some(room), _) => ("lockRoom", json!({"channelId": room, "locked": yes})),
            (5, Some(room), _) => ("hideRoom", json!({"channelId": room, "hidden": yes})),
            (6, Some(room), _) => ("blockFromRoom", json!({"channelId": room, "userId": whom})),
            (7, Some(room), _) => (
                "unblockFromRoom",
                json!({"channelId": room, "userId": whom}),
            ),
            (8, Some(room), _) => ("transferRoom", json!({"channelId": room, "userId": whom})),
            (9, Some(room), _) => ("closeRoom", json!({"channelId": room})),
            _ => (
                "createRoom",
                json!({"guildId": guild, "name": format!("Room {}", self.given)}),
            ),
        };
        self.given += 1;
        let key = format!("key-{}", self.given);
        let request = who.request(&self.stage.house, name, Some(&key), &body);
        let given = GivenCommand {
            who,
            name,
            key,
            body,
        };
        self.open.spawn(async move {
            let answer = async { Answer::read(request.send().await.ok()?).await.ok() };
            (given, answer.await)
        });
        while let Some(ended) = self.open.try_join_next() {
            self.ended(ended.expect("no panic"));
        }
    }

    fn ended(&mut self, (given, answer): (GivenCommand, Option<Answer>)) {
        match answer {
            Some(answer) if !is_worth_another_try(&answer) => self.heard(&answer),
            // It may be under way yet, or go on in the next process.
            _ => self.undecided.push(given),
        }
    }

    fn heard(&mut self, answer: &Answer) {
        if let Some(token) = answer.body["token"].as_str() {
            self.tokens.push(token.to_owned());
        }
        let word = answer.body["error"]["code"].as_str().unwrap_or("done");
        self.told.push(word.to_owned());
    }

    /// Somebody joins a room in Discord, a lobby, or leaves.
    async fn walk(&mut self) {
        let who = self.people[self.chance.below(PEOPLE)].id.clone();
        let discord = &self.stage.house.discord;
        let to = match self.chance.below(3) {
            0 => None,
            1 => Some(discord.rooms[0].as_str()),
            _ => Some(LOBBY),
        };
        discord.voice(&who, to).await;
    }

    async fn fault(&mut self) {
        let route = ROUTES[self.chance.below(ROUTES.len())];
        let undone = self.chance.below(2) == 0;
        let fault = match self.chance.below(5) {
            0 => json!({"kind": "status", "status": 502, "undone": undone, "route": route}),
            1 => json!({"kind": "tear", "undone": undone, "route": route}),
            2 => json!({"kind": "rate_limit", "retryAfterMs": 150, "route": route}),
            3 => json!({"kind": "latency", "latencyMs": 300, "route": route}),
            _ => {
                json!({"kind": "status", "status": 403, "code": 50_013, "undone": true, "route": route})
            }
        };
        self.stage.house.discord.fault(fault).await;
    }

    async fn somebody_deletes(&mut self) {
        let truth = self.stage.truth().await;
        let rooms = truth::rooms(&self.stage.before, &truth);
        if let Some(room) = rooms.get(self.chance.below(rooms.len().max(1))) {
            let path = format!("/sim/channels/{room}");
            let discord = &self.stage.house.discord;
            let status = discord.try_change("DELETE", &path, &Value::Null).await;
            // We may have been quicker.
            assert!(status.is_success() || status == 404, "{status}");
        }
    }

    async fn kill_gateway(&mut self) {
        self.stage.house.gateway.signal("KILL");
        self.stage.house.gateway.ended().await;
        self.stage.house.restart_gateway();
    }

    async fn kill_web(&mut self) {
        self.stage.house.web.signal("KILL");
        self.stage.house.web.ended().await;
        self.stage.house.restart_web().await;
    }

    /// All is quiet, and looked at.
    async fn rest(&mut self) {
        self.stage
            .house
            .discord
            .fault(json!({"kind": "heal"}))
            .await;
        while let Some(ended) = self.open.join_next().await {
            self.ended(ended.expect("no panic"));
        }
        self.stage.ready().await;
        // What goes on behind a look at all that there is would make it a lie.
        for GivenCommand {
            who,
            name,
            key,
            body,
        } in std::mem::take(&mut self.undecided)
        {
            let answer = self.stage.insist(&who, name, &key, &body).await;
            self.heard(&answer);
        }
        let truth = self.stage.until_tidy().await;
        let managed = self.stage.managed().await;
        for who in &self.people {
            let own = managed.iter().filter(|room| room["ownerId"] == who.id);
            assert!(own.count() <= 1, "{managed:#?}");
        }
        for room in &managed {
            self.is_as_told(&truth, room);
        }
    }

    /// Discord lets those in whom the room's word lets in.
    fn is_as_told(&self, truth: &Value, room: &Value) {
        let id = truth::text(&room["channelId"]);
        let owner = room["ownerId"].as_str().unwrap_or_default();
        assert!(
            truth::gets_in(truth, owner, &id),
            "{room}: its owner is shut out"
        );
        let channel = truth::channel(truth, &id).expect("it is there");
        assert_eq!(channel["botSees"], true, "{room}");
        let unnamed = |who: &&Teller| {
            let all = truth::overwrites(channel).iter();
            let mut by_name = all.filter(|one| one["type"] == 1);
            who.id != owner && !by_name.any(|one| one["id"] == who.id)
        };
        let elsewhere = |who: &&Teller| room_of(truth, &who.id).as_deref() != Some(id.as_str());
        let roleless = |who: &&Teller| {
            let mut members = truth::list(truth, "members").iter();
            let member = members.find(|one| one["userId"] == who.id);
            member.is_some_and(|one| one["roles"].as_array().is_some_and(Vec::is_empty))
        };
        let strangers = self
            .people
            .iter()
            .filter(unnamed)
            .filter(roleless)
            .filter(elsewhere);
        for stranger in strangers {
            let sees = truth::sees(truth, &stranger.id, &id);
            assert_eq!(sees, room["hidden"] != true, "{room}: {}", stranger.id);
            if room["locked"] == true {
                assert!(
                    !truth::gets_in(truth, &stranger.id, &id),
                    "{room}: {}",
                    stranger.id
                );
            }
        }
    }
}

/// A number that whoever runs this gave.
fn number(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own argument, which cargo has no other way to hand over"
    )]
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}
