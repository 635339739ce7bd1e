//! As much of a Discord bot as the bench needs: one shard, uncompressed, that
//! identifies, hears its guilds and counts stamps. It is read with plain blocking
//! calls, so that what is measured is the other end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::clock::now;
use super::http::Client;
use super::websocket::WebSocket;

/// GUILDS and GUILD_VOICE_STATES.
const INTENTS: u64 = 129;
const PATIENCE: Duration = Duration::from_secs(20);

/// What `bench-shard` is told.
#[derive(clap::Args)]
pub(crate) struct ShardOptions {
    /// Where the simulator listens
    #[arg(long)]
    simulator: SocketAddr,

    #[arg(long)]
    bot_token: String,

    /// Stamps that the simulator is asked for, per second by its own clock
    #[arg(long)]
    per_second: u64,

    /// How many stamps are counted
    #[arg(long)]
    stamps: u64,
}

/// What `bench-shard` saw, one line of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardReport {
    pub(crate) stamps: u64,
    /// From the first stamp to the last.
    pub(crate) micros: u64,
    /// Stamps or dispatches that were not the next after the one before.
    pub(crate) out_of_order: u64,
}

/// Counts the stamps of one load and prints a [`ShardReport`].
pub(crate) fn run(options: &ShardOptions) -> anyhow::Result<()> {
    let mut shard = Shard::open(options.simulator, &options.bot_token)?;
    shard.hear_guilds()?;
    let body = format!(
        r#"{{"eventsPerSecond":{},"seconds":{}}}"#,
        options.per_second,
        options.stamps.div_ceil(options.per_second).max(1)
    );
    let response = Client::new(options.simulator).post("/sim/load", &body)?;
    if response.status != 202 {
        bail!("no load: {} {}", response.status, response.body);
    }
    let mut counted = Counted::default();
    let mut began = None;
    while counted.report.stamps < options.stamps {
        let payload = shard.next()?;
        if counted.take(payload) {
            began.get_or_insert_with(now);
        }
    }
    let micros = began.map_or(Duration::ZERO, |began| began.elapsed());
    counted.report.micros = u64::try_from(micros.as_micros())?;
    println!("{}", serde_json::to_string(&counted.report)?);
    Ok(())
}

/// The numbers of what came, one after the other.
#[derive(Default)]
struct Counted {
    report: ShardReport,
    last_stamp: Option<u64>,
    last_seq: Option<u64>,
}

impl Counted {
    /// Whether it was a stamp.
    fn take(&mut self, payload: &[u8]) -> bool {
        if !payload.starts_with(b"{\"t\":\"VOICE_STATE_UPDATE\"") {
            return false;
        }
        let stamp = number_after(payload, b"\"username\":\"");
        let seq = number_after(payload, b"\"s\":");
        let follows = |last: Option<u64>, now: Option<u64>| match (last, now) {
            (Some(last), Some(now)) => now == last + 1,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if !follows(self.last_stamp, stamp) || !follows(self.last_seq, seq) {
            self.report.out_of_order += 1;
        }
        (self.last_stamp, self.last_seq) = (stamp, seq);
        self.report.stamps += 1;
        true
    }
}

fn number_after(payload: &[u8], mark: &[u8]) -> Option<u64> {
    let rest = &payload[memmem::find(payload, mark)? + mark.len()..];
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}

/// One gateway connection.
pub(crate) struct Shard(WebSocket);

impl Shard {
    /// Connects and identifies.
    pub(crate) fn open(at: SocketAddr, bot_token: &str) -> anyhow::Result<Self> {
        let mut shard = Self(WebSocket::open(at, "/gateway/?v=10&encoding=json", None)?);
        let hello = shard.next()?;
        if memmem::find(hello, b"\"op\":10").is_none() {
            bail!("no HELLO: {}", String::from_utf8_lossy(hello));
        }
        shard.0.send(&format!(
            r#"{{"op":2,"d":{{"token":"{bot_token}","intents":{INTENTS},"properties":{{}}}}}}"#
        ))?;
        Ok(shard)
    }

    /// READY and the GUILD_CREATE of each of its guilds.
    pub(crate) fn hear_guilds(&mut self) -> anyhow::Result<()> {
        #[derive(Deserialize)]
        struct Payload {
            t: Option<String>,
            d: Ready,
        }
        #[derive(Deserialize)]
        struct Ready {
            guilds: Vec<serde::de::IgnoredAny>,
        }
        let payload = self.next()?;
        let ready: Payload = serde_json::from_slice(payload)
            .with_context(|| format!("no READY: {}", String::from_utf8_lossy(payload)))?;
        if ready.t.as_deref() != Some("READY") {
            bail!("{:?} instead of READY", ready.t);
        }
        let deadline = now() + PATIENCE;
        let mut left = ready.d.guilds.len();
        while left > 0 {
            if self.next()?.starts_with(b"{\"t\":\"GUILD_CREATE\"") {
                left -= 1;
            }
            too_late(deadline)?;
        }
        Ok(())
    }

    /// The next payload.
    pub(crate) fn next(&mut self) -> anyhow::Result<&[u8]> {
        self.0.next_text()
    }
}

fn too_late(deadline: Instant) -> anyhow::Result<()> {
    if now() > deadline {
        bail!("the guilds were not told within {PATIENCE:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(seq: u64, stamp: &str) -> Vec<u8> {
        let user = format!(r#"{{"id":"1","username":"{stamp}"}}"#);
        format!(r#"{{"t":"VOICE_STATE_UPDATE","s":{seq},"op":0,"d":{{"user":{user}}}}}"#)
            .into_bytes()
    }

    #[test]
    fn stamps_are_counted_and_their_order_is_looked_at() {
        let mut counted = Counted::default();
        assert!(!counted.take(br#"{"t":"GUILD_CREATE","s":4,"op":0,"d":{}}"#));
        for (seq, stamp) in [(5, "9:1"), (6, "10:1"), (7, "11:1")] {
            assert!(counted.take(&update(seq, stamp)));
        }
        assert_eq!((counted.report.stamps, counted.report.out_of_order), (3, 0));
        // One is lost, one comes twice, one is no stamp.
        for (seq, stamp) in [(8, "13:1"), (9, "13:1"), (10, "Rowan")] {
            assert!(counted.take(&update(seq, stamp)));
        }
        assert_eq!((counted.report.stamps, counted.report.out_of_order), (6, 3));
    }
}
