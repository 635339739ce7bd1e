//! A stream as a browser reads it, with what a test asks of it.

use std::time::Duration;

use lab::sse::{self, RisingIds};
use reqwest::Client;
use serde_json::Value;
use tokio::time::timeout;

use super::SOON;

/// One dispatched event.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) event: String,
    pub(crate) data: Value,
}

pub(crate) struct Stream {
    connection: sse::Stream,
    ids: RisingIds,
    /// Every event so far, as it came.
    pub(crate) raw: String,
    /// The last `id:`, which a browser sends back as `Last-Event-ID`.
    pub(crate) cursor: Option<String>,
}

impl Stream {
    pub(crate) async fn open(http: &Client, url: &str, cookie: &str, after: Option<&str>) -> Self {
        let opened = sse::Stream::open(http, url, cookie, after);
        Self {
            connection: opened.await.expect("web answers with a stream"),
            ids: RisingIds::default(),
            raw: String::new(),
            cursor: after.map(str::to_owned),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.connection.header(name)
    }

    /// The next event, whatever it is; `None` when the server ended the stream.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let event = match self.connection.next().await {
                Ok(event) => event,
                Err(sse::End::Closed) => return None,
                Err(sse::End::NotText) => panic!("no UTF-8 after:\n{}", self.raw),
            };
            self.raw.push_str(&event.raw);
            self.cursor = self.connection.cursor().map(str::to_owned);
            let in_order = self.ids.take(&event);
            in_order.unwrap_or_else(|fallen| panic!("{fallen} in:\n{}", self.raw));
            // A browser dispatches nothing without data.
            if !event.data.is_empty() {
                return Some(Frame {
                    event: event.name,
                    data: serde_json::from_str(&event.data).expect("data is JSON on one line"),
                });
            }
        }
    }

    /// The next event with this name, passing over others; panics when it does not come soon.
    pub(crate) async fn until(&mut self, name: &str) -> Frame {
        self.until_within(name, SOON).await
    }

    pub(crate) async fn until_within(&mut self, name: &str, limit: Duration) -> Frame {
        let found = timeout(limit, async {
            while let Some(frame) = self.next().await {
                if frame.event == name {
                    return frame;
                }
            }
            panic!("the stream ended before {name}:\n{}", self.raw)
        });
        let found = found.await;
        found.unwrap_or_else(|_| panic!("no {name} came:\n{}", self.raw))
    }

    /// The next event that is neither `checkpoint` nor `status`.
    pub(crate) async fn next_record(&mut self) -> Frame {
        let found = timeout(SOON, async {
            loop {
                let frame = self.next().await;
                let frame = frame.unwrap_or_else(|| panic!("the stream ended:\n{}", self.raw));
                if frame.event != "checkpoint" && frame.event != "status" {
                    return frame;
                }
            }
        });
        let found = found.await;
        found.unwrap_or_else(|_| panic!("nothing came:\n{}", self.raw))
    }
}
