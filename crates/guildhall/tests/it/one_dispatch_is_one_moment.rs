//! What one dispatch changes is one moment: whoever looks sees the world before it or after it,
//! however fast they look.

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::house::{House, SOON, until};

/// So many times, since what is looked for lasts for microseconds.
const TRIES: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_shown_a_name_from_while_the_room_was_hidden() {
    let house = House::start().await;
    let discord = &house.discord;
    let (cookie, mut stream) = house.visit().await;
    let hidden = overwrites(&discord.state().await, &discord.gated);
    let revealed: Vec<Value> = hidden
        .iter()
        .filter(|overwrite| overwrite["id"] != discord.guild.as_str())
        .cloned()
        .collect();
    assert!(revealed.len() < hidden.len(), "@everyone may not view it");

    for number in 0..TRIES {
        let (secret, name) = (format!("secret {number}"), format!("open {number}"));
        // Hides it again with a new name, which who loses the room must not learn.
        let hide = json!({"name": secret, "permissionOverwrites": hidden});
        discord.edit_channel(&discord.gated, &hide).await;
        until("the room is hidden", async || {
            !seen(&house, &cookie).await.contains(&discord.gated)
        })
        .await;
        let reveal = json!({"name": name, "permissionOverwrites": revealed});
        let revealing = discord.edit_channel(&discord.gated, &reveal);
        // No pause between the looks: the moment to be met is short.
        let looking = async { while !seen(&house, &cookie).await.contains(&name) {} };
        let looking = timeout(SOON, looking);
        tokio::join!(revealing, looking)
            .1
            .expect("the room is shown");
        let shown = stream.until("room.shown").await.data;
        assert_eq!(shown["name"], name.as_str());
    }
    assert!(!stream.raw.contains("secret"), "{}", stream.raw);
    let hidden = stream.raw.matches("event: room.hidden").count();
    assert_eq!(hidden, TRIES - 1, "it was hidden at first");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_moves_is_always_in_one_room() {
    let house = House::start().await;
    let discord = &house.discord;
    let cookie = house.sign_in(&discord.visitor).await;
    let person = &discord.people[0];
    discord.voice(person, Some(&discord.rooms[1])).await;
    until("somebody is there", async || {
        room_of(&house, &cookie, person).await.as_ref() == Some(&discord.rooms[1])
    })
    .await;
    for number in 0..TRIES / 2 {
        let room = &discord.rooms[number % 2];
        let moving = discord.voice(person, Some(room));
        let looking = async {
            while room_of(&house, &cookie, person)
                .await
                .expect("in a room all the time")
                != *room
            {}
        };
        let looking = timeout(SOON, looking);
        tokio::join!(moving, looking).1.expect("the move is shown");
    }
}

/// `/api/state` as text; the secret names are in none of them.
async fn seen(house: &House, cookie: &str) -> String {
    let state = house.state(cookie).await.to_string();
    assert!(!state.contains("secret"), "{state}");
    state
}

async fn room_of(house: &House, cookie: &str, person: &str) -> Option<String> {
    let state = house.state(cookie).await;
    let rooms = state["guilds"][0]["rooms"].as_array().expect("rooms");
    let is_in = |room: &&Value| {
        let mut members = room["members"].as_array().into_iter().flatten();
        members.any(|member| member["userId"] == person)
    };
    let mut rooms = rooms.iter().filter(is_in);
    let room = rooms.next().map(|room| room["channelId"].as_str());
    assert!(rooms.next().is_none(), "in two rooms: {state}");
    room.flatten().map(str::to_owned)
}

fn overwrites(state: &Value, channel: &str) -> Vec<Value> {
    let guilds = state["guilds"].as_array().expect("guilds").iter();
    let mut channels = guilds.flat_map(|guild| guild["channels"].as_array().expect("channels"));
    let channel = channels.find(|known| known["id"] == channel);
    let overwrites = &channel.expect("the gated room")["permissionOverwrites"];
    overwrites.as_array().expect("overwrites").clone()
}
