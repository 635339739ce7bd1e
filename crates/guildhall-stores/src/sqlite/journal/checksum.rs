//! Which values of a row its checksum is of. Written to disk, so it never changes.

use guildhall_model::{GuildId, LogId, Position};
use guildhall_ports::Fence;

use crate::sqlite::file::Checksum;

pub(super) fn head_checksum(at: Position, fence: Fence, world_format: u32, state: &str) -> u64 {
    head(at, world_format, state).number(fence.0).done()
}

/// In version 2 it had no fence.
pub(super) fn head_checksum_2(at: Position, world_format: u32, state: &str) -> u64 {
    head(at, world_format, state).done()
}

/// In version 1 it had `rows` too.
pub(super) fn head_checksum_1(at: Position, world_format: u32, state: &str, rows: u64) -> u64 {
    head(at, world_format, state).number(rows).done()
}

fn head(at: Position, world_format: u32, state: &str) -> Checksum {
    let log = Checksum::of("head").number(at.log.0.into());
    let at = log.number(at.epoch).number(at.seq);
    at.number(world_format.into()).text(state)
}

pub(super) fn base_checksum(log: LogId, guild_id: GuildId, floor: u64, world: Option<&str>) -> u64 {
    let place = Checksum::of("base").number(guild_id.0).number(floor);
    place.optional_text(world).number(log.0.into()).done()
}

/// In version 2 it had no log.
pub(super) fn base_checksum_2(guild_id: GuildId, floor: u64, world: Option<&str>) -> u64 {
    let place = Checksum::of("base").number(guild_id.0).number(floor);
    place.optional_text(world).done()
}

/// In version 2 the place was the event's number, as it still is in log 0.
pub(super) fn event_checksum(
    place: u64,
    guild_id: GuildId,
    ts: u64,
    name: &str,
    payload: &str,
) -> u64 {
    let guild = Checksum::of("event").number(place).number(guild_id.0);
    guild.number(ts).text(name).text(payload).done()
}
