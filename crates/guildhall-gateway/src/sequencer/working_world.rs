//! What each input does to the working world. No IO and no clock: what is to be done outside is
//! collected, and taken at the end of a batch.

/// What a dispatch does to it.
mod dispatched;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_link::frame::DiscordStatus;
use guildhall_model::{Change, Event, GuildId, UnixMs, UserId, World, guild::Membership};
use guildhall_ports::{
    journal::{JournalState, ResumeState, Terms},
    millis,
};
use metrics::{counter, gauge};
use tracing::warn;

use super::{ReadinessReport, availability::DiscordAvailability};
use crate::{
    Limits,
    inbox::{Lost, MembersRequest, Nonce},
    normalise::Cdn,
    rights::{MemberKey, Output, Quota, Rights, RightsContext, WatchId},
};

/// A fresh session for the sake of one unreadable dispatch, at most this often: it may be
/// unreadable again, and IDENTIFYs are counted.
const RENEWALS_APART: Duration = Duration::from_mins(15);

/// That a quota is used up is logged this often at most.
const LOGGED_APART: Duration = Duration::from_mins(10);

/// The world with everything applied that has arrived, and what follows from it.
#[derive(Debug)]
pub(super) struct WorkingWorld {
    world: World,
    rights: Rights,
    availability: DiscordAvailability,
    /// Under which Discord's sessions are begun.
    terms: Terms,
    bot: Option<UserId>,
    resume: Option<ResumeState>,
    heard_at: Option<UnixMs>,
    cdn: Cdn,
    bridged: Option<BTreeSet<GuildId>>,
    /// What the operator calls that list.
    guilds_setting: &'static str,
    report: ReadinessReport,
    /// When a fresh session was last asked for.
    renewed_at: Option<UnixMs>,
    /// Whoever was left by an earlier process and is not watched until then is forgotten.
    forget_at: Option<UnixMs>,
    /// A fresh session is wanted, not before this.
    renewal_due: Option<Instant>,
    /// Sessions of which the READY could not be read.
    unreadable_sessions: UnreadableSessions,
    /// Guilds of which nothing came since a session began or an outage: changes may have been missed.
    /// With the first dispatch of one, readable or not, everybody in it is looked up again.
    maybe_outdated: BTreeSet<GuildId>,
    /// Kinds of dispatches that could not be read; each is logged once.
    unreadable: BTreeSet<String>,
    /// Fields that could not be read and did no harm; each is logged once.
    odd_fields: BTreeSet<&'static str>,
    /// Users who wait for their room, in all guilds.
    pending_voice: usize,
    pending_dropped_logged_at: Option<UnixMs>,
    /// When it was last logged that more was asked than is kept.
    refused_logged_at: BTreeMap<Quota, UnixMs>,
    events: Vec<Event>,
    /// Where in `events` another cause begins.
    causes: Vec<usize>,
    effects: Vec<Effect>,
    published: (DiscordStatus, ReadinessReport),
    kept: Arc<JournalState>,
    fatal: Option<Fatal>,
}

/// Sessions of which the READY could not be read.
#[derive(Clone, Copy, Debug, Default)]
struct UnreadableSessions {
    in_a_row: u32,
    /// The connection there is has such a session.
    is_current: bool,
}

/// What the world begins with.
#[derive(Debug)]
pub(crate) struct Restored {
    /// As it was kept; its guilds may be long out of date.
    pub world: World,
    /// What was kept with it. A resume state that does not fit is gone from it.
    pub state: Arc<JournalState>,
    /// Under which Discord's sessions are begun.
    pub terms: Terms,
}

/// What ends the task, since no input can cure it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fatal {
    /// What was kept is of one bot, and Discord says that we are another.
    AnotherBot {
        /// Whose it is.
        kept: UserId,
        /// Who we are.
        is: UserId,
    },
}

