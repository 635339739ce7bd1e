//! What each stream received, compared with what it should have received.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use lab::sse::{Event, Position, RisingIds};

use super::picture::Picture;
use super::viewers::CHANGING;
use crate::bench::frames::Stamp;
use crate::bench::ledger::{Ledger, Seen};

/// Faults that are told in words; the others are only counted.
const FAULTS_TOLD: usize = 20;

/// All streams together.
pub(crate) struct Checker {
    streams: Vec<Track>,
    /// The same event stands at a position, whichever stream of a viewer is told.
    deliveries: HashMap<(usize, Position), Delivery>,
    ledger: Ledger,
    pub(crate) count: Count,
    faults: Vec<String>,
}

struct Delivery {
    payload: u64,
    streams: usize,
}

/// One stream, over all of its connections.
#[derive(Default)]
struct Track {
    /// Whose it is.
    viewer: usize,
    seen: Seen,
    order: RisingIds,
    picture: Option<Picture>,
    /// The last stamp, not in the picture yet: there are many, and only the last counts.
    stamp: Option<String>,
}

/// What was counted. All but the first five must be zero where the session lived.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) connections: u64,
    pub(crate) resumed: u64,
    pub(crate) statuses: u64,
    pub(crate) events: u64,
    /// Because the viewer's rights had changed while the stream was away.
    pub(crate) rights_snapshots: u64,
    /// For any other reason.
    pub(crate) snapshots: u64,
    /// An id that was not higher than the one before it.
    pub(crate) fallen_ids: u64,
    /// Two payloads at one position.
    pub(crate) two_payloads: u64,
    /// What was found by comparing, and what could not be.
    pub(crate) synthetic: u64,
    /// HTTP answers but 200, and streams that are none.
    pub(crate) refused: u64,
}

/// The sums of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) deliveries: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    /// Positions that some streams were told and others not.
    pub(crate) uneven: u64,
    /// Microseconds from stamp to stream.
    pub(crate) p50: Option<u64>,
    pub(crate) p99: Option<u64>,
    pub(crate) max: Option<u64>,
}

impl Checker {
    /// For a stream of each of these viewers.
    pub(crate) fn of(viewers: impl Iterator<Item = usize>) -> Self {
        let track = |viewer| Track {
            viewer,
            ..Track::default()
        };
        Self {
            streams: viewers.map(track).collect(),
            deliveries: HashMap::new(),
            ledger: Ledger::begin(),
            count: Count::default(),
            faults: Vec::new(),
        }
    }

    /// Writes down the next event of a stream.
    pub(crate) fn take(&mut self, stream: usize, event: &Event, now_micros: u64) {
        if let Err(fallen) = self.streams[stream].order.take(event) {
            self.count.fallen_ids += 1;
            self.fault(stream, &fallen.to_string());
        }
        match event.name.as_str() {
            "snapshot" => self.take_snapshot(stream, event),
            "resumed" => self.count.resumed += 1,
            "status" => self.count.statuses += 1,
            "" | "checkpoint" | "bye" => {}
            _ => self.take_change(stream, event, now_micros),
        }
    }

    pub(crate) fn streams(&self) -> usize {
        self.streams.len()
    }

    /// How many streams have their first picture.
    pub(crate) fn open(&self) -> usize {
        let open = self.streams.iter().filter(|track| track.picture.is_some());
        open.count()
    }

    /// How many streams have not come to this stamp. One whose viewer was thrown out for a while need
    /// not.
    pub(crate) fn behind(&self, sequence: u64) -> usize {
        let behind = |track: &&Track| track.seen.highest() < Some(sequence);
        self.steady().filter(behind).count()
    }

    /// Whose stream it is.
    pub(crate) fn viewer(&self, stream: usize) -> usize {
        self.streams[stream].viewer
    }

    /// The streams of those whose rights stay the same.
    fn steady(&self) -> impl Iterator<Item = &Track> {
        let tracks = self.streams.iter();
        tracks.filter(|track| track.viewer != CHANGING)
    }

    /// What stream number `stream` shows.
    pub(crate) fn picture(&mut self, stream: usize) -> Option<Picture> {
        let track = &mut self.streams[stream];
        let picture = track.picture.as_mut()?;
        if let Some(stamp) = track.stamp.take() {
            // It was looked at when it came.
            picture.apply("voice.updated", &stamp).ok()?;
        }
        Some(picture.clone())
    }

