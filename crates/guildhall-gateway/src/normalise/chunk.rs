//! Answers to Request Guild Members (op 8): GUILD_MEMBERS_CHUNK, and RATE_LIMITED for none.

use guildhall_model::{GuildId, UserId};
use serde::Deserialize;

use super::{
    MemberSeen,
    lenient::{Field, LenientList, Oddities},
    member::MemberObject,
};
use crate::inbox::Nonce;

/// GUILD_MEMBERS_CHUNK: a part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MembersChunk {
    /// Which request it answers: its nonce, which is a number of ours.
    pub(crate) nonce: Nonce,
    /// The guild that was asked about.
    pub(crate) guild_id: GuildId,
    /// Members whose roles could be read.
    pub(crate) members: Vec<MemberSeen>,
    /// Who was asked for and is no member.
    pub(crate) not_found: Vec<UserId>,
    /// No part comes after this one.
    pub(crate) last: bool,
    /// What of it could not be read.
    pub(crate) oddities: Oddities,
}

/// RATE_LIMITED: there will be no answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RateLimited {
    /// Which request.
    pub(crate) nonce: Nonce,
    /// Seconds to wait; 0 if that can't be read.
    pub(crate) wait: f64,
}

/// Reads a part of an answer. Total: `None` is text that answers no request of ours.
pub(super) fn part(data: &str) -> Result<Option<MembersChunk>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Payload {
        guild_id: GuildId,
        #[serde(default)]
        nonce: Field<NonceText>,
        #[serde(default)]
        members: Field<LenientList<MemberObject>>,
        #[serde(default)]
        not_found: Field<LenientList<UserId>>,
        #[serde(default)]
        chunk_index: Field<u64>,
        #[serde(default)]
        chunk_count: Field<u64>,
    }
    let payload: Payload = serde_json::from_str(data)?;
    let Some(nonce) = payload.nonce.get().and_then(NonceText::read) else {
        return Ok(None);
    };
    let mut oddities = Oddities::default();
    oddities.list(&payload.members, "members");
    oddities.harmless_if(payload.not_found.is_partial(), "not_found");
    oddities.harmless_if(payload.chunk_index.is_not_set(), "chunk_index");
    oddities.harmless_if(payload.chunk_count.is_not_set(), "chunk_count");
    let members = payload.members.entries();
    Ok(Some(MembersChunk {
        nonce,
        guild_id: payload.guild_id,
        members: members
            // The answer is all of the member: without a timeout in it there is none.
            .filter(|member| !member.has_unreadable_rights())
            .filter_map(|member| member.membership(member.user_id()?, None))
            .collect(),
        not_found: payload.not_found.entries().copied().collect(),
        // Without a count nobody would know when to stop waiting.
        last: match (payload.chunk_index, payload.chunk_count) {
            (Field::Set(index), Field::Set(count)) => index.saturating_add(1) >= count,
            _ => true,
        },
        oddities,
    }))
}

/// Seconds. Discord's own is half a minute; the rights machine does not wait that long either.
const LONGEST_WAIT: f64 = 3_600.0;

/// Reads a refusal. Total: `None` is text that refuses no request of ours.
pub(super) fn rate_limited(data: &str) -> Option<RateLimited> {
    const REQUEST_GUILD_MEMBERS: u64 = 8;
    #[derive(Deserialize)]
    struct Payload {
        opcode: u64,
        meta: Meta,
        #[serde(default)]
        retry_after: Field<f64>,
    }
    #[derive(Deserialize)]
    struct Meta {
        nonce: NonceText,
    }
    let payload: Payload = serde_json::from_str(data).ok()?;
    let ours = payload.opcode == REQUEST_GUILD_MEMBERS;
    Some(RateLimited {
        nonce: payload.meta.nonce.read().filter(|_| ours)?,
        wait: payload
            .retry_after
            .get()
            .map_or(0.0, |seconds| seconds.clamp(0.0, LONGEST_WAIT)),
    })
}

#[derive(Deserialize)]
struct NonceText(String);

