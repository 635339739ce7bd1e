//! The guilds of a false gateway: rooms with a load user in each, and who sees them.

use serde_json::{Map, Value, json};

use super::{EPOCH, FakeGatewayOptions};

/// Who carries the stamps in the room that everybody sees; in the others those of the next numbers.
const LOAD_USER: u64 = 900;
/// In the private rooms, too, the bot has an overwrite.
const BOT: u64 = 899;
/// The permission bit, and none.
const VIEW_CHANNEL: &str = "1024";
const NONE: &str = "0";

impl FakeGatewayOptions {
    /// A guild as it is in a snapshot.
    pub(super) fn guild(&self, id: u64) -> Value {
        let rooms = 0..=u64::from(self.rooms);
        let about = rooms.clone().map(|number| {
            let mut about = about(id, number);
            about["rights"] = json!({"overwrites": self.overwrites(id, number)});
            (room_of(id, number).to_string(), about)
        });
        let people = rooms.map(|number| {
            let load = occupant(id, number, "load");
            ((LOAD_USER + number).to_string(), load)
        });
        let members = self.members().map(|user| {
            let is = json!({"is": "member", "roles": [], "guest": false});
            (user.to_string(), is)
        });
        json!({
            "info": {"name": "Game night", "icon": null},
            "available": true,
            "ownerId": "1",
            // What everybody may do.
            "roles": {id.to_string(): VIEW_CHANNEL},
            "categories": {},
            "rooms": about.collect::<Map<_, _>>(),
            "voice": people.collect::<Map<_, _>>(),
            "memberships": members.collect::<Map<_, _>>(),
        })
    }

    fn members(&self) -> impl Iterator<Item = u64> {
        let FakeGatewayOptions {
            member, members, ..
        } = *self;
        member..member + u64::from(members)
    }

    /// Of the members of a room, and none of the first, which everybody sees.
    pub(super) fn overwrites(&self, guild: u64, room: u64) -> Vec<Value> {
        if room == 0 || !self.private {
            return Vec::new();
        }
        let overwrite = |kind, id: u64, allow, deny| json!({"type": kind, "id": id.to_string(), "allow": allow, "deny": deny});
        let of = |user| overwrite("member", user, VIEW_CHANNEL, NONE);
        let rooms = u64::from(self.rooms);
        let own = (0..).zip(self.members());
        let own = own.filter(|(number, _)| 1 + number % rooms == room);
        let everyone = overwrite("role", guild, NONE, VIEW_CHANNEL);
        [everyone, of(BOT)]
            .into_iter()
            .chain(own.map(|(_, user)| of(user)))
            .collect()
    }
}

/// The guild of a number from 0.
pub(crate) fn guild_id(number: u16) -> u64 {
    10_000 + u64::from(number)
}

/// A room of a guild: the one that everybody sees is 0.
pub(super) fn room_of(guild: u64, number: u64) -> u64 {
    1_000_000 + 1_000 * guild + number
}

/// A room without its rights.
pub(super) fn about(guild: u64, number: u64) -> Value {
    json!({
        "channelId": room_of(guild, number).to_string(),
        "name": format!("Table {number}"),
        "kind": "voice",
        "position": number,
        "userLimit": 0,
    })
}

/// The load user as they sit in a room of their guild.
pub(super) fn occupant(guild: u64, room: u64, username: &str) -> Value {
    json!({
        "channelId": room_of(guild, room).to_string(),
        "userId": (LOAD_USER + room).to_string(),
        "username": username,
        "displayName": "Load",
        "avatar": null,
        "avatarUrl": "https://cdn.discordapp.com/embed/avatars/0.png",
        "bot": false,
        "since": EPOCH,
        "mute": false, "deaf": false, "selfMute": false, "selfDeaf": false,
        "streaming": false, "video": false, "suppressed": false,
    })
}
