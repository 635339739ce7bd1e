#![expect(clippy::disallowed_methods, reason = "any instant will do as a start")]

/// Random schedules.
mod schedules;

use guildhall_model::{ChannelId, GuildId, UserId};

use super::{super::route::RestRoute, *};

const SECOND: Duration = Duration::from_secs(1);
const BUDGET: RestBudget = RestBudget {
    look_ups: 25,
    commands: 25,
};

/// A limiter and those who ask it, at a time that only the test lets pass.
struct Asked {
    limiter: Limiter,
    now: Instant,
    in_flight: Vec<SendGrant>,
    turned_away: Vec<NotSent>,
}

impl Asked {
    fn new() -> Self {
        Self {
            limiter: Limiter::new(BUDGET),
            now: Instant::now(),
            in_flight: Vec::new(),
            turned_away: Vec::new(),
        }
    }

    /// One that knows the bucket of this route: so many a second.
    fn knowing(route: RestRoute, limit: u64) -> Self {
        let mut asked = Self::new();
        assert_eq!(asked.send(route), 1);
        asked.answer(AnswerKind::Success, &told(limit, limit - 1, 1.0));
        asked.pass(SECOND);
        asked
    }

    /// Asks for a command of user 1, and answers how many requests may be sent now.
    fn send(&mut self, route: RestRoute) -> usize {
        self.ask(route, RestCaller::Command(UserId(1)), 600 * SECOND);
        self.poll()
    }

    fn ask(&mut self, route: RestRoute, caller: RestCaller, patience: Duration) {
        let call = CallRequest {
            route: route.key(),
            caller,
            patience_until: self.now + patience,
        };
        if let Err(why) = self.limiter.ask(call, self.now) {
            self.turned_away.push(why);
        }
    }

    fn poll(&mut self) -> usize {
        let before = self.in_flight.len();
        while let Some((_, verdict)) = self.limiter.poll(self.now) {
            match verdict {
                CallVerdict::Send(grant) => self.in_flight.push(grant),
                CallVerdict::Refused(why) => self.turned_away.push(why),
            }
        }
        self.in_flight.len() - before
    }

    /// Answers the one that is in flight for longest.
    fn answer(&mut self, kind: AnswerKind, said: &RateHeaders) {
        let grant = self.in_flight.remove(0);
        self.limiter.answered(grant, kind, said, self.now);
    }

    fn lose(&mut self) {
        let grant = self.in_flight.remove(0);
        self.limiter.lost(grant, self.now);
    }

    fn pass(&mut self, time: Duration) -> usize {
        self.now += time;
        self.poll()
    }
}

fn modify(channel: u64) -> RestRoute {
    RestRoute::ModifyChannel(ChannelId(channel))
}

fn rename(channel: u64) -> RestRoute {
    RestRoute::RenameChannel(ChannelId(channel))
}

fn member(guild: u64) -> RestRoute {
    RestRoute::GetMember(GuildId(guild), UserId(1))
}

fn told(limit: u64, remaining: u64, reset_after: f64) -> RateHeaders {
    RateHeaders {
        bucket: Some("abc".into()),
        limit: Some(limit),
        remaining: Some(remaining),
        reset_after: Some(Duration::from_secs_f64(reset_after)),
        ..RateHeaders::default()
    }
}

fn throttled(scope: ThrottleScope, seconds: u64) -> AnswerKind {
    AnswerKind::Throttled(Throttle {
        scope,
        wait: Duration::from_secs(seconds),
    })
}

#[test]
fn one_request_finds_out_an_unknown_bucket_while_other_routes_go_on() {
    let mut asked = Asked::new();
    assert_eq!(asked.send(modify(1)), 1);
    assert_eq!(
        asked.send(modify(1)),
        0,
        "what it may have is not known yet"
    );
    assert_eq!(
        asked.send(modify(2)),
        1,
        "another channel has a bucket of its own"
    );
    assert_eq!(asked.send(member(1)), 1, "so has another route");
    asked.answer(AnswerKind::Success, &told(5, 4, 1.0));
    assert_eq!(asked.poll(), 1, "the one that waited");
    for more in [1, 1, 1, 0] {
        assert_eq!(asked.send(modify(1)), more, "four in all");
    }
}

