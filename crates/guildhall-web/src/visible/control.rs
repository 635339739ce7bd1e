//! Control events: what a stream says about itself rather than about a guild.

use guildhall_model::event::{
    BYE, ByePayload, CHECKPOINT, CheckpointPayload, EventDefinition, RESUMED, ResumedPayload,
    STATUS, StatusPayload,
};
use serde::Serialize;

/// An event in which no room and no person is named: words, times, counts, and ids of guilds that
/// the viewer is known to be in. The list is closed: nothing else may be shown to a viewer without
/// looking at their rights.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ControlEvent {
    /// The browser's cursor was good.
    Resumed(ResumedPayload),
    /// How fresh the replica is.
    Status(StatusPayload),
    /// A cursor that moves although nothing happened that the viewer may see.
    Checkpoint(CheckpointPayload),
    /// The stream ends.
    Bye(ByePayload),
}

impl ControlEvent {
    /// Which event of the table it is.
    pub(crate) fn definition(&self) -> &'static EventDefinition {
        match self {
            Self::Resumed(_) => &RESUMED,
            Self::Status(_) => &STATUS,
            Self::Checkpoint(_) => &CHECKPOINT,
            Self::Bye(_) => &BYE,
        }
    }
}
