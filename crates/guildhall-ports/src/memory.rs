/// [`Journal`](crate::Journal), for as long as its handles live.
mod journal;

pub use journal::MemoryJournal;
