use std::time::Duration;

use guildhall_simulator::Scenario;
use serde_json::{Value, json};

use crate::house::{Failure, House, INTENTS, Outcome};

async fn fault(house: &House, body: Value) -> Outcome {
    house.act("POST", "/sim/faults", body).await.map(drop)
}

async fn heal(house: &House) -> Outcome {
    fault(house, json!({"kind": "heal"})).await
}

#[tokio::test]
async fn a_429_by_fault_lasts_until_its_time_is_over() -> Outcome {
    let house = House::open().await?;
    let status = async |path: &str| Ok::<u16, Failure>(house.rest(path).await?.0);
    for (scope, elsewhere) in [("user", 200), ("shared", 200), ("global", 429)] {
        let body = json!({"kind": "rate_limit", "scope": scope, "retryAfterMs": 400, "route": "GET /users/@me"});
        fault(&house, body).await?;
        let began = tokio::time::Instant::now();
        let (met, told) = house.rest("/users/@me").await?;
        assert_eq!((met, &told["retry_after"]), (429, &json!(0.4)), "{scope}");
        let (met, told) = house.rest("/users/@me").await?;
        let left = told["retry_after"].as_f64().unwrap_or_default();
        assert!(met == 429 && left <= 0.4, "{scope}: {met} {told}");
        assert_eq!(status("/users/@me/guilds").await?, elsewhere, "{scope}");
        let mut met = 429;
        while met == 429 {
            met = status("/users/@me").await?;
        }
        assert!(began.elapsed() >= Duration::from_millis(400), "{scope}");
        assert_eq!(met, 200, "{scope}: once");
    }
    Ok(())
}

#[tokio::test]
async fn each_429_has_its_own_shape() -> Outcome {
    let house = House::open().await?;
    let token = format!("Bot {}", house.application.bot_token);
    for scope in ["user", "global", "shared", "edge"] {
        let body = json!({"kind": "rate_limit", "scope": scope, "retryAfterMs": 1500, "route": "GET /users/@me"});
        fault(&house, body).await?;
        let get = || {
            house
                .http
                .get(house.url("/api/v10/users/@me"))
                .header("authorization", &token)
        };
        let other = house
            .http
            .get(house.url("/api/v10/users/@me/guilds"))
            .header("authorization", &token);
        assert_eq!(
            other.send().await?.status(),
            200,
            "another route is another"
        );
        let answer = get().send().await?;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (429, &"2".parse()?)
        );
        if scope == "edge" {
            assert!(answer.headers().get("x-ratelimit-scope").is_none());
            assert!(answer.json::<Value>().await.is_err());
        } else {
            assert_eq!(answer.headers()["x-ratelimit-scope"], scope);
            let body: Value = answer.json().await?;
            assert_eq!(
                (&body["retry_after"], &body["global"]),
                (&json!(1.5), &json!(scope == "global"))
            );
        }
        heal(&house).await?;
    }
    // Shared ones are nobody's mistake.
    assert_eq!(house.state().await?["invalidRequests"], 3);
    Ok(())
}

