use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{
    clock,
    config::GrantLifetimes,
    grants::{Access, Consent, Grants, InvalidGrant, is_challenge},
};

const REDIRECT: &str = "http://localhost/cb";

const LIFETIMES: GrantLifetimes = GrantLifetimes {
    code: Duration::from_mins(1),
    access: Duration::from_hours(1),
    refresh: Duration::from_hours(2),
};

fn grants() -> Grants {
    Grants::new(1, LIFETIMES)
}

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
    let (mut grants, now) = (grants(), clock::now());
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
    let (mut grants, now) = (grants(), clock::now());
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
    let (mut grants, now) = (grants(), clock::now());
    let code = grants.issue_code(consent(), now);
    assert!(
        grants
            .exchange(&code, REDIRECT, Some("verifier"), now)
            .is_err()
    );
}

#[test]
fn the_challenge_of_rfc_7636_is_answered_by_its_verifier() {
    let (mut grants, now) = (grants(), clock::now());
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

#[test]
fn a_verifier_is_43_to_128_unreserved_characters() {
    let (mut grants, now) = (grants(), clock::now());
    for (verifier, good) in [
        ("a".repeat(42), false),
        ("a".repeat(43), true),
        (format!("{}-._~", "Z9".repeat(62)), true),
        ("a".repeat(129), false),
        (format!("{}!", "a".repeat(43)), false),
    ] {
        let digest = Sha256::digest(verifier.as_bytes());
        let challenge = Some(URL_SAFE_NO_PAD.encode(digest));
        let asked = Consent {
            challenge,
            ..consent()
        };
        let code = grants.issue_code(asked, now);
        let tokens = grants.exchange(&code, REDIRECT, Some(&verifier), now);
        assert_eq!(tokens.is_ok(), good, "{verifier}");
    }
    assert!(is_challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    assert!(!is_challenge(&"!".repeat(43)));
    assert!(!is_challenge(
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="
    ));
}

#[test]
fn revocation_ends_codes_that_are_still_out_and_the_agreement() {
    let (mut grants, now) = (grants(), clock::now());
    let (first, second) = (
        grants.issue_code(consent(), now),
        grants.issue_code(consent(), now),
    );
    let access = consent().access;
    assert!(grants.has_agreed(access.user_id, &access.scopes));
    assert!(!grants.has_agreed(access.user_id, &["guilds".to_owned()]));
    let tokens = grants
        .exchange(&first, REDIRECT, None, now)
        .expect("tokens");
    grants.revoke(&tokens.refresh);
    assert!(grants.exchange(&second, REDIRECT, None, now).is_err());
    assert!(!grants.has_agreed(access.user_id, &access.scopes));
}
