//! Hop 3, the only writer of the log: a batch of events gets its positions (seal), is committed to
//! the journal, and only then appended to the log and seen outside.

use std::{sync::Arc, time::Duration};

use guildhall_link::{
    attachment::GROUP_EVENTS,
    frame::{Discord, DiscordStatus},
};
use guildhall_model::{Envelope, Event, GuildId, Position, SealedEvent, UnixMs};
use guildhall_ports::{
    AppendError, Journal,
    journal::{Commit, JournalFuture, JournalState, NewEpoch},
};
use metrics::{Gauge, counter};
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::{log::Log, metrics::gauge_of_log};

/// A commit that takes longer is logged: what is being served grows old meanwhile.
pub(crate) const STALLED_AFTER: Duration = Duration::from_secs(2);

/// What belongs together: all of it is seen outside, or none.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// In order.
    pub events: Vec<Event>,
    /// Where in them another cause begins, ascending.
    pub causes: Vec<usize>,
    /// How Discord is after these events, if that changed.
    pub status: Option<DiscordStatus>,
    /// What the journal has to know beside the world, if that changed.
    pub state: Option<Arc<JournalState>>,
}

/// A batch with its positions, which nobody may see before it is committed.
#[derive(Debug)]
pub(crate) struct SealedBatch {
    /// What it goes on from.
    after: Position,
    events: Vec<Arc<SealedEvent>>,
    status: Option<DiscordStatus>,
    /// `None`: nothing of it has to survive.
    state: Option<Arc<JournalState>>,
}

/// The only writer of the log.
#[derive(Debug)]
pub(crate) struct Appender {
    journal: Arc<dyn Journal>,
    log: Log,
    /// Of what was sealed last.
    head: Position,
    /// Guilds whose bases the journal asks for.
    wanted: Vec<GuildId>,
    /// What goes with the world as of the last batch that was sealed.
    state: Arc<JournalState>,
    published: PublishedStatus,
    /// Where the journal is, as the operator calls it.
    data_dir_setting: &'static str,
    /// What the status is apart from a stall.
    status_after_stall: Option<DiscordStatus>,
    /// The log's head, as it is measured.
    head_seq: Gauge,
}

/// What is published beside the log.
#[derive(Debug)]
pub(crate) struct PublishedStatus {
    /// How Discord is.
    pub status: watch::Sender<DiscordStatus>,
    /// Whether the journal lets everything wait.
    pub stalled: watch::Sender<bool>,
}

impl Appender {
    /// Goes on at the log's head.
    pub(crate) fn new(
        journal: Arc<dyn Journal>,
        log: Log,
        state: Arc<JournalState>,
        published: PublishedStatus,
        data_dir_setting: &'static str,
    ) -> Self {
        let head = log.head();
        let head_seq = gauge_of_log("guildhall_log_head_seq", head.log);
        Self {
            journal,
            log,
            head,
            wanted: Vec::new(),
            state,
            published,
            data_dir_setting,
            status_after_stall: None,
            head_seq,
        }
    }

    /// Gives each event its position, its JSON and its group: what one cause did to one guild. Batches are
    /// committed and published in this order.
    pub(crate) fn seal(&mut self, batch: Batch) -> SealedBatch {
        let groups = groups(&batch.events, &batch.causes);
        let after = self.head;
        let mut events = Vec::with_capacity(batch.events.len());
        for (event, more) in batch.events.into_iter().zip(groups) {
            self.head = self.head.at(self.head.seq + 1);
            let at = self.head;
            events.push(Arc::new(SealedEvent::new(Envelope { at, more, event })));
        }
        if let Some(state) = &batch.state {
            self.state = Arc::clone(state);
        }
        SealedBatch {
            after,
            events,
            status: batch.status,
            state: batch.state,
        }
    }