#[tokio::test]
async fn errors_latency_and_the_user_agent_rule_come_by_fault() -> Outcome {
    let house = House::open().await?;
    fault(&house, json!({"kind": "status", "status": 503, "times": 2})).await?;
    fault(&house, json!({"kind": "latency", "latencyMs": 300})).await?;
    let began = tokio::time::Instant::now();
    let token = format!("Bot {}", house.application.bot_token);
    let get = || {
        house
            .http
            .get(house.url("/api/v10/users/@me"))
            .header("authorization", &token)
    };
    assert_eq!(get().send().await?.status(), 503);
    assert!(began.elapsed() >= Duration::from_millis(300));
    fault(&house, json!({"kind": "heal"})).await?;
    assert_eq!(get().send().await?.status(), 200);
    fault(&house, json!({"kind": "user_agent"})).await?;
    let blocked = get().send().await?;
    assert_eq!(blocked.status(), 403);
    assert_eq!(blocked.json::<Value>().await?["code"], 40_333);
    let named = get().header("user-agent", "DiscordBot (https://example.org, 1)");
    assert_eq!(named.send().await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn too_many_mistakes_shut_an_address_out() -> Outcome {
    let house = House::with(|config| config.rate_limits.invalid_requests = 3).await?;
    for _ in 0..3 {
        assert_eq!(
            house
                .http
                .get(house.url("/api/v10/users/@me"))
                .send()
                .await?
                .status(),
            401
        );
    }
    let answer = house.http.get(house.url("/api/v10/gateway")).send().await?;
    assert_eq!(answer.status(), 429);
    assert!(answer.json::<Value>().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_silent_connection_is_resumed_and_nothing_is_missed() -> Outcome {
    let house = House::open().await?;
    let (client, ready, _) = house.bot(INTENTS).await?;
    let session = ready["session_id"].as_str().unwrap_or_default().to_owned();
    let seq = client.seq;
    fault(&house, json!({"kind": "silence"})).await?;
    house
        .until("/sim/faults", |log| {
            log["done"][0]["answer"]["connections"] == 1
        })
        .await?;
    house
        .voice(Some(&house.channel("The Hearth").await?))
        .await?;
    let mut again = house.dial("/resume/?v=10&encoding=json").await?;
    again.seq = seq;
    again.resume(&session, seq).await?;
    again.dispatch("VOICE_STATE_UPDATE").await?;
    again.dispatch("RESUMED").await?;
    Ok(())
}

#[tokio::test]
async fn half_a_frame_is_never_read_as_a_whole_one() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    fault(&house, json!({"kind": "half_frame"})).await?;
    // The order is carried out before the next heartbeat is read, or just after.
    client.beat().await?;
    let got = tokio::time::timeout(Duration::from_millis(300), async {
        loop {
            match client.next().await {
                Ok(Ok(payload)) if payload["op"] == 11 => client.beat().await?,
                other => return other.map(drop),
            }
        }
    });
    assert!(got.await.is_err(), "silence after the half");
    Ok(())
}

#[tokio::test]
async fn a_slow_connection_delivers_everything() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    fault(&house, json!({"kind": "slow", "bytes": 100, "pauseMs": 1})).await?;
    house
        .voice(Some(&house.channel("The Hearth").await?))
        .await?;
    client.dispatch("VOICE_STATE_UPDATE").await?;
    Ok(())
}

#[tokio::test]
async fn the_resume_host_can_be_away_torn_or_hanging() -> Outcome {
    let house = House::open().await?;
    fault(&house, json!({"kind": "resume_503"})).await?;
    let get = || {
        house
            .http
            .get(house.url("/resume/"))
            .timeout(Duration::from_millis(300))
    };
    assert_eq!(get().send().await?.status(), 503);
    fault(&house, json!({"kind": "resume_refused"})).await?;
    let torn = get().send().await;
    assert!(torn.is_err_and(|error| !error.is_timeout()));
    fault(&house, json!({"kind": "resume_hang"})).await?;
    assert!(get().send().await.is_err_and(|error| error.is_timeout()));
    house.dial("/resume/?v=10").await?;
    house.close().await
}

#[tokio::test]
async fn events_come_twice_or_in_another_order() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let hearth = house.channel("The Hearth").await?;
    fault(&house, json!({"kind": "duplicate"})).await?;
    house.voice(Some(&hearth)).await?;
    let first = client.dispatch("VOICE_STATE_UPDATE").await?;
    assert_eq!(client.dispatch("VOICE_STATE_UPDATE").await?, first);
    fault(&house, json!({"kind": "reorder", "withinMs": 60_000})).await?;
    house.voice(None).await?;
    let guild = house.guild().await?;
    let other = guild["members"][4]["userId"].clone();
    let path = format!("/sim/guilds/{}/voice", house.application.guild_id);
    house
        .act("POST", &path, json!({"userId": other, "channelId": hearth}))
        .await?;
    assert_eq!(
        client.dispatch("VOICE_STATE_UPDATE").await?["user_id"],
        other
    );
    let late = client.dispatch("VOICE_STATE_UPDATE").await?;
    assert_eq!(late["user_id"], house.application.member_id.to_string());
    Ok(())
}

#[tokio::test]
async fn a_script_does_its_steps_in_order_and_says_what_came_of_them() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let hearth = house.channel("The Hearth").await?;
    let path = format!("/guilds/{}/voice", house.application.guild_id);
    let script = json!([
        {"path": path, "body": {"userId": house.application.member_id, "channelId": hearth}},
        {"afterMs": 5, "path": "/guilds/1/voice", "body": {"userId": "1"}},
        {"afterMs": 5, "kind": "close", "code": 4000},
    ]);
    house.act("POST", "/sim/script", script).await?;
    assert_eq!(client.closed_with().await?, Some(4000));
    let states = house.guild().await?["voiceStates"].to_string();
    assert!(states.contains(&house.application.member_id.to_string()));
    let done = house
        .until("/sim/script", |script| script["running"] == false)
        .await?;
    let statuses: Vec<_> = (0..3)
        .map(|step| done["done"][step]["result"]["status"].clone())
        .collect();
    assert_eq!(statuses, [json!(200), json!(404), json!(200)]);
    for wrong in [
        json!([]),
        json!([{"kind": "nonsense"}]),
        json!([{"afterMs": -1, "kind": "drop"}]),
    ] {
        assert_eq!(house.try_act("POST", "/sim/script", wrong).await?.0, 400);
    }
    Ok(())
}

