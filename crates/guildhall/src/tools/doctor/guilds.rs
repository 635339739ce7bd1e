//! What the bot is in its guilds: whether it is there, what it may do, and what it may not view.

use std::collections::BTreeSet;

use guildhall_model::{
    Permissions,
    command::{BotUse, TO_HEAR_THE_AUDIT_LOG, TO_LET_PEOPLE_IN},
};
use serde_json::Value;

use super::{
    Patient,
    application::Answers,
    check::{CheckOutcome, Findings},
};
use crate::tools::print::plain;

/// What the bot needs beside seeing, by Discord's name, and for what.
const NEEDED: [(Permissions, &str, &str); 7] = [
    (Permissions::VIEW_CHANNEL, "VIEW_CHANNEL", "seeing rooms"),
    (
        Permissions::CONNECT,
        "CONNECT",
        "whatever is done in a room",
    ),
    (
        Permissions::MOVE_MEMBERS,
        "MOVE_MEMBERS",
        "moving people, kicking and lobbies",
    ),
    (
        Permissions::MANAGE_CHANNELS,
        "MANAGE_CHANNELS",
        "making, renaming and closing rooms",
    ),
    (
        Permissions::MANAGE_ROLES,
        "MANAGE_ROLES",
        "private rooms, locking, hiding and invites",
    ),
    (
        Permissions::SET_VOICE_CHANNEL_STATUS,
        "SET_VOICE_CHANNEL_STATUS",
        "a room's status",
    ),
    (
        Permissions::SEND_MESSAGES,
        "SEND_MESSAGES",
        "the message in a new room's chat, and telling somebody in a lobby why there is no room",
    ),
];

/// For the audit log, which the intent `moderation` reads.
const AUDIT_LOG: (Permissions, &str, &str) = (
    TO_HEAR_THE_AUDIT_LOG,
    "VIEW_AUDIT_LOG",
    "obeying role changes within 2 s by DISCORD_INTENTS=moderation",
);

/// For letting people into a guild.
const INVITES: (Permissions, &str, &str) = (
    TO_LET_PEOPLE_IN,
    "CREATE_INSTANT_INVITE",
    "letting people into the guild by GUILDS_JOIN=1",
);

pub(super) async fn examine(patient: &Patient<'_>, answers: &Answers, findings: &mut Findings) {
    let (there, permissions) = match (answers.guilds(), &patient.roles.gateway) {
        (Ok(guilds), Some(gateway)) => (
            membership(guilds, gateway, answers),
            permissions(patient, guilds, gateway),
        ),
        (Err(why), _) => (
            CheckOutcome::skipped(why.clone()),
            CheckOutcome::skipped(why),
        ),
        (Ok(_), None) => {
            let why = || CheckOutcome::skipped("the gateway's settings can't be read");
            (why(), why())
        }
    };
    findings.add("guilds", there);
    findings.add("permissions", permissions);
    findings.add("blind-channels", blind_channels(patient).await);
}

fn id(guild: &Value) -> String {
    plain(&guild["id"])
}

fn membership(
    guilds: &[Value],
    gateway: &guildhall_gateway::Config,
    answers: &Answers,
) -> CheckOutcome {
    let invite = match answers.bot() {
        Some(bot) => format!(
            "invite the bot: https://discord.com/oauth2/authorize?client_id={bot}&scope=bot&permissions={}",
            BotUse::Rooms.permissions().0
        ),
        None => "invite the bot".to_owned(),
    };
    let is_in: BTreeSet<String> = guilds.iter().map(id).collect();
    let wanted = gateway.guilds.iter().flatten().map(ToString::to_string);
    let missing: Vec<String> = wanted.filter(|id| !is_in.contains(id)).collect();
    if !missing.is_empty() {
        let what = missing
            .iter()
            .map(|id| format!("DISCORD_GUILD_ID names the guild {id}, in which the bot is not"));
        return CheckOutcome::Failed {
            what: what.collect(),
            cure: vec![invite, "or correct DISCORD_GUILD_ID".to_owned()],
        };
    }
    if guilds.is_empty() {
        return CheckOutcome::found("the bot is in no guild", [invite]);
    }
    let count = gateway.guilds.as_ref().map_or(guilds.len(), BTreeSet::len);
    CheckOutcome::passed(format!("the bot is in {count} of {count} bridged guilds"))
}

