//! Bases, and with them the floors.

use std::{
    collections::{BTreeMap, HashMap},
    mem, thread,
};

use guildhall_model::{GuildId, LogId};
use guildhall_ports::journal::JournalBase;
use rusqlite::{Connection, Row, Rows};

use super::{Values, damaged, unsigned};
use crate::sqlite::{
    file::{Reading, StorageError},
    journal::{checksum::base_checksum, parallel::Parallel, tables::BASE},
};

/// The bases of logs, and the floors of all that were read.
pub(super) struct LoadedBases {
    floors: HashMap<LogId, HashMap<GuildId, u64>>,
    values: BTreeMap<LogId, Vec<JournalBase>>,
}

impl LoadedBases {
    pub(super) fn read(reading: &mut Reading<'_>, values: Values) -> Result<Self, StorageError> {
        let all = "SELECT log, guild_id, floor, world, sum FROM base";
        let mut select = reading.connection().prepare(all)?;
        let (bases, sums) = collect(select.query([])?, values)?;
        reading.add_up(&BASE, sums)?;
        Ok(bases)
    }

    /// Those of one log.
    pub(super) fn of(connection: &Connection, log: LogId) -> Result<Self, StorageError> {
        let of = "SELECT log, guild_id, floor, world, sum FROM base WHERE log = ?";
        let mut select = connection.prepare(of)?;
        Ok(collect(select.query([log.0])?, Values::All)?.0)
    }

    pub(super) fn logs(&self) -> impl Iterator<Item = LogId> {
        self.floors.keys().copied()
    }

    pub(super) fn floors(&self, log: LogId) -> HashMap<GuildId, u64> {
        self.floors.get(&log).cloned().unwrap_or_default()
    }

    /// Ascending by guild.
    pub(super) fn take(&mut self, log: LogId) -> Vec<JournalBase> {
        let mut bases = self.values.get_mut(&log).map(mem::take).unwrap_or_default();
        // SQLite's order is of signed numbers.
        bases.sort_unstable_by_key(|base| base.guild_id);
        bases
    }
}

/// And the sums of their rows, added up.
fn collect(mut rows: Rows<'_>, values: Values) -> Result<(LoadedBases, u64), StorageError> {
    let mut sums = 0_u64;
    let mut floors = HashMap::<LogId, HashMap<GuildId, u64>>::new();
    let bases = thread::scope(|scope| {
        let mut parallel = Parallel::new(scope);
        while let Some(row) = rows.next()? {
            let row = BaseRow::read(row)?;
            sums = sums.wrapping_add(row.sum);
            floors
                .entry(row.log)
                .or_default()
                .insert(row.guild_id, row.floor);
            if values.has(row.log) {
                parallel.take(move || Ok(vec![(row.log, row.base()?)]))?;
            }
        }
        parallel.finish()
    })?;
    let mut values = BTreeMap::<LogId, Vec<JournalBase>>::new();
    for (log, base) in bases {
        values.entry(log).or_default().push(base);
    }
    Ok((LoadedBases { floors, values }, sums))
}

/// A row that is as it was written.
struct BaseRow {
    log: LogId,
    guild_id: GuildId,
    floor: u64,
    world: Option<String>,
    sum: u64,
}

impl BaseRow {
    fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        let row = Self {
            log: LogId(row.get(0)?),
            guild_id: GuildId(unsigned(row, 1)?),
            floor: unsigned(row, 2)?,
            world: row.get(3)?,
            sum: unsigned(row, 4)?,
        };
        if base_checksum(row.log, row.guild_id, row.floor, row.world.as_deref()) != row.sum {
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
