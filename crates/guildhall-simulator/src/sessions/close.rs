//! Close codes of Discord, and what each means for the session.

/// A code with which the simulator ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CloseCode {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    /// Whether the session may still be resumed afterwards.
    pub(crate) keeps_session: bool,
}

impl CloseCode {
    pub(crate) const GOING_AWAY: Self = Self::resumable(1001, "The simulator stops.");
    pub(crate) const UNKNOWN_OPCODE: Self =
        Self::resumable(4001, "Unknown opcode or bad payload for it.");
    pub(crate) const DECODE_ERROR: Self = Self::resumable(4002, "Error while decoding payload.");
    pub(crate) const NOT_AUTHENTICATED: Self = Self::ending(4003, "Not authenticated.");
    pub(crate) const AUTHENTICATION_FAILED: Self = Self::ending(4004, "Authentication failed.");
    pub(crate) const ALREADY_AUTHENTICATED: Self = Self::ending(4005, "Already authenticated.");
    pub(crate) const INVALID_SEQ: Self = Self::ending(4007, "Invalid sequence.");
    pub(crate) const RATE_LIMITED: Self = Self::resumable(4008, "Rate limited.");
    pub(crate) const SESSION_TIMED_OUT: Self = Self::ending(4009, "Session timed out.");
    pub(crate) const INVALID_SHARD: Self = Self::ending(4010, "Invalid shard.");
    pub(crate) const SHARDING_REQUIRED: Self = Self::ending(4011, "Sharding required.");
    pub(crate) const INVALID_VERSION: Self = Self::ending(4012, "Invalid API version.");
    pub(crate) const INVALID_INTENTS: Self = Self::ending(4013, "Invalid intent(s).");
    pub(crate) const DISALLOWED_INTENTS: Self = Self::ending(4014, "Disallowed intent(s).");
    /// What is no WebSocket frame of a client's.
    pub(crate) const PROTOCOL_ERROR: Self = Self::resumable(1002, "Not a frame of a client's.");
    /// A connection with a session whose heartbeats stopped.
    pub(crate) const NO_HEARTBEAT: Self = Self::resumable(4000, "A heartbeat is missing.");
    /// Op 7 or op 9 was sent, and the client stayed.
    pub(crate) const TOLD_TO_LEAVE: Self = Self::resumable(4000, "Told to reconnect.");
    /// What became too much for a connection that reads too slowly.
    pub(crate) const FELL_BEHIND: Self = Self::ending(4000, "Reads too slowly.");

    const fn resumable(code: u16, reason: &'static str) -> Self {
        Self {
            code,
            reason,
            keeps_session: true,
        }
    }

    const fn ending(code: u16, reason: &'static str) -> Self {
        Self {
            code,
            reason,
            keeps_session: false,
        }
    }

    /// A code that a fault asks for. What Discord documents as the session's end
    /// is one; any other code leaves it resumable.
    pub(crate) fn asked(code: u16) -> Self {
        let keeps_session = !matches!(code, 4003 | 4004 | 4005 | 4007 | 4009..=4014);
        Self {
            code,
            reason: "Asked for by /sim/faults.",
            keeps_session,
        }
    }
}

/// Whether a client's close ends its session: 1000 and 1001 do, any other code,
/// none, or a torn connection do not.
pub(crate) fn client_ends_session(code: Option<u16>) -> bool {
    matches!(code, Some(1000 | 1001))
}
