//! Every route of the manual's table: what changes something is refused without its right,
//! shows it when it is read and tells it; what reads is readable, or answers empty.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    house::{Failure, House, Outcome},
    route_table::{Act, CHANGES, ELSEWHERE, EMPTY, READS, Right, Tells},
};

/// Every intent that there is.
const EVERYTHING: u64 = 0x0331_ffff;
const ALL_RIGHTS: u64 = (1 << 53) - 1;
const ADMINISTRATOR: u64 = 1 << 3;
const VIEW_CHANNEL: u64 = 1 << 10;

/// Methods and paths of the table in docs/simulator.md, which is that of the router.
fn routes() -> BTreeSet<String> {
    let page = include_str!("../../../../docs/simulator.md");
    let section = page.split("\n## Routes\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let mut words = row.split('`').skip(1).step_by(2);
        let methods = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        methods
            .split(' ')
            .map(move |method| format!("{method} {path}"))
    })
    .collect()
}

#[test]
fn every_route_is_one_of_these() {
    let changes = CHANGES.iter().map(|act| act.route);
    let reads = READS.iter().map(|(route, _)| *route);
    let others = EMPTY
        .iter()
        .map(|(route, _)| *route)
        .chain(ELSEWHERE.iter().copied());
    let tried: BTreeSet<_> = changes
        .chain(reads)
        .chain(others)
        .map(str::to_owned)
        .collect();
    let routes = routes();
    let untried: Vec<_> = routes.difference(&tried).collect();
    let unknown: Vec<_> = tried.difference(&routes).collect();
    assert!(
        untried.is_empty() && unknown.is_empty(),
        "untried {untried:?}, unknown {unknown:?}"
    );
}

/// A house in which one of everything is.
pub(crate) struct World {
    pub(crate) house: House,
    names: Vec<(&'static str, String)>,
}

impl World {
    pub(crate) async fn furnish() -> Result<Self, Failure> {
        let house = House::open().await?;
        let mut world = Self {
            house,
            names: Vec::new(),
        };
        world.may(ALL_RIGHTS).await?;
        let own = &world.house.application;
        let names = [
            ("guild", own.guild_id.to_string()),
            ("bot", own.id.to_string()),
            ("member", own.member_id.to_string()),
        ];
        world.names.extend(names);
        for (name, channel) in [
            ("channel", "game-night"),
            ("desk", "front-desk"),
            ("voice", "Table One"),
            ("table", "Table Two"),
        ] {
            let id = world.house.channel(channel).await?;
            world.names.push((name, id));
        }
        for (name, request, body) in FURNITURE {
            let (method, path) = request.split_once(' ').ok_or("no method")?;
            let path = world.fill(path);
            let body: Value = serde_json::from_str(&world.fill(body))?;
            let answer = if path.starts_with("/sim") {
                world.house.act(method, &path, body).await?
            } else {
                let (status, answer, _) = world.call(method, &path, Some(body), true).await?;
                assert!(status < 300, "{request}: {status} {answer}");
                answer
            };
            let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
            let id = if *name == "invite" {
                text("code")
            } else {
                text("id")
            };
            if *name == "webhook" {
                world.names.push(("token", text("token")));
            }
            if !name.is_empty() {
                world.names.push((name, id));
            }
        }
        Ok(world)
    }

    /// Puts ids in place of names in braces.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, id) in &self.names {
            filled = filled.replace(&format!("{{{name}}}"), id);
        }
        filled
    }

    /// These are the bot's rights; everybody else has none but to see.
    async fn may(&self, rights: u64) -> Outcome {
        let everyone = self.house.application.guild_id.to_string();
        let own = self.house.role("Doorkeeper").await?;
        for (role, rights) in [(everyone, VIEW_CHANNEL), (own, rights)] {
            let body = json!({"permissions": rights.to_string()});
            self.house
                .act("PATCH", &format!("/sim/roles/{role}"), body)
                .await?;
        }
        Ok(())
    }

    /// Status, body, and whether the answer told of a bucket.
    async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        as_bot: bool,
    ) -> Result<(u16, Value, bool), Failure> {
        let url = self.house.url(&format!("/api/v10{path}"));
        let mut request = self
            .house
            .http
            .request(Method::from_bytes(method.as_bytes())?, url);
        if as_bot {
            let token = &self.house.application.bot_token;
            request = request.header("authorization", format!("Bot {token}"));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let (status, counted) = (
            answer.status().as_u16(),
            answer.headers().contains_key("x-ratelimit-bucket"),
        );
        let text = answer.text().await?;
        Ok((
            status,
            serde_json::from_str(&text).unwrap_or_default(),
            counted,
        ))
    }

    async fn shown(&self, path: &str) -> Result<Value, Failure> {
        let path = self.fill(path);
        if path == "/sim/state" {
            let mut state = self.house.state().await?;
            // Each call is counted there.
            state["requests"].take();
            return Ok(state);
        }
        let (status, shown, _) = self.call("GET", &path, None, true).await?;
        Ok(json!({"status": status, "shown": shown}))
    }
}

