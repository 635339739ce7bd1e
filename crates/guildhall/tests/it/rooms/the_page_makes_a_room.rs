//! The manual test's steps, from the page, in two of Debian's Chromiums: one makes a room and copies a
//! link into it, the other comes in by it.

use serde_json::json;

use super::{stage::Stage, truth};
use crate::a_browser_shows_it::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_made_on_the_page_shared_and_closed() {
    let stage = Stage::open(&[]).await;
    let house = &stage.house;
    let (owner, guest) = (&house.discord.visitor, &house.discord.people[0]);
    let mut page = Browser::start(house).await;
    page.step(json!({"step": "open"})).await;
    page.step(json!({"step": "sign_in", "userId": owner})).await;
    let make = json!({"step": "create_room", "guildId": stage.guild(), "name": "Den"});
    let room = truth::text(&page.step(make).await["channelId"]);

    house.discord.voice(owner, Some(&room)).await;
    page.sees(owner, Some(&room)).await;
    house.discord.voice(owner, None).await;
    page.sees(owner, None).await;

    let invite = json!({"step": "invite", "channelId": room});
    let address = truth::text(&page.step(invite).await["address"]);
    let start = house.url("/");
    let path = address.strip_prefix(&start).expect("an address of ours");
    let mut other = Browser::start(house).await;
    other.step(json!({"step": "open", "path": path})).await;
    other
        .step(json!({"step": "sign_in", "userId": guest}))
        .await;
    other
        .step(json!({"step": "expect_room", "channelId": room, "shown": false}))
        .await;
    other.step(json!({"step": "press", "action": "join"})).await;
    other
        .step(json!({"step": "expect_room", "channelId": room, "shown": true}))
        .await;
    // Not in voice so far: they are moved as soon as they are.
    house
        .discord
        .voice(guest, Some(&house.discord.rooms[0]))
        .await;
    page.sees(guest, Some(&room)).await;
    other.sees(guest, Some(&room)).await;

    for action in ["close", "close-now"] {
        page.step(json!({"step": "press", "action": action, "channelId": room}))
            .await;
    }
    for browser in [&mut page, &mut other] {
        browser
            .step(json!({"step": "expect_room", "channelId": room, "shown": false}))
            .await;
        browser.step(json!({"step": "close"})).await;
    }
    let truth = stage.until_tidy().await;
    truth::assert_nothing_is_left(&stage.before, &truth);
}
