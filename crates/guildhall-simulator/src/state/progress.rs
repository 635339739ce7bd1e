//! How far the load, the script and the scenario are: one of each at a time.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::config::Scenario;

/// Faults written down; one more and the oldest is forgotten.
const CAUSED_KEPT: usize = 1000;

/// Progress of the present or last load.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) running: bool,
    pub(crate) sent: u64,
    /// Of the next stamp of any load: sequence numbers never come twice.
    pub(crate) next_seq: u64,
    pub(crate) failed: Option<String>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            running: false,
            sent: 0,
            next_seq: 1,
            failed: None,
        }
    }
}

impl Load {
    /// Begins a new load, unless one is under way.
    pub(crate) fn begin(&mut self) -> bool {
        if self.running {
            return false;
        }
        *self = Self {
            running: true,
            next_seq: self.next_seq,
            ..Self::default()
        };
        true
    }
}

/// Who causes a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Initiator {
    Person,
    Script,
}

/// The script under way or done last, and every fault caused of late.
#[derive(Debug, Default)]
pub(crate) struct ScriptLog {
    pub(crate) running: Option<CancellationToken>,
    pub(crate) steps: Vec<Value>,
    pub(crate) done: Vec<Value>,
    caused: VecDeque<Value>,
}

impl ScriptLog {
    /// Begins a script of these steps, unless one is under way.
    pub(crate) fn begin(&mut self, steps: Vec<Value>, stop: CancellationToken) -> bool {
        if self.running.is_some() {
            return false;
        }
        self.running = Some(stop);
        self.steps = steps;
        self.done = Vec::new();
        true
    }

    /// The newest faults, oldest first.
    pub(crate) fn caused(&self) -> Vec<&Value> {
        self.caused.iter().collect()
    }

    pub(crate) fn record_fault(
        &mut self,
        unix_ms: u64,
        fault: &Value,
        by: Initiator,
        answer: &Value,
    ) {
        if self.caused.len() == CAUSED_KEPT {
            self.caused.pop_front();
        }
        self.caused
            .push_back(json!({"unixMs": unix_ms, "by": by, "fault": fault, "answer": answer}));
    }
}

/// The scenario under way.
#[derive(Debug, Default)]
pub(crate) struct RunningScenario {
    pub(crate) scenario: Scenario,
    /// How many turns it has taken.
    pub(crate) turns: u64,
    pub(crate) stop: Option<CancellationToken>,
}
