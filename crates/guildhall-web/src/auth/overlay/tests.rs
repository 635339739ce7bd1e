use std::sync::{Arc, atomic::Ordering};

use guildhall_ports::{ManualClock, memory::CookieSessionStore};
use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;

use super::*;
use crate::auth::{
    Requester, config::tests::auth_config, session::Profile,
    shared_revocations::tests::PlayedRevocations,
};

const NOW: UnixMs = 1_700_000_000_000;
const ADA: UserId = UserId(80_351_110_224_678_912);
const PLACE: (GuildId, ChannelId) = (GuildId(100), ChannelId(201));
const AN_HOUR: Duration = Duration::from_hours(1);

struct Hall {
    sessions: Sessions,
    clock: Arc<ManualClock>,
    revocations: Arc<PlayedRevocations>,
}

fn hall() -> Hall {
    let clock = Arc::new(ManualClock::at(NOW));
    let revocations = PlayedRevocations::there();
    let sessions = auth_config("https://hall.example").sessions(
        Arc::new(CookieSessionStore::default()),
        Arc::clone(&revocations) as _,
        Arc::clone(&clock) as _,
    );
    Hall {
        sessions,
        clock,
        revocations,
    }
}

impl Hall {
    fn make(&self) -> MadeOverlayLink {
        self.sessions.make_overlay_link(ADA, PLACE, AN_HOUR)
    }

    fn said(&self, token: &str) -> Result<Requester, Unidentified> {
        let token = OverlayToken::said(token.to_owned());
        let headers = HeaderMap::new();
        self.sessions.requester_or_overlay(&headers, Some(&token))
    }

    fn is_over(&self, made: &MadeOverlayLink) -> bool {
        match self.said(made.token.expose()) {
            Ok(Requester::Overlay(_)) => false,
            Err(Unidentified::NoOverlay) => true,
            other => panic!("{other:?}"),
        }
    }
}

fn bearer(token: &str) -> HeaderMap {
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("visible ASCII");
    HeaderMap::from_iter([(header::AUTHORIZATION, value)])
}

#[test]
fn a_link_says_where_and_by_whose_eyes_to_us_alone() {
    let hall = hall();
    let made = hall.make();
    for said in [
        hall.said(made.token.expose()),
        hall.sessions
            .requester_or_overlay(&bearer(made.token.expose()), None),
    ] {
        let requester = said.expect("good");
        let link = requester.overlay().expect("an overlay");
        assert_eq!(
            (link.maker, link.guild_id, link.channel_id),
            (ADA, PLACE.0, PLACE.1)
        );
        assert_eq!(requester.guilds(), [PLACE.0]);
        assert!(requester.actor().is_err(), "it has nothing done");
        assert!(
            hall.sessions.slide_requester(&requester).is_none(),
            "and gets no cookie"
        );
        assert_eq!(hall.sessions.expiry_of(&requester), Some(made.expires_at));
        assert!(requester.account().counts_address());
        assert_ne!(requester.account(), ADA.into(), "its bounds are its own");
    }
    assert_eq!(format!("{:?}", made.token), "OverlayToken(..)");
    let again = hall.make();
    assert_ne!(made.token, again.token);
    let text = made.token.expose();
    let open = BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url");
    for number in [ADA.0, PLACE.0.0, PLACE.1.0] {
        let number = number.to_be_bytes();
        assert!(
            !open.windows(8).any(|eight| eight == number),
            "it is sealed"
        );
    }
}

/// For calls, and for who one is.
#[test]
fn elsewhere_a_link_is_nobody() {
    let hall = hall();
    let made = hall.make();
    let asked = hall.sessions.requester(&bearer(made.token.expose()));
    assert!(
        matches!(asked, Err(Unidentified::UnknownToken)),
        "{asked:?}"
    );
    assert!(
        hall.sessions
            .identify(&bearer(made.token.expose()))
            .is_err()
    );
}

#[test]
fn it_decides_before_a_cookie_and_beside_no_token() {
    let hall = hall();
    let profile = Profile {
        id: ADA,
        username: "ada".to_owned(),
        display_name: "Ada".to_owned(),
        avatar_url: String::new(),
    };
    let (_, cookie) = hall.sessions.begin(profile, Vec::new(), Vec::new());
    let pair = cookie
        .to_str()
        .expect("ASCII")
        .split(';')
        .next()
        .expect("a pair");
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::try_from(pair).expect("ASCII"));
    let none = OverlayToken::said("none".to_owned());
    let asked = hall.sessions.requester_or_overlay(&headers, Some(&none));
    assert!(matches!(asked, Err(Unidentified::NoOverlay)), "{asked:?}");
    let asked = hall.sessions.requester_or_overlay(&headers, None);
    assert!(matches!(asked, Ok(Requester::Browser(_))), "{asked:?}");
    let made = hall.make();
    let asked = hall
        .sessions
        .requester_or_overlay(&bearer("of-somebody"), Some(&made.token));
    assert!(
        matches!(asked, Err(Unidentified::TokenAndOverlay)),
        "{asked:?}"
    );
    let basic = HeaderMap::from_iter([(
        header::AUTHORIZATION,
        HeaderValue::from_static("Basic YTpi"),
    )]);
    let asked = hall
        .sessions
        .requester_or_overlay(&basic, Some(&made.token));
    assert!(
        matches!(asked, Ok(Requester::Overlay(_))),
        "a proxy's login: {asked:?}"
    );
}

