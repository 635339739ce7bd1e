//! Values become rows.

use std::borrow::Cow;

use guildhall_model::{Guild, GuildId, LogId, Position, SealedEvent, World};
use guildhall_ports::{
    Fence,
    fence::follow,
    journal::{Commit, JournalBase, JournalState, NewEpoch},
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::{
    LogEnd,
    checksum::{base_checksum, event_checksum, head_checksum},
    sweep::Sweep,
    tables::{BASE, EVENT, HEAD, LAST_SEQ, place, place_in},
};
use crate::sqlite::file::{StorageError, Writing};

/// `end`: of the epoch that was there.
pub(super) fn begin(
    writing: &mut Writing<'_>,
    log: LogId,
    fence: Fence,
    end: Option<LogEnd>,
    new_epoch: &NewEpoch,
) -> Result<LogEnd, StorageError> {
    let start = new_epoch.start;
    if start.seq != 0 || start.log != log {
        return Err(StorageError::InvalidRequest(format!(
            "{start} is no start of log {log}"
        )));
    }
    if let Some(end) = end {
        fence.admit(log, end.fence)?;
        if start.epoch <= end.head.epoch {
            return Err(StorageError::InvalidRequest(format!(
                "{start} begins no epoch after that of {}",
                end.head
            )));
        }
        clear(writing, end)?;
    }
    for (guild_id, guild) in &new_epoch.guilds {
        put_base(writing, log, *guild_id, 0, Some(guild))?;
    }
    Ok(LogEnd {
        head: start,
        fence,
        sum: put_head(writing, start, fence, &new_epoch.state)?,
        sweep: Sweep::of(log),
    })
}

/// Takes out all rows of a log.
fn clear(writing: &mut Writing<'_>, end: LogEnd) -> Result<(), StorageError> {
    let connection = writing.connection();
    let log = end.head.log;
    let gone = |delete: &str, from: i64, to: i64| -> rusqlite::Result<u64> {
        let mut delete = connection.prepare_cached(delete)?;
        let mut rows = delete.query([from, to])?;
        let mut sums = 0_u64;
        while let Some(row) = rows.next()? {
            sums = sums.wrapping_add(row.get::<_, i64>(0)?.cast_unsigned());
        }
        Ok(sums)
    };
    let [first, last] = [0, LAST_SEQ].map(|seq| place_in(log, seq).cast_signed());
    let events = "DELETE FROM event WHERE place BETWEEN ? AND ? RETURNING sum";
    let events = gone(events, first, last)?;
    let bases = "DELETE FROM base WHERE log BETWEEN ? AND ? RETURNING sum";
    let bases = gone(bases, log.0.into(), log.0.into())?;
    writing.rows_removed(&EVENT, events);
    writing.rows_removed(&BASE, bases);
    writing.rows_removed(&HEAD, end.sum);
    Ok(())
}

pub(super) fn add(
    writing: &mut Writing<'_>,
    fence: Fence,
    mut end: LogEnd,
    commit: &Commit,
) -> Result<LogEnd, StorageError> {
    let before = end.head;
    let log = before.log;
    fence.admit(log, end.fence)?;
    end.fence = fence;
    let places = commit.events.iter().map(|event| event.at);
    end.head = follow(before, commit.after, places)?;
    if end.head.seq > LAST_SEQ {
        let why = format!("no event has a number above {LAST_SEQ}");
        return Err(StorageError::InvalidRequest(why));
    }
    for base in &commit.bases {
        let JournalBase {
            guild_id,
            floor,
            guild,
        } = base;
        let least = floor_of(writing.connection(), log, *guild_id)?;
        if !(least..=before.seq).contains(floor) {
            let why = format!("a floor at {floor} is not between {least} and the head {before}");
            return Err(StorageError::InvalidRequest(why));
        }
        end.sweep.floor_raised(*floor);
        put_base(writing, log, *guild_id, *floor, guild.as_ref())?;
    }
    let connection = writing.connection();
    let mut insert = connection.prepare_cached("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)")?;
    for sealed in &commit.events {
        let (event, place) = (&sealed.event, place(sealed.at));
        let (name, payload) = (event.change.name(), payload(sealed));
        let sum = event_checksum(place, event.guild_id, event.ts, name, &payload);
        let guild_id = event.guild_id.0.cast_signed();
        let (place, ts) = (place.cast_signed(), event.ts.cast_signed());
        insert.execute(params![
            place,
            guild_id,
            ts,
            name,
            payload,
            sum.cast_signed()
        ])?;
        writing.row_added(&EVENT, sum);
        end.sweep.event_added(payload.len());
    }
    drop(insert);
    writing.rows_removed(&EVENT, end.sweep.go_on(connection)?);
    writing.rows_removed(&HEAD, end.sum);
    end.sum = put_head(writing, end.head, fence, &commit.state)?;
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

fn floor_of(connection: &Connection, log: LogId, guild_id: GuildId) -> Result<u64, StorageError> {
    let select = "SELECT floor FROM base WHERE log = ? AND guild_id = ?";
    let mut select = connection.prepare_cached(select)?;
    let floor: Option<i64> = select
        .query_row(params![log.0, guild_id.0.cast_signed()], |row| row.get(0))
        .optional()?;
    Ok(floor.map_or(0, i64::cast_unsigned))
}

fn put_base(
    writing: &mut Writing<'_>,
    log: LogId,
    guild_id: GuildId,
    floor: u64,
    guild: Option<&Guild>,
) -> Result<(), StorageError> {
    let connection = writing.connection();
    let old = "DELETE FROM base WHERE log = ? AND guild_id = ? RETURNING sum";
    let mut old = connection.prepare_cached(old)?;
    let old: Option<i64> = old
        .query_row(params![log.0, guild_id.0.cast_signed()], |row| row.get(0))
        .optional()?;
    writing.rows_removed(&BASE, old.map_or(0, i64::cast_unsigned));
    let world = guild.map(json).transpose()?;
    insert_base(writing, log, guild_id, floor, world.as_deref())
}

pub(super) fn insert_base(
    writing: &mut Writing<'_>,
    log: LogId,
    guild_id: GuildId,
    floor: u64,
    world: Option<&str>,
) -> Result<(), StorageError> {
    let sum = base_checksum(log, guild_id, floor, world);
    let connection = writing.connection();
    let mut insert = connection.prepare_cached("INSERT INTO base VALUES (?, ?, ?, ?, ?)")?;
    let (id, floor) = (guild_id.0.cast_signed(), floor.cast_signed());
    insert.execute(params![log.0, id, floor, world, sum.cast_signed()])?;
    writing.row_added(&BASE, sum);
    Ok(())
}

/// Answers with the row's checksum.
fn put_head(
    writing: &mut Writing<'_>,
    head: Position,
    fence: Fence,
    state: &JournalState,
) -> Result<u64, StorageError> {
    insert_head(writing, head, fence, World::FORMAT, &json(state)?)
}

/// Answers with the row's checksum.
pub(super) fn insert_head(
    writing: &mut Writing<'_>,
    head: Position,
    fence: Fence,
    world_format: u32,
    state: &str,
) -> Result<u64, StorageError> {
    let sum = head_checksum(head, fence, world_format, state);
    let put = "INSERT OR REPLACE INTO head VALUES (?, ?, ?, ?, ?, ?, ?)";
    writing.connection().prepare_cached(put)?.execute(params![
        head.log.0,
        head.epoch.cast_signed(),
        head.seq.cast_signed(),
        fence.0.cast_signed(),
        world_format,
        state,
        sum.cast_signed()
    ])?;
    writing.row_added(&HEAD, sum);
    Ok(sum)
}

fn json(value: &impl Serialize) -> Result<String, StorageError> {
    let unwritable =
        |error| StorageError::InvalidRequest(format!("something has no JSON form: {error}"));
    serde_json::to_string(value).map_err(unwritable)
}
