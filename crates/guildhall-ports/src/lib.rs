//! What Guildhall asks of the outside, as traits that promise and suites that prove.
//!
//! Who makes an adapter is the binary; roles are handed `Arc`s of traits, and name no adapter. No
//! port ever names a vendor.

/// Wall-clock time.
pub mod clock;
/// How a role tells its operator how it is.
pub mod health;
/// Who may write to a log.
pub mod fence;
/// What the gateway has to know after its process is gone.
pub mod journal;
/// What the gateway has to know of commands after its process is gone.
pub mod command_journal;
/// What the gateway has to know of its rooms after its process is gone.
pub mod room_store;
/// What the gateway has to know of revocations after its process is gone.
pub mod revocation_store;
/// How a log gets from its one writer to whoever reads it.
pub mod event_bus;
/// History: events kept beside the road.
pub mod event_store;
/// Which gateways there are.
pub mod registry;
/// Which browser sessions are over before their time.
pub mod session_store;
/// What was revoked, in memory.
pub mod revocation_table;
/// How often something may be done.
pub mod rate_limiter;
/// What a port answers with.
pub mod future;
/// A bounded set of ids, each of which expires.
pub mod expiring_set;
/// References of the ports that keep something, in memory.
pub mod memory;
/// The suites that every adapter of a port passes.
#[cfg(feature = "conformance")]
pub mod conformance;

pub use clock::{Clock, ManualClock, SystemClock, millis};
pub use command_journal::{CommandJournal, CommandState, Intent, KeptCommand, Settlement};
pub use event_bus::{AppendError, EventBus, EventTail, ReadError};
pub use event_store::EventStore;
pub use expiring_set::ExpiringSet;
pub use fence::{Fence, Fenced};
pub use future::{PortFuture, Unavailable};
pub use health::{Check, Condition, Health};
pub use journal::{Journal, JournalError, Journals};
pub use rate_limiter::RateLimiter;
pub use registry::{GatewayRegistry, LinkAddress};
pub use revocation_store::{RevocationChange, RevocationStore};
pub use revocation_table::RevocationTable;
pub use room_store::RoomStore;
pub use session_store::{Revocation, SessionFacts, SessionId, SessionStore};
