//! What a dispatch does to the working world: its events, and what follows from them.

use std::{
    num::NonZeroU64,
    time::{Duration, Instant},
};

use guildhall_model::{Change, Event, GuildId, UnixMs};
use guildhall_ports::journal::ResumeState;
use metrics::counter;
use tracing::warn;

use super::{
    Fatal, WorkingWorld,
    channel_info::reveals,
    numbers::{DispatchNumbers, Numbering},
};
use crate::{
    inbox::Dispatch,
    normalise::{
        self, CHANNEL_INFO, Context, GuildDelta, GuildTransition, MembersChunk, Normalised,
        Oddities, Ready,
    },
    rights::{MemberKey, MembershipUpdate, Op8Chunk},
};

/// An operator can do nothing about it, and reads it once.
const PENDING_LOGGED_APART_MS: UnixMs = 10 * 60 * 1_000;

impl WorkingWorld {
    /// A dispatch came.
    pub(crate) fn dispatched(&mut self, dispatch: &Dispatch, now: Instant) {
        self.begin_cause();
        if self.has_come_before(dispatch, now) {
            return;
        }
        self.heard_at = Some(dispatch.received_at);
        if dispatch.name == "READY" {
            // Whether it can be read or not: nothing of these is known from the new session.
            self.maybe_outdated = self.world.guilds.keys().copied().collect();
        }
        let context = Context {
            world: &self.world,
            now: dispatch.received_at,
            cdn: &self.cdn,
            bridged: self.bridged.as_ref(),
        };
        let kind = dispatch.name.as_str();
        let normalised = normalise::dispatch(kind, dispatch.data.get(), &context);
        match &normalised {
            Normalised::Irrelevant if kind != "RESUMED" => {
                counter!("guildhall_gateway_unknown_dispatches_total").increment(1);
            }
            _ => count(kind),
        }
        self.normalised(normalised, dispatch, now);
    }

    /// Whether this dispatch was replayed by a RESUME and is known; if not, it is from now on.
    ///
    /// INVARIANT(no-double): a RESUME begins after what was committed, which may be behind what
    /// has arrived. READY begins a session, whose numbers start over. RESUMED is the connection's
    /// own and is kept by nobody, so its number does not say whether it came before: were it taken
    /// for a repetition, we would never be live again.
    fn has_come_before(&mut self, dispatch: &Dispatch, now: Instant) -> bool {
        let Some(resume) = self.resume.as_mut().filter(|_| dispatch.name != "READY") else {
            return false;
        };
        let last = resume.sequence;
        let number = dispatch.sequence.map(NonZeroU64::get);
        resume.sequence = last.max(number.unwrap_or_default());
        let Some(number) = number.filter(|_| dispatch.name != "RESUMED") else {
            self.numbers.unnumbered_came();
            return false;
        };
        let live = self.availability.is_live();
        match self.numbers.came(number, last, live) {
            Numbering::New => false,
            Numbering::Repeated => {
                counter!("guildhall_gateway_repeated_dispatches_total").increment(1);
                true
            }
            Numbering::BehindHole => {
                self.missed(number, last, now, dispatch.received_at);
                false
            }
        }
    }

    /// Dispatches have not come: a message that could not be read at all, or one that Discord never
    /// sent. Nobody knows of which guild they were.
    fn missed(&mut self, number: u64, last: u64, now: Instant, wall: UnixMs) {
        counter!("guildhall_gateway_dispatch_holes_total").increment(1);
        if self.numbers.say() {
            warn!(
                "[Gateway] Dispatches are missing: behind number {last} came {number}, so a fresh \
                 session is begun. Said once per session"
            );
        }
        self.renewal.want(now, wall);
        self.renew_when_due(now, wall);
    }

