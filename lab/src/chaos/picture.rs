//! Who is in which room: as a stream tells it, as `/api/state` does, and as Discord knows it.
//!
//! Rooms come and go by what the viewer may see; but for that, people are all there is to follow.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use serde::Deserialize;

/// The people of each room that the viewer sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    rooms: BTreeMap<String, BTreeMap<String, Person>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Person {
    username: String,
    #[serde(flatten)]
    flags: Flags,
}

/// As both name them.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of Discord's")]
struct Flags {
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
                let shown: Room = serde_json::from_str(json).context(event.to_owned())?;
                self.rooms.insert(shown.channel_id, people(shown.members));
            }
            "room.hidden" => {
                let hidden: Hidden = serde_json::from_str(json).context(event.to_owned())?;
                self.rooms.remove(&hidden.channel_id);
            }
            "guild.available" => {
                let came: Available = serde_json::from_str(json).context(event.to_owned())?;
                for room in came.guild.into_iter().flat_map(|guild| guild.rooms) {
                    self.rooms.insert(room.channel_id, people(room.members));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether there is anything to compare.
    pub(crate) fn has_people(&self) -> bool {
        self.rooms.values().any(|room| !room.is_empty())
    }

    /// What Discord (`/sim/state`) says of these rooms.
    pub(crate) fn told_by_discord(&self, json: &str) -> anyhow::Result<Self> {
        let world: Discord = serde_json::from_str(json).context("/sim/state of another shape")?;
        let names: HashMap<String, String> = world
            .users
            .into_iter()
            .map(|user| (user.id, user.username))
            .collect();
        let mut rooms: BTreeMap<_, BTreeMap<_, _>> = self
            .rooms
            .keys()
            .map(|room| (room.clone(), BTreeMap::new()))
            .collect();
        for state in world
            .guilds
            .into_iter()
            .flat_map(|guild| guild.voice_states)
        {
            let Some(room) = rooms.get_mut(&state.channel_id) else {
                continue;
            };
            let username = names.get(&state.user_id).context("a nameless user")?;
            let person = Person {
                username: username.clone(),
                flags: state.flags,
            };
            room.insert(state.user_id, person);
        }
        Ok(Self { rooms })
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

#[derive(Deserialize)]
struct Discord {
    users: Vec<User>,
    guilds: Vec<DiscordGuild>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    username: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiscordGuild {
    voice_states: Vec<VoiceState>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VoiceState {
    user_id: String,
    channel_id: String,
    #[serde(flatten)]
    flags: Flags,
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
    fn a_room_is_shown_with_its_people_and_hidden_again() {
        let ann = format!(r#"{{"channelId":"9","userId":"7","username":"ann",{FLAGS}}}"#);
        let shown = format!(r#"{{"guildId":"1","ts":5,"channelId":"9","members":[{ann}]}}"#);
        let mut picture = snapshot("");
        picture.apply("room.shown", &shown).expect("an event");
        assert!(picture.has_people());
        let hidden = r#"{"guildId":"1","ts":6,"channelId":"9"}"#;
        picture.apply("room.hidden", hidden).expect("an event");
        assert_eq!(picture, snapshot(""));
    }

    #[test]
    fn discord_is_asked_about_the_rooms_that_are_seen() {
        let state = |user, room| format!(r#"{{"userId":"{user}","channelId":"{room}",{FLAGS}}}"#);
        let discord = format!(
            r#"{{"users":[{{"id":"7","username":"ann"}},{{"id":"8","username":"bo"}}],"guilds":[{{"voiceStates":[{},{}]}}]}}"#,
            state("7", "5"),
            state("8", "9")
        );
        let ann = format!(r#"{{"channelId":"5","userId":"7","username":"ann",{FLAGS}}}"#);
        let picture = snapshot(&ann);
        let told = picture.told_by_discord(&discord).expect("a world");
        assert_eq!(told, picture);
        assert_ne!(told, snapshot(""));
    }
}
