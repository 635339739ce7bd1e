//! One shape for two worlds: what twilight's events add up to, and what
//! `/sim/state` says. Lists become maps by id, so that order does not matter.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use twilight_model::{
    channel::{Channel, permission_overwrite::PermissionOverwriteType},
    gateway::payload::incoming::MemberUpdate,
    guild::{Guild, Member, Permissions, Role},
    id::{Id, marker::RoleMarker},
    voice::VoiceState,
};

/// The name Discord gives a channel that the bot may not view.
const HIDDEN: &str = "___hidden___";

/// Things by id.
pub(crate) type Things = BTreeMap<String, Value>;

/// One guild.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) member_count: u64,
    pub(crate) roles: Things,
    pub(crate) channels: Things,
    pub(crate) members: Things,
    /// Who is in which channel, and how.
    pub(crate) voice: Things,
}

impl Told {
    pub(crate) fn of(guild: &Guild) -> Self {
        Self {
            name: guild.name.clone(),
            owner: guild.owner_id.to_string(),
            member_count: guild.member_count.unwrap_or_default(),
            roles: guild.roles.iter().map(role).collect(),
            channels: guild.channels.iter().map(channel).collect(),
            members: guild.members.iter().map(member).collect(),
            voice: guild.voice_states.iter().filter_map(voice).collect(),
        }
    }

    pub(crate) fn takes_voice(&mut self, state: &VoiceState) {
        match voice(state) {
            Some((id, state)) => self.voice.insert(id, state),
            None => self.voice.remove(&state.user_id.to_string()),
        };
    }

    /// Absent is not null: a member update without mute and deaf changes neither.
    pub(crate) fn takes_member_update(&mut self, update: &MemberUpdate) {
        let told = json!({
            "username": update.user.name,
            "nick": update.nick,
            "roles": sorted(&update.roles),
        });
        self.members.insert(update.user.id.to_string(), told);
    }
}

pub(crate) fn role(role: &Role) -> (String, Value) {
    let told = json!({
        "name": role.name,
        "color": role.colors.primary_color,
        "permissions": role.permissions.bits().to_string(),
    });
    (role.id.to_string(), told)
}

pub(crate) fn channel(channel: &Channel) -> (String, Value) {
    let overwrites: Things = channel
        .permission_overwrites
        .iter()
        .flatten()
        .map(|one| {
            let kind = match one.kind {
                PermissionOverwriteType::Role => 0,
                _ => 1,
            };
            let told = json!({
                "type": kind,
                "allow": one.allow.bits().to_string(),
                "deny": one.deny.bits().to_string(),
            });
            (one.id.to_string(), told)
        })
        .collect();
    let told = json!({
        "type": u8::from(channel.kind),
        "name": channel.name,
        "parentId": channel.parent_id.map(|id| id.to_string()),
        "overwrites": overwrites,
    });
    (channel.id.to_string(), told)
}

pub(crate) fn member(member: &Member) -> (String, Value) {
    let told = json!({
        "username": member.user.name,
        "nick": member.nick,
        "roles": sorted(&member.roles),
    });
    (member.user.id.to_string(), told)
}

fn voice(state: &VoiceState) -> Option<(String, Value)> {
    let told = json!({
        "channelId": state.channel_id?.to_string(),
        "selfMute": state.self_mute,
        "selfDeaf": state.self_deaf,
        "mute": state.mute,
        "deaf": state.deaf,
    });
    Some((state.user_id.to_string(), told))
}

fn sorted(roles: &[Id<RoleMarker>]) -> Vec<String> {
    let mut ids: Vec<_> = roles.iter().map(ToString::to_string).collect();
    ids.sort();
    ids
}

/// The library drops permissions that are newer than itself.
fn without_unknown(mut role: Value) -> Value {
    let bits: u64 = text(&role, "permissions").parse().expect("a number");
    let known = Permissions::from_bits_truncate(bits).bits();
    role["permissions"] = json!(known.to_string());
    role
}

/// The same of `/sim/state`, as the bot may see it.
pub(crate) fn of_state(state: &Value) -> BTreeMap<String, Told> {
    let names: BTreeMap<String, Value> = list(state, "users")
        .iter()
        .map(|user| (text(user, "id"), user["username"].clone()))
        .collect();
    list(state, "guilds")
        .iter()
        .map(|guild| {
            let id = text(guild, "id");
            let channels = list(guild, "channels").iter();
            let members = list(guild, "members").iter();
            let told = Told {
                name: text(guild, "name"),
                owner: text(guild, "ownerId"),
                member_count: members.len() as u64,
                roles: things(
                    list(guild, "roles"),
                    "id",
                    &["name", "color", "permissions"],
                )
                .into_iter()
                .map(|(id, role)| (id, without_unknown(role)))
                .collect(),
                channels: channels.map(|one| channel_of_state(one, &id)).collect(),
                members: members
                    .map(|member| {
                        let user = text(member, "userId");
                        let mut roles: Vec<String> =
                            serde_json::from_value(member["roles"].clone()).unwrap_or_default();
                        roles.sort();
                        let name = names.get(&user);
                        let told =
                            json!({"username": name, "nick": member["nick"], "roles": roles});
                        (user, told)
                    })
                    .collect(),
                voice: things(
                    list(guild, "voiceStates"),
                    "userId",
                    &["channelId", "selfMute", "selfDeaf", "mute", "deaf"],
                ),
            };
            (id, told)
        })
        .collect()
}

fn channel_of_state(channel: &Value, guild_id: &str) -> (String, Value) {
    let seen = channel["botSees"] == true;
    let overwrites = if seen {
        let all = list(channel, "permissionOverwrites");
        things(all, "id", &["type", "allow", "deny"])
    } else {
        let shut = json!({"type": 0, "allow": "0", "deny": "1024"});
        Things::from([(guild_id.to_owned(), shut)])
    };
    let told = json!({
        "type": channel["type"],
        "name": if seen { text(channel, "name") } else { HIDDEN.to_owned() },
        "parentId": channel["parentId"],
        "overwrites": overwrites,
    });
    (text(channel, "id"), told)
}

/// These fields of each, by its id.
fn things(all: &[Value], id: &str, fields: &[&str]) -> Things {
    all.iter()
        .map(|thing| {
            let told = fields
                .iter()
                .map(|field| ((*field).to_owned(), thing[*field].clone()));
            (text(thing, id), Value::Object(told.collect()))
        })
        .collect()
}

pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
