//! What routes and connections share.

/// The world, its sessions and the faults, behind one lock.
pub(crate) mod discord;
