//! Rooms that the bot may not view: Discord tells of them without their name and their rights, so
//! nobody is shown them.

use guildhall_model::{ChannelId, GuildId};
use serde::Serialize;

use crate::fanout::Fanout;

/// A voice or stage channel that the bot may not view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlindChannel {
    guild_id: GuildId,
    guild_name: String,
    channel_id: ChannelId,
    /// The category it is in, as far as its name is known.
    parent_name: Option<String>,
}

pub(super) fn of(fanout: &Fanout) -> Option<Vec<BlindChannel>> {
    if !fanout.replica().has_world() {
        return None;
    }
    let logs = fanout.replica().read();
    let mut blind = Vec::new();
    for guild_id in logs.guild_ids() {
        let Some(guild) = logs.guild(guild_id).and_then(|log| log.guild()) else {
            continue;
        };
        let rooms = guild.rooms.values();
        blind.extend(
            rooms
                .filter(|room| room.rights.obfuscated)
                .map(|room| BlindChannel {
                    guild_id,
                    guild_name: guild.info.name.clone(),
                    channel_id: room.info.channel_id,
                    parent_name: room.info.parent_name.clone(),
                }),
        );
    }
    blind.sort_by_key(|room| (room.guild_id, room.channel_id));
    Some(blind)
}
