use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name, zstd_sys::ZSTD_ErrorCode};

use super::message_buffer::{DecodeError, MessageBuffer};

/// 8 MiB, which is what zstd's documentation asks every decoder to allow. The context has a buffer
/// of this size for as long as the connection lasts.
const LARGEST_WINDOW_LOG: u32 = 23;

/// zstd-stream: one frame of zstd's for the whole connection, which never ends; each WebSocket
/// message is one of Discord's.
pub(super) struct Zstd(DCtx<'static>);

impl Zstd {
    pub(super) fn new() -> Result<Self, DecodeError> {
        let context = DCtx::try_create();
        let mut context = context.ok_or(DecodeError::Broken("no memory for zstd"))?;
        context
            .set_parameter(DParameter::WindowLogMax(LARGEST_WINDOW_LOG))
            .map_err(failed)?;
        Ok(Self(context))
    }

    /// Takes a whole message.
    pub(super) fn push(
        &mut self,
        frame: &[u8],
        message: &mut MessageBuffer,
    ) -> Result<bool, DecodeError> {
        let mut input = InBuffer::around(frame);
        loop {
            let out = message.room()?;
            let (written, capacity) = (out.len(), out.capacity());
            let mut output = OutBuffer::around_pos(out, written);
            self.0
                .decompress_stream(&mut output, &mut input)
                .map_err(failed)?;
            // Room that is left shows that the context holds nothing back.
            if input.pos == frame.len() && output.pos() < capacity {
                return Ok(true);
            }
        }
    }
}

fn failed(code: usize) -> DecodeError {
    let window = ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge as usize;
    if code == window.wrapping_neg() {
        return DecodeError::WindowTooLarge;
    }
    DecodeError::Broken(get_error_name(code))
}
