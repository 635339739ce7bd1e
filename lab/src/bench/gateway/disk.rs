//! The disk by itself: what it takes to make a batch durable, with nothing of ours around it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::bench::clock::now;
use crate::bench::histogram::Histogram;

/// About a batch of sixty events, as a journal writes it.
const BYTES: usize = 32 * 1024;
const WRITES: usize = 200;

/// Milliseconds of one write with its fsync: half of them, and 99 of 100, were as quick.
pub(super) struct Syncs {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

pub(super) fn syncs(folder: &Path) -> anyhow::Result<Syncs> {
    let path = folder.join("syncs");
    let mut file = File::create(&path)?;
    let bytes = vec![b'.'; BYTES];
    let mut took = Histogram::new();
    for _ in 0..WRITES {
        let began = now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        took.record(u64::try_from(began.elapsed().as_micros())?);
    }
    fs::remove_file(&path)?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let ms = |share| took.quantile(share).unwrap_or(0) as f64 / 1e3;
    Ok(Syncs {
        p50_ms: ms(0.50),
        p99_ms: ms(0.99),
    })
}
