//! Who sees what, as Discord has it (`GET /sim/state`): its own algorithm, written down here a second
//! time, so that it cannot agree with a mistake of the product's.

use anyhow::Context;
use serde::{Deserialize, Deserializer, de::Error};

use super::picture::{Flags, Person, Picture};

const ADMINISTRATOR: u64 = 1 << 3;
const VIEW_CHANNEL: u64 = 1 << 10;
const VOICE: u8 = 2;
const STAGE: u8 = 13;
/// An overwrite for a person; the others are for roles.
const FOR_MEMBER: u8 = 1;

/// Everything there is, as far as people and what they see go.
#[derive(Deserialize)]
pub(super) struct Truth {
    users: Vec<User>,
    guilds: Vec<JudgedGuild>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    username: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JudgedGuild {
    id: String,
    owner_id: String,
    roles: Vec<Role>,
    members: Vec<JudgedMember>,
    channels: Vec<Channel>,
    voice_states: Vec<VoiceState>,
}

#[derive(Deserialize)]
struct Role {
    id: String,
    #[serde(deserialize_with = "bits")]
    permissions: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JudgedMember {
    user_id: String,
    roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Channel {
    id: String,
    #[serde(rename = "type")]
    kind: u8,
    permission_overwrites: Vec<Overwrite>,
    bot_sees: bool,
}

#[derive(Deserialize)]
struct Overwrite {
    id: String,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(deserialize_with = "bits")]
    allow: u64,
    #[serde(deserialize_with = "bits")]
    deny: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VoiceState {
    user_id: String,
    channel_id: String,
    #[serde(flatten)]
    flags: Flags,
}

impl Truth {
    /// Of an answer of the simulator's.
    pub(super) fn of(json: &str) -> anyhow::Result<Self> {
        serde_json::from_str(json).context("/sim/state of another shape")
    }

    /// What somebody sees of a guild.
    pub(super) fn picture(&self, guild_id: &str, user_id: &str) -> anyhow::Result<Picture> {
        let mut guilds = self.guilds.iter();
        let guild = guilds.find(|guild| guild.id == guild_id);
        let guild = guild.context("the simulator has no such guild")?;
        let rooms = guild.channels.iter().filter(|room| room.is_room());
        let mut picture = Picture::default();
        for room in rooms.filter(|room| guild.sees(room, user_id)) {
            picture.show(&room.id);
            for there in guild.voice_states.iter().filter(|it| it.is_in(room)) {
                let mut users = self.users.iter();
                let user = users.find(|user| user.id == there.user_id);
                let person = Person {
                    username: user.context("a nameless user")?.username.clone(),
                    flags: there.flags.clone(),
                };
                picture.join(&room.id, &there.user_id, person);
            }
        }
        Ok(picture)
    }
}

impl JudgedGuild {
    /// Whether somebody views a room, or is in it.
    fn sees(&self, room: &Channel, user_id: &str) -> bool {
        let Some(member) = self.members.iter().find(|it| it.user_id == user_id) else {
            return false;
        };
        let mut states = self.voice_states.iter();
        let is_there = states.any(|state| state.user_id == user_id && state.is_in(room));
        room.bot_sees && (is_there || self.permissions(room, member) & VIEW_CHANNEL != 0)
    }

    fn permissions(&self, room: &Channel, member: &JudgedMember) -> u64 {
        // The role of everybody has the guild's id.
        let own = |id: &str| id == self.id || member.roles.iter().any(|role| role == id);
        let roles = self.roles.iter().filter(|role| own(&role.id));
        let base = roles.fold(0, |bits, role| bits | role.permissions);
        if self.owner_id == member.user_id || base & ADMINISTRATOR != 0 {
            return u64::MAX;
        }
        let is_everybody = |it: &&Overwrite| it.kind != FOR_MEMBER && it.id == self.id;
        let is_own_role =
            |it: &&Overwrite| it.kind != FOR_MEMBER && it.id != self.id && own(&it.id);
        let is_member = |it: &&Overwrite| it.kind == FOR_MEMBER && it.id == member.user_id;
        let all = || room.permission_overwrites.iter();
        let bits = applied(base, all().filter(is_everybody));
        let bits = applied(bits, all().filter(is_own_role));
        applied(bits, all().filter(is_member))
    }
}

/// All that these deny is taken away, then all that they allow is given.
fn applied<'a>(bits: u64, overwrites: impl Iterator<Item = &'a Overwrite>) -> u64 {
    let (allow, deny) = overwrites.fold((0, 0), |(allow, deny), overwrite| {
        (allow | overwrite.allow, deny | overwrite.deny)
    });
    bits & !deny | allow
}

impl Channel {
    fn is_room(&self) -> bool {
        [VOICE, STAGE].contains(&self.kind)
    }
}

impl VoiceState {
    fn is_in(&self, room: &Channel) -> bool {
        self.channel_id == room.id
    }
}

/// Discord writes permissions as text.
fn bits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody views; room 6 is denied to everybody, and allowed to role 50 and to person 13.
    const STATE: &str = r#"{
        "users":[{"id":"7","username":"ann"}],
        "guilds":[{"id":"1","ownerId":"9",
            "roles":[{"id":"1","permissions":"1024"},{"id":"50","permissions":"0"},{"id":"60","permissions":"8"}],
            "members":[{"userId":"9","roles":[]},{"userId":"10","roles":[]},{"userId":"11","roles":["50"]},
                {"userId":"12","roles":["60"]},{"userId":"13","roles":[]},{"userId":"7","roles":[]}],
            "channels":[
                {"id":"4","type":0,"permissionOverwrites":[],"botSees":true},
                {"id":"5","type":2,"permissionOverwrites":[],"botSees":true},
                {"id":"6","type":13,"botSees":true,"permissionOverwrites":[
                    {"id":"1","type":0,"allow":"0","deny":"1024"},
                    {"id":"50","type":0,"allow":"1024","deny":"0"},
                    {"id":"13","type":1,"allow":"1024","deny":"0"}]},
                {"id":"8","type":2,"permissionOverwrites":[],"botSees":false}],
            "voiceStates":[{"userId":"7","channelId":"6","selfMute":true,"selfDeaf":false,"mute":false,"deaf":false}]}]}"#;

    #[test]
    fn each_sees_what_discord_lets_them_see() {
        let truth = Truth::of(STATE).expect("a state");
        for (user, rooms) in [
            ("9", "5 6"),
            ("10", "5"),
            ("11", "5 6"),
            ("12", "5 6"),
            ("13", "5 6"),
            // In it, without viewing it.
            ("7", "5 6"),
            ("99", ""),
        ] {
            let picture = truth.picture("1", user).expect("a guild");
            assert_eq!(picture.rooms(), rooms, "{user}");
        }
        let picture = truth.picture("1", "9").expect("a guild");
        assert!(picture.has_people());
    }
}
