#![expect(clippy::disallowed_methods, reason = "any instant will do as a start")]

use guildhall_ports::journal::Terms;

use super::*;
use crate::config::tests::NAMES;

#[test]
fn a_cut_connection_is_resumed_whatever_the_code() {
    for code in [
        None,
        Some(1000),
        Some(1001),
        Some(1006),
        Some(4000),
        Some(4001),
        Some(4002),
        Some(4008),
        Some(4009),
        Some(4999),
    ] {
        let (mut policy, now) = established();
        let next = policy.disconnected(&code.map_or(Disconnect::Cut(None), cut), 0.5, now);
        assert!(matches!(next, Next::Connect { .. }), "{code:?}");
        assert!(policy.has_session(), "{code:?}");
    }
}

#[test]
fn codes_that_end_a_session_lead_to_a_fresh_identify() {
    let ends = [
        cut(4003),
        cut(4005),
        cut(4007),
        Disconnect::InvalidSession { resumable: false },
        Disconnect::Renewed,
    ];
    for how in ends {
        let (mut policy, now) = established();
        let next = policy.disconnected(&how, 0.5, now);
        assert!(matches!(next, Next::Connect { .. }), "{how:?}");
        assert!(!policy.has_session(), "{how:?}");
    }
}

#[test]
fn what_no_retry_cures_names_the_setting_and_the_cure() {
    let cases = [
        (Disconnect::TokenRefused, "THE_TOKEN", "Reset Token"),
        (cut(4004), "THE_TOKEN", "Reset Token"),
        (cut(4010), "THE_TOKEN", "fewer guilds"),
        (cut(4011), "THE_TOKEN", "fewer guilds"),
        (cut(4012), "THE_GATEWAY", "update"),
        (cut(4013), "THE_INTENTS", "members"),
        (cut(4014), "THE_INTENTS", "Server Members Intent"),
    ];
    for (how, setting, cure) in cases {
        let (mut policy, now) = established();
        let Next::Misconfigured(misconfigured) = policy.disconnected(&how, 0.5, now) else {
            panic!("{how:?} is retried for ever")
        };
        let sentence = misconfigured.sentence(&NAMES);
        assert!(
            sentence.starts_with(setting) && sentence.contains(cure),
            "{sentence}"
        );
    }
}

#[test]
fn tries_never_end_and_waits_double_up_to_a_minute() {
    let (mut policy, mut now) = (
        ReconnectPolicy::new(Limits::default(), None),
        Instant::now(),
    );
    let mut waits = Vec::new();
    for _ in 0..10_000 {
        let Next::Connect { at } =
            policy.disconnected(&Disconnect::Unreachable("gone".into()), 1.0, now)
        else {
            panic!("gave up")
        };
        waits.push((at - now).as_millis());
        now = at;
    }
    assert_eq!(
        waits[..8],
        [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]
    );
    assert!(waits[8..].iter().all(|wait| *wait == 60_000));
    assert_eq!(policy.tries(), 10_000);
}

#[test]
fn chance_decides_the_whole_of_the_wait_and_never_more_than_that() {
    let cases = [(0.0, 0), (0.5, 250), (1.0, 500), (-5.0, 0), (7.0, 500)];
    for (chance, wait) in cases {
        let (mut policy, now) = established();
        let Next::Connect { at } = policy.disconnected(&Disconnect::Cut(None), chance, now) else {
            panic!("gave up")
        };
        assert_eq!(at - now, Duration::from_millis(wait), "{chance}");
    }
}

#[test]
fn a_resume_address_that_fails_three_times_is_given_up_and_the_session_is_not() {
    let (mut policy, mut now) = established();
    policy.disconnected(&Disconnect::Cut(None), 0.5, now);
    policy.committed(Some(resume()));
    for failure in 1..=3 {
        assert_eq!(policy.resume_url(), resume().url.as_deref(), "{failure}");
        now += Duration::from_secs(1);
        policy.disconnected(&Disconnect::Unreachable("503".into()), 0.5, now);
        policy.committed(Some(resume()));
    }
    assert_eq!(
        (policy.resume_url(), policy.resume()),
        (None, Some(&resume()))
    );
    policy.resumed(now);
    assert_eq!(
        policy.resume_url(),
        resume().url.as_deref(),
        "it works again"
    );
}

#[test]
fn a_full_inbox_is_no_failure_however_often_it_is_full_before_all_is_replayed() {
    let (mut policy, now) = established();
    policy.disconnected(&Disconnect::Cut(None), 1.0, now);
    policy.committed(Some(resume()));
    for _ in 0..10 {
        assert_eq!(
            policy.disconnected(&Disconnect::InboxFull, 1.0, now),
            Next::Connect { at: now }
        );
        policy.committed(Some(resume()));
    }
    assert_eq!((policy.tries(), policy.has_session()), (0, true));
    assert_eq!(policy.resume_url(), resume().url.as_deref());
}

