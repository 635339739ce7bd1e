//! The write-ahead file as SQLite writes it (its documentation, "The WAL File Format").
//!
//! After a crash SQLite reads it up to the first frame that is not right and takes the rest for
//! what was under way. Each commit is on the disk before the next begins, so that can be one
//! commit; where there are more, commits that were answered would be dropped in silence, and
//! their positions given again.

use std::io::{self, Read};

/// What a write-ahead file has in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No file, or none that SQLite reads at all.
    Nothing,
    /// Everything but, at most, the commit that was under way.
    Whole,
    /// More than one commit behind the place where reading ends.
    Broken,
}

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

pub(super) fn read(mut file: impl Read) -> io::Result<Found> {
    let mut header = [0; HEADER];
    if !filled(&mut file, &mut header)? {
        return Ok(Found::Nothing);
    }
    let magic = word(&header, 0);
    let size = word(&header, 8);
    let big_endian = magic & 1 == 1;
    let mut chain = Chain {
        big_endian,
        sums: (0, 0),
    };
    chain.add(&header[..24]);
    let known =
        magic & !1 == 0x377f_0682 && size.is_power_of_two() && (512..=65_536).contains(&size);
    if !known || !chain.is_at(&header[24..]) {
        return Ok(Found::Nothing);
    }

    let mut frame = vec![0; FRAME_HEADER + size as usize];
    let (mut right, mut behind, mut commits) = (true, 0, 0);
    while filled(&mut file, &mut frame)? {
        let of_this_cycle = frame[8..16] == header[16..24];
        if right {
            chain.add(&frame[..8]);
            chain.add(&frame[FRAME_HEADER..]);
            right = of_this_cycle && chain.is_at(&frame[16..24]);
        }
        let commits_here = word(&frame, 4) != 0;
        if right || !commits_here {
            continue;
        }
        behind += 1;
        // What is left of an earlier cycle says nothing; what lies before a frame of this one is
        // of this one.
        if of_this_cycle {
            commits = behind;
        }
    }
    Ok(if commits > 1 {
        Found::Broken
    } else {
        Found::Whole
    })
}

/// The running sums that hold the frames together.
struct Chain {
    big_endian: bool,
    sums: (u32, u32),
}

impl Chain {
    fn add(&mut self, bytes: &[u8]) {
        let (pairs, _) = bytes.as_chunks::<8>();
        for pair in pairs {
            let read = |at| {
                let word = word(pair, at);
                if self.big_endian {
                    word
                } else {
                    word.swap_bytes()
                }
            };
            self.sums.0 = self.sums.0.wrapping_add(read(0)).wrapping_add(self.sums.1);
            self.sums.1 = self.sums.1.wrapping_add(read(4)).wrapping_add(self.sums.0);
        }
    }

    fn is_at(&self, sums: &[u8]) -> bool {
        self.sums == (word(sums, 0), word(sums, 4))
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(word)
}

/// Whether there was enough to fill it.
fn filled(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
