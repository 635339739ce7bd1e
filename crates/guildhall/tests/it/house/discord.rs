//! The simulated Discord's control, and its truth.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::client;

pub(crate) struct Discord {
    /// Its origin.
    pub(crate) url: String,
    pub(crate) application_id: String,
    pub(crate) bot_token: String,
    pub(crate) client_secret: String,
    /// What it signs webhook events with can be checked by it.
    pub(crate) public_key: String,
    /// The first guild.
    pub(crate) guild: String,
    /// Its first member: a person who sees the first two voice channels.
    pub(crate) visitor: String,
    /// The load user, who sits in the first voice channel from the start.
    pub(crate) load_user: String,
    /// The first two voice channels, seen by the visitor.
    pub(crate) rooms: [String; 2],
    /// A voice channel that the visitor does not see, and the role that opens it.
    pub(crate) gated: String,
    pub(crate) gate_role: String,
    /// People of the first guild, the visitor left out, who are in no channel.
    pub(crate) people: Vec<String>,
    http: Client,
}

impl Discord {
    /// Reads the standing world of a simulator.
    pub(crate) async fn at(url: &str) -> Self {
        Self::reached(client(), url).await
    }

    /// The same, of one that takes a client of its own to reach.
    pub(crate) async fn reached(http: Client, url: &str) -> Self {
        let state = read_state(&http, url).await;
        let guild = &state["guilds"][0];
        let id = |value: &Value| value.as_str().expect("an id").to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let voice: Vec<Value> = list(&guild["channels"])
            .into_iter()
            .filter(|channel| channel["type"] == 2)
            .collect();
        let inside = list(&guild["voiceStates"]);
        let bots: Vec<Value> = list(&state["users"])
            .into_iter()
            .filter(|user| user["bot"] == true)
            .map(|user| user["id"].clone())
            .collect();
        let members = list(&guild["members"]);
        let in_voice = |user: &Value| inside.iter().any(|voice| &voice["userId"] == user);
        let people = members.iter().skip(1).map(|member| &member["userId"]);
        let people = people
            .filter(|user| !in_voice(user) && !bots.contains(user))
            .map(id);
        let gated = gated_room(guild, &voice[2..]);
        Self {
            application_id: id(&state["application"]["id"]),
            bot_token: id(&state["application"]["botToken"]),
            client_secret: id(&state["application"]["clientSecret"]),
            public_key: id(&state["application"]["publicKey"]),
            visitor: id(&members[0]["userId"]),
            load_user: id(&inside[0]["userId"]),
            rooms: [id(&voice[0]["id"]), id(&voice[1]["id"])],
            gated: gated.0,
            gate_role: gated.1,
            people: people.collect(),
            guild: id(&guild["id"]),
            url: url.to_owned(),
            http,
        }
    }

    /// `/sim/state`.
    pub(crate) async fn state(&self) -> Value {
        read_state(&self.http, &self.url).await
    }

    /// Puts somebody into a room, or out of any.
    pub(crate) async fn voice(&self, user: &str, channel: Option<&str>) {
        let path = format!("/sim/guilds/{}/voice", self.guild);
        self.post(&path, &json!({"userId": user, "channelId": channel}))
            .await;
    }

    /// Gives a member of the first guild exactly these roles.
    pub(crate) async fn roles(&self, user: &str, roles: &[&str]) {
        let path = format!("/sim/guilds/{}/members/{user}", self.guild);
        self.patch(&path, &json!({"roles": roles})).await;
    }

    /// Changes all of this of a channel at once: one `CHANNEL_UPDATE`.
    pub(crate) async fn edit_channel(&self, channel: &str, edit: &Value) {
        self.patch(&format!("/sim/channels/{channel}"), edit).await;
    }

    /// Changes something.
    pub(crate) async fn patch(&self, path: &str, edit: &Value) {
        let request = self.http.patch(format!("{}{path}", self.url)).json(edit);
        let status = request
            .send()
            .await
            .expect("the simulator answers")
            .status();
        assert!(status.is_success(), "{path} {edit}: {status}");
    }

    /// Changes something in any way.
    pub(crate) async fn change(&self, method: &str, path: &str, body: &Value) {
        let status = self.try_change(method, path, body).await;
        assert!(status.is_success(), "{path} {body}: {status}");
    }

    /// The same where it may be refused.
    pub(crate) async fn try_change(&self, method: &str, path: &str, body: &Value) -> StatusCode {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.url));
        let answer = request.json(body).send().await;
        answer.expect("the simulator answers").status()
    }

    /// Removes the bot from a guild, which is the guild's end here.
    pub(crate) async fn remove_guild(&self, guild: &str) {
        let path = format!("{}/sim/guilds/{guild}", self.url);
        let answer = self.http.delete(path).send().await;
        let status = answer.expect("the simulator answers").status();
        assert!(status.is_success(), "{status}");
    }

    /// A fault.
    pub(crate) async fn fault(&self, fault: Value) {
        self.post("/sim/faults", &fault).await;
    }

    /// One stamped event of the load user.
    pub(crate) async fn stamp(&self, stamp: &str) {
        self.post(
            "/sim/stamp",
            &json!({"guildId": self.guild, "stamp": stamp}),
        )
        .await;
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        let answer = request.send().await.expect("the simulator answers");
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "{path} {body}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

async fn read_state(http: &Client, url: &str) -> Value {
    let answer = http.get(format!("{url}/sim/state")).send().await;
    let answer = answer.expect("the simulator answers");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.expect("its state is JSON")
}

/// The voice channel that some role opens although `@everyone` may not view it, and that role.
fn gated_room(guild: &Value, voice: &[Value]) -> (String, String) {
    const VIEW_CHANNEL: u64 = 1 << 10;
    let has = |overwrite: &Value, what: &str| {
        let bits = overwrite[what]
            .as_str()
            .and_then(|bits| bits.parse::<u64>().ok());
        bits.unwrap_or_default() & VIEW_CHANNEL != 0
    };
    for channel in voice {
        let Some(overwrites) = channel["permissionOverwrites"].as_array() else {
            continue;
        };
        let denied = overwrites
            .iter()
            .any(|overwrite| overwrite["id"] == guild["id"] && has(overwrite, "deny"));
        let bot_role = |id: &Value| {
            let roles = guild["roles"].as_array().into_iter().flatten();
            roles
                .into_iter()
                .any(|role| &role["id"] == id && role["managed"] == true)
        };
        let opening = overwrites.iter().find(|overwrite| {
            has(overwrite, "allow") && overwrite["type"] == 0 && !bot_role(&overwrite["id"])
        });
        if let (true, Some(opening)) = (denied, opening) {
            let text = |value: &Value| value.as_str().expect("an id").to_owned();
            return (text(&channel["id"]), text(&opening["id"]));
        }
    }
    panic!("the standing world has a voice room gated by a role")
}
