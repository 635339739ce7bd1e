//! References of the ports that keep something, in memory: what the product runs with where nothing
//! else is installed, and what tests compare others with.

/// The bus in memory, for readers in the same process.
mod event_bus;
/// The journal in memory, for as long as its handles live.
mod journal;
/// The journal of commands in memory, for as long as its handles live.
mod command_journal;
/// Rooms in memory, for as long as handles on them live.
mod room_store;
/// What was revoked, for as long as handles on it live.
mod revocation_store;
/// Stores of events: none, and one in memory.
mod event_store;
/// The registry of one gateway.
mod registry;
/// What was revoked, for the web role of one process.
mod session_store;
/// Buckets in memory.
mod rate_limiter;

pub use command_journal::MemoryCommandJournal;
pub use event_bus::InMemoryEventBus;
pub use event_store::{MemoryEventStore, NoOpEventStore};
pub use journal::{MemoryJournal, MemoryJournals};
pub use rate_limiter::MemoryRateLimiter;
pub use registry::SingleInstanceRegistry;
pub use revocation_store::MemoryRevocationStore;
pub use room_store::MemoryRoomStore;
pub use session_store::CookieSessionStore;