#[test]
fn a_known_bucket_holds_for_channels_that_were_never_asked_about() {
    let mut asked = Asked::knowing(modify(1), 5);
    let sent: usize = (0..8).map(|_| asked.send(modify(2))).sum();
    assert_eq!(sent, 5, "at once, without finding out again");
}

#[test]
fn more_than_one_request_of_a_route_is_in_flight() {
    let mut asked = Asked::knowing(modify(1), 5);
    let sent: usize = (0..5).map(|_| asked.send(modify(1))).sum();
    assert_eq!(sent, 5);
}

#[test]
fn a_request_without_an_answer_counts_as_sent() {
    let mut asked = Asked::knowing(modify(1), 2);
    assert_eq!(asked.send(modify(1)) + asked.send(modify(1)), 2);
    asked.answer(AnswerKind::Success, &told(2, 1, 1.0));
    asked.lose();
    assert_eq!(asked.send(modify(1)), 0, "Discord may have counted it");
    assert_eq!(asked.pass(SECOND), 1);
}

#[test]
fn a_bucket_of_which_no_request_is_answered_is_found_out_again() {
    let mut asked = Asked::knowing(modify(1), 2);
    assert_eq!(asked.send(modify(1)) + asked.send(modify(1)), 2);
    assert_eq!(asked.send(modify(1)) + asked.send(modify(1)), 0);
    asked.lose();
    assert_eq!(asked.poll(), 0);
    asked.lose();
    assert_eq!(asked.poll(), 1, "one by one");
    asked.answer(AnswerKind::Success, &told(2, 1, 1.0));
    assert_eq!(asked.pass(SECOND), 1);
}

#[test]
fn an_empty_bucket_is_waited_for_and_another_guilds_is_not() {
    let mut asked = Asked::new();
    assert_eq!(asked.send(member(1)), 1);
    asked.answer(AnswerKind::Success, &told(1, 0, 2.5));
    assert_eq!(asked.send(member(1)), 0);
    assert_eq!(
        asked.limiter.deadline(),
        Some(asked.now + Duration::from_millis(2_500))
    );
    assert_eq!(asked.send(member(2)), 1);
    assert_eq!(asked.pass(Duration::from_millis(2_499)), 0);
    assert_eq!(asked.pass(Duration::from_millis(1)), 1);
}

#[test]
fn neither_a_late_answer_nor_a_boasting_one_refills_a_bucket() {
    let mut asked = Asked::knowing(modify(1), 3);
    for _ in 0..3 {
        asked.send(modify(1));
    }
    asked.answer(AnswerKind::Success, &told(3, 0, 1.0));
    asked.answer(AnswerKind::Success, &told(3, 2, 1.0));
    assert_eq!(asked.send(modify(1)), 0, "an answer that was overtaken");
    asked.answer(AnswerKind::Success, &told(3, u64::MAX, 1.0));
    assert_eq!(asked.poll(), 0, "more than there can be");
    assert_eq!(asked.pass(SECOND), 1);
}

#[test]
fn what_is_under_way_across_a_reset_counts_in_the_new_period() {
    let mut asked = Asked::knowing(modify(1), 3);
    let ms = Duration::from_millis;
    asked.send(modify(1));
    asked.answer(AnswerKind::Success, &told(3, 2, 1.0));
    asked.pass(ms(990));
    assert_eq!(asked.send(modify(1)) + asked.send(modify(1)), 2);
    asked.pass(ms(10));
    // Discord has counted both after its reset, and says so of the first.
    asked.answer(AnswerKind::Success, &told(3, 2, 1.0));
    let sent: usize = (0..3).map(|_| asked.send(modify(1))).sum();
    assert_eq!(sent, 1);
}