fn permissions(
    patient: &Patient<'_>,
    guilds: &[Value],
    gateway: &guildhall_gateway::Config,
) -> CheckOutcome {
    let mut needed = NEEDED.to_vec();
    needed.extend(gateway.intents.moderation.then_some(AUDIT_LOG));
    let joins = patient
        .roles
        .web
        .as_ref()
        .is_some_and(|web| web.role.guilds_join);
    needed.extend(joins.then_some(INVITES));
    let bridged = |guild: &&Value| {
        let bridged = gateway.guilds.as_ref();
        bridged.is_none_or(|ids| ids.iter().any(|one| one.to_string() == id(guild)))
    };
    let mut what = Vec::new();
    let mut lacking = BTreeSet::new();
    let mut count = 0;
    for guild in guilds.iter().filter(bridged) {
        count += 1;
        let has = serde_json::from_value::<Permissions>(guild["permissions"].clone());
        let Ok(has) = has else {
            return CheckOutcome::skipped("Discord did not say what the bot may do");
        };
        if has.contains(Permissions::ADMINISTRATOR) || guild["owner"] == true {
            continue;
        }
        let missing = needed.iter().filter(|(one, ..)| !has.contains(*one));
        let missing: Vec<_> = missing.map(|(_, name, why)| (*name, *why)).collect();
        if missing.is_empty() {
            continue;
        }
        let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
        let name = plain(&guild["name"]);
        what.push(format!(
            "in {name:?} ({}) the bot lacks {}",
            id(guild),
            names.join(", ")
        ));
        lacking.extend(missing);
    }
    if what.is_empty() {
        return CheckOutcome::passed(format!("the bot has what it needs in {count} guilds"));
    }
    let mut cure = vec![
        "give the bot's role these permissions (Server Settings, Roles), or invite it again with them"
            .to_owned(),
    ];
    let whys = lacking
        .iter()
        .map(|(name, why)| format!("{name} is for {why}"));
    cure.extend(whys);
    CheckOutcome::Failed { what, cure }
}

/// Discord's REST interface leaves such channels out, and tells of them on the Gateway alone: so it
/// is the house that knows.
async fn blind_channels(patient: &Patient<'_>) -> CheckOutcome {
    let list = match patient.house.json("admin/blind-channels").await {
        Ok(list) => list,
        Err(error) => {
            return CheckOutcome::skipped(format!(
                "only a house that runs is told of them by Discord, and {error}"
            ));
        }
    };
    let Ok(Value::Array(list)) = serde_json::from_str(&list) else {
        return CheckOutcome::skipped("the house's answer is no list");
    };
    if list.is_empty() {
        return CheckOutcome::passed("the bot may view every voice channel");
    }
    let what = list.iter().map(|room| {
        let of = |name: &str| plain(&room[name]);
        let category = match &room["parentName"] {
            Value::String(name) => format!(", in the category {name:?}"),
            _ => String::new(),
        };
        format!(
            "the bot may not view the channel {} of {:?}{category}: nobody is shown it \
             (https://discord.com/channels/{}/{})",
            of("channelId"),
            of("guildName"),
            of("guildId"),
            of("channelId")
        )
    });
    CheckOutcome::Failed {
        what: what.collect(),
        cure: vec![
            "allow the bot's role, or the bot itself, VIEW_CHANNEL there (Edit Channel, Permissions)"
                .to_owned(),
            "or leave it so, if Guildhall is to show these channels to nobody".to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_is_what_an_invited_bot_has() {
        let needed = NEEDED.iter().fold(0, |all, (one, ..)| all | one.0);
        assert_eq!(Permissions(needed), BotUse::Rooms.permissions());
        for (one, name, _) in NEEDED {
            assert_eq!(one.names().collect::<Vec<_>>(), [name]);
        }
    }
}