#[test]
fn what_is_sealed_for_another_purpose_is_no_link() {
    let hall = hall();
    let made = hall.make();
    let MadeOverlayLink { name, token, .. } = &made;
    assert!(hall.said(&name.0).is_err(), "its name opens nothing");
    // Every letter, and what is around it.
    let link = hall.sessions.overlay_link_named(name).expect("its own");
    assert_eq!(link.facts().user_id, ADA);
    let jar = hall.sessions.jar();
    let packed = link.pack();
    for purpose in [
        "__Host-guildhall",
        "guildhall",
        "overlay",
        "overlay link id",
        "",
    ] {
        let other = jar.seal_text(purpose, &packed);
        assert!(hall.said(&other).is_err(), "{purpose}");
        assert!(
            hall.sessions
                .overlay_link_named(&OverlayName(other))
                .is_none(),
            "{purpose}"
        );
    }
    let mut longer = packed.to_vec();
    longer.push(0);
    assert!(hall.said(&jar.seal_text(LINK, &longer)).is_err());
    assert!(hall.said(&jar.seal_text(LINK, &packed[1..])).is_err());
    let mut later = packed;
    later[0] = 2;
    assert!(
        hall.said(&jar.seal_text(LINK, &later)).is_err(),
        "of a later version"
    );
    let text = token.expose();
    for other in [
        format!("{text}="),
        format!("{text}A"),
        format!(" {text}"),
        text[1..].to_owned(),
        text[..text.len() - 1].to_owned(),
        format!("\"{text}\""),
        String::new(),
        "A".repeat(100_000),
    ] {
        assert!(hall.said(&other).is_err(), "{}", other.len());
    }
}

#[test]
fn it_ends_by_its_time_and_thirty_days_is_the_longest() {
    let hall = hall();
    let made = hall.make();
    assert_eq!(made.expires_at, NOW + 3_600_000);
    hall.clock.set(made.expires_at - 1);
    assert!(!hall.is_over(&made));
    hall.clock.set(made.expires_at);
    assert!(hall.is_over(&made));
    let long = hall.sessions.make_overlay_link(ADA, PLACE, Duration::MAX);
    assert_eq!(long.expires_at, made.expires_at + 30 * 24 * 3_600_000);
}

#[tokio::test]
async fn revoked_by_its_name_or_by_itself_it_is_over_and_no_other_is() {
    let hall = hall();
    let (one, two, other) = (hall.make(), hall.make(), hall.make());
    let watched = hall.said(one.token.expose()).expect("good");
    let end = hall.sessions.watch_requester(&watched);
    for said in [&one.name, &OverlayName(two.token.expose().to_owned())] {
        let link = hall.sessions.overlay_link_named(said).expect("a link");
        hall.sessions
            .revoke_overlay_link(&link)
            .await
            .expect("kept");
        hall.sessions
            .revoke_overlay_link(&link)
            .await
            .expect("as often as one likes");
    }
    assert!(end.is_cancelled());
    assert!(hall.sessions.check_requester(&watched).is_err());
    assert!(hall.is_over(&one) && hall.is_over(&two) && !hall.is_over(&other));
    let kept = hall.revocations.kept.lock().clone();
    let long_enough = |kept: &Revocation| kept.until() == one.expires_at;
    assert!(kept.len() == 4 && kept.iter().all(long_enough), "{kept:?}");
    // A name that the operator's list made anew is of the same link.
    let named = hall.said(other.token.expose()).expect("good");
    let named = hall
        .sessions
        .name_of_overlay_link(named.overlay().expect("an overlay"));
    let link = hall.sessions.overlay_link_named(&named).expect("a link");
    hall.sessions
        .revoke_overlay_link(&link)
        .await
        .expect("kept");
    assert!(hall.is_over(&other));
}

#[tokio::test]
async fn it_ends_with_all_that_its_maker_began_and_with_no_single_session() {
    let hall = hall();
    let made = hall.make();
    let id = SessionId::new("of-a-browser".to_owned());
    let one = Revocation::Session {
        id,
        user_id: ADA,
        ends_at: made.expires_at,
    };
    hall.sessions
        .revoke(one, EndReason::SignedOut)
        .await
        .expect("kept");
    assert!(!hall.is_over(&made));
    hall.sessions
        .revoke_all_of(ADA, EndReason::SignedOutEverywhere)
        .await
        .expect("kept");
    assert!(hall.is_over(&made));
    assert!(!hall.is_over(&hall.make()), "one of afterwards is good");
}

#[tokio::test]
async fn what_no_gateway_keeps_is_over_here_and_said_to_be_no_more_than_that() {
    let hall = hall();
    let made = hall.make();
    hall.revocations.is_away.store(true, Ordering::Relaxed);
    let link = hall
        .sessions
        .overlay_link_named(&made.name)
        .expect("a link");
    assert!(hall.sessions.revoke_overlay_link(&link).await.is_err());
    assert!(hall.is_over(&made));
}

#[test]
fn until_it_is_known_what_is_over_no_link_is_taken() {
    let hall = hall();
    let made = hall.make();
    hall.revocations.knows.send_replace(false);
    let asked = hall.said(made.token.expose());
    assert!(matches!(asked, Err(Unidentified::Unknown)), "{asked:?}");
}

proptest! {
    #[test]
    fn any_letter_of_a_link_counts(at in any::<prop::sample::Index>()) {
        let hall = hall();
        let made = hall.make();
        let mut text = made.token.expose().to_owned().into_bytes();
        let letter = &mut text[at.index(made.token.expose().len())];
        *letter = if *letter == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(text).expect("ASCII");
        prop_assert!(matches!(hall.said(&text), Err(Unidentified::NoOverlay)));
    }

    #[test]
    fn any_text_is_a_link_or_none(text in "\\PC{0,200}|[A-Za-z0-9_-]{110,118}") {
        let hall = hall();
        prop_assert!(hall.said(&text).is_err());
        prop_assert!(hall.sessions.overlay_link_named(&OverlayName(text)).is_none());
    }
}
