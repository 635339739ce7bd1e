use guildhall_model::{LogId, Position};
use guildhall_ports::{ManualClock, memory::CookieSessionStore};
use http::header;
use proptest::prelude::*;

use super::*;
use crate::auth::{config::tests::auth_config, shared_revocations::tests::PlayedRevocations};

/// Where the logs stood at login.
mod heads;

const NOW: UnixMs = 1_700_000_000_000;

fn house(base_url: &str) -> (Sessions, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW));
    let store = Arc::new(CookieSessionStore::default());
    let sessions =
        auth_config(base_url).sessions(store, PlayedRevocations::there(), Arc::clone(&clock) as _);
    (sessions, clock)
}

fn ada() -> Profile {
    Profile {
        id: UserId(80_351_110_224_678_912),
        username: "ada".to_owned(),
        display_name: "Ada L.".to_owned(),
        avatar_url: "https://cdn.discordapp.com/embed/avatars/5.png".to_owned(),
    }
}

fn browser(set_cookie: &HeaderValue) -> HeaderMap {
    let pair = set_cookie.to_str().ok().and_then(|it| it.split(';').next());
    let pair = HeaderValue::from_str(pair.expect("a pair")).expect("visible ASCII");
    HeaderMap::from_iter([(header::COOKIE, pair)])
}

#[test]
fn a_session_is_read_back_as_it_began() {
    let (sessions, _) = house("https://hall.example");
    let head = Position {
        log: LogId(0),
        epoch: NOW,
        seq: 7,
    };
    let (session, cookie) = sessions.begin(ada(), vec![GuildId(1), GuildId(2)], vec![head]);
    assert!(cookie.as_bytes().starts_with(b"__Host-guildhall="));
    assert_eq!(sessions.read(&browser(&cookie)), Some(session));
    assert_eq!(sessions.read(&HeaderMap::new()), None);

    let (again, _) = sessions.begin(ada(), Vec::new(), Vec::new());
    let (_, other) = sessions.begin(ada(), Vec::new(), Vec::new());
    assert_ne!(
        Some(again.id),
        sessions.read(&browser(&other)).map(|it| it.id)
    );
}

#[test]
fn plain_http_has_a_name_of_its_own() {
    let (sessions, _) = house("http://localhost:3000");
    let (_, cookie) = sessions.begin(ada(), Vec::new(), Vec::new());
    assert!(cookie.as_bytes().starts_with(b"guildhall="));
    assert!(!cookie.as_bytes().windows(6).any(|part| part == b"Secure"));
}

#[test]
fn a_session_slides_up_to_its_absolute_end() {
    let (sessions, clock) = house("https://hall.example");
    let SessionLifetime { idle, absolute } = SessionLifetime::default();
    let (session, cookie) = sessions.begin(ada(), Vec::new(), Vec::new());
    assert_eq!(session.expires_at, NOW + millis(idle));
    assert_eq!(session.ends_at, NOW + millis(absolute));

    clock.set(session.expires_at - 1);
    let read = sessions
        .read(&browser(&cookie))
        .expect("one millisecond left");
    let renewed = sessions.slide(&read);
    clock.set(session.expires_at);
    assert_eq!(sessions.read(&browser(&cookie)), None, "idle for too long");
    let slid = sessions.read(&browser(&renewed)).expect("it was slid");
    assert_eq!((slid.id, slid.issued_at), (session.id, session.issued_at));

    clock.set(session.ends_at - 1_000);
    let last = sessions.slide(&read);
    assert!(
        last.to_str().is_ok_and(|it| it.ends_with("Max-Age=1")),
        "{last:?}"
    );
    clock.set(session.ends_at);
    assert_eq!(sessions.read(&browser(&last)), None, "too old");
}

/// Browsers allow 4,096; the rest is for what proxies add.
const LINE_MAX: usize = 3_800;

#[test]
fn the_largest_session_fits_a_cookie() {
    let (sessions, _) = house("https://hall.example");
    let user = Profile {
        id: UserId(u64::MAX),
        username: "\u{1}".repeat(500),
        display_name: "\u{10ffff}".repeat(500),
        avatar_url: "x".repeat(3_000),
    };
    let guilds: Vec<_> = (0..250).map(|n| GuildId(u64::MAX - n)).collect();
    let heads = (0..100).map(|n| Position {
        log: LogId(u16::MAX - n),
        epoch: u64::MAX,
        seq: u64::MAX,
    });
    let (session, cookie) = sessions.begin(user, guilds.clone(), heads.collect::<Vec<_>>());
    assert!(cookie.len() <= LINE_MAX, "{}", cookie.len());
    assert_eq!(session.guilds, guilds[..200], "in Discord's order");
    assert_eq!(session.user.username.len(), NAME_MAX);
    assert_eq!(session.user.display_name.chars().count(), NAME_MAX / 4);
    assert_eq!(sessions.read(&browser(&cookie)), Some(session));
}

