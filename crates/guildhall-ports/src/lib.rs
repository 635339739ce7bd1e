//! What Guildhall asks of the outside, as traits that promise and suites that prove.
//!
//! Today: the time, how a role says how it is, and the gateway's journal. No port ever names a
//! vendor.

/// Wall-clock time.
pub mod clock;
/// How a role tells its operator how it is.
pub mod health;
/// What the gateway has to know after its process is gone.
pub mod journal;
/// References of the ports that keep something, in memory.
pub mod memory;
/// The suites that every adapter of a port passes.
#[cfg(feature = "conformance")]
pub mod conformance;

pub use clock::{Clock, ManualClock, SystemClock, millis};
pub use health::{Check, Condition, Health};
pub use journal::{Journal, JournalError};
