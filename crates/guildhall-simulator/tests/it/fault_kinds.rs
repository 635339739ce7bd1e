use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::house::{House, INTENTS, Outcome};

const PAGE: &str = include_str!("../../../../docs/simulator.md");

/// The kinds in the page's table of faults.
fn documented() -> Vec<&'static str> {
    let begin = PAGE.find("## Faults").unwrap_or(0);
    let end = PAGE.find("**Scripts**").unwrap_or(PAGE.len());
    PAGE[begin..end]
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once(" | ").map(|(kinds, _)| kinds))
        .flat_map(|kinds| kinds.split(", "))
        .map(|kind| kind.trim_matches('`'))
        .collect()
}

/// Each kind with what it must be told; `slow` and those of REST have no defaults.
fn bodies(guild: &Value, channel: &Value) -> BTreeMap<&'static str, Value> {
    let plain = [
        "drop",
        "close",
        "reconnect",
        "reconnect_hello",
        "invalid_session",
        "ask_heartbeat",
        "stop_acking",
        "silence",
        "half_frame",
        "hang",
        "tear",
        "resume_503",
        "resume_refused",
        "resume_hang",
        "user_agent",
        "duplicate",
        "reorder",
        "no_compression",
        "heal",
    ];
    let told = [
        ("slow", json!({"bytes": 100, "pauseMs": 1})),
        ("rewind", json!({"dispatches": 3})),
        ("rate_limit", json!({"retryAfterMs": 1})),
        ("status", json!({"status": 500})),
        ("latency", json!({"latencyMs": 1})),
        ("zstd_window", json!({"log": 27})),
        ("outage", json!({"guildId": guild})),
        ("obfuscate", json!({"channelId": channel})),
    ];
    let plain = plain.into_iter().map(|kind| (kind, json!({})));
    plain
        .chain(told)
        .map(|(kind, mut body)| {
            body["kind"] = json!(kind);
            (kind, body)
        })
        .collect()
}

#[tokio::test]
async fn every_documented_fault_can_be_caused_singly_and_by_a_script() -> Outcome {
    let house = House::open().await?;
    let guild = json!(house.application.guild_id);
    let room = json!(house.channel("Table One").await?);
    let bodies = bodies(&guild, &room);
    let mut kinds = documented();
    kinds.sort_unstable();
    assert_eq!(kinds, bodies.keys().copied().collect::<Vec<_>>());

    for (kind, body) in &bodies {
        let (_client, ..) = house.bot(INTENTS).await?;
        let (status, answer) = house.try_act("POST", "/sim/faults", body.clone()).await?;
        assert_eq!(status, 200, "{kind}: {answer}");
        let mut wrong = body.clone();
        wrong["nonsense"] = json!(1);
        let (status, _) = house.try_act("POST", "/sim/faults", wrong).await?;
        assert_eq!(status, 400, "{kind} with a field that it has not");
        // What takes a guild or a channel away is taken back.
        for over in ["outage", "obfuscate", "user_agent"] {
            if kind == &over {
                let mut back = body.clone();
                back["over"] = json!(true);
                house.act("POST", "/sim/faults", back).await?;
            }
        }
        house
            .act("POST", "/sim/faults", json!({"kind": "heal"}))
            .await?;
    }
    let steps: Vec<_> = bodies.values().collect();
    house.act("POST", "/sim/script", json!(steps)).await?;
    let script = house
        .until("/sim/script", |script| script["running"] == false)
        .await?;
    let done = script["done"].as_array().cloned().unwrap_or_default();
    assert_eq!(done.len(), bodies.len());
    assert!(
        done.iter().all(|step| step["result"]["status"] == 200),
        "{done:?}"
    );
    Ok(())
}

#[tokio::test]
async fn every_fault_of_chaos_is_documented() -> Outcome {
    let house = House::open().await?;
    let body = json!({"seconds": 60, "perSecond": 20.0});
    house.act("POST", "/sim/chaos", body).await?;
    let plan = house.until("/sim/chaos", |_| true).await?;
    house.act("DELETE", "/sim/chaos", json!({})).await?;
    let mut drawn: Vec<_> = plan["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|step| step["kind"].as_str())
        .collect();
    drawn.sort_unstable();
    drawn.dedup();
    // An outage is drawn where it is asked for, nobody's User-Agent changes, and a replay is not told
    // again to whom it never owed it. Compression goes wrong for whoever connects next, which may be
    // nobody. Not every client gives up on a request that nobody answers, nor sends it again.
    let apart = [
        "hang",
        "no_compression",
        "outage",
        "rewind",
        "tear",
        "user_agent",
        "zstd_window",
    ];
    let mut expected = documented();
    expected.retain(|kind| !apart.contains(kind));
    expected.sort_unstable();
    assert_eq!(drawn, expected);
    Ok(())
}
