//! What each input does to the working world. No IO and no clock: what is to be done outside is
//! collected, and taken at the end of a batch.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_link::frame::DiscordStatus;
use guildhall_model::{Change, Event, GuildId, UnixMs, UserId, World, world::Membership};
use guildhall_ports::journal::{ResumeState, State, Terms};
use metrics::counter;
use tracing::warn;

use super::{Lost, Report, standing::Standing};
use crate::{
    Limits,
    normalise::{self, Cdn, Chunk, Context, GuildNews, Ready, Seen, Told},
    rights::{self, CallId, Output, Pair, Part, Rights, Scene, WatchId},
    shard::{Dispatch, MembersRequest},
};

/// A fresh session for the sake of one unreadable dispatch, at most this often: it may be
/// unreadable again, and IDENTIFYs are counted.
const RENEWALS_APART: Duration = Duration::from_mins(15);

/// The world with everything applied that has arrived, and what follows from it.
#[derive(Debug)]
pub(super) struct Working {
    world: World,
    rights: Rights,
    standing: Standing,
    /// Under which Discord's sessions are begun.
    terms: Terms,
    bot: Option<UserId>,
    resume: Option<ResumeState>,
    heard_at: Option<UnixMs>,
    cdn: Cdn,
    bridged: Option<BTreeSet<GuildId>>,
    report: Report,
    /// When a fresh session was last asked for.
    renewed_at: Option<UnixMs>,
    /// A fresh session is wanted, not before this.
    renewal_due: Option<Instant>,
    /// Kinds of dispatches that could not be read; each is logged once.
    unreadable: BTreeSet<String>,
    events: Vec<Event>,
    acts: Vec<Act>,
    published: (DiscordStatus, Report),
    kept: Arc<State>,
    refusal: Option<Refusal>,
}

/// What the world begins with.
#[derive(Debug)]
pub(crate) struct Restored {
    /// As it was kept; its guilds may be long out of date.
    pub world: World,
    /// What was kept with it. A resume state that does not fit is gone from it.
    pub state: Arc<State>,
    /// Under which Discord's sessions are begun.
    pub terms: Terms,
}

/// What no input can cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
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
pub(super) struct Outcome {
    pub events: Vec<Event>,
    /// If it changed.
    pub status: Option<DiscordStatus>,
    /// If it changed.
    pub report: Option<Report>,
    /// If it changed.
    pub state: Option<Arc<State>>,
    /// After the events are in the log.
    pub acts: Vec<Act>,
}

/// What is to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    LookUp(Pair),
    LookUpMany(MembersRequest),
    Answer {
        watch: WatchId,
        failed: Vec<GuildId>,
    },
    /// Begin a new session: our picture is not to be trusted.
    Renew,
}

impl Working {
    pub(super) fn new(restored: Restored, cdn: Cdn, limits: Limits, now: UnixMs) -> Self {
        let Restored {
            world,
            state,
            terms,
        } = restored;
        let standing = Standing::restored(&state, now);
        let report = Report {
            stale: state.stale.clone(),
            ..Report::default()
        };
        let published = (standing.status(&report.stale), report.clone());
        Self {
            world,
            // An earlier process began at an earlier time, and sent far less than one a millisecond.
            rights: Rights::new(limits, CallId(now)),
            standing,
            bridged: terms.guilds.clone(),
            terms,
            bot: state.bot,
            resume: state.resume.clone(),
            heard_at: state.heard_at,
            cdn,
            report,
            renewed_at: state.renewed_at,
            renewal_due: None,
            unreadable: BTreeSet::new(),
            events: Vec::new(),
            acts: Vec::new(),
            published,
            kept: state,
            refusal: None,
        }
    }

    /// Life begins, with what the world holds already.
    pub(super) fn begun(&mut self, now: Instant, wall: UnixMs) {
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
        let (rights, scene) = self.rights_and_scene(now);
        rights.remembered(scene);
    }

