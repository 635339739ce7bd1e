//! Sign-ins of two browsers at once, with the parts of one put into the other: whoever did not begin a sign-in
//! does not end it, and nobody ends it twice.

use futures_util::future::join_all;
use reqwest::{Response, StatusCode};
use url::Url;

use super::unharmed;
use crate::house::{House, cookie_of, location_of};

/// A browser between Discord's answer and the end of its sign-in.
struct Attempt {
    /// The cookie of the attempt.
    cookie: String,
    /// Where Discord sends it.
    callback: Url,
}

impl Attempt {
    /// Begun, and agreed to by this person at Discord.
    async fn of(house: &House, user: &str) -> Self {
        let login = house.get("/auth/login", None).await;
        let cookie = cookie_of(&login).expect("an attempt cookie");
        let authorize = format!("{}&sim_user={user}", location_of(&login));
        let consent = house.http.get(authorize).send().await;
        let callback = location_of(&consent.expect("Discord answers"));
        let callback = callback.parse().expect("a URL");
        Self { cookie, callback }
    }

    fn parameter(&self, name: &str) -> String {
        let mut pairs = self.callback.query_pairs();
        let value = pairs.find(|(known, _)| known == name);
        value
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    }

    /// The callback with other parameters; those without a value are left out.
    fn with(&self, changes: &[(&str, &str)]) -> Url {
        let mut url = self.callback.clone();
        let kept: Vec<_> = self
            .callback
            .query_pairs()
            .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let added = changes.iter().filter(|(_, value)| !value.is_empty());
        url.query_pairs_mut()
            .clear()
            .extend_pairs(kept)
            .extend_pairs(added);
        url
    }
}

async fn back(house: &House, url: &Url, cookie: &str) -> Response {
    let request = house.http.get(url.clone()).header("cookie", cookie);
    request.send().await.expect("web answers")
}

/// The session that an answer gives.
fn session(answer: &Response) -> Option<String> {
    cookie_of(answer).filter(|cookie| cookie.starts_with("guildhall="))
}

async fn is_refused(house: &House, what: &str, url: &Url, cookie: &str) {
    let answer = back(house, url, cookie).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{what}");
    assert_eq!(session(&answer), None, "{what}");
    let page = answer.text().await.expect("text");
    for (name, value) in url.query_pairs() {
        let is_shown = value.len() > 8 && page.contains(&*value);
        assert!(!is_shown, "{what}: {name} is shown: {page}");
    }
}