#[test]
fn a_flood_before_there_is_a_session_is_waited_for_longer_and_longer() {
    let now = Instant::now();
    let mut policy = ReconnectPolicy::new(Limits::default(), None);
    let mut waits = (0..4).map(|_| {
        policy.heard();
        match policy.disconnected(&Disconnect::InboxFull, 1.0, now) {
            Next::Connect { at } => at - now,
            Next::Misconfigured(why) => panic!("{why:?}"),
        }
    });
    let first = waits.next().expect("a wait");
    assert!(first > Duration::ZERO);
    assert!(waits.eq([2, 4, 8].map(|times| first * times)));
}

#[test]
fn what_was_committed_decides_how_to_go_on() {
    let (mut policy, now) = established();
    policy.disconnected(&Disconnect::InboxFull, 0.5, now);
    assert!(policy.has_session());
    let later = ResumeState {
        sequence: 42,
        ..resume()
    };
    policy.committed(Some(later.clone()));
    assert_eq!(policy.resume(), Some(&later));
    policy.committed(None);
    assert_eq!((policy.resume(), policy.has_session()), (None, false));
}

#[test]
fn a_session_that_ends_again_and_again_is_waited_for_longer_and_longer() {
    let (mut policy, mut now) = (
        ReconnectPolicy::new(Limits::default(), None),
        Instant::now(),
    );
    let mut waits = Vec::new();
    for _ in 0..8 {
        policy.ready(now);
        let Next::Connect { at } = policy.disconnected(&cut(4007), 1.0, now) else {
            panic!("gave up")
        };
        waits.push(at - now);
        now = at;
    }
    assert!(
        waits.is_sorted() && waits[7] == Duration::from_mins(1),
        "{waits:?}"
    );
    policy.ready(now);
    now += STEADY;
    let Next::Connect { at } = policy.disconnected(&Disconnect::Cut(None), 1.0, now) else {
        panic!("gave up")
    };
    assert_eq!(
        at - now,
        Duration::from_millis(500),
        "a steady session was a success"
    );
}

#[test]
fn a_resume_that_is_cut_at_once_is_a_failure_until_one_stands() {
    let (mut policy, mut now) = established();
    for failure in 1..=8 {
        let Next::Connect { at } = policy.disconnected(&cut(4008), 1.0, now) else {
            panic!("gave up")
        };
        assert_eq!(policy.tries(), failure);
        policy.committed(Some(resume()));
        now = at;
        policy.resumed(now);
    }
    let steady_at = policy.steady_at().expect("there are failures to forget");
    assert_eq!(steady_at, now + STEADY_RESUMED);
    policy.time_passed(now);
    assert_eq!(policy.tries(), 8, "not yet");
    policy.time_passed(steady_at);
    assert_eq!((policy.tries(), policy.steady_at()), (0, None));
}

#[test]
fn a_low_budget_is_waited_for_and_asked_about_now_and_then() {
    let (mut policy, now) = (
        ReconnectPolicy::new(Limits::default(), None),
        Instant::now(),
    );
    let low = Disconnect::BudgetLow {
        remaining: 12,
        resets_in: Duration::from_secs(80_000),
    };
    let Next::Connect { at } = policy.disconnected(&low, 0.0, now) else {
        panic!("gave up")
    };
    assert_eq!(at - now, Duration::from_mins(10));
}

#[test]
fn a_refused_resume_after_an_outage_is_followed_by_an_identify_within_seconds() {
    for chance in [0.0, 0.3, 1.0] {
        let (mut policy, mut now) = established();
        now += STEADY;
        policy.disconnected(&Disconnect::Cut(None), chance, now);
        policy.committed(Some(resume()));
        let back = now + Duration::from_secs(70);
        while now < back {
            let gone = Disconnect::Unreachable("refused".into());
            let Next::Connect { at } = policy.disconnected(&gone, chance, now) else {
                panic!("gave up")
            };
            policy.committed(Some(resume()));
            now = at.max(now + Duration::from_secs(1));
        }
        assert!(policy.tries() >= 8, "an outage is a failure");
        policy.heard();
        assert_eq!(policy.tries(), 1, "and Discord's HELLO its end");
        let refused = Disconnect::InvalidSession { resumable: false };
        let Next::Connect { at } = policy.disconnected(&refused, chance, now) else {
            panic!("gave up")
        };
        let wait = (at - now).as_secs_f64();
        assert!((1.0..=5.0).contains(&wait), "{wait} s");
        assert!(!policy.has_session());
    }
}

#[test]
fn a_refused_resume_is_followed_soon_however_often_discord_had_hung_up_before() {
    for chance in [0.0, 0.5, 1.0] {
        let mut policy = ReconnectPolicy::new(Limits::default(), Some(resume()));
        let now = Instant::now();
        for _ in 0..12 {
            policy.heard();
            policy.disconnected(&Disconnect::Cut(None), chance, now);
            policy.committed(Some(resume()));
        }
        policy.heard();
        let refused = Disconnect::InvalidSession { resumable: false };
        let Next::Connect { at } = policy.disconnected(&refused, chance, now) else {
            panic!("gave up")
        };
        let wait = (at - now).as_secs_f64();
        assert!((1.0..=5.0).contains(&wait), "{wait} s");
    }
}

