//! Discord's `zstd-stream`: one stream for the whole connection, flushed after each message.

use zstd_safe::{CCtx, InBuffer, OutBuffer, zstd_sys::ZSTD_EndDirective::ZSTD_e_flush};

pub(super) struct Compressor(CCtx<'static>);

impl Compressor {
    pub(super) fn new() -> Self {
        Self(CCtx::create())
    }

    pub(super) fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        let mut compressed = Vec::with_capacity(zstd_safe::compress_bound(message.len()) + 1_024);
        let mut input = InBuffer::around(message);
        let mut output = OutBuffer::around(&mut compressed);
        let waiting = self
            .0
            .compress_stream2(&mut output, &mut input, ZSTD_e_flush);
        assert_eq!(waiting, Ok(0), "the whole message is flushed");
        compressed
    }
}
