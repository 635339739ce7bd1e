#![expect(clippy::disallowed_methods, reason = "any instant will do as a start")]

use super::*;

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
        let (mut course, now) = established();
        let next = course.ended(&Ended::Cut(code), 0.5, now);
        assert!(matches!(next, Next::Connect { .. }), "{code:?}");
        assert_eq!(course.resume(), Some(&resume()), "{code:?}");
    }
}

#[test]
fn codes_that_end_a_session_lead_to_a_fresh_identify() {
    let ends = [
        Ended::Cut(Some(4003)),
        Ended::Cut(Some(4005)),
        Ended::Cut(Some(4007)),
        Ended::InvalidSession { resumable: false },
        Ended::Renewed,
    ];
    for how in ends {
        let (mut course, now) = established();
        let next = course.ended(&how, 0.5, now);
        assert!(matches!(next, Next::Connect { .. }), "{how:?}");
        assert_eq!(course.resume(), None, "{how:?}");
    }
}

#[test]
fn what_no_retry_cures_names_the_setting_and_the_cure() {
    let cases = [
        (Ended::TokenRefused, "DISCORD_BOT_TOKEN", "Reset Token"),
        (Ended::Cut(Some(4004)), "DISCORD_BOT_TOKEN", "Reset Token"),
        (Ended::Cut(Some(4010)), "DISCORD_BOT_TOKEN", "fewer guilds"),
        (Ended::Cut(Some(4011)), "DISCORD_BOT_TOKEN", "fewer guilds"),
        (Ended::Cut(Some(4012)), "DISCORD_GATEWAY_URL", "update"),
        (Ended::Cut(Some(4013)), "DISCORD_INTENTS", "members"),
        (
            Ended::Cut(Some(4014)),
            "DISCORD_INTENTS",
            "Server Members Intent",
        ),
    ];
    for (how, setting, cure) in cases {
        let (mut course, now) = established();
        let Next::Misconfigured(sentence) = course.ended(&how, 0.5, now) else {
            panic!("{how:?} is retried for ever")
        };
        assert!(
            sentence.starts_with(setting) && sentence.contains(cure),
            "{sentence}"
        );
    }
}

#[test]
fn tries_never_end_and_waits_double_up_to_a_minute() {
    let (mut course, mut now) = (Course::new(Limits::default()), Instant::now());
    let mut waits = Vec::new();
    for _ in 0..10_000 {
        let Next::Connect { at } = course.ended(&Ended::Unreachable("gone".into()), 1.0, now)
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
    assert_eq!(course.tries(), 10_000);
}

#[test]
fn chance_takes_up_to_half_of_the_wait_away_and_no_more() {
    for chance in [0.0, 0.3, 1.0, -5.0, 7.0, f64::MIN_POSITIVE] {
        let (mut course, now) = established();
        let Next::Connect { at } = course.ended(&Ended::Cut(None), chance, now) else {
            panic!("gave up")
        };
        let wait = at - now;
        assert!(wait >= Duration::from_millis(250) && wait <= Duration::from_millis(500));
    }
}

#[test]
fn a_resume_address_that_fails_three_times_is_given_up_and_the_session_is_not() {
    let (mut course, mut now) = established();
    course.ended(&Ended::Cut(None), 0.5, now);
    for failure in 1..=3 {
        assert_eq!(
            course.resume().and_then(|resume| resume.url.clone()),
            resume().url,
            "{failure}"
        );
        now += Duration::from_secs(1);
        course.ended(&Ended::Unreachable("503".into()), 0.5, now);
    }
    let base = Resume {
        url: None,
        ..resume()
    };
    assert_eq!(course.resume(), Some(&base));
}

#[test]
fn a_resume_begins_after_the_last_dispatch_handed_on() {
    let (mut course, now) = established();
    course.handed_on(41);
    course.handed_on(42);
    course.ended(&Ended::InboxFull, 0.5, now);
    assert_eq!(course.resume().map(|resume| resume.sequence), Some(42));
}

#[test]
fn two_identifies_keep_their_distance() {
    let (mut course, now) = (Course::new(Limits::default()), Instant::now());
    course.identifying(now);
    let Next::Connect { at } = course.ended(&Ended::InvalidSession { resumable: false }, 0.0, now)
    else {
        panic!("gave up")
    };
    assert_eq!(at - now, Duration::from_secs(5));
}

#[test]
fn a_session_that_ends_again_and_again_is_waited_for_longer_and_longer() {
    let (mut course, mut now) = (Course::new(Limits::default()), Instant::now());
    let mut waits = Vec::new();
    for _ in 0..8 {
        course.ready(resume(), now);
        let Next::Connect { at } = course.ended(&Ended::Cut(Some(4007)), 1.0, now) else {
            panic!("gave up")
        };
        waits.push(at - now);
        now = at;
    }
    assert!(
        waits.is_sorted() && waits[7] == Duration::from_mins(1),
        "{waits:?}"
    );
    course.ready(resume(), now);
    now += STEADY;
    let Next::Connect { at } = course.ended(&Ended::Cut(None), 1.0, now) else {
        panic!("gave up")
    };
    assert_eq!(
        at - now,
        Duration::from_millis(500),
        "a steady session was a success"
    );
}

#[test]
fn a_low_budget_is_waited_for_and_asked_about_now_and_then() {
    let (mut course, now) = (Course::new(Limits::default()), Instant::now());
    let low = Ended::BudgetLow {
        remaining: 12,
        resets_in: Duration::from_secs(80_000),
    };
    let Next::Connect { at } = course.ended(&low, 0.0, now) else {
        panic!("gave up")
    };
    assert_eq!(at - now, Duration::from_mins(10));
}

fn established() -> (Course, Instant) {
    let (mut course, now) = (Course::new(Limits::default()), Instant::now());
    course.ready(resume(), now);
    (course, now)
}

fn resume() -> Resume {
    Resume {
        session_id: "session".into(),
        sequence: 1,
        url: Some("wss://resume.example".into()),
    }
}
