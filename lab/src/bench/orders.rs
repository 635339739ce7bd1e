//! What the bench and its stream-holding process say to each other: JSON lines
//! over the child's stdin and stdout.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The first line: whom to read from.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) streams_at: SocketAddr,
    /// The whole HTTP request of each stream; with more streams than these the
    /// first comes again. It holds a session cookie, which is why it comes
    /// through a pipe and not on a command line.
    pub(crate) requests: Vec<String>,
    pub(crate) stamps_to: StampsTo,
    /// 1: each stream gets every stamp. More: stamps are dealt out, and a
    /// stream gets those that leave the remainder that its own number leaves.
    pub(crate) dealt: u64,
}

impl Setup {
    /// How many of `count` stamps from number `first` on a stream should get.
    pub(crate) fn due(&self, stream: usize, first: u64, count: u64) -> u64 {
        let remainder = stream as u64 % self.dealt;
        let below = |end: u64| (end + self.dealt - 1 - remainder) / self.dealt;
        below(first + count) - below(first)
    }

    /// The same of so many streams together.
    pub(crate) fn due_to_all(&self, streams: usize, first: u64, count: u64) -> u64 {
        if self.dealt == 1 {
            return count * streams as u64;
        }
        (0..streams)
            .map(|stream| self.due(stream, first, count))
            .sum()
    }
}

/// Where a stamp is handed in so that every stream gets it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StampsTo {
    Simulator {
        address: SocketAddr,
        guild_id: String,
    },
    Bare {
        address: SocketAddr,
    },
}

/// Orders are carried out one after the other; each has exactly one [`Answer`].
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Open streams until there are this many, each with its picture.
    Open { streams: usize },
    /// Send `count` stamps, each when every stream has the one before.
    OneByOne { first: u64, count: u64 },
    /// Forget what came; from now on somebody else sends stamps.
    Begin,
    /// `sent` stamps were sent since [`Order::Begin`]: wait for the last of
    /// them, or until no more is to be expected, and report.
    Finish { sent: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Opened,
    Begun,
    Report(Report),
    Failed { why: String },
}

/// What the streams received for the stamps that were sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Stamps sent, which each stream should have had.
    pub(crate) sent: u64,
    pub(crate) deliveries: u64,
    /// Summed over the streams; each stream counts by itself.
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    /// Pictures sent anew in the middle of a stream.
    pub(crate) snapshots: u64,
    /// Streams that the server ended.
    pub(crate) ended: u64,
    pub(crate) bytes_per_delivery: u64,
    /// Microseconds; `None` when nothing came.
    pub(crate) p50: Option<u64>,
    pub(crate) p95: Option<u64>,
    pub(crate) p99: Option<u64>,
    pub(crate) max: Option<u64>,
}

impl Report {
    /// Lost, doubled and reordered together, and streams that broke.
    pub(crate) fn faults(&self) -> u64 {
        self.lost + self.doubled + self.reordered + self.snapshots + self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dealt_out_is_each_stamp_once_in_a_round() {
        let any = ([127, 0, 0, 1], 1).into();
        let setup = Setup {
            streams_at: any,
            requests: Vec::new(),
            stamps_to: StampsTo::Bare { address: any },
            dealt: 5,
        };
        for (first, count) in [(1, 5), (1, 0), (7, 13), (3, 1)] {
            for stream in 0..10 {
                let hit = (first..first + count).filter(|stamp| stamp % 5 == stream % 5);
                let stream = usize::try_from(stream).expect("small");
                assert_eq!(setup.due(stream, first, count), hit.count() as u64);
            }
            assert_eq!(setup.due_to_all(10, first, count), 2 * count);
        }
    }
}
