//! The wire shapes. What browsers get is pinned by the files in `snapshots/`; changing one is
//! changing the protocol.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::{
    sample::{ONE_MORE, Peep, WITH_LIVE},
    *,
};
use crate::{
    Permissions, arbitrary,
    guild::{Overwrite, OverwriteTarget, RoomKind, RoomManagement, VoiceFlags},
};

/// Every key that a browser may ever find in a payload (docs/protocol/sse.md).
const PUBLIC_KEYS: [&str; 34] = [
    "guildId",
    "ts",
    "synthetic",
    "channelId",
    "previousChannelId",
    "userId",
    "username",
    "displayName",
    "avatar",
    "avatarUrl",
    "bot",
    "since",
    "mute",
    "deaf",
    "selfMute",
    "selfDeaf",
    "streaming",
    "video",
    "suppressed",
    "name",
    "kind",
    "parentId",
    "parentName",
    "position",
    "userLimit",
    "icon",
    "from",
    "to",
    "managed",
    "ownerId",
    "locked",
    "hidden",
    "status",
    "deletesAt",
];

proptest! {
    #[test]
    fn every_event_is_read_back_as_it_was_written(event in arbitrary::event()) {
        let json = serde_json::to_string(&event).expect("events serialise");
        prop_assert_eq!(serde_json::from_str::<Event>(&json).expect("and are read back"), event);
    }

    #[test]
    fn no_right_ever_reaches_a_browser(event in arbitrary::event()) {
        let internal = event.change.audience() == Audience::Nobody;
        prop_assert_eq!(event.public().is_none(), internal);
        if let Some(public) = event.public() {
            let Value::Object(payload) = serde_json::to_value(&public).expect("serialises") else {
                return Err(TestCaseError::fail("not an object"));
            };
            for (key, value) in &payload {
                prop_assert!(PUBLIC_KEYS.contains(&key.as_str()), "{key}");
                prop_assert!(!value.is_object() && !value.is_array(), "{key} nests");
            }
            let text = serde_json::to_string(&public).expect("serialises");
            prop_assert!(!text.contains(['\n', '\r', '\0']));
        }
    }

    #[test]
    fn any_text_is_an_event_or_an_error(text in "\\PC{0,80}", which: prop::sample::Index) {
        let _: Result<Event, _> = serde_json::from_str(&text);
        let names: Vec<_> = EVENTS.iter().map(|event| event.name).collect();
        let _: Result<Event, _> = Event::from_wire(names[which.index(names.len())], &text);
        let _: Result<Event, _> = Event::from_wire(&text, &text);
    }

    #[test]
    fn any_bytes_are_an_event_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _: Result<Event, _> = serde_json::from_slice(&bytes);
    }

    /// A payload that was cut, or of which one byte changed on its way.
    #[test]
    fn a_damaged_event_is_an_event_or_an_error(
        event in arbitrary::event(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut json = serde_json::to_vec(&event).expect("events serialise");
        let at = at.index(json.len());
        let _: Result<Event, _> = serde_json::from_slice(&json[..at]);
        json[at] = byte;
        let _: Result<Event, _> = serde_json::from_slice(&json);
    }
}

/// The table's list names each row once, and each change of the log has its row.
#[test]
fn every_change_has_its_own_row_and_every_row_of_the_log_its_change() {
    let told: Vec<_> = one_of_each()
        .iter()
        .map(|event| event.change.name())
        .collect();
    let is_of_log = |event: &&EventDefinition| matches!(event.lane, Lane::Log(_));
    let listed: Vec<_> = EVENTS
        .iter()
        .filter(is_of_log)
        .map(|event| event.name)
        .collect();
    assert_eq!(told, listed);
    let names: BTreeSet<_> = EVENTS.iter().map(|event| event.name).collect();
    assert_eq!(names.len(), EVENTS.iter().count());
}

#[test]
fn what_is_judged_by_a_room_is_about_one() {
    for event in one_of_each() {
        let rule = event.change.definition().audience;
        let by_room = matches!(rule, AudienceRule::RoomAfter | AudienceRule::RoomBefore);
        assert_eq!(event.change.channel().is_some(), by_room, "{event:?}");
        let internal = rule == AudienceRule::Nobody;
        let nobody = event.change.audience() == Audience::Nobody;
        assert_eq!(internal, nobody, "{event:?}");
    }
}

