//! Random schedules against a false Discord that counts where requests arrive.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::discord_rest::route::MajorId;

/// So little that it is used up.
const TIGHT: RestBudget = RestBudget {
    look_ups: 4,
    commands: 4,
};

/// What one in flight is answered.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// As Discord's own counts want it.
    Honestly,
    /// By a 429 of the resource, whatever the counts.
    Shared,
    /// By a 429 of the edge.
    Edge,
    /// By a failure of Discord's that tells no counts.
    Failing,
    /// By headers that make no sense.
    Nonsense(u64),
    /// Never.
    Lost,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Act {
    Ask {
        route: u8,
        caller: u8,
        patience: u16,
    },
    Withdraw(prop::sample::Index),
    Pass(u16),
    End(prop::sample::Index, Fate),
    RefuseToken(prop::sample::Index),
}

fn act() -> impl Strategy<Value = Act> {
    let index = any::<prop::sample::Index>;
    let fate = prop_oneof![
        8 => Just(Fate::Honestly),
        1 => Just(Fate::Shared),
        1 => Just(Fate::Edge),
        1 => Just(Fate::Failing),
        1 => any::<u64>().prop_map(Fate::Nonsense),
        1 => Just(Fate::Lost),
    ];
    prop_oneof![
        400 => (0..12_u8, 0..6_u8, any::<u16>())
            .prop_map(|(route, caller, patience)| Act::Ask { route, caller, patience }),
        10 => index().prop_map(Act::Withdraw),
        120 => (0..400_u16).prop_map(Act::Pass),
        320 => (index(), fate).prop_map(|(index, fate)| Act::End(index, fate)),
        1 => index().prop_map(Act::RefuseToken),
    ]
}

fn route(number: u8) -> RestRoute {
    let id = u64::from(number / 3);
    match number % 3 {
        0 => member(id),
        1 => modify(id),
        _ => rename(id),
    }
}

fn caller(number: u8) -> RestCaller {
    match number {
        0 => RestCaller::LookUps,
        user => RestCaller::Command(UserId(user.into())),
    }
}