    /// What a dispatch means, in our words.
    fn normalised(&mut self, normalised: Normalised, dispatch: &Dispatch, now: Instant) {
        let (kind, wall) = (dispatch.name.as_str(), dispatch.received_at);
        match normalised {
            Normalised::Guild(delta) => self.guild_changed(kind, delta, wall, now),
            Normalised::Ready(ready) => self.ready(ready, dispatch, now),
            Normalised::Unreadable { guild_id, reason } => {
                self.unreadable(kind, guild_id, &reason, now, wall);
                if kind == "READY" {
                    self.session_unreadable(now, wall);
                }
            }
            Normalised::MembersChunk(chunk) => {
                let (guild_id, oddities) = (chunk.guild_id, chunk.oddities);
                self.members_chunk_received(chunk, wall, now);
                self.odd_fields(kind, guild_id, oddities, now, wall);
            }
            Normalised::RateLimited(limited) => {
                let wait = Duration::try_from_secs_f64(limited.wait).unwrap_or(Duration::MAX);
                let (rights, context) = self.rights_and_context(now);
                rights.op8_rate_limited(limited.nonce, wait, context);
                self.follow_rights(wall);
            }
            Normalised::MembershipInvalidated { guild_id, user_id } => {
                let key = (guild_id, user_id);
                self.member(key, MembershipUpdate::Invalidated, wall, now);
            }
            Normalised::Irrelevant if kind == "RESUMED" => {
                self.report.lost = None;
                self.availability.resumed(wall);
            }
            Normalised::Irrelevant => {}
        }
    }

    fn guild_changed(&mut self, kind: &str, delta: GuildDelta, wall: UnixMs, now: Instant) {
        let guild_id = delta.guild_id;
        let came = matches!(
            delta.transition,
            Some(GuildTransition::Came | GuildTransition::CameInPart)
        );
        // An outage is no word of what is in the guild: were people looked up in it, they would be
        // judged by the roles of now and the overwrites of then.
        let is_out = delta.transition == Some(GuildTransition::Unavailable);
        let outdated = !is_out && self.maybe_outdated.remove(&guild_id);
        if outdated || came && self.availability.missed_changes(guild_id) {
            self.reset_rights(guild_id, wall, now);
        }
        let mut changes = delta.events.iter().map(|event| &event.change);
        let revealed = changes.any(|change| reveals(&self.world, guild_id, change));
        self.emit(delta.events);
        if kind == CHANNEL_INFO {
            self.channel_info.answered(guild_id);
        }
        if came || revealed {
            self.channel_info.want(guild_id);
        }
        self.pending_dropped(guild_id, delta.pending_dropped, wall);
        match delta.transition {
            Some(GuildTransition::Came) => {
                self.availability.came(guild_id);
                self.report.stale.remove(&guild_id);
                self.report.missing.remove(&guild_id);
            }
            Some(GuildTransition::CameInPart) => {
                self.availability.came(guild_id);
                self.report.missing.remove(&guild_id);
            }
            Some(GuildTransition::Unavailable) => {
                self.availability.unavailable(guild_id);
                self.maybe_outdated.insert(guild_id);
            }
            Some(GuildTransition::Gone) => {
                self.availability.gone(guild_id);
                self.channel_info.forget(guild_id);
                self.report.stale.remove(&guild_id);
                if self.bridged.is_some() {
                    self.report.missing.insert(guild_id);
                }
            }
            None => {}
        }
        self.odd_fields(kind, guild_id, delta.oddities, now, wall);
        for user_id in delta.unreadable_members {
            self.member(
                (guild_id, user_id),
                MembershipUpdate::Invalidated,
                wall,
                now,
            );
        }
        for member in delta.members {
            if self.is_bot(member.user_id) {
                self.bot_seen(guild_id, member.membership, wall);
                continue;
            }
            let key = (guild_id, member.user_id);
            self.member(key, MembershipUpdate::Is(member.membership), wall, now);
            // What a RESUME replays may be older than a look-up since.
            if !self.availability.is_live() {
                self.member(key, MembershipUpdate::Invalidated, wall, now);
            }
        }
        if delta.transition.is_some() || outdated {
            let (rights, context) = self.rights_and_context(now);
            rights.guild_changed(guild_id, context);
            self.follow_rights(wall);
        }
    }

    /// Changes of a guild may have been missed, and now something of it comes: nobody told who was
    /// thrown out or lost a role meanwhile. Before the differences that come with it, so that nobody
    /// is judged by the roles of then and the overwrites of now.
    fn reset_rights(&mut self, guild_id: GuildId, wall: UnixMs, now: Instant) {
        let guild = self.world.guilds.get(&guild_id);
        let mut people = guild.iter().flat_map(|guild| guild.memberships.keys());
        if people.any(|user_id| !self.is_bot(*user_id)) {
            let own = self.own_membership(guild_id);
            counter!("guildhall_rights_resets_total").increment(1);
            self.emit([Event {
                guild_id,
                ts: wall,
                synthetic: true,
                change: Change::RightsReset,
            }]);
            self.keep_own(guild_id, own, wall);
        }
        let (rights, context) = self.rights_and_context(now);
        rights.invalidate_guild(guild_id, context);
    }

