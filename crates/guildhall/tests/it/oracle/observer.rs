//! A viewer with an open stream, some of whom come and go. What they hear is written down with its
//! time, and judged when all is over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use guildhall_model::{ChannelId, GuildId};
use lab::sse::{OpenError, Stream};
use parking_lot::Mutex;
use reqwest::Client;
use serde_json::Value;
use tokio::{
    select,
    time::{Instant, sleep_until},
};

use crate::oracle::rng::Rng;

/// What a stream, or a look at the state, is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// Empty: all.
    pub(crate) guilds: Vec<GuildId>,
    /// Empty: all.
    pub(crate) channels: Vec<ChannelId>,
    /// `None`: all.
    pub(crate) events: Option<Events>,
}

/// The one family of events that a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Events {
    Room,
    Voice,
}

/// How somebody looks.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// The number of the viewer.
    pub(crate) viewer: usize,
    pub(crate) query: Query,
    /// Comes and goes, with the cursor.
    pub(crate) restless: bool,
    /// Begins each time with `/api/state`, and goes on from its cursor.
    pub(crate) from_state: bool,
}

/// What somebody hears.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    /// A stream began; whether a cursor was sent.
    Opened { resumes: bool },
    /// There was no stream, with this status.
    Refused(u16),
    /// The answer of `/api/state`, and when it was asked for.
    State { asked: Instant, state: Value },
    /// An event.
    Frame(Frame),
    /// The stream ended.
    Ended,
}

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) data: Value,
    pub(crate) has_id: bool,
}

/// All that was heard, in order.
pub(crate) type Record = Arc<Mutex<Vec<(Instant, Heard)>>>;

impl Query {
    /// As it stands in an address; empty, or with its `?`.
    pub(crate) fn text(&self) -> String {
        let guilds = self.guilds.iter().map(|id| format!("guild={id}"));
        let channels = self.channels.iter().map(|id| format!("channel={id}"));
        let events = self.events.map(|events| match events {
            Events::Room => "events=room".to_owned(),
            Events::Voice => "events=voice".to_owned(),
        });
        let parts: Vec<String> = guilds.chain(channels).chain(events).collect();
        if parts.is_empty() {
            return String::new();
        }
        format!("?{}", parts.join("&"))
    }

    pub(crate) fn asks_for_guild(&self, guild: GuildId) -> bool {
        self.guilds.is_empty() || self.guilds.contains(&guild)
    }

    pub(crate) fn asks_for_room(&self, room: ChannelId) -> bool {
        self.channels.is_empty() || self.channels.contains(&room)
    }

    /// Whether an event may come. That rooms appear and vanish always comes, whatever did it.
    pub(crate) fn asks_for_event(&self, name: &str) -> bool {
        match self.events {
            None => true,
            Some(Events::Room) => !name.starts_with("voice."),
            Some(Events::Voice) => {
                !["room.created", "room.updated", "room.deleted", "room.idle"].contains(&name)
            }
        }
    }
}

/// Where somebody looks, and as whom.
pub(crate) struct Place {
    pub(crate) http: Client,
    /// The house's origin.
    pub(crate) base: String,
    pub(crate) cookie: String,
    /// Nobody goes any more.
    pub(crate) calm: Arc<AtomicBool>,
}

/// Looks until it is dropped.
pub(crate) async fn observe(place: Place, manner: Manner, mut rng: Rng, record: Record) {
    let Place {
        http,
        base,
        cookie,
        calm,
    } = place;
    let note = |heard| record.lock().push((Instant::now(), heard));
    let query = manner.query.text();
    let url = format!("{base}/api/stream{query}");
    let mut cursor: Option<String> = None;
    loop {
        if manner.from_state {
            let asked = Instant::now();
            if let Some(state) = state(&http, &format!("{base}/api/state{query}"), &cookie).await {
                cursor = state["cursor"].as_str().map(str::to_owned);
                note(Heard::State { asked, state });
            }
        }
        match Stream::open(&http, &url, &cookie, cursor.as_deref()).await {
            Ok(mut stream) => {
                note(Heard::Opened {
                    resumes: cursor.is_some(),
                });
                let goes = manner.restless && !calm.load(Ordering::Relaxed);
                let cut = goes.then(|| Instant::now() + millis(&mut rng, 300, 3_500));
                while let Some(frame) = next(&mut stream, cut).await {
                    note(Heard::Frame(frame));
                }
                cursor = stream.cursor().map(str::to_owned).or(cursor);
                note(Heard::Ended);
            }
            Err(OpenError::Refused(status, _)) => note(Heard::Refused(status.as_u16())),
            Err(OpenError::Unreachable(_)) => note(Heard::Ended),
        }
        sleep_until(Instant::now() + millis(&mut rng, 20, 900)).await;
    }
}

/// The next event with data; `None` at the end, or when it is cut.
async fn next(stream: &mut Stream, cut: Option<Instant>) -> Option<Frame> {
    let cut = async {
        match cut {
            Some(cut) => sleep_until(cut).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(cut);
    loop {
        let event = select! {
            event = stream.next() => event.ok()?,
            () = &mut cut => return None,
        };
        if !event.data.is_empty() {
            return Some(Frame {
                data: serde_json::from_str(&event.data).expect("data is JSON on one line"),
                name: event.name,
                has_id: event.id.is_some(),
            });
        }
    }
}

pub(crate) async fn state(http: &Client, url: &str, cookie: &str) -> Option<Value> {
    let answer = http.get(url).header("cookie", cookie).send().await.ok()?;
    let answer = answer.error_for_status().ok()?;
    answer.json().await.ok()
}

pub(crate) fn millis(rng: &mut Rng, least: u64, most: u64) -> Duration {
    Duration::from_millis(rng.between(least, most))
}
