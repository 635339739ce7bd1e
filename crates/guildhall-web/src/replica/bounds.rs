//! How much the replica and the buffers that are filled from it keep.

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Records of one guild.
    pub(crate) window: usize,
    /// Bytes of records of one log, all of its guilds together.
    pub(crate) log_bytes: usize,
    /// Bytes of records of all logs together.
    pub(crate) process_bytes: usize,
    /// Of one guild, what open streams are told of rooms that appear and vanish.
    pub(crate) transitions: TransitionBounds,
    /// Of one class of viewers with one query, what they are shown.
    pub(crate) buffers: BufferBounds,
}

/// What is kept of one guild's room transitions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransitionBounds {
    /// Records: more than what any stream that is polled at all is behind. Of the newest group all
    /// are, since no stream was told of it yet.
    pub(crate) records: usize,
    /// Bytes. Who would have to be told more of one record, or of one group, is sent the guild
    /// again.
    pub(crate) bytes: usize,
}

/// What a class's buffer keeps. A stream further behind reads the guild's log itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BufferBounds {
    pub(crate) records: usize,
    /// Records and rooms together.
    pub(crate) frames: usize,
}

impl Bounds {
    /// Those of a process that keeps `window` records of each guild.
    pub(crate) fn of(window: usize) -> Self {
        Self {
            window,
            log_bytes: 64 << 20,
            // Four logs of which each is full.
            process_bytes: 256 << 20,
            transitions: TransitionBounds {
                records: 256,
                bytes: 4 << 20,
            },
            buffers: BufferBounds {
                records: 512,
                // More rooms than that a guild does not have.
                frames: 2_048,
            },
        }
    }
}
