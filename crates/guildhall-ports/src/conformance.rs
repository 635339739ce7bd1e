//! For the tests of adapters: each suite is a function that panics where a promise of its port is
//! not kept. Adapters under test answer without a runtime of the suite's own, so any will do.

/// The suite of [`EventBus`](crate::EventBus).
mod event_bus;
/// The suite of [`Journal`](crate::Journal): every promise that one process can see.
mod journal;
/// The suite of [`CommandJournal`](crate::CommandJournal).
mod command_journal;
/// The suite of [`RoomStore`](crate::RoomStore).
mod room_store;
/// The suite of [`RevocationStore`](crate::RevocationStore).
mod revocation_store;
/// The suite of [`EventStore`](crate::EventStore).
mod event_store;
/// The suite of [`GatewayRegistry`](crate::GatewayRegistry).
mod registry;
/// The suite of [`SessionStore`](crate::SessionStore).
mod session_store;
/// The suite of [`RateLimiter`](crate::RateLimiter).
mod rate_limiter;
/// Random histories of something that is kept.
mod history;
/// Values by chance, and the smallest that fails.
mod property;

pub use command_journal::command_journal;
pub use event_bus::event_bus;
pub use event_store::event_store;
pub use journal::{journal, one_owner};
pub use rate_limiter::{rate_limiter, some_time};
pub use registry::{GatewaysAtOnce, gateway_registry};
pub use revocation_store::revocation_store;
pub use room_store::room_store;
pub use session_store::session_store;
