//! The one row: the key of invites, and the last number.

use guildhall_ports::room_store::{RoomNumber, SigningKey};
use rusqlite::{Connection, OptionalExtension, params};

use super::ROOM_HEAD;
use crate::sqlite::file::{Checksum, Reading, StorageError, Writing};

/// Its row without the checksum; without a key and at 0 where there is no row.
#[derive(Default)]
pub(super) struct Head {
    pub(super) signing_key: Option<SigningKey>,
    pub(super) last_number: RoomNumber,
}

impl Head {
    pub(super) fn read(reading: &mut Reading<'_>) -> Result<Self, StorageError> {
        let row = Self::row(reading.connection())?;
        reading.add_up(&ROOM_HEAD, row.as_ref().map_or(0, |(_, sum)| *sum))?;
        Ok(row.map(|(head, _)| head).unwrap_or_default())
    }

    /// Takes the place of the row that is there.
    pub(super) fn put(&self, writing: &mut Writing<'_>) -> Result<(), StorageError> {
        writing.clear(&ROOM_HEAD)?;
        let sum = self.checksum();
        let put = "INSERT INTO room_head VALUES (1, ?, ?, ?)";
        let mut put = writing.connection().prepare_cached(put)?;
        put.execute(params![
            self.signing_key.as_ref().map(hex),
            self.last_number.0.cast_signed(),
            sum.cast_signed()
        ])?;
        writing.row_added(&ROOM_HEAD, sum);
        Ok(())
    }

    /// The row, if there is one and it is as it was written, and its checksum.
    fn row(connection: &Connection) -> Result<Option<(Self, u64)>, StorageError> {
        let unlike = || StorageError::damaged("table room_head: its row is not as it was written");
        let row = "SELECT signing_key, last_number, sum FROM room_head";
        let row: Option<(Option<String>, i64, i64)> = connection
            .query_row(row, [], |row| row.try_into())
            .optional()?;
        let Some((key, last_number, sum)) = row else {
            return Ok(None);
        };
        let key = key.map(|digits| key_of(&digits).ok_or_else(unlike));
        let head = Self {
            signing_key: key.transpose()?,
            last_number: RoomNumber(last_number.cast_unsigned()),
        };
        if head.checksum() != sum.cast_unsigned() {
            return Err(unlike());
        }
        Ok(Some((head, sum.cast_unsigned())))
    }

    /// Of every value. Written to disk, so it never changes.
    fn checksum(&self) -> u64 {
        let key = self.signing_key.as_ref().map(hex);
        let head = Checksum::of("room_head").optional_text(key.as_deref());
        head.number(self.last_number.0).done()
    }
}

/// A room has this number.
pub(super) fn raise(writing: &mut Writing<'_>, number: RoomNumber) -> Result<(), StorageError> {
    let head = Head::row(writing.connection())?;
    let head = head.map(|(head, _)| head).unwrap_or_default();
    if head.last_number >= number {
        return Ok(());
    }
    Head {
        last_number: number,
        ..head
    }
    .put(writing)
}

fn hex(key: &SigningKey) -> String {
    let (high, low) = key.0.split_at(16);
    let digits = [high, low].map(|half| {
        let number = half
            .iter()
            .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        format!("{number:032x}")
    });
    digits.concat()
}

fn key_of(digits: &str) -> Option<SigningKey> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = pairs.iter().map(byte).collect::<Option<_>>()?;
    bytes.try_into().ok().map(SigningKey)
}