    /// Discord told something.
    pub(super) fn dispatched(&mut self, dispatch: &Dispatch, now: Instant) {
        // INVARIANT(no-double): a RESUME begins after what was committed, which may be behind what
        // has arrived. READY begins a session, whose numbers begin anew.
        // RESUMED is the connection's own and is kept by nobody, so its number does not tell
        // whether it came before: were it taken for a repetition, we would never be live again.
        if let Some(resume) = self.resume.as_mut().filter(|_| dispatch.name != "READY") {
            if dispatch.sequence <= resume.sequence && dispatch.name != "RESUMED" {
                counter!("guildhall_gateway_repeated_dispatches_total").increment(1);
                return;
            }
            resume.sequence = resume.sequence.max(dispatch.sequence);
        }
        self.heard_at = Some(dispatch.received_at);
        let context = Context {
            world: &self.world,
            now: dispatch.received_at,
            cdn: &self.cdn,
            bridged: self.bridged.as_ref(),
        };
        let kind = dispatch.name.as_str();
        match normalise::dispatch(kind, dispatch.data.get(), &context) {
            Seen::Told(told) => {
                count(kind);
                self.told(told, dispatch.received_at, now);
            }
            Seen::Ready(ready) => {
                count(kind);
                self.ready(ready, dispatch, now);
            }
            Seen::Unreadable { guild_id, reason } => {
                count(kind);
                if kind == "READY" {
                    // Whatever session this is, it is not the one that was kept.
                    self.resume = None;
                }
                self.unreadable(kind, guild_id, &reason, now, dispatch.received_at);
            }
            Seen::Chunk(chunk) => {
                count(kind);
                self.part_came(chunk, dispatch.received_at, now);
            }
            Seen::Refused(refused) => {
                count(kind);
                let wait = Duration::try_from_secs_f64(refused.wait).unwrap_or(Duration::MAX);
                let (rights, scene) = self.rights_and_scene(now);
                rights.many_refused(CallId(refused.nonce), wait, scene);
                self.follow_rights(dispatch.received_at);
            }
            Seen::Irrelevant if kind == "RESUMED" => {
                count(kind);
                self.report.lost = None;
                self.standing.resumed(dispatch.received_at);
            }
            Seen::Irrelevant => match rights::hint(kind, dispatch.data.get()) {
                Some(pair) => {
                    count(kind);
                    self.member(pair, rights::Told::LookAgain, dispatch.received_at, now);
                }
                None => counter!("guildhall_gateway_unknown_dispatches_total").increment(1),
            },
        }
    }

    /// The connection is not there.
    pub(super) fn lost(&mut self, lost: Lost, now: Instant, wall: UnixMs) {
        self.standing.lost(&lost, wall);
        if !lost.resumable {
            self.resume = None;
        }
        self.report.lost = Some(lost);
        let (rights, scene) = self.rights_and_scene(now);
        rights.lost(scene);
        self.follow_rights(wall);
    }

    /// A web role has a user.
    pub(super) fn watched(
        &mut self,
        watch: WatchId,
        user_id: UserId,
        guild_ids: Vec<GuildId>,
        now: Instant,
        wall: UnixMs,
    ) {
        let bridged = |guild_id: &GuildId| {
            self.bridged
                .as_ref()
                .is_none_or(|guilds| guilds.contains(guild_id))
        };
        let (guilds, others): (Vec<_>, Vec<_>) = guild_ids.into_iter().partition(bridged);
        let (rights, scene) = self.rights_and_scene(now);
        rights.watch(watch, user_id, guilds, others, scene);
        self.follow_rights(wall);
    }

    /// A look-up has ended; `None`: without an answer.
    pub(super) fn looked_up(
        &mut self,
        pair: Pair,
        membership: Option<Membership>,
        now: Instant,
        wall: UnixMs,
    ) {
        let (rights, scene) = self.rights_and_scene(now);
        rights.looked_up(pair, membership, scene);
        self.follow_rights(wall);
    }

