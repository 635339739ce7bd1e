//! Rows become values again, all of them or none.

use std::{collections::HashMap, mem, thread};

use guildhall_model::{Envelope, Event, GuildId, LogId, Position, SealedEvent, World};
use guildhall_ports::journal::{JournalBase, JournalContents, JournalState};
use rusqlite::{OptionalExtension, Row};
use serde::Deserialize;

use super::{
    LogEnd,
    checksum::{base_checksum, event_checksum, head_checksum},
    parallel::Parallel,
    sweep::Sweep,
    tables::{BASE, EVENT, HEAD},
};
use crate::sqlite::file::{Reading, StorageError};

/// So many events are read at once on another processor.
const PIECE: usize = 8192;

/// Everything, and what the next commit has to follow; `None`: no epoch of the log has begun.
pub(super) fn everything(
    reading: &mut Reading<'_>,
) -> Result<Option<(JournalContents, LogEnd)>, StorageError> {
    let head = head(reading)?;
    let bases = bases(reading)?;
    let Some(HeadRow { at, state, sum }) = head else {
        let events = "SELECT count(*) FROM event";
        let connection = reading.connection();
        let events: i64 = connection.query_row(events, [], |row| row.get(0))?;
        return match (bases.len(), events) {
            (0, 0) => reading.add_up(&EVENT, 0).map(|()| None),
            _ => Err(damaged("table head is empty and others are not")),
        };
    };
    let Events { kept, below } = events(reading, at, &bases)?;
    let highest_floor = bases.iter().map(|base| base.floor).max();
    let end = LogEnd {
        head: at,
        sum,
        sweep: Sweep::below(highest_floor.unwrap_or(0), kept.len() as u64, below),
    };
    let contents = JournalContents {
        head: at,
        bases,
        events: kept,
        state,
    };
    Ok(Some((contents, end)))
}

struct HeadRow {
    at: Position,
    state: JournalState,
    sum: u64,
}

fn head(reading: &mut Reading<'_>) -> Result<Option<HeadRow>, StorageError> {
    let all = "SELECT log, epoch, seq, world_format, state, sum FROM head";
    let head = reading
        .connection()
        .query_row(all, [], |row| Ok(HeadRow::read(row)))
        .optional()?;
    let head = head.transpose()?;
    reading.add_up(&HEAD, head.as_ref().map_or(0, |head| head.sum))?;
    Ok(head)
}

impl HeadRow {
    fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        let log: u16 = row.get(0)?;
        let at = Position {
            log: LogId(log),
            epoch: unsigned(row, 1)?,
            seq: unsigned(row, 2)?,
        };
        let (format, sum): (u32, u64) = (row.get(3)?, unsigned(row, 5)?);
        let state = text(row, 4)?;
        if head_checksum(at, format, state) != sum {
            return Err(damaged("table head: its row is not as it was written"));
        }
        if format > World::FORMAT {
            let ours = World::FORMAT;
            return Err(StorageError::NewerFormat(format!(
                "its world has format {format}, this build knows {ours}"
            )));
        }
        let state = serde_json::from_str(state)
            .map_err(|error| damaged(&format!("table head: its state cannot be read: {error}")))?;
        Ok(Self { at, state, sum })
    }
}

fn bases(reading: &mut Reading<'_>) -> Result<Vec<JournalBase>, StorageError> {
    let all = "SELECT guild_id, floor, world, sum FROM base";
    let mut select = reading.connection().prepare(all)?;
    let mut rows = select.query([])?;
    let mut sums = 0_u64;
    let mut bases = thread::scope(|scope| {
        let mut parallel = Parallel::new(scope);
        while let Some(row) = rows.next()? {
            let row = BaseRow::read(row)?;
            sums = sums.wrapping_add(row.sum);
            parallel.take(move || Ok(vec![row.base()?]))?;
        }
        parallel.finish()
    })?;
    reading.add_up(&BASE, sums)?;
    // SQLite's order is of signed numbers.
    bases.sort_unstable_by_key(|base| base.guild_id);
    Ok(bases)
}

struct Events {
    kept: Vec<SealedEvent>,
    /// How many rows are there that are needed no more.
    below: u64,
}

