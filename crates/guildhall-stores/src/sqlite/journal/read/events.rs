//! Events, and whether one is missing.

use std::{
    collections::{BTreeMap, HashMap},
    mem, thread,
};

use guildhall_model::{Envelope, Event, GuildId, LogId, Position, SealedEvent};
use rusqlite::{Connection, Row, Rows};
use serde::Deserialize;

use super::{HeadRow, Values, bases::LoadedBases, damaged, unsigned};
use crate::sqlite::{
    file::{Reading, StorageError},
    journal::{
        checksum::event_checksum,
        parallel::Parallel,
        tables::{EVENT, LAST_SEQ, event_at, place_in},
    },
};

/// So many events are read at once on another processor.
const PIECE: usize = 8192;

/// The events of logs.
pub(super) struct LoadedEvents {
    kept: BTreeMap<LogId, Vec<SealedEvent>>,
    below: HashMap<LogId, u64>,
}

impl LoadedEvents {
    /// A row of a log that has no head refuses the file.
    pub(super) fn read(
        reading: &mut Reading<'_>,
        values: Values,
        heads: &BTreeMap<LogId, HeadRow>,
        bases: &LoadedBases,
    ) -> Result<Self, StorageError> {
        if let Some(log) = bases.logs().find(|log| !heads.contains_key(log)) {
            let why = format!("table head has no row of log {log}, and table base has");
            return Err(damaged(&why));
        }
        let all = "SELECT place, guild_id, ts, name, payload, sum FROM event ORDER BY place";
        let mut select = reading.connection().prepare(all)?;
        let mut checked = checked(heads, bases);
        let (events, sums) = collect(select.query([])?, values, &mut checked)?;
        reading.add_up(&EVENT, sums)?;
        finish(&checked)?;
        Ok(events)
    }

    /// Those of one log.
    pub(super) fn of(
        connection: &Connection,
        log: LogId,
        heads: &BTreeMap<LogId, HeadRow>,
        bases: &LoadedBases,
    ) -> Result<Self, StorageError> {
        let of = "SELECT place, guild_id, ts, name, payload, sum FROM event \
                  WHERE place BETWEEN ? AND ? ORDER BY place";
        let mut select = connection.prepare(of)?;
        let places = [0, LAST_SEQ].map(|seq| place_in(log, seq).cast_signed());
        let mut checked = checked(heads, bases);
        let (events, _) = collect(select.query(places)?, Values::All, &mut checked)?;
        finish(&checked)?;
        Ok(events)
    }

    /// In order, and how many rows are there that are needed no more.
    pub(super) fn take(&mut self, log: LogId) -> (Vec<SealedEvent>, u64) {
        let kept = self.kept.get_mut(&log).map(mem::take).unwrap_or_default();
        (kept, self.below.get(&log).copied().unwrap_or(0))
    }
}

/// How far the rows of a log are whole.
struct CheckedLog {
    head: Position,
    floors: HashMap<GuildId, u64>,
    /// Above all floors nothing was ever taken out.
    next: u64,
    below: u64,
}

fn checked(heads: &BTreeMap<LogId, HeadRow>, bases: &LoadedBases) -> BTreeMap<LogId, CheckedLog> {
    let checked = heads.iter().map(|(log, head)| {
        let floors = bases.floors(*log);
        let highest_floor = floors.values().copied().max().unwrap_or(0);
        let checked = CheckedLog {
            head: head.at,
            floors,
            next: highest_floor + 1,
            below: 0,
        };
        (*log, checked)
    });
    checked.collect()
}

fn finish(checked: &BTreeMap<LogId, CheckedLog>) -> Result<(), StorageError> {
    match checked.values().find(|log| log.next != log.head.seq + 1) {
        Some(log) => Err(log.hole()),
        None => Ok(()),
    }
}

impl CheckedLog {
    fn hole(&self) -> StorageError {
        let Self { head, next, .. } = self;
        damaged(&format!(
            "table event: the head is at {head} and no row {next} fits before it"
        ))
    }

    /// Whether the event is needed.
    fn take(&mut self, seq: u64, guild_id: GuildId) -> Result<bool, StorageError> {
        if seq > self.next {
            return Err(self.hole());
        }
        self.next += u64::from(seq == self.next);
        let needed = seq > self.floors.get(&guild_id).copied().unwrap_or(0);
        self.below += u64::from(!needed);
        Ok(needed)
    }
}

/// And the sums of their rows, added up.
fn collect(
    mut rows: Rows<'_>,
    values: Values,
    checked: &mut BTreeMap<LogId, CheckedLog>,
) -> Result<(LoadedEvents, u64), StorageError> {
    let mut sums = 0_u64;
    let events = thread::scope(|scope| {
        let mut parallel = Parallel::new(scope);
        let mut piece = Piece::default();
        while let Some(row) = rows.next()? {
            let (log, row) = EventRow::read(row)?;
            let Some(checked) = checked.get_mut(&log) else {
                let why = format!("table head has no row of log {log}, and table event has");
                return Err(damaged(&why));
            };
            let needed = checked.take(row.seq, row.guild_id)?;
            sums = sums.wrapping_add(row.sum);
            if !needed || !values.has(log) {
                continue;
            }
            if piece.head != Some(checked.head) || piece.rows.len() == PIECE {
                let full = mem::replace(&mut piece, Piece::of(checked.head));
                parallel.take(move || full.values())?;
            }
            piece.rows.push(row);
        }
        parallel.take(move || piece.values())?;
        parallel.finish()
    })?;
    let mut kept = BTreeMap::<LogId, Vec<SealedEvent>>::new();
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.peek() {
        let log = event.at.log;
        let of_log = kept.entry(log).or_default();
        while let Some(event) = events.next_if(|event| event.at.log == log) {
            of_log.push(event);
        }
    }
    let below = checked.iter().map(|(log, checked)| (*log, checked.below));
    let below = below.collect();
    Ok((LoadedEvents { kept, below }, sums))
}

/// Rows of one log.
#[derive(Default)]
struct Piece {
    head: Option<Position>,
    rows: Vec<EventRow>,
}

impl Piece {
    fn of(head: Position) -> Self {
        Self {
            head: Some(head),
            rows: Vec::new(),
        }
    }

    fn values(&self) -> Result<Vec<SealedEvent>, StorageError> {
        let Some(head) = self.head else {
            return Ok(Vec::new());
        };
        self.rows.iter().map(|row| row.sealed(head)).collect()
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
    fn read(row: &Row<'_>) -> Result<(LogId, Self), StorageError> {
        let place = unsigned(row, 0)?;
        let (log, seq) = event_at(place);
        let row = Self {
            seq,
            guild_id: GuildId(unsigned(row, 1)?),
            ts: unsigned(row, 2)?,
            name: row.get(3)?,
            payload: row.get(4)?,
            sum: unsigned(row, 5)?,
        };
        if event_checksum(place, row.guild_id, row.ts, &row.name, &row.payload) != row.sum {
            let why = format!("table event: row {seq} is not as it was written");
            return Err(damaged(&why));
        }
        Ok((log, row))
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
