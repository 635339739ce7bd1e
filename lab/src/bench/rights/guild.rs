//! A guild of many rooms and classes, as it is made in the simulator, and its role that changes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::bail;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::clock::now;
use super::super::http::Client;
use super::super::world::World;

/// Chosen ids, of nobody else in the simulator.
const FIRST_ID: u64 = 9_000_000;
/// Between those of two guilds.
const IDS: u64 = 100_000;
const VIEW_CHANNEL: u64 = 1 << 10;
const CONNECT: u64 = 1 << 20;
const ADMINISTRATOR: u64 = 1 << 3;
/// Rooms without overwrites: everybody sees them while the role lets view.
pub(super) const OPEN_ROOMS: u16 = 5;

/// How big it is.
#[derive(Clone, Copy)]
pub(super) struct GuildSize {
    pub(super) rooms: u16,
    pub(super) classes: u16,
    pub(super) viewers: u16,
}

/// One guild.
pub(super) struct RightsGuild {
    pub(super) id: String,
    first_id: u64,
    shape: GuildSize,
    simulator_at: SocketAddr,
    simulator: Client,
    /// All viewers have it.
    role: String,
    lets_view: bool,
}

/// Edits at a rate, until it is told to end.
pub(super) struct Editing<'a> {
    guild: &'a mut RightsGuild,
    thread: JoinHandle<anyhow::Result<u64>>,
    stop: Arc<AtomicBool>,
}

impl RightsGuild {
    /// Makes it: everybody has a role that changes and one of their class, which opens its rooms.
    pub(super) fn make(
        simulator_at: SocketAddr,
        number: u64,
        shape: GuildSize,
    ) -> anyhow::Result<Self> {
        let first_id = FIRST_ID + number * IDS;
        let id = first_id.to_string();
        let mut guild = Self {
            role: (first_id + 1).to_string(),
            first_id,
            shape,
            simulator_at,
            simulator: Client::new(simulator_at),
            lets_view: false,
            id,
        };
        let named = json!({"id": guild.id, "name": format!("rights {number}")});
        guild.post("/sim/guilds", &named)?;
        guild.give_the_bot_all()?;
        let everybody = json!({"permissions": CONNECT.to_string()});
        let path = format!("/sim/roles/{}", guild.id);
        guild.send(Method::PATCH, &path, &everybody)?;
        let role = json!({"guildId": guild.id, "id": guild.role, "name": "changing"});
        guild.post("/sim/roles", &role)?;
        for class in 0..shape.classes {
            let role = json!({"guildId": guild.id, "id": guild.class_role(class), "name": format!("class {class}")});
            guild.post("/sim/roles", &role)?;
        }
        for room in 0..shape.rooms {
            let body = guild.room(room);
            guild.post("/sim/channels", &body)?;
        }
        for (viewer, user) in (0..).zip(guild.viewers().collect::<Vec<_>>()) {
            let named = json!({"id": user, "username": format!("viewer.{user}")});
            guild.post("/sim/users", &named)?;
            let roles = [guild.role.clone(), guild.class_role(viewer % shape.classes)];
            let member = json!({"userId": user, "roles": roles});
            let path = format!("/sim/guilds/{}/members", guild.id);
            guild.post(&path, &member)?;
        }
        Ok(guild)
    }

    /// The ids of those who look on.
    pub(super) fn viewers(&self) -> impl Iterator<Item = String> + use<> {
        let first = self.first_id + 10_000;
        (first..first + u64::from(self.shape.viewers)).map(|id| id.to_string())
    }

    /// Has a connection to the simulator, which closes those that were idle for a while.
    pub(super) fn connect(&mut self) -> anyhow::Result<()> {
        self.simulator = Client::new(self.simulator_at);
        self.simulator.get("/sim/load", &[])?;
        Ok(())
    }

    /// The role lets view, or no more.
    pub(super) fn edit(&mut self) -> anyhow::Result<()> {
        self.lets_view = !self.lets_view;
        edit(&mut self.simulator, &self.role, self.lets_view)
    }

    /// The same so often in a second, an even number of times.
    pub(super) fn edit_at(&mut self, per_second: u64) -> Editing<'_> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, role) = (Arc::clone(&stop), self.role.clone());
        let mut simulator = Client::new(self.simulator_at);
        let lets_view = self.lets_view;
        let thread = thread::spawn(move || {
            let (mut made, mut due) = (0, now());
            while !stopped.load(Ordering::Relaxed) || made % 2 == 1 {
                edit(&mut simulator, &role, lets_view ^ (made % 2 == 0))?;
                made += 1;
                due += Duration::from_micros(1_000_000 / per_second);
                thread::sleep(due.saturating_duration_since(now()));
            }
            Ok(made)
        });
        Editing {
            guild: self,
            thread,
            stop,
        }
    }

    fn class_role(&self, class: u16) -> String {
        (self.first_id + 10 + u64::from(class)).to_string()
    }

    fn room(&self, room: u16) -> Value {
        let id = self.first_id + 1_000 + u64::from(room);
        let view = VIEW_CHANNEL.to_string();
        let overwrites = if room < OPEN_ROOMS {
            json!([])
        } else {
            let key = self.class_role(room % self.shape.classes);
            json!([
                {"id": self.id, "type": 0, "allow": "0", "deny": view},
                {"id": key, "type": 0, "allow": view, "deny": "0"},
            ])
        };
        json!({"guildId": self.id, "id": id.to_string(), "name": format!("Room {room}"), "permissionOverwrites": overwrites})
    }

    /// A bot that does not see a room tells of none.
    fn give_the_bot_all(&mut self) -> anyhow::Result<()> {
        let bot = World::read(&mut self.simulator)?.application.id;
        let role = (self.first_id + 2).to_string();
        let permissions = ADMINISTRATOR.to_string();
        let body =
            json!({"guildId": self.id, "id": role, "name": "bot", "permissions": permissions});
        self.post("/sim/roles", &body)?;
        let path = format!("/sim/guilds/{}/members/{bot}/roles/{role}", self.id);
        let answer = self.simulator.put(&path)?;
        if answer.status >= 300 {
            bail!("{path}: {} {}", answer.status, answer.body);
        }
        Ok(())
    }

    fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.send(Method::POST, path, body)
    }

    fn send(&mut self, method: Method, path: &str, body: &Value) -> anyhow::Result<()> {
        send(&mut self.simulator, method, path, body)
    }
}

impl Editing<'_> {
    /// Waits for the last one; how many there were.
    pub(super) fn end(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let made = match self.thread.join() {
            Ok(made) => made?,
            Err(_) => bail!("the thread that edits panicked"),
        };
        self.guild.lets_view ^= made % 2 == 1;
        Ok(made)
    }
}

fn edit(simulator: &mut Client, role: &str, lets_view: bool) -> anyhow::Result<()> {
    let permissions = if lets_view { VIEW_CHANNEL } else { 0 };
    let body = json!({"permissions": permissions.to_string()});
    send(
        simulator,
        Method::PATCH,
        &format!("/sim/roles/{role}"),
        &body,
    )
}

fn send(simulator: &mut Client, method: Method, path: &str, body: &Value) -> anyhow::Result<()> {
    let answer = simulator.send(method, path, Some(&body.to_string()))?;
    if !(200..300).contains(&answer.status) {
        bail!("{path}: {} {}", answer.status, answer.body);
    }
    Ok(())
}
