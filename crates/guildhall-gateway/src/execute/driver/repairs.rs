//! Which rooms are to be repaired, and when: at once, and where that fails after a while, and again
//! after a longer one.

use std::{collections::BTreeMap, time::Duration};

use guildhall_ports::room_store::{RoomNumber, RoomPhase, RoomRecord};
use tokio::time::Instant;

/// Before the second try. The third waits twice as long,
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// and none longer than this.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// While Discord is not live nothing is tried.
const SOON: Duration = Duration::from_secs(1);

/// Rooms that are to be repaired, or are being.
#[derive(Debug, Default)]
pub(super) struct Repairs(BTreeMap<RoomNumber, RoomRepair>);

#[derive(Clone, Copy, Debug, Default)]
struct RoomRepair {
    is_under_way: bool,
    /// Tries that failed.
    failures: u32,
    /// Not before then.
    due: Option<Instant>,
}

impl Repairs {
    /// It is to be repaired; it may be known already.
    pub(super) fn ask(&mut self, number: RoomNumber) {
        self.0.entry(number).or_default();
    }

    /// Those whose time has come.
    pub(super) fn due(&self, now: Instant) -> Vec<RoomNumber> {
        let due = self
            .0
            .iter()
            .filter(|(_, repair)| !repair.is_under_way && repair.due.is_none_or(|due| due <= now));
        due.map(|(number, _)| *number).collect()
    }

    /// It is begun. `false`: it is under way.
    pub(super) fn begin(&mut self, number: RoomNumber) -> bool {
        let repair = self.0.entry(number).or_default();
        !std::mem::replace(&mut repair.is_under_way, true)
    }

    pub(super) fn repaired(&mut self, number: RoomNumber) {
        self.0.remove(&number);
    }

    /// Nothing could be tried yet.
    pub(super) fn put_off(&mut self, number: RoomNumber, now: Instant) {
        let repair = self.0.entry(number).or_default();
        repair.is_under_way = false;
        repair.due = Some(now + SOON);
    }

    /// Something of it may still come: it is looked for as often as for anything the first time.
    pub(super) fn awaited(&mut self, number: RoomNumber, now: Instant) {
        let repair = RoomRepair {
            due: Some(now + FIRST_WAIT),
            ..RoomRepair::default()
        };
        self.0.insert(number, repair);
    }

    /// It is tried again later.
    pub(super) fn failed(&mut self, number: RoomNumber, now: Instant) {
        let repair = self.0.entry(number).or_default();
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(repair.failures));
        repair.failures = repair.failures.saturating_add(1).min(16);
        repair.is_under_way = false;
        repair.due = Some(now + wait.min(LONGEST_WAIT));
    }
}

/// Whether it is still to be made.
pub(super) fn is_making(room: &RoomRecord) -> bool {
    matches!(room.phase, RoomPhase::Making { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_tried_again_after_a_while_and_never_twice_at_once() {
        let (mut repairs, room) = (Repairs::default(), RoomNumber(1));
        let now = Instant::now();
        repairs.ask(room);
        repairs.ask(room);
        assert_eq!(repairs.due(now), [room]);
        assert!(repairs.begin(room));
        assert!(!repairs.begin(room) && repairs.due(now).is_empty());
        for wait in [5, 10, 20, 40, 80, 160, 320, 600, 600] {
            repairs.failed(room, now);
            let due = now + Duration::from_secs(wait);
            assert!(repairs.due(due - Duration::from_millis(1)).is_empty());
            assert_eq!(repairs.due(due), [room]);
            assert!(repairs.begin(room));
        }
        repairs.repaired(room);
        assert!(repairs.due(now).is_empty());
    }
}
