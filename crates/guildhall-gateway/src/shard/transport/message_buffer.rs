//! A message as it grows, within its bound.

use std::{borrow::Cow, str::Utf8Chunk};

/// A buffer above this is not kept from one message to the next: one huge guild would have it
/// for as long as the connection lasts.
pub(super) const BUFFER_KEPT: usize = 1 << 20;
/// What a buffer begins with.
pub(super) const BUFFER_FIRST: usize = 16 << 10;

/// Why a frame is no part of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("a message is longer than {0} bytes")]
    TooLong(usize),
    #[error("its zstd window is too large")]
    WindowTooLarge,
    #[error("its compression is broken: {0}")]
    Broken(&'static str),
}

/// The bytes of a message, of which there are never more than allowed.
pub(super) struct MessageBuffer {
    bytes: Vec<u8>,
    longest: usize,
}

impl MessageBuffer {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            bytes: Vec::new(),
            longest,
        }
    }

    /// The message so far. Bytes that are no UTF-8 are U+FFFD.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(&self.bytes),
        }
    }

    /// Whether the text is within the bound too: a byte that is no UTF-8 becomes three.
    pub(super) fn check_text(&self) -> Result<(), DecodeError> {
        if self.bytes.len() <= self.longest / 3 {
            return Ok(());
        }
        let length = |chunk: Utf8Chunk<'_>| {
            let replaced = !chunk.invalid().is_empty();
            let replacement = char::REPLACEMENT_CHARACTER.len_utf8();
            chunk.valid().len() + if replaced { replacement } else { 0 }
        };
        if self.bytes.utf8_chunks().map(length).sum::<usize>() > self.longest {
            return Err(DecodeError::TooLong(self.longest));
        }
        Ok(())
    }

    /// A buffer with room for one byte at least. Whoever fills it to its capacity may ask again.
    pub(super) fn room(&mut self) -> Result<&mut Vec<u8>, DecodeError> {
        let (length, capacity) = (self.bytes.len(), self.bytes.capacity());
        if length > self.longest {
            return Err(DecodeError::TooLong(self.longest));
        }
        if length == capacity {
            // One byte above what is allowed shows that there is more.
            let most = self.longest + 1 - length;
            self.bytes
                .reserve_exact(capacity.max(BUFFER_FIRST).min(most));
        }
        Ok(&mut self.bytes)
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        if self.bytes.len() + bytes.len() > self.longest {
            return Err(DecodeError::TooLong(self.longest));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Begins the next message.
    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > BUFFER_KEPT {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}
