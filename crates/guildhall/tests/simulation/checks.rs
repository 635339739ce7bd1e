//! What a log must be, whatever happened: looked at when a run is over.

/// The events against what was done.
mod order;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use guildhall_gateway::ShardId;
use guildhall_model::{
    Change, Envelope, Event, Guild, GuildId, Position, SealedEvent, UserId, World,
};

use crate::{
    expectations::Expectations,
    follower::{Acked, SeenLog},
    run::Baseline,
};

pub(crate) use order::told_as_done;

/// All there is to look at.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one run, each asked for by its name"
)]
pub(crate) struct Evidence<'a> {
    /// Whose log it is.
    pub(crate) shard: ShardId,
    /// Everything that was ever committed.
    pub(crate) log: &'a [Arc<SealedEvent>],
    /// How many sessions Discord began.
    pub(crate) sessions_begun: u64,
    pub(crate) seen: &'a SeenLog,
    pub(crate) expectations: &'a Expectations,
    /// The guilds that were bridged all the time; `None`: all of the bot's.
    pub(crate) guilds: Option<BTreeSet<GuildId>>,
    /// GUILD_MEMBERS was asked for.
    pub(crate) members: bool,
    /// `None`: acts began before everything was in the log.
    pub(crate) baseline: Option<&'a Baseline>,
    /// Whether something was done that may end a session.
    pub(crate) may_lose: bool,
    /// Whether independent events may have come in another order.
    pub(crate) reordered: bool,
    /// Whether the follower must have seen every event one by one.
    pub(crate) seen_all: bool,
}

/// Everything that is wrong with a log, in words, and how many of its sessions were replaced.
pub(crate) fn wrong(evidence: &Evidence<'_>) -> (Vec<String>, usize) {
    let mut wrong = positions(evidence);
    let (sweep, replaced) = sweep(evidence);
    wrong.extend(sweep);
    // A session that is replaced while no guild is known leaves no gap.
    let anew = evidence
        .baseline
        .is_none_or(|baseline| baseline.sessions_begun < evidence.sessions_begun);
    wrong.extend(told_as_done(evidence, replaced > 0 || anew));
    (wrong, replaced)
}

/// One event per position, without a hole, and the follower saw the same ones.
fn positions(evidence: &Evidence<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let log = evidence.log;
    for (number, envelope) in (1..).zip(log) {
        let at = envelope.at;
        let own = at.log == evidence.shard.log() && evidence.shard.has(envelope.event.guild_id);
        if at.seq != number || at.epoch != log[0].at.epoch || !own {
            wrong.push(format!("{} stands in the place of {number}", envelope.at));
        }
    }
    for (seq, seen) in &evidence.seen.events {
        let index = usize::try_from(*seq - 1).expect("an index");
        if log.get(index).map(|kept| &***kept) != Some(seen) {
            wrong.push(format!("seen, and not so in the journal: {seen:?}"));
        }
    }
    if evidence.seen_all
        && let Some(first) = evidence.seen.events.keys().next()
    {
        let last = evidence.seen.position.map_or(0, |position| position.seq);
        let missed = (*first..=last).filter(|seq| !evidence.seen.events.contains_key(seq));
        wrong.extend(missed.map(|seq| format!("{seq} was never seen")));
    }
    wrong
}

/// Each event fits the world before it and changes it. Returns how many sessions were replaced.
fn sweep(evidence: &Evidence<'_>) -> (Vec<String>, usize) {
    let mut wrong = Vec::new();
    let (mut world, mut gaps) = (World::default(), Gaps::default());
    // Who was known in a guild when its rights were last reset.
    let mut known_before = BTreeMap::new();
    wrong.extend(misplaced(evidence, 0, &world));
    for envelope in evidence.log {
        let event = &envelope.event;
        let before = world.guilds.get(&event.guild_id).cloned();
        if let Change::Gap { to, .. } = event.change {
            wrong.extend(gaps.seen(event.guild_id, to, &world));
        } else {
            wrong.extend(gaps.over());
            if event.change == Change::RightsReset {
                let known = before.iter().flat_map(|guild| guild.memberships.keys());
                known_before.insert(event.guild_id, known.copied().collect());
            }
            world.apply(event);
            let after = world.guilds.get(&event.guild_id);
            let complaint = misfit(event, before.as_ref(), evidence.expectations)
                .or_else(|| (before.as_ref() == after).then_some("it changes nothing"))
                .or_else(|| unfounded(event, before.as_ref(), gaps.replaced > 0, evidence));
            if let Some(complaint) = complaint {
                wrong.push(format!("{}: {complaint}: {event:?}", envelope.at));
            }
        }
        wrong.extend(unanswered(evidence, envelope.at, &world, &known_before));
        wrong.extend(misplaced(evidence, envelope.at.seq, &world));
        wrong.extend(divided(evidence, envelope));
    }
    wrong.extend(gaps.over());
    (wrong, gaps.replaced)
}

/// Watches that were answered with this position, and whose answer is not in the log there. A
/// guild may have gone since, or have come afresh, which is a reset: then it was there before.
fn unanswered(
    evidence: &Evidence<'_>,
    at: Position,
    world: &World,
    known_before: &BTreeMap<GuildId, BTreeSet<UserId>>,
) -> Option<String> {
    let mut acks = evidence.seen.acks.iter().filter(|acked| acked.at == at);
    let lacks = |acked: &&Acked| {
        let was_known = |guild_id| {
            let known = known_before.get(guild_id);
            known.is_some_and(|known| known.contains(&acked.user_id))
        };
        acked.guild_ids.iter().any(|guild_id| {
            let guild = world.guilds.get(guild_id);
            guild.is_some_and(|guild| !guild.memberships.contains_key(&acked.user_id))
                && !was_known(guild_id)
        })
    };
    let acked = acks.find(lacks)?;
    Some(format!("answered, and not in the log: {acked:?}"))
}

