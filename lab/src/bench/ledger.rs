//! What each stream received. Losses, repetitions and swaps are counted for
//! every stream by itself, never as a sum that could even out.

use super::frames::Stamp;
use super::histogram::Histogram;

/// A first stamp may be overtaken by at most this many before it is counted
/// beneath the window.
const BEFORE_FIRST: u64 = 1024;

/// What one stream has had since the last [`Ledger::begin`].
#[derive(Default)]
pub(crate) struct Seen {
    /// One bit for each sequence number from the ledger's base on.
    bits: Vec<u64>,
    highest: Option<u64>,
    distinct: u64,
}

impl Seen {
    pub(crate) fn begin(&mut self) {
        self.bits.clear();
        self.highest = None;
        self.distinct = 0;
    }

    /// How many of `sent` stamps never came.
    pub(crate) fn lost(&self, sent: u64) -> u64 {
        sent.saturating_sub(self.distinct)
    }

    /// The highest stamp that came.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }

    fn mark(&mut self, index: u64) -> bool {
        let word = usize::try_from(index / 64).unwrap_or(usize::MAX);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        let bit = 1 << (index % 64);
        let new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        new
    }
}

/// What all streams together have had since [`Ledger::begin`].
pub(crate) struct Ledger {
    base: Option<u64>,
    pub(crate) distinct: u64,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    pub(crate) bytes: u64,
    pub(crate) latency: Histogram,
}

impl Ledger {
    pub(crate) fn begin() -> Self {
        Self {
            base: None,
            distinct: 0,
            doubled: 0,
            reordered: 0,
            bytes: 0,
            latency: Histogram::new(),
        }
    }

    /// Writes down one delivery: a frame of `bytes` read at `now_micros`.
    pub(crate) fn write(&mut self, seen: &mut Seen, stamp: Stamp, now_micros: u64, bytes: usize) {
        self.bytes += bytes as u64;
        let base = *self
            .base
            .get_or_insert(stamp.sequence.saturating_sub(BEFORE_FIRST));
        let Some(index) = stamp.sequence.checked_sub(base) else {
            self.reordered += 1;
            return;
        };
        if !seen.mark(index) {
            self.doubled += 1;
            return;
        }
        if seen.highest.is_some_and(|highest| stamp.sequence < highest) {
            self.reordered += 1;
        }
        seen.highest = seen.highest.max(Some(stamp.sequence));
        seen.distinct += 1;
        self.distinct += 1;
        self.latency
            .record(now_micros.saturating_sub(stamp.sent_micros));
    }

    /// Bytes of an average delivery; zero when there was none.
    pub(crate) fn bytes_per_delivery(&self) -> u64 {
        let deliveries = self.distinct + self.doubled;
        self.bytes.checked_div(deliveries).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(ledger: &mut Ledger, seen: &mut Seen, sequences: &[u64]) {
        for sequence in sequences {
            let stamp = Stamp {
                sequence: *sequence,
                sent_micros: 100,
            };
            ledger.write(seen, stamp, 150, 200);
        }
    }

    #[test]
    fn in_order_and_once_is_faultless() {
        let (mut ledger, mut seen) = (Ledger::begin(), Seen::default());
        deliver(&mut ledger, &mut seen, &[5000, 5001, 5002]);
        assert_eq!(seen.lost(3), 0);
        assert_eq!((ledger.doubled, ledger.reordered), (0, 0));
        assert_eq!(ledger.latency.max(), Some(50));
        assert_eq!(ledger.bytes_per_delivery(), 200);
    }

    #[test]
    fn a_gap_a_repetition_and_a_swap_are_three_different_faults() {
        let (mut ledger, mut seen) = (Ledger::begin(), Seen::default());
        deliver(&mut ledger, &mut seen, &[1, 2, 2, 5, 4]);
        assert_eq!(seen.lost(5), 1);
        assert_eq!((ledger.doubled, ledger.reordered), (1, 1));
    }

    #[test]
    fn a_repetition_on_one_stream_does_not_hide_a_loss_on_another() {
        let mut ledger = Ledger::begin();
        let (mut first, mut second) = (Seen::default(), Seen::default());
        deliver(&mut ledger, &mut first, &[1, 2, 2]);
        deliver(&mut ledger, &mut second, &[1]);
        assert_eq!((first.lost(2), second.lost(2)), (0, 1));
    }

    #[test]
    fn a_new_beginning_forgets_the_last_run() {
        let (mut ledger, mut seen) = (Ledger::begin(), Seen::default());
        deliver(&mut ledger, &mut seen, &[1, 2]);
        seen.begin();
        ledger = Ledger::begin();
        deliver(&mut ledger, &mut seen, &[1, 2]);
        assert_eq!((seen.lost(2), ledger.doubled), (0, 0));
    }
}
