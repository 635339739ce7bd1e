//! What a browser knows by what it was sent: a reducer that takes no event which does not fit.

use std::collections::BTreeMap;

use guildhall_model::{ChannelId, GuildId, UserId};
use serde_json::{Map, Value, json};

use super::harness::Sse;

/// What a browser knows: guilds with rooms with people, as the events say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Picture(BTreeMap<String, Known>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    about: Map<String, Value>,
    rooms: BTreeMap<String, KnownRoom>,
}

/// What is known of a room, and who is in it.
type KnownRoom = (Map<String, Value>, BTreeMap<String, Value>);

impl Picture {
    /// Whether somebody is in a room.
    pub(super) fn has(&self, guild_id: GuildId, room: ChannelId, user: UserId) -> bool {
        let room = self
            .0
            .get(&guild_id.to_string())
            .and_then(|known| known.rooms.get(&room.to_string()));
        room.is_some_and(|(_, members)| members.contains_key(&user.to_string()))
    }

    /// What a guild is called.
    pub(super) fn name_of(&self, guild: &str) -> Option<String> {
        let about = &self.0.get(guild)?.about;
        about["name"].as_str().map(str::to_owned)
    }

    /// Which rooms there are and who is in them: all that is known without events of rooms.
    pub(super) fn rooms_and_people(mut self) -> Self {
        let guilds = self.0.values_mut();
        let rooms = guilds.flat_map(|known| known.rooms.values_mut());
        rooms.for_each(|(info, _)| info.clear());
        self
    }

    /// Forgets all other guilds.
    pub(super) fn retain(&mut self, guilds: &[GuildId]) {
        self.0
            .retain(|known, _| guilds.iter().any(|id| id.to_string() == *known));
    }

    /// What a snapshot's guilds say.
    pub(super) fn of(guilds: &Value) -> Self {
        let guilds = guilds.as_array().expect("a list").iter();
        Self(
            guilds
                .map(|guild| (id(&guild["id"]), Known::of(guild)))
                .collect(),
        )
    }

    /// Applies an event.
    ///
    /// # Panics
    ///
    /// If it does not fit what is known.
    pub(super) fn take(&mut self, event: &Sse) {
        let mut data = event.data.clone();
        if event.event == "snapshot" {
            *self = Self::of(&data["guilds"]);
            return;
        }
        let Some(guild_id) = data.get("guildId").map(id) else {
            return;
        };
        if event.event == "guild.removed" {
            self.0.remove(&guild_id);
            return;
        }
        if let Some(guild) = data.get("guild") {
            assert_eq!(event.event, "guild.available");
            self.0.insert(guild_id, Known::of(guild));
            return;
        }
        let known = self
            .0
            .get_mut(&guild_id)
            .expect("events of guilds that were shown");
        for meta in ["guildId", "ts", "synthetic"] {
            data.as_object_mut().expect("an object").remove(meta);
        }
        known.take(&event.event, &data);
    }
}

impl Known {
    fn of(guild: &Value) -> Self {
        let mut about = guild.as_object().expect("an object").clone();
        let rooms = about.remove("rooms").expect("rooms");
        let rooms = rooms.as_array().expect("a list").iter().map(known_room);
        let rooms = rooms.collect();
        Self { about, rooms }
    }

    fn take(&mut self, event: &str, data: &Value) {
        let room = id(&data["channelId"]);
        match event {
            "voice.joined" => {
                let members = &mut self.rooms.get_mut(&room).expect("a room that was shown").1;
                let there = members.insert(id(&data["userId"]), data.clone());
                assert!(there.is_none(), "they were not there");
            }
            "voice.updated" => {
                let members = &mut self.rooms.get_mut(&room).expect("a room that was shown").1;
                let known = members.get_mut(&id(&data["userId"])).expect("known");
                *known = data.clone();
            }
            "voice.left" => {
                let room = self.rooms.get_mut(&id(&data["previousChannelId"]));
                let members = &mut room.expect("a room that was shown").1;
                assert!(
                    members.remove(&id(&data["userId"])).is_some(),
                    "they were there"
                );
            }
            "room.created" | "room.updated" => {
                let info = data.as_object().expect("an object").clone();
                self.rooms.entry(room).or_default().0 = info;
            }
            "room.shown" => {
                let (room, known) = known_room(data);
                assert!(self.rooms.insert(room, known).is_none(), "it was not there");
            }
            "room.deleted" | "room.hidden" => {
                assert!(self.rooms.remove(&room).is_some(), "it was there");
            }
            "guild.unavailable" => drop(self.about.insert("available".into(), json!(false))),
            "guild.available" => drop(self.about.insert("available".into(), json!(true))),
            "guild.updated" => {
                for field in ["name", "icon"] {
                    self.about.insert(field.into(), data[field].clone());
                }
            }
            "gap" => {}
            other => panic!("no event is called {other}"),
        }
    }
}

/// A room with its people.
fn known_room(room: &Value) -> (String, KnownRoom) {
    let mut room = room.as_object().expect("an object").clone();
    let members = room.remove("members").expect("members");
    let members = members.as_array().expect("a list").iter();
    let members = members.map(|member| (id(&member["userId"]), member.clone()));
    (id(&room["channelId"]), (room, members.collect()))
}

fn id(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Picture {
    /// What was told to be unavailable, because the viewer is being looked up there, is in no
    /// snapshot; who had it keeps what they last saw.
    pub(super) fn without(mut self, unknown: &[GuildId]) -> Self {
        for id in unknown {
            if let Some(known) = self.0.remove(&id.to_string()) {
                assert_eq!(known.about["available"], json!(false), "{id} is dimmed");
            }
        }
        self
    }
}
