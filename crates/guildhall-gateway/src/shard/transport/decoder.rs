//! Binary frames into messages: what a connection was asked to compress with, and what comes
//! instead. One value for each connection, since the compression context is the connection's.

use std::borrow::Cow;

use super::{
    message_buffer::{DecodeError, MessageBuffer},
    zlib::Zlib,
    zstd::Zstd,
};

/// What is asked for in the address (Discord's documentation, "Gateway", Transport Compression).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shard) enum Compression {
    Zstd,
    Zlib,
}

impl Compression {
    /// Discord's name of it.
    pub(in crate::shard) fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd-stream",
            Self::Zlib => "zlib-stream",
        }
    }

    /// What is left to ask for.
    pub(in crate::shard) fn other(self) -> Self {
        match self {
            Self::Zstd => Self::Zlib,
            Self::Zlib => Self::Zstd,
        }
    }
}

/// The decompressed messages of one connection.
pub(super) struct Decoder {
    context: DecoderContext,
    message: MessageBuffer,
    /// The last frame ended a message.
    is_complete: bool,
}

enum DecoderContext {
    /// Nothing binary came yet.
    Unopened(Compression),
    /// JSON in binary frames, whatever was asked for.
    Plain,
    Zlib(Box<Zlib>),
    Zstd(Zstd),
}

impl Decoder {
    /// `longest`: a message with more bytes is refused, before there is memory for it.
    pub(super) fn new(compression: Compression, longest: usize) -> Self {
        Self {
            context: DecoderContext::Unopened(compression),
            message: MessageBuffer::new(longest),
            is_complete: false,
        }
    }

    /// Takes a frame. Whether it ends a message: [`Decoder::message`]. After an error the context
    /// is of no use any more.
    pub(super) fn push(&mut self, frame: &[u8]) -> Result<bool, DecodeError> {
        if std::mem::take(&mut self.is_complete) {
            self.message.clear();
        }
        if let DecoderContext::Unopened(compression) = self.context {
            self.context = match (compression, frame.first()) {
                (_, None) => return Ok(false),
                // No zlib or zstd stream begins so.
                (_, Some(b'{')) => DecoderContext::Plain,
                (Compression::Zlib, _) => DecoderContext::Zlib(Box::default()),
                (Compression::Zstd, _) => DecoderContext::Zstd(Zstd::new()?),
            };
        }
        self.is_complete = match &mut self.context {
            DecoderContext::Unopened(_) => false,
            DecoderContext::Plain => {
                self.message.extend(frame)?;
                true
            }
            DecoderContext::Zlib(zlib) => zlib.push(frame, &mut self.message)?,
            DecoderContext::Zstd(zstd) => zstd.push(frame, &mut self.message)?,
        };
        if self.is_complete {
            self.message.check_text()?;
        }
        Ok(self.is_complete)
    }

    /// The message so far. Bytes that are no UTF-8 are U+FFFD.
    pub(super) fn message(&self) -> Cow<'_, str> {
        self.message.text()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.message.capacity()
    }
}

#[cfg(test)]
mod tests;
