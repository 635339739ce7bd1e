//! Frames as lines. For people with the names that came before them, for programs as JSON.

use std::collections::HashMap;

use guildhall_model::UnixMs;
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::format_description};

use super::{
    super::print::{harmless, harmless_json, plain},
    frames::StreamFrame,
};
use crate::cli::TextOrJson;

/// The flags of somebody in a room.
const FLAGS: [&str; 7] = [
    "mute",
    "deaf",
    "selfMute",
    "selfDeaf",
    "streaming",
    "video",
    "suppressed",
];

/// Knows what was told before.
pub(super) struct Teller {
    output: TextOrJson,
    names: Names,
    /// When something came last, on whatever stream.
    heard_at: Option<UnixMs>,
}

/// What guilds, rooms and people are called, by their ids.
#[derive(Default)]
struct Names {
    guilds: HashMap<String, String>,
    rooms: HashMap<String, String>,
    /// By guild and user: those who are in rooms.
    people: HashMap<(String, String), String>,
}

impl Teller {
    pub(super) fn new(output: TextOrJson) -> Self {
        Self {
            output,
            names: Names::default(),
            heard_at: None,
        }
    }

    /// A frame's lines, without their ends. A picture that takes the place of another says so.
    pub(super) fn lines(&mut self, frame: &StreamFrame, now: UnixMs) -> Vec<String> {
        let heard_at = self.heard_at;
        // A first stream that only says goodbye has told nothing.
        if heard_at.is_some() || frame.event != "bye" {
            self.heard_at = Some(now);
        }
        if frame.event == "checkpoint" {
            return Vec::new();
        }
        let data = &frame.data;
        let mut lines = Vec::new();
        if let (Some(heard_at), "snapshot") = (heard_at, &*frame.event) {
            let missed = json!({ "from": heard_at, "to": now, "reason": data["reason"] });
            lines.push(match self.output {
                TextOrJson::Json => as_json("missed", None, &missed),
                TextOrJson::Text => line(now, "missed", &not_told(&missed)),
            });
        }
        let at = data["ts"].as_u64().unwrap_or(now);
        let text = self.names.told(&frame.event, data);
        lines.push(match self.output {
            TextOrJson::Json => as_json(&frame.event, frame.id.as_deref(), data),
            TextOrJson::Text => line(at, &frame.event, &text),
        });
        lines
    }
}

fn as_json(event: &str, id: Option<&str>, data: &Value) -> String {
    let mut object = json!({ "event": event, "data": data });
    if let Some(id) = id {
        object["id"] = json!(id);
    }
    harmless_json(&object.to_string())
}

fn line(at: UnixMs, event: &str, text: &str) -> String {
    let line = format!("{} {event:<18} {text}", time(at));
    harmless(line.trim_end())
}

fn not_told(missed: &Value) -> String {
    format!(
        "what happened from {} to {} can't be told ({})",
        time(missed["from"].as_u64().unwrap_or_default()),
        time(missed["to"].as_u64().unwrap_or_default()),
        plain(&missed["reason"])
    )
}

/// As RFC 3339 has it, in UTC.
fn time(at: UnixMs) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000).ok();
    let text = moment.and_then(|moment| moment.format(&format).ok());
    text.unwrap_or_else(|| at.to_string())
}

