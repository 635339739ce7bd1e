use guildhall_http::{Secret, StrongSecret};
use http::{HeaderName, HeaderValue};

use super::*;

const LOOKS: &str = "a-board-in-the-hall-looks-at-everybody";
const ACTS: &str = "a-game-on-a-table-acts-for-its-players";
const NEXT: &str = "a-game-on-a-table-has-a-newer-token-now";
const WRITES: &str = "an-app-beside-the-hall-moves-its-people";

fn tokens() -> ApiTokens {
    let token = |name: &str, secret: &str, grants| ApiToken {
        name: name.into(),
        secret: StrongSecret::try_from(secret.parse::<Secret>().expect("visible")).expect("long"),
        grants,
    };
    ApiTokens::new(&[
        token("board", LOOKS, ApiTokenGrants::Look),
        token("game", ACTS, ApiTokenGrants::ActAs),
        token("game", NEXT, ApiTokenGrants::ActAs),
        token("app", WRITES, ApiTokenGrants::ActAsAndWrite),
    ])
}

fn ask(pairs: &[(&'static str, &str)]) -> Option<Result<Program, Unidentified>> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_str(value).expect("a value");
        headers.append(HeaderName::from_static(name), value);
    }
    tokens().program(&headers)
}

fn bearer_of(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn a_token_by_itself_sees_what_the_bot_sees_and_writes_nothing() {
    for (token, name) in [
        (LOOKS, "board"),
        (ACTS, "game"),
        (NEXT, "game"),
        (WRITES, "app"),
    ] {
        let program = ask(&[("authorization", &bearer_of(token))]);
        let expected = Program {
            token: name.into(),
            viewer: ViewerId::Bot,
            may_write: false,
        };
        assert_eq!(program, Some(Ok(expected)), "{name}");
    }
}

#[test]
fn one_that_may_acts_as_a_person() {
    for (token, may_write) in [(ACTS, false), (NEXT, false), (WRITES, true)] {
        let authorization = bearer_of(token).replace("Bearer", "bearer");
        let program = ask(&[("authorization", &authorization), ("guildhall-as", "42")]);
        let program = program.expect("a program").expect("known");
        assert_eq!(program.viewer, ViewerId::Person(UserId(42)));
        assert_eq!(program.may_write, may_write);
    }
    let refused = ask(&[("authorization", &bearer_of(LOOKS)), ("guildhall-as", "42")]);
    assert_eq!(refused, Some(Err(Unidentified::MayNotActAs)));
}

#[test]
fn whom_it_acts_as_is_an_id_and_nothing_else() {
    let authorization = bearer_of(ACTS);
    for said in [
        "",
        "0",
        "-1",
        "+7",
        " 7",
        "7,8",
        "me",
        "18446744073709551616",
    ] {
        let refused = ask(&[("authorization", &authorization), ("guildhall-as", said)]);
        assert_eq!(refused, Some(Err(Unidentified::BadActAs)), "{said:?}");
    }
    let twice = ask(&[
        ("authorization", &authorization),
        ("guildhall-as", "7"),
        ("guildhall-as", "8"),
    ]);
    assert_eq!(twice, Some(Err(Unidentified::BadActAs)));
}

#[test]
fn a_web_page_may_have_none() {
    let authorization = bearer_of(WRITES);
    for by_a_page in [
        ("origin", "https://hall.example"),
        ("origin", "null"),
        ("origin", ""),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ] {
        let refused = ask(&[("authorization", &authorization), by_a_page]);
        assert_eq!(
            refused,
            Some(Err(Unidentified::TokenFromBrowser)),
            "{by_a_page:?}"
        );
    }
    let by_node = ask(&[
        ("authorization", &authorization),
        ("sec-fetch-mode", "cors"),
    ]);
    assert!(matches!(by_node, Some(Ok(_))), "{by_node:?}");
}

#[test]
fn what_is_no_token_of_ours_is_nobodys() {
    let short = &LOOKS[..LOOKS.len() - 1];
    let long = format!("{LOOKS}x");
    let upper = LOOKS.to_uppercase();
    for token in ["", "x", short, &long, &upper] {
        let refused = ask(&[("authorization", &bearer_of(token))]);
        assert_eq!(refused, Some(Err(Unidentified::UnknownToken)), "{token:?}");
    }
    let twice = ask(&[
        ("authorization", &bearer_of(LOOKS)),
        ("authorization", &bearer_of(LOOKS)),
    ]);
    assert_eq!(twice, Some(Err(Unidentified::UnknownToken)));
    let bare = ask(&[("authorization", "Bearer")]);
    assert_eq!(bare, Some(Err(Unidentified::UnknownToken)));
    // Nor is it one that a proxy asked its browser for.
    assert_eq!(ask(&[("authorization", "Basic YTpi")]), None);
    assert_eq!(ask(&[("guildhall-as", "42")]), None);
}
