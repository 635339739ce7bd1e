/// A false Discord that answers what it is told to.
mod scripted;
/// Every route with everything that Discord may answer.
mod table;

use guildhall_model::{
    ChannelId, GuildId, Permissions, RoleId, UserId,
    guild::{Membership, Overwrite, OverwriteTarget},
};
use serde_json::json;

use super::*;
use crate::config::tests::NAMES;
use scripted::{Reply, Scripted};

const GUILD: GuildId = GuildId(7);
const CHANNEL: ChannelId = ChannelId(8);
const USER: UserId = UserId(9);
const ROLE: RoleId = RoleId(10);

#[tokio::test]
async fn members_guests_and_strangers_are_told_apart() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    let roles = vec![RoleId(3), RoleId(9)];
    let timed_out = json!({
        "roles": [], "communication_disabled_until": "2022-01-01T00:00:00.000000+00:00",
    });
    let until = Some(1_640_995_200_000);
    for (status, body, expected) in [
        (
            200,
            json!({
                "roles": ["9", "3", "9"], "flags": 1, "user": {"id": "1"},
                "communication_disabled_until": null,
            }),
            Ok(Membership::member(roles)),
        ),
        (
            200,
            timed_out,
            Ok(Membership::member(Vec::new()).timed_out_until(until)),
        ),
        (
            200,
            json!({"roles": [], "flags": 16}),
            Ok(Membership::guest(Vec::new())),
        ),
        (
            404,
            json!({"message": "Unknown Member", "code": 10_007}),
            Ok(Membership::Stranger),
        ),
    ] {
        discord.reply(Reply::Json(status, body));
        assert_eq!(rest.membership(GUILD, USER).await, expected);
    }
    let unreadable = json!({"roles": [], "communication_disabled_until": "soon"});
    for (reply, code) in [
        (Reply::Json(403, json!({"code": 50_001})), 50_001),
        (Reply::Text(502, "<html>"), 0),
        (Reply::Json(200, json!([])), 0),
        (Reply::Json(200, unreadable), 0),
    ] {
        discord.reply(reply);
        let error = rest.membership(GUILD, USER).await.expect_err("no answer");
        assert_eq!(error.code(), code);
        let unreachable = matches!(error, RestError::Unreachable(_));
        assert_eq!(unreachable, code == 0, "{error:?}");
    }
}

#[tokio::test]
async fn the_bot_says_who_it_is() {
    let discord = Scripted::new().await;
    let limit = json!({"total": 1000, "remaining": 999, "reset_after": 5, "max_concurrency": 1});
    discord.reply(Reply::Json(
        200,
        json!({"url": "wss://g", "shards": 1, "session_start_limit": limit}),
    ));
    let answer = discord.client().gateway_bot().await.expect("an answer");
    assert_eq!(
        (answer.url.as_str(), answer.session_start_limit.remaining),
        ("wss://g", 999)
    );
    let request = discord.requests().remove(0);
    assert_eq!(request.line(), "GET /api/v10/gateway/bot");
    assert_eq!(request.header("authorization"), "Bot a-token");
    assert!(request.header("user-agent").starts_with("DiscordBot ("));
    assert_eq!(request.body, json!(null));
}

#[tokio::test]
async fn acts_say_what_is_to_be_done_and_why() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    let terms = terms(Duration::from_secs(5));
    let reason = Some("für Ada\n");
    let terms = CallTerms { reason, ..terms };
    let to = |channel| rest.move_member(&terms, GUILD, USER, channel);
    to(Some(CHANNEL)).await.expect("moved");
    to(None).await.expect("disconnected");
    let change = |name, user_limit| {
        let change = ChannelChange { name, user_limit };
        rest.modify_channel(&terms, CHANNEL, change)
    };
    change(Some("Lounge"), None).await.expect("renamed");
    change(None, Some(5)).await.expect("limited");
    change(Some("Lounge"), Some(0)).await.expect("both");
    let status = rest.set_voice_status(&terms, CHANNEL, "Chess");
    status.await.expect("set");
    discord.reply(Reply::Json(201, json!({"roles": []})));
    let token = "theirs";
    let added = rest.add_member(&terms, GUILD, USER, token).await;
    assert_eq!(added, Ok(MemberAdded::Added));
    discord.reply(Reply::Text(204, ""));
    let added = rest.add_member(&terms, GUILD, USER, token).await;
    assert_eq!(added, Ok(MemberAdded::AlreadyMember));

    let (member, channel) = ("/api/v10/guilds/7/members/9", "/api/v10/channels/8");
    let expected = [
        (format!("PATCH {member}"), json!({"channel_id": "8"})),
        (format!("PATCH {member}"), json!({"channel_id": null})),
        (format!("PATCH {channel}"), json!({"name": "Lounge"})),
        (format!("PATCH {channel}"), json!({"user_limit": 5})),
        (
            format!("PATCH {channel}"),
            json!({"name": "Lounge", "user_limit": 0}),
        ),
        (
            format!("PUT {channel}/voice-status"),
            json!({"status": "Chess"}),
        ),
        (format!("PUT {member}"), json!({"access_token": "theirs"})),
        (format!("PUT {member}"), json!({"access_token": "theirs"})),
    ];
    let requests = discord.requests();
    let said = requests.iter().map(|it| (it.line(), it.body.clone()));
    assert_eq!(said.collect::<Vec<_>>(), expected);
    for request in &requests {
        assert_eq!(request.header("content-type"), "application/json");
        let reason = if request.line().contains("PUT /api/v10/guilds") {
            ""
        } else {
            "f%C3%BCr%20Ada"
        };
        assert_eq!(request.header("x-audit-log-reason"), reason);
    }
}