#[test]
fn the_families_that_can_be_asked_for_are_those_of_the_table() {
    let names = |table: EventTable| -> Vec<_> { table.families().map(|(name, _)| name).collect() };
    assert_eq!(names(EVENTS), ["voice", "room"]);
    assert_eq!(names(ONE_MORE), ["knock"]);
    assert!(EVENTS.all_families().contains(Family::Room));
    assert!(!EVENTS.all_families().contains(Family::Knock));
    assert!(FamilySet::default().contains(Family::Always));
}

#[test]
fn an_event_more_is_read_and_written_by_its_row() {
    let payload = r#"{"guildId":"1","ts":5,"channelId":"401","userId":"9"}"#;
    let event = Event::from_wire_by(ONE_MORE, "room.knocked", payload).expect("is read");
    let public = event.public().expect("is public");
    let written = [
        serde_json::to_string(&event.wire_payload()),
        serde_json::to_string(&public),
    ];
    assert_eq!(written.map(|json| json.expect("JSON")), [payload, payload]);
    assert_eq!(event.change.audience(), Audience::Room(ChannelId(401)));
    assert!(Event::from_wire_by(ONE_MORE, "room.knocked", "{}").is_err());
    let elsewhere = Event::from_wire("room.knocked", payload).expect("is read");
    assert_eq!(elsewhere.change, Change::Unknown);
}

fn peep(guild: u64, user: u64, until: u64) -> LiveEvent {
    let peep = Peep {
        channel_id: ChannelId(401),
        user_id: UserId(user),
        until,
    };
    peep.said(GuildId(guild))
}

