//! References of the ports that keep something, in memory.

/// The journal in memory, for as long as its handles live.
mod journal;

pub use journal::MemoryJournal;
