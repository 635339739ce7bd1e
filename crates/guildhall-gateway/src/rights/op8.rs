//! Which look-up goes next, and by which way.
//!
//! Who waits goes first, shared out by user and guild: alone while there is a place and not enough
//! wait to fill a call, else together with others of the same guild. A call carries a hundred
//! users, and few calls may be sent, so one that has room left waits for more to join it; a full
//! one goes at once. A guild that is looked up anew has all of its viewers waiting from the start,
//! so its call waits for nobody; the guild with most of them goes first. Refreshes go together
//! where that is worth a call, and alone where it is not.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use guildhall_model::{GuildId, UserId, world::Membership};

use super::{
    Answer, CallId, LookUp, Output, Pair, Rights, Scene,
    budget::WINDOW,
    line::Head,
    queue::{Place, USERS_PER_CALL, Urgency, Way},
};

/// Calls under way at one time, of which refreshes leave half.
const CALLS_AT_ONCE: usize = 16;
const REFRESH_CALLS_AT_ONCE: usize = 8;
/// How long a call with room left waits for more to join it, if none was sent of late.
const GATHER: Duration = Duration::from_millis(100);
/// Within this a call is answered. One that is not, and nobody is left to calls any longer.
const ANSWER_EXPECTED: Duration = Duration::from_millis(500);
/// How long a call waits for more where nobody waits for it.
const GATHER_REFRESHES: Duration = Duration::from_secs(10);
/// So many refreshes of one guild are worth a call: a call is a bigger part of its budget than
/// fewer of them, each alone, are of theirs.
const WORTH_A_CALL: usize = 10;

/// A call that is under way.
#[derive(Debug)]
pub(super) struct Call {
    guild_id: GuildId,
    since: Instant,
    /// Nobody waits for it.
    refresh: bool,
    /// Who is not answered yet, and where they stood.
    places: BTreeMap<UserId, Place>,
}

impl Rights {
    /// Starts look-ups as far as there is room.
    pub(super) fn send_out(&mut self, scene: Scene<'_>) {
        self.budget.time_passed(scene.now);
        while self.send_alone(scene) || self.send_together(scene) {}
        self.send_at = self.next_call_at(scene);
    }

    /// A part of a call's answer.
    pub(super) fn part_came(
        &mut self,
        call: CallId,
        guild_id: GuildId,
        found: impl IntoIterator<Item = (UserId, Membership)>,
        last: bool,
        scene: Scene<'_>,
    ) {
        let Some(mut asked) = self.calls.remove(&call) else {
            return;
        };
        // Discord answers about the guild it was asked about, else it is no answer.
        if asked.guild_id != guild_id {
            self.calls.insert(call, asked);
            return;
        }
        for (user_id, membership) in found {
            if asked.places.remove(&user_id).is_some() {
                self.ended((guild_id, user_id), Some(membership), scene);
            }
        }
        if last {
            self.ask_again(asked, Way::Alone, scene);
        } else if !asked.places.is_empty() {
            self.calls.insert(call, asked);
        }
    }

    /// A call has no answer: whoever is left of it is asked for again, where they stood before.
    pub(super) fn call_failed(&mut self, call: CallId, way: Way, scene: Scene<'_>) {
        if let Some(asked) = self.calls.remove(&call) {
            self.ask_again(asked, way, scene);
        }
    }

    /// All calls under way.
    pub(super) fn calls_failed(&mut self, scene: Scene<'_>) {
        for (_, asked) in std::mem::take(&mut self.calls) {
            self.ask_again(asked, Way::Either, scene);
        }
    }

    /// Calls that have waited too long for their answer.
    pub(super) fn late_calls_failed(&mut self, scene: Scene<'_>) {
        // In the order in which they were sent.
        while let Some((call, asked)) = self.calls.first_key_value()
            && asked.since + self.limits.member_answer <= scene.now
        {
            let call = *call;
            self.call_failed(call, Way::Alone, scene);
        }
    }

    /// When the first of them has.
    pub(super) fn call_deadline(&self) -> Option<Instant> {
        let (_, asked) = self.calls.first_key_value()?;
        Some(asked.since + self.limits.member_answer)
    }

    fn ask_again(&mut self, asked: Call, way: Way, scene: Scene<'_>) {
        for (user_id, place) in asked.places {
            self.back((asked.guild_id, user_id), Place { way, ..place }, scene);
        }
    }

