//! Which values of a row its checksum is of. Written to disk, so it never changes.

use guildhall_model::{GuildId, Position};

use crate::sqlite::file::Checksum;

pub(super) fn head_checksum(at: Position, world_format: u32, state: &str) -> u64 {
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

pub(super) fn base_checksum(guild_id: GuildId, floor: u64, world: Option<&str>) -> u64 {
    let place = Checksum::of("base").number(guild_id.0).number(floor);
    place.optional_text(world).done()
}

pub(super) fn event_checksum(
    seq: u64,
    guild_id: GuildId,
    ts: u64,
    name: &str,
    payload: &str,
) -> u64 {
    let place = Checksum::of("event").number(seq).number(guild_id.0);
    place.number(ts).text(name).text(payload).done()
}