    /// Time has passed.
    pub(super) fn time_passed(&mut self, now: Instant, wall: UnixMs) {
        let (rights, scene) = self.rights_and_scene(now);
        rights.time_passed(scene);
        self.follow_rights(wall);
        self.renew_when_due(now, wall);
    }

    /// When to come back if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let renewal = self.renewal_due.filter(|_| self.standing.is_live());
        let deadlines = [self.rights.deadline(), renewal];
        deadlines.into_iter().flatten().min()
    }

    /// See [`Rights::oldest`].
    pub(super) fn rights_age(&self, now: Instant) -> Duration {
        self.rights.oldest(now)
    }

    /// See [`Rights::count_in_use`].
    pub(super) fn watched_count(&self, now: Instant) -> usize {
        self.rights.count_in_use(now)
    }

    /// Ends the batch.
    pub(super) fn take(&mut self) -> Outcome {
        let status = self.standing.status(&self.report.stale);
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
        Outcome {
            events: std::mem::take(&mut self.events),
            status: new_status,
            report: new_report,
            state: new_state,
            acts: std::mem::take(&mut self.acts),
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
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    fn state(&self) -> State {
        let (awaited, outages) = self.standing.missing();
        State {
            bot: self.bot,
            resume: self.resume.clone(),
            heard_at: self.heard_at,
            awaited: awaited.clone(),
            outages: outages.clone(),
            stale: self.report.stale.clone(),
            renewed_at: self.renewed_at,
        }
    }

    fn told(&mut self, told: Told, wall: UnixMs, now: Instant) {
        let guild_id = told.guild_id;
        self.emit(told.events);
        match told.news {
            Some(GuildNews::Came) => {
                self.standing.came(guild_id);
                self.report.stale.remove(&guild_id);
                self.report.missing.remove(&guild_id);
            }
            Some(GuildNews::CameInPart) => {
                self.standing.came(guild_id);
                self.report.missing.remove(&guild_id);
                let reason = serde::de::Error::custom("an entry of one of its lists is odd");
                self.unreadable("GUILD_CREATE", Some(guild_id), &reason, now, wall);
            }
            Some(GuildNews::Unavailable) => self.standing.unavailable(guild_id),
            Some(GuildNews::Gone) => {
                self.standing.gone(guild_id);
                self.report.stale.remove(&guild_id);
                if self.bridged.is_some() {
                    self.report.missing.insert(guild_id);
                }
            }
            None => {}
        }
        for member in told.members {
            let pair = (guild_id, member.user_id);
            self.member(pair, rights::Told::Is(member.membership), wall, now);
            // What a RESUME replays may be older than a look-up since.
            if !self.standing.is_live() {
                self.member(pair, rights::Told::LookAgain, wall, now);
            }
        }
        if told.news.is_some() {
            let (rights, scene) = self.rights_and_scene(now);
            rights.guild_changed(guild_id, scene);
            self.follow_rights(wall);
        }
    }

    fn ready(&mut self, ready: Ready, dispatch: &Dispatch, now: Instant) {
        let wall = dispatch.received_at;
        if let Some(kept) = self.bot.filter(|bot| *bot != ready.bot) {
            let is = ready.bot;
            self.refusal = Some(Refusal::AnotherBot { kept, is });
            return;
        }
        self.bot = Some(ready.bot);
        self.resume = ready.session_id.map(|session_id| ResumeState {
            session_id,
            sequence: dispatch.sequence,
            url: ready.resume_url,
            terms: self.terms.clone(),
        });
        self.emit(ready.events);
        if let Some(from) = self.standing.ready(&ready.guilds, wall) {
            let known: Vec<GuildId> = self.world.guilds.keys().copied().collect();
            self.emit(known.into_iter().map(|guild_id| Event {
                guild_id,
                ts: wall,
                synthetic: true,
                change: Change::Gap { from, to: wall },
            }));
        }
        let wanted = self.bridged.iter().flatten().copied();
        self.report.missing = wanted
            .filter(|guild_id| !ready.guilds.contains(guild_id))
            .collect();
        self.report.stale.retain(|id| ready.guilds.contains(id));
        self.report.lost = None;
        self.renewal_due = None;
        for guild_id in &self.report.missing {
            warn!(guild.id = %guild_id, "DISCORD_GUILD_ID names a guild that the bot is not in");
        }
        self.guilds_changed(wall, now);
    }

    fn unreadable(
        &mut self,
        kind: &str,
        guild_id: Option<GuildId>,
        reason: &serde_json::Error,
        now: Instant,
        wall: UnixMs,
    ) {
        counter!("guildhall_gateway_unreadable_dispatches_total").increment(1);
        if self.unreadable.insert(kind.to_owned()) {
            warn!("[Gateway] A {kind} could not be read: {reason}. Said once per kind");
        }
        self.report.stale.extend(guild_id);
        self.want_renewal(now, wall);
        self.renew_when_due(now, wall);
    }

    fn want_renewal(&mut self, now: Instant, wall: UnixMs) {
        let apart = u64::try_from(RENEWALS_APART.as_millis()).unwrap_or(u64::MAX);
        let since = self.renewed_at.map(|at| wall.saturating_sub(at));
        let wait = since.map_or(0, |since| apart.saturating_sub(since));
        let soonest = now + Duration::from_millis(wait);
        self.renewal_due.get_or_insert(soonest);
    }

    /// Asks for a fresh session, and again later if none comes of it: there may be too few left.
    fn renew_when_due(&mut self, now: Instant, wall: UnixMs) {
        if self.standing.is_live() && self.renewal_due.is_some_and(|at| at <= now) {
            self.renewed_at = Some(wall);
            self.renewal_due = Some(now + RENEWALS_APART);
            self.acts.push(Act::Renew);
        }
    }

    fn part_came(&mut self, chunk: Chunk, wall: UnixMs, now: Instant) {
        let members = chunk.members.into_iter();
        let part = Part {
            call: CallId(chunk.nonce),
            guild_id: chunk.guild_id,
            members: members
                .map(|seen| (seen.user_id, seen.membership))
                .collect(),
            not_found: chunk.not_found,
            last: chunk.last,
        };
        let (rights, scene) = self.rights_and_scene(now);
        rights.looked_up_many(part, scene);
        self.follow_rights(wall);
    }

    fn member(&mut self, pair: Pair, told: rights::Told, wall: UnixMs, now: Instant) {
        let (rights, scene) = self.rights_and_scene(now);
        rights.told(pair, told, scene);
        self.follow_rights(wall);
    }

    fn guilds_changed(&mut self, wall: UnixMs, now: Instant) {
        let (rights, scene) = self.rights_and_scene(now);
        rights.guilds_changed(scene);
        self.follow_rights(wall);
    }

    fn rights_and_scene(&mut self, now: Instant) -> (&mut Rights, Scene<'_>) {
        let scene = Scene {
            world: &self.world,
            complete: self.standing.complete(),
            live: self.standing.is_live(),
            now,
        };
        (&mut self.rights, scene)
    }

    /// Does what the rights machine asks for.
    fn follow_rights(&mut self, wall: UnixMs) {
        for output in self.rights.take_outputs() {
            match output {
                Output::LookUp(pair) => self.acts.push(Act::LookUp(pair)),
                Output::LookUpMany {
                    call,
                    guild_id,
                    user_ids,
                } => self.acts.push(Act::LookUpMany(MembersRequest {
                    guild_id,
                    user_ids,
                    nonce: call.0,
                })),
                Output::Answered { watch, failed } => self.acts.push(Act::Answer { watch, failed }),
                Output::Changed {
                    pair: (guild_id, user_id),
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

    /// INVARIANT(order): the working world has every event applied in the order of the log.
    fn emit(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.world.apply(&event);
            self.events.push(event);
        }
    }
}

/// By kind, of those we know: Discord's own names, so there are few.
fn count(kind: &str) {
    counter!("guildhall_gateway_dispatches_total", "event" => kind.to_owned()).increment(1);
}

#[cfg(test)]
mod tests;