#[tokio::test]
async fn chaos_is_the_same_for_the_same_seed() -> Outcome {
    let plan = async |seed: u64| {
        let house = House::open().await?;
        let body = json!({"seed": seed, "seconds": 3, "perSecond": 20.0});
        house.act("POST", "/sim/chaos", body).await?;
        let script: Value = house
            .http
            .get(house.url("/sim/chaos"))
            .send()
            .await?
            .json()
            .await?;
        house.act("DELETE", "/sim/chaos", json!({})).await?;
        Ok::<_, Failure>(script["steps"].clone())
    };
    let (first, again, other) = (plan(5).await?, plan(5).await?, plan(6).await?);
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert!(first.as_array().is_some_and(|steps| steps.len() > 40));
    Ok(())
}

#[tokio::test]
async fn the_world_survives_chaos() -> Outcome {
    let house = House::open().await?;
    let kinds = [
        "obfuscate",
        "outage",
        "duplicate",
        "reorder",
        "drop",
        "slow",
        "half_frame",
    ];
    let body = json!({"seed": 1, "seconds": 1, "perSecond": 100.0, "kinds": kinds});
    house.act("POST", "/sim/chaos", body).await?;
    let before = house.guild().await?;
    let done = house
        .until("/sim/chaos", |script| script["running"] == false)
        .await?;
    let all = done["done"].as_array().cloned().unwrap_or_default();
    assert!(all.iter().all(|step| {
        step["result"]["status"]
            .as_u64()
            .is_some_and(|status| status < 500)
    }));
    let after = house.guild().await?;
    assert_eq!(after["available"], true);
    assert_eq!(
        before["channels"].as_array().map(Vec::len),
        after["channels"].as_array().map(Vec::len)
    );
    house.bot(INTENTS).await?;
    Ok(())
}

#[tokio::test]
async fn an_evening_moves_people_and_stops_when_told() -> Outcome {
    let house = House::with(|config| {
        config.scenario = Scenario::Evening;
        config.scenario_pace = Duration::from_millis(4);
    })
    .await?;
    // Guilds are shown while people already move.
    let mut client = house.dial("/gateway?v=10&encoding=json").await?;
    client.identify(INTENTS).await?;
    let mut moves = 0;
    while moves < 5 {
        let payload = client
            .next()
            .await?
            .map_err(|code| format!("closed with {code:?}"))?;
        moves += u32::from(payload["t"] == "VOICE_STATE_UPDATE");
    }
    let stopped = house
        .act("POST", "/sim/scenario", json!({"name": "standing"}))
        .await?;
    assert_eq!(stopped["name"], "standing");
    client.names_until_now().await?;
    assert_eq!(client.names_until_now().await?, Vec::<String>::new());
    assert_eq!(
        house
            .try_act("POST", "/sim/scenario", json!({"name": "riot"}))
            .await?
            .0,
        400
    );
    Ok(())
}

#[tokio::test]
async fn a_bad_day_takes_guilds_away_and_tears_connections() -> Outcome {
    let house = House::with(|config| {
        config.scenario = Scenario::Outage;
        config.scenario_pace = Duration::from_millis(60);
    })
    .await?;
    let mut client = house.dial("/gateway?v=10&encoding=json").await?;
    client.identify(INTENTS).await?;
    let mut names = Vec::new();
    while let Ok(payload) = client.next().await? {
        names.push(payload["t"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(names[0], "READY");
    house
        .act("POST", "/sim/scenario", json!({"name": "standing"}))
        .await?;
    let whole = |state: &Value| {
        let guilds = state["guilds"].as_array().cloned().unwrap_or_default();
        guilds.iter().all(|guild| guild["available"] == true)
    };
    house.until("/sim/state", whole).await?;
    Ok(())
}

#[tokio::test]
async fn the_big_guild_stands_at_once() -> Outcome {
    let house = House::with(|config| config.scenario = Scenario::Big).await?;
    let state = house.state().await?;
    let big = &state["guilds"][3];
    assert_eq!(big["members"].as_array().map(Vec::len), Some(10_000));
    assert_eq!(big["channels"].as_array().map(Vec::len), Some(500));
    let path = format!(
        "/guilds/{}/members?limit=1000",
        big["id"].as_str().unwrap_or_default()
    );
    let (_, page) = house.rest(&path).await?;
    assert_eq!(page.as_array().map(Vec::len), Some(1000));
    Ok(())
}
