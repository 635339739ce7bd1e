//! Values become rows.

use std::borrow::Cow;

use guildhall_model::{Guild, GuildId, Position, SealedEvent, World};
use guildhall_ports::journal::{Commit, JournalBase, JournalState, NewEpoch};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::{
    LogEnd,
    checksum::{base_checksum, event_checksum, head_checksum},
    sweep::Sweep,
    tables::{BASE, EVENT, HEAD},
};
use crate::sqlite::file::{StorageError, Writing};

pub(super) fn begin(
    writing: &mut Writing<'_>,
    new_epoch: &NewEpoch,
) -> Result<LogEnd, StorageError> {
    let start = new_epoch.start;
    if start.seq != 0 {
        return Err(StorageError::InvalidRequest(format!(
            "{start} is no start of a log"
        )));
    }
    for table in [EVENT, BASE, HEAD] {
        writing.clear(&table)?;
    }
    for (guild_id, guild) in &new_epoch.guilds {
        put_base(writing, *guild_id, 0, Some(guild))?;
    }
    Ok(LogEnd {
        head: start,
        sum: put_head(writing, start, &new_epoch.state)?,
        sweep: Sweep::default(),
    })
}

pub(super) fn add(
    writing: &mut Writing<'_>,
    mut end: LogEnd,
    commit: &Commit,
) -> Result<LogEnd, StorageError> {
    let before = end.head;
    for event in &commit.events {
        if event.at != end.head.at(end.head.seq + 1) {
            let why = format!("an event at {} does not follow the head {before}", event.at);
            return Err(StorageError::InvalidRequest(why));
        }
        end.head = event.at;
    }
    for base in &commit.bases {
        let JournalBase {
            guild_id,
            floor,
            guild,
        } = base;
        let least = floor_of(writing.connection(), *guild_id)?;
        if !(least..=before.seq).contains(floor) {
            let why = format!("a floor at {floor} is not between {least} and the head {before}");
            return Err(StorageError::InvalidRequest(why));
        }
        end.sweep.floor_raised(*floor);
        put_base(writing, *guild_id, *floor, guild.as_ref())?;
    }
    let connection = writing.connection();
    let mut insert = connection.prepare_cached("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)")?;
    for sealed in &commit.events {
        let (event, seq) = (&sealed.event, sealed.at.seq);
        let (name, payload) = (event.change.name(), payload(sealed));
        let sum = event_checksum(seq, event.guild_id, event.ts, name, &payload);
        let guild_id = event.guild_id.0.cast_signed();
        let (seq, ts) = (seq.cast_signed(), event.ts.cast_signed());
        insert.execute(params![seq, guild_id, ts, name, payload, sum.cast_signed()])?;
        writing.row_added(&EVENT, sum);
        end.sweep.event_added(payload.len());
    }
    drop(insert);
    writing.rows_removed(&EVENT, end.sweep.go_on(connection)?);
    writing.rows_removed(&HEAD, end.sum);
    end.sum = put_head(writing, end.head, &commit.state)?;
    Ok(end)
}

/// A row's payload: the event's, and whether its group goes on. That is absent in files of builds
/// that knew no groups, and passed over by them.
fn payload(sealed: &SealedEvent) -> Cow<'_, str> {
    let payload = sealed.payload();
    match payload.strip_suffix('}') {
        // A payload has fields always: whose guild, and when.
        Some(open) if sealed.more => format!(r#"{open},"more":true}}"#).into(),
        _ => payload.into(),
    }
}

fn floor_of(connection: &Connection, guild_id: GuildId) -> Result<u64, StorageError> {
    let mut select = connection.prepare_cached("SELECT floor FROM base WHERE guild_id = ?")?;
    let floor: Option<i64> = select
        .query_row([guild_id.0.cast_signed()], |row| row.get(0))
        .optional()?;
    Ok(floor.map_or(0, i64::cast_unsigned))
}

fn put_base(
    writing: &mut Writing<'_>,
    guild_id: GuildId,
    floor: u64,
    guild: Option<&Guild>,
) -> Result<(), StorageError> {
    let connection = writing.connection();
    let id = guild_id.0.cast_signed();
    let mut old = connection.prepare_cached("DELETE FROM base WHERE guild_id = ? RETURNING sum")?;
    let old: Option<i64> = old.query_row([id], |row| row.get(0)).optional()?;
    writing.rows_removed(&BASE, old.map_or(0, i64::cast_unsigned));

    let world = guild.map(json).transpose()?;
    let sum = base_checksum(guild_id, floor, world.as_deref());
    let mut insert = connection.prepare_cached("INSERT INTO base VALUES (?, ?, ?, ?)")?;
    insert.execute(params![id, floor.cast_signed(), world, sum.cast_signed()])?;
    writing.row_added(&BASE, sum);
    Ok(())
}

/// Answers with the row's checksum.
fn put_head(
    writing: &mut Writing<'_>,
    head: Position,
    state: &JournalState,
) -> Result<u64, StorageError> {
    let state = json(state)?;
    let sum = head_checksum(head, World::FORMAT, &state);
    insert_head(writing.connection(), head, World::FORMAT, &state, sum)?;
    writing.row_added(&HEAD, sum);
    Ok(sum)
}

pub(super) fn insert_head(
    connection: &Connection,
    head: Position,
    world_format: u32,
    state: &str,
    sum: u64,
) -> Result<(), StorageError> {
    let put = "INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?, ?)";
    connection.prepare_cached(put)?.execute(params![
        head.log.0,
        head.epoch.cast_signed(),
        head.seq.cast_signed(),
        world_format,
        state,
        sum.cast_signed()
    ])?;
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String, StorageError> {
    let unwritable =
        |error| StorageError::InvalidRequest(format!("something has no JSON form: {error}"));
    serde_json::to_string(value).map_err(unwritable)
}
