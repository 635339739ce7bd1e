//! Each example of `/sim` in docs/simulator.md, as it stands there.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    house::{Failure, House, Outcome},
    rest_acts::call,
    routes::World,
};

const PAGE: &str = include_str!("../../../../docs/simulator.md");

/// The lines of the fenced block that follows a heading.
fn block(heading: &str) -> Vec<&'static str> {
    let section = PAGE.split(heading).nth(1).unwrap_or_default();
    let fenced = section.split("```").nth(1).unwrap_or_default();
    let lines = fenced.lines().skip(1);
    lines.filter(|line| !line.is_empty()).collect()
}

/// Method, path and body of one line.
fn example(line: &str) -> (&str, &str, &str) {
    let (method, rest) = line.split_once(' ').unwrap_or_default();
    let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
    (method, path, body)
}

#[tokio::test]
async fn each_example_is_taken() -> Outcome {
    let world = World::furnish().await?;
    let lines = block("\n### An example of each\n");
    assert!(lines.len() > 30, "the examples are not found: {lines:?}");
    for line in lines {
        let (method, path, body) = example(line);
        let body = match body {
            "" => json!({}),
            text => serde_json::from_str(&world.fill(text))
                .map_err(|error| format!("{line}: {error}"))?,
        };
        let path = world.fill(path);
        assert!(!path.contains('{'), "{line} names what is not there");
        let (status, told) = world.house.try_act(method, &path, body).await?;
        // Nobody signed in.
        let nothing_to_remove = path.ends_with("/deauthorize") && status == 409;
        assert!(
            (200..300).contains(&status) || nothing_to_remove,
            "{line}: {status} {told}"
        );
    }
    Ok(())
}

/// The paths that the sources below `src/control` give to their routers.
fn routed() -> Result<BTreeSet<String>, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/control");
    let mut paths = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = fs::read_to_string(path)?;
        for rest in source.split("route(").skip(1) {
            let path = rest.trim_start().strip_prefix('"');
            paths.extend(path.and_then(|rest| rest.split('"').next()).map(shape));
        }
    }
    Ok(paths)
}

/// A path without the names of what it names.
fn shape(path: &str) -> String {
    let words = path
        .split('/')
        .map(|word| if word.starts_with('{') { "{}" } else { word });
    words.collect::<Vec<_>>().join("/")
}

#[test]
fn each_path_has_an_example() -> Outcome {
    let shown: BTreeSet<_> = block("\n### An example of each\n")
        .into_iter()
        .map(|line| shape(example(line).1.trim_start_matches("/sim")))
        .map(|path| path.split('?').next().unwrap_or_default().to_owned())
        .collect();
    let mut routed = routed()?;
    // A stream without an end.
    assert!(routed.remove("/events"));
    let without: Vec<_> = routed.difference(&shown).collect();
    let unknown: Vec<_> = shown.difference(&routed).collect();
    assert!(
        without.is_empty() && unknown.is_empty(),
        "without {without:?}, unknown {unknown:?}"
    );
    Ok(())
}

#[tokio::test]
async fn each_example_of_an_interaction_is_taken() -> Outcome {
    let house = House::open().await?;
    let (user, bot) = (
        house.application.member_id.to_string(),
        house.application.id,
    );
    let channel = house.channel("game-night").await?;
    let choice = json!({"name": "on", "value": "on"});
    let value = json!({"type": 3, "name": "value", "description": "v", "choices": [choice]});
    let set = json!({"type": 1, "name": "set", "description": "s", "options": [value]});
    let sound = json!({"type": 2, "name": "sound", "description": "s", "options": [set]});
    let sides = json!({"type": 4, "name": "sides", "description": "s"});
    let why = json!({"type": 3, "name": "why", "description": "w", "autocomplete": true});
    let commands = json!([
        {"name": "roll", "description": "Rolls", "options": [sides, why]},
        {"name": "config", "description": "Sets", "options": [sound]},
        {"type": 3, "name": "Report"},
    ]);
    let path = format!("/applications/{bot}/commands");
    call(&house, "PUT", &path, Some(commands)).await?;
    let again = json!({"type": 2, "style": 1, "label": "Again", "custom_id": "again"});
    let sides = json!([{"label": "D20", "value": "20"}]);
    let die = json!({"type": 3, "custom_id": "die", "options": sides});
    let row = |one: Value| json!({"type": 1, "components": [one]});
    let said = json!({"content": "Dice", "components": [row(again), row(die)]});
    let path = format!("/channels/{channel}/messages");
    let (_, message) = call(&house, "POST", &path, Some(said)).await?;
    let message = message["id"].as_str().ok_or("no message")?.to_owned();

    // A modal, which the last example sends off.
    let (mut client, ..) = house.bot(1).await?;
    let press =
        json!({"userId": user, "channelId": channel, "messageId": message, "customId": "again"});
    let pressed = house.act("POST", "/sim/interactions", press).await?["id"].clone();
    let asked = client.dispatch("INTERACTION_CREATE").await?;
    let name = json!({"type": 4, "custom_id": "name", "label": "Name", "style": 1});
    let modal = json!({"custom_id": "who", "title": "Who?", "components": [row(name)]});
    let (id, token) = (asked["id"].as_str(), asked["token"].as_str());
    let (id, token) = id.zip(token).ok_or("nothing was asked")?;
    let path = format!("/interactions/{id}/{token}/callback");
    call(
        &house,
        "POST",
        &path,
        Some(json!({"type": 9, "data": modal})),
    )
    .await?;

    let lines = block("\n## Interactions\n");
    assert!(lines.len() >= 7, "the examples are not found: {lines:?}");
    for line in lines {
        let mut filled = line.to_owned();
        for (number, id) in [
            ("2", &user),
            ("3", &channel),
            ("4", &message),
            ("5", &message),
        ] {
            filled = filled.replace(&format!("Id\": \"{number}\""), &format!("Id\": \"{id}\""));
        }
        let modal = pressed.as_str().unwrap_or_default();
        filled = filled.replace("modalOf\": \"6\"", &format!("modalOf\": \"{modal}\""));
        let body = serde_json::from_str(&filled)?;
        let (status, told) = house.try_act("POST", "/sim/interactions", body).await?;
        assert!((200..300).contains(&status), "{line}: {status} {told}");
    }
    Ok(())
}