#[tokio::test]
async fn rooms_are_made_of_channels_overwrites_roles_and_a_message() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    let terms = terms(Duration::from_secs(5));
    let reason = Some("createRoom by 9");
    let terms = &CallTerms { reason, ..terms };
    let own = Overwrite {
        target: OverwriteTarget::Member(USER),
        allow: Permissions::VIEW_CHANNEL | Permissions::CONNECT,
        deny: Permissions::NONE,
    };
    let draft = VoiceChannelDraft {
        name: "Table",
        user_limit: 4,
        parent_id: Some(ChannelId(5)),
        overwrites: &[own],
    };
    discord.reply(Reply::Json(
        201,
        json!({"id": "8", "type": 2, "name": "Table"}),
    ));
    let made = rest.create_voice_channel(terms, GUILD, draft).await;
    assert_eq!(made, Ok(CHANNEL));
    discord.reply(Reply::Json(200, json!({"id": "10", "name": "Table"})));
    assert_eq!(rest.create_role(terms, GUILD, "Table").await, Ok(ROLE));
    rest.put_overwrite(terms, CHANNEL, own).await.expect("put");
    rest.delete_overwrite(terms, CHANNEL, OverwriteTarget::Role(ROLE))
        .await
        .expect("taken");
    rest.give_role(terms, GUILD, USER, ROLE)
        .await
        .expect("given");
    rest.take_role(terms, GUILD, USER, ROLE)
        .await
        .expect("taken");
    rest.create_message(terms, CHANNEL, "@everyone", "n")
        .await
        .expect("written");
    rest.delete_role(terms, GUILD, ROLE).await.expect("deleted");
    rest.delete_channel(terms, CHANNEL).await.expect("deleted");

    let expected = what_rooms_are_made_of();
    let requests = discord.requests();
    let said = requests.iter().map(|it| (it.line(), it.body.clone()));
    let expected = expected.map(|(line, body)| (line.to_owned(), body));
    assert_eq!(said.collect::<Vec<_>>(), expected);
    for request in &requests {
        let takes_reason = !request.line().ends_with("/messages");
        let reason = if takes_reason {
            "createRoom%20by%209"
        } else {
            ""
        };
        assert_eq!(
            request.header("x-audit-log-reason"),
            reason,
            "{}",
            request.line()
        );
    }
}

/// In the order of the test before.
fn what_rooms_are_made_of() -> [(&'static str, Value); 9] {
    let bits = (1_u64 << 10 | 1 << 20).to_string();
    let overwrite = json!({"id": "9", "type": 1, "allow": bits, "deny": "0"});
    [
        (
            "POST /api/v10/guilds/7/channels",
            json!({
                "name": "Table", "type": 2, "user_limit": 4, "parent_id": "5",
                "permission_overwrites": [overwrite],
            }),
        ),
        (
            "POST /api/v10/guilds/7/roles",
            json!({"name": "Table", "permissions": "0"}),
        ),
        (
            "PUT /api/v10/channels/8/permissions/9",
            json!({"type": 1, "allow": bits, "deny": "0"}),
        ),
        ("DELETE /api/v10/channels/8/permissions/10", json!(null)),
        ("PUT /api/v10/guilds/7/members/9/roles/10", json!(null)),
        ("DELETE /api/v10/guilds/7/members/9/roles/10", json!(null)),
        (
            "POST /api/v10/channels/8/messages",
            json!({
                "content": "@everyone", "nonce": "n", "enforce_nonce": true,
                "allowed_mentions": {"parse": []},
            }),
        ),
        ("DELETE /api/v10/guilds/7/roles/10", json!(null)),
        ("DELETE /api/v10/channels/8", json!(null)),
    ]
}

#[tokio::test]
async fn what_is_gone_is_taken_away_and_what_was_made_is_never_said_not_to_be() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    let terms = &terms(Duration::from_secs(5));
    let gone = |code| discord.reply(Reply::Json(404, json!({"message": "no", "code": code})));
    gone(10_003);
    assert_eq!(rest.delete_channel(terms, CHANNEL).await, Ok(()));
    gone(10_011);
    assert_eq!(rest.delete_role(terms, GUILD, ROLE).await, Ok(()));
    gone(10_009);
    let target = OverwriteTarget::Member(USER);
    assert_eq!(rest.delete_overwrite(terms, CHANNEL, target).await, Ok(()));
    for code in [10_007, 10_011] {
        gone(code);
        assert_eq!(rest.take_role(terms, GUILD, USER, ROLE).await, Ok(()));
    }
    gone(10_007);
    let given = rest.give_role(terms, GUILD, USER, ROLE).await;
    assert!(matches!(given, Err(RestError::Refused(_))), "{given:?}");
    discord.reply(Reply::Json(201, json!({"odd": true})));
    let made = rest.create_role(terms, GUILD, "Table").await;
    assert!(matches!(made, Err(RestError::Unknown(_))), "{made:?}");
}