#[test]
fn a_live_event_is_read_as_it_was_written_and_is_in_no_log() {
    let event = peep(1, 9, 70);
    let payload = r#"{"guildId":"1","ts":70,"channelId":"401","userId":"9","until":70}"#;
    assert_eq!(event.payload(), payload);
    let json = serde_json::to_string(&event).expect("it serialises");
    assert_eq!(
        json,
        format!(r#"{{"event":"room.peeped","payload":{payload}}}"#)
    );
    let read = |table, json: &str| LiveEvent::from_json_by(table, json);
    assert_eq!(read(WITH_LIVE, &json).ok(), Some(Some(event)));
    assert_eq!(read(EVENTS, &json).ok(), Some(None), "not in this table");
    let of_log = json.replace("room.peeped", "room.knocked");
    assert_eq!(read(WITH_LIVE, &of_log).ok(), Some(None), "the other lane");
    assert!(read(WITH_LIVE, r#"{"event":"room.peeped","payload":{}}"#).is_err());
    let logged = Event::from_wire_by(WITH_LIVE, "room.peeped", payload).expect("has a place");
    assert_eq!(logged.change, Change::Unknown);
}

proptest! {
    /// Whoever keeps the number of the last word, and reads at any moments, ends with the latest
    /// word about each key, and is told none twice that did not change.
    #[test]
    fn whoever_reads_on_has_the_latest_word_about_each_key(
        acts in proptest::collection::vec((1..3_u64, 1..4_u64, any::<bool>()), 0..40),
    ) {
        let (mut table, mut latest, mut heard) = (LiveTable::default(), BTreeMap::new(), BTreeMap::new());
        let mut after = 0;
        for (until, (guild, user, reads)) in (0..).zip(acts) {
            let event = peep(guild, user, until);
            latest.insert(event.key(), event.payload().to_owned());
            table.set(event.into());
            if reads {
                for guild in [1, 2] {
                    for event in table.between(GuildId(guild), after, table.last()) {
                        let before = heard.insert(event.key(), event.payload().to_owned());
                        prop_assert_ne!(before.as_deref(), Some(event.payload()));
                    }
                }
                after = table.last();
            }
        }
        for guild in [1, 2] {
            let rest = table.between(GuildId(guild), after, table.last());
            heard.extend(rest.map(|event| (event.key(), event.payload().to_owned())));
        }
        prop_assert_eq!(heard, latest);
        table.forget(GuildId(1));
        prop_assert_eq!(table.between(GuildId(1), 0, table.last()).count(), 0);
        let last = table.last();
        table.clear();
        prop_assert_eq!((table.between(GuildId(2), 0, last).count(), table.last()), (0, last));
    }
}

#[test]
fn an_event_of_a_newer_gateway_takes_its_place_and_says_nothing() {
    let payload = r#"{"guildId":"1","ts":5,"paint":"blue"}"#;
    let event = Event::from_wire("room.painted", payload).expect("is read");
    assert_eq!(event.change, Change::Unknown);
    assert!(event.public().is_none());
}

#[test]
fn rights_that_say_neither_member_nor_forgotten_are_no_rights() {
    for payload in [
        r#"{"guildId":"1","ts":5,"userId":"8"}"#,
        r#"{"guildId":"1","ts":5,"userId":"8","roles":["3"]}"#,
        r#"{"guildId":"1","ts":5,"userId":"8","member":null}"#,
    ] {
        assert!(Event::from_wire("rights", payload).is_err(), "{payload}");
    }
    let stranger = r#"{"guildId":"1","ts":5,"userId":"8","member":false,"roles":["3"]}"#;
    let event = Event::from_wire("rights", stranger).expect("is read");
    assert!(matches!(
        event.change,
        Change::Rights {
            membership: Some(Membership::Stranger),
            ..
        }
    ));
}

#[test]
fn a_timeout_is_said_with_the_rights_of_whoever_is_in_one_and_of_nobody_else() {
    let rights = |membership| Event {
        guild_id: GuildId(1),
        ts: 5,
        synthetic: false,
        change: Change::Rights {
            user_id: UserId(8),
            membership: Some(membership),
        },
    };
    let member = Membership::member(vec![RoleId(3)]);
    for (membership, said) in [
        (member.clone(), r#""guest":false,"member":true"#),
        (
            member.timed_out_until(Some(1_640_995_200_000)),
            r#""guest":false,"member":true,"timeoutUntil":1640995200000"#,
        ),
    ] {
        let event = rights(membership);
        let payload = format!(r#"{{"guildId":"1","ts":5,"userId":"8","roles":["3"],{said}}}"#);
        let wire = format!(r#"{{"event":"rights","payload":{payload}}}"#);
        assert_eq!(serde_json::to_string(&event).expect("is written"), wire);
        let read = Event::from_wire("rights", &payload).expect("is read");
        assert_eq!(read, event);
        assert!(event.public().is_none());
    }
}

#[test]
fn an_error_does_not_repeat_an_endless_name() {
    let error = Event::from_wire(&"x".repeat(10_000), "{}").expect_err("no guildId");
    assert!(error.to_string().len() < 200);
}

/// Browsers get exactly this. An event that is not here has no public form.
#[test]
fn the_public_shapes() {
    for event in one_of_each() {
        if let Some(public) = event.public() {
            let name = format!("public-{}", event.change.name());
            insta::assert_json_snapshot!(name, public);
        }
    }
}

/// The link carries exactly this.
#[test]
fn the_link_shapes() {
    for event in one_of_each() {
        let name = format!("link-{}", event.change.name());
        insta::assert_json_snapshot!(name, event);
    }
}

fn one_of_each() -> Vec<Event> {
    let changes = [
        Change::VoiceJoined(occupant()),
        Change::VoiceLeft {
            previous_channel_id: ChannelId(401),
            user_id: UserId(9),
        },
        Change::VoiceUpdated(Occupant {
            avatar: None,
            bot: true,
            flags: VoiceFlags {
                mute: true,
                deaf: true,
                self_mute: true,
                self_deaf: true,
                streaming: true,
                video: true,
                suppressed: true,
            },
            ..occupant()
        }),
        Change::RoomCreated(room()),
        Change::RoomUpdated(RoomInfo {
            parent_id: None,
            parent_name: None,
            kind: RoomKind::Stage,
            managed: Some(RoomManagement {
                owner_id: UserId(9),
                locked: true,
                hidden: false,
            }),
            status: Some("chess, all evening".to_owned()),
            ..room().info
        }),
        Change::RoomDeleted {
            channel_id: ChannelId(401),
        },
        idle(),
        Change::GuildAvailable(Some(Box::new(guild()))),
        Change::GuildUnavailable,
        Change::GuildUpdated(guild().info),
        Change::GuildRemoved,
        Change::Gap { from: 5, to: 7 },
        Change::VoicePending(occupant()),
        Change::VoicePendingRemoved { user_id: UserId(9) },
        Change::OwnerChanged {
            owner_id: UserId(8),
        },
        Change::RoleSet(Role {
            role_id: RoleId(3),
            permissions: Permissions::VIEW_CHANNEL,
        }),
        Change::RoleRemoved { role_id: RoleId(3) },
        Change::RoomRights {
            channel_id: ChannelId(401),
            rights: RoomRights {
                obfuscated: true,
                ..room().rights
            },
        },
        Change::CategorySet {
            channel_id: ChannelId(400),
            category: category(),
        },
        Change::CategoryRemoved {
            channel_id: ChannelId(400),
        },
        Change::Rights {
            user_id: UserId(9),
            membership: Some(Membership::member(vec![RoleId(3)])),
        },
        Change::RightsReset,
    ];
    let event = |change| Event {
        guild_id: GuildId(1),
        ts: 1_700_000_000_000,
        synthetic: matches!(change, Change::RoomDeleted { .. }),
        change,
    };
    changes.into_iter().map(event).collect()
}

fn idle() -> Change {
    Change::RoomIdle {
        channel_id: ChannelId(401),
        deletes_at: Some(1_700_000_030_000),
    }
}

fn occupant() -> Occupant {
    Occupant {
        channel_id: ChannelId(401),
        user_id: UserId(9),
        username: "ann".to_owned(),
        display_name: "Ann of the Hill".to_owned(),
        avatar: Some("a_1f".to_owned()),
        avatar_url: "https://cdn.example/avatars/9/a_1f.png?size=128".to_owned(),
        bot: false,
        since: 1_699_999_999_000,
        flags: VoiceFlags::default(),
    }
}

fn room() -> Room {
    Room {
        info: RoomInfo {
            channel_id: ChannelId(401),
            name: "The Moon".to_owned(),
            kind: RoomKind::Voice,
            parent_id: Some(ChannelId(400)),
            parent_name: Some("Voice".to_owned()),
            position: 2,
            user_limit: 10,
            managed: None,
            status: None,
        },
        rights: RoomRights {
            overwrites: vec![
                Overwrite {
                    target: OverwriteTarget::Role(RoleId(1)),
                    allow: Permissions::NONE,
                    deny: Permissions::VIEW_CHANNEL,
                },
                Overwrite {
                    target: OverwriteTarget::Member(UserId(9)),
                    allow: Permissions::VIEW_CHANNEL,
                    deny: Permissions::NONE,
                },
            ],
            obfuscated: false,
        },
    }
}

fn category() -> Category {
    Category {
        name: "Voice".to_owned(),
        rights: RoomRights {
            overwrites: vec![Overwrite {
                target: OverwriteTarget::Role(RoleId(1)),
                allow: Permissions::NONE,
                deny: Permissions::CONNECT,
            }],
            obfuscated: false,
        },
    }
}

fn guild() -> Guild {
    Guild {
        info: GuildInfo {
            name: "The Guild".to_owned(),
            icon: Some("c0ffee".to_owned()),
        },
        available: true,
        owner_id: UserId(7),
        roles: [(RoleId(1), Permissions::VIEW_CHANNEL)].into(),
        categories: [(ChannelId(400), category())].into(),
        rooms: [(ChannelId(401), room())].into(),
        voice: [(UserId(9), occupant())].into(),
        pending_voice: BTreeMap::new(),
        memberships: [
            (UserId(8), Membership::Stranger),
            (UserId(9), Membership::guest(vec![RoleId(3)])),
        ]
        .into(),
    }
}