#[test]
fn an_answer_of_the_last_period_ends_the_new_one_no_sooner() {
    let ms = Duration::from_millis;
    // Sent in the middle of a period of a second, answered half a second before its end.
    let late = |answered_after| {
        let mut asked = Asked::knowing(modify(1), 3);
        asked.send(modify(1));
        asked.answer(AnswerKind::Success, &told(3, 2, 1.0));
        asked.pass(ms(500));
        asked.send(modify(1));
        asked.pass(answered_after);
        asked.answer(AnswerKind::Success, &told(3, 1, 0.45));
        let sent: usize = (0..3).map(|_| asked.send(modify(1))).sum();
        (asked, sent)
    };
    let (asked, sent) = late(ms(600));
    assert_eq!(sent, 2, "it is of the last period: there were three");
    assert_eq!(
        asked.limiter.deadline(),
        None,
        "the new one is not told of yet"
    );
    let (asked, sent) = late(ms(1_100));
    assert_eq!(sent, 1, "it may be of either");
    assert_eq!(asked.limiter.deadline(), Some(asked.now + SECOND));
}

#[test]
fn routes_of_one_bucket_share_it() {
    let mut asked = Asked::knowing(modify(1), 2);
    assert_eq!(
        asked.send(rename(1)),
        1,
        "it finds out which bucket it is in"
    );
    asked.answer(AnswerKind::Success, &told(2, 1, 1.0));
    assert_eq!(asked.send(modify(1)), 1);
    assert_eq!(asked.send(rename(1)), 0);
}

#[test]
fn a_route_without_a_bucket_is_limited_by_what_holds_for_all() {
    let mut asked = Asked::new();
    asked.send(RestRoute::GatewayBot);
    asked.answer(AnswerKind::Success, &RateHeaders::default());
    let sent: usize = (0..20).map(|_| asked.send(RestRoute::GatewayBot)).sum();
    assert_eq!(sent, 20);
}

#[test]
fn a_429_of_one_bucket_closes_nothing_else() {
    for scope in [ThrottleScope::User, ThrottleScope::Shared] {
        let mut asked = Asked::new();
        asked.send(member(1));
        asked.answer(throttled(scope, 3), &told(1, 0, 3.0));
        assert_eq!(asked.send(member(1)), 0, "{scope:?}");
        assert_eq!(asked.send(member(2)), 1, "{scope:?}: another guild's");
        assert_eq!(asked.send(modify(1)), 1, "{scope:?}: another route's");
        assert_eq!(asked.pass(3 * SECOND), 1);
    }
}

#[test]
fn a_429_for_names_alone_closes_names_alone() {
    let mut asked = Asked::knowing(modify(1), 5);
    asked.send(rename(1));
    // As Discord does it: by its headers the bucket has room.
    asked.answer(throttled(ThrottleScope::User, 580), &told(5, 4, 15.0));
    assert_eq!(asked.send(modify(1)), 1, "the limit of people may be set");
    assert_eq!(asked.send(rename(2)), 1, "another channel may be renamed");
    asked.ask(rename(1), RestCaller::Command(UserId(1)), 5 * SECOND);
    let until = asked.now + 580 * SECOND;
    assert_eq!(asked.turned_away, [NotSent::Throttled(until)]);
    assert_eq!(asked.send(rename(1)), 0, "who is patient waits");
    assert_eq!(asked.pass(580 * SECOND), 1);
}

#[test]
fn who_waits_already_is_told_of_a_long_429_too() {
    let mut asked = Asked::new();
    for _ in 0..3 {
        asked.ask(rename(1), RestCaller::Command(UserId(1)), 5 * SECOND);
    }
    assert_eq!(asked.poll(), 1);
    asked.answer(throttled(ThrottleScope::User, 580), &told(5, 4, 15.0));
    assert_eq!(asked.poll(), 0);
    let until = asked.now + 580 * SECOND;
    assert_eq!(asked.turned_away, [NotSent::Throttled(until); 2]);
}

#[test]
fn a_long_line_before_a_bucket_is_told_of_and_is_none_for_a_newcomer() {
    let mut asked = Asked::knowing(modify(1), 2);
    for remaining in [1, 0] {
        asked.send(modify(1));
        asked.answer(AnswerKind::Success, &told(2, remaining, 1.0));
    }
    for _ in 0..10 {
        asked.ask(modify(1), RestCaller::Command(UserId(1)), 3 * SECOND);
    }
    let until = asked.now + 4 * SECOND;
    let expected = [NotSent::Throttled(until); 4];
    assert_eq!(
        asked.turned_away, expected,
        "six are served in three seconds"
    );
    asked.ask(modify(1), RestCaller::Command(UserId(2)), SECOND);
    assert_eq!(asked.turned_away, expected, "nobody waits before user 2");
    for served in [2, 2, 2, 1] {
        assert_eq!(asked.pass(SECOND), served);
        for remaining in (0..served).rev() {
            let said = told(2, u64::try_from(remaining).expect("few"), 1.0);
            asked.answer(AnswerKind::Success, &said);
        }
    }
}

