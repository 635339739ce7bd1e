//! A command becomes a row, and a command again.

use guildhall_ports::KeptCommand;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};

use super::COMMAND;
use crate::sqlite::file::{Checksum, StorageError, Writing};

/// A row without its checksum.
pub(super) struct CommandRow {
    id: u64,
    asked_at: u64,
    request: String,
    state: String,
}

impl CommandRow {
    pub(super) fn of(command: &KeptCommand) -> Result<Self, StorageError> {
        Ok(Self {
            id: command.id,
            asked_at: command.asked_at,
            request: json(&command.request)?,
            state: json(&command.state)?,
        })
    }

    /// Every row, each as it was written, and what their checksums add up to.
    pub(super) fn all(connection: &Connection) -> Result<(Vec<Self>, u64), StorageError> {
        let all = "SELECT id, asked_at, request, state, sum FROM command";
        let mut select = connection.prepare(all)?;
        let mut found = select.query([])?;
        let (mut rows, mut sums) = (Vec::new(), 0_u64);
        while let Some(columns) = found.next()? {
            let number = |column| columns.get(column).map(i64::cast_unsigned);
            let row = Self {
                id: number(0)?,
                asked_at: number(1)?,
                request: columns.get(2)?,
                state: columns.get(3)?,
            };
            let sum = number(4)?;
            if row.checksum() != sum {
                return Err(StorageError::Damaged(format!(
                    "table command: row {} is not as it was written",
                    row.id
                )));
            }
            sums = sums.wrapping_add(sum);
            rows.push(row);
        }
        Ok((rows, sums))
    }

    pub(super) fn command(&self) -> Result<KeptCommand, StorageError> {
        Ok(KeptCommand {
            id: self.id,
            request: self.read(&self.request)?,
            asked_at: self.asked_at,
            state: self.read(&self.state)?,
        })
    }

    /// It is what was written: what this build cannot read, another one wrote.
    fn read<T: DeserializeOwned>(&self, json: &str) -> Result<T, StorageError> {
        serde_json::from_str(json).map_err(|error| {
            let id = self.id;
            StorageError::NewerFormat(format!(
                "table command: row {id} has what this build does not know: {error}"
            ))
        })
    }

    /// There is none with its id.
    pub(super) fn insert(&self, writing: &mut Writing<'_>) -> Result<(), StorageError> {
        let sum = self.checksum();
        let insert = "INSERT INTO command VALUES (?, ?, ?, ?, ?)";
        let mut insert = writing.connection().prepare_cached(insert)?;
        insert.execute(params![
            self.id.cast_signed(),
            self.asked_at.cast_signed(),
            self.request,
            self.state,
            sum.cast_signed()
        ])?;
        writing.row_added(&COMMAND, sum);
        Ok(())
    }

    /// Of every value. Written to disk, so it never changes.
    fn checksum(&self) -> u64 {
        let place = Checksum::of("command").number(self.id);
        let place = place.number(self.asked_at);
        place.text(&self.request).text(&self.state).done()
    }
}

/// Takes out the row with this id, if there is one.
pub(super) fn remove(writing: &mut Writing<'_>, id: u64) -> Result<(), StorageError> {
    let delete = "DELETE FROM command WHERE id = ? RETURNING sum";
    let mut delete = writing.connection().prepare_cached(delete)?;
    let sum: Option<i64> = delete
        .query_row([id.cast_signed()], |row| row.get(0))
        .optional()?;
    writing.rows_removed(&COMMAND, sum.map_or(0, i64::cast_unsigned));
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String, StorageError> {
    let unwritable =
        |error| StorageError::InvalidRequest(format!("a command has no JSON form: {error}"));
    serde_json::to_string(value).map_err(unwritable)
}
