//! Gateway sessions: who gets which dispatch, and what is kept for replay.

/// Close codes of Discord, and what each means for the session.
pub(crate) mod close;
/// What a client sends, read without trust.
pub(crate) mod payload;
/// What a session may ask for: presence, voice, members, sounds, channel info.
pub(crate) mod request;
/// One session: its dispatches, and what is kept for replay.
pub(crate) mod session;
/// All sessions, the identify budget, and detached ones.
pub(crate) mod registry;
