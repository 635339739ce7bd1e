//! The six commands, and a stage on which each has something to do.

use serde_json::{Value, json};

use super::teller::{Answer, Teller, requests, times_done};
use crate::house::{Discord, House};

/// MANAGE_CHANNELS and MOVE_MEMBERS.
const MODERATES: u64 = 1 << 4 | 1 << 24;

/// A command that has an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Connect,
    Disconnect,
    Kick,
    Rename,
    Limit,
    Status,
}

/// A moderator in a room of their own, with somebody to take out of it, and somebody elsewhere to be
/// moved into it. Each act on it has an effect of its own, once.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) moderator: String,
    pub(super) room: String,
    pub(super) kicked: String,
    pub(super) moved: String,
}

impl Act {
    pub(super) const ALL: [Self; 6] = [
        Self::Connect,
        Self::Disconnect,
        Self::Kick,
        Self::Rename,
        Self::Limit,
        Self::Status,
    ];

    /// As RPC calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connectUserToVoiceChannel",
            Self::Disconnect => "disconnect",
            Self::Kick => "kickFromRoom",
            Self::Rename => "renameRoom",
            Self::Limit => "setRoomLimit",
            Self::Status => "setRoomStatus",
        }
    }

    /// Where it arrives at Discord.
    pub(super) fn route(self) -> &'static str {
        match self {
            Self::Connect | Self::Disconnect | Self::Kick => MOVES,
            Self::Rename | Self::Limit => CHANNELS,
            Self::Status => STATUSES,
        }
    }

    /// Whether it moves somebody: what Discord makes wait for long is not done later then.
    pub(super) fn moves_somebody(self) -> bool {
        self.route() == MOVES
    }

    /// What is asked for.
    pub(super) fn body(self, guild: &str, stage: &Stage) -> Value {
        let room = &stage.room;
        match self {
            Self::Connect => json!({"channelId": room, "userId": stage.moved}),
            Self::Disconnect => json!({"guildId": guild}),
            Self::Kick => json!({"channelId": room, "userId": stage.kicked}),
            Self::Rename => json!({"channelId": room, "name": "Renamed"}),
            Self::Limit => json!({"channelId": room, "limit": 17}),
            Self::Status => json!({"channelId": room, "status": "chess"}),
        }
    }

    /// Whether Discord is as this asks for.
    pub(super) fn is_so(self, truth: &Value, stage: &Stage) -> bool {
        let room = channel(truth, &stage.room);
        match self {
            Self::Connect => room_of(truth, &stage.moved).as_ref() == Some(&stage.room),
            Self::Disconnect => room_of(truth, &stage.moderator).is_none(),
            Self::Kick => room_of(truth, &stage.kicked).is_none(),
            Self::Rename => room["name"] == "Renamed",
            Self::Limit => room["userLimit"] == 17,
            Self::Status => room["voiceStatus"] == "chess",
        }
    }
}

/// The routes on which commands are done.
pub(super) const MOVES: &str = "PATCH /guilds/{guild_id}/members/{user_id}";
pub(super) const CHANNELS: &str = "PATCH /channels/{channel_id}";
pub(super) const STATUSES: &str = "PUT /channels/{channel_id}/voice-status";
/// And those on which Discord is asked whether they are.
const LOOKS: [&str; 2] = [
    "GET /channels/{channel_id}",
    "GET /guilds/{guild_id}/voice-states/{user_id}",
];

/// How many requests came that commands lead to.
pub(super) fn requests_of_commands(truth: &Value) -> u64 {
    let routes = [MOVES, CHANNELS, STATUSES].into_iter().chain(LOOKS);
    routes.map(|route| requests(truth, route)).sum()
}

impl Stage {
    /// Sets some up in a Discord that the house does not know yet.
    pub(super) async fn set_up(discord: &Discord, count: usize) -> Vec<Self> {
        let role = json!({"guildId": discord.guild, "name": "Stage", "permissions": MODERATES.to_string()});
        let role = id(&discord.post("/sim/roles", &role).await);
        let mut stages = Vec::new();
        for number in 0..count {
            let room = json!({"guildId": discord.guild, "name": format!("Stage {number}")});
            let room = id(&discord.post("/sim/channels", &room).await);
            let stage = Self {
                moderator: member(discord, &format!("moderator{number}"), &[&role]).await,
                kicked: member(discord, &format!("kicked{number}"), &[]).await,
                moved: member(discord, &format!("moved{number}"), &[]).await,
                room,
            };
            for inside in [&stage.moderator, &stage.kicked] {
                discord.voice(inside, Some(&stage.room)).await;
            }
            discord.voice(&stage.moved, Some(&discord.rooms[0])).await;
            stages.push(stage);
        }
        stages
    }

    /// The moderator gives a command, with their own key for it.
    pub(super) async fn act(&self, house: &House, moderator: &Teller, act: Act) -> Answer {
        let body = act.body(&house.discord.guild, self);
        moderator
            .give(house, act.name(), Some(act.name()), &body)
            .await
    }

    /// How often Discord did it.
    pub(super) fn times_done(&self, truth: &Value, act: Act) -> usize {
        times_done(truth, act.name(), &self.moderator)
    }
}

/// A new member of the first guild.
pub(crate) async fn member(discord: &Discord, name: &str, roles: &[&str]) -> String {
    let user = id(&discord.post("/sim/users", &json!({"username": name})).await);
    let member = json!({"guildId": discord.guild, "userId": user, "roles": roles});
    discord.post("/sim/members", &member).await;
    user
}

/// The id of what was made.
pub(crate) fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

/// The room of the first guild in which somebody is.
pub(crate) fn room_of(truth: &Value, user: &str) -> Option<String> {
    let voice = truth["guilds"][0]["voiceStates"].as_array();
    let there = voice
        .into_iter()
        .flatten()
        .find(|one| one["userId"] == user);
    there.map(|there| there["channelId"].as_str().expect("an id").to_owned())
}

/// A channel of the first guild.
pub(super) fn channel<'a>(truth: &'a Value, channel: &str) -> &'a Value {
    let mut channels = truth["guilds"][0]["channels"]
        .as_array()
        .into_iter()
        .flatten();
    channels
        .find(|one| one["id"] == channel)
        .expect("it is there")
}
