//! Road 3: a batch of events gets its positions, and only then is anything of it seen outside.

use guildhall_link::frame::DiscordStatus;
use guildhall_model::{Event, Position};
use metrics::{counter, gauge};
use tokio::sync::watch;
use tracing::debug;

use crate::log::{Fenced, Log};

/// What belongs together: all of it is seen outside, or none.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// In order.
    pub events: Vec<Event>,
    /// How Discord is after these events, if that changed.
    pub status: Option<DiscordStatus>,
}

/// The only writer of the log.
#[derive(Debug)]
pub(crate) struct Appender {
    log: Log,
    head: Position,
    status: watch::Sender<DiscordStatus>,
}

impl Appender {
    /// Goes on at the log's head.
    pub(crate) fn new(log: Log, status: watch::Sender<DiscordStatus>) -> Self {
        let head = log.head();
        Self { log, head, status }
    }

    /// Appends a batch and publishes it: the events, then the status, so that nobody hears of a
    /// guild's return before what happened to it. Answers the head.
    ///
    /// INVARIANT(order): a commit comes before the first line of this that others can see.
    pub(crate) fn append(&mut self, batch: Batch) -> Result<Position, Fenced> {
        for event in &batch.events {
            let name = event.change.name();
            counter!("guildhall_events_total", "event" => name).increment(1);
            debug!(guild.id = %event.guild_id, "[Gateway] Event: {name}");
        }
        self.head = self.log.append(self.head, batch.events)?;
        gauge!("guildhall_log_head_seq").set(precise(self.head.seq));
        if let Some(status) = batch.status {
            self.status.send_replace(status);
        }
        Ok(self.head)
    }
}

/// As a float: exact up to 2^53, which no log reaches.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn precise(number: u64) -> f64 {
    number as f64
}
