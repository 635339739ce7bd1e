//! A room is made: how long after the POST it is in another browser.
//!
//! Discord's own time, a request or two, is in it: people wait for that, too.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use lab::sse::Stream;
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::people::{CommandGiver, GUILDS};
use super::{Stage, row};
use crate::bench::clock::now;
use crate::bench::histogram::Histogram;
use crate::bench::table::{Budget, Row};

/// From the POST of `createRoom` to `room.created`.
const P95_MS: f64 = 300.0;
/// After this long it does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who is to see the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// Everybody: it is awaited by another person.
    Public,
    /// Its owner, by an overwrite: awaited by another browser of theirs.
    Private,
}

impl Room {
    const ALL: [Self; 2] = [Self::Public, Self::Private];

    fn says(self) -> &'static str {
        match self {
            Self::Public => "a public room, in another person's browser",
            Self::Private => "a private room, in its owner's other browser",
        }
    }
}

/// Everybody makes a room in turn, which is then closed, so often for each kind.
pub(super) fn rows(repetitions: usize, stage: &Stage) -> anyhow::Result<Vec<Row>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let http = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .build()?;
    let makers = RoomMakers {
        http,
        at: stage.web_at,
    };
    let people = stage.people.signed_in();
    let mut percentiles = Room::ALL.map(|_| [Vec::new(), Vec::new()]);
    for repetition in 1..=repetitions {
        println!("rooms: repetition {repetition} of {repetitions}");
        for (kind, values) in Room::ALL.into_iter().zip(&mut percentiles) {
            let mut histogram = Histogram::new();
            for number in 0..people.len() {
                let micros = runtime.block_on(makers.make(kind, people, number, repetition));
                histogram.record(micros.with_context(|| format!("{kind:?} {number}"))?);
            }
            for (values, share) in values.iter_mut().zip([0.50, 0.95]) {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                let micros = histogram.quantile(share).context("nothing was measured")? as f64;
                values.push(micros / 1_000.0);
            }
        }
    }
    let mut rows = Vec::new();
    for (kind, [p50, p95]) in Room::ALL.iter().zip(&percentiles) {
        let what =
            |percentile| format!("createRoom to room.created, {}: {percentile}", kind.says());
        rows.push(row(&what("p50"), "ms", p50, None));
        rows.push(row(&what("p95"), "ms", p95, Some(Budget::AtMost(P95_MS))));
    }
    Ok(rows)
}

struct RoomMakers {
    http: reqwest::Client,
    at: SocketAddr,
}

impl RoomMakers {
    /// A person makes a room; in microseconds, how long it took to be seen.
    async fn make(
        &self,
        kind: Room,
        people: &[CommandGiver],
        number: usize,
        repetition: usize,
    ) -> anyhow::Result<u64> {
        let owner = &people[number];
        let watcher = match kind {
            // The next of the same guild.
            Room::Public => &people[(number + GUILDS) % people.len()],
            Room::Private => owner,
        };
        if watcher.guild_id != owner.guild_id {
            bail!("the watcher is in another guild");
        }
        let url = format!("http://{}/api/stream?guild={}", self.at, owner.guild_id);
        let stream = Stream::open(&self.http, &url, &watcher.cookie, None).await;
        let mut stream = stream.map_err(|error| anyhow!("no stream: {error:?}"))?;
        until(&mut stream, |name, _| name == "snapshot").await?;

        let room = format!("Bench {repetition}.{number}");
        let body = json!({
            "guildId": owner.guild_id,
            "name": room,
            "private": kind == Room::Private,
        });
        let began = now();
        let seen = async {
            until(&mut stream, |name, data| {
                name == "room.created" && data["name"] == *room
            })
            .await?;
            anyhow::Ok(began.elapsed())
        };
        let (made, seen) = tokio::join!(self.call("createRoom", owner, body), seen);
        let made = made?;
        let channel = made["channelId"].as_str().context("no channelId")?;
        let gone = json!({"channelId": channel});
        self.call("closeRoom", owner, gone).await?;
        Ok(u64::try_from(seen?.as_micros())?)
    }

    async fn call(&self, name: &str, who: &CommandGiver, body: Value) -> anyhow::Result<Value> {
        let request = self
            .http
            .post(format!("http://{}/api/rpc/{name}", self.at))
            .header(ORIGIN, format!("http://{}", self.at))
            .header(COOKIE, &who.cookie)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("{name}: {status} {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("{name} answered {text}"))
    }
}

/// Reads a stream up to an event.
async fn until(stream: &mut Stream, found: impl Fn(&str, &Value) -> bool) -> anyhow::Result<()> {
    let read = async {
        loop {
            let event = stream.next().await;
            let event = event.map_err(|end| anyhow!("the stream ended: {end:?}"))?;
            let data = serde_json::from_str(&event.data).unwrap_or_default();
            if found(&event.name, &data) {
                return Ok(());
            }
        }
    };
    timeout(PATIENCE, read).await.context("it did not come")?
}
