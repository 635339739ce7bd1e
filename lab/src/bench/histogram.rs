//! Latencies in logarithmic buckets: fixed memory, any number of samples, and
//! an error below 2 %.

/// Buckets within one power of two, as a power of two.
const FINENESS: u32 = 5;
const PER_OCTAVE: usize = 1 << FINENESS;
/// Up to 2^40 µs, twelve days; later values share the last bucket.
const BUCKETS: usize = 40 * PER_OCTAVE;

/// Counts of microseconds.
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
            max: 0,
        }
    }

    pub(crate) fn record(&mut self, micros: u64) {
        self.buckets[bucket(micros)] += 1;
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// The value that `share` (0 to 1) of all samples do not exceed; `None`
    /// without a sample.
    pub(crate) fn quantile(&self, share: f64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts are far below 2^52 and the share is between 0 and 1"
        )]
        let rank = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count);
        let mut passed = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            passed += count;
            if passed >= rank {
                return Some(middle(index).min(self.max));
            }
        }
        Some(self.max)
    }

    pub(crate) fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }
}

fn bucket(micros: u64) -> usize {
    // Below the first full octave each value has a bucket of its own.
    if micros < PER_OCTAVE as u64 {
        return usize::try_from(micros).unwrap_or(0);
    }
    let octave = micros.ilog2() - FINENESS;
    let within = usize::try_from(micros >> octave).unwrap_or(0) - PER_OCTAVE;
    ((octave as usize + 1) * PER_OCTAVE + within).min(BUCKETS - 1)
}

fn middle(bucket: usize) -> u64 {
    if bucket < PER_OCTAVE {
        return bucket as u64;
    }
    let octave = bucket / PER_OCTAVE - 1;
    let low = ((bucket % PER_OCTAVE + PER_OCTAVE) as u64) << octave;
    low + (1 << octave) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_two_percent() {
        let mut histogram = Histogram::new();
        for micros in 1..=100_000 {
            histogram.record(micros);
        }
        for (share, exact) in [(0.5, 50_000_u64), (0.95, 95_000), (0.99, 99_000)] {
            let found = histogram.quantile(share).expect("there are samples");
            assert!(
                found.abs_diff(exact) * 50 <= exact,
                "{found} is not {exact}"
            );
        }
        assert_eq!(histogram.max(), Some(100_000));
    }

    #[test]
    fn small_and_huge_values_keep_their_place() {
        let mut histogram = Histogram::new();
        histogram.record(0);
        histogram.record(7);
        histogram.record(u64::MAX);
        assert_eq!(histogram.quantile(0.1), Some(0));
        assert_eq!(histogram.quantile(0.5), Some(7));
        assert!(histogram.quantile(1.0) > Some(1 << 39));
    }

    #[test]
    fn nothing_recorded_has_no_quantile() {
        assert_eq!(Histogram::new().quantile(0.5), None);
        assert_eq!(Histogram::new().max(), None);
    }
}