#[test]
fn any_word_of_discords_ends_an_outage() {
    let words = [
        cut(4000),
        cut(4007),
        cut(4009),
        Disconnect::ReconnectAsked,
        Disconnect::InvalidSession { resumable: true },
        Disconnect::InvalidSession { resumable: false },
    ];
    for word in words {
        let (mut policy, now) = out_for(12);
        let Next::Connect { at } = policy.disconnected(&word, 1.0, now) else {
            panic!("gave up")
        };
        assert!(
            at - now <= Duration::from_secs(5),
            "{word:?}: {:?}",
            at - now
        );
    }
    for silence in [
        Disconnect::Cut(None),
        cut(1006),
        Disconnect::Unreachable(String::new()),
    ] {
        let (mut policy, now) = out_for(12);
        let Next::Connect { at } = policy.disconnected(&silence, 1.0, now) else {
            panic!("gave up")
        };
        assert_eq!(at - now, Duration::from_mins(1), "{silence:?}");
    }
}

#[test]
fn a_peer_that_says_hello_and_closes_is_waited_for_longer_and_longer() {
    for end in [
        Disconnect::Cut(None),
        cut(4000),
        Disconnect::InvalidSession { resumable: false },
    ] {
        let (mut policy, mut now) = (
            ReconnectPolicy::new(Limits::default(), None),
            Instant::now(),
        );
        let mut waits = Vec::new();
        for _ in 0..8 {
            policy.heard();
            let Next::Connect { at } = policy.disconnected(&end, 1.0, now) else {
                panic!("gave up")
            };
            waits.push(at - now);
            now = at;
        }
        assert!(
            waits.is_sorted() && waits[7] == Duration::from_mins(1),
            "{end:?}: {waits:?}"
        );
        assert_eq!(policy.tries(), 8, "an operator is told");
    }
}

/// Whatever happens: what is waited for follows from the failures since the last word of Discord's
/// alone, and the IDENTIFYs of a day are never spent by a loop.
#[test]
fn waits_grow_by_failures_to_reach_alone_whatever_happens() {
    for seed in 0..2_000_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % most
        };
        let (mut policy, mut now) = (
            ReconnectPolicy::new(Limits::default(), None),
            Instant::now(),
        );
        // Since the last connection that stood.
        let mut reached = 0_u32;
        for _ in 0..60 {
            let heard = draw(4) == 0;
            if heard {
                policy.heard();
            }
            let stood = heard && draw(4) == 0;
            if stood {
                policy.ready(now);
                now += STEADY;
                reached = 0;
            }
            let end = match draw(4) {
                0 => Disconnect::Unreachable(String::new()),
                1 => Disconnect::InvalidSession { resumable: false },
                2 => Disconnect::ReconnectAsked,
                _ => Disconnect::Cut(None),
            };
            let heard = heard || is_discords(&end);
            let Next::Connect { at } = policy.disconnected(&end, 1.0, now) else {
                panic!("gave up")
            };
            if heard {
                let ceiling = Duration::from_millis(500) * 2_u32.pow(reached.min(7));
                let least = Duration::from_secs(5);
                assert!(
                    at - now <= ceiling.max(least),
                    "seed {seed}: {end:?} after {reached}: {:?}",
                    at - now
                );
                reached += 1;
            }
            let session = (draw(2) == 0).then(resume);
            policy.committed(session);
            now = at;
        }
    }
}

#[test]
fn what_discord_says_when_it_closes_is_shown_on_one_line() {
    let close = |reason: &str| {
        let (code, reason) = (4002, reason.to_owned());
        Close { code, reason }.to_string()
    };
    assert_eq!(close(""), "4002");
    assert_eq!(close("Decode error"), "4002: Decode error");
    assert_eq!(close("a\nb\u{1b}[31m"), "4002: a\\nb\\u{1b}[31m");
    assert!(close(&"x".repeat(1_000)).len() < 200);
}

/// After a good connection broke off and so many tries reached nobody.
fn out_for(tries: u32) -> (ReconnectPolicy, Instant) {
    let (mut policy, mut now) = established();
    now += STEADY;
    policy.disconnected(&Disconnect::Cut(None), 1.0, now);
    for _ in 0..tries {
        policy.committed(Some(resume()));
        policy.disconnected(&Disconnect::Unreachable(String::new()), 1.0, now);
    }
    policy.committed(Some(resume()));
    (policy, now)
}

fn cut(code: u16) -> Disconnect {
    let reason = String::new();
    Disconnect::Cut(Some(Close { code, reason }))
}

fn established() -> (ReconnectPolicy, Instant) {
    let (mut policy, now) = (
        ReconnectPolicy::new(Limits::default(), None),
        Instant::now(),
    );
    policy.ready(now);
    (policy, now)
}

fn resume() -> ResumeState {
    ResumeState {
        session_id: "session".into(),
        sequence: 1,
        url: Some("wss://resume.example".into()),
        terms: Terms {
            shard: [0, 1],
            intents: 129,
            guilds: None,
            world_format: 1,
        },
    }
}
