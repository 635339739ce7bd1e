//! Guilds of our own in the simulator, with people in voice who give commands and people who only
//! come to look.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::bench::http::Client;
use crate::bench::sign_in::sign_in;

/// One address may sign in 60 times a minute.
pub(super) const SIGNED_IN: usize = 48;
/// Discord takes ten moves a second in one guild, so they are spread.
pub(super) const GUILDS: usize = 4;
/// MANAGE_CHANNELS.
const HOST: u64 = 1 << 4;
/// MANAGE_CHANNELS, MOVE_MEMBERS and MANAGE_ROLES, which it takes to let people into rooms.
const BOT: u64 = 1 << 4 | 1 << 24 | 1 << 28;

pub(super) struct Participants {
    signed_in: Vec<CommandGiver>,
    /// Members about whom the gateway knows nothing yet.
    pub(super) viewers: Vec<Viewer>,
}

/// Somebody who may manage rooms and is in the first of [`CommandGiver::rooms`].
pub(super) struct CommandGiver {
    pub(super) user_id: String,
    pub(super) guild_id: String,
    /// Between these they move.
    pub(super) rooms: [String; 2],
    /// Nobody else changes it.
    pub(super) own_room: String,
    /// `NAME=VALUE` of their session.
    pub(super) cookie: String,
}

pub(super) struct Viewer {
    pub(super) user_id: String,
    pub(super) guild_id: String,
}

/// A guild that is being filled.
struct NewGuild {
    id: String,
    host_role: String,
    rooms: [String; 2],
}

impl Participants {
    /// Before the gateway is there, or it would hear of each by an event.
    pub(super) fn make(
        simulator: &mut Client,
        bot_id: &str,
        viewers: usize,
    ) -> anyhow::Result<Self> {
        let guilds = (0..GUILDS).map(|number| NewGuild::make(simulator, bot_id, number));
        let guilds = guilds.collect::<anyhow::Result<Vec<_>>>()?;
        // One after the other is in another guild.
        let in_turn = || guilds.iter().cycle().enumerate();
        let signed_in = in_turn().take(SIGNED_IN);
        let signed_in = signed_in.map(|(number, guild)| guild.person(simulator, number));
        let signed_in = signed_in.collect::<anyhow::Result<_>>()?;
        let viewers = in_turn().take(viewers);
        let viewers = viewers.map(|(number, guild)| guild.viewer(simulator, number));
        Ok(Self {
            signed_in,
            viewers: viewers.collect::<anyhow::Result<_>>()?,
        })
    }

    pub(super) fn sign_in(
        &mut self,
        web_at: SocketAddr,
        simulator_at: SocketAddr,
    ) -> anyhow::Result<()> {
        for person in &mut self.signed_in {
            person.cookie = sign_in(web_at, simulator_at, &person.user_id)?;
        }
        Ok(())
    }

    pub(super) fn signed_in(&self) -> &[CommandGiver] {
        &self.signed_in
    }
}

impl NewGuild {
    fn make(simulator: &mut Client, bot_id: &str, number: usize) -> anyhow::Result<Self> {
        let name = format!("Guild {number}");
        let id = made(simulator, "/sim/guilds", &json!({"name": name}))?;
        let mut role = |name, permissions: u64| {
            let role = json!({"name": name, "permissions": permissions.to_string()});
            made(simulator, &format!("/sim/guilds/{id}/roles"), &role)
        };
        let (host_role, bot_role) = (role("Host", HOST)?, role("Bot", BOT)?);
        let given = format!("/sim/guilds/{id}/members/{bot_id}/roles/{bot_role}");
        let answer = simulator.put(&given)?;
        if answer.status >= 300 {
            bail!("PUT {given}: {} {}", answer.status, answer.body);
        }
        let mut room = |name| made(simulator, &channels(&id), &json!({"name": name}));
        let rooms = [room("East")?, room("West")?];
        Ok(Self {
            id,
            host_role,
            rooms,
        })
    }

    fn person(&self, simulator: &mut Client, number: usize) -> anyhow::Result<CommandGiver> {
        let user_id = self.member(simulator, &format!("person.{number}"), &[&self.host_role])?;
        let room = json!({"name": format!("Room {number}")});
        let own_room = made(simulator, &channels(&self.id), &room)?;
        let joined = json!({"userId": user_id, "channelId": self.rooms[0]});
        post(
            simulator,
            &format!("/sim/guilds/{}/voice", self.id),
            &joined,
        )?;
        Ok(CommandGiver {
            user_id,
            guild_id: self.id.clone(),
            rooms: self.rooms.clone(),
            own_room,
            cookie: String::new(),
        })
    }

    fn viewer(&self, simulator: &mut Client, number: usize) -> anyhow::Result<Viewer> {
        Ok(Viewer {
            user_id: self.member(simulator, &format!("viewer.{number}"), &[])?,
            guild_id: self.id.clone(),
        })
    }

    fn member(&self, simulator: &mut Client, name: &str, roles: &[&str]) -> anyhow::Result<String> {
        let user_id = made(simulator, "/sim/users", &json!({"username": name}))?;
        let member = json!({"userId": user_id, "roles": roles});
        let path = format!("/sim/guilds/{}/members", self.id);
        post(simulator, &path, &member)?;
        Ok(user_id)
    }
}

fn channels(guild_id: &str) -> String {
    format!("/sim/guilds/{guild_id}/channels")
}

/// The id of what was made.
fn made(simulator: &mut Client, path: &str, what: &Value) -> anyhow::Result<String> {
    let answer = post(simulator, path, what)?;
    let id = answer["id"].as_str().context("what was made has no id")?;
    Ok(id.to_owned())
}

fn post(simulator: &mut Client, path: &str, what: &Value) -> anyhow::Result<Value> {
    let answer = simulator.post(path, &what.to_string())?;
    if answer.status >= 300 {
        bail!("POST {path}: {} {}", answer.status, answer.body);
    }
    Ok(serde_json::from_str(&answer.body)?)
}
