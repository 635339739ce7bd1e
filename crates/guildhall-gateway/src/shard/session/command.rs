//! What is said to Discord, as it reads it (Discord's documentation, "Gateway Events", Send
//! Events).

use std::fmt;

use guildhall_model::GuildId;
use serde::Serialize;
use serde_json::{json, value::RawValue};

use super::{ResumePoint, SessionConfig};
use crate::inbox::MembersRequest;

/// The longest message that Discord takes, in bytes. A longer one ends the connection with 4002.
pub(super) const LONGEST: usize = 4_096;

/// A message as it is sent. It may hold the token, so its `Debug` has none of the text.
#[derive(PartialEq, Eq)]
pub(in crate::shard) struct Outgoing(String);

impl Outgoing {
    pub(in crate::shard) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.0.len() > LONGEST
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes)", self.0.len())
    }
}

/// Something that is asked of Discord over an established session.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the product shows the bot in no way of its own, as yet"
    )
)]
pub(in crate::shard) enum SessionRequest {
    /// Op 8: members of a guild by their ids.
    Members(MembersRequest),
    /// Op 43: the status of a guild's voice channels, and since when each is in use.
    ChannelInfo(GuildId),
    /// Op 3: how the bot is shown. `d` of the message.
    Presence(Box<RawValue>),
}

impl SessionRequest {
    pub(in crate::shard) fn op(&self) -> u8 {
        match self {
            Self::Members(_) => 8,
            Self::ChannelInfo(_) => 43,
            Self::Presence(_) => 3,
        }
    }

    pub(super) fn message(&self) -> Outgoing {
        let op = self.op();
        match self {
            Self::Members(request) => message(
                op,
                &json!({
                    "guild_id": request.guild_id,
                    "user_ids": request.user_ids,
                    "nonce": request.nonce.0.to_string(),
                }),
            ),
            Self::ChannelInfo(guild_id) => message(
                op,
                &json!({"guild_id": guild_id, "fields": ["status", "voice_start_time"]}),
            ),
            Self::Presence(presence) => message(op, presence),
        }
    }
}

/// Op 1.
pub(super) fn heartbeat(sequence: Option<u64>) -> Outgoing {
    message(1, &sequence)
}

/// Op 2.
pub(super) fn identify(config: &SessionConfig) -> Outgoing {
    #[derive(Serialize)]
    struct Identify<'a> {
        token: &'a str,
        properties: Properties,
        intents: u64,
        shard: [u32; 2],
        #[serde(skip_serializing_if = "Option::is_none")]
        presence: Option<&'a RawValue>,
    }
    #[derive(Serialize)]
    struct Properties {
        os: &'static str,
        browser: &'static str,
        device: &'static str,
    }
    let identify = Identify {
        token: config.token.expose(),
        properties: Properties {
            os: std::env::consts::OS,
            browser: "guildhall",
            device: "guildhall",
        },
        intents: config.intents,
        shard: config.shard,
        presence: config.presence.as_deref(),
    };
    message(2, &identify)
}

/// Op 6.
pub(super) fn resume(config: &SessionConfig, from: &ResumePoint) -> Outgoing {
    let data = json!({
        "token": config.token.expose(),
        "session_id": from.session_id,
        "seq": from.sequence,
    });
    message(6, &data)
}

fn message(op: u8, data: &impl Serialize) -> Outgoing {
    #[derive(Serialize)]
    struct Message<'a, T> {
        op: u8,
        d: &'a T,
    }
    let text = serde_json::to_string(&Message { op, d: data });
    Outgoing(text.expect("text, numbers and lists are JSON"))
}

#[cfg(test)]
mod tests {
    use guildhall_model::{GuildId, UserId};

    use super::*;
    use crate::inbox::Nonce;

    #[test]
    fn requests_are_what_discord_reads() {
        let members = SessionRequest::Members(MembersRequest {
            guild_id: GuildId(1),
            user_ids: vec![UserId(2), UserId(3)],
            nonce: Nonce(4),
        });
        let text = r#"{"op":8,"d":{"guild_id":"1","nonce":"4","user_ids":["2","3"]}}"#;
        assert_eq!(members.message().into_text(), text);
        let info = SessionRequest::ChannelInfo(GuildId(1))
            .message()
            .into_text();
        let text = r#"{"op":43,"d":{"fields":["status","voice_start_time"],"guild_id":"1"}}"#;
        assert_eq!(info, text);
        let presence = r#"{"since":null,"activities":[],"status":"idle","afk":false}"#;
        let presence = RawValue::from_string(presence.to_owned()).expect("JSON");
        let text = format!(r#"{{"op":3,"d":{presence}}}"#);
        let presence = SessionRequest::Presence(presence).message();
        assert_eq!(presence.into_text(), text);
    }

    #[test]
    fn the_longest_request_for_members_is_not_too_long() {
        let longest = SessionRequest::Members(MembersRequest {
            guild_id: GuildId(u64::MAX),
            user_ids: vec![UserId(u64::MAX); 100],
            nonce: Nonce(u64::MAX),
        });
        assert!(!longest.message().is_too_long());
    }

    #[test]
    fn what_is_sent_has_no_text_form_but_its_own() {
        let shown = format!("{:?}", Outgoing("a-token".to_owned()));
        assert_eq!(shown, "Outgoing(7 bytes)");
    }
}
