use super::*;
use crate::a_browser_shows_it::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn to_whoever_has_the_address_and_tells_it_to_nobody() {
    let house = House::with(&[("DISCORD_INTENTS", "members")]).await;
    let discord = &house.discord;
    let (who, gated) = (discord.people[0].as_str(), discord.gated.as_str());
    discord.roles(who, &[&discord.gate_role]).await;
    discord.voice(&discord.people[1], Some(gated)).await;
    let cookie = house.sign_in(who).await;
    let link = house.overlay_link(&cookie, gated).await;
    let page = house.http.get(&link.url).send().await.expect("web answers");
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");

    let mut browser = Browser::start(&house).await;
    let path = link.url.strip_prefix(&house.url("/")).expect("ours");
    browser.step(json!({"step": "open", "path": path})).await;
    browser.sees(&discord.people[1], Some(gated)).await;
    discord.voice(&discord.people[2], Some(gated)).await;
    browser.sees(&discord.people[2], Some(gated)).await;
    discord
        .voice(&discord.people[1], Some(&discord.rooms[0]))
        .await;
    browser.sees(&discord.people[1], None).await;
    let seen = browser.step(json!({"step": "read"})).await;
    let rooms = seen["rooms"].as_object().expect("rooms");
    assert_eq!(rooms.keys().collect::<Vec<_>>(), [gated]);

    // Stream software puts its user's style in as an element.
    let style = json!({"step": "style", "css": ".person { outline-style: dashed }", "selector": ".person", "property": "outlineStyle"});
    let styled = browser.step(style).await;
    assert_eq!(styled["value"], "dashed");
    assert_eq!(styled["ground"], "rgba(0, 0, 0, 0)", "it is transparent");

    discord.roles(who, &[]).await;
    let gone =
        json!({"step": "expect_room", "channelId": gated, "shown": false, "withinMs": 1_000});
    browser.step(gone).await;
    let over = json!({"step": "expect_connection", "state": "signed-out", "withinMs": 1_000});
    browser.step(over).await;
    let seen = browser.step(json!({"step": "read"})).await;
    assert_eq!(seen["text"], "", "nothing is said on air");

    let asked = browser.step(json!({"step": "requests"})).await;
    let asked = asked["requests"].as_array().expect("requests");
    let pictures = asked
        .iter()
        .filter(|one| one["url"].to_string().contains(&discord.url));
    assert!(pictures.count() > 0, "pictures come from elsewhere");
    for one in asked {
        assert_eq!(one["referer"], Value::Null, "{one}");
        let has_token = one["url"].to_string().contains(&link.token);
        assert_eq!(has_token, one["type"] == "document", "{one}");
    }
    let errors = browser.step(json!({"step": "console_errors"})).await;
    // Chromium's own word for the 404 or 401 of a stream that is over is none of ours.
    let faults = errors["errors"].as_array().cloned().unwrap_or_default();
    let ours = |fault: &&Value| !fault.to_string().contains("Failed to load resource");
    assert_eq!(faults.iter().filter(ours).count(), 0, "{faults:?}");
    browser.step(json!({"step": "close"})).await;
}
