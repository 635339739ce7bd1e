use flate2::{Compress, FlushCompress};
use proptest::prelude::*;
use zstd_safe::{CCtx, CParameter, OutBuffer, zstd_sys::ZSTD_EndDirective};

use super::*;
use crate::shard::{
    tests::bomb,
    transport::message_buffer::{BUFFER_FIRST, BUFFER_KEPT},
};

const LONGEST: usize = 1 << 20;

#[test]
fn messages_share_one_context_and_each_is_whole() {
    for compression in [Compression::Zstd, Compression::Zlib] {
        let mut sender = Sender::new(compression);
        let mut decoder = Decoder::new(compression, LONGEST);
        for number in 0..100 {
            let text = format!("{{\"number\":{number},\"same\":\"in each of them\"}}");
            let frame = sender.frame(text.as_bytes());
            assert_eq!(decoder.push(&frame), Ok(true), "{compression:?}");
            assert_eq!(decoder.message(), text);
        }
        let small = sender.frame(b"{\"number\":100,\"same\":\"in each of them\"}");
        assert!(small.len() < 25, "what came before is not sent again");
    }
}

#[test]
fn a_zlib_message_ends_where_its_flush_ends_however_the_frames_are_cut() {
    let text = "a message in many frames, ".repeat(40);
    for cut in 0..30 {
        let mut sender = Sender::new(Compression::Zlib);
        let mut decoder = Decoder::new(Compression::Zlib, LONGEST);
        let frame = sender.frame(text.as_bytes());
        let (head, tail) = frame.split_at(cut.min(frame.len() - 1));
        assert_eq!(decoder.push(head), Ok(false), "{cut}");
        assert_eq!(decoder.push(tail), Ok(true), "{cut}");
        assert_eq!(decoder.message(), text);
        let frame = sender.frame(b"{}");
        let ends: Vec<_> = frame.chunks(1).map(|byte| decoder.push(byte)).collect();
        let (last, others) = ends.split_last().expect("some");
        assert_eq!(last, &Ok(true));
        assert!(others.iter().all(|end| end == &Ok(false)));
        assert_eq!(decoder.message(), "{}");
    }
}

#[test]
fn json_in_binary_frames_is_read_whatever_was_asked_for() {
    for compression in [Compression::Zstd, Compression::Zlib] {
        let mut decoder = Decoder::new(compression, LONGEST);
        for text in ["{\"op\":10}", "{\"op\":11}", "[]"] {
            assert_eq!(decoder.push(text.as_bytes()), Ok(true));
            assert_eq!(decoder.message(), text);
        }
        let long = vec![b'x'; LONGEST + 1];
        assert_eq!(decoder.push(&long), Err(DecodeError::TooLong(LONGEST)));
    }
}

#[test]
fn a_message_of_the_longest_length_is_read_and_its_memory_given_back() {
    for compression in [Compression::Zstd, Compression::Zlib] {
        let mut sender = Sender::new(compression);
        let longest = 4 << 20;
        let mut decoder = Decoder::new(compression, longest);
        let frame = sender.frame(&vec![b'x'; longest]);
        assert_eq!(decoder.push(&frame), Ok(true), "{compression:?}");
        assert_eq!(decoder.message().len(), longest);
        assert!(decoder.capacity() <= longest + 1, "{}", decoder.capacity());
        assert_eq!(decoder.push(&sender.frame(b"{}")), Ok(true));
        assert!(decoder.capacity() <= BUFFER_KEPT);
        assert_eq!(decoder.message(), "{}");
        let frame = sender.frame(&vec![b'x'; longest + 1]);
        assert_eq!(decoder.push(&frame), Err(DecodeError::TooLong(longest)));
    }
}

#[test]
fn a_bomb_is_refused_at_the_bound_and_never_in_memory() {
    let bomb = bomb(2_000);
    assert!(bomb.len() < 64_100, "{}", bomb.len());
    let mut decoder = Decoder::new(Compression::Zstd, LONGEST);
    assert_eq!(decoder.push(&bomb), Err(DecodeError::TooLong(LONGEST)));
    assert!(decoder.capacity() <= LONGEST + 1);
}

