//! Sessions that end before their time, as those concerned see it.

/// `/admin` of the operator's listener.
mod the_operator_ends_them;
/// Somebody removes the application in Discord.
mod who_removes_the_application_is_signed_out;
/// Signing out, in one browser and in all.
mod who_signs_out_everywhere_is_out_everywhere;

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::house::{House, Stream};

/// Signs out as a page of ours does.
async fn sign_out(house: &House, cookie: &str, body: &'static str) -> Response {
    let request = house.http.post(house.url("/auth/logout"));
    let request = request
        .header("cookie", cookie)
        .header("origin", house.url(""))
        .header("content-type", "application/json");
    request.body(body).send().await.expect("web answers")
}

/// Signs somebody in and opens a stream, past its first snapshot.
async fn visit_as(house: &House, user: &str) -> (String, Stream) {
    let cookie = house.sign_in(user).await;
    let mut stream = house.stream(&cookie, "", None).await;
    stream.until("snapshot").await;
    (cookie, stream)
}

async fn is_signed_in(house: &House, cookie: &str) -> bool {
    let status = house.get("/api/me", Some(cookie)).await.status();
    assert!(
        [StatusCode::OK, StatusCode::UNAUTHORIZED].contains(&status),
        "{status}"
    );
    status == StatusCode::OK
}

/// A stream says that its session was ended, and is over.
async fn ends_as_revoked(stream: &mut Stream) {
    let bye = stream.until("bye").await;
    assert_eq!(bye.data["reason"], "session_revoked");
    assert!(stream.next().await.is_none(), "nothing comes after it");
}

/// A stream goes on: what happens now is on it.
async fn goes_on(house: &House, stream: &mut Stream, who: &str) {
    let discord = &house.discord;
    discord.voice(who, Some(&discord.rooms[0])).await;
    let joined = stream.until("voice.joined").await;
    assert_eq!(joined.data["userId"], Value::from(who));
}
