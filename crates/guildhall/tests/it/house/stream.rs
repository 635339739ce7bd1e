//! A stream as a browser reads it: lines, fields, events (HTML standard, "Server-sent events").

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
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
    response: Response,
    /// Every byte so far.
    pub(crate) raw: String,
    read: usize,
    /// The last `id:`, which a browser sends back as `Last-Event-ID`.
    pub(crate) cursor: Option<String>,
}

impl Stream {
    pub(crate) async fn open(http: &Client, url: &str, cookie: &str, after: Option<&str>) -> Self {
        let mut request = http.get(url).header("cookie", cookie);
        if let Some(cursor) = after {
            request = request.header("last-event-id", cursor);
        }
        let response = request.send().await.expect("web answers");
        assert_eq!(response.status(), StatusCode::OK);
        Self {
            response,
            raw: String::new(),
            read: 0,
            cursor: after.map(str::to_owned),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The next event, whatever it is; `None` when the server ended the stream.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.raw[self.read..].find("\n\n") {
                let block = self.raw[self.read..self.read + end].to_owned();
                self.read += end + 2;
                if let Some(frame) = self.frame(&block) {
                    return Some(frame);
                }
                continue;
            }
            // A process that was killed ends its streams with an error; a browser sees an end.
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.raw
                .push_str(std::str::from_utf8(&chunk).expect("whole UTF-8 frames"));
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

    fn frame(&mut self, block: &str) -> Option<Frame> {
        let (mut event, mut data) = (String::new(), String::new());
        for line in block.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut event),
                "id" => self.cursor = Some(value.to_owned()),
                "data" => data.push_str(value),
                _ => {}
            }
        }
        if data.is_empty() {
            return None;
        }
        Some(Frame {
            event,
            data: serde_json::from_str(&data).expect("data is JSON on one line"),
        })
    }
}