    /// The sums, when so many stamps were sent.
    pub(crate) fn sums(&self, sent: u64) -> Sums {
        let lost = self.steady().map(|track| track.seen.lost(sent));
        let of = |viewer| {
            let own = self.streams.iter().filter(|track| track.viewer == viewer);
            own.count()
        };
        let uneven = self.deliveries.iter().filter(|((viewer, _), delivery)| {
            *viewer != CHANGING && delivery.streams != of(*viewer)
        });
        Sums {
            deliveries: self.ledger.distinct,
            lost: lost.sum(),
            doubled: self.ledger.doubled,
            reordered: self.ledger.reordered,
            uneven: uneven.count() as u64,
            p50: self.ledger.latency.quantile(0.50),
            p99: self.ledger.latency.quantile(0.99),
            max: self.ledger.latency.max(),
        }
    }

    /// In words, the first ones.
    pub(crate) fn faults(&self) -> &[String] {
        &self.faults
    }

    pub(crate) fn fault(&mut self, stream: usize, what: &str) {
        if self.faults.len() < FAULTS_TOLD {
            self.faults.push(format!("stream {stream}: {what}"));
        }
    }

    fn take_snapshot(&mut self, stream: usize, event: &Event) {
        let track = &self.streams[stream];
        let of_rights = event.data.contains(r#""reason":"authz_changed""#);
        if track.picture.is_some() && track.viewer == CHANGING && of_rights {
            self.count.rights_snapshots += 1;
        } else if track.picture.is_some() {
            self.count.snapshots += 1;
            let reason: String = event.data.chars().take(80).collect();
            self.fault(stream, &format!("a second snapshot, {reason}"));
        }
        match Picture::of(&event.data) {
            Ok(picture) => self.streams[stream].picture = Some(picture),
            Err(error) => self.fault(stream, &format!("{error:#}")),
        }
        self.streams[stream].stamp = None;
    }

    fn take_change(&mut self, stream: usize, event: &Event, now_micros: u64) {
        self.count.events += 1;
        if event.name == "gap" || event.data.contains(r#""synthetic":true"#) {
            self.count.synthetic += 1;
        }
        let of_rights = matches!(
            event.name.as_str(),
            "room.shown" | "room.hidden" | "guild.available" | "guild.removed"
        );
        // What is told of rights on an open stream is in the snapshot of one that was away.
        if let Some(position) = Position::of(event).filter(|_| !of_rights) {
            self.hold_against_others(stream, event, position);
        }
        let track = &mut self.streams[stream];
        if let Some(stamp) = stamp(event) {
            self.ledger
                .write(&mut track.seen, stamp, now_micros, event.raw.len());
            track.stamp = Some(event.data.clone());
            return;
        }
        let before = track.stamp.take();
        let before = before.iter().map(|stamp| ("voice.updated", stamp));
        let mut changes = before.chain([(event.name.as_str(), &event.data)]);
        let picture = track.picture.get_or_insert_default();
        let applied = changes.try_for_each(|(name, data)| picture.apply(name, data));
        if let Err(error) = applied {
            self.fault(stream, &format!("{error:#}"));
        }
    }

    fn hold_against_others(&mut self, stream: usize, event: &Event, position: Position) {
        let mut hasher = DefaultHasher::new();
        (&event.name, &event.data).hash(&mut hasher);
        let payload = hasher.finish();
        let key = (self.streams[stream].viewer, position);
        let delivery = self.deliveries.entry(key).or_insert(Delivery {
            payload,
            streams: 0,
        });
        delivery.streams += 1;
        if delivery.payload != payload {
            self.count.two_payloads += 1;
            self.fault(stream, &format!("another {} at {position:?}", event.name));
        }
    }
}

/// `SEQ:UNIX_MICROS` in the name of somebody who changed.
fn stamp(event: &Event) -> Option<Stamp> {
    const FIELD: &str = r#""username":""#;
    if event.name != "voice.updated" {
        return None;
    }
    let value = &event.data[event.data.find(FIELD)? + FIELD.len()..];
    let (sequence, rest) = value.split_once(':')?;
    let (sent_micros, _) = rest.split_once('"')?;
    Some(Stamp {
        sequence: sequence.parse().ok()?,
        sent_micros: sent_micros.parse().ok()?,
    })
}

#[cfg(test)]
mod tests;