#[tokio::test]
async fn a_guilds_channels_and_roles_are_listed() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    let terms = &terms(Duration::from_secs(5));
    discord.reply(Reply::Json(
        200,
        json!([
            {"id": "8", "type": 2, "name": "Table", "user_limit": 4, "parent_id": "5",
             "permission_overwrites": [
                {"id": "9", "type": 1, "allow": "1024", "deny": "0"},
                {"id": "7", "type": 0, "allow": "0", "deny": "1024"},
            ]},
            {"id": "11", "type": 0, "name": "text", "parent_id": null},
        ]),
    ));
    let channels = rest.channels(terms, GUILD).await.expect("a list");
    let overwrite = |target, allow, deny| Overwrite {
        target,
        allow: Permissions(allow),
        deny: Permissions(deny),
    };
    assert_eq!(
        channels[0],
        ListedChannel {
            channel_id: CHANNEL,
            name: "Table".to_owned(),
            is_voice: true,
            user_limit: 4,
            parent_id: Some(ChannelId(5)),
            overwrites: vec![
                overwrite(OverwriteTarget::Member(USER), 1024, 0),
                overwrite(OverwriteTarget::Role(RoleId(7)), 0, 1024),
            ],
        }
    );
    assert!(!channels[1].is_voice && channels[1].overwrites.is_empty());
    discord.reply(Reply::Json(
        200,
        json!([{"id": "10", "name": "Table", "color": 0}]),
    ));
    let roles = rest.roles(terms, GUILD).await.expect("a list");
    assert_eq!((roles[0].role_id, roles[0].name.as_str()), (ROLE, "Table"));
}

#[tokio::test]
async fn what_is_there_now_can_be_asked_for() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    let terms = terms(Duration::from_secs(5));
    let unknown = json!({"message": "Unknown Voice State", "code": 10_065});
    for (status, body, place) in [
        (
            200,
            json!({"channel_id": "8", "user_id": "9"}),
            Some(CHANNEL),
        ),
        (200, json!({"channel_id": null}), None),
        (404, unknown, None),
    ] {
        discord.reply(Reply::Json(status, body));
        assert_eq!(rest.voice_state(&terms, GUILD, USER).await, Ok(place));
    }
    for (body, user_limit) in [
        (json!({"name": "Lounge", "user_limit": 5}), 5),
        (json!({"name": "Lounge"}), 0),
    ] {
        discord.reply(Reply::Json(200, body));
        let name = "Lounge".to_owned();
        let state = ChannelState { name, user_limit };
        assert_eq!(rest.channel(&terms, CHANNEL).await, Ok(state));
    }
    let lines: Vec<String> = discord
        .requests()
        .iter()
        .map(scripted::Seen::line)
        .collect();
    assert_eq!(lines[0], "GET /api/v10/guilds/7/voice-states/9");
    assert_eq!(lines[3], "GET /api/v10/channels/8");
}

#[tokio::test]
async fn a_slow_route_keeps_no_other_waiting() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    let terms = terms(Duration::from_mins(1));
    discord.reply(Reply::Hang);
    let slow = rest.voice_state(&terms, GUILD, USER);
    let others = async {
        discord.wait_for(1).await;
        rest.move_member(&terms, GUILD, USER, None).await?;
        rest.set_voice_status(&terms, CHANNEL, "").await
    };
    tokio::select! {
        answer = slow => panic!("it hangs: {answer:?}"),
        others = others => assert_eq!(others, Ok(())),
    }
}

#[tokio::test]
async fn nobody_there_is_said_with_the_cause_and_without_the_token() {
    let rest = scripted::client("http://127.0.0.1:1");
    let error = rest
        .gateway_bot()
        .await
        .expect_err("nothing listens on port 1")
        .to_string();
    assert!(error.to_lowercase().contains("refused"), "{error}");
    assert!(!format!("{rest:?}{error}").contains("a-token"));
}

/// A command's, for a call that waits as long as it has time.
fn terms(time: Duration) -> CallTerms<'static> {
    CallTerms {
        caller: RestCaller::Command(UserId(1)),
        deadline: now() + time,
        longest_throttle: time,
        reason: None,
    }
}
