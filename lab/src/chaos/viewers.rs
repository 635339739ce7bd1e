//! Four people who look on, each with other rights, and what is done to the rights of the last.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rng::Rng;
use crate::bench::http::Client;

const ADMINISTRATOR: u64 = 1 << 3;
const VIEW_CHANNEL: u64 = 1 << 10;
const VOICE: u8 = 2;

/// Somebody who looks on.
#[derive(Clone)]
pub(super) struct Onlooker {
    pub(super) what: &'static str,
    pub(super) user_id: String,
}

/// Where in the list whoever's rights change is: the last.
pub(super) const CHANGING: usize = 3;

/// What the simulator tells of the first guild.
#[derive(Deserialize)]
struct State {
    guilds: Vec<WatchedGuild>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WatchedGuild {
    id: String,
    owner_id: String,
    members: Vec<WatchedMember>,
    channels: Vec<Channel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WatchedMember {
    user_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Channel {
    id: String,
    #[serde(rename = "type")]
    kind: u8,
    permission_overwrites: Vec<Overwrite>,
}

#[derive(Deserialize)]
struct Overwrite {
    id: String,
    allow: String,
}

/// Changes one person's rights.
pub(super) struct RightsChanges {
    simulator: Client,
    guild_id: String,
    user_id: String,
    /// Which opens a room.
    key_role: String,
    /// Which nobody else has.
    own_role: String,
    /// Of which the own role or an overwrite may show or hide each; the first room, where the load is,
    /// is not among them.
    rooms: Vec<String>,
    is_member: bool,
    /// How many there were.
    pub(super) made: u64,
}

/// Makes them: the owner, one with the role that opens a room, a member without any, and one whose
/// rights are going to change.
pub(super) fn bring(simulator_at: SocketAddr) -> anyhow::Result<([Onlooker; 4], RightsChanges)> {
    let mut simulator = Client::new(simulator_at);
    let state = simulator.get("/sim/state", &[])?.body;
    let state: State = serde_json::from_str(&state).context("/sim/state of another shape")?;
    let guild = state.guilds.into_iter().next();
    let guild = guild.context("the simulator has no guild")?;
    let plain = guild.members.first().context("the guild has no member")?;
    let voice = guild.channels.iter().filter(|it| it.kind == VOICE);
    let rooms: Vec<&Channel> = voice.collect();
    let mut keys = rooms.iter().flat_map(|room| &room.permission_overwrites);
    let opens = |it: &&Overwrite| {
        it.allow
            .parse::<u64>()
            .is_ok_and(|it| it & VIEW_CHANNEL != 0)
    };
    let key_role = keys.find(opens).context("no room has a key")?.id.clone();

    let own_role = json!({"guildId": guild.id, "name": "changing", "permissions": "0"});
    let own_role = made(&mut simulator, "/sim/roles", &own_role)?;
    let mut join = |name: &str, role: &str| -> anyhow::Result<String> {
        let id = made(&mut simulator, "/sim/users", &json!({"username": name}))?;
        let member = json!({"userId": id, "roles": [role]});
        let path = format!("/sim/guilds/{}/members", guild.id);
        done(&mut simulator, Method::POST, &path, Some(&member))?;
        Ok(id)
    };
    let with_key = join("keyholder", &key_role)?;
    let changing = join("changeling", &own_role)?;
    let viewer = |what, user_id: &str| Onlooker {
        what,
        user_id: user_id.to_owned(),
    };
    let viewers = [
        viewer("the owner", &guild.owner_id),
        viewer("a role's member", &with_key),
        viewer("a plain member", &plain.user_id),
        viewer("whose rights change", &changing),
    ];
    let changes = RightsChanges {
        simulator,
        user_id: changing,
        key_role,
        own_role,
        rooms: rooms.iter().skip(1).map(|room| room.id.clone()).collect(),
        is_member: true,
        made: 0,
        guild_id: guild.id,
    };
    Ok((viewers, changes))
}

impl RightsChanges {
    /// One more.
    pub(super) fn one(&mut self, rng: &mut Rng) -> anyhow::Result<()> {
        self.made += 1;
        if !self.is_member {
            return self.rejoin();
        }
        let (guild, user) = (self.guild_id.clone(), self.user_id.clone());
        let one_of_two = if rng.one_in(2) {
            &self.key_role
        } else {
            &self.own_role
        };
        let role = format!("/sim/guilds/{guild}/members/{user}/roles/{one_of_two}");
        match rng.within(0..=9) {
            0..=2 => self.send(Method::PUT, &role, None),
            3 | 4 => self.send(Method::DELETE, &role, None),
            5 => {
                let permissions = rng.of(&[0, ADMINISTRATOR]).copied().unwrap_or(0);
                let path = format!("/sim/roles/{}", self.own_role);
                let edit = json!({"permissions": permissions.to_string()});
                self.send(Method::PATCH, &path, Some(&edit))
            }
            6..=8 => {
                let (target, kind) = if rng.one_in(2) {
                    (self.own_role.clone(), 0)
                } else {
                    (user, 1)
                };
                let room = rng.of(&self.rooms).context("there is one room only")?;
                let path = format!("/sim/channels/{room}/permissions/{target}");
                let view = VIEW_CHANNEL.to_string();
                let bits = if rng.one_in(2) { "allow" } else { "deny" };
                let overwrite = json!({"type": kind, bits: view});
                self.send(Method::PUT, &path, Some(&overwrite))
            }
            _ => {
                self.is_member = false;
                let path = format!("/sim/guilds/{guild}/members/{user}?how=kick");
                self.send(Method::DELETE, &path, None)
            }
        }
    }

    fn rejoin(&mut self) -> anyhow::Result<()> {
        self.is_member = true;
        let path = format!("/sim/guilds/{}/members", self.guild_id);
        let member = json!({"userId": self.user_id});
        self.send(Method::POST, &path, Some(&member))
    }

    fn send(&mut self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<()> {
        done(&mut self.simulator, method, path, body).map(drop)
    }
}

/// What was made has this id.
fn made(simulator: &mut Client, path: &str, body: &Value) -> anyhow::Result<String> {
    let made: Value = serde_json::from_str(&done(simulator, Method::POST, path, Some(body))?)?;
    let id = made["id"].as_str().context("what was made has no id")?;
    Ok(id.to_owned())
}

fn done(
    simulator: &mut Client,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<String> {
    let body = body.map(Value::to_string);
    let answer = simulator.send(method, path, body.as_deref())?;
    if !(200..300).contains(&answer.status) {
        bail!("{path}: {} {}", answer.status, answer.body);
    }
    Ok(answer.body)
}