#[test]
fn a_global_429_and_one_from_the_edge_close_everything_and_one_request_opens_it() {
    for scope in [ThrottleScope::Global, ThrottleScope::Edge] {
        let mut asked = Asked::new();
        for channel in 1..=3 {
            assert_eq!(asked.send(modify(channel)), 1);
        }
        asked.answer(throttled(scope, 3), &RateHeaders::default());
        // Those that were under way with it say nothing new.
        asked.answer(throttled(scope, 3), &RateHeaders::default());
        asked.answer(AnswerKind::Success, &told(5, 4, 1.0));
        for guild in 1..=5 {
            assert_eq!(asked.send(member(guild)), 0, "{scope:?}");
        }
        assert_eq!(asked.pass(3 * SECOND), 1, "{scope:?}: one finds out");
        asked.lose();
        assert_eq!(asked.poll(), 1, "another does, where that had no answer");
        asked.answer(throttled(scope, 0), &RateHeaders::default());
        assert_eq!(asked.poll(), 0, "never again at once");
        assert!(asked.limiter.deadline() >= Some(asked.now + Duration::from_millis(250)));
        assert_eq!(asked.pass(SECOND), 1);
        asked.answer(AnswerKind::Success, &RateHeaders::default());
        assert_eq!(asked.poll(), 2, "and then all the others");
    }
}

#[test]
fn a_429_that_asks_for_no_wait_is_not_tried_again_and_again() {
    let mut asked = Asked::new();
    let (start, mut count) = (asked.now, 0);
    asked.send(modify(1));
    while asked.now < start + 60 * SECOND {
        count += 1;
        asked.answer(throttled(ThrottleScope::User, 0), &RateHeaders::default());
        assert_eq!(asked.send(modify(1)), 0);
        let deadline = asked.limiter.deadline().expect("it is known");
        assert_eq!(asked.pass(deadline - asked.now), 1);
    }
    assert!(count <= 12, "{count} requests in a minute");
}

#[test]
fn after_a_refused_token_nothing_is_sent() {
    let mut asked = Asked::new();
    asked.send(modify(1));
    asked.send(modify(1));
    asked.answer(AnswerKind::TokenRefused, &RateHeaders::default());
    asked.ask(member(1), RestCaller::LookUps, SECOND);
    assert_eq!(asked.poll(), 0);
    assert_eq!(asked.turned_away, [NotSent::Unauthorised; 2]);
}

#[test]
fn look_ups_keep_their_share_of_a_second_while_commands_flood_and_the_reverse() {
    let mut asked = Asked::new();
    for route in [modify(1), member(1)] {
        asked.send(route);
        // Without buckets only the budget of a second counts.
        asked.answer(AnswerKind::Success, &RateHeaders::default());
    }
    asked.pass(2 * SECOND);
    for _ in 0..500 {
        asked.ask(modify(1), RestCaller::Command(UserId(1)), 600 * SECOND);
    }
    assert_eq!(
        asked.poll(),
        43,
        "what is kept free for look-ups is not used"
    );
    for _ in 0..200 {
        asked.ask(member(1), RestCaller::LookUps, 600 * SECOND);
    }
    assert_eq!(asked.poll(), 7, "they go at once");
    for _ in 0..3 {
        let before = asked.in_flight.len();
        assert_eq!(asked.pass(2 * SECOND), 50);
        let sent = &asked.in_flight[before..];
        let look_ups = |grant: &&SendGrant| grant.route == member(1).key();
        assert_eq!(sent.iter().filter(look_ups).count(), 25);
    }
}

