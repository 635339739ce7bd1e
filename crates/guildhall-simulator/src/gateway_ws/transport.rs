//! How a frame leaves: plain, compressed payload by payload, or as one stream.

use axum::extract::ws::Message;
use flate2::{Compress, Compression, FlushCompress, Status};
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, zstd_sys::ZSTD_EndDirective};

use crate::{faults::CompressionFault, sessions::TransportCompression};

/// Payload compression leaves shorter frames as they are: Discord does not
/// compress every message, and a client must take both.
const WORTH_COMPRESSING: usize = 1024;
/// Compressed streams trade size for speed: this is a test's Discord, not a network's.
const ZSTD_LEVEL: i32 = 1;
/// Room that is added when a compressor asks for more.
const STEP: usize = 4096;

/// The compressor of one connection; its context lives as long as that.
pub(super) enum Transport {
    /// Text frames.
    Plain,
    /// Text frames, and long ones as a whole zlib stream in a binary frame.
    Payload,
    /// One zlib stream; every frame ends in `00 00 FF FF`.
    Zlib(Box<Compress>),
    /// One zstd stream, flushed at every frame and never ended.
    Zstd(CCtx<'static>),
}

impl Transport {
    /// `spoiled`: what is wrong with it on purpose.
    pub(super) fn new(
        asked: Option<TransportCompression>,
        spoiled: Option<CompressionFault>,
    ) -> Self {
        if spoiled == Some(CompressionFault::Missing) {
            return Self::Plain;
        }
        match asked {
            None => Self::Plain,
            Some(TransportCompression::Zlib) => {
                Self::Zlib(Box::new(Compress::new(Compression::fast(), true)))
            }
            Some(TransportCompression::Zstd) => {
                let mut context = CCtx::create();
                // A level that zstd refused would leave its default, which is as good.
                let _ = context.set_parameter(CParameter::CompressionLevel(ZSTD_LEVEL));
                if let Some(CompressionFault::ZstdWindow(log)) = spoiled {
                    // Checked where the fault was asked for.
                    let _ = context.set_parameter(CParameter::WindowLog(log.into()));
                }
                Self::Zstd(context)
            }
        }
    }

    /// IDENTIFY asked for compressed payloads; transport compression makes that moot.
    pub(super) fn compress_payloads(&mut self) {
        if matches!(self, Self::Plain) {
            *self = Self::Payload;
        }
    }

    /// The WebSocket message of one payload; `None` if the compressor broke.
    pub(super) fn message(&mut self, text: String) -> Option<Message> {
        let binary = |bytes: Vec<u8>| Message::Binary(bytes.into());
        match self {
            Self::Plain => Some(Message::Text(text.into())),
            Self::Payload if text.len() < WORTH_COMPRESSING => Some(Message::Text(text.into())),
            Self::Payload => {
                let mut whole = Compress::new(Compression::fast(), true);
                deflate(&mut whole, text.as_bytes(), FlushCompress::Finish).map(binary)
            }
            Self::Zlib(stream) => deflate(stream, text.as_bytes(), FlushCompress::Sync).map(binary),
            Self::Zstd(stream) => zstd(stream, text.as_bytes()).map(binary),
        }
    }
}

fn deflate(stream: &mut Compress, input: &[u8], flush: FlushCompress) -> Option<Vec<u8>> {
    let begun = stream.total_in();
    let mut output = Vec::with_capacity(input.len() / 4 + STEP);
    loop {
        let read = usize::try_from(stream.total_in() - begun).ok()?;
        let status = stream
            .compress_vec(&input[read..], &mut output, flush)
            .ok()?;
        let consumed = stream.total_in() - begun == u64::try_from(input.len()).ok()?;
        // Room that is left over means that the flush is complete.
        let done = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            _ => consumed && output.len() < output.capacity(),
        };
        if done {
            return Some(output);
        }
        output.reserve(STEP);
    }
}

fn zstd(stream: &mut CCtx<'static>, input: &[u8]) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(input.len() / 4 + STEP);
    let mut input = InBuffer::around(input);
    loop {
        let written = output.len();
        let left = stream
            .compress_stream2(
                &mut OutBuffer::around_pos(&mut output, written),
                &mut input,
                ZSTD_EndDirective::ZSTD_e_flush,
            )
            .ok()?;
        if left == 0 {
            return Some(output);
        }
        output.reserve(left.max(STEP));
    }
}

#[cfg(test)]
mod tests;
