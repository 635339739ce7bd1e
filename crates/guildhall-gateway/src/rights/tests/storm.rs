use super::*;

/// Looked up by REST, one after the other at our own share of it.
const SPACING: Duration = Duration::from_millis(40);
const SECOND: Duration = Duration::from_secs(1);

/// A Discord that answers after a while, and what was asked and answered.
pub(super) struct Storm {
    pub harness: Harness,
    round_trip: Duration,
    /// Calls have no answer.
    pub calls_fail: bool,
    /// Times that it was said that more was asked than is kept.
    pub refused: usize,
    due: BTreeMap<(Instant, u64), Due>,
    dues: u64,
    rest_free_at: Instant,
    /// Who left, in order.
    sent: Vec<UserId>,
    calls: Vec<(Instant, usize)>,
    begun: BTreeMap<WatchId, Instant>,
    pub answers: BTreeMap<WatchId, (Duration, Vec<GuildId>)>,
}

enum Due {
    Alone(MemberKey),
    Together(Op8Chunk),
}

impl Storm {
    pub(super) fn new(limits: Limits, guilds: &[GuildId]) -> Self {
        let harness = Harness::with(limits, guilds);
        Self {
            rest_free_at: harness.now,
            harness,
            round_trip: Duration::from_millis(60),
            calls_fail: false,
            refused: 0,
            due: BTreeMap::new(),
            dues: 0,
            sent: Vec::new(),
            calls: Vec::new(),
            begun: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    pub(super) fn login(&mut self, user: u64, guild: GuildId) -> WatchId {
        self.watch(user, &[guild])
    }

    pub(super) fn watch(&mut self, user: u64, guilds: &[GuildId]) -> WatchId {
        let id = WatchId(u64::try_from(self.begun.len()).expect("few") + 1);
        self.begun.insert(id, self.harness.now);
        let outputs = self.harness.watch_as(id.0, UserId(user), guilds);
        self.follow(outputs);
        id
    }

    /// Lets time pass, with everything happening when it is due.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.harness.now + time;
        loop {
            let answer = self.due.first_key_value().map(|((at, _), _)| *at);
            let times = [answer, self.harness.rights.deadline()];
            let next = times.into_iter().flatten().min().unwrap_or(end).min(end);
            let outputs = self
                .harness
                .wait(next.saturating_duration_since(self.harness.now));
            self.follow(outputs);
            while let Some(entry) = self.due.first_entry()
                && entry.key().0 <= self.harness.now
            {
                let outputs = match entry.remove() {
                    Due::Alone(key) => self.harness.looked_up(key, Some(member(5))),
                    Due::Together(chunk) => self
                        .harness
                        .act(|rights, context| rights.op8_chunk_received(chunk, context)),
                };
                self.follow(outputs);
            }
            if self.harness.now >= end {
                return;
            }
        }
    }

    pub(super) fn follow(&mut self, outputs: Vec<Output>) {
        let now = self.harness.now;
        for output in outputs {
            let (at, due) = match output {
                Output::LookUpByRest(key) => {
                    self.sent.push(key.1);
                    self.rest_free_at = self.rest_free_at.max(now) + SPACING;
                    (self.rest_free_at + self.round_trip, Due::Alone(key))
                }
                Output::LookUpByOp8(MembersRequest {
                    guild_id,
                    user_ids,
                    nonce,
                }) => {
                    self.calls.push((now, user_ids.len()));
                    self.sent.extend(&user_ids);
                    if self.calls_fail {
                        continue;
                    }
                    let members = user_ids.into_iter().map(|user| (user, member(5)));
                    let chunk = Op8Chunk {
                        nonce,
                        guild_id,
                        members: members.collect(),
                        not_found: Vec::new(),
                        last: true,
                    };
                    (now + self.round_trip, Due::Together(chunk))
                }
                Output::Answered { watch, failed } => {
                    let begun = self.begun[&watch];
                    let before = self.answers.insert(watch, (now - begun, failed));
                    assert_eq!(before, None, "answered twice");
                    continue;
                }
                Output::Refused { .. } => {
                    self.refused += 1;
                    continue;
                }
                Output::Changed { .. } => continue,
            };
            self.dues += 1;
            self.due.insert((at, self.dues), due);
        }
    }

    /// Who left for the first time, in order.
    fn first_sent(&self) -> Vec<UserId> {
        let mut seen = BTreeSet::new();
        let sent = self.sent.iter().copied();
        sent.filter(|user| seen.insert(*user)).collect()
    }

    /// The most calls in any minute.
    fn calls_per_minute(&self) -> usize {
        let sent = |at: Instant| {
            let in_window = |call: &&(Instant, usize)| call.0 >= at && call.0 < at + MINUTE;
            self.calls.iter().filter(in_window).count()
        };
        self.calls
            .iter()
            .map(|(at, _)| sent(*at))
            .max()
            .unwrap_or(0)
    }

    fn failed(&self) -> usize {
        let answers = self.answers.values();
        answers.filter(|(_, failed)| !failed.is_empty()).count()
    }

    fn slowest(&self) -> Duration {
        self.answers
            .values()
            .map(|(time, _)| *time)
            .max()
            .unwrap_or_default()
    }

    pub(super) fn known(&self) -> usize {
        let guilds = self.harness.world.guilds.values();
        guilds.map(|guild| guild.memberships.len()).sum()
    }
}

#[test]
fn five_thousand_logins_at_one_moment_are_answered_in_order_by_fifty_calls() {
    let mut storm = Storm::new(Limits::default(), &[GUILD]);
    for user in 1..=5_000 {
        storm.login(user, GUILD);
    }
    storm.run(Limits::default().watch_answer);
    assert_eq!((storm.answers.len(), storm.failed()), (5_000, 0));
    assert_eq!(storm.known(), 5_000);
    assert!(storm.first_sent().is_sorted(), "in order of arrival");
    assert_eq!(storm.calls.len(), 50);
    assert!(
        storm.slowest() < Duration::from_secs(4),
        "{:?}",
        storm.slowest()
    );
    let at_once = storm.answers.values().filter(|(time, _)| *time < SECOND);
    assert!(at_once.count() > 4_800);
    // They all came at one moment, so this is the order of the answers.
    let times: Vec<Duration> = storm.answers.values().map(|(time, _)| *time).collect();
    let passed = (0..times.len())
        .filter(|at| {
            times[*at]
                > times[at + 1..]
                    .iter()
                    .copied()
                    .min()
                    .unwrap_or(Duration::MAX)
        })
        .count();
    assert!(passed <= 2 * REST_OF_ONE, "{passed} are passed");
}

#[test]
fn a_storm_beyond_the_budget_is_answered_in_time_and_gets_its_rights_as_the_budget_goes() {
    let limits = Limits {
        member_calls: 10,
        ..Limits::default()
    };
    let mut storm = Storm::new(limits, &[GUILD]);
    for user in 1..=5_000 {
        storm.login(user, GUILD);
    }
    storm.run(limits.watch_answer);
    assert_eq!(storm.answers.len(), 5_000);
    // A few may become known in the moment in which they are answered as failed.
    let either = storm.failed() + storm.known();
    assert!((5_000..5_010).contains(&either), "{either}");
    assert!(storm.known() > 1_000, "REST goes on: {}", storm.known());
    assert!(storm.slowest() <= limits.watch_answer);
    // Who comes again is answered as soon as there are rights, and keeps the place in the line.
    storm.run(2 * MINUTE);
    assert_eq!(storm.known(), 5_000);
    assert!(storm.first_sent().is_sorted(), "in order of arrival");
    assert_eq!(storm.calls_per_minute(), 10);
    for user in 1..=5_000 {
        storm.login(user, GUILD);
    }
    assert_eq!(storm.answers.len(), 10_000);
}

#[test]
fn a_storm_over_many_guilds_is_answered_too() {
    let guilds: Vec<GuildId> = (1..=50).map(GuildId).collect();
    let mut storm = Storm::new(Limits::default(), &guilds);
    for user in 1..=2_500 {
        storm.login(user, GuildId(user % 50 + 1));
    }
    storm.run(Limits::default().watch_answer);
    assert_eq!((storm.answers.len(), storm.failed()), (2_500, 0));
    assert!(storm.calls_per_minute() <= Limits::default().member_calls);
}

#[test]
fn a_stream_of_logins_spends_its_calls_so_that_they_last() {
    let limits = Limits {
        rights_refresh: Duration::from_hours(1),
        ..Limits::default()
    };
    let mut storm = Storm::new(limits, &[GUILD]);
    for moment in 0..800 {
        for user in 0..10 {
            storm.login(moment * 10 + user, GUILD);
        }
        storm.run(Duration::from_millis(100));
    }
    storm.run(limits.watch_answer);
    assert_eq!((storm.answers.len(), storm.failed()), (8_000, 0));
    assert!(storm.calls_per_minute() <= limits.member_calls);
}

#[test]
fn a_storm_that_a_lost_connection_interrupts_goes_on_where_it_was() {
    let mut storm = Storm::new(Limits::default(), &[GUILD]);
    storm.round_trip = Duration::from_millis(200);
    for user in 1..=5_000 {
        storm.login(user, GUILD);
    }
    storm.run(Duration::from_millis(300));
    let outputs = storm.harness.live(false);
    storm.due.retain(|_, due| matches!(due, Due::Alone(_)));
    storm.follow(outputs);
    storm.run(SECOND);
    let outputs = storm.harness.live(true);
    storm.follow(outputs);
    storm.run(Duration::from_millis(3_200));
    assert_eq!((storm.answers.len(), storm.failed()), (5_000, 0));
}

#[test]
fn five_thousand_users_that_are_here_are_looked_up_again_every_minute_beside_logins() {
    let limits = Limits::default();
    let mut storm = Storm::new(limits, &[GUILD]);
    for user in 1..=5_000 {
        storm.login(user, GUILD);
    }
    storm.run(MINUTE);
    let mut oldest = Duration::ZERO;
    for second in 1..=230 {
        // A login each second, of guilds as they come.
        storm.login(10_000 + second, GUILD);
        storm.run(SECOND);
        oldest = oldest.max(storm.harness.rights.oldest(storm.harness.now));
    }
    assert!(oldest < Duration::from_secs(63), "{oldest:?}");
    assert!(storm.calls_per_minute() <= limits.member_calls);
    let logins = storm.answers.iter().skip(5_000);
    let slowest = logins.clone().map(|(_, (time, _))| *time).max();
    assert_eq!(
        logins
            .clone()
            .filter(|(_, (_, failed))| !failed.is_empty())
            .count(),
        0
    );
    assert!(slowest < Some(SECOND), "{slowest:?}");
}

#[test]
fn refreshes_leave_calls_to_who_waits() {
    let limits = Limits::default();
    let mut storm = Storm::new(limits, &[GUILD, OTHER]);
    // More than can be refreshed in a minute: every call for refreshes is spent.
    for round in 0..4 {
        for user in 1..=2_000 {
            storm.login(round * 2_000 + user, GUILD);
        }
        storm.run(MINUTE);
    }
    storm.run(Duration::from_secs(55));
    let recent = |call: &&(Instant, usize)| call.0 + MINUTE > storm.harness.now;
    let spent = storm.calls.iter().filter(recent).count();
    assert_eq!((spent, limits.member_calls), (50, 56));
    let before = storm.begun.len();
    for user in 1..=400 {
        storm.login(100_000 + user, OTHER);
    }
    storm.run(limits.watch_answer);
    let answers = storm.answers.iter().skip(before);
    let failed = answers
        .clone()
        .filter(|(_, (_, failed))| !failed.is_empty());
    assert_eq!((answers.clone().count(), failed.count()), (400, 0));
}

#[test]
fn logins_without_an_end_do_not_starve_refreshes() {
    let limits = Limits {
        member_calls: 0,
        ..Limits::default()
    };
    let mut storm = Storm::new(limits, &[GUILD]);
    for user in 1..=20 {
        storm.login(user, GUILD);
    }
    storm.run(SECOND);
    // More logins than REST can answer, and no calls at all.
    for second in 0..120 {
        for user in 0..30 {
            storm.login(1_000 + second * 30 + user, GUILD);
        }
        storm.run(SECOND);
    }
    let mut times: BTreeMap<UserId, usize> = BTreeMap::new();
    for user in &storm.sent {
        *times.entry(*user).or_default() += 1;
    }
    let refreshed = (1..=20).filter(|user| times[&UserId(*user)] > 1).count();
    assert_eq!(refreshed, 20);
}

#[test]
fn the_work_for_one_input_does_not_grow_with_how_many_wait() {
    let clock = Instant::now();
    let mut storm = Storm::new(Limits::default(), &[GUILD]);
    for user in 1..=20_000 {
        storm.login(user, GUILD);
    }
    storm.run(Limits::default().watch_answer);
    assert_eq!(storm.answers.len(), 20_000);
    let took = clock.elapsed();
    println!("20,000 logins took {took:?}");
    // About one second; were each to cost as much as there are others, it would be a minute.
    assert!(took < Duration::from_secs(10), "{took:?}");
}
