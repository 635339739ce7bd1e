//! With `GUILDS_JOIN` the login of whoever comes by an invite brings them into its guild, and nobody
//! else anywhere.

use serde_json::json;

use super::{stage::Stage, truth};
use crate::{
    commands::teller::Teller,
    house::{cookie_of, location_of},
};

/// Signs somebody in by an invite's link; answers with what was asked for, and the cookie.
async fn signs_in(stage: &Stage, user: &str, token: &str) -> (String, Option<String>) {
    let house = &stage.house;
    let path = format!("/auth/login?returnTo=%2F&invite={token}");
    let login = house.get(&path, None).await;
    if !login.status().is_redirection() {
        return (String::new(), None);
    }
    let attempt = cookie_of(&login).expect("the login sets a cookie");
    let asked = location_of(&login);
    let consent = house.http.get(format!("{asked}&sim_user={user}"));
    let consent = consent.send().await.expect("Discord answers");
    let callback = house
        .http
        .get(location_of(&consent))
        .header("cookie", attempt);
    let callback = callback.send().await.expect("the callback answers");
    (asked, cookie_of(&callback))
}

fn is_member(truth: &serde_json::Value, user: &str) -> bool {
    let mut members = truth::list(truth, "members").iter();
    members.any(|one| one["userId"] == user)
}

/// Two people of the third guild who are not in the first, where rooms are made.
fn strangers(stage: &Stage) -> [String; 2] {
    let guilds = stage.before["guilds"].as_array().expect("a list");
    let theirs = guilds[2]["members"].as_array().expect("a list").iter();
    let mut out = theirs
        .map(|one| truth::text(&one["userId"]))
        .filter(|user| !is_member(&stage.before, user));
    [(); 2].map(|()| out.next().expect("some"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_invite_asks_for_it_and_brings_in_and_a_false_one_does_not() {
    let stage = Stage::open(&[("GUILDS_JOIN", "1")]).await;
    let ada = stage.person("ada").await;
    let room = stage.room(&ada, "Table").await;
    let token = stage.invite(&ada, &room, &json!({"seats": 1})).await;
    let [one, other] = strangers(&stage);

    let mut forged = token.clone();
    let last = if forged.ends_with('A') { "E" } else { "A" };
    forged.replace_range(60..61, if &forged[60..61] == last { "b" } else { last });
    let (asked, _) = signs_in(&stage, &other, &forged).await;
    assert!(!asked.contains("guilds.join"), "{asked}");
    assert!(!is_member(&stage.truth().await, &other));

    let (asked, cookie) = signs_in(&stage, &one, &token).await;
    assert!(asked.contains("guilds.join"), "{asked}");
    assert!(is_member(&stage.truth().await, &one));
    let one = Teller {
        id: one,
        cookie: cookie.expect("a cookie"),
    };
    let joined = stage.done(&one, "joinRoom", &json!({"token": token})).await;
    assert_eq!(joined.told(), (200, "waiting"));
    assert!(truth::gets_in(&stage.truth().await, &one.id, &room));
    // A plain login asks for nothing of the kind.
    let login = stage.house.get("/auth/login", None).await;
    assert!(!location_of(&login).contains("guilds.join"));

    stage
        .done(&ada, "revokeInvite", &json!({"token": token}))
        .await;
    let (asked, _) = signs_in(&stage, &other, &token).await;
    assert!(!asked.contains("guilds.join"), "{asked}");
    assert!(!is_member(&stage.truth().await, &other));
    for log in [stage.house.gateway.log(), stage.house.web.log()] {
        assert!(!log.contains(&token), "an invite is in a log");
    }
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_nobody_is_asked_and_nobody_is_added() {
    let stage = Stage::open(&[]).await;
    let ada = stage.person("ada").await;
    let room = stage.room(&ada, "Table").await;
    let token = stage.invite(&ada, &room, &json!({})).await;
    let [one, _] = strangers(&stage);
    let (asked, cookie) = signs_in(&stage, &one, &token).await;
    assert!(!asked.contains("guilds.join"), "{asked}");
    assert!(!is_member(&stage.truth().await, &one));
    if let Some(cookie) = cookie {
        let one = Teller { id: one, cookie };
        let answer = stage.give(&one, "joinRoom", &json!({"token": token})).await;
        assert!(matches!(answer.status, 403 | 404), "{answer:?}");
    }
    stage.close_all().await;
}
