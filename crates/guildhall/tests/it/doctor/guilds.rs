use serde_json::json;

use super::ward::{healthy, look, look_with, overwrite, until_blind};

#[tokio::test(flavor = "multi_thread")]
async fn a_guild_that_the_bot_is_not_in_is_named() {
    let house = healthy(&[]).await;
    let both = format!("{},4177", house.discord.guild);
    let report = look(&house, &[("DISCORD_GUILD_ID", &both)]).await;
    report.assert_found(&["guilds"], "the guild 4177, in which the bot is not");
    let cure = report.cure("guilds");
    assert!(cure[0].contains("oauth2/authorize?client_id="), "{cure:?}");
    assert!(cure[1].contains("DISCORD_GUILD_ID"), "{cure:?}");
    let one = house.discord.guild.as_str();
    look(&house, &[("DISCORD_GUILD_ID", one)])
        .await
        .assert_healthy();
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_that_the_bot_lacks_are_named_for_each_guild() {
    const MOVE_MEMBERS: u64 = 1 << 24;
    let house = healthy(&[]).await;
    let state = house.discord.state().await;
    let guild = &state["guilds"][0];
    let roles = guild["roles"].as_array().expect("roles");
    let role = roles.iter().find(|role| role["managed"] == true);
    let role = role.expect("the bot's role");
    let permissions: u64 = role["permissions"]
        .as_str()
        .expect("bits")
        .parse()
        .expect("bits");
    let path = format!("/sim/roles/{}", role["id"].as_str().expect("an id"));
    let give = async |bits: u64| {
        let edit = json!({"permissions": bits.to_string()});
        house.discord.patch(&path, &edit).await;
    };
    give(permissions & !MOVE_MEMBERS).await;
    let report = look(&house, &[]).await;
    let name = guild["name"].as_str().expect("a name");
    report.assert_found(&["permissions"], name);
    report.assert_found(&["permissions"], "the bot lacks MOVE_MEMBERS");
    assert!(report.cure("permissions")[0].contains("the bot's role"));
    give(permissions).await;
    look(&house, &[]).await.assert_healthy();
    // Only who has a setting for it needs it.
    give(permissions & !(1 << 7)).await;
    look(&house, &[]).await.assert_healthy();
    let report = look(&house, &[("DISCORD_INTENTS", "moderation")]).await;
    report.assert_found(&["permissions"], "VIEW_AUDIT_LOG");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_the_bot_may_not_view_is_named_by_a_house_that_runs() {
    const VIEW_CHANNEL: &str = "1024";
    let house = healthy(&[]).await;
    let (room, guild) = (
        house.discord.rooms[1].as_str(),
        house.discord.guild.as_str(),
    );
    let hidden = json!({"id": guild, "type": 0, "allow": "0", "deny": VIEW_CHANNEL});
    overwrite(&house, room, json!([hidden])).await;
    until_blind(&house, 1).await;
    let report = look(&house, &[]).await;
    report.assert_found(&["blind-channels"], room);
    report.assert_found(&["blind-channels"], &format!("/channels/{guild}/{room}"));
    let cure = report.cure("blind-channels");
    assert!(cure[0].contains("VIEW_CHANNEL"), "{cure:?}");
    let bot = house.discord.application_id.as_str();
    let seen = json!({"id": bot, "type": 1, "allow": VIEW_CHANNEL, "deny": "0"});
    overwrite(&house, room, json!([hidden, seen])).await;
    until_blind(&house, 0).await;
    look(&house, &[]).await.assert_healthy();

    let alone = ["--idle", "1s", "--role", "gateway"];
    let report = look_with(&house, &[], &alone).await;
    report.assert_passed("blind-channels");
}
