//! What Guildhall asks of the outside, as traits that promise and suites that prove.
//!
//! Today: the time, and how a role says how it is. No port ever names a vendor.

/// Wall-clock time.
pub mod clock;
/// How a role tells its operator how it is.
pub mod health;

pub use clock::{Clock, ManualClock, SystemClock};
pub use health::{Check, Condition, Health};
