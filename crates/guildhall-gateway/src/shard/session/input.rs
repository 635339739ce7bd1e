//! What can happen to the session.

use std::time::Instant;

use guildhall_model::UnixMs;

use super::SessionRequest;
use crate::shard::reconnect_policy::Close;

/// What happened.
#[derive(Debug)]
pub(in crate::shard) enum Input<'a> {
    /// A message came.
    TextCame { text: &'a str, received_at: UnixMs },
    /// The answer to [`Output::AskToIdentify`]: from then on.
    MayIdentify { from: Instant },
    /// Something is to be asked of Discord.
    RequestMade(SessionRequest),
    /// The connection is to end.
    CloseAsked(CloseReason),
    /// Discord closed. `None`: without a code, or without a word.
    PeerClosed(Option<Close>),
    /// What comes can't be read, or nothing can be sent: why.
    ConnectionFailed(String),
    /// The deadline may have passed.
    TimePassed,
}

/// Why this end closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shard) enum CloseReason {
    /// The process stops; the next one resumes.
    Stop,
    /// The last dispatch was not taken; it is replayed by a RESUME.
    InboxFull,
    /// A fresh session is wanted.
    Renewal,
}
