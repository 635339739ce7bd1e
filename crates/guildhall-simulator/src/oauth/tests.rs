use std::time::Duration;

use super::grants::{Access, Consent, Grants, InvalidGrant};
use crate::{clock, config::GrantLifetimes};

const REDIRECT: &str = "http://localhost/cb";

const LIFETIMES: GrantLifetimes = GrantLifetimes {
    code: Duration::from_mins(1),
    access: Duration::from_hours(1),
    refresh: Duration::from_hours(2),
};

fn consent() -> Consent {
    Consent {
        access: Access {
            user_id: "5".parse().expect("an id"),
            scopes: vec!["identify".to_owned()],
            ends: None,
        },
        redirect_uri: REDIRECT.to_owned(),
        challenge: None,
    }
}

#[test]
fn a_code_lives_a_minute() {
    let (mut grants, now) = (Grants::new(1, LIFETIMES), clock::now());
    let (early, late) = (
        grants.issue_code(consent(), now),
        grants.issue_code(consent(), now),
    );
    assert!(
        grants
            .exchange(&early, REDIRECT, None, now + Duration::from_secs(59))
            .is_ok()
    );
    let after = grants.exchange(&late, REDIRECT, None, now + Duration::from_mins(1));
    assert!(matches!(after, Err(InvalidGrant(_))));
}

#[test]
fn an_access_token_opens_until_its_end() {
    let (mut grants, now) = (Grants::new(1, LIFETIMES), clock::now());
    let code = grants.issue_code(consent(), now);
    let tokens = grants.exchange(&code, REDIRECT, None, now).expect("tokens");
    let last = now + LIFETIMES.access - Duration::from_secs(1);
    let access = grants.access(&tokens.access, last).expect("still good");
    assert!(access.has_scope("identify") && !access.has_scope("guilds"));
    assert!(
        grants
            .access(&tokens.access, now + LIFETIMES.access)
            .is_none()
    );
    assert!(grants.access(&tokens.refresh, now).is_none());
}

#[test]
fn a_verifier_without_a_challenge_before_it_is_refused() {
    let (mut grants, now) = (Grants::new(1, LIFETIMES), clock::now());
    let code = grants.issue_code(consent(), now);
    assert!(
        grants
            .exchange(&code, REDIRECT, Some("verifier"), now)
            .is_err()
    );
}

#[test]
fn the_challenge_of_rfc_7636_is_answered_by_its_verifier() {
    let (mut grants, now) = (Grants::new(1, LIFETIMES), clock::now());
    let challenge = Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned());
    let code = grants.issue_code(
        Consent {
            challenge,
            ..consent()
        },
        now,
    );
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert!(
        grants
            .exchange(&code, REDIRECT, Some(verifier), now)
            .is_ok()
    );
}