impl NonceText {
    /// As we write it, and no other way.
    fn read(&self) -> Option<Nonce> {
        let number: u64 = self.0.parse().ok()?;
        (number.to_string() == self.0).then_some(Nonce(number))
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::{RoleId, guild::Membership};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn members_and_who_was_not_found_are_read_whatever_form_their_ids_have() {
        let data = json!({
            "guild_id": "1", "nonce": "77", "chunk_index": 0, "chunk_count": 1,
            "members": [
                {"user": {"id": "2", "username": "a"}, "roles": ["4"], "flags": 0, "joined_at": "x"},
                {"user": {"id": "3"}, "roles": [], "flags": 16, "joined_at": null},
                {"user": {"id": "8"}, "roles": [],
                    "communication_disabled_until": "2022-01-01T00:00:00.000000+00:00"},
            ],
            "not_found": ["5", 6, "no id", null],
        });
        let members = vec![
            MemberSeen {
                user_id: UserId(2),
                membership: Membership::member(vec![RoleId(4)]),
            },
            MemberSeen {
                user_id: UserId(3),
                membership: Membership::guest(Vec::new()),
            },
            MemberSeen {
                user_id: UserId(8),
                membership: Membership::member(Vec::new()).timed_out_until(Some(1_640_995_200_000)),
            },
        ];
        let read = MembersChunk {
            nonce: Nonce(77),
            guild_id: GuildId(1),
            members,
            not_found: vec![UserId(5), UserId(6)],
            last: true,
            oddities: Oddities {
                stale: None,
                harmless: Some("not_found"),
            },
        };
        assert_eq!(answer(&data.to_string()), Some(read));
    }

    #[test]
    fn one_odd_member_does_not_take_the_others_with_it() {
        let data = chunk(&json!({"members": [
            {"user": {"id": "2"}, "roles": "none"}, 7, {"roles": []},
            {"user": {"id": "4"}, "roles": [], "communication_disabled_until": "soon"},
            {"user": {"id": "3"}, "roles": []},
        ]}));
        let read = answer(&data).expect("it is an answer");
        let users: Vec<UserId> = read.members.iter().map(|member| member.user_id).collect();
        assert_eq!(users, [UserId(3)]);
        for odd in [json!({"members": null}), json!({"members": 3}), json!({})] {
            let read = answer(&chunk(&odd)).expect("it is an answer");
            assert_eq!((read.members, read.not_found), (Vec::new(), Vec::new()));
        }
    }

    #[test]
    fn the_last_part_is_told_by_its_number() {
        let last = |more: &Value| answer(&chunk(more)).expect("it is an answer").last;
        assert!(!last(&json!({"chunk_index": 0, "chunk_count": 2})));
        assert!(last(&json!({"chunk_index": 1, "chunk_count": 2})));
        assert!(last(&json!({"chunk_index": u64::MAX, "chunk_count": 2})));
        assert!(last(&json!({"chunk_index": "?", "chunk_count": 2})));
    }

    #[test]
    fn what_answers_no_request_of_ours_is_no_answer() {
        for nonce in [json!(null), json!("x"), json!("+7"), json!("07"), json!(7)] {
            assert_eq!(answer(&chunk(&json!({"nonce": nonce}))), None, "{nonce}");
        }
        assert_eq!(answer(r#"{"guild_id":"1"}"#), None);
        assert_eq!(answer(r#"{"nonce":"7"}"#), None);
    }

    #[test]
    fn a_refusal_of_a_members_request_names_it_and_how_long_to_wait() {
        let read = |data: Value| rate_limited(&data.to_string());
        let refusal =
            json!({"opcode": 8, "retry_after": 29.5, "meta": {"guild_id": "1", "nonce": "7"}});
        assert_eq!(
            read(refusal),
            Some(RateLimited {
                nonce: Nonce(7),
                wait: 29.5
            })
        );
        let untold = json!({"opcode": 8, "retry_after": null, "meta": {"nonce": "7"}});
        assert_eq!(
            read(untold),
            Some(RateLimited {
                nonce: Nonce(7),
                wait: 0.0
            })
        );
        assert_eq!(read(json!({"opcode": 31, "meta": {"nonce": "7"}})), None);
        assert_eq!(read(json!({"opcode": 8, "meta": {"guild_id": "1"}})), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(
            text in "\\PC{0,40}",
            members in "\\PC{0,20}|\\[\\{\"user\":[0-9\"{}:a-z]{0,12},\"roles\":[\\[\\]0-9\"]{0,6}\\}\\]",
        ) {
            let whole = format!(r#"{{"guild_id":"1","nonce":"7","members":{members}}}"#);
            for data in [&text, &whole] {
                let valid = serde_json::from_str::<Value>(data).is_ok();
                prop_assert!(valid || answer(data).is_none());
                prop_assert!(valid || rate_limited(data).is_none());
            }
        }
    }

    fn answer(data: &str) -> Option<MembersChunk> {
        part(data).ok().flatten()
    }

    fn chunk(more: &Value) -> String {
        let mut data = json!({"guild_id": "1", "nonce": "77"});
        for (name, value) in more.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        data.to_string()
    }
}