    /// Puts a pair that was under way back into the line.
    fn back(&mut self, pair: Pair, place: Place, scene: Scene<'_>) {
        let Some(known) = self.pairs.get_mut(&pair) else {
            return;
        };
        let LookUp::UnderWay { answer, .. } = known.look_up else {
            return;
        };
        let waited_for = !known.waiting.is_empty();
        if answer == Answer::Overtaken && !waited_for {
            known.look_up = LookUp::None;
            self.set_alarm(pair, scene);
            return;
        }
        known.look_up = LookUp::Queued;
        let urgency = match answer {
            Answer::AskAgain => known.urgency_again(),
            Answer::Good | Answer::Overtaken if waited_for => Urgency::AtOnce,
            Answer::Good | Answer::Overtaken => place.urgency,
        };
        if urgency == place.urgency {
            self.queue.put_back(pair, place);
        } else {
            let since = place.ticket.since;
            self.queue.add(pair, urgency, place.way, since);
        }
    }

    fn send_alone(&mut self, scene: Scene<'_>) -> bool {
        for urgency in Urgency::ALL {
            if self.queue.has_place(urgency)
                && !self.goes_together(urgency, scene)
                && let Some(pair) = self.queue.take_alone(urgency)
            {
                self.under_way(pair, scene);
                self.outputs.push(Output::LookUp(pair));
                return true;
            }
        }
        false
    }

    fn send_together(&mut self, scene: Scene<'_>) -> bool {
        let Some((guild_id, line)) = self.guild_to_call(scene) else {
            return false;
        };
        self.anew_is_next = line == Urgency::AtOnce;
        let mut users = Vec::with_capacity(USERS_PER_CALL);
        for urgency in Urgency::ALL {
            let room = USERS_PER_CALL - users.len();
            users.extend(self.queue.take_together(guild_id, urgency, room));
        }
        let room = USERS_PER_CALL - users.len();
        for user_id in self.due_soon(guild_id, room, scene) {
            let place = Place {
                urgency: Urgency::Refresh,
                way: Way::Either,
                ticket: self
                    .queue
                    .ticket((guild_id, user_id), Urgency::Refresh, scene.now),
            };
            users.push((user_id, place));
        }
        let call = CallId(self.next_call);
        self.next_call += 1;
        self.budget.spend(scene.now);
        let refresh = |(_, place): &(UserId, Place)| place.urgency == Urgency::Refresh;
        let asked = Call {
            guild_id,
            since: scene.now,
            refresh: users.iter().all(refresh),
            places: users.iter().copied().collect(),
        };
        self.calls.insert(call, asked);
        for (user_id, _) in &users {
            self.under_way((guild_id, *user_id), scene);
        }
        self.outputs.push(Output::LookUpMany {
            call,
            guild_id,
            user_ids: users.into_iter().map(|(user_id, _)| user_id).collect(),
        });
        true
    }

    fn under_way(&mut self, pair: Pair, scene: Scene<'_>) {
        if let Some(known) = self.pairs.get_mut(&pair) {
            known.look_up = LookUp::UnderWay {
                since: scene.now,
                answer: Answer::Good,
            };
        }
        self.set_alarm(pair, scene);
    }

    /// The guild of which a call may go now, and whose line it goes for.
    fn guild_to_call(&self, scene: Scene<'_>) -> Option<(GuildId, Urgency)> {
        let mut lines = Urgency::ALL;
        if self.anew_is_next {
            lines.swap(0, 1);
        }
        lines.into_iter().find_map(|urgency| {
            let mut candidates = self.candidates(urgency, scene);
            let ready = candidates.find(|candidate| candidate.at <= scene.now)?;
            Some((ready.guild_id, urgency))
        })
    }

    /// Guilds of which a call may go for a line, the first choice first, and when it may.
    fn candidates(&self, urgency: Urgency, scene: Scene<'_>) -> impl Iterator<Item = Candidate> {
        let refreshing = || self.calls.values().filter(|call| call.refresh).count();
        let room = scene.live
            && self.calls.len() < CALLS_AT_ONCE
            && (urgency != Urgency::Refresh || refreshing() < REFRESH_CALLS_AT_ONCE);
        let (head, full, biggest) = (
            self.queue.head(urgency),
            self.queue.full(urgency),
            self.queue.biggest(urgency),
        );
        let all = self.calls_for(urgency);
        // The first of the line has waited longest: others pass only if a call is left for it.
        let all_but_one = match urgency {
            Urgency::AtOnce => all.saturating_sub(1),
            Urgency::Anew | Urgency::Refresh => all,
        };
        let of_head = |head: Head| {
            // A call for a few is a bigger part of the calls than they are of those who look up
            // alone. Who has many waiting in as many guilds leaves half of the calls to others.
            let few = head.count < WORTH_A_CALL && (head.put_off || urgency == Urgency::Anew);
            (
                head,
                if few {
                    all.min(self.half_of_calls())
                } else {
                    all
                },
            )
        };
        let choices = match urgency {
            Urgency::AtOnce | Urgency::Refresh => {
                let big = biggest.filter(|head| head.count >= WORTH_A_CALL);
                [
                    head.map(of_head),
                    full.map(|head| (head, all_but_one)),
                    big.map(|head| (head, all_but_one)),
                ]
            }
            Urgency::Anew => [biggest.map(of_head), None, None],
        };
        let choices = choices.into_iter().flatten().filter(move |_| room);
        choices.filter_map(move |(head, most)| {
            let free_at = self.budget.free_at(most, scene.now)?;
            Some(Candidate {
                guild_id: head.guild_id,
                at: self.ripe_at(&head, urgency, scene).max(free_at),
            })
        })
    }

