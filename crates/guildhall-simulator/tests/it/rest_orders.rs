//! Overwrites for one and for nobody, roles in their order, bans that sweep.

use serde_json::{Value, json};

use crate::{
    house::{Failure, House, Outcome},
    rest_acts::{ADMINISTRATOR, WIDE, call, empower},
};

const VIEW_CHANNEL: u64 = 1 << 10;
const SPEAK: u64 = 1 << 21;
const MUTE_MEMBERS: u64 = 1 << 22;
const MANAGE_ROLES: u64 = 1 << 28;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_overwrite_is_for_somebody_and_the_last_for_one_counts() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let keeper = house.role("Keeper").await?;
    let make = async |overwrites: Value| {
        let body = json!({"name": "Nook", "type": 2, "permission_overwrites": overwrites});
        let path = format!("/guilds/{guild}/channels");
        call(&house, "POST", &path, Some(body)).await
    };
    let allow = VIEW_CHANNEL.to_string();
    let (status, nook) = make(json!([
        {"id": keeper, "type": 0, "deny": allow},
        {"id": guild, "type": 0, "deny": SPEAK.to_string()},
        {"id": keeper, "type": 0, "allow": allow},
    ]))
    .await?;
    assert_eq!(status, 201);
    let stored = json!([
        {"id": guild, "type": 0, "allow": "0", "deny": SPEAK.to_string()},
        {"id": keeper, "type": 0, "allow": allow, "deny": "0"},
    ]);
    assert_eq!(nook["permission_overwrites"], stored);
    for (kind, code) in [(0, 10_011), (1, 10_013)] {
        let nobody = json!([{"id": "5", "type": kind, "allow": allow}]);
        assert_eq!(make(nobody.clone()).await?.1["code"], code);
        let path = format!("/channels/{}", text(&nook["id"]));
        let body = json!({"permission_overwrites": nobody});
        let (_, refusal) = call(&house, "PATCH", &path, Some(body)).await?;
        assert_eq!(refusal["code"], code);
    }
    // What the channel has of a role that is gone may be sent back.
    house
        .act("DELETE", &format!("/sim/roles/{keeper}"), json!({}))
        .await?;
    let path = format!("/channels/{}", text(&nook["id"]));
    let back = json!({"permission_overwrites": stored});
    assert_eq!(call(&house, "PATCH", &path, Some(back)).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn who_manages_roles_in_a_channel_gives_there_what_it_lacks_itself() -> Outcome {
    let house = House::open().await?;
    let (hearth, hall) = (
        house.channel("The Hearth").await?,
        house.channel("The Hall").await?,
    );
    let (bot, guild) = (house.application.id, house.application.guild_id);
    let own = |channel: &str| format!("/sim/channels/{channel}/permissions/{bot}");
    let path = format!("/channels/{hearth}/permissions/{guild}");
    let put = async |right: u64| -> Result<u16, Failure> {
        let body = json!({"type": 0, "allow": right.to_string()});
        Ok(call(&house, "PUT", &path, Some(body)).await?.0)
    };
    let allow = |right: u64| json!({"type": 1, "allow": right.to_string()});
    assert_eq!(put(MUTE_MEMBERS).await?, 403);
    assert_eq!(put(MANAGE_ROLES).await?, 403);
    house.act("PUT", &own(&hearth), allow(MANAGE_ROLES)).await?;
    assert_eq!(put(MUTE_MEMBERS).await?, 204);
    assert_eq!(put(MANAGE_ROLES).await?, 204);
    assert_eq!(put(VIEW_CHANNEL).await?, 204);
    house.act("DELETE", &own(&hearth), json!({})).await?;
    assert_eq!(put(MUTE_MEMBERS | VIEW_CHANNEL).await?, 403);
    house.act("PUT", &own(&hall), allow(MUTE_MEMBERS)).await?;
    assert_eq!(
        put(MUTE_MEMBERS | VIEW_CHANNEL).await?,
        204,
        "the bot has it in the category"
    );
    Ok(())
}

#[tokio::test]
async fn a_channel_that_moves_with_its_permissions_locked_takes_those_of_the_category() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let path = format!("/guilds/{}/channels", house.application.guild_id);
    let below = house.channel("Below").await?;
    let (_, category) = call(&house, "GET", &format!("/channels/{below}"), None).await?;
    for (room, lock) in [("Table One", false), ("Table Two", true)] {
        let room = house.channel(room).await?;
        let body = json!([{"id": room, "parent_id": below, "lock_permissions": lock}]);
        assert_eq!(call(&house, "PATCH", &path, Some(body)).await?.0, 204);
        let (_, moved) = call(&house, "GET", &format!("/channels/{room}"), None).await?;
        assert_eq!(moved["parent_id"], json!(below));
        let expected = if lock {
            category["permission_overwrites"].clone()
        } else {
            json!([])
        };
        assert_eq!(moved["permission_overwrites"], expected);
    }
    assert_ne!(category["permission_overwrites"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_role_that_moves_makes_the_others_move_and_stands_in_the_log() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let path = format!("/guilds/{guild}/roles");
    let (mut client, ..) = house.bot(WIDE).await?;
    let keeper = house.role("Keeper").await?;
    let sort = async |id: &str, position: u16| {
        let body = json!([{"id": id, "position": position}]);
        call(&house, "PATCH", &path, Some(body)).await
    };
    let (status, roles) = sort(&keeper, 3).await?;
    assert_eq!(status, 200);
    let mut order: Vec<_> = roles
        .as_array()
        .into_iter()
        .flatten()
        .map(|role| (role["position"].as_u64(), text(&role["name"])))
        .collect();
    order.sort();
    let names: Vec<_> = order.iter().map(|(_, name)| name.as_str()).collect();
    let expected = [
        "@everyone",
        "Game Master",
        "Adventurer",
        "Keeper",
        "Doorkeeper",
    ];
    assert_eq!(names, expected);
    assert!(
        order
            .iter()
            .zip(0..)
            .all(|(one, place)| one.0 == Some(place))
    );

    let heard = client.until_now().await?;
    let told: Vec<_> = heard
        .iter()
        .filter(|(name, _)| name == "GUILD_ROLE_UPDATE")
        .map(|(_, data)| {
            (
                text(&data["role"]["name"]),
                data["role"]["position"].clone(),
            )
        })
        .collect();
    let expected = [("Game Master", 1), ("Adventurer", 2), ("Keeper", 3)];
    assert_eq!(
        told,
        expected.map(|(name, at)| (name.to_owned(), json!(at)))
    );
    let entries: Vec<_> = heard
        .iter()
        .filter(|(name, _)| name == "GUILD_AUDIT_LOG_ENTRY_CREATE")
        .collect();
    let [(_, entry)] = entries[..] else {
        return Err(format!("one entry, not {entries:?}").into());
    };
    assert_eq!(
        (&entry["action_type"], &entry["target_id"]),
        (&json!(31), &json!(keeper))
    );
    let change = json!([{"key": "position", "old_value": 1, "new_value": 3}]);
    assert_eq!(entry["changes"], change);

    assert_eq!(sort(&keeper, 3).await?.0, 200);
    assert_eq!(client.until_now().await?.len(), 0, "nothing moved");
    assert_eq!(sort(&guild.to_string(), 2).await?.1["code"], 50_028);
    let own = format!("{path}/{guild}");
    let name = |name: &str| Some(json!({"name": name}));
    let (_, refusal) = call(&house, "PATCH", &own, name("all")).await?;
    assert_eq!(refusal["code"], 50_028);
    let rights = Some(json!({"permissions": VIEW_CHANNEL.to_string()}));
    assert_eq!(call(&house, "PATCH", &own, rights).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn a_role_given_three_times_is_there_once() -> Outcome {
    let house = House::open().await?;
    let (keeper, master) = (
        house.role("Keeper").await?,
        house.role("Game Master").await?,
    );
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    let adventurer = house.role("Adventurer").await?;
    let path = format!("/guilds/{guild}/members/{user}");
    let body = json!({"roles": [keeper, master, keeper, adventurer, keeper]});
    let (_, member) = call(&house, "PATCH", &path, Some(body)).await?;
    assert_eq!(member["roles"], json!([keeper, master, adventurer]));
    let (_, counts) = call(
        &house,
        "GET",
        &format!("/guilds/{guild}/roles/member-counts"),
        None,
    )
    .await?;
    assert_eq!(counts[&keeper], 4);
    Ok(())
}

#[tokio::test]
async fn a_ban_takes_back_what_was_said_and_is_told_once() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    let other = house.guild().await?["members"][1]["userId"].clone();
    let rooms = [
        house.channel("front-desk").await?,
        house.channel("game-night").await?,
    ];
    let say = async |room: &str, author: &Value| -> Result<Value, Failure> {
        let body = json!({"channelId": room, "authorId": author, "content": "spam"});
        Ok(house.act("POST", "/sim/messages", body).await?["id"].clone())
    };
    let author = json!(user);
    let one = say(&rooms[0], &author).await?;
    let stays = say(&rooms[0], &other).await?;
    let two = say(&rooms[0], &author).await?;
    let three = say(&rooms[1], &author).await?;
    let (mut client, ..) = house.bot(WIDE).await?;
    let path = format!("/guilds/{guild}/bans/{user}");
    let body = Some(json!({"delete_message_seconds": 3600}));
    assert_eq!(call(&house, "PUT", &path, body.clone()).await?.0, 204);
    let heard = client.until_now().await?;
    let names: Vec<_> = heard.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "GUILD_BAN_ADD",
            "GUILD_AUDIT_LOG_ENTRY_CREATE",
            "MESSAGE_DELETE_BULK",
            "MESSAGE_DELETE_BULK"
        ]
    );
    assert_eq!(heard[1].1["action_type"], 22);
    let (desk, game) = (&heard[2].1, &heard[3].1);
    assert_eq!(
        (&desk["channel_id"], &desk["ids"]),
        (&json!(rooms[0]), &json!([one, two]))
    );
    assert_eq!(
        (&game["channel_id"], &game["ids"]),
        (&json!(rooms[1]), &json!([three]))
    );
    let list = format!("/channels/{}/messages", rooms[0]);
    let (_, left) = call(&house, "GET", &list, None).await?;
    let left: Vec<_> = left.as_array().into_iter().flatten().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["id"], stays);

    assert_eq!(call(&house, "PUT", &path, body).await?.0, 204);
    assert_eq!(client.until_now().await?.len(), 0, "banned already");
    // Without a window everything stays.
    let path = format!("/guilds/{guild}/bans/{}", text(&other));
    assert_eq!(call(&house, "PUT", &path, None).await?.0, 204);
    let (_, left) = call(&house, "GET", &list, None).await?;
    assert_eq!(left.as_array().map(Vec::len), Some(1));
    Ok(())
}
