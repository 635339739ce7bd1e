//! The revocations' part of a file: sessions, users, and one row beside them.

/// A revocation becomes a row, and a revocation again.
mod row;

use guildhall_model::{Revocation, UnixMs};
use guildhall_ports::RevocationChange;

use super::file::{
    Database, FileError, Migration, Module, NOW, Reading, StorageError, Table, Writing,
};

/// The first version that kept revocations.
const WITH_REVOCATIONS: i32 = 6;

/// One row for each session, by its name. Numbers are as in the journal's tables: unsigned, with the
/// same bits.
const REVOKED_SESSION: Table = Table {
    name: "revoked_session",
    sql: "CREATE TABLE revoked_session (
    id TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT, WITHOUT ROWID",
    versions: WITH_REVOCATIONS..NOW,
};

/// One row for each user: their sessions of before are over.
const REVOKED_USER: Table = Table {
    name: "revoked_user",
    sql: "CREATE TABLE revoked_user (
    user_id INTEGER PRIMARY KEY,
    not_before INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: WITH_REVOCATIONS..NOW,
};

/// One row, or none in a file that was never read: everybody's sessions of before are over. 0: none
/// is, since the file is older than revocations.
const REVOKED_HEAD: Table = Table {
    name: "revoked_head",
    sql: "CREATE TABLE revoked_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    not_before INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: WITH_REVOCATIONS..NOW,
};

/// The revocations' part of a file.
pub(in crate::sqlite) static MODULE: Module = Module {
    tables: &[REVOKED_SESSION, REVOKED_USER, REVOKED_HEAD],
    migrations: &[Migration {
        to: WITH_REVOCATIONS,
        run: |writing| {
            for table in MODULE.tables {
                table.create(writing.connection())?;
            }
            // Until now each web role knew its own, for as long as it ran: nothing was lost here.
            row::put_head(writing, 0)
        },
    }],
    verify: |reading| read(reading).map(drop),
};

/// Everything that is kept; from now on with `not_before` for everybody if the file was never read.
pub(super) fn load(
    database: &mut Database,
    not_before: UnixMs,
) -> Result<Vec<Revocation>, FileError> {
    let (mut kept, everybody) = database.read(&MODULE, read)?;
    if everybody.is_none() {
        database.write(|writing| row::put_head(writing, not_before))?;
    }
    let not_before = everybody.unwrap_or(not_before);
    if not_before > 0 {
        kept.push(Revocation::Everybody { not_before });
    }
    Ok(kept)
}

/// Changes rows, in one transaction.
pub(super) fn record(
    database: &mut Database,
    changes: &[RevocationChange],
) -> Result<(), FileError> {
    database.write(|writing| changes.iter().try_for_each(|change| write(writing, change)))
}

fn write(writing: &mut Writing<'_>, change: &RevocationChange) -> Result<(), StorageError> {
    match change {
        RevocationChange::Kept(revocation) => raise(writing, revocation),
        RevocationChange::SessionGone(id) => row::remove_session(writing, id),
        RevocationChange::UserGone(user_id) => row::remove_user(writing, *user_id),
    }
}

/// Of each what ends most stays.
fn raise(writing: &mut Writing<'_>, revocation: &Revocation) -> Result<(), StorageError> {
    match revocation {
        Revocation::Session {
            id,
            user_id,
            ends_at,
        } => {
            if row::end_of_session(writing, id)? >= Some(*ends_at) {
                return Ok(());
            }
            row::remove_session(writing, id)?;
            row::insert_session(writing, id, *user_id, *ends_at)
        }
        Revocation::User {
            user_id,
            not_before,
        } => {
            if row::time_of_user(writing, *user_id)? >= Some(*not_before) {
                return Ok(());
            }
            row::remove_user(writing, *user_id)?;
            row::insert_user(writing, *user_id, *not_before)
        }
        Revocation::Everybody { not_before } => {
            if row::time_of_everybody(writing)? >= Some(*not_before) {
                return Ok(());
            }
            row::put_head(writing, *not_before)
        }
    }
}

/// In ascending order, and beside them the one row.
fn read(reading: &mut Reading<'_>) -> Result<(Vec<Revocation>, Option<UnixMs>), StorageError> {
    let mut kept = row::sessions(reading)?;
    kept.extend(row::users(reading)?);
    // SQLite's order is another one from 2^63 on.
    kept.sort_unstable();
    Ok((kept, row::head(reading)?))
}