#[test]
fn callers_are_served_in_rotation_and_each_in_order() {
    let mut asked = Asked::new();
    asked.send(modify(1));
    for (user, channel) in [(1, 1), (1, 2), (1, 3), (1, 4), (2, 5), (2, 6), (3, 7)] {
        asked.ask(modify(channel), RestCaller::Command(UserId(user)), SECOND);
    }
    for _ in 0..50 {
        asked.limiter.second.take(RestShare::Commands, asked.now);
    }
    asked.answer(AnswerKind::Success, &told(5, 4, 1.0));
    assert_eq!(asked.poll(), 0, "the second is used up");
    asked.pass(2 * SECOND);
    let channels: Vec<_> = asked.in_flight.iter().map(|grant| grant.route).collect();
    let expected = [1, 5, 7, 2, 6, 3, 4].map(|channel| modify(channel).key());
    assert_eq!(channels, expected);
}

#[test]
fn newcomers_do_not_pass_who_waits_for_ever() {
    let mut asked = Asked::new();
    asked.send(modify(1));
    asked.answer(AnswerKind::Success, &RateHeaders::default());
    asked.pass(2 * SECOND);
    for _ in 0..50 {
        asked.ask(modify(7), RestCaller::Command(UserId(1)), 600 * SECOND);
    }
    let mut newcomer = 2;
    let mut served = 0;
    for _ in 0..10 {
        // As many as a second has room for, each with a first call of theirs.
        for _ in 0..60 {
            asked.ask(
                modify(8),
                RestCaller::Command(UserId(newcomer)),
                600 * SECOND,
            );
            newcomer += 1;
        }
        asked.pass(2 * SECOND);
        let flooders = |grant: &SendGrant| grant.route == modify(7).key();
        served += asked.in_flight.drain(..).filter(flooders).count();
    }
    assert!((3..20).contains(&served), "{served} of the flooder's");
}

#[test]
fn no_more_wait_than_there_is_room_for() {
    let mut asked = Asked::new();
    let far = 600 * SECOND;
    for _ in 0..COMMANDS_WAITING {
        asked.ask(modify(1), RestCaller::Command(UserId(1)), far);
    }
    assert_eq!(asked.turned_away, []);
    asked.ask(modify(1), RestCaller::Command(UserId(2)), far);
    asked.ask(member(1), RestCaller::LookUps, far);
    assert_eq!(
        asked.turned_away,
        [NotSent::Full(asked.now + FULL)],
        "and look-ups have room of their own"
    );
}

#[test]
fn what_is_not_needed_ends_long_before_discord_bans_the_address() {
    let mut asked = Asked::new();
    let until = asked.now + Duration::from_secs(610);
    let ask = |asked: &mut Asked, route, caller| {
        asked.ask(route, caller, SECOND);
        asked.poll()
    };
    let command = RestCaller::Command(UserId(1));
    for _ in 2..invalid::COMMANDS {
        asked.limiter.invalid.count(asked.now);
    }
    for (channel, kind) in [
        (1, throttled(ThrottleScope::Shared, 0)),
        (2, AnswerKind::Failure),
        (3, AnswerKind::Forbidden),
        (4, throttled(ThrottleScope::Edge, 0)),
    ] {
        assert_eq!(ask(&mut asked, modify(channel), command), 1, "{kind:?}");
        asked.answer(kind, &RateHeaders::default());
    }
    asked.pass(Duration::from_millis(100));
    assert_eq!(ask(&mut asked, modify(5), command), 0);
    assert_eq!(asked.turned_away, [NotSent::TooManyInvalid(until)]);
    assert_eq!(ask(&mut asked, member(1), RestCaller::LookUps), 1);
    asked.answer(AnswerKind::Success, &RateHeaders::default());
    for _ in invalid::COMMANDS..invalid::LOOK_UPS {
        asked.limiter.invalid.count(asked.now);
    }
    assert_eq!(ask(&mut asked, member(2), RestCaller::LookUps), 0);
    assert_eq!(
        ask(&mut asked, RestRoute::GatewayBot, RestCaller::LookUps),
        1
    );
    asked.now = until;
    assert_eq!(ask(&mut asked, modify(5), command), 1, "ten minutes later");
}