    /// Whether the first of a line is to be left to a call, now or when one of those under way
    /// ends. One who waits: it would fill one, and alone all the others that do would pass it.
    fn goes_together(&self, urgency: Urgency, scene: Scene<'_>) -> bool {
        let free_at = self.budget.free_at(self.calls_for(urgency), scene.now);
        let calls_are_answered = || self.calls_late_at().is_none_or(|at| at > scene.now);
        let would_go = |head: &Head| match urgency {
            Urgency::AtOnce => head.count >= USERS_PER_CALL && calls_are_answered(),
            Urgency::Anew => head.count >= WORTH_A_CALL && calls_are_answered(),
            Urgency::Refresh => self.is_worth_it(head, scene),
        };
        scene.live
            && free_at.is_some_and(|at| at <= scene.now)
            && self
                .queue
                .head(urgency)
                .is_some_and(|head| head.first && would_go(&head))
    }

    /// When the first of the calls under way is one that ought to have been answered.
    fn calls_late_at(&self) -> Option<Instant> {
        let (_, first) = self.calls.first_key_value()?;
        Some(first.since + ANSWER_EXPECTED)
    }

    /// When a call for the first of a guild waits no longer for others to join it: the longer the
    /// more calls are spent, so that the others last, whatever comes.
    fn ripe_at(&self, head: &Head, urgency: Urgency, scene: Scene<'_>) -> Instant {
        let calls = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let most = calls(self.limits.member_calls).max(1);
        let gather = match urgency {
            _ if head.count >= USERS_PER_CALL => Duration::ZERO,
            Urgency::AtOnce => GATHER + WINDOW * 2 / most * calls(self.budget.spent()) / most,
            Urgency::Anew => Duration::ZERO,
            Urgency::Refresh if self.is_worth_it(head, scene) => Duration::ZERO,
            Urgency::Refresh => GATHER_REFRESHES,
        };
        head.since + gather
    }

    fn is_worth_it(&self, head: &Head, scene: Scene<'_>) -> bool {
        let missing = WORTH_A_CALL.saturating_sub(head.count);
        self.due_soon(head.guild_id, missing, scene).len() >= missing
    }

    /// Users of a guild that will be looked up again soon, at most so many: they may as well join
    /// a call that has room for them, and from then on go together.
    fn due_soon(&self, guild_id: GuildId, most: usize, scene: Scene<'_>) -> Vec<UserId> {
        if most == 0 {
            return Vec::new();
        }
        let until = scene.now + self.limits.rights_refresh / 3;
        // Nearly every alarm is for a refresh; where many are not, fewer join.
        let alarms = self.alarms.of_guild(guild_id, until);
        let soon = alarms.take(2 * USERS_PER_CALL).filter(|user_id| {
            let pair = (guild_id, *user_id);
            let known = self.pairs.get(&pair);
            let due = known.and_then(|known| self.refresh_at(pair, known, scene));
            due.is_some_and(|at| at <= until)
        });
        soon.take(most).collect()
    }

    /// Calls that a line may have of the budget: all but those of who waits leave some to him, of
    /// 56 six.
    fn calls_for(&self, urgency: Urgency) -> usize {
        match urgency {
            Urgency::AtOnce => self.limits.member_calls,
            Urgency::Anew | Urgency::Refresh => self.limits.member_calls.saturating_mul(9) / 10,
        }
    }

    fn half_of_calls(&self) -> usize {
        self.limits.member_calls.div_ceil(2)
    }

    /// When a call may go that can't go now and for which nothing but time is needed.
    fn next_call_at(&self, scene: Scene<'_>) -> Option<Instant> {
        let lines = Urgency::ALL.into_iter();
        let calls = lines.flat_map(|urgency| self.candidates(urgency, scene));
        // Who was left to a call then goes alone.
        let waits = [Urgency::AtOnce, Urgency::Anew];
        let waits = waits
            .into_iter()
            .any(|urgency| self.queue.has_place(urgency));
        let late = self.calls_late_at().filter(|at| waits && *at > scene.now);
        calls.map(|candidate| candidate.at).chain(late).min()
    }
}

/// A guild of which a call may go at that time.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    guild_id: GuildId,
    at: Instant,
}