    fn ready(&mut self, ready: Ready, dispatch: &Dispatch, now: Instant) {
        let wall = dispatch.received_at;
        if let Some(kept) = self.bot.filter(|bot| *bot != ready.bot) {
            let is = ready.bot;
            self.fatal = Some(Fatal::AnotherBot { kept, is });
            return;
        }
        self.bot = Some(ready.bot);
        self.resume = ready.session_id.map(|session_id| ResumeState {
            session_id,
            sequence: dispatch.sequence.map_or(0, NonZeroU64::get),
            url: ready.resume_url,
            terms: self.terms.clone(),
        });
        self.numbers = DispatchNumbers::default();
        self.channel_info.begun();
        self.renewal.begun();
        self.emit(ready.events);
        if let Some(from) = self.availability.ready(&ready.guilds, wall) {
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
        for guild_id in &self.report.missing {
            let setting = self.guilds_setting;
            warn!(guild.id = %guild_id, "{setting} names a guild that the bot is not in");
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
            let kind = Some(kind)
                .filter(|kind| !kind.is_empty())
                .unwrap_or("message");
            warn!("[Gateway] A {kind} could not be read: {reason}. Said once per kind");
        }
        if let Some(guild_id) = guild_id.filter(|id| self.maybe_outdated.remove(id)) {
            self.reset_rights(guild_id, wall, now);
            let (rights, context) = self.rights_and_context(now);
            rights.guild_changed(guild_id, context);
            self.follow_rights(wall);
        }
        self.report.stale.extend(guild_id);
        self.renewal.want(now, wall);
        self.renew_when_due(now, wall);
    }

    fn session_unreadable(&mut self, now: Instant, wall: UnixMs) {
        // Whatever session this is, it is not the one that was kept.
        self.resume = None;
        self.renewal.session_unreadable(now);
        self.renew_when_due(now, wall);
    }

    /// Fields that could not be read, in a dispatch of which the rest could.
    fn odd_fields(
        &mut self,
        kind: &str,
        guild_id: GuildId,
        oddities: Oddities,
        now: Instant,
        wall: UnixMs,
    ) {
        if let Some(field) = oddities.stale {
            let reason = serde::de::Error::custom(format_args!("its {field} is odd"));
            self.unreadable(kind, Some(guild_id), &reason, now, wall);
        }
        if let Some(field) = oddities.harmless {
            counter!("guildhall_gateway_odd_fields_total").increment(1);
            if self.odd_fields.insert(field) {
                warn!("[Gateway] A {kind} had an odd {field}. Said once per field");
            }
        }
    }

    fn pending_dropped(&mut self, guild_id: GuildId, many: usize, wall: UnixMs) {
        if many == 0 {
            return;
        }
        let dropped = u64::try_from(many).unwrap_or(u64::MAX);
        counter!("guildhall_gateway_pending_voice_dropped_total").increment(dropped);
        let quiet = |at| wall < u64::saturating_add(at, PENDING_LOGGED_APART_MS);
        if !self.pending_dropped_logged_at.is_some_and(quiet) {
            self.pending_dropped_logged_at = Some(wall);
            warn!(
                guild.id = %guild_id,
                "[Gateway] Too many voice states name channels that are no rooms: {many} of the \
                 oldest were dropped. Said at most once in 10 minutes"
            );
        }
    }

    fn members_chunk_received(&mut self, chunk: MembersChunk, wall: UnixMs, now: Instant) {
        let members = chunk.members.into_iter();
        let chunk = Op8Chunk {
            nonce: chunk.nonce,
            guild_id: chunk.guild_id,
            members: members
                .map(|seen| (seen.user_id, seen.membership))
                .collect(),
            not_found: chunk.not_found,
            last: chunk.last,
        };
        let (rights, context) = self.rights_and_context(now);
        rights.op8_chunk_received(chunk, context);
        self.follow_rights(wall);
    }

    fn member(&mut self, key: MemberKey, update: MembershipUpdate, wall: UnixMs, now: Instant) {
        let (rights, context) = self.rights_and_context(now);
        rights.member_updated(key, update, context);
        self.follow_rights(wall);
    }

    fn guilds_changed(&mut self, wall: UnixMs, now: Instant) {
        let (rights, context) = self.rights_and_context(now);
        rights.guilds_changed(context);
        self.follow_rights(wall);
    }
}

/// By kind, of those we know: Discord's own names, so there are few.
fn count(kind: &str) {
    counter!("guildhall_gateway_dispatches_total", "event" => kind.to_owned()).increment(1);
}
