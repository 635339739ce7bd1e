//! What the session wants done, and how it ends.

use super::Outgoing;
use crate::{inbox::Dispatch, shard::reconnect_policy::Disconnect};

/// What the driver is to do.
#[derive(Debug)]
pub(in crate::shard) enum Output {
    /// Send a text message.
    Send(Outgoing),
    /// HELLO came: the peer is a Gateway.
    Greeted,
    /// Take a slot for an IDENTIFY, and say [`Input::MayIdentify`].
    AskToIdentify,
    /// Hand a dispatch on. If it is not taken, say [`CloseReason::InboxFull`] before anything else.
    Dispatch(Dispatch),
    /// The session stands. Comes behind the dispatch that says so.
    Established {
        how: How,
        /// Empty: Discord named none that can be read.
        session_id: String,
    },
    /// Something to count, and to log.
    Report(Oddity),
    /// Close with this code, and read on until [`Output::Ended`].
    Close(u16),
    /// The last output.
    Ended(SessionExit),
}

/// How a session came to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shard) enum How {
    Identified,
    Resumed,
}

/// What was passed over or mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shard) enum Oddity {
    /// A message that is none, or not where it belongs.
    BadMessage,
    /// A dispatch has an odd envelope; its name, if it has one. The first of the connection.
    OddEnvelope(Option<String>),
    /// A request was not sent, so it has no answer.
    RequestRefused { op: u8, why: &'static str },
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shard) enum SessionExit {
    Disconnected(Disconnect),
    /// As asked.
    Stopped,
}
