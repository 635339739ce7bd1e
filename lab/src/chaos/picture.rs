//! Who is in which room: as a stream tells it, and as `/api/state` does.
//!
//! Rooms themselves do not change during a run; who sees them does.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;

/// The people of each room that the viewer sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    rooms: BTreeMap<String, BTreeMap<String, Person>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) username: String,
    #[serde(flatten)]
    pub(super) flags: Flags,
}

/// As both name them.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of Discord's")]
pub(super) struct Flags {
    self_mute: bool,
    self_deaf: bool,
    mute: bool,
    deaf: bool,
}

impl Picture {
    /// Of a `snapshot` or of `/api/state`.
    pub(crate) fn of(json: &str) -> anyhow::Result<Self> {
        let state: StateBody = serde_json::from_str(json).context("a picture of another shape")?;
        let mut rooms = BTreeMap::new();
        for room in state.guilds.into_iter().flat_map(|guild| guild.rooms) {
            rooms.insert(room.channel_id, people(room.members));
        }
        Ok(Self { rooms })
    }

    /// One event of a stream later.
    pub(crate) fn apply(&mut self, event: &str, json: &str) -> anyhow::Result<()> {
        match event {
            "voice.joined" | "voice.updated" => {
                let joined: VoiceJoined = serde_json::from_str(json).context(event.to_owned())?;
                let room = self.rooms.entry(joined.channel_id).or_default();
                room.insert(joined.member.user_id, joined.member.person);
            }
            "voice.left" => {
                let left: VoiceLeft = serde_json::from_str(json).context(event.to_owned())?;
                if let Some(room) = self.rooms.get_mut(&left.previous_channel_id) {
                    room.remove(&left.user_id);
                }
            }
            "room.shown" => {
                let room: Room = serde_json::from_str(json).context(event.to_owned())?;
                self.rooms.insert(room.channel_id, people(room.members));
            }
            "room.hidden" => {
                let hidden: Hidden = serde_json::from_str(json).context(event.to_owned())?;
                self.rooms.remove(&hidden.channel_id);
            }
            "guild.available" => {
                let came: Available = serde_json::from_str(json).context(event.to_owned())?;
                if let Some(guild) = came.guild {
                    let rooms = guild.rooms.into_iter();
                    self.rooms = rooms
                        .map(|room| (room.channel_id, people(room.members)))
                        .collect();
                }
            }
            // There is one guild.
            "guild.removed" => self.rooms.clear(),
            _ => {}
        }
        Ok(())
    }

    /// Whether there is anything to compare.
    pub(crate) fn has_people(&self) -> bool {
        self.rooms.values().any(|room| !room.is_empty())
    }

    /// The ids of its rooms.
    pub(super) fn rooms(&self) -> String {
        self.rooms.keys().cloned().collect::<Vec<_>>().join(" ")
    }

    /// A room that is seen.
    pub(super) fn show(&mut self, room: &str) {
        self.rooms.entry(room.to_owned()).or_default();
    }

    /// Somebody is in it.
    pub(super) fn join(&mut self, room: &str, user_id: &str, person: Person) {
        let people = self.rooms.entry(room.to_owned()).or_default();
        people.insert(user_id.to_owned(), person);
    }
}

fn people(members: Vec<MemberBody>) -> BTreeMap<String, Person> {
    let members = members.into_iter();
    members
        .map(|member| (member.user_id, member.person))
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hidden {
    channel_id: String,
}

/// After a new look-up it carries the guild as it is.
#[derive(Deserialize)]
struct Available {
    guild: Option<GuildBody>,
}

#[derive(Deserialize)]
struct StateBody {
    guilds: Vec<GuildBody>,
}

#[derive(Deserialize)]
struct GuildBody {
    rooms: Vec<Room>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Room {
    channel_id: String,
    members: Vec<MemberBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemberBody {
    user_id: String,
    #[serde(flatten)]
    person: Person,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VoiceJoined {
    channel_id: String,
    #[serde(flatten)]
    member: MemberBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VoiceLeft {
    previous_channel_id: String,
    user_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &str = r#""selfMute":false,"selfDeaf":false,"mute":false,"deaf":false"#;

    fn snapshot(members: &str) -> Picture {
        let json = format!(
            r#"{{"reason":"no_cursor","guilds":[{{"id":"1","rooms":[{{"channelId":"5","members":[{members}]}},{{"channelId":"6","members":[]}}]}}]}}"#
        );
        Picture::of(&json).expect("a snapshot")
    }

    #[test]
    fn a_picture_with_its_events_is_the_later_picture() {
        let ann = format!(r#"{{"channelId":"5","userId":"7","username":"ann",{FLAGS}}}"#);
        let renamed = ann.replace(r#""ann""#, r#""anna""#);
        let mut picture = snapshot("");
        for (event, json) in [
            ("voice.joined", ann.as_str()),
            ("voice.updated", &renamed),
            ("checkpoint", "{}"),
        ] {
            picture.apply(event, json).expect("an event");
        }
        assert_eq!(picture, snapshot(&renamed));
        let left = r#"{"channelId":null,"previousChannelId":"5","userId":"7"}"#;
        picture.apply("voice.left", left).expect("an event");
        assert_eq!(picture, snapshot(""));
    }

    #[test]
    fn rooms_come_with_their_people_and_go_with_them() {
        let ann = format!(r#"{{"channelId":"9","userId":"7","username":"ann",{FLAGS}}}"#);
        let mut picture = snapshot("");
        let shown = format!(r#"{{"guildId":"1","channelId":"9","name":"x","members":[{ann}]}}"#);
        picture.apply("room.shown", &shown).expect("an event");
        assert_eq!(picture.rooms(), "5 6 9");
        assert!(picture.has_people());
        let hidden = r#"{"guildId":"1","channelId":"9"}"#;
        picture.apply("room.hidden", hidden).expect("an event");
        assert_eq!(picture, snapshot(""));
        picture.apply("guild.removed", "{}").expect("an event");
        assert_eq!(picture, Picture::default());
    }
}
