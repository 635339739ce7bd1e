//! Events that are needed no more go.
//!
//! Events at or below their guild's floor are scattered among others: taking each out when its
//! floor rises would write a page for nearly each of them. So a clock hand (as in the CLOCK
//! page-replacement algorithm) goes round over the log, two old events for each new one; what it
//! finds below its floor goes, by then whole pages at once.
//! In a full log about a quarter of the rows waits for it. Events of many bytes have it go faster,
//! or a few of them would keep the file at many times what the log holds.

use guildhall_model::LogId;
use rusqlite::Connection;

use super::tables::{LAST_SEQ, event_at, place_in};

/// So many rows at a time.
const STRETCH: u64 = 512;

/// For so many bytes of a new event the hand passes one more old one. An event has about 350
/// bytes, so it is the number of events that counts until they are ten times as long.
const BYTES_PER_ROW: usize = 1_024;

/// Where the clock hand of a log is.
#[derive(Clone, Copy)]
pub(super) struct Sweep {
    log: LogId,
    /// Everything up to here was looked at in this round.
    hand: u64,
    /// Rows to look at.
    due: u64,
    /// No floor is above this, so it ends a round.
    highest_floor: u64,
}

impl Sweep {
    /// Nothing is there yet.
    pub(super) fn of(log: LogId) -> Self {
        Self::below(log, 0, 0, 0)
    }

    /// Floors as they are found. `kept` rows are above them and `dead` ones are not: with many of
    /// these a whole round is due, or processes that live shortly would never come to one.
    pub(super) fn below(log: LogId, highest_floor: u64, kept: u64, dead: u64) -> Self {
        let due = if dead > kept / 2 {
            kept + dead + STRETCH
        } else {
            0
        };
        Self {
            log,
            highest_floor,
            due,
            hand: 0,
        }
    }

    pub(super) fn floor_raised(&mut self, floor: u64) {
        self.highest_floor = self.highest_floor.max(floor);
    }

    /// `bytes`: of its payload.
    pub(super) fn event_added(&mut self, bytes: usize) {
        self.due += 2 + (bytes / BYTES_PER_ROW) as u64;
    }

    /// Does what is due. Returns the sums of what it took out, added up.
    pub(super) fn go_on(&mut self, connection: &Connection) -> rusqlite::Result<u64> {
        let mut gone = 0_u64;
        // Once round finds all there is.
        let mut rounds = 0;
        while self.due >= STRETCH {
            self.due -= STRETCH;
            if rounds > 1 {
                self.due = 0;
                break;
            }
            if self.highest_floor > 0 {
                gone = gone.wrapping_add(self.sweep(connection)?);
            }
            // At once: by the next time the floors have risen, and it would run after the head for
            // ever.
            if self.hand >= self.highest_floor {
                self.hand = 0;
                rounds += 1;
            }
        }
        Ok(gone)
    }

    fn sweep(&mut self, connection: &Connection) -> rusqlite::Result<u64> {
        let end = "SELECT max(place) FROM (SELECT place FROM event WHERE place > ? AND place <= ? \
                   ORDER BY place LIMIT ?)";
        let mut end = connection.prepare_cached(end)?;
        let before = place_in(self.log, 0);
        let from = place_in(self.log, self.hand).cast_signed();
        let last = place_in(self.log, LAST_SEQ).cast_signed();
        let stretch = [from, last, STRETCH.cast_signed()];
        let end: Option<i64> = end.query_row(stretch, |row| row.get(0))?;
        self.hand = end.map_or(LAST_SEQ, |end| event_at(end.cast_unsigned()).1);

        let below = "DELETE FROM event WHERE place > ? AND place <= ? AND place - ? <= \
                     (SELECT floor FROM base WHERE base.log = ? AND \
                     base.guild_id = event.guild_id) RETURNING sum";
        let mut below = connection.prepare_cached(below)?;
        let to = place_in(self.log, self.hand.min(self.highest_floor)).cast_signed();
        let mut below = below.query([from, to, before.cast_signed(), self.log.0.into()])?;
        let mut gone = 0_u64;
        while let Some(row) = below.next()? {
            gone = gone.wrapping_add(row.get::<_, i64>(0)?.cast_unsigned());
        }
        Ok(gone)
    }
}
