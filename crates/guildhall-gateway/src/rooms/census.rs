//! How many rooms there are, for the operator.

use guildhall_ports::room_store::{RoomPhase, RoomRecord};
use metrics::gauge;

/// How far a room may be, as it is counted.
pub(crate) const ROOM_PHASES: [&str; 3] = ["making", "open", "closing"];

/// Of rooms of each phase, and of those of which Discord may not be as is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RoomCensus {
    phases: [u32; 3],
    unsettled: u32,
}

impl RoomCensus {
    pub(super) fn of<'a>(rooms: impl Iterator<Item = &'a RoomRecord>) -> Self {
        rooms.fold(Self::default(), |mut all, room| {
            let phase = match room.phase {
                RoomPhase::Making { .. } => 0,
                RoomPhase::Open { .. } => 1,
                RoomPhase::Closing { .. } => 2,
            };
            all.phases[phase] += 1;
            all.unsettled += u32::from(is_unsettled(room));
            all
        })
    }

    /// Has the operator know.
    pub(super) fn tell(self) {
        for (phase, count) in ROOM_PHASES.into_iter().zip(self.phases) {
            gauge!("guildhall_rooms", "phase" => phase).set(f64::from(count));
        }
        gauge!("guildhall_rooms_unsettled").set(f64::from(self.unsettled));
    }
}

/// Whether Discord may not be as is kept of a room.
pub(super) fn is_unsettled(room: &RoomRecord) -> bool {
    let is_open = matches!(room.phase, RoomPhase::Open { .. });
    room.unsettled || !is_open || room.late_until.is_some()
}
