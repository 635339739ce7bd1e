//! What a run is like.

use std::time::Duration;

use crate::oracle::rig::Told;

/// Of one seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) logs: u16,
    pub(crate) told: Told,
    /// How much happens, and for how long at most.
    pub(crate) acts: usize,
    pub(crate) acting: Duration,
}