/// A base that is not its guild at its floor: who begins with it would apply an event twice, or
/// take a cursor for good whose next event is gone.
fn misplaced(evidence: &Evidence<'_>, seq: u64, world: &World) -> Option<String> {
    let mut bases = evidence.seen.bases.iter();
    let base = bases.find(|base| {
        base.floor.seq == seq && base.guild.as_ref() != world.guilds.get(&base.guild_id)
    })?;
    Some(format!(
        "a base that is not {} at {}",
        base.guild_id, base.floor
    ))
}

/// A place inside a group that somebody was told to begin at or to wait for: the world there never
/// was.
fn divided(evidence: &Evidence<'_>, envelope: &Envelope) -> Option<String> {
    let at = envelope.at;
    let begun = evidence.seen.bases.iter().any(|base| base.floor == at);
    let answered = evidence.seen.acks.iter().any(|acked| acked.at == at);
    (envelope.more && (begun || answered)).then(|| format!("{at} is inside a group"))
}

/// An event that does not fit the guild before it.
fn misfit(
    event: &Event,
    before: Option<&Guild>,
    expectations: &Expectations,
) -> Option<&'static str> {
    let Some(guild) = before else {
        let whole = matches!(event.change, Change::GuildAvailable(Some(_)));
        return (!whole).then_some("the guild is not known");
    };
    let there = |user_id| guild.voice.get(user_id).map(|there| there.channel_id);
    let wrong = |wrong: bool, why| wrong.then_some(why);
    match &event.change {
        Change::GuildAvailable(Some(_)) => Some("the guild was known"),
        Change::VoiceJoined(now) if there(&now.user_id) == Some(now.channel_id) => {
            Some("they are in this room already")
        }
        Change::VoiceJoined(now) if there(&now.user_id).is_some() => Some("they are in two rooms"),
        Change::VoiceJoined(now) => wrong(
            !guild.rooms.contains_key(&now.channel_id),
            "there is no such room",
        ),
        Change::VoiceLeft {
            previous_channel_id,
            user_id,
        } => wrong(
            there(user_id) != Some(*previous_channel_id),
            "they are not in this room",
        ),
        Change::VoiceUpdated(now) => wrong(
            there(&now.user_id) != Some(now.channel_id),
            "they are not in this room",
        ),
        Change::RoomCreated(room) => wrong(
            guild.rooms.contains_key(&room.info.channel_id),
            "the room was known",
        ),
        Change::RoomDeleted { channel_id } if guild.occupants(*channel_id).next().is_some() => {
            Some("people are in the room that goes")
        }
        Change::RoomDeleted { channel_id } => wrong(
            !expectations.deleted.contains(channel_id),
            "nobody deleted the room",
        ),
        _ => None,
    }
}

/// Only an outage or a new session leaves something to find out. That guilds went is found out
/// before the gaps of the others.
fn unfounded(
    event: &Event,
    before: Option<&Guild>,
    replaced: bool,
    evidence: &Evidence<'_>,
) -> Option<&'static str> {
    let founded = match event.change {
        Change::GuildRemoved => evidence.may_lose,
        // A guild that comes a second time, as a repeated dispatch does, may have been out without
        // a word: it is looked up again each time.
        Change::RightsReset => true,
        _ => replaced || before.is_some_and(|guild| !guild.available),
    };
    (event.synthetic && !founded).then_some("nothing had to be found out")
}

/// The gaps of one new session: one for each guild that is known.
#[derive(Default)]
struct Gaps {
    /// How many sessions left gaps.
    replaced: usize,
    open: Option<(u64, BTreeSet<GuildId>)>,
}

impl Gaps {
    fn seen(&mut self, guild_id: GuildId, to: u64, world: &World) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.open.as_ref().is_none_or(|(open, _)| *open != to) {
            wrong.extend(self.over());
            self.replaced += 1;
            self.open = Some((to, world.guilds.keys().copied().collect()));
        }
        let awaited = self
            .open
            .as_mut()
            .is_some_and(|(_, guilds)| guilds.remove(&guild_id));
        if !awaited {
            wrong.push(format!(
                "a second gap of one session, or of an unknown guild: {guild_id}"
            ));
        }
        wrong
    }

    fn over(&mut self) -> Option<String> {
        let (_, missing) = self.open.take()?;
        (!missing.is_empty()).then(|| format!("no gap for {missing:?}"))
    }
}

/// A session is replaced only where Discord ended one. `first`: how many had to be begun.
pub(crate) fn sessions(
    begun: u64,
    first: usize,
    replaced: usize,
    baseline: Option<&Baseline>,
    may_lose: bool,
) -> Option<String> {
    if may_lose {
        let said = u64::try_from(replaced + first).expect("a few") <= begun;
        return (!said).then(|| format!("{replaced} gaps of {begun} sessions in {first} logs"));
    }
    if replaced > 0 {
        return Some(format!("{replaced} gaps, and Discord ended no session"));
    }
    let needless = baseline.is_some_and(|baseline| baseline.sessions_begun < begun);
    needless.then(|| format!("{begun} sessions were begun where {first} were enough"))
}
