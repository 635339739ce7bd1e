//! What the inputs of a batch come to: events in their order, and what is to be done once they are
//! in the log.

use std::sync::Arc;

use guildhall_link::frame::DiscordStatus;
use guildhall_model::{Change, Event, GuildId};
use guildhall_ports::journal::{JournalState, ResumeState};

use super::WorkingWorld;
use crate::{
    inbox::{MembersRequest, QuestionAnswer, QuestionId},
    metrics::gauge_of_log,
    rights::{MemberKey, WatchId},
    sequencer::ReadinessReport,
};

/// What a batch came to.
#[derive(Debug)]
pub(in crate::sequencer) struct BatchOutcome {
    pub events: Vec<Event>,
    /// Where in them another cause begins, ascending.
    pub causes: Vec<usize>,
    /// If it changed.
    pub status: Option<DiscordStatus>,
    /// If it changed.
    pub report: Option<ReadinessReport>,
    /// If it changed.
    pub state: Option<Arc<JournalState>>,
    /// After the events are in the log.
    pub effects: Vec<Effect>,
}

/// What is to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sequencer) enum Effect {
    LookUpByRest(MemberKey),
    LookUpByOp8(MembersRequest),
    /// Ask for the status of a guild's voice channels. One that can't be asked has no answer.
    AskForChannelInfo(GuildId),
    Answer {
        watch: WatchId,
        failed: Vec<GuildId>,
    },
    AnswerQuestion {
        id: QuestionId,
        answer: QuestionAnswer,
    },
    /// Begin a new session: the working world is not to be trusted.
    Renew,
}

impl WorkingWorld {
    /// What is emitted from here on has another cause than what was before.
    pub(super) fn begin_cause(&mut self) {
        self.answer_waiting();
        if self.causes.last() != Some(&self.events.len()) {
            self.causes.push(self.events.len());
        }
    }

    /// Takes events in.
    ///
    /// INVARIANT(order): the working world has every event applied in the order of the log.
    pub(super) fn emit(&mut self, events: impl IntoIterator<Item = Event>) {
        for mut event in events {
            self.managed.stamp(&mut event);
            self.world.apply(&event);
            let moves = match event.change {
                Change::VoicePending(_)
                | Change::VoicePendingRemoved { .. }
                | Change::GuildAvailable(Some(_)) => true,
                Change::VoiceJoined(_) | Change::GuildRemoved => self.pending_voice > 0,
                _ => false,
            };
            self.events.push(event);
            if moves {
                self.count_pending();
            }
        }
    }

    /// How many wait for their room, for the operator.
    pub(super) fn count_pending(&mut self) {
        let guilds = self.world.guilds.values();
        self.pending_voice = guilds.map(|guild| guild.pending_voice.len()).sum();
        let pending = u32::try_from(self.pending_voice).unwrap_or(u32::MAX);
        gauge_of_log("guildhall_gateway_pending_voice", self.shard.log()).set(f64::from(pending));
    }

    /// Ends the batch.
    pub(in crate::sequencer) fn take(&mut self) -> BatchOutcome {
        self.answer_at_end_of_batch();
        let status = self.availability.status(&self.report.stale);
        let new_status = (status != self.published.0).then(|| status.clone());
        let new_report = (self.report != self.published.1).then(|| self.report.clone());
        if new_status.is_some() || new_report.is_some() {
            self.published = (status, self.report.clone());
        }
        let state = self.state();
        let new_state = (state != *self.kept).then(|| {
            self.kept = Arc::new(state);
            Arc::clone(&self.kept)
        });
        BatchOutcome {
            events: std::mem::take(&mut self.events),
            causes: std::mem::take(&mut self.causes),
            status: new_status,
            report: new_report,
            state: new_state,
            effects: std::mem::take(&mut self.effects),
        }
    }

    /// How Discord is, as of the last batch that was taken.
    pub(in crate::sequencer) fn status(&self) -> DiscordStatus {
        self.published.0.clone()
    }

    /// How to go on with Discord, as of the last batch that was taken.
    pub(in crate::sequencer) fn resume(&self) -> Option<ResumeState> {
        self.kept.resume.clone()
    }

    fn state(&self) -> JournalState {
        let (awaited, outages) = self.availability.missing();
        JournalState {
            bot: self.bot,
            resume: self.resume.clone(),
            heard_at: self.heard_at,
            awaited: awaited.clone(),
            outages: outages.clone(),
            stale: self.report.stale.clone(),
            renewed_at: self.renewal.renewed_at(),
            forget_at: self.forget_at,
        }
    }
}
