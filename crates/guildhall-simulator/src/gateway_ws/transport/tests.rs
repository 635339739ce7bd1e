use flate2::{Decompress, FlushDecompress};
use zstd_safe::DCtx;

use super::*;

const TEXTS: [&str; 3] = ["{\"op\":10}", "", "{\"op\":11,\"d\":null}"];

fn bytes(message: Option<Message>) -> Vec<u8> {
    match message {
        Some(Message::Binary(bytes)) => bytes.to_vec(),
        other => panic!("wanted a binary frame, got {other:?}"),
    }
}

/// Texts of every kind of length, one of which no compressor makes shorter.
fn texts() -> Vec<String> {
    let mut state = 1_u64;
    let noise: String = (0..200_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'!' + u8::try_from(state >> 58).expect("six bits"))
        })
        .collect();
    let mut texts: Vec<_> = TEXTS.iter().map(|&text| text.to_owned()).collect();
    texts.extend(["x".repeat(300_000), noise, "last".to_owned()]);
    texts
}

#[test]
fn zlib_frames_share_one_context_and_each_ends_in_a_flush() {
    let mut transport = Transport::new(Some(TransportCompression::Zlib), None);
    let mut inflate = Decompress::new(true);
    // Nothing is no message: zlib flushes nothing a second time.
    for text in texts().into_iter().filter(|text| !text.is_empty()) {
        let frame = bytes(transport.message(text.clone()));
        assert!(frame.ends_with(&[0, 0, 0xff, 0xff]));
        let mut out = Vec::with_capacity(text.len() + 64);
        inflate
            .decompress_vec(&frame, &mut out, FlushDecompress::Sync)
            .expect("the next part of one stream");
        assert!(out == text.as_bytes(), "{} bytes", text.len());
    }
}

#[test]
fn zstd_frames_share_one_context_and_end_no_zstd_frame() {
    let mut transport = Transport::new(Some(TransportCompression::Zstd), None);
    let mut context = DCtx::create();
    for text in texts() {
        let frame = bytes(transport.message(text.clone()));
        let mut out = Vec::with_capacity(text.len() + 64);
        let mut input = InBuffer::around(&frame);
        while input.pos() < frame.len() {
            let written = out.len();
            let mut room = OutBuffer::around_pos(&mut out, written);
            let hint = context
                .decompress_stream(&mut room, &mut input)
                .expect("the next part of one stream");
            assert!(hint > 0, "the frame goes on");
        }
        assert!(out == text.as_bytes(), "{} bytes", text.len());
    }
}

#[test]
fn payload_compression_makes_long_frames_whole_streams_and_leaves_short_ones() {
    let mut transport = Transport::new(None, None);
    transport.compress_payloads();
    assert!(matches!(
        transport.message("short".to_owned()),
        Some(Message::Text(_))
    ));
    for _ in 0..2 {
        let text = "long ".repeat(1000);
        let frame = bytes(transport.message(text.clone()));
        let mut out = Vec::with_capacity(text.len() + 64);
        let status = Decompress::new(true)
            .decompress_vec(&frame, &mut out, FlushDecompress::Finish)
            .expect("a whole stream");
        assert_eq!(status, Status::StreamEnd);
        assert_eq!(out, text.as_bytes());
    }
}

#[test]
fn transport_compression_makes_payload_compression_moot() {
    let mut transport = Transport::new(Some(TransportCompression::Zlib), None);
    transport.compress_payloads();
    assert!(matches!(transport, Transport::Zlib(_)));
}