fn events(
    reading: &mut Reading<'_>,
    head: Position,
    bases: &[JournalBase],
) -> Result<Events, StorageError> {
    let floors = bases.iter().map(|base| (base.guild_id, base.floor));
    let floors: HashMap<GuildId, u64> = floors.collect();
    let highest_floor = floors.values().copied().max().unwrap_or(0);

    let all = "SELECT seq, guild_id, ts, name, payload, sum FROM event ORDER BY seq";
    let mut select = reading.connection().prepare(all)?;
    let mut rows = select.query([])?;
    let (mut sums, mut below) = (0_u64, 0);
    // Above all floors nothing was ever taken out.
    let mut next = highest_floor + 1;
    let mut is_whole = true;
    let kept = thread::scope(|scope| {
        let mut parallel = Parallel::new(scope);
        let mut piece = Vec::new();
        let mut take = |piece: Vec<EventRow>| {
            let read = move |row: &EventRow| row.sealed(head);
            parallel.take(move || piece.iter().map(read).collect())
        };
        while let Some(row) = rows.next()? {
            let row = EventRow::read(row)?;
            if row.seq > next {
                is_whole = false;
                break;
            }
            next += u64::from(row.seq == next);
            sums = sums.wrapping_add(row.sum);
            if row.seq > floors.get(&row.guild_id).copied().unwrap_or(0) {
                piece.push(row);
            } else {
                below += 1;
            }
            if piece.len() == PIECE {
                take(mem::take(&mut piece))?;
            }
        }
        take(piece)?;
        parallel.finish()
    })?;
    if is_whole {
        reading.add_up(&EVENT, sums)?;
    }
    if !is_whole || next != head.seq + 1 {
        let why = format!("table event: the head is at {head} and no row {next} fits before it");
        return Err(damaged(&why));
    }
    Ok(Events { kept, below })
}

/// A row that is as it was written.
struct BaseRow {
    guild_id: GuildId,
    floor: u64,
    world: Option<String>,
    sum: u64,
}

impl BaseRow {
    fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        let row = Self {
            guild_id: GuildId(unsigned(row, 0)?),
            floor: unsigned(row, 1)?,
            world: row.get(2)?,
            sum: unsigned(row, 3)?,
        };
        if base_checksum(row.guild_id, row.floor, row.world.as_deref()) != row.sum {
            let id = row.guild_id;
            let why = format!("table base: the row of guild {id} is not as it was written");
            return Err(damaged(&why));
        }
        Ok(row)
    }

    fn base(&self) -> Result<JournalBase, StorageError> {
        let Self {
            guild_id, floor, ..
        } = *self;
        let guild = self.world.as_deref().map(serde_json::from_str).transpose();
        let unreadable = |error| {
            damaged(&format!(
                "table base: the row of guild {guild_id} cannot be read: {error}"
            ))
        };
        Ok(JournalBase {
            guild_id,
            floor,
            guild: guild.map_err(unreadable)?,
        })
    }
}

/// What a payload says beside its event.
#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    more: bool,
}

/// A row that is as it was written.
struct EventRow {
    seq: u64,
    guild_id: GuildId,
    ts: u64,
    name: String,
    payload: String,
    sum: u64,
}

impl EventRow {
    fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        let row = Self {
            seq: unsigned(row, 0)?,
            guild_id: GuildId(unsigned(row, 1)?),
            ts: unsigned(row, 2)?,
            name: row.get(3)?,
            payload: row.get(4)?,
            sum: unsigned(row, 5)?,
        };
        let Self {
            seq, guild_id, ts, ..
        } = row;
        if event_checksum(seq, guild_id, ts, &row.name, &row.payload) != row.sum {
            let why = format!("table event: row {seq} is not as it was written");
            return Err(damaged(&why));
        }
        Ok(row)
    }

    fn sealed(&self, head: Position) -> Result<SealedEvent, StorageError> {
        let Self { seq, name, .. } = self;
        let event = Event::from_wire(name, &self.payload)
            .map_err(|error| damaged(&format!("table event: row {seq} cannot be read: {error}")))?;
        // The link passes over what it does not know; here that would be a loss.
        if event.change.name() != *name {
            return Err(StorageError::NewerFormat(format!(
                "event {seq} is a {name:?}"
            )));
        }
        if (event.guild_id, event.ts) != (self.guild_id, self.ts) {
            let why = format!("table event: row {seq} contradicts its payload");
            return Err(damaged(&why));
        }
        let Group { more } = serde_json::from_str(&self.payload)
            .map_err(|error| damaged(&format!("table event: row {seq} cannot be read: {error}")))?;
        Ok(SealedEvent::new(Envelope {
            at: head.at(*seq),
            more,
            event,
        }))
    }
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}

fn text<'row>(row: &'row Row<'_>, column: usize) -> Result<&'row str, StorageError> {
    let text = row.get_ref(column)?.as_str();
    text.map_err(|error| StorageError::Sqlite(error.into()))
}

fn damaged(what: &str) -> StorageError {
    StorageError::damaged(what)
}
