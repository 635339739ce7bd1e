//! What Discord told becomes events, and what follows from them.

use std::time::{Duration, Instant};

use guildhall_model::{Change, Event, GuildId, UnixMs};
use guildhall_ports::journal::ResumeState;
use metrics::counter;
use tracing::warn;

use super::{Refusal, Working};
use crate::{
    normalise::{self, Chunk, Context, GuildNews, Ready, Seen, Told},
    rights::{self, CallId, Pair, Part},
    shard::Dispatch,
};

impl Working {
    /// Discord told something.
    pub(in crate::keeper) fn dispatched(&mut self, dispatch: &Dispatch, now: Instant) {
        self.cause();
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
}

/// By kind, of those we know: Discord's own names, so there are few.
fn count(kind: &str) {
    counter!("guildhall_gateway_dispatches_total", "event" => kind.to_owned()).increment(1);
}
