//! Whoever joins a lobby in Discord is in a room of their own a moment later; who cannot have one stays
//! and is told why.

use serde_json::{Value, json};

use super::{
    stage::{LOBBY, PARENT, SECOND_PARENT, Stage},
    truth,
};
use crate::{
    commands::{
        stage::{member, room_of},
        teller::Teller,
    },
    house::{Discord, SOON, until},
};

const IDLE: &str = "2s";

fn lobbies() -> String {
    json!([{"channel": LOBBY, "template": "{name}'s table", "limit": 3, "parent": SECOND_PARENT, "idle": IDLE}])
        .to_string()
}

async fn opened(more: &[(&str, &str)]) -> Stage {
    let lobbies = lobbies();
    let mut settings = vec![("LOBBIES", lobbies.as_str())];
    settings.extend_from_slice(more);
    Stage::open(&settings).await
}

/// Somebody joins the lobby, and is elsewhere then: where?
async fn joins(stage: &Stage, who: &str) -> String {
    stage.house.discord.voice(who, Some(LOBBY)).await;
    let moved = |truth: &Value| room_of(truth, who).is_some_and(|room| room != LOBBY);
    let truth = stage.until_within("they are moved", 2 * SOON, moved).await;
    room_of(&truth, who).expect("they are somewhere")
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_makes_a_room_of_ones_own_moves_one_there_and_says_where_its_page_is() {
    let stage = opened(&[]).await;
    // Nobody who joins has to know of Guildhall.
    let ada = member(&stage.house.discord, "ada", &[]).await;
    let room = joins(&stage, &ada).await;
    let truth = stage.until("the page's link is said", |truth| {
        !truth::said(truth, &room).is_empty()
    });
    let truth = truth.await;
    let channel = truth::channel(&truth, &room).expect("it is there");
    assert_eq!(channel["name"], "ada's table");
    assert_eq!(channel["userLimit"], 3);
    assert_eq!(channel["parentId"], SECOND_PARENT);
    let said = truth::said(&truth, &room);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(&stage.house.url("")), "{said:?}");
    let managed = stage.managed().await;
    assert_eq!((managed.len(), &managed[0]["ownerId"]), (1, &json!(ada)));

    // Who has a room is brought there.
    assert_eq!(joins(&stage, &ada).await, room);
    let ada = Teller::sign_in(&stage.house, &ada).await;
    stage
        .done(
            &ada,
            "setRoomLimit",
            &json!({"channelId": room, "limit": 7}),
        )
        .await;
    stage
        .done(
            &ada,
            "renameRoom",
            &json!({"channelId": room, "name": "The Den"}),
        )
        .await;
    stage.house.discord.voice(&ada.id, None).await;
    let gone = |truth: &Value| truth::channel(truth, &room).is_none();
    let truth = stage.until_within("it is over", 2 * SOON, gone).await;
    truth::assert_nothing_is_left(&stage.before, &truth);

    let again = joins(&stage, &ada.id).await;
    assert_ne!(again, room);
    let truth = stage.truth().await;
    let channel = truth::channel(&truth, &again).expect("it is there");
    assert_eq!(
        (&channel["name"], &channel["userLimit"]),
        (&json!("The Den"), &json!(7))
    );
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_get_a_room_each_with_one_message() {
    let stage = opened(&[]).await;
    let mut people = Vec::new();
    for number in 0..5 {
        people.push(member(&stage.house.discord, &format!("person{number}"), &[]).await);
    }
    for who in &people {
        stage.house.discord.voice(who, Some(LOBBY)).await;
    }
    let settled = |truth: &Value| {
        let room = |who: &String| room_of(truth, who).filter(|room| room != LOBBY);
        let rooms: Vec<_> = people.iter().filter_map(room).collect();
        rooms.len() == people.len() && rooms.iter().all(|room| truth::said(truth, room).len() == 1)
    };
    let truth = stage
        .until_within("all have a room", 2 * SOON, settled)
        .await;
    let rooms = truth::rooms(&stage.before, &truth);
    assert_eq!(rooms.len(), people.len());
    for who in &people {
        stage.house.discord.voice(who, None).await;
    }
    let over = |truth: &Value| truth::rooms(&stage.before, truth).is_empty();
    let truth = stage.until_within("all are over", 2 * SOON, over).await;
    truth::assert_nothing_is_left(&stage.before, &truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_room_cannot_be_made_stays_and_is_told_why() {
    let lobbies = lobbies();
    let stage = Stage::with(&[("LOBBIES", lobbies.as_str())], async |discord| {
        take_from_the_bot(discord, truth::MANAGE_CHANNELS).await;
    })
    .await;
    stage.house.gateway.until_logged("MANAGE_CHANNELS").await;
    let ada = member(&stage.house.discord, "ada", &[]).await;
    stage.house.discord.voice(&ada, Some(LOBBY)).await;
    let told = |truth: &Value| !truth::said(truth, LOBBY).is_empty();
    let truth = stage.until_within("they are told", 2 * SOON, told).await;
    let said = truth::said(&truth, LOBBY);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("MANAGE_CHANNELS") && said[0].contains(&ada),
        "{said:?}"
    );
    assert_eq!(room_of(&truth, &ada).as_deref(), Some(LOBBY));
    truth::assert_nothing_is_left(&stage.before, &truth);

    let ben = stage.person("ben").await;
    let body = json!({"guildId": stage.guild(), "name": "Table"});
    let answer = stage.give(&ben, "createRoom", &body).await;
    assert_eq!(answer.told(), (409, "bot_forbidden"));
    let missing = &answer.body["error"]["missing"];
    assert!(
        missing.to_string().contains("MANAGE_CHANNELS"),
        "{answer:?}"
    );
}

/// Takes rights from the bot's own role.
async fn take_from_the_bot(discord: &Discord, rights: u64) {
    let state = discord.state().await;
    let mut roles = truth::list(&state, "roles").iter();
    let role = roles.find(|role| role["managed"] == true);
    let role = role.expect("the bot's own");
    let all: u64 = truth::text(&role["permissions"]).parse().expect("bits");
    let less = json!({"permissions": (all & !rights).to_string()});
    let path = format!("/sim/roles/{}", truth::text(&role["id"]));
    discord.patch(&path, &less).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bot_lacks_is_said_at_the_start_and_once() {
    let stage = Stage::with(&[], async |discord| {
        take_from_the_bot(discord, truth::MANAGE_CHANNELS).await;
    })
    .await;
    let gateway = &stage.house.gateway;
    let said = |missing: &str| format!("The bot lacks {missing} in this guild");
    gateway.until_logged(&said("MANAGE_CHANNELS")).await;
    let comes_again = async || {
        for over in [false, true] {
            let outage = json!({"kind": "outage", "guildId": stage.guild(), "over": over});
            stage.house.discord.fault(outage).await;
            until("its availability is told", async || {
                let shown = stage.house.state(&stage.moderator.cookie).await;
                let guilds = shown["guilds"].as_array().into_iter().flatten();
                let mut first = guilds.filter(|guild| guild["id"] == stage.guild());
                first.any(|guild| (guild["available"] == true) == over)
            })
            .await;
        }
    };
    comes_again().await;
    // It is something else, and said behind whatever was to be said before.
    take_from_the_bot(&stage.house.discord, truth::MANAGE_ROLES).await;
    comes_again().await;
    gateway
        .until_logged(&said("MANAGE_CHANNELS, MANAGE_ROLES"))
        .await;
    let log = gateway.log();
    let lines = log.lines().filter(|line| line.contains("The bot lacks"));
    let of_guild = lines.filter(|line| line.contains(stage.guild()));
    assert_eq!(of_guild.count(), 2, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guild_that_is_full_of_rooms_tells_whoever_joins_a_lobby() {
    let stage = opened(&[("ROOMS_MAX", "1")]).await;
    let ben = stage.person("ben").await;
    let room = stage.room(&ben, "The one").await;
    stage.voice(&ben.id, Some(&room)).await;
    let ada = member(&stage.house.discord, "ada", &[]).await;
    stage.house.discord.voice(&ada, Some(LOBBY)).await;
    let told = |truth: &Value| truth::said(truth, LOBBY).len() == 1;
    let truth = stage.until_within("they are told", 2 * SOON, told).await;
    assert_eq!(room_of(&truth, &ada).as_deref(), Some(LOBBY));
    assert_eq!(truth::rooms(&stage.before, &truth), [room]);
    let channel = truth::channel(&truth, &truth::rooms(&stage.before, &truth)[0]);
    assert_eq!(channel.expect("it is there")["parentId"], PARENT);
    stage.close_all().await;
}