async fn who(house: &House, cookie: &str) -> String {
    let answer = house.get("/api/me", Some(cookie)).await;
    let me: serde_json::Value = answer.json().await.expect("JSON");
    me["user"]["id"].as_str().unwrap_or("nobody").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_ends_once_and_in_the_browser_that_began_it() {
    let house = House::start().await;
    let [one, other] = [&house.discord.visitor, &house.discord.people[0]];
    let (a, b) = tokio::join!(Attempt::of(&house, one), Attempt::of(&house, other));

    is_refused(&house, "another's callback", &a.callback, &b.cookie).await;
    is_refused(&house, "without the attempt", &a.callback, "").await;
    let (code, state) = (a.parameter("code"), a.parameter("state"));
    is_refused(
        &house,
        "another's state",
        &b.with(&[("state", &state)]),
        &b.cookie,
    )
    .await;
    is_refused(
        &house,
        "half a state",
        &b.with(&[("state", &b.parameter("state")[..20])]),
        &b.cookie,
    )
    .await;
    is_refused(&house, "no state", &b.with(&[("state", "")]), &b.cookie).await;
    let name = a.cookie.split('=').next().expect("a name");
    let sealed = b.cookie.split_once('=').expect("NAME=VALUE").1;
    is_refused(
        &house,
        "in another slot",
        &a.callback,
        &format!("{name}=x; {name}9={sealed}"),
    )
    .await;
    is_refused(
        &house,
        "as a session",
        &a.callback,
        &format!(
            "guildhall={}",
            a.cookie.split_once('=').expect("NAME=VALUE").1
        ),
    )
    .await;
    let as_session = format!("guildhall={sealed}");
    assert_eq!(
        house.get("/api/me", Some(&as_session)).await.status(),
        StatusCode::UNAUTHORIZED
    );

    // Whoever has another's code has no use for it: Discord wants the verifier that belongs to it.
    let c = Attempt::of(&house, other).await;
    is_refused(
        &house,
        "another's code",
        &c.with(&[("code", &code)]),
        &c.cookie,
    )
    .await;
    // By that it is spent, which Discord does to each code that is shown with a false verifier.
    is_refused(&house, "the code that was shown", &a.callback, &a.cookie).await;

    let ended = back(&house, &b.callback, &b.cookie).await;
    let cookie = session(&ended).expect("a session");
    assert_eq!(who(&house, &cookie).await, *other);
    is_refused(&house, "again", &b.callback, &b.cookie).await;
    is_refused(
        &house,
        "again, signed in",
        &b.callback,
        &format!("{}; {cookie}", b.cookie),
    )
    .await;
    is_refused(
        &house,
        "its state with a new code",
        &b.with(&[("code", &code)]),
        &b.cookie,
    )
    .await;
    assert_eq!(
        who(&house, &cookie).await,
        *other,
        "they are signed in still"
    );
    unharmed(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callbacks_at_one_moment_one_signs_in() {
    let house = House::start().await;
    for round in 0..5 {
        let attempt = Attempt::of(&house, &house.discord.visitor).await;
        let answers =
            join_all((0..8).map(|_| back(&house, &attempt.callback, &attempt.cookie))).await;
        let sessions = answers.iter().filter_map(session).count();
        assert_eq!(sessions, 1, "round {round}");
        for answer in answers {
            let right =
                answer.status().is_redirection() || answer.status() == StatusCode::BAD_REQUEST;
            assert!(right, "{}", answer.status());
        }
    }
    unharmed(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_sign_in_and_the_last_person_stays() {
    let house = House::start().await;
    let [one, other] = [&house.discord.visitor, &house.discord.people[0]];
    let a = Attempt::of(&house, one).await;
    // Of the same browser, which sends what it has.
    let login = house.get("/auth/login", Some(&a.cookie)).await;
    let second = cookie_of(&login).expect("an attempt cookie");
    let authorize = format!("{}&sim_user={other}", location_of(&login));
    let consent = house.http.get(authorize).send().await;
    let callback: Url = location_of(&consent.expect("Discord answers"))
        .parse()
        .expect("a URL");
    let both = format!("{}; {second}", a.cookie);

    let first = back(&house, &a.callback, &both).await;
    let first = session(&first).expect("a session");
    assert_eq!(who(&house, &first).await, *one);
    let then = back(&house, &callback, &format!("{second}; {first}")).await;
    let then = session(&then).expect("a session");
    assert_eq!(who(&house, &then).await, *other);
    assert_eq!(
        who(&house, &first).await,
        "nobody",
        "what the browser had before is over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_discord_ends_a_sign_in() {
    let house = House::start().await;
    let visitor = &house.discord.visitor;
    for issuer in [
        "https://evil.example",
        "https://discord.com",
        "x",
        "https://evil.example/?x=https://discord.com",
    ] {
        let attempt = Attempt::of(&house, visitor).await;
        is_refused(
            &house,
            issuer,
            &attempt.with(&[("iss", issuer)]),
            &attempt.cookie,
        )
        .await;
        is_refused(&house, "used by that", &attempt.callback, &attempt.cookie).await;
    }
    let attempt = Attempt::of(&house, visitor).await;
    let url = attempt.with(&[("iss", &house.discord.url)]);
    let ended = back(&house, &url, &attempt.cookie).await;
    assert!(session(&ended).is_some(), "{url}");
    let attempt = Attempt::of(&house, visitor).await;
    let long = "x".repeat(600);
    for changes in [
        &[("code", "")][..],
        &[("code", &long)],
        &[("error", "server_error")],
        &[("code", "\0\r\n")],
    ] {
        let answer = back(&house, &attempt.with(changes), &attempt.cookie).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{changes:?}");
        assert_eq!(session(&answer), None, "{changes:?}");
    }
    unharmed(&house);
}