#[test]
fn a_session_from_before_they_were_packed_goes_on() {
    let (sessions, _) = house("https://hall.example");
    let (session, _) = sessions.begin(ada(), vec![GuildId(1), GuildId(2)], Vec::new());
    let json = sessions
        .0
        .jar
        .seal(&sessions.0.name, &session, Duration::from_mins(1));
    let read = sessions.read(&browser(&json)).expect("it is a session");
    assert_eq!(read, session);
    let slid = sessions.slide(&read);
    assert_eq!(sessions.read(&browser(&slid)), Some(session));
}

#[tokio::test]
async fn a_session_that_is_over_hides_no_other() {
    let (sessions, clock) = house("https://hall.example");
    let (_, idle) = sessions.begin(ada(), Vec::new(), Vec::new());
    clock.set(NOW + millis(SessionLifetime::default().idle));
    let (signed_out, revoked) = sessions.begin(ada(), Vec::new(), Vec::new());
    sessions
        .revoke_session(&signed_out, EndReason::SignedOut)
        .await
        .expect("kept");
    let (session, cookie) = sessions.begin(ada(), Vec::new(), Vec::new());
    let pairs = [&idle, &revoked, &cookie].map(|it| {
        let pair = it.to_str().ok().and_then(|it| it.split(';').next());
        pair.expect("a pair").to_owned()
    });
    let line = HeaderValue::try_from(pairs.join("; ")).expect("visible ASCII");
    let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
    assert_eq!(sessions.read(&headers), Some(session));
}

proptest! {
    #[test]
    fn any_session_is_read_back_within_its_bounds(
        names in ("\\PC{0,300}", "\\PC{0,300}", "\\PC{0,900}"),
        guilds in prop::collection::vec(any::<u64>(), 0..300),
        heads in prop::collection::vec(any::<(u16, u64, u64)>(), 0..40),
        user: u64,
    ) {
        let (sessions, _) = house("https://hall.example");
        let user = Profile {
            id: UserId(user),
            username: names.0,
            display_name: names.1,
            avatar_url: names.2,
        };
        let heads = heads.into_iter().map(|(log, epoch, seq)| Position { log: LogId(log), epoch, seq });
        let guilds: Vec<_> = guilds.into_iter().map(GuildId).collect();
        let (session, cookie) = sessions.begin(user, guilds.clone(), heads.collect::<Vec<_>>());
        prop_assert!(cookie.len() <= LINE_MAX, "{}", cookie.len());
        prop_assert_eq!(&session.guilds[..], &guilds[..guilds.len().min(200)]);
        prop_assert_eq!(sessions.read(&browser(&cookie)), Some(session));
    }

    #[test]
    fn any_bytes_are_a_session_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200), packed: bool) {
        let version = 1 + u8::from(bytes.len() % 2 == 0);
        let bytes = if packed { [&[version, 0, 18][..], &bytes].concat() } else { bytes };
        let _either = Session::unpack(&bytes);
    }
}

#[tokio::test]
async fn logout_ends_what_belongs_to_the_session_and_nothing_else() {
    let (sessions, _) = house("https://hall.example");
    let (session, cookie) = sessions.begin(ada(), Vec::new(), Vec::new());
    let (other, other_cookie) = sessions.begin(ada(), Vec::new(), Vec::new());
    let (one, two) = (sessions.watch_end(&session), sessions.watch_end(&session));
    let bystander = sessions.watch_end(&other);

    sessions
        .revoke_session(&session, EndReason::SignedOut)
        .await
        .expect("kept");

    assert!(one.is_cancelled() && two.is_cancelled());
    assert!(!bystander.is_cancelled());
    assert_eq!(sessions.read(&browser(&cookie)), None);
    assert_eq!(sessions.read(&browser(&other_cookie)), Some(other));
    assert!(
        sessions.watch_end(&session).is_cancelled(),
        "also who asks later"
    );
}

#[tokio::test]
async fn what_nobody_waits_on_is_forgotten() {
    let (sessions, _) = house("https://hall.example");
    let (session, _) = sessions.begin(ada(), Vec::new(), Vec::new());
    let watched = |sessions: &Sessions| sessions.0.watched.len();
    let (one, two) = (sessions.watch_end(&session), sessions.watch_end(&session));
    drop(one);
    assert_eq!(watched(&sessions), 1);
    drop(two);
    assert_eq!(watched(&sessions), 0);

    let before = sessions.watch_end(&session);
    sessions
        .revoke_session(&session, EndReason::SignedOut)
        .await
        .expect("kept");
    let after = sessions.watch_end(&session);
    assert_eq!(watched(&sessions), 0);
    drop((before, after));
    assert_eq!(watched(&sessions), 0);
}

#[test]
fn an_id_is_never_printed() {
    let (sessions, _) = house("https://hall.example");
    let (session, _) = sessions.begin(ada(), Vec::new(), Vec::new());
    assert!(!format!("{session:?}").contains(session.id.as_str()));
}
