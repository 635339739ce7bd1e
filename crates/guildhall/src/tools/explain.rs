//! `guildhall explain`: what a running house says of one person and one room, in sentences.

use std::{fmt::Write, process::ExitCode};

use anyhow::Context;
use guildhall_model::Permissions;
use serde_json::Value;

use super::{
    ops_client::OpsClient,
    print::{plain, print},
};
use crate::{
    cli::{Explain, TextOrJson},
    config::Settings,
    lifecycle::ProcessExit,
};

pub(super) async fn run(asked: &Explain, settings: &Settings) -> Result<ExitCode, ProcessExit> {
    let client = OpsClient::new(asked.ops.as_slice(), settings)?;
    let Explain { user, channel, .. } = asked;
    let path = format!("admin/explain?user={user}&channel={channel}");
    let answer = client.json(&path).await?;
    match asked.output {
        TextOrJson::Json => print(&answer)?,
        TextOrJson::Text => {
            let answer = serde_json::from_str(&answer).context("the answer is no JSON")?;
            print(&text(&answer))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn text(answer: &Value) -> String {
    let (guild, of) = (&answer["guildId"], |name: &str| plain(&answer[name]));
    let yes = |name: &str| if answer[name] == true { "yes" } else { "no" };
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!(
        "User {}, in the guild {:?} ({})",
        of("userId"),
        of("guildName"),
        plain(guild)
    ));
    let category = match &answer["parentId"] {
        Value::Null => "in no category".to_owned(),
        parent => format!(
            "in the category {:?} ({}), from which it inherits nothing",
            of("parentName"),
            plain(parent)
        ),
    };
    line(format!(
        "Room {:?} ({}), {category}",
        of("channelName"),
        of("channelId")
    ));
    line(String::new());
    line(format!("Is shown the room: {}", yes("shown")));
    line(format!("    {}", because(&answer["seesBy"], guild)));
    if answer["sees"] == true && answer["shown"] != true {
        line(
            "    but their rights are not known at present, so nothing is shown to them".to_owned(),
        );
    }
    line(format!("May connect: {}", yes("connects")));
    line(format!("    {}", because(&answer["connectsBy"], guild)));
    line(format!("The bot itself sees the room: {}", yes("botSees")));
    line(format!("Their rights: {}", known(&answer["rights"])));
    if answer["guildAvailable"] == false {
        line("Discord has an outage of this guild: all of this is as it was before.".to_owned());
    }
    line(String::new());
    line("Step by step:".to_owned());
    let steps = answer["steps"].as_array().map_or(&[][..], Vec::as_slice);
    for (number, step) in steps.iter().enumerate() {
        line(format!("{:>3}. {}", number + 1, told(step, guild)));
    }
    if steps.is_empty() {
        line("  0. there is none: without a membership nothing is decided".to_owned());
    }
    text
}

fn known(rights: &Value) -> String {
    let age = rights["ageMs"].as_u64().map(|ms| ms / 1000);
    match (rights["known"].as_bool(), age) {
        (Some(true), Some(seconds)) => format!("known, looked up {seconds} s ago"),
        (_, Some(seconds)) => format!("not known: the gateway could not find out, {seconds} s ago"),
        (_, None) => "not known: no gateway has answered".to_owned(),
    }
}

/// Why something is so, as one sentence.
fn because(by: &Value, guild: &Value) -> String {
    match by["rule"].as_str().unwrap_or_default() {
        "noSuchRoom" => "there is no such room".to_owned(),
        "notLookedUp" => "it is not known what they are in the guild".to_owned(),
        "noMember" => "Discord says that they are no member of the guild".to_owned(),
        "botCannotView" => {
            "the bot itself can't view the room: allow its role VIEW_CHANNEL there".to_owned()
        }
        "ownsGuild" => "they own the guild".to_owned(),
        "administrator" => format!("ADMINISTRATOR, by {}", roles(&by["roles"], guild)),
        "guest" => "they are a guest, who has the room they are in and no other".to_owned(),
        "connected" => "they are connected to it, whatever the overwrites say".to_owned(),
        "roles" if by["roles"].as_array().is_some_and(Vec::is_empty) => {
            "none of their roles gives it, and no overwrite of the room says anything".to_owned()
        }
        "roles" => format!(
            "by {}; no overwrite of the room says anything",
            roles(&by["roles"], guild)
        ),
        "overwrites" => {
            let targets = by["targets"].as_array().map_or(&[][..], Vec::as_slice);
            let targets: Vec<String> = targets.iter().map(|one| target(one, guild)).collect();
            format!("the room's overwrite for {} says so", targets.join(", "))
        }
        "notSeen" => "they don't see the room".to_owned(),
        "timedOut" => "they are in a timeout".to_owned(),
        other => format!("by the rule {other:?}"),
    }
}

/// A step as a sentence.
fn told(step: &Value, guild: &Value) -> String {
    let names = |name: &str| names(&step[name]);
    match step["step"].as_str().unwrap_or_default() {
        "ownsGuild" => "they own the guild: everything is allowed".to_owned(),
        "role" if step["known"] == false => {
            format!("role {} is gone: it gives nothing", plain(&step["roleId"]))
        }
        "role" => format!(
            "{} gives {} in the whole guild",
            role(&step["roleId"], guild),
            names("permissions")
        ),
        "administrator" => "one of them is ADMINISTRATOR: everything is allowed".to_owned(),
        "base" => format!("together: {}", names("permissions")),
        "obfuscated" => {
            "the bot can't view the room, so its overwrites are not known: nobody is shown it"
                .to_owned()
        }
        "guest" if step["connected"] == true => "they are a guest, in this very room".to_owned(),
        "guest" => "they are a guest, and not in this room".to_owned(),
        "overwrite" => format!(
            "the room's overwrite for {} allows {}, denies {}",
            target(step, guild),
            names("allow"),
            names("deny")
        ),
        "overwritten" => {
            let stage = match step["stage"].as_str() {
                Some("everyone") => "the overwrite of @everyone",
                Some("roles") => "the overwrites of all their roles together",
                _ => "their own overwrite",
            };
            format!("after {stage}: {}", names("permissions"))
        }
        "connected" => "they are connected to the room, so they see it".to_owned(),
        "notSeen" => "without VIEW_CHANNEL nothing else counts".to_owned(),
        "timedOut" => "they are in a timeout, which leaves seeing alone".to_owned(),
        other => format!("a step that this version does not know: {other:?}"),
    }
}

fn target(of: &Value, guild: &Value) -> String {
    match of["type"].as_str() {
        Some("member") => "this member".to_owned(),
        _ => role(&of["id"], guild),
    }
}

fn roles(list: &Value, guild: &Value) -> String {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    let list: Vec<String> = list.iter().map(|id| role(id, guild)).collect();
    list.join(", ")
}

fn role(id: &Value, guild: &Value) -> String {
    if id == guild {
        "@everyone".to_owned()
    } else {
        format!("role {}", plain(id))
    }
}

/// Those that Guildhall itself looks at, by Discord's names.
fn names(bits: &Value) -> String {
    let Ok(bits) = serde_json::from_value::<Permissions>(bits.clone()) else {
        return plain(bits);
    };
    let mut text = String::new();
    for name in bits.names() {
        let comma = if text.is_empty() { "" } else { ", " };
        write!(text, "{comma}{name}").expect("writing to a String can't fail");
    }
    match (text.is_empty(), bits == Permissions::NONE) {
        (true, true) => "nothing".to_owned(),
        (true, false) => "nothing that counts here".to_owned(),
        (false, _) => text,
    }
}
