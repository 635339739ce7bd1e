//! Rooms with their people as JSON: parts of snapshots, and of what is told of a room that appears.

use std::collections::HashMap;

use bytes::Bytes;
use guildhall_model::{
    Change, ChannelId, Guild,
    guild::{Occupant, RoomInfo},
    json,
};
use parking_lot::Mutex;
use serde::Serialize;

/// Rooms as JSON, made when somebody asks and kept until the room changes.
#[derive(Debug, Default)]
pub(super) struct RoomFragments(Mutex<HashMap<ChannelId, Bytes>>);

/// A room in a snapshot.
#[derive(Serialize)]
struct RoomSnapshot<'a> {
    #[serde(flatten)]
    info: &'a RoomInfo,
    members: Vec<&'a Occupant>,
}

/// A room with people, as it stands in a snapshot.
pub(super) fn room_json<'a>(
    info: &'a RoomInfo,
    members: impl Iterator<Item = &'a Occupant>,
) -> Bytes {
    let members = members.collect();
    Bytes::from(json::to_vec(&RoomSnapshot { info, members }))
}

impl RoomFragments {
    /// A room as it is now.
    pub(super) fn get(&self, guild: &Guild, channel: ChannelId) -> Option<Bytes> {
        let room = guild.rooms.get(&channel)?;
        let mut made = self.0.lock();
        let fragment = made
            .entry(channel)
            .or_insert_with(|| room_json(&room.info, guild.occupants(channel)));
        Some(fragment.clone())
    }

    /// Forgets the rooms that a change touches. `before`: the guild just before it.
    pub(super) fn forget(&mut self, change: &Change, before: Option<&Guild>) {
        let made = self.0.get_mut();
        match change {
            Change::VoiceJoined(person) | Change::VoiceUpdated(person) => {
                let was = before.and_then(|guild| guild.voice.get(&person.user_id));
                made.remove(&person.channel_id);
                if let Some(was) = was {
                    made.remove(&was.channel_id);
                }
            }
            Change::GuildAvailable(_) | Change::GuildRemoved => made.clear(),
            change => {
                if let Some(channel) = change.channel() {
                    made.remove(&channel);
                }
            }
        }
    }
}
