//! Somebody without rights tries each command on each kind of target: refused, and Discord is not even
//! asked; what is hidden is told as what does not exist, to the byte.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    stage::{Stage, id, member, requests_of_commands},
    teller::{Answer, Teller},
};
use crate::house::{Discord, House};

/// Nobody and nothing has this id.
const NOTHING: &str = "1234567890123456789";
/// So many commands may somebody give at once.
const BURST: usize = 10;

/// A room or guild that is named.
#[derive(Clone, Debug)]
struct Target {
    kind: &'static str,
    id: String,
    /// Whether the attacker sees it, and is a member there.
    seen: bool,
}

/// Whom a command is about.
#[derive(Clone, Debug)]
struct Victim {
    kind: &'static str,
    id: String,
}

/// What is tried, with what it is told.
#[derive(Debug)]
struct Try {
    name: &'static str,
    body: Value,
    target: Target,
    about: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rights_each_command_on_each_target_is_refused_before_discord() {
    let scene = Scene::open().await;
    let tries = scene.tries();
    let mut told = BTreeMap::new();
    let before = scene.truth().await;
    for keyed in [false, true] {
        for (chunk, attacker) in tries.chunks(BURST).zip(scene.attackers(keyed)) {
            let attacker = Teller::sign_in(&scene.house, attacker).await;
            for (number, one) in chunk.iter().enumerate() {
                let key = keyed.then(|| format!("attack-{number}"));
                let answer = attacker
                    .give(&scene.house, one.name, key.as_deref(), &one.body)
                    .await;
                check(one, &answer);
                let place = (one.name, one.about, one.target.kind, keyed);
                told.insert(place, answer);
            }
        }
    }
    hidden_is_nothing(&told);
    assert_eq!(scene.truth().await, before, "nothing reached Discord");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_timeout_nobody_does_anything_nor_learns_of_hidden_rooms() {
    let scene = Scene::open().await;
    let mut told = BTreeMap::new();
    let before = scene.truth().await;
    let tries = scene.tries();
    for (chunk, attacker) in tries.chunks(BURST).zip(scene.attackers(false)) {
        time_out(&scene.house.discord, attacker).await;
        let attacker = Teller::sign_in(&scene.house, attacker).await;
        for (number, one) in chunk.iter().enumerate() {
            let key = format!("attack-{number}");
            let answer = attacker
                .give(&scene.house, one.name, Some(&key), &one.body)
                .await;
            check(one, &answer);
            if one.target.seen {
                assert_eq!(answer.told(), (403, "timed_out"), "{one:?}: {answer:?}");
            }
            told.insert((one.name, one.about, one.target.kind, true), answer);
        }
    }
    hidden_is_nothing(&told);
    assert_eq!(scene.truth().await, before, "nothing reached Discord");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moderator_elsewhere_learns_nothing_of_who_is_in_a_hidden_room() {
    let scene = Scene::open().await;
    let before = scene.truth().await;
    let moderator = Teller::sign_in(&scene.house, &scene.moderator).await;
    let room = &scene.targets[1].id;
    let mut told = Vec::new();
    let hidden = |victim: &&Victim| victim.kind == "somebody in a hidden room";
    let hidden = &scene.victims.iter().find(hidden).expect("one").id;
    // A member who is in no room, and one who is in none that is seen.
    for (person, key) in [(&scene.attackers[0], "1"), (hidden, "2")] {
        let body = json!({"channelId": room, "userId": person});
        let moves = moderator
            .give(&scene.house, "connectUserToVoiceChannel", Some(key), &body)
            .await;
        assert_eq!(moves.told(), (200, "waiting"), "{moves:?}");
        let kicks = moderator
            .give(&scene.house, "kickFromRoom", Some(key), &body)
            .await;
        assert_eq!(kicks.told(), (409, "not_in_room"), "{kicks:?}");
        told.push((moves.body["discordUrl"].clone(), kicks));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(scene.truth().await, before, "nothing reached Discord");
}

fn check(one: &Try, answer: &Answer) {
    let refused = if one.target.seen {
        answer.status == 403
    } else {
        answer.told() == (404, "not_found")
    };
    assert!(refused, "{one:?}: {answer:?}");
}

/// Whatever is not seen is answered as what is not there.
fn hidden_is_nothing(told: &BTreeMap<(&str, &str, &str, bool), Answer>) {
    let mut compared = 0;
    for ((name, about, kind, keyed), answer) in
        told.iter().filter(|(_, answer)| answer.status == 404)
    {
        let nothing = &told[&(*name, *about, "nothing", *keyed)];
        assert_eq!(
            answer, nothing,
            "{name} about {about} at {kind}, with a key: {keyed}"
        );
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

/// A house with people who have no rights, and everything that they may try it on.
struct Scene {
    house: House,
    attackers: Vec<String>,
    /// Of the rooms that they see.
    moderator: String,
    targets: Vec<Target>,
    guilds: Vec<Target>,
    victims: Vec<Victim>,
}

impl Scene {
    async fn open() -> Self {
        let mut attackers = Vec::new();
        let mut stages = Vec::new();
        let house = House::whose("standing", &[], async |discord| {
            stages = Stage::set_up(discord, 1).await;
            for number in 0..24 {
                attackers.push(member(discord, &format!("attacker{number}"), &[]).await);
            }
        })
        .await;
        let truth = house.discord.state().await;
        let own = &truth["guilds"][0];
        let other = &truth["guilds"][2];
        let of_kind = |guild: &Value, kind: u64| {
            let channels = guild["channels"].as_array().into_iter().flatten();
            id(channels
                .into_iter()
                .find(|one| one["type"] == kind)
                .expect("one"))
        };
        let target = |kind, id: String, seen| Target { kind, id, seen };
        let targets = vec![
            target("nothing", NOTHING.to_owned(), false),
            target("open", stages[0].room.clone(), true),
            target("hidden", house.discord.gated.clone(), false),
            target("of another guild", of_kind(other, 2), false),
            target("text", of_kind(own, 0), false),
            target("category", of_kind(own, 4), false),
            target("guild", id(own), false),
        ];
        let guilds = vec![
            target("nothing", NOTHING.to_owned(), false),
            target("of others", id(other), false),
            target("room", stages[0].room.clone(), false),
        ];
        let hidden_person = own["voiceStates"].as_array().into_iter().flatten();
        let hidden_person = hidden_person
            .into_iter()
            .find(|one| one["channelId"] == *house.discord.gated)
            .expect("the owner is there");
        let stranger = other["ownerId"].as_str().expect("an id").to_owned();
        let victim = |kind, id: &str| Victim {
            kind,
            id: id.to_owned(),
        };
        let victims = vec![
            victim("somebody there", &stages[0].kicked),
            victim("somebody elsewhere", &stages[0].moved),
            victim(
                "somebody in a hidden room",
                hidden_person["userId"].as_str().expect("an id"),
            ),
            victim("a stranger", &stranger),
            victim("nobody", NOTHING),
        ];
        Self {
            house,
            attackers,
            moderator: stages[0].moderator.clone(),
            targets,
            guilds,
            victims,
        }
    }

    fn attackers(&self, second: bool) -> impl Iterator<Item = &String> {
        self.attackers
            .iter()
            .skip(if second { 12 } else { 0 })
            .take(12)
    }

    /// Each command on each target, and about each person.
    fn tries(&self) -> Vec<Try> {
        let mut tries = Vec::new();
        for target in &self.targets {
            let mut one = |name, about, body: Value| {
                let target = target.clone();
                tries.push(Try {
                    name,
                    body,
                    target,
                    about,
                });
            };
            let room = &target.id;
            for Victim { kind, id } in &self.victims {
                let body = json!({"channelId": room, "userId": id});
                one("connectUserToVoiceChannel", kind, body.clone());
                one("kickFromRoom", kind, body);
            }
            one(
                "renameRoom",
                "",
                json!({"channelId": room, "name": "taken over"}),
            );
            one("setRoomLimit", "", json!({"channelId": room, "limit": 1}));
            one(
                "setRoomStatus",
                "",
                json!({"channelId": room, "status": "taken over"}),
            );
            // Whoever may connect to a room may go there.
            if !target.seen {
                one(
                    "connectUserToVoiceChannel",
                    "oneself",
                    json!({"channelId": room}),
                );
            }
        }
        for target in &self.guilds {
            let body = json!({"guildId": target.id});
            let target = target.clone();
            tries.push(Try {
                name: "disconnect",
                body,
                target,
                about: "",
            });
        }
        tries
    }

    /// How often Discord was asked for something, and what it did for anybody.
    async fn truth(&self) -> (u64, usize) {
        let truth = self.house.discord.state().await;
        let entries = truth["guilds"].as_array().into_iter().flatten();
        let reasons = entries.flat_map(|guild| guild["auditLog"].as_array().into_iter().flatten());
        let given = reasons.filter(|entry| !entry["reason"].is_null()).count();
        (requests_of_commands(&truth), given)
    }
}

async fn time_out(discord: &Discord, user: &str) {
    let path = format!("/sim/guilds/{}/members/{user}", discord.guild);
    discord
        .patch(&path, &json!({"timeoutUntil": "2099-01-01T00:00:00Z"}))
        .await;
}