/// Discord's counts: names of buckets by route, and a period for each of them and id.
#[derive(Default)]
struct Counts(BTreeMap<(&'static str, u64), (Instant, u64)>);

impl Counts {
    const LIMIT: u64 = 3;
    const PERIOD: Duration = Duration::from_millis(1_500);

    /// A request is counted where it arrives.
    fn count(&mut self, route: RouteKey, now: Instant) -> (AnswerKind, RateHeaders) {
        let name = match route.template {
            RouteTemplate::GetMember => "members",
            _ => "channels",
        };
        let id = match route.major {
            MajorId::Guild(id) => id.0,
            MajorId::Channel(id) => id.0,
            MajorId::None => 0,
        };
        let period = self.0.entry((name, id)).or_insert((now, 0));
        if now >= period.0 + Self::PERIOD {
            *period = (now, 0);
        }
        period.1 += 1;
        let wait = period.0 + Self::PERIOD - now;
        let said = RateHeaders {
            bucket: Some(name.into()),
            limit: Some(Self::LIMIT),
            remaining: Some(Self::LIMIT.saturating_sub(period.1)),
            reset_after: Some(wait),
            ..RateHeaders::default()
        };
        if period.1 <= Self::LIMIT {
            return (AnswerKind::Success, said);
        }
        let scope = ThrottleScope::User;
        (AnswerKind::Throttled(Throttle { scope, wait }), said)
    }
}

/// The limiter with all that it promised.
struct Promises {
    limiter: Limiter,
    counts: Counts,
    now: Instant,
    waiting: Vec<CallId>,
    in_flight: Vec<SendGrant>,
    shares: BTreeMap<CallId, RestShare>,
    sent: Vec<(Instant, RestShare)>,
    token_refused: bool,
}

impl Promises {
    fn act(&mut self, act: Act) {
        match act {
            Act::Ask {
                route: number,
                caller: of,
                patience,
            } => {
                let asked = CallRequest {
                    route: route(number).key(),
                    caller: caller(of),
                    patience_until: self.now + Duration::from_millis(patience.into()),
                };
                if let Ok(call) = self.limiter.ask(asked, self.now) {
                    self.waiting.push(call);
                    self.shares.insert(call, asked.caller.share());
                }
            }
            Act::Withdraw(index) => {
                if !self.waiting.is_empty() {
                    let call = self.waiting.swap_remove(index.index(self.waiting.len()));
                    self.limiter.withdraw(call);
                }
            }
            Act::Pass(ms) => self.now += Duration::from_millis(ms.into()),
            Act::End(index, fate) => {
                if !self.in_flight.is_empty() {
                    let grant = self
                        .in_flight
                        .swap_remove(index.index(self.in_flight.len()));
                    self.end(grant, fate);
                }
            }
            Act::RefuseToken(index) => {
                if !self.in_flight.is_empty() {
                    let grant = self
                        .in_flight
                        .swap_remove(index.index(self.in_flight.len()));
                    let said = RateHeaders::default();
                    let kind = AnswerKind::TokenRefused;
                    self.limiter.answered(grant, kind, &said, self.now);
                    self.token_refused = true;
                }
            }
        }
        self.poll();
    }

    fn end(&mut self, grant: SendGrant, fate: Fate) {
        let (counted, told) = self.counts.count(grant.route, self.now);
        let (kind, said) = match fate {
            Fate::Lost => return self.limiter.lost(grant, self.now),
            Fate::Honestly => (counted, told),
            Fate::Shared => (throttled(ThrottleScope::Shared, 1), told),
            Fate::Edge => (throttled(ThrottleScope::Edge, 1), RateHeaders::default()),
            Fate::Failing => (AnswerKind::Failure, RateHeaders::default()),
            Fate::Nonsense(number) => {
                let wait = Some(Duration::from_millis(number % 3_000));
                let said = RateHeaders {
                    bucket: (number % 3 > 0).then(|| format!("b{}", number % 5).into()),
                    limit: (number % 7 > 2).then_some(number % 11 + 1),
                    remaining: (number % 5 > 1).then_some(number),
                    reset_after: wait.filter(|_| number % 2 == 0),
                    ..RateHeaders::default()
                };
                (AnswerKind::Success, said)
            }
        };
        self.limiter.answered(grant, kind, &said, self.now);
    }

    fn poll(&mut self) {
        while let Some((call, verdict)) = self.limiter.poll(self.now) {
            let place = self.waiting.iter().position(|other| *other == call);
            self.waiting
                .swap_remove(place.expect("a call that waits, once"));
            if let CallVerdict::Send(grant) = verdict {
                assert!(!self.token_refused, "nothing is sent after a 401");
                self.sent.push((self.now, self.shares[&call]));
                self.in_flight.push(grant);
            }
        }
        self.sent.retain(|(at, _)| *at + SECOND > self.now);
        assert!(self.sent.len() <= 8, "9 in a second");
        let look_ups = |(_, share): &&(Instant, RestShare)| *share == RestShare::LookUps;
        assert!(self.sent.iter().filter(look_ups).count() <= 4, "5 look-ups");
        if let Some(deadline) = self.limiter.deadline() {
            assert!(deadline > self.now, "it would be polled without end");
        } else {
            let stuck = !self.waiting.is_empty() && self.in_flight.is_empty();
            assert!(!stuck, "nothing would wake those who wait");
        }
    }

    /// From now on Discord is honest: everybody who waits is served, or told why not.
    fn ends_well(mut self) {
        let start = self.now;
        while !self.waiting.is_empty() {
            while let Some(grant) = self.in_flight.pop() {
                self.end(grant, Fate::Honestly);
                self.poll();
            }
            if let Some(deadline) = self.limiter.deadline() {
                self.now = self.now.max(deadline);
            }
            self.poll();
            assert!(self.now < start + 600 * SECOND, "somebody waits for ever");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn whatever_happens_no_second_has_too_many_and_nobody_waits_for_ever(
        acts in prop::collection::vec(act(), 1..600)
    ) {
        let mut promises = Promises {
            limiter: Limiter::new(TIGHT),
            counts: Counts::default(),
            now: Instant::now(),
            waiting: Vec::new(),
            in_flight: Vec::new(),
            shares: BTreeMap::new(),
            sent: Vec::new(),
            token_refused: false,
        };
        for act in acts {
            promises.act(act);
        }
        promises.ends_well();
    }
}

/// What is to happen in the world outside, in its order of time.
enum Outside {
    Arrives(SendGrant, Duration),
    IsAnswered(SendGrant, AnswerKind, RateHeaders),
}

/// Requests and answers on their way to and from an honest Discord, which overtake each other.
struct Network {
    limiter: Limiter,
    counts: Counts,
    now: Instant,
    outside: BTreeMap<(Instant, u64), Outside>,
    happened: u64,
    /// Ways there and back, which the requests take in rotation.
    ways: Vec<(Duration, Duration)>,
    sent: usize,
}

impl Network {
    fn schedule(&mut self, after: Duration, what: Outside) {
        self.happened += 1;
        let key = (self.now + after, self.happened);
        self.outside.insert(key, what);
    }

    fn poll(&mut self) {
        while let Some((_, verdict)) = self.limiter.poll(self.now) {
            if let CallVerdict::Send(grant) = verdict {
                let (there, back) = self.ways[self.sent % self.ways.len()];
                self.sent += 1;
                self.schedule(there, Outside::Arrives(grant, back));
            }
        }
    }

    /// Until nothing happens any more before then. Answers how many were refused by Discord.
    fn run_until(&mut self, end: Instant) -> usize {
        let mut refused = 0;
        loop {
            self.poll();
            let outside = self.outside.keys().next().map(|(at, _)| *at);
            let next = outside.into_iter().chain(self.limiter.deadline()).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return refused;
            };
            self.now = next;
            if outside != Some(next) {
                continue;
            }
            match self.outside.pop_first() {
                Some((_, Outside::Arrives(grant, back))) => {
                    let (kind, said) = self.counts.count(grant.route, self.now);
                    refused += usize::from(kind != AnswerKind::Success);
                    self.schedule(back, Outside::IsAnswered(grant, kind, said));
                }
                Some((_, Outside::IsAnswered(grant, kind, said))) => {
                    self.limiter.answered(grant, kind, &said, self.now);
                }
                None => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_discord_that_loses_nothing_never_says_429_however_answers_overtake_each_other(
        asks in prop::collection::vec((0..700_u64, 0..4_u8), 1..150),
        ways in prop::collection::vec((0..900_u64, 0..900_u64), 1..20),
    ) {
        let way = |(there, back)| (Duration::from_millis(there), Duration::from_millis(back));
        let mut network = Network {
            limiter: Limiter::new(BUDGET),
            counts: Counts::default(),
            now: Instant::now(),
            outside: BTreeMap::new(),
            happened: 0,
            ways: ways.into_iter().map(way).collect(),
            sent: 0,
        };
        let mut refused = 0;
        let count = asks.len();
        for (gap, channel) in asks {
            let end = network.now + Duration::from_millis(gap / 4);
            refused += network.run_until(end);
            let asked = CallRequest {
                route: modify(channel.into()).key(),
                caller: RestCaller::Command(UserId(1)),
                patience_until: network.now + 6_000 * SECOND,
            };
            network.limiter.ask(asked, network.now).expect("there is room");
        }
        let end = network.now + 6_000 * SECOND;
        refused += network.run_until(end);
        prop_assert_eq!((refused, network.sent), (0, count));
    }
}