#[test]
fn a_window_that_is_too_large_is_told_from_what_is_broken() {
    let mut frame = bomb(1);
    frame[5] = (24 - 10) << 3;
    let mut decoder = Decoder::new(Compression::Zstd, LONGEST);
    assert_eq!(decoder.push(&frame), Err(DecodeError::WindowTooLarge));
    for compression in [Compression::Zstd, Compression::Zlib] {
        let mut decoder = Decoder::new(compression, LONGEST);
        let broken = decoder.push(b"neither of the two");
        assert!(matches!(broken, Err(DecodeError::Broken(_))), "{broken:?}");
    }
}

#[test]
fn a_zlib_stream_that_ends_is_broken() {
    let mut frame = Vec::with_capacity(100);
    let mut context = Compress::new(flate2::Compression::fast(), true);
    let ended = context.compress_vec(b"{}", &mut frame, FlushCompress::Finish);
    ended.expect("room for it");
    let mut decoder = Decoder::new(Compression::Zlib, LONGEST);
    let broken = DecodeError::Broken("the zlib stream ends");
    assert_eq!(decoder.push(&frame), Err(broken));
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let mut decoder = Decoder::new(Compression::Zstd, LONGEST);
    let frame = Sender::new(Compression::Zstd).frame(b"{\"a\":\"\xff\"}");
    assert_eq!(decoder.push(&frame), Ok(true));
    assert_eq!(decoder.message(), "{\"a\":\"\u{fffd}\"}");
}

proptest! {
    #[test]
    fn any_bytes_are_survived_within_the_bound(
        frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20),
        zlib in any::<bool>(),
        changed in any::<usize>(),
    ) {
        let compression = if zlib { Compression::Zlib } else { Compression::Zstd };
        let mut sender = Sender::new(compression);
        let mut decoder = Decoder::new(compression, 1_000);
        for (number, bytes) in frames.iter().enumerate() {
            let mut frame = sender.frame(bytes);
            if number > 2 && !frame.is_empty() {
                let at = changed % frame.len();
                frame[at] ^= 0x55;
            }
            if decoder.push(&frame).is_err() {
                break;
            }
            prop_assert!(decoder.capacity() <= 1_001.max(BUFFER_FIRST));
        }
    }
}

/// Discord's end of a compressed connection.
enum Sender {
    Zlib(Compress),
    Zstd(CCtx<'static>),
}

impl Sender {
    fn new(compression: Compression) -> Self {
        match compression {
            Compression::Zlib => Self::Zlib(Compress::new(flate2::Compression::default(), true)),
            Compression::Zstd => {
                let mut context = CCtx::create();
                let level = context.set_parameter(CParameter::CompressionLevel(3));
                level.expect("a level");
                Self::Zstd(context)
            }
        }
    }

    fn frame(&mut self, message: &[u8]) -> Vec<u8> {
        let mut frame = Vec::with_capacity(message.len() + 1_024);
        match self {
            Self::Zlib(context) => {
                let sent = context.compress_vec(message, &mut frame, FlushCompress::Sync);
                sent.expect("room for it");
            }
            Self::Zstd(context) => {
                let mut input = zstd_safe::InBuffer::around(message);
                let mut output = OutBuffer::around(&mut frame);
                let flush = ZSTD_EndDirective::ZSTD_e_flush;
                let sent = context.compress_stream2(&mut output, &mut input, flush);
                assert_eq!(sent, Ok(0), "all of it");
            }
        }
        frame
    }
}

#[test]
fn bytes_that_are_no_utf8_do_not_grow_a_message_beyond_its_bound() {
    let message = |wrong: usize| [&b"{"[..], &vec![0xff; wrong]].concat();
    for (wrong, taken) in [((LONGEST - 1) / 3, true), ((LONGEST - 1) / 3 + 1, false)] {
        let mut decoder = Decoder::new(Compression::Zstd, LONGEST);
        let expected = if taken {
            Ok(true)
        } else {
            Err(DecodeError::TooLong(LONGEST))
        };
        assert_eq!(decoder.push(&message(wrong)), expected);
        assert!(!taken || decoder.message().len() <= LONGEST);
    }
}