/// What a batch came to.
#[derive(Debug)]
pub(super) struct BatchOutcome {
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
pub(super) enum Effect {
    LookUpByRest(MemberKey),
    LookUpByOp8(MembersRequest),
    Answer {
        watch: WatchId,
        failed: Vec<GuildId>,
    },
    /// Begin a new session: the working world is not to be trusted.
    Renew,
}

impl WorkingWorld {
    /// `guilds_setting`: what the operator calls the list of guilds to bridge.
    pub(super) fn new(
        restored: Restored,
        cdn: Cdn,
        limits: Limits,
        guilds_setting: &'static str,
        now: UnixMs,
    ) -> Self {
        let Restored {
            world,
            state,
            terms,
        } = restored;
        let availability = DiscordAvailability::restored(&state, now);
        let report = ReadinessReport {
            stale: state.stale.clone(),
            ..ReadinessReport::default()
        };
        let published = (availability.status(&report.stale), report.clone());
        Self {
            world,
            // An earlier process began at an earlier time, and sent far less than one a millisecond.
            rights: Rights::new(limits, Nonce(now)),
            availability,
            bridged: terms.guilds.clone(),
            guilds_setting,
            terms,
            bot: state.bot,
            resume: state.resume.clone(),
            heard_at: state.heard_at,
            cdn,
            report,
            renewed_at: state.renewed_at,
            forget_at: state.forget_at,
            renewal_due: None,
            unreadable_sessions: UnreadableSessions::default(),
            maybe_outdated: state.awaited.union(&state.outages).copied().collect(),
            unreadable: BTreeSet::new(),
            odd_fields: BTreeSet::new(),
            pending_voice: 0,
            pending_dropped_logged_at: None,
            refused_logged_at: BTreeMap::new(),
            events: Vec::new(),
            causes: Vec::new(),
            effects: Vec::new(),
            published,
            kept: state,
            fatal: None,
        }
    }

    /// The task begins, with what the world holds already.
    pub(super) fn begun(&mut self, now: Instant, wall: UnixMs) {
        self.count_pending();
        let foreign = |guild_id: &&GuildId| {
            let bridged = self.bridged.as_ref();
            bridged.is_some_and(|bridged| !bridged.contains(guild_id))
        };
        let foreign: Vec<GuildId> = self.world.guilds.keys().filter(foreign).copied().collect();
        self.emit(foreign.into_iter().map(|guild_id| Event {
            guild_id,
            ts: wall,
            synthetic: true,
            change: Change::GuildRemoved,
        }));
        if !self.report.stale.is_empty() {
            self.want_renewal(now, wall);
        }
        self.remember(now, wall);
    }

    /// Takes in the rights that an earlier process left. Their time does not start over with each
    /// start, or with a start a day nobody would ever be forgotten.
    fn remember(&mut self, now: Instant, wall: UnixMs) {
        let kept = self.rights.kept_for();
        let longest = wall.saturating_add(millis(kept));
        let forget_at = self.forget_at.filter(|at| *at > wall).unwrap_or(longest);
        let forget_at = forget_at.min(longest);
        let left = Duration::from_millis(forget_at.saturating_sub(wall));
        let (rights, context) = self.rights_and_context(now);
        let any = rights.restore(left, context);
        self.forget_at = any.then_some(forget_at);
    }

    /// The connection to Discord is gone.
    pub(super) fn lost(&mut self, lost: Lost, now: Instant, wall: UnixMs) {
        self.begin_cause();
        self.availability.lost(&lost, wall);
        // The next connection has another session.
        if std::mem::take(&mut self.unreadable_sessions.is_current) {
            self.renewal_due = None;
        }
        if !lost.resumable {
            self.resume = None;
        }
        self.report.lost = Some(lost);
        let (rights, context) = self.rights_and_context(now);
        rights.connection_lost(context);
        self.follow_rights(wall);
    }

    /// A web role watches a user.
    pub(super) fn watched(
        &mut self,
        watch: WatchId,
        user_id: UserId,
        guild_ids: Vec<GuildId>,
        now: Instant,
        wall: UnixMs,
    ) {
        self.begin_cause();
        let bridged = |guild_id: &GuildId| {
            self.bridged
                .as_ref()
                .is_none_or(|guilds| guilds.contains(guild_id))
        };
        let (guilds, others): (Vec<_>, Vec<_>) = guild_ids.into_iter().partition(bridged);
        let (rights, context) = self.rights_and_context(now);
        rights.watch(watch, user_id, guilds, others, context);
        self.follow_rights(wall);
    }

    /// A look-up has ended; `None`: without an answer.
    pub(super) fn looked_up(
        &mut self,
        key: MemberKey,
        membership: Option<Membership>,
        now: Instant,
        wall: UnixMs,
    ) {
        self.begin_cause();
        let (rights, context) = self.rights_and_context(now);
        rights.rest_answered(key, membership, context);
        self.follow_rights(wall);
    }

    /// Time has passed.
    pub(super) fn time_passed(&mut self, now: Instant, wall: UnixMs) {
        self.begin_cause();
        let (rights, context) = self.rights_and_context(now);
        rights.time_passed(context);
        self.follow_rights(wall);
        self.renew_when_due(now, wall);
    }

    /// When to come back if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let renewal = self.renewal_due.filter(|_| self.may_renew());
        let deadlines = [self.rights.deadline(), renewal];
        deadlines.into_iter().flatten().min()
    }

