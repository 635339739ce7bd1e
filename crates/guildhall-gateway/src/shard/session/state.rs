//! Where a connection is in its protocol.

use std::{collections::VecDeque, time::Instant};

use super::{SessionExit, SessionRequest, heartbeat::HeartbeatSchedule, send_budget::SendBudget};

#[derive(Debug)]
pub(super) enum SessionState {
    AwaitingHello {
        by: Instant,
    },
    /// A fresh session is asked for.
    Identifying {
        upkeep: Upkeep,
        permit: IdentifyPermit,
    },
    /// Discord replays what was missed.
    Resuming {
        upkeep: Upkeep,
        session_id: String,
    },
    /// The session stands.
    Live {
        upkeep: Upkeep,
        /// For room in the send budget.
        waiting: VecDeque<SessionRequest>,
    },
    /// Closed by us; waits for the peer's answer.
    Closing {
        exit: SessionExit,
        by: Instant,
    },
    Ended,
}

/// What every state after HELLO has.
#[derive(Debug)]
pub(super) struct Upkeep {
    pub(super) heartbeat: HeartbeatSchedule,
    pub(super) budget: SendBudget,
}

/// A connection has one IDENTIFY.
#[derive(Debug)]
pub(super) enum IdentifyPermit {
    Asked,
    Granted { from: Instant },
    Used,
}

impl SessionState {
    pub(super) fn upkeep(&mut self) -> Option<&mut Upkeep> {
        match self {
            Self::Identifying { upkeep, .. }
            | Self::Resuming { upkeep, .. }
            | Self::Live { upkeep, .. } => Some(upkeep),
            Self::AwaitingHello { .. } | Self::Closing { .. } | Self::Ended => None,
        }
    }

    /// Whether Discord was asked for a session: before that no dispatch has a meaning.
    pub(super) fn is_opened(&self) -> bool {
        match self {
            Self::Identifying { permit, .. } => matches!(permit, IdentifyPermit::Used),
            Self::Resuming { .. } | Self::Live { .. } => true,
            Self::AwaitingHello { .. } | Self::Closing { .. } | Self::Ended => false,
        }
    }

    /// When time alone changes something; `None`: never.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let (upkeep, other) = match self {
            Self::AwaitingHello { by } | Self::Closing { by, .. } => return Some(*by),
            Self::Identifying { upkeep, permit } => match permit {
                IdentifyPermit::Granted { from } => (upkeep, Some(*from)),
                IdentifyPermit::Asked | IdentifyPermit::Used => (upkeep, None),
            },
            Self::Resuming { upkeep, .. } => (upkeep, None),
            Self::Live { upkeep, waiting } if waiting.is_empty() => (upkeep, None),
            Self::Live { upkeep, .. } => (upkeep, upkeep.budget.requests.free_from()),
            Self::Ended => return None,
        };
        let beat = upkeep.heartbeat.due();
        Some(other.map_or(beat, |other| other.min(beat)))
    }
}
