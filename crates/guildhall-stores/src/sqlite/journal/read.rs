//! Rows become values again, all of them or none.

/// Bases.
mod bases;
/// Events, and whether one is missing.
mod events;

use std::collections::BTreeMap;

use guildhall_model::{LogId, Position, World};
use guildhall_ports::{
    Fence,
    journal::{JournalContents, JournalState},
};
use rusqlite::{Connection, Row};

use super::{LogEnd, checksum::head_checksum, sweep::Sweep, tables::HEAD};
use crate::sqlite::file::{Reading, StorageError};
use bases::LoadedBases;
use events::LoadedEvents;

/// The rows of which log become values. Those of others are checked all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    All,
    Of(LogId),
}

/// What there is of a log, and what the next commit has to follow.
pub(super) type Loaded = (JournalContents, LogEnd);

/// All rows of all logs; answers with what there is of the wanted ones.
pub(super) fn everything(
    reading: &mut Reading<'_>,
    values: Values,
) -> Result<BTreeMap<LogId, Loaded>, StorageError> {
    let heads = heads(reading.connection())?;
    let sums = heads.values().map(|head| head.sum);
    reading.add_up(&HEAD, sums.fold(0, u64::wrapping_add))?;
    let bases = LoadedBases::read(reading, values)?;
    let events = LoadedEvents::read(reading, values, &heads, &bases)?;
    Ok(put_together(heads, values, bases, events))
}

/// The rows of one log, when all rows were read before.
pub(super) fn one(connection: &Connection, log: LogId) -> Result<Option<Loaded>, StorageError> {
    let mut heads = heads(connection)?;
    heads.retain(|of, _| *of == log);
    let bases = LoadedBases::of(connection, log)?;
    let events = LoadedEvents::of(connection, log, &heads, &bases)?;
    Ok(put_together(heads, Values::All, bases, events).remove(&log))
}

fn put_together(
    heads: BTreeMap<LogId, HeadRow>,
    values: Values,
    mut bases: LoadedBases,
    mut events: LoadedEvents,
) -> BTreeMap<LogId, Loaded> {
    let wanted = heads.into_iter().filter(|(log, _)| values.has(*log));
    let loaded = wanted.map(|(log, head)| {
        let bases = bases.take(log);
        let (kept, below) = events.take(log);
        let HeadRow {
            at,
            fence,
            state,
            sum,
        } = head;
        let highest_floor = bases.iter().map(|base| base.floor).max().unwrap_or(0);
        let end = LogEnd {
            head: at,
            fence,
            sum,
            sweep: Sweep::below(log, highest_floor, kept.len() as u64, below),
        };
        let contents = JournalContents {
            head: at,
            bases,
            events: kept,
            state,
        };
        (log, (contents, end))
    });
    loaded.collect()
}

impl Values {
    fn has(self, log: LogId) -> bool {
        match self {
            Self::All => true,
            Self::Of(wanted) => log == wanted,
        }
    }
}

pub(super) struct HeadRow {
    at: Position,
    pub(super) fence: Fence,
    state: JournalState,
    sum: u64,
}

pub(super) fn heads(connection: &Connection) -> Result<BTreeMap<LogId, HeadRow>, StorageError> {
    let all = "SELECT log, epoch, seq, fence, world_format, state, sum FROM head";
    let mut select = connection.prepare(all)?;
    let mut rows = select.query([])?;
    let mut heads = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let head = HeadRow::read(row)?;
        heads.insert(head.at.log, head);
    }
    Ok(heads)
}

impl HeadRow {
    fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        let log: u16 = row.get(0)?;
        let at = Position {
            log: LogId(log),
            epoch: unsigned(row, 1)?,
            seq: unsigned(row, 2)?,
        };
        let (fence, format, sum) = (Fence(unsigned(row, 3)?), row.get(4)?, unsigned(row, 6)?);
        let state = text(row, 5)?;
        if head_checksum(at, fence, format, state) != sum {
            return Err(damaged(&format!(
                "table head: the row of log {log} is not as it was written"
            )));
        }
        if format > World::FORMAT {
            let ours = World::FORMAT;
            return Err(StorageError::NewerFormat(format!(
                "its world has format {format}, this build knows {ours}"
            )));
        }
        let state = serde_json::from_str(state)
            .map_err(|error| damaged(&format!("table head: its state cannot be read: {error}")))?;
        Ok(Self {
            at,
            fence,
            state,
            sum,
        })
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
