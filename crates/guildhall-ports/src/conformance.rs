//! For the tests of adapters: each suite is a function that panics where a promise of its port is
//! not kept. Adapters under test answer without a runtime of the suite's own, so any will do.

/// The suite of [`Journal`](crate::Journal): every promise that one process can see.
mod journal;

pub use journal::{journal, one_owner};
