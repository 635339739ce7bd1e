use flate2::{Decompress, FlushDecompress, Status};

use super::message_buffer::{DecodeError, MessageBuffer};

/// What every message ends with: the empty block of a sync flush.
const SYNC_FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

/// zlib-stream: one stream for the whole connection. A message may be in several frames; the last
/// one ends with [`SYNC_FLUSH`].
pub(super) struct Zlib {
    context: Decompress,
    /// The last four bytes that came.
    tail: [u8; 4],
}

impl Default for Zlib {
    fn default() -> Self {
        Self {
            context: Decompress::new(true),
            tail: [0xff; 4],
        }
    }
}

impl Zlib {
    /// Whether the frame ends a message.
    pub(super) fn push(
        &mut self,
        frame: &[u8],
        message: &mut MessageBuffer,
    ) -> Result<bool, DecodeError> {
        let mut rest = frame;
        loop {
            let out = message.room()?;
            let (read, written) = (self.context.total_in(), out.len());
            let status = self
                .context
                .decompress_vec(rest, out, FlushDecompress::Sync)
                .map_err(|_| DecodeError::Broken("no zlib stream"))?;
            if status == Status::StreamEnd {
                return Err(DecodeError::Broken("the zlib stream ends"));
            }
            let taken = usize::try_from(self.context.total_in() - read).unwrap_or(rest.len());
            rest = &rest[taken.min(rest.len())..];
            let is_full = out.len() == out.capacity();
            if rest.is_empty() && !is_full {
                break;
            }
            if taken == 0 && out.len() == written && !is_full {
                return Err(DecodeError::Broken("the zlib stream stands still"));
            }
        }
        for byte in &frame[frame.len().saturating_sub(SYNC_FLUSH.len())..] {
            self.tail.rotate_left(1);
            self.tail[3] = *byte;
        }
        Ok(self.tail == SYNC_FLUSH)
    }
}
