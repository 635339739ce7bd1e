//! Positions in several logs as one short text: a marker, then bits, six to a letter of base64url.
//!
//! ```text
//! 7 bits   how many positions, less one
//! 64 bits  the least epoch
//! 7 bits   E: how wide the largest difference of an epoch from that is
//! 7 bits   S: how wide the largest seq is
//! then for each position, in ascending order of log
//!          the logs passed over since the one before: its part above 256 in unary, then 8 bits
//! E bits   its epoch less the least
//! S bits   its seq
//! ```
//!
//! So logs that are numbered one after the other, and begun together, cost little more than their
//! `seq`; and 128 logs of any numbers that occur fit.

use crate::{LogId, Position, base64url};

/// What a text of one position never begins with.
pub(super) const MARKER: char = '~';

/// Bits in a letter.
const LETTER: u32 = 6;
/// Bits of a number of logs that is not in unary.
const LOG_BITS: u32 = 8;

/// How wide the numbers of some positions are.
struct Widths {
    least_epoch: u64,
    epoch: u32,
    seq: u32,
}

/// Characters of [`text`].
pub(super) fn length(positions: &[Position]) -> usize {
    let mut bits = BitCount(0);
    write(positions, &mut bits);
    MARKER.len_utf8() + bits.0.div_ceil(LETTER as usize)
}

/// The text of positions in ascending order of log, 1 to 128.
pub(super) fn text(positions: &[Position]) -> String {
    let mut letters = LetterWriter {
        text: String::from(MARKER),
        bits: 0,
        pending: 0,
    };
    write(positions, &mut letters);
    letters.finish()
}

/// The positions of a text, ascending by log; `None`: it is none. Other texts than [`text`]'s may
/// be read as well.
pub(super) fn read(text: &str) -> Option<Vec<Position>> {
    let mut letters = LetterReader {
        letters: text.strip_prefix(MARKER)?.as_bytes(),
        bits: 0,
        pending: 0,
    };
    let count = letters.take(7)? + 1;
    let least_epoch = letters.take(64)?;
    let (epoch, seq) = (width(letters.take(7)?)?, width(letters.take(7)?)?);
    let mut next_log = 0_u64;
    let mut positions = Vec::new();
    for _ in 0..count {
        let mut passed = 0;
        while letters.take(1)? == 1 {
            passed += 1_u64 << LOG_BITS;
        }
        let log = next_log + passed + letters.take(LOG_BITS)?;
        next_log = log + 1;
        positions.push(Position {
            log: LogId(u16::try_from(log).ok()?),
            epoch: least_epoch.checked_add(letters.take(epoch)?)?,
            seq: letters.take(seq)?,
        });
    }
    letters.is_at_end().then_some(positions)
}

fn width(bits: u64) -> Option<u32> {
    u32::try_from(bits).ok().filter(|bits| *bits <= u64::BITS)
}

impl Widths {
    fn of(positions: &[Position]) -> Self {
        let epochs = || positions.iter().map(|position| position.epoch);
        let least_epoch = epochs().min().unwrap_or_default();
        let largest_epoch = epochs().max().unwrap_or_default();
        let seqs = positions.iter().map(|position| position.seq);
        Self {
            least_epoch,
            epoch: bits_of(largest_epoch - least_epoch),
            seq: bits_of(seqs.max().unwrap_or_default()),
        }
    }
}

fn bits_of(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

fn write(positions: &[Position], bits: &mut impl BitSink) {
    let widths = Widths::of(positions);
    bits.put(positions.len() as u64 - 1, 7);
    bits.put(widths.least_epoch, 64);
    bits.put(widths.epoch.into(), 7);
    bits.put(widths.seq.into(), 7);
    let mut next_log = 0;
    for position in positions {
        let log = u64::from(position.log.0);
        let passed = log - next_log;
        next_log = log + 1;
        for _ in 0..passed >> LOG_BITS {
            bits.put(1, 1);
        }
        bits.put(0, 1);
        bits.put(passed % (1 << LOG_BITS), LOG_BITS);
        bits.put(position.epoch - widths.least_epoch, widths.epoch);
        bits.put(position.seq, widths.seq);
    }
}

trait BitSink {
    /// The lowest `width` bits of a number, the highest first. The others are 0.
    fn put(&mut self, number: u64, width: u32);
}

struct BitCount(usize);

impl BitSink for BitCount {
    fn put(&mut self, _: u64, width: u32) {
        self.0 += width as usize;
    }
}

struct LetterWriter {
    text: String,
    /// Bits that are no letter yet: the lowest so many of `pending`, fewer than a letter has.
    bits: u32,
    pending: u128,
}

impl BitSink for LetterWriter {
    fn put(&mut self, number: u64, width: u32) {
        self.pending = (self.pending << width) | u128::from(number);
        self.bits += width;
        while self.bits >= LETTER {
            self.bits -= LETTER;
            let letter = u8::try_from(self.pending >> self.bits);
            self.text
                .push(base64url::letter(letter.unwrap_or_default()));
            self.pending &= (1 << self.bits) - 1;
        }
    }
}

impl LetterWriter {
    fn finish(mut self) -> String {
        if self.bits > 0 {
            self.put(0, LETTER - self.bits);
        }
        self.text
    }
}

struct LetterReader<'a> {
    letters: &'a [u8],
    /// Bits that were read and not taken: the lowest so many of `pending`, fewer than a letter has.
    bits: u32,
    pending: u128,
}

impl LetterReader<'_> {
    fn take(&mut self, width: u32) -> Option<u64> {
        while self.bits < width {
            let (letter, rest) = self.letters.split_first()?;
            self.pending = (self.pending << LETTER) | u128::from(base64url::value(*letter)?);
            self.bits += LETTER;
            self.letters = rest;
        }
        self.bits -= width;
        let taken = self.pending >> self.bits;
        self.pending &= (1 << self.bits) - 1;
        u64::try_from(taken).ok()
    }

    fn is_at_end(&self) -> bool {
        self.letters.is_empty()
    }
}
