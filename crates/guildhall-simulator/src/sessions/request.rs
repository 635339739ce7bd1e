//! What a session may ask for, read without trust: ops 3, 4, 8, 31 and 43.
//!
//! A payload that does not fit its op is closed with 4001, as Discord documents
//! that code: "an invalid opcode or an invalid payload for an opcode".

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{close::CloseCode, json_object::JsonObject};
use crate::{
    snowflake::Snowflake,
    world::{Presence, Status},
};

/// Longest nonce of a member request, in bytes; a longer one is left out of the answer.
const LONGEST_NONCE: usize = 32;
/// Most ids and most results of a prefix that one member request gets.
const MOST_MEMBERS: usize = 100;

/// Something only a session may send.
#[derive(Debug)]
pub(crate) enum SessionRequest {
    /// Op 3
    UpdatePresence(Presence),
    /// Op 4
    UpdateVoiceState(UpdateVoiceState),
    /// Op 8
    GuildMembers(GuildMembersRequest),
    /// Op 31
    SoundboardSounds(Vec<Snowflake>),
    /// Op 43
    ChannelInfo(ChannelInfoRequest),
}

/// `d` of op 4: where the bot itself wants to be. Libraries leave the flags out that
/// their user did not set.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct UpdateVoiceState {
    pub(crate) guild_id: Snowflake,
    pub(crate) channel_id: Option<Snowflake>,
    #[serde(default)]
    pub(crate) self_mute: Option<bool>,
    #[serde(default)]
    pub(crate) self_deaf: Option<bool>,
}

/// Op 8, understood.
#[derive(Debug)]
pub(crate) struct GuildMembersRequest {
    pub(crate) guild_id: Snowflake,
    pub(crate) wanted: WantedMembers,
    pub(crate) presences: bool,
    pub(crate) nonce: Option<String>,
}

/// Which members are asked for.
#[derive(Debug)]
pub(crate) enum WantedMembers {
    /// The whole list, or its first so many: to Discord the same request.
    List(Option<usize>),
    /// Whose name begins so, at most so many.
    Prefix(String, usize),
    /// These; what is no id is not found.
    Ids(Vec<Value>),
}

/// `d` of op 43.
#[derive(Debug, Deserialize)]
pub(crate) struct ChannelInfoRequest {
    pub(crate) guild_id: Snowflake,
    pub(crate) fields: Vec<ChannelField>,
}

/// What can be asked of a channel that its object does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChannelField {
    Status,
    VoiceStartTime,
}

/// `d` of op 3 and `presence` of IDENTIFY: of its shape only what libraries agree on matters.
/// Each of them leaves something out, sends null for it, or has a `since` of its own kind.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct UpdatePresence {
    #[serde(default)]
    activities: Option<Vec<JsonObject<Activity>>>,
    #[serde(default)]
    status: Option<RequestedStatus>,
    #[serde(default, rename = "afk")]
    _afk: Option<bool>,
}

/// What a bot may say of an activity.
#[derive(Debug, Deserialize)]
struct Activity {
    name: String,
    #[serde(default, rename = "type")]
    kind: Option<u8>,
    #[serde(default)]
    state: Option<Value>,
    #[serde(default)]
    url: Option<Value>,
}

impl UpdatePresence {
    /// How the bot is shown from now on: online, where it does not say.
    pub(crate) fn presence(&self) -> Presence {
        let status = match self.status {
            None | Some(RequestedStatus::Online) => Status::Online,
            Some(RequestedStatus::Dnd) => Status::Dnd,
            Some(RequestedStatus::Idle) => Status::Idle,
            Some(RequestedStatus::Invisible | RequestedStatus::Offline) => Status::Offline,
        };
        let activities = self.activities.iter().flatten().map(|JsonObject(one)| {
            let mut told = json!({"name": one.name, "type": one.kind.unwrap_or(0)});
            for (name, value) in [("state", &one.state), ("url", &one.url)] {
                if let Some(value) = value {
                    told[name] = value.clone();
                }
            }
            told
        });
        Presence {
            status,
            activities: activities.collect(),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RequestedStatus {
    Online,
    Dnd,
    Idle,
    Invisible,
    Offline,
}

/// Reads `d` of an op, or says with what the connection must be closed.
pub(crate) fn read(op: i64, data: &str) -> Result<SessionRequest, CloseCode> {
    Ok(match op {
        3 => SessionRequest::UpdatePresence(fit::<UpdatePresence>(data)?.presence()),
        4 => SessionRequest::UpdateVoiceState(fit(data)?),
        8 => SessionRequest::GuildMembers(members(data).ok_or(CloseCode::UNKNOWN_OPCODE)?),
        31 => {
            #[derive(Deserialize)]
            struct Sounds {
                guild_ids: Vec<Snowflake>,
            }
            SessionRequest::SoundboardSounds(fit::<Sounds>(data)?.guild_ids)
        }
        43 => SessionRequest::ChannelInfo(fit(data)?),
        _ => return Err(CloseCode::UNKNOWN_OPCODE),
    })
}

fn fit<T: DeserializeOwned>(data: &str) -> Result<T, CloseCode> {
    serde_json::from_str(data)
        .map(|JsonObject(sent)| sent)
        .map_err(|_| CloseCode::UNKNOWN_OPCODE)
}

/// A guild, which some libraries write as a list of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneGuild {
    Itself(Snowflake),
    Listed([Snowflake; 1]),
}

/// Yes or no, for which some libraries write what is left of their intents.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Plain(bool),
    Bits(u64),
}

fn members(data: &str) -> Option<GuildMembersRequest> {
    #[derive(Deserialize)]
    struct Fields {
        guild_id: OneGuild,
        #[serde(default)]
        query: Option<String>,
        #[serde(default)]
        limit: Option<usize>,
        #[serde(default)]
        presences: Option<Flag>,
        #[serde(default)]
        user_ids: Option<Value>,
        #[serde(default)]
        nonce: Value,
    }
    let JsonObject(sent): JsonObject<Fields> = serde_json::from_str(data).ok()?;
    let wanted = match (sent.user_ids, sent.query) {
        (Some(Value::Array(mut ids)), _) => {
            ids.truncate(MOST_MEMBERS);
            WantedMembers::Ids(ids)
        }
        (Some(id @ (Value::String(_) | Value::Number(_))), _) => WantedMembers::Ids(vec![id]),
        (Some(_), _) | (None, None) => return None,
        (None, Some(query)) => {
            let limit = sent.limit?;
            if query.is_empty() {
                WantedMembers::List((limit > 0).then_some(limit))
            } else {
                let most = if limit == 0 { MOST_MEMBERS } else { limit };
                WantedMembers::Prefix(query, most.min(MOST_MEMBERS))
            }
        }
    };
    let nonce = sent.nonce.as_str().map(str::to_owned);
    Some(GuildMembersRequest {
        guild_id: match sent.guild_id {
            OneGuild::Itself(id) | OneGuild::Listed([id]) => id,
        },
        wanted,
        presences: match sent.presences {
            None => false,
            Some(Flag::Plain(flag)) => flag,
            Some(Flag::Bits(bits)) => bits != 0,
        },
        nonce: nonce.filter(|nonce| nonce.len() <= LONGEST_NONCE),
    })
}
