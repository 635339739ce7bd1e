//! Whether a browser or a stream can go on from its position at all, before anybody's rights are
//! looked at.

use guildhall_model::{Cursor, Position};

use guildhall_model::event::SnapshotReason;

/// What becomes of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CursorVerdict {
    /// Everything after this number is kept.
    After(u64),
    /// A snapshot, and why.
    Snapshot(SnapshotReason),
}

/// Decides about a browser's cursor. `floor`: the highest of the query's guilds; `window`: how
/// far ahead another instance may be believed.
pub(super) fn judge_cursor(
    cursor: Option<&Cursor>,
    heads: &[Position],
    now: Position,
    floor: u64,
    window: u64,
) -> CursorVerdict {
    let Some(cursor) = cursor.and_then(|cursor| cursor.in_log(now.log)) else {
        return CursorVerdict::Snapshot(SnapshotReason::NoCursor);
    };
    if cursor.epoch != now.epoch {
        return CursorVerdict::Snapshot(SnapshotReason::EpochChanged);
    }
    let before_login = |head: &Position| head.comparable(cursor) && cursor.seq < head.seq;
    if heads.iter().any(before_login) {
        return CursorVerdict::Snapshot(SnapshotReason::NoCursor);
    }
    if cursor.seq < floor || cursor.seq > now.seq.saturating_add(window) {
        return CursorVerdict::Snapshot(SnapshotReason::CursorExpired);
    }
    CursorVerdict::After(cursor.seq)
}

/// Decides about a stream that is open at `position`.
pub(super) fn judge_position(
    position: Position,
    now: Position,
    floor: u64,
    window: u64,
) -> CursorVerdict {
    match judge_cursor(Some(&Cursor::from(position)), &[], now, floor, window) {
        CursorVerdict::Snapshot(SnapshotReason::CursorExpired) => {
            CursorVerdict::Snapshot(SnapshotReason::SlowConsumer)
        }
        verdict => verdict,
    }
}

#[cfg(test)]
mod tests;
