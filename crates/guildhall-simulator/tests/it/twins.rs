//! Each rule of Discord's once as a refusal, and once as the same call with the
//! one thing changed that the rule asks for.

use serde_json::{Value, json};

use crate::{
    house::{Failure, House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

const MANAGE_CHANNELS: u64 = 1 << 4;
const VIEW_CHANNEL: u64 = 1 << 10;
const READ_MESSAGE_HISTORY: u64 = 1 << 16;
const MANAGE_NICKNAMES: u64 = 1 << 27;
const MANAGE_ROLES: u64 = 1 << 28;
const MODERATE_MEMBERS: u64 = 1 << 40;

/// Method, path and body.
type Call = (&'static str, String, Value);

struct Twin {
    rule: &'static str,
    /// Through `/sim`, before anything.
    before: Vec<Call>,
    asked: Call,
    /// Discord's code of the refusal.
    code: u32,
    /// Through `/sim`, after the refusal.
    then: Vec<Call>,
    /// Instead of the same call.
    instead: Option<Value>,
    status: u16,
}

/// Ids of the first guild; the same in every house.
struct Names {
    guild: String,
    bot: String,
    user: String,
    keeper: String,
    master: String,
    doorkeeper: String,
    adventurer: String,
    desk: String,
}

impl Names {
    async fn of(house: &House) -> Result<Self, Failure> {
        Ok(Self {
            guild: house.application.guild_id.to_string(),
            bot: house.application.id.to_string(),
            user: house.application.member_id.to_string(),
            keeper: house.role("Keeper").await?,
            master: house.role("Game Master").await?,
            doorkeeper: house.role("Doorkeeper").await?,
            adventurer: house.role("Adventurer").await?,
            desk: house.channel("front-desk").await?,
        })
    }

    /// The bot has these permissions from the lowest role, and no other role.
    fn humbled(&self, permissions: u64) -> Vec<Call> {
        vec![
            may(&self.keeper, permissions),
            self.roles(&self.bot, &[&self.keeper]),
        ]
    }

    /// The bot's own role again, above the others.
    fn raised(&self) -> Vec<Call> {
        vec![self.roles(&self.bot, &[&self.keeper, &self.doorkeeper])]
    }

    fn roles(&self, user: &str, roles: &[&str]) -> Call {
        let path = format!("/sim/guilds/{}/members/{user}", self.guild);
        ("PATCH", path, json!({"roles": roles}))
    }

    fn of_guild(&self, path: &str) -> String {
        format!("/guilds/{}{path}", self.guild)
    }

    fn member(&self) -> String {
        self.of_guild(&format!("/members/{}", self.user))
    }
}

/// The role allows this and nothing else.
fn may(role: &str, permissions: u64) -> Call {
    let body = json!({"permissions": permissions.to_string()});
    ("PATCH", format!("/sim/roles/{role}"), body)
}

fn soon() -> Result<String, Failure> {
    let soon = time::OffsetDateTime::now_utc() + time::Duration::hours(1);
    Ok(soon.format(&time::format_description::well_known::Rfc3339)?)
}

fn twins(names: &Names) -> Result<Vec<Twin>, Failure> {
    let Names { keeper, master, .. } = names;
    let (member, user) = (names.member(), &names.user);
    let give = names.of_guild(&format!("/members/{user}/roles/{master}"));
    let timeout = json!({"communication_disabled_until": soon()?});
    let overwrite = format!("/channels/{}/permissions/{}", names.desk, names.adventurer);
    let sort = names.of_guild("/roles");
    Ok(vec![
        Twin {
            rule: "a role above the bot is not handed out",
            before: names.humbled(MANAGE_ROLES),
            asked: ("PUT", give, Value::Null),
            code: 50_013,
            then: names.raised(),
            instead: None,
            status: 204,
        },
        Twin {
            rule: "a role above the bot is not moved",
            before: names.humbled(MANAGE_ROLES),
            asked: (
                "PATCH",
                sort.clone(),
                json!([{"id": master, "position": 1}]),
            ),
            code: 50_013,
            then: names.raised(),
            instead: None,
            status: 200,
        },
        Twin {
            rule: "no role is moved above the bot",
            before: vec![],
            asked: ("PATCH", sort, json!([{"id": keeper, "position": 5}])),
            code: 50_013,
            then: vec![],
            instead: Some(json!([{"id": keeper, "position": 3}])),
            status: 200,
        },
        Twin {
            rule: "who outranks the bot is not renamed",
            before: {
                let mut before = names.humbled(MANAGE_NICKNAMES);
                before.push(names.roles(user, &[master]));
                before
            },
            asked: ("PATCH", member.clone(), json!({"nick": "Ash"})),
            code: 50_013,
            then: names.raised(),
            instead: None,
            status: 200,
        },
        Twin {
            rule: "an administrator is not timed out",
            before: vec![
                may(&names.doorkeeper, MODERATE_MEMBERS),
                may(master, ADMINISTRATOR),
                names.roles(user, &[master]),
            ],
            asked: ("PATCH", member, timeout),
            code: 50_013,
            then: vec![may(master, 0)],
            instead: None,
            status: 200,
        },
        Twin {
            rule: "MANAGE_ROLES stands in overwrites of administrators only",
            before: vec![may(&names.doorkeeper, MANAGE_ROLES | VIEW_CHANNEL)],
            asked: (
                "PUT",
                overwrite,
                json!({"type": 0, "allow": MANAGE_ROLES.to_string()}),
            ),
            code: 50_013,
            then: vec![may(&names.doorkeeper, ADMINISTRATOR)],
            instead: None,
            status: 204,
        },
    ])
}

async fn run(house: &House, acts: Vec<Call>) -> Outcome {
    for (method, path, body) in acts {
        house.act(method, &path, body).await?;
    }
    Ok(())
}

async fn ask(house: &House, (method, path, body): &Call) -> Result<(u16, Value), Failure> {
    let body = (!body.is_null()).then(|| body.clone());
    call(house, method, path, body).await
}

#[tokio::test]
async fn what_rank_forbids_is_refused_and_its_twin_is_not() -> Outcome {
    let names = Names::of(&House::open().await?).await?;
    for twin in twins(&names)? {
        let (house, rule) = (House::open().await?, twin.rule);
        run(&house, twin.before).await?;
        let (_, refusal) = ask(&house, &twin.asked).await?;
        assert_eq!(refusal["code"], twin.code, "{rule}: {refusal}");
        run(&house, twin.then).await?;
        let (method, path, body) = twin.asked;
        let call = (method, path, twin.instead.unwrap_or(body));
        let (status, answer) = ask(&house, &call).await?;
        assert_eq!(status, twin.status, "{rule}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reply_needs_the_history_and_a_message_takes_twenty_kinds_of_reactions() -> Outcome {
    let house = House::open().await?;
    let names = Names::of(&house).await?;
    let path = format!("/channels/{}/messages", names.desk);
    let (_, first) = call(&house, "POST", &path, Some(json!({"content": "one"}))).await?;
    let reply = json!({"content": "two", "message_reference": {"message_id": first["id"]}});
    let gate = format!("/sim/channels/{}/permissions/{}", names.desk, names.bot);
    let blind = json!({"type": 1, "deny": READ_MESSAGE_HISTORY.to_string()});
    house.act("PUT", &gate, blind).await?;
    let (status, refusal) = call(&house, "POST", &path, Some(reply.clone())).await?;
    assert_eq!((status, &refusal["code"]), (400, &json!(160_002)));
    house.act("DELETE", &gate, json!({})).await?;
    let (status, answer) = call(&house, "POST", &path, Some(reply)).await?;
    assert_eq!((status, &answer["type"]), (200, &json!(19)));

    let id = first["id"].as_str().unwrap_or_default();
    let react = async |number: u32| {
        // The faces from U+1F600 on, percent-encoded.
        let emoji = format!("%F0%9F%98%{:02X}", 0x80 + number);
        let path = format!("{path}/{id}/reactions/{emoji}/@me");
        call(&house, "PUT", &path, None).await
    };
    for number in 0..20 {
        assert_eq!(react(number).await?.0, 204);
    }
    assert_eq!(react(20).await?.1["code"], 30_010);
    assert_eq!(react(7).await?.0, 204, "a kind that is there already");
    Ok(())
}

#[tokio::test]
async fn an_invite_is_taken_back_by_who_manages_its_channel_or_the_guild() -> Outcome {
    const MANAGE_GUILD: u64 = 1 << 5;
    let house = House::open().await?;
    let hearth = house.channel("The Hearth").await?;
    for right in [MANAGE_CHANNELS, MANAGE_GUILD, ADMINISTRATOR] {
        empower(&house, 0).await?;
        let made = format!("/channels/{hearth}/invites");
        let (_, invite) = call(&house, "POST", &made, Some(json!({"unique": true}))).await?;
        let path = format!("/invites/{}", invite["code"].as_str().unwrap_or_default());
        assert_eq!(
            call(&house, "DELETE", &path, None).await?.1["code"],
            50_013,
            "not even what the bot made itself"
        );
        empower(&house, right).await?;
        assert_eq!(call(&house, "DELETE", &path, None).await?.0, 200, "{right}");
    }
    Ok(())
}

#[tokio::test]
async fn a_category_holds_fifty_channels() -> Outcome {
    let house = House::open().await?;
    let names = Names::of(&house).await?;
    let channels = format!("/sim/guilds/{}/channels", names.guild);
    let category = json!({"name": "Full", "type": 4});
    let category = house.act("POST", &channels, category).await?["id"].clone();
    let mut last = Value::Null;
    for number in 0..50 {
        let child = json!({"name": format!("Room {number}"), "parentId": category});
        last = house.act("POST", &channels, child).await?["id"].clone();
    }
    let path = names.of_guild("/channels");
    let one_more = json!({"name": "One more", "type": 2, "parent_id": category});
    let (_, refusal) = call(&house, "POST", &path, Some(one_more.clone())).await?;
    assert_eq!(
        refusal["errors"]["parent_id"]["_errors"][0]["code"],
        "CHANNEL_PARENT_MAX_CHANNELS"
    );
    let last = last.as_str().unwrap_or_default();
    let stays = json!({"parent_id": category});
    let own = format!("/channels/{last}");
    assert_eq!(call(&house, "PATCH", &own, Some(stays)).await?.0, 200);
    assert_eq!(call(&house, "DELETE", &own, None).await?.0, 200);
    assert_eq!(call(&house, "POST", &path, Some(one_more)).await?.0, 201);
    Ok(())
}

/// The access token of somebody who granted these scopes.
async fn granted(house: &House, user: &str, scopes: &str) -> Result<Value, Failure> {
    const REDIRECT: &str = "http://127.0.0.1:9/auth/callback";
    let id = house.application.id.to_string();
    let asked = [
        ("response_type", "code"),
        ("client_id", &id),
        ("redirect_uri", REDIRECT),
        ("scope", scopes),
        ("sim_user", user),
    ];
    let url = url::Url::parse_with_params(&house.url("/oauth2/authorize"), asked)?;
    let answer = house.http.get(url).send().await?;
    let back = answer.headers().get("location").ok_or("no redirect")?;
    let back = url::Url::parse(back.to_str()?)?;
    let code = back.query_pairs().find(|(name, _)| name == "code");
    let (_, code) = code.ok_or("no code")?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("client_id", &id),
        ("client_secret", &house.application.client_secret),
    ];
    let url = house.url("/api/oauth2/token");
    let answer = house.http.post(url).form(&form).send().await?;
    let tokens: Value = answer.json().await?;
    Ok(tokens["access_token"].clone())
}

#[tokio::test]
async fn somebody_is_brought_in_with_a_token_that_they_granted_for_it() -> Outcome {
    const JOIN: &str = "identify guilds.join";
    let house = House::open().await?;
    let mut ids = Vec::new();
    for username in ["wanda.new", "walter.new"] {
        let user = json!({"username": username});
        let user = house.act("POST", "/sim/users", user).await?;
        ids.push(user["id"].as_str().unwrap_or_default().to_owned());
    }
    let (wanda, walter) = (&ids[0], &ids[1]);
    let guild = house.application.guild_id;
    let add = async |user: &str, token: &Value| {
        let path = format!("/guilds/{guild}/members/{user}");
        call(&house, "PUT", &path, Some(json!({"access_token": token}))).await
    };
    let token = granted(&house, wanda, JOIN).await?;
    let another = add(walter, &token).await?;
    assert_eq!((another.0, &another.1["code"]), (403, &json!(50_025)));
    let narrow = granted(&house, wanda, "identify").await?;
    let narrow = add(wanda, &narrow).await?;
    assert_eq!((narrow.0, &narrow.1["code"]), (403, &json!(50_026)));

    let (status, member) = add(wanda, &token).await?;
    assert_eq!((status, &member["user"]["id"]), (201, &json!(wanda)));
    assert_eq!(add(wanda, &token).await?.0, 204, "who is in stays in");
    let banned = format!("/sim/guilds/{guild}/members/{wanda}?how=ban");
    house.act("DELETE", &banned, json!({})).await?;
    let banned = add(wanda, &token).await?;
    assert_eq!((banned.0, &banned.1["code"]), (403, &json!(40_007)));

    empower(&house, ADMINISTRATOR).await?;
    let path = format!("/guilds/{guild}/bans/{wanda}");
    assert_eq!(call(&house, "DELETE", &path, None).await?.0, 204);
    let everyone = format!("/sim/roles/{guild}");
    house
        .act("PATCH", &everyone, json!({"permissions": "0"}))
        .await?;
    empower(&house, VIEW_CHANNEL).await?;
    let unable = add(wanda, &token).await?;
    assert_eq!(unable.1["code"], 50_013, "CREATE_INSTANT_INVITE is missing");
    Ok(())
}
