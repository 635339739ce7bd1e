//! One connection between one gateway and one web role, from the WebSocket's opening to its end,
//! is an *attachment*. What both ends do alike is here.

/// What both machines do alike.
mod conversation;

use std::{fmt, time::Duration};

use crate::{Frame, frame::Opening, frame::VERSION};

pub use conversation::SocketInput;
pub(crate) use conversation::{Conversation, Remainder, SocketOutput};

/// Both ends ping this often, whatever else they say.
pub const PING_EVERY: Duration = Duration::from_secs(5);
/// An end that hears nothing of any kind for so long counts the other as gone.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(10);
/// So long may the other end take for its first frame: `hello`, `subscribe`.
pub const FIRST_FRAME_LIMIT: Duration = Duration::from_secs(10);
/// So long may one write take before the driver gives up: the other end reads no more.
pub const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// The biggest message a web role may send: its biggest is a watch of
/// [`crate::receiver::GUILDS_PER_WATCH`] guilds, at most 23 bytes each.
pub const MESSAGE_BYTES_TO_GATEWAY: usize = 64 * 1024;
/// The biggest message a gateway may send: its biggest is a guild's base. 64 MiB are some 100,000
/// people in voice at once; 500 rooms, which is all that Discord allows, with 100 overwrites each
/// are 5 MB.
pub const MESSAGE_BYTES_TO_WEB: usize = 64 * 1024 * 1024;

/// The most events of one group (see [`Envelope::more`]). A receiver holds a group until it is
/// whole, so there has to be an end to it; a sender cuts what is longer. The longest that happens
/// are a room with thousands in it that is deleted, and the first look at a guild after a long
/// absence: two events for each person in voice. With 65,536 that is 32,000 people in voice in one
/// guild, and some 30 MB held.
///
/// [`Envelope::more`]: guildhall_model::Envelope::more
pub const GROUP_EVENTS: usize = 65_536;

/// Why an attachment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This process stops.
    Stopped,
    /// The other end closed, or the connection broke.
    Lost,
    /// Nothing was heard for [`SILENCE_LIMIT`].
    Silent,
    /// A write took longer than [`WRITE_LIMIT`].
    Stalled,
    /// The first frame did not come within [`FIRST_FRAME_LIMIT`].
    Late,
    /// The other end speaks another version of the protocol.
    Version {
        /// Who it is, by what it opens with.
        opening: Opening,
        /// Which version it speaks.
        theirs: u32,
    },
    /// The other end said what it may not say.
    Violated(Violation),
    /// Gateway: the log no longer has what comes next for this attachment.
    Expired,
    /// Web: an event is missing, doubled or of another epoch of the log.
    OutOfOrder,
}

impl End {
    /// The WebSocket close code to say goodbye with, unless there is nobody to say it to.
    #[must_use]
    pub fn close_code(self) -> Option<u16> {
        match self {
            Self::Lost | Self::Silent | Self::Stalled => None,
            Self::Stopped => Some(1001),
            Self::Violated(Violation::Binary) => Some(1003),
            Self::Violated(Violation::Oversized) => Some(1009),
            Self::Late | Self::Version { .. } | Self::OutOfOrder | Self::Violated(_) => Some(1002),
            Self::Expired => Some(1013),
        }
    }

    /// The reason to send with the close code: a close frame has room for 123 bytes.
    #[must_use]
    pub fn close_reason(self) -> String {
        self.to_string().chars().take(120).collect()
    }

    /// The `error` frame to say before closing, where the other end can learn from it.
    pub(crate) fn error(self) -> Option<Frame> {
        let code = match self {
            Self::Stopped | Self::Lost | Self::Silent | Self::Stalled => return None,
            Self::Late => "late",
            Self::Version { .. } => "version",
            Self::Violated(_) => "protocol",
            Self::Expired => "expired",
            Self::OutOfOrder => "out_of_order",
        };
        Some(Frame::Error {
            code: code.to_owned(),
            message: self.to_string(),
        })
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("this process stops"),
            Self::Lost => f.write_str("the connection was closed"),
            Self::Silent => write!(f, "nothing was heard for {} s", SILENCE_LIMIT.as_secs()),
            Self::Stalled => write!(f, "a write took over {} s", WRITE_LIMIT.as_secs()),
            Self::Late => write!(
                f,
                "the first frame did not come within {} s",
                FIRST_FRAME_LIMIT.as_secs()
            ),
            Self::Version { opening, theirs } => {
                let (gateway, web) = match opening {
                    Opening::Hello => (*theirs, VERSION),
                    Opening::Subscribe => (VERSION, *theirs),
                };
                write!(
                    f,
                    "the gateway speaks version {gateway} of the link, the web role version \
                     {web}: run the same release on both sides"
                )
            }
            Self::Violated(violation) => violation.fmt(f),
            Self::Expired => f.write_str("the log no longer has the next event: subscribe again"),
            Self::OutOfOrder => f.write_str("an event is missing or doubled"),
        }
    }
}

/// What breaks the protocol's rules. Counted and logged once per kind, by [`Violation::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Violation {
    /// A text message that is no frame. Dropped where nothing is lost with it.
    Undecodable,
    /// A frame of a type this build does not know. Dropped.
    UnknownType,
    /// A `tell` of a kind this build does not know. Dropped.
    UnknownTell,
    /// A request or a reply of a kind this build does not know. A request is answered so.
    UnknownRequest,
    /// A known frame that has no place here and now. Ends the attachment.
    Unexpected,
    /// A binary message. Ends the attachment.
    Binary,
    /// A message above the size limit. Ends the attachment.
    Oversized,
    /// A group of more than [`GROUP_EVENTS`] events. Ends the attachment.
    Endless,
}

impl Violation {
    /// Each kind once.
    pub const ALL: [Self; 8] = [
        Self::Undecodable,
        Self::UnknownType,
        Self::UnknownTell,
        Self::UnknownRequest,
        Self::Unexpected,
        Self::Binary,
        Self::Oversized,
        Self::Endless,
    ];

    /// A word for logs and metrics.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::UnknownType => "unknown_type",
            Self::UnknownTell => "unknown_tell",
            Self::UnknownRequest => "unknown_request",
            Self::Unexpected => "unexpected",
            Self::Binary => "binary",
            Self::Oversized => "oversized",
            Self::Endless => "endless_group",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Undecodable => "a message is no frame",
            Self::UnknownType => "a frame is of an unknown type",
            Self::UnknownTell => "it tells what is of an unknown kind",
            Self::UnknownRequest => "a request or a reply is of an unknown kind",
            Self::Unexpected => "a frame came out of turn",
            Self::Binary => "a message is binary",
            Self::Oversized => "a message is too big",
            Self::Endless => "a group of events has no end",
        })
    }
}
