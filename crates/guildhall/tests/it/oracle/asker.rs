//! Questions to the house, one after the other, about whatever there is and is not.

use guildhall_model::{ChannelId, GuildId, UserId};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::oracle::{
    observer::{Query, millis},
    rng::Rng,
    scene::Scene,
};

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// `/api/state`
    State(Query),
    /// `checkRoomExists`
    RoomExists(ChannelId),
    /// `getVoiceChannelMembers`
    RoomMembers(ChannelId),
    /// `checkUserInVoiceChannel`
    RoomOf(GuildId, UserId),
    /// `ensureUserInGuild`
    InGuild(GuildId),
}

/// A question with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The number of the viewer.
    pub(crate) viewer: usize,
    pub(crate) question: Question,
    pub(crate) sent: Instant,
    pub(crate) answered: Instant,
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Whom to ask, as whom, and about what.
pub(crate) struct Asker {
    pub(crate) http: Client,
    pub(crate) base: String,
    /// Of each viewer.
    pub(crate) cookies: Vec<String>,
    pub(crate) scene: Scene,
    pub(crate) rng: Rng,
}

impl Asker {
    /// Asks one question. `rooms`: all that there are, or were.
    pub(crate) async fn ask(&mut self, rooms: &[ChannelId]) -> Asked {
        sleep_until(Instant::now() + millis(&mut self.rng, 10, 120)).await;
        let (viewer, question) = self.choose(rooms);
        let (name, body) = match &question {
            Question::State(query) => (None, json!(query.text())),
            Question::RoomExists(room) => (Some("checkRoomExists"), json!({"channelId": room})),
            Question::RoomMembers(room) => {
                (Some("getVoiceChannelMembers"), json!({"channelId": room}))
            }
            Question::RoomOf(guild, user) => (
                Some("checkUserInVoiceChannel"),
                json!({"guildId": guild, "userId": user}),
            ),
            Question::InGuild(guild) => (Some("ensureUserInGuild"), json!({"guildId": guild})),
        };
        let request = match name {
            Some(name) => {
                let url = format!("{}/api/rpc/{name}", self.base);
                self.http.post(url).header("origin", &self.base).json(&body)
            }
            None => self.http.get(format!(
                "{}/api/state{}",
                self.base,
                body.as_str().unwrap_or_default()
            )),
        };
        let sent = Instant::now();
        let answer = request
            .header("cookie", &self.cookies[viewer])
            .send()
            .await
            .expect("web answers");
        let status = answer.status().as_u16();
        let body = answer.json().await.expect("an answer is JSON");
        Asked {
            viewer,
            question,
            sent,
            answered: Instant::now(),
            status,
            body,
        }
    }

    fn choose(&mut self, rooms: &[ChannelId]) -> (usize, Question) {
        let all: Vec<usize> = (0..self.cookies.len()).collect();
        let (viewer, guild) = (self.rng.choose(&all), self.rng.choose(&self.scene.guilds));
        let room = self.rng.pick(rooms.iter().copied()).unwrap_or(ChannelId(1));
        let question = match self.rng.between(0, 9) {
            0 => Question::State(Query::default()),
            1 => Question::State(Query {
                guilds: vec![guild],
                ..Query::default()
            }),
            2 => Question::State(Query {
                channels: vec![room],
                ..Query::default()
            }),
            3 | 4 => Question::RoomExists(room),
            5 | 6 => Question::RoomMembers(room),
            7 | 8 => {
                let people = self.scene.viewers.iter().chain(&self.scene.others).copied();
                Question::RoomOf(guild, self.rng.pick(people).expect("people"))
            }
            _ => Question::InGuild(guild),
        };
        (viewer, question)
    }
}
