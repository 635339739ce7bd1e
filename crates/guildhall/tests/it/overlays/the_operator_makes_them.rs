use super::*;
use crate::house::Process;

/// What `guildhall overlay-link` prints, and its exit code.
async fn overlay_link(house: &House, asked: &[&str]) -> (String, i32) {
    let ops = format!("http://127.0.0.1:{}", house.ports.web_ops);
    let asked = [asked, &["--ops", &ops]].concat();
    let mut process = Process::start("overlay-link", &asked, &[], house.folder());
    let code = process.ended().await.code().expect("an exit code");
    (process.printed() + &process.log(), code)
}

/// The token in an address.
fn token_in(url: &str) -> &str {
    url.split_once("?overlay=").expect("an address of a link").1
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_shell_for_somebody_who_never_signed_in() {
    let house = House::start().await;
    let discord = &house.discord;
    let (who, here) = (discord.people[0].as_str(), discord.rooms[0].as_str());
    let place = ["--user", who, "--channel", here];
    let (printed, code) = overlay_link(&house, &place).await;
    assert_eq!(code, 0, "{printed}");
    let url = printed.lines().next().expect("a line");
    assert!(
        url.starts_with(&house.url("/overlay?overlay=")),
        "{printed}"
    );
    let id = printed.rsplit("--revoke ").next().expect("how it is ended");
    let link = Link {
        id: id.trim().to_owned(),
        token: token_in(url).to_owned(),
        url: url.to_owned(),
    };
    let mut open = house.overlay(&link).await;
    let listed = format!("http://127.0.0.1:{}/admin/streams", house.ports.web_ops);
    let listed = house.http.get(listed).send().await.expect("it answers");
    let listed: Value = listed.json().await.expect("JSON");
    let listed = listed["overlays"][0]["id"].as_str().expect("an id");
    assert!(!printed.contains(listed), "each time it is sealed anew");

    // What is listed ends it as much as what was printed.
    let (printed, code) = overlay_link(&house, &["--revoke", listed]).await;
    assert_eq!(code, 0, "{printed}");
    ends(&mut open, "session_revoked").await;
    for again in [&*link.id, &link.url, &link.token] {
        let (printed, code) = overlay_link(&house, &["--revoke", again]).await;
        assert_eq!(code, 0, "as often as one likes: {printed}");
    }
    let status = house.overlay_status(&house.ports, &link.token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn for_programs_as_json_and_with_a_sentence_where_there_is_none() {
    let house = House::start().await;
    let discord = &house.discord;
    let (who, here) = (discord.people[0].as_str(), discord.rooms[0].as_str());
    let place = ["--user", who, "--channel", here];
    let json = [&place[..], &["--days", "2", "-o", "json"]].concat();
    let (printed, code) = overlay_link(&house, &json).await;
    assert_eq!(code, 0, "{printed}");
    let made: Value = serde_json::from_str(&printed).expect("JSON");
    let status = token_in(made["url"].as_str().expect("a URL"));
    let status = house.overlay_status(&house.ports, status).await;
    assert_eq!(status, StatusCode::OK);
    for (asked, sentence) in [
        (
            &["--user", who, "--channel", &discord.gated][..],
            "does not see it",
        ),
        (&["--user", who, "--channel", "1"], "no such voice channel"),
        (&["--user", "1", "--channel", here], "does not see it"),
        (&["--revoke", "none"], "no overlay link of this house"),
        // As one that begins with a hyphen, which is a letter of base64url.
        (&["--revoke", "-none"], "no overlay link of this house"),
        (&["--user", who], "--channel"),
        (&["--user", who, "--channel", here, "--days", "31"], "31"),
        (&["--revoke", "none", "--user", who], "cannot be used with"),
    ] {
        let (printed, code) = overlay_link(&house, asked).await;
        assert_ne!(code, 0, "{asked:?}");
        assert!(printed.contains(sentence), "{asked:?}: {printed}");
    }
    // As /admin is everywhere: for this machine's programs, and as JSON.
    let url = format!(
        "http://127.0.0.1:{}/admin/overlay-links",
        house.ports.web_ops
    );
    let body = json!({ "userId": who, "channelId": here });
    for (said, status) in [
        (&[("origin", "https://evil.example")][..], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("x-forwarded-for", "203.0.113.7")], 403),
        (&[], 200),
    ] {
        let request = house.http.post(&url).json(&body);
        let request = said
            .iter()
            .fold(request, |it, (name, value)| it.header(*name, *value));
        let answer = request.send().await.expect("it answers");
        assert_eq!(answer.status().as_u16(), status, "{said:?}");
    }
    for wrong in [
        json!({ "userId": who }),
        json!([who, here]),
        json!({ "userId": who, "channelId": here, "expiresInSeconds": 0 }),
    ] {
        let answer = house
            .http
            .post(&url)
            .json(&wrong)
            .send()
            .await
            .expect("it answers");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
}