impl Names {
    /// What an event says; what it calls things is kept.
    fn told(&mut self, event: &str, data: &Value) -> String {
        match event {
            "snapshot" => self.replaced(data),
            "resumed" => format!(
                "goes on, after {} that were missed",
                count(&data["replayed"], "event")
            ),
            "status" => status(data),
            "bye" => plain(&data["reason"]),
            "gap" => format!(
                "{}: what happened from {} to {} Discord did not tell",
                self.guild(data),
                time(data["from"].as_u64().unwrap_or_default()),
                time(data["to"].as_u64().unwrap_or_default())
            ),
            "voice.left" => {
                let told = format!(
                    "{}: {}",
                    self.place(data, "previousChannelId"),
                    self.person(data)
                );
                self.people.remove(&key(data));
                told
            }
            "voice.joined" | "voice.updated" => {
                let name = text(&data["displayName"]);
                self.people.insert(key(data), name);
                format!(
                    "{}: {}{}",
                    self.place(data, "channelId"),
                    self.person(data),
                    flags(data)
                )
            }
            "guild.available" if data["guild"].is_object() => {
                self.take_guild(&data["guild"]);
                self.guild(data)
            }
            "guild.updated" => {
                if let Some(name) = data["name"].as_str() {
                    self.guilds.insert(text(&data["guildId"]), name.to_owned());
                }
                self.guild(data)
            }
            _ if event.starts_with("guild.") => self.guild(data),
            _ if event.starts_with("room.") => self.room(data),
            _ => plain(data),
        }
    }

    /// The whole picture.
    fn replaced(&mut self, data: &Value) -> String {
        *self = Self::default();
        let guilds = list(&data["guilds"]);
        for guild in guilds {
            self.take_guild(guild);
        }
        format!(
            "{}: {}, {}, {} in them",
            plain(&data["reason"]),
            number(guilds.len(), "guild"),
            number(self.rooms.len(), "room"),
            if self.people.len() == 1 {
                "1 person".to_owned()
            } else {
                format!("{} people", self.people.len())
            }
        )
    }

    fn take_guild(&mut self, guild: &Value) {
        let id = text(&guild["id"]);
        self.guilds.insert(id.clone(), text(&guild["name"]));
        for room in list(&guild["rooms"]) {
            self.take_room(&id, room);
        }
    }

    fn take_room(&mut self, guild_id: &str, room: &Value) {
        self.rooms
            .insert(text(&room["channelId"]), text(&room["name"]));
        for member in list(&room["members"]) {
            let key = (guild_id.to_owned(), text(&member["userId"]));
            self.people.insert(key, text(&member["displayName"]));
        }
    }

    fn room(&mut self, data: &Value) -> String {
        if data["name"].is_string() {
            self.take_room(&text(&data["guildId"]), data);
        }
        self.place(data, "channelId")
    }

    fn place(&self, data: &Value, channel: &str) -> String {
        format!(
            "{} / {}",
            self.guild(data),
            called(&self.rooms, &text(&data[channel]))
        )
    }

    fn guild(&self, data: &Value) -> String {
        called(&self.guilds, &text(&data["guildId"]))
    }

    fn person(&self, data: &Value) -> String {
        let id = text(&data["userId"]);
        match self.people.get(&key(data)) {
            Some(name) => format!("{name} ({id})"),
            None => id,
        }
    }
}

fn key(data: &Value) -> (String, String) {
    (text(&data["guildId"]), text(&data["userId"]))
}

fn called(names: &HashMap<String, String>, id: &str) -> String {
    match names.get(id) {
        Some(name) => format!("{name} ({id})"),
        None => id.to_owned(),
    }
}

fn status(data: &Value) -> String {
    let (discord, link) = (plain(&data["discord"]), plain(&data["link"]));
    format!("Discord {discord}, link {link}")
}

fn flags(data: &Value) -> String {
    let set: Vec<&str> = FLAGS
        .into_iter()
        .filter(|flag| data[*flag] == true)
        .collect();
    if set.is_empty() {
        return String::new();
    }
    format!(" [{}]", set.join(", "))
}

fn count(value: &Value, what: &str) -> String {
    let count = value.as_u64().and_then(|count| count.try_into().ok());
    number(count.unwrap_or_default(), what)
}

