//! What each input does to the working world. No IO and no clock: what is to be done outside is
//! collected, and taken at the end of a batch.

/// What a dispatch does to it.
mod dispatched;
/// Which dispatches have come.
mod numbers;
/// What the rights machine does to it.
mod follow_rights;
/// Giving up Discord's session for a fresh one.
mod renewal;
/// Asking for the status of voice channels.
mod channel_info;
/// What is kept of the rooms that Guildhall made.
mod managed_rooms;
/// Rooms that Guildhall made.
mod managed;
/// What the bot itself is.
mod own_membership;
/// Questions of others.
mod questions;
/// What is so where a command is to be carried out.
mod scenes;
/// What a batch comes to.
mod outcome;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_link::frame::DiscordStatus;
use guildhall_model::{Change, Event, GuildId, UnixMs, UserId, World, guild::Membership};
use guildhall_ports::journal::{JournalState, ResumeState, Terms};

use super::{ReadinessReport, availability::DiscordAvailability};
use crate::{
    Limits, ShardId,
    inbox::{Lost, Nonce},
    normalise::Cdn,
    rights::{MemberKey, Quota, Rights, WatchId},
};

use channel_info::ChannelInfoQueue;
use numbers::DispatchNumbers;
use renewal::Renewal;

pub(crate) use managed_rooms::ManagedRooms;
pub(super) use outcome::{BatchOutcome, Effect};
use questions::Questions;
#[cfg(test)]
pub(crate) use scenes::scene_of;

/// The world with everything applied that has arrived, and what follows from it.
#[derive(Debug)]
pub(super) struct WorkingWorld {
    world: World,
    rights: Rights,
    availability: DiscordAvailability,
    /// Under which Discord's sessions are begun.
    terms: Terms,
    bot: Option<UserId>,
    managed: ManagedRooms,
    resume: Option<ResumeState>,
    numbers: DispatchNumbers,
    heard_at: Option<UnixMs>,
    cdn: Cdn,
    shard: ShardId,
    bridged: Option<BTreeSet<GuildId>>,
    /// What the operator calls that list.
    guilds_setting: &'static str,
    report: ReadinessReport,
    renewal: Renewal,
    /// Whoever was left by an earlier process and is not watched until then is forgotten.
    forget_at: Option<UnixMs>,
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
    questions: Questions,
    channel_info: ChannelInfoQueue,
    events: Vec<Event>,
    /// Where in `events` another cause begins.
    causes: Vec<usize>,
    effects: Vec<Effect>,
    published: (DiscordStatus, ReadinessReport),
    kept: Arc<JournalState>,
    fatal: Option<Fatal>,
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
    /// Whose guilds these are.
    pub shard: ShardId,
    /// What is kept of the rooms that Guildhall made.
    pub managed: ManagedRooms,
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
            shard,
            managed,
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
            // Guilds of other shards never come here.
            bridged: terms.guilds.clone().map(|guilds| {
                let own = guilds.into_iter().filter(|id| shard.has(*id));
                own.collect()
            }),
            shard,
            guilds_setting,
            terms,
            bot: state.bot,
            managed,
            resume: state.resume.clone(),
            numbers: DispatchNumbers::default(),
            heard_at: state.heard_at,
            cdn,
            report,
            renewal: Renewal::restored(state.renewed_at),
            forget_at: state.forget_at,
            maybe_outdated: state.awaited.union(&state.outages).copied().collect(),
            unreadable: BTreeSet::new(),
            odd_fields: BTreeSet::new(),
            pending_voice: 0,
            pending_dropped_logged_at: None,
            refused_logged_at: BTreeMap::new(),
            questions: Questions::default(),
            channel_info: ChannelInfoQueue::default(),
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
        self.reconcile_managed(wall);
        if !self.report.stale.is_empty() {
            self.renewal.want(now, wall);
        }
        self.remember(now, wall);
    }

    /// The connection to Discord is gone.
    pub(super) fn lost(&mut self, lost: Lost, now: Instant, wall: UnixMs) {
        self.begin_cause();
        self.availability.lost(&lost, wall);
        self.channel_info.lost();
        self.renewal.lost();
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
        self.give_up_waiting(now);
        self.ask_for_channel_info(now);
    }

    /// When to come back if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let renewal = self.renewal.due().filter(|_| self.may_renew());
        let channel_info = self.channel_info.deadline();
        let deadlines = [
            self.rights.deadline(),
            renewal,
            self.questions.deadline(),
            channel_info.filter(|_| self.availability.is_live()),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Whether there is a session that can be given up.
    fn may_renew(&self) -> bool {
        self.availability.is_live() || self.renewal.is_session_unreadable()
    }

    fn renew_when_due(&mut self, now: Instant, wall: UnixMs) {
        if self.may_renew() && self.renewal.take_due(now, wall) {
            self.effects.push(Effect::Renew);
        }
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

    /// What no input can cure, if there is such a thing.
    pub(super) fn fatal(&self) -> Option<Fatal> {
        self.fatal
    }
}

#[cfg(test)]
mod tests;