/// What is there before a route is tried: a name, how it is made, and with what.
const FURNITURE: &[(&str, &str, &str)] = &[
    (
        "role",
        "POST /sim/guilds/{guild}/roles",
        r#"{"name": "Guest"}"#,
    ),
    ("user", "POST /sim/users", r#"{"username": "wanda.new"}"#),
    (
        "",
        "POST /sim/guilds/{guild}/members",
        r#"{"userId": "{user}", "roles": ["{role}"]}"#,
    ),
    ("banned", "POST /sim/users", r#"{"username": "vex.old"}"#),
    ("", "PUT /guilds/{guild}/bans/{banned}", "{}"),
    (
        "",
        "POST /sim/guilds/{guild}/voice",
        r#"{"userId": "{user}", "channelId": "{voice}"}"#,
    ),
    (
        "message",
        "POST /channels/{channel}/messages",
        r#"{"content": "mine"}"#,
    ),
    (
        "other",
        "POST /sim/messages",
        r#"{"channelId": "{channel}", "authorId": "{member}", "content": "theirs"}"#,
    ),
    (
        "pinned",
        "POST /channels/{channel}/messages",
        r#"{"content": "pinned"}"#,
    ),
    ("", "PUT /channels/{channel}/messages/pins/{pinned}", "{}"),
    (
        "",
        "PUT /channels/{channel}/messages/{other}/reactions/%F0%9F%8E%B2/@me",
        "{}",
    ),
    (
        "",
        "POST /sim/channels/{channel}/messages/{other}/reactions",
        r#"{"userId": "{member}", "emoji": "🎲"}"#,
    ),
    (
        "poll",
        "POST /channels/{channel}/messages",
        r#"{"poll": {"question": {"text": "When?"}, "answers": [{"poll_media": {"text": "Now"}}]}}"#,
    ),
    (
        "",
        "POST /sim/channels/{channel}/messages/{poll}/votes",
        r#"{"userId": "{member}", "answerId": 1}"#,
    ),
    (
        "invite",
        "POST /channels/{channel}/invites",
        r#"{"unique": true}"#,
    ),
    (
        "webhook",
        "POST /channels/{channel}/webhooks",
        r#"{"name": "Herald"}"#,
    ),
    (
        "news",
        "POST /webhooks/{webhook}/{token}?wait=true",
        r#"{"content": "Hear"}"#,
    ),
    (
        "thread",
        "POST /channels/{channel}/threads",
        r#"{"name": "Snacks", "type": 11}"#,
    ),
    ("", "PUT /channels/{thread}/thread-members/{user}", "{}"),
    (
        "old",
        "POST /channels/{channel}/threads",
        r#"{"name": "Old", "type": 11}"#,
    ),
    ("", "PATCH /channels/{old}", r#"{"archived": true}"#),
    (
        "secret",
        "POST /channels/{channel}/threads",
        r#"{"name": "Secret", "type": 12}"#,
    ),
    ("", "PATCH /channels/{secret}", r#"{"archived": true}"#),
    (
        "theirs",
        "POST /sim/threads",
        r#"{"channelId": "{channel}", "userId": "{member}", "name": "Theirs"}"#,
    ),
    (
        "direct",
        "POST /users/@me/channels",
        r#"{"recipient_id": "{member}"}"#,
    ),
    (
        "",
        "PUT /channels/{desk}/permissions/{role}",
        r#"{"type": 0, "allow": "1024"}"#,
    ),
    (
        "command",
        "POST /applications/{bot}/commands",
        r#"{"name": "roll", "description": "Rolls"}"#,
    ),
    ("idler", "POST /sim/users", r#"{"username": "pat.gone"}"#),
    (
        "",
        "POST /sim/guilds/{guild}/members",
        r#"{"userId": "{idler}"}"#,
    ),
    ("stranger", "POST /sim/users", r#"{"username": "far.away"}"#),
    ("guest", "POST /sim/users", r#"{"username": "sam.new"}"#),
    ("newcomer", "POST /sim/users", r#"{"username": "ivy.old"}"#),
    (
        "interaction",
        "POST /sim/interactions",
        r#"{"userId": "{member}", "channelId": "{channel}", "command": "roll"}"#,
    ),
    (
        "local",
        "POST /applications/{bot}/guilds/{guild}/commands",
        r#"{"name": "here", "description": "Here"}"#,
    ),
];

#[tokio::test]
async fn what_changes_something_asks_for_its_right_shows_it_and_tells_it() -> Outcome {
    let mut wrong = Vec::new();
    for act in CHANGES {
        if let Err(error) = try_one(act).await {
            wrong.push(format!("{}: {error}", act.route));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn try_one(act: &Act) -> Outcome {
    let world = World::furnish().await?;
    let (mut client, ..) = world.house.bot(EVERYTHING).await?;
    let (method, _) = act.route.split_once(' ').ok_or("no method")?;
    let path = world.fill(act.path);
    let body: Option<Value> = match act.body {
        "" => None,
        text => Some(serde_json::from_str(&world.fill(text))?),
    };
    if let Right::Of(right) = act.right {
        world.may(ALL_RIGHTS & !ADMINISTRATOR & !right).await?;
        let (status, told, _) = world.call(method, &path, body.clone(), true).await?;
        if status != 403 {
            return Err(format!("without its right {status} {told}").into());
        }
    }
    world.may(ALL_RIGHTS & !ADMINISTRATOR).await?;
    if !matches!(act.right, Right::Token) {
        let (status, ..) = world.call(method, &path, body.clone(), false).await?;
        if status != 401 {
            return Err(format!("from nobody {status}").into());
        }
    }
    client.until_now().await?;
    let before = world.shown(act.shows).await?;
    let as_bot = !matches!(act.right, Right::Token);
    let (status, told, counted) = world.call(method, &path, body, as_bot).await?;
    if status >= 300 {
        return Err(format!("{status} {told}").into());
    }
    if !counted {
        return Err("no bucket".into());
    }
    let heard = client.names_until_now().await?;
    match act.tells {
        Tells::Event(name) if !heard.iter().any(|one| one == name) => {
            return Err(format!("{name} was not told, but {heard:?}").into());
        }
        Tells::Nobody if !heard.is_empty() => return Err(format!("{heard:?} was told").into()),
        _ => {}
    }
    // Nothing shows who types.
    if act.shows.is_empty() {
        return Ok(());
    }
    if world.shown(act.shows).await? == before {
        return Err(format!("{} shows what it did before", act.shows).into());
    }
    Ok(())
}

#[tokio::test]
async fn what_reads_is_readable_or_answers_empty() -> Outcome {
    let world = World::furnish().await?;
    world.may(ALL_RIGHTS & !ADMINISTRATOR).await?;
    let mut wrong = Vec::new();
    let lists = READS
        .iter()
        .map(|one| (one, false))
        .chain(EMPTY.iter().map(|one| (one, true)));
    for ((route, path), is_empty) in lists {
        let (status, told, counted) = world.call("GET", &world.fill(path), None, true).await?;
        let items = told.get("items").unwrap_or(&told);
        let nothing = items.as_array().is_some_and(Vec::is_empty);
        let missing = *route == "GET /guilds/{guild_id}/welcome-screen";
        let fits = if missing {
            status == 404
        } else {
            status == 200 && nothing == is_empty
        };
        if !fits || !counted {
            wrong.push(format!("{route}: {status} {told}, counted: {counted}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