fn number(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[][..], Vec::as_slice)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(event: &str, data: Value) -> StreamFrame {
        StreamFrame {
            event: event.to_owned(),
            data,
            id: Some("0.1-2".to_owned()),
            retry: None,
        }
    }

    fn snapshot() -> StreamFrame {
        let member = json!({ "userId": "7", "displayName": "Ana" });
        let room = json!({ "channelId": "20", "name": "Den", "members": [member] });
        let guild = json!({ "id": "1", "name": "Hall", "rooms": [room] });
        frame(
            "snapshot",
            json!({ "reason": "no_cursor", "guilds": [guild] }),
        )
    }

    #[test]
    fn what_happens_is_told_by_the_names_that_came_before() {
        let mut teller = Teller::new(TextOrJson::Text);
        let mut told = |event, data| teller.lines(&frame(event, data), 1_700_000_000_004);
        let base = json!({ "guildId": "1", "ts": 1_700_000_000_004_u64 });
        let with = |more: Value| {
            let mut data = base.clone();
            for (name, value) in more.as_object().expect("an object") {
                data[name] = value.clone();
            }
            data
        };
        let at = "2023-11-14T22:13:20.004Z";
        let first = snapshot();
        assert_eq!(
            told("snapshot", first.data),
            [format!(
                "{at} snapshot           no_cursor: 1 guild, 1 room, 1 person in them"
            )]
        );
        let left = with(json!({ "previousChannelId": "20", "channelId": null, "userId": "7" }));
        let expected = format!("{at} voice.left         Hall (1) / Den (20): Ana (7)");
        assert_eq!(told("voice.left", left.clone()), [expected]);
        let gone = format!("{at} voice.left         Hall (1) / Den (20): 7");
        assert_eq!(told("voice.left", left), [gone]);
        let joined =
            json!({ "channelId": "20", "userId": "8", "displayName": "Ben", "mute": true });
        assert_eq!(
            told("voice.joined", with(joined)),
            [format!(
                "{at} voice.joined       Hall (1) / Den (20): Ben (8) [mute]"
            )]
        );
        let made = json!({ "channelId": "21", "name": "Nook" });
        assert_eq!(
            told("room.created", with(made)),
            [format!("{at} room.created       Hall (1) / Nook (21)")]
        );
        assert!(told("checkpoint", json!({ "now": 5 })).is_empty());
    }

    #[test]
    fn what_was_missed_is_said_before_the_picture_that_takes_its_place() {
        for (output, begin) in [
            (
                TextOrJson::Text,
                "1970-01-01T00:00:09.000Z missed             what happened from 1970-01-01T00:00:05.000Z to",
            ),
            (
                TextOrJson::Json,
                "{\"data\":{\"from\":5000,\"reason\":\"no_cursor\",\"to\":9000},\"event\":\"missed\"}",
            ),
        ] {
            let mut teller = Teller::new(output);
            assert_eq!(teller.lines(&snapshot(), 5_000).len(), 1);
            let lines = teller.lines(&snapshot(), 9_000);
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert!(lines[0].starts_with(begin), "{lines:?}");
        }
    }

    #[test]
    fn a_name_gives_no_terminal_orders() {
        let name = "\u{1b}]0;owned\u{7}\u{9b}2J\r\n2026 voice.joined \u{202e}\u{2066}\0";
        for output in [TextOrJson::Text, TextOrJson::Json] {
            for event in ["voice.joined", "room.created", "guild.updated", "x.unknown"] {
                let data = json!({
                    "guildId": "1", "channelId": name, "userId": "8", "displayName": name,
                    "name": name, "ts": 5,
                });
                let lines = Teller::new(output).lines(&frame(event, data), 5);
                let [line] = &lines[..] else {
                    panic!("{lines:?}");
                };
                let orders = |c: char| {
                    c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2066}'
                };
                assert!(!line.contains(orders), "{line:?}");
                if output == TextOrJson::Json {
                    let read: Value = serde_json::from_str(line).expect("it is JSON still");
                    assert_eq!(read["data"]["name"], name);
                }
            }
        }
    }
}
