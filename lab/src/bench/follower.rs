//! The process that reads the gateway's log as a web instance does, and counts stamps: one thread,
//! plain blocking reads.

use std::io::{self, BufRead};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::clock::{now, unix_micros};
use super::frames::Stamp;
use super::histogram::Histogram;
use super::ledger::{Ledger, Seen};
use super::websocket::{Message, WebSocket};

/// Without a stamp for so long, none comes any more.
const STAMP_WITHIN: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(crate) struct FollowerOptions {
    /// The gateway's link; its token is the first line of stdin
    #[arg(long)]
    gateway: SocketAddr,

    /// How many stamps are counted
    #[arg(long)]
    stamps: u64,
}

/// What is said on stdout, a line of JSON each.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The log's state is here; what comes from now on is counted.
    Following,
    Report(FollowerReport),
    /// The gateway ended it, and why: it was too slow for the rate, or the gateway was.
    LeftBehind(String),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct FollowerReport {
    pub(crate) stamps: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    /// Positions that were not the next after the one before.
    pub(crate) out_of_order: u64,
    /// From the first stamp to the last.
    pub(crate) micros: u64,
    /// From a stamp's writing to its frame's reading.
    pub(crate) p50: Option<u64>,
    pub(crate) p99: Option<u64>,
    pub(crate) max: Option<u64>,
    /// From the gateway's reading, which it writes down in milliseconds.
    pub(crate) read_p99: Option<u64>,
}

impl FollowerReport {
    pub(crate) fn faults(&self) -> u64 {
        self.lost + self.doubled + self.reordered + self.out_of_order
    }
}

/// Follows from the log's present end until so many stamps came, or none comes any more.
pub(crate) fn run(options: &FollowerOptions) -> anyhow::Result<()> {
    let mut token = String::new();
    io::stdin().lock().read_line(&mut token)?;
    let mut link = WebSocket::open(options.gateway, "/link", Some(token.trim()))?;
    // What gateways of both versions of the link read, so that two builds can be compared.
    link.send(r#"{"type":"subscribe","data":{"version":2,"after":null},"ts":0}"#)?;
    let mut last = loop {
        if let Message::Text(text) = link.next()?
            && text.starts_with(br#"{"type":"snapshot_end""#)
        {
            break position(text);
        }
    };
    say(&Line::Following)?;

    let (mut ledger, mut seen) = (Ledger::begin(), Seen::default());
    let mut since_read = Histogram::new();
    let mut out_of_order = 0;
    let (mut first_at, mut last_at) = (None, now());
    while ledger.distinct < options.stamps {
        let message = match link.next() {
            Ok(message) => message,
            Err(why) => return say(&Line::LeftBehind(why.to_string())),
        };
        let text = match message {
            Message::Ping if last_at.elapsed() > STAMP_WITHIN => break,
            Message::Ping => continue,
            Message::Text(text) => text,
        };
        if !text.starts_with(br#"{"type":"event""#) {
            continue;
        }
        let here = position(text);
        if here.is_none() || here != last.map(|last| last + 1) {
            out_of_order += 1;
        }
        last = here;
        if let Some(stamp) = stamp(text) {
            let now_micros = unix_micros();
            ledger.write(&mut seen, stamp, now_micros, text.len());
            if let Some(read) = read_ms(text) {
                since_read.record(now_micros.saturating_sub(read * 1_000));
            }
            last_at = now();
            first_at.get_or_insert(last_at);
        }
    }
    let took = first_at.map_or(Duration::ZERO, |first| last_at.duration_since(first));
    say(&Line::Report(FollowerReport {
        stamps: ledger.distinct,
        lost: seen.lost(options.stamps),
        doubled: ledger.doubled,
        reordered: ledger.reordered,
        out_of_order,
        micros: u64::try_from(took.as_micros())?,
        p50: ledger.latency.quantile(0.50),
        p99: ledger.latency.quantile(0.99),
        max: ledger.latency.max(),
        read_p99: since_read.quantile(0.99),
    }))
}

/// What a follower said next.
pub(crate) fn hear(from: &mut impl BufRead) -> anyhow::Result<Line> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        bail!("the follower has ended");
    }
    serde_json::from_str(&line).context("the follower says something else")
}

fn say(line: &Line) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(line)?);
    Ok(())
}

/// The number in `"id":"LOG.EPOCH-SEQ"`; at the end of a replay it is `at`.
fn position(frame: &[u8]) -> Option<u64> {
    let id = text_after(frame, br#""id":""#).or_else(|| text_after(frame, br#""at":""#))?;
    id.rsplit_once('-')?.1.parse().ok()
}

fn stamp(frame: &[u8]) -> Option<Stamp> {
    memmem::find(frame, br#""event":"voice.updated""#)?;
    let (sequence, sent_micros) = text_after(frame, br#""username":""#)?.split_once(':')?;
    Some(Stamp {
        sequence: sequence.parse().ok()?,
        sent_micros: sent_micros.parse().ok()?,
    })
}

/// When the gateway had the dispatch, which is the last field of its event.
fn read_ms(frame: &[u8]) -> Option<u64> {
    const FIELD: &[u8] = br#""ts":"#;
    let rest = &frame[memmem::rfind(frame, FIELD)? + FIELD.len()..];
    std::str::from_utf8(rest.strip_suffix(b"}")?)
        .ok()?
        .parse()
        .ok()
}

fn text_after<'a>(frame: &'a [u8], mark: &[u8]) -> Option<&'a str> {
    let rest = &frame[memmem::find(frame, mark)? + mark.len()..];
    std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_and_stamp_are_found_in_a_frame() {
        let frame = br#"{"type":"event","id":"0.1767225599000-43","data":{"event":"voice.updated","payload":{"username":"17:1234","selfMute":true}},"ts":1}"#;
        assert_eq!(position(frame), Some(43));
        let end = br#"{"type":"snapshot_end","data":{"at":"0.1767225599000-42"},"ts":1}"#;
        assert_eq!(position(end), Some(42));
        let found = stamp(frame).expect("a stamp");
        assert_eq!((found.sequence, found.sent_micros), (17, 1234));
        assert_eq!(read_ms(frame), Some(1));
    }

    #[test]
    fn names_are_no_stamps() {
        let joined = br#"{"data":{"event":"voice.joined","payload":{"username":"1:2"}}}"#;
        assert!(stamp(joined).is_none());
        let renamed = br#"{"data":{"event":"voice.updated","payload":{"username":"ann"}}}"#;
        assert!(stamp(renamed).is_none());
        assert!(position(renamed).is_none());
    }
}