    /// Begins to commit what was sealed last; `None`: nothing of it has to survive.
    pub(crate) fn commit(&mut self, sealed: &SealedBatch) -> Option<JournalFuture<Vec<GuildId>>> {
        if sealed.events.is_empty() && sealed.state.is_none() {
            return None;
        }
        Some(self.journal.commit(Commit {
            after: sealed.after,
            events: sealed.events.clone(),
            state: Arc::clone(&self.state),
            floors: self.log.risen_floors(),
            bases: self.log.bases_of(&std::mem::take(&mut self.wanted)),
        }))
    }

    /// The journal has answered: these bases go into the next commit.
    pub(crate) fn committed(&mut self, wanted: Vec<GuildId>) {
        self.wanted = wanted;
    }

    /// Publishes a batch: the events, then the status, so that nobody learns of a guild's return
    /// before what happened to it. Returns the head.
    ///
    /// INVARIANT(journal-first): its commit is answered, or it needs none.
    pub(crate) async fn publish(&mut self, sealed: SealedBatch) -> Result<Position, AppendError> {
        for envelope in &sealed.events {
            let name = envelope.event.change.name();
            counter!("guildhall_events_total", "event" => name).increment(1);
            debug!(guild.id = %envelope.event.guild_id, "[Gateway] Event: {name}");
        }
        // One batch at a time, and it was sealed behind what is there.
        let after = self.log.head();
        self.log.append(after, sealed.events).await?;
        let head = self.log.head();
        self.head_seq.set(precise(head.seq));
        let after_stall = self.status_after_stall.take();
        if after_stall.is_some() {
            self.published.stalled.send_replace(false);
        }
        if let Some(status) = sealed.status.or(after_stall) {
            self.published.status.send_replace(status);
        }
        Ok(head)
    }

    /// Begins another epoch in the journal, with the world as it was published last: positions of
    /// this one have been given twice. Nothing else may be committed after it.
    pub(crate) fn begin_new_epoch(&self, now: UnixMs) -> JournalFuture<()> {
        let epoch = now.max(self.head.epoch + 1);
        self.journal.begin(NewEpoch {
            start: Position::start(self.head.log, epoch),
            guilds: self.log.world().guilds.into_iter().collect(),
            state: JournalState {
                resume: None,
                ..JournalState::clone(&self.state)
            },
        })
    }

    /// A commit takes long: dispatches arrive, and nobody is shown what they say, so we are not
    /// live.
    pub(crate) fn stalled(&mut self, now: UnixMs) {
        if self.status_after_stall.is_some() {
            return;
        }
        let setting = self.data_dir_setting;
        warn!("the journal has not answered for {STALLED_AFTER:?}: is the disk of {setting} well?");
        counter!("guildhall_journal_stalls_total").increment(1);
        self.published.stalled.send_replace(true);
        let status = self.published.status.borrow().clone();
        self.status_after_stall = Some(status.clone());
        if status.discord == Discord::Live {
            self.published.status.send_replace(DiscordStatus {
                discord: Discord::Resuming,
                since: now,
                guild_ids: Vec::new(),
                ..status
            });
        }
    }
}

/// For each event whether more of its group follows. A group is what one cause did to one guild,
/// cut where it is longer than web roles take.
fn groups(events: &[Event], causes: &[usize]) -> Vec<bool> {
    let mut length = 0;
    let more = |(index, event): (usize, &Event)| {
        length += 1;
        let next = index + 1;
        let same_guild = |next: &Event| next.guild_id == event.guild_id;
        let goes_on =
            events.get(next).is_some_and(same_guild) && causes.binary_search(&next).is_err();
        let more = goes_on && length < GROUP_EVENTS;
        if goes_on && !more {
            counter!("guildhall_gateway_groups_cut_total").increment(1);
            warn!(
                guild.id = %event.guild_id,
                "[Gateway] One cause led to over {GROUP_EVENTS} events: they are shown in parts"
            );
        }
        if !more {
            length = 0;
        }
        more
    };
    events.iter().enumerate().map(more).collect()
}

/// As a float: exact up to 2^53, which no log reaches.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn precise(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
