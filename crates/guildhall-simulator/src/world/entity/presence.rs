//! Who is online, and what they are at.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How somebody is shown; the same in every guild.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Presence {
    pub(crate) status: Status,
    /// Activity objects, the first being what is shown.
    pub(crate) activities: Vec<Value>,
}

/// Who is invisible is offline to everybody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Online,
    Idle,
    Dnd,
    #[default]
    Offline,
}

impl Presence {
    pub(crate) fn is_offline(&self) -> bool {
        self.status == Status::Offline
    }
}