    /// See [`Rights::oldest`].
    pub(super) fn rights_age(&self, now: Instant) -> Duration {
        self.rights.oldest(now)
    }

    /// See [`Rights::count_waiting`].
    pub(super) fn waiting_count(&self) -> usize {
        self.rights.count_waiting()
    }

    /// See [`Rights::count_watched`].
    pub(super) fn watched_count(&self, now: Instant) -> usize {
        self.rights.count_watched(now)
    }

    /// Ends the batch.
    pub(super) fn take(&mut self) -> BatchOutcome {
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
    pub(super) fn status(&self) -> DiscordStatus {
        self.published.0.clone()
    }

    /// How to go on with Discord, as of the last batch that was taken.
    pub(super) fn resume(&self) -> Option<ResumeState> {
        self.kept.resume.clone()
    }

    /// What no input can cure, if there is such a thing.
    pub(super) fn fatal(&self) -> Option<Fatal> {
        self.fatal
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
            renewed_at: self.renewed_at,
            forget_at: self.forget_at,
        }
    }

    fn want_renewal(&mut self, now: Instant, wall: UnixMs) {
        let apart = millis(RENEWALS_APART);
        let since = self.renewed_at.map(|at| wall.saturating_sub(at));
        let wait = since.map_or(0, |since| apart.saturating_sub(since));
        let soonest = now + Duration::from_millis(wait);
        self.renewal_due.get_or_insert(soonest);
    }

    /// Whether there is a session that can be given up.
    fn may_renew(&self) -> bool {
        self.availability.is_live() || self.unreadable_sessions.is_current
    }

    /// Asks for a fresh session, and again later if none comes of it: there may be too few left.
    fn renew_when_due(&mut self, now: Instant, wall: UnixMs) {
        if self.may_renew() && self.renewal_due.is_some_and(|at| at <= now) {
            self.renewed_at = Some(wall);
            self.renewal_due = Some(now + RENEWALS_APART);
            self.effects.push(Effect::Renew);
        }
    }

    fn rights_and_context(&mut self, now: Instant) -> (&mut Rights, RightsContext<'_>) {
        let context = RightsContext {
            world: &self.world,
            expected: self.availability.expected(),
            live: self.availability.is_live(),
            now,
        };
        (&mut self.rights, context)
    }

    /// Does what the rights machine asks for.
    fn follow_rights(&mut self, wall: UnixMs) {
        for output in self.rights.take_outputs() {
            match output {
                Output::LookUpByRest(key) => self.effects.push(Effect::LookUpByRest(key)),
                Output::LookUpByOp8(request) => self.effects.push(Effect::LookUpByOp8(request)),
                Output::Answered { watch, failed } => {
                    self.effects.push(Effect::Answer { watch, failed });
                }
                Output::Refused {
                    user_id,
                    guilds,
                    quota,
                } => self.refused(user_id, guilds, quota, wall),
                Output::Changed {
                    key: (guild_id, user_id),
                    membership,
                } => self.emit([Event {
                    guild_id,
                    ts: wall,
                    synthetic: false,
                    change: Change::Rights {
                        user_id,
                        membership,
                    },
                }]),
            }
        }
    }

    /// What is emitted from here on has another cause than what was before.
    fn begin_cause(&mut self) {
        if self.causes.last() != Some(&self.events.len()) {
            self.causes.push(self.events.len());
        }
    }

    /// Counted each time, logged once in a while.
    fn refused(&mut self, user_id: UserId, guilds: usize, quota: Quota, wall: UnixMs) {
        let name = match quota {
            Quota::User => "user",
            Quota::Process => "process",
        };
        let count = u64::try_from(guilds).unwrap_or(u64::MAX);
        counter!("guildhall_rights_refused_total", "bound" => name).increment(count);
        let apart = millis(LOGGED_APART);
        let said_at = self.refused_logged_at.get(&quota);
        if said_at.is_none_or(|at| at.saturating_add(apart) <= wall) {
            self.refused_logged_at.insert(quota, wall);
            warn!(
                viewer.id = %user_id,
                guilds,
                "more guilds are asked for than one {name} may have looked up at a time: these are \
                 answered as not known. Said once in ten minutes"
            );
        }
    }

    /// INVARIANT(order): the working world has every event applied in the order of the log.
    fn emit(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
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

    fn count_pending(&mut self) {
        let guilds = self.world.guilds.values();
        self.pending_voice = guilds.map(|guild| guild.pending_voice.len()).sum();
        let pending = u32::try_from(self.pending_voice).unwrap_or(u32::MAX);
        gauge!("guildhall_gateway_pending_voice").set(f64::from(pending));
    }
}

#[cfg(test)]
mod tests;
