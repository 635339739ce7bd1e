/// Any frame.
mod strategies;
/// What was revoked.
mod revocations;
/// Frames of version 1, as they were recorded.
mod version_1;

use std::{collections::BTreeMap, time::Duration};

use guildhall_model::{
    Change, ChannelId, Event, LogId, Permissions, Revocation, RoleId, SessionId, UserId,
    command::{
        Command, CommandDone, CommandError, CommandErrorCode, CommandRequest, CommandResult,
        InviteClaims, InviteToken, Made, Outcome,
    },
    event::{
        EVENTS,
        sample::{ONE_MORE, Peep, WITH_LIVE},
    },
    guild::{
        Category, GuildInfo, Membership, Occupant, Overwrite, OverwriteTarget, Role, Room,
        RoomInfo, RoomKind, RoomManagement, RoomRights, VoiceFlags,
    },
};
use proptest::{collection::vec, option, prelude::*};

use super::*;
use revocations::of_revocations;
use strategies::frames;

const NOW: UnixMs = 1_767_225_600_000;

#[test]
fn the_frames_are_as_documented() {
    let texts: Vec<String> = one_of_each()
        .iter()
        .map(|frame| frame.encode(NOW))
        .collect();
    insta::assert_snapshot!("frames", texts.join("\n"));
    for (frame, text) in one_of_each().into_iter().zip(&texts) {
        assert_eq!(Frame::decode(text).expect("ours"), frame);
    }
}

#[test]
fn what_a_newer_peer_adds_is_passed_over() {
    let text = r#"{"type":"reply","data":{"kind":"watch","at":"0.1-2","mood":"good"},"requestId":7,"ts":1,"trace":{}}"#;
    let at = Position::start(LogId(0), 1).at(2).into();
    let answer = ReplyBody::Watched(Watched {
        at,
        failed: Vec::new(),
    });
    let reply = Reply {
        id: 7,
        result: Ok(answer),
    };
    assert_eq!(Frame::decode(text).ok(), Some(Frame::Reply(reply)));
    let unknown = r#"{"type":"telepathy","data":[1,2],"ts":1}"#;
    assert_eq!(Frame::decode(unknown).ok(), Some(Frame::Unknown));
    let event = r#"{"type":"event","id":"0.1-2","data":{"event":"guild.renumbered","payload":{"guildId":"1","ts":3}},"ts":3}"#;
    let Ok(Frame::Event(envelope)) = Frame::decode(event) else {
        panic!("an event of an unknown name still has its place");
    };
    assert_eq!(
        (envelope.at.seq, envelope.more, envelope.event.change),
        (2, false, Change::Unknown),
        "an older peer knows no groups: each event is one"
    );
}

#[test]
fn fields_may_stand_in_any_order() {
    let envelope = |text: &str| match Frame::decode(text) {
        Ok(Frame::Event(envelope)) => envelope,
        other => panic!("no event: {other:?}"),
    };
    let ours = envelope(
        r#"{"type":"event","id":"0.1-2","data":{"event":"guild.removed","payload":{"guildId":"1","ts":3}},"more":true,"ts":3}"#,
    );
    for text in [
        r#"{"ts":3,"more":true,"data":{"payload":{"ts":3,"guildId":"1"},"event":"guild.removed"},"id":"0.1-2","type":"event"}"#,
        r#" { "type" : "event" , "id" : "0.1-2", "data": { "event": "guild.removed", "payload": {"guildId" : "1", "ts" : 3 } } , "more" : true } "#,
        r#"{"type":"event","id":"0.1-2","data":{"event":"guild\u002eremoved","payload":{"guildId":"1","ts":3}},"more":true,"ts":3}"#,
        r#"{"type":"event","id":"0.1-2","data":{"event":"guild.removed","payload":{"guild\u0049d":"1","ts":3}},"more":true,"ts":3}"#,
    ] {
        assert_eq!(envelope(text), ours, "{text}");
    }
    let twice = r#"{"type":"event","id":"0.1-2","data":{"event":"guild.removed","payload":{"guildId":"1","ts":3,"guildId":"2"}},"ts":3}"#;
    assert!(Frame::decode(twice).is_err());
}

#[test]
fn an_event_more_is_a_row_of_the_table_more() {
    let text = r#"{"type":"event","id":"0.1-2","data":{"event":"room.knocked","payload":{"guildId":"1","ts":3,"channelId":"5","userId":"7"}},"ts":3}"#;
    let Ok(frame @ Frame::Event(_)) = Frame::decode_by(ONE_MORE, text) else {
        panic!("the table has it");
    };
    assert_eq!(frame.encode(9), text);
    let Ok(Frame::Event(elsewhere)) = Frame::decode(text) else {
        panic!("it has its place");
    };
    assert_eq!(elsewhere.event.change, Change::Unknown);
}

#[test]
fn a_word_of_the_live_lane_has_no_place_in_the_log() {
    let peep = Peep {
        channel_id: ChannelId(5),
        user_id: UserId(7),
        until: 3,
    };
    let frame = Frame::Live(peep.said(GuildId(1)).into());
    let text = r#"{"type":"live","data":{"event":"room.peeped","payload":{"guildId":"1","ts":3,"channelId":"5","userId":"7","until":3}},"ts":9}"#;
    assert_eq!(frame.encode(9), text);
    assert_eq!(Frame::decode_by(WITH_LIVE, text).ok(), Some(frame));
    let unknown = Frame::decode(text);
    assert_eq!(unknown.ok(), Some(Frame::Unknown), "in no table of ours");
    let broken = text.replace(r#""until":3"#, r#""until":true"#);
    assert!(Frame::decode_by(WITH_LIVE, &broken).is_err());
}

#[test]
fn nothing_secret_of_an_admission_is_in_a_log() {
    for frame in of_admissions() {
        let text = frame.encode(NOW);
        let said = format!("{frame:?}");
        for secret in [&invite().to_string(), "6qrZcUqja7812RVdnEKjpzOL4CvHBFG"] {
            assert!(!said.contains(secret), "{said} of {text}");
        }
    }
}

#[test]
fn an_admission_without_a_half_of_the_newcomer_is_malformed() {
    let invite = invite();
    let read = |rest: &str| {
        let text = format!(
            r#"{{"type":"request","requestId":1,"data":{{"kind":"admit","deadlineMs":9,{rest}}}}}"#
        );
        match Frame::decode(&text) {
            Ok(Frame::Request(request)) => request.body,
            other => panic!("no request: {other:?}"),
        }
    };
    let good = format!(r#""invite":"{invite}""#);
    assert!(matches!(read(&good), RequestBody::Admit(admit) if admit.newcomer.is_none()));
    for rest in [
        format!(r#"{good},"userId":"5""#),
        format!(r#"{good},"accessToken":"x""#),
        r#""invite":"x""#.to_owned(),
        r#""userId":"5","accessToken":"x""#.to_owned(),
    ] {
        assert_eq!(read(&rest), RequestBody::Malformed, "{rest}");
    }
}

#[test]
fn what_is_missing_or_of_the_wrong_kind_is_an_error() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"hello"}"#,
        r#"{"type":"hello","data":{"version":-1,"heads":"0.1-2"}}"#,
        r#"{"type":"hello","data":{"heads":"0.1-2"}}"#,
        r#"{"type":"hello","data":{"version":2,"head":"0.1-2"}}"#,
        r#"{"type":"subscribe","data":{"version":2,"after":"0.1"}}"#,
        r#"{"type":"event","data":{"event":"guild.removed","payload":{"guildId":"1","ts":3}}}"#,
        r#"{"type":"event","id":"0.1-2","data":{"event":"voice.left","payload":{"guildId":"1","ts":3}}}"#,
        r#"{"type":"request","data":{"kind":"watch","deadlineMs":1,"userId":"1","guildIds":[]}}"#,
        r#"{"type":"request","data":{"kind":"watch","userId":"1","guildIds":[]},"requestId":1}"#,
        r#"{"type":"reply","data":{"kind":"watch","at":"0.1-2"}}"#,
        r#"{"type":"reply","data":{"kind":"watch"},"requestId":1}"#,
        r#"{"type":"reply","data":{},"requestId":1}"#,
        r#"{"type":"reply","data":{"kind":"admit"},"requestId":1}"#,
        r#"{"type":"reply","data":{"kind":"admit","admitted":"perhaps"},"requestId":1}"#,
        r#"{"type":"status","data":{"at":"0.1-2","discord":"asleep","since":1,"complete":true}}"#,
        r#"{"type":"status","data":{"discord":"live","since":1,"complete":true}}"#,
        r#"{"type":"heads","data":{}}"#,
        r#"{"type":"tell","data":{}}"#,
        r#"{"type":"tell","data":{"kind":"revoked"}}"#,
        r#"{"type":"tell","data":{"kind":"viewers","rooms":{}}}"#,
        r#"{"type":"tell","data":{"kind":"viewers","instance":"","rooms":{}}}"#,
        r#"{"type":"tell","data":{"kind":"viewers","instance":"a b","rooms":{}}}"#,
        r#"{"type":"tell","data":{"kind":"viewers","instance":"a","rooms":{"5":-1}}}"#,
        r#"{"type":"tell","data":{"kind":"viewers","instance":"a","rooms":{"x":1}}}"#,
    ] {
        assert!(Frame::decode(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn every_frame_is_read_back_as_it_was_written(frame in frames(), ts: UnixMs) {
        let text = frame.encode(ts);
        prop_assert!(!text.contains('\n'));
        prop_assert_eq!(Frame::decode(&text).expect("ours"), frame);
    }

    #[test]
    fn an_event_is_the_same_whichever_way_it_is_read(
        frame in frames(),
        with in any::<prop::sample::Index>(),
        byte in option::of(prop_oneof![0x20_u8..0x7f, Just(b'"'), Just(b'\\'), Just(b'}')]),
    ) {
        let mut bytes = frame.encode(NOW).into_bytes();
        if let Some(byte) = byte {
            let at = with.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            let quickly = Frame::decode(&text);
            let any_order = Frame::decode_in_any_order(EVENTS, &text);
            prop_assert_eq!(quickly.ok(), any_order.ok(), "{}", text);
        }
    }

    #[test]
    fn any_text_is_a_frame_or_an_error(text in "\\PC{0,200}") {
        let _total = Frame::decode(&text);
    }

    #[test]
    fn a_frame_cut_anywhere_is_an_error(frame in frames(), cut: prop::sample::Index) {
        let text = frame.encode(NOW);
        let cut = cut.index(text.len());
        prop_assume!(text.is_char_boundary(cut));
        prop_assert!(Frame::decode(&text[..cut]).is_err());
    }

    #[test]
    fn a_frame_with_one_byte_changed_is_a_frame_or_an_error(
        frame in frames(), at: prop::sample::Index, byte in 0x20_u8..0x7f
    ) {
        let mut bytes = frame.encode(NOW).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _total = String::from_utf8(bytes).map(|text| Frame::decode(&text));
    }
}

fn one_of_each() -> Vec<Frame> {
    let start = Position::start(LogId(0), NOW - 1000);
    let other = Position::start(LogId(1), NOW - 2000);
    let two = Cursor::new([start.at(42), other.at(7)]).expect("two logs");
    let mut frames = vec![
        Frame::Hello {
            heads: start.at(42).into(),
        },
        Frame::Hello { heads: two.clone() },
        Frame::Subscribe { after: None },
        Frame::Subscribe {
            after: Some(start.at(40).into()),
        },
    ];
    frames.extend(of_the_log(start));
    frames.push(Frame::Heads { at: two });
    frames.extend(of_requests(start));
    frames.extend(of_admissions());
    frames.extend(of_revocations());
    frames.extend([
        Frame::Tell(Tell::Viewers {
            table: ViewerTable {
                instance: "k3q9".parse().expect("visible ASCII"),
                rooms: BTreeMap::from([(ChannelId(127_121_515_262_115_840), 3)]),
            },
            more: true,
        }),
        Frame::Tell(Tell::Viewers {
            table: ViewerTable {
                instance: "k3q9".parse().expect("visible ASCII"),
                rooms: BTreeMap::new(),
            },
            more: false,
        }),
        Frame::Tell(Tell::Unknown {
            kind: "gossip".to_owned(),
        }),
        Frame::Error {
            code: "version".to_owned(),
            message: "say hello".to_owned(),
        },
    ]);
    frames
}

fn of_the_log(start: Position) -> Vec<Frame> {
    let guild_id = GuildId(613_425_648_685_547_541);
    let event = |change| Event {
        guild_id,
        ts: NOW - 5,
        synthetic: false,
        change,
    };
    vec![
        Frame::Snapshot(Box::new(Base {
            guild_id,
            floor: start.at(38),
            guild: Some(guild()),
        })),
        Frame::Snapshot(Box::new(Base {
            guild_id: GuildId(7),
            floor: start,
            guild: None,
        })),
        Frame::SnapshotEnd {
            at: start.at(42).into(),
        },
        Frame::Event(Envelope {
            at: start.at(43),
            more: false,
            event: event(Change::VoiceJoined(occupant())),
        }),
        Frame::Event(Envelope {
            at: start.at(44),
            more: true,
            event: event(Change::VoiceLeft {
                previous_channel_id: ChannelId(127_121_515_262_115_840),
                user_id: UserId(80_351_110_224_678_912),
            }),
        }),
        Frame::Event(Envelope {
            at: start.at(45),
            more: false,
            event: event(Change::Rights {
                user_id: UserId(80_351_110_224_678_912),
                membership: Some(Membership::member(vec![RoleId(9)])),
            }),
        }),
        Frame::Event(Envelope {
            at: start.at(46),
            more: false,
            event: event(Change::Rights {
                user_id: UserId(80_351_110_224_678_912),
                membership: Some(Membership::guest(vec![]).timed_out_until(Some(NOW))),
            }),
        }),
        Frame::Status(LogStatus {
            at: start.at(42),
            status: DiscordStatus {
                discord: Discord::Live,
                since: NOW - 900,
                guild_ids: vec![GuildId(7)],
                complete: true,
            },
        }),
    ]
}

fn of_requests(start: Position) -> Vec<Frame> {
    let guild_id = GuildId(613_425_648_685_547_541);
    vec![
        Frame::Request(Request {
            id: 3,
            deadline: Duration::from_secs(5),
            body: RequestBody::Watch(WatchRequestBody {
                user_id: UserId(80_351_110_224_678_912),
                guild_ids: vec![guild_id, GuildId(7)],
            }),
        }),
        Frame::Reply(Reply {
            id: 3,
            result: Ok(ReplyBody::Watched(Watched {
                at: start.at(45).into(),
                failed: vec![GuildId(7)],
            })),
        }),
        Frame::Reply(Reply {
            id: 4,
            result: Err(RefusalCode::Deadline.refusal()),
        }),
        Frame::Request(Request {
            id: 5,
            deadline: Duration::from_secs(20),
            body: RequestBody::Command(Box::new(CommandRequest {
                actor: UserId(80_351_110_224_678_912),
                key: Some("8f14e45f".to_owned()),
                command: Command::RenameRoom {
                    guild_id,
                    channel_id: ChannelId(127_121_515_262_115_840),
                    name: "Table 2".to_owned(),
                },
            })),
        }),
        Frame::Reply(Reply {
            id: 5,
            result: Ok(ReplyBody::Command(Ok(CommandDone {
                outcome: Outcome::Queued {
                    done_at: NOW + 600_000,
                },
                at: None,
                made: None,
            }))),
        }),
        Frame::Reply(Reply {
            id: 6,
            result: Ok(ReplyBody::Command(Ok(CommandDone {
                outcome: Outcome::Done,
                at: Some(start.at(46).into()),
                made: None,
            }))),
        }),
        Frame::Request(Request {
            id: 11,
            deadline: Duration::from_secs(20),
            body: RequestBody::Repeat(Box::new(CommandRequest {
                actor: UserId(80_351_110_224_678_912),
                key: Some("8f14e45f".to_owned()),
                command: Command::CloseRoom {
                    guild_id,
                    channel_id: ChannelId(127_121_515_262_115_840),
                },
            })),
        }),
        Frame::Reply(Reply {
            id: 7,
            result: Ok(ReplyBody::Command(Err(CommandError::new(
                CommandErrorCode::Forbidden,
                "You lack MANAGE_CHANNELS in this room.",
            )
            .missing(&["MANAGE_CHANNELS"])))),
        }),
    ]
}

fn of_admissions() -> Vec<Frame> {
    let request = |id, newcomer| {
        Frame::Request(Request {
            id,
            deadline: Duration::from_secs(5),
            body: RequestBody::Admit(Box::new(AdmitRequestBody {
                invite: invite(),
                newcomer,
            })),
        })
    };
    let reply = |id, result| {
        let result = Ok(ReplyBody::Admitted(result));
        Frame::Reply(Reply { id, result })
    };
    let newcomer = Newcomer {
        user_id: UserId(80_351_110_224_678_912),
        access_token: AccessToken::new("6qrZcUqja7812RVdnEKjpzOL4CvHBFG".to_owned()),
    };
    let over = CommandError::new(CommandErrorCode::InviteExpired, "This invite is over.");
    vec![
        request(8, None),
        reply(8, Ok(Admitted::Valid.answer())),
        request(9, Some(newcomer)),
        reply(
            9,
            Ok(AdmitDone {
                admitted: Admitted::Added,
                at: Some(Position::start(LogId(0), NOW - 1000).at(47).into()),
            }),
        ),
        reply(10, Err(over)),
    ]
}

fn invite() -> InviteToken {
    let claims = InviteClaims {
        guild_id: GuildId(613_425_648_685_547_541),
        channel_id: ChannelId(127_121_515_262_115_840),
        room: 7,
        expires_at: NOW + 86_400_000,
        id: *b"one of its kind.",
    };
    InviteToken::new(claims, [9; 32])
}

fn occupant() -> Occupant {
    Occupant {
        channel_id: ChannelId(127_121_515_262_115_840),
        user_id: UserId(80_351_110_224_678_912),
        username: "nelly".to_owned(),
        display_name: "Nelly \u{1f989}".to_owned(),
        avatar: None,
        avatar_url: "https://cdn.discordapp.com/embed/avatars/0.png".to_owned(),
        bot: false,
        since: NOW - 5,
        flags: VoiceFlags {
            self_mute: true,
            ..VoiceFlags::default()
        },
    }
}

fn guild() -> Guild {
    let channel_id = ChannelId(127_121_515_262_115_840);
    let everyone = RoleId(613_425_648_685_547_541);
    let room = Room {
        info: RoomInfo {
            channel_id,
            name: "Table 1".to_owned(),
            kind: RoomKind::Voice,
            parent_id: Some(ChannelId(5)),
            parent_name: Some("Tables".to_owned()),
            position: 1,
            user_limit: 6,
            managed: Some(RoomManagement {
                owner_id: UserId(80_351_110_224_678_912),
                locked: true,
                hidden: false,
            }),
            status: Some("chess".to_owned()),
        },
        rights: RoomRights {
            overwrites: vec![Overwrite {
                target: OverwriteTarget::Role(everyone),
                allow: Permissions::NONE,
                deny: Permissions::VIEW_CHANNEL,
            }],
            obfuscated: false,
        },
    };
    Guild {
        info: GuildInfo {
            name: "Game night".to_owned(),
            icon: None,
        },
        available: true,
        owner_id: UserId(80_351_110_224_678_912),
        roles: BTreeMap::from([(everyone, Permissions::VIEW_CHANNEL)]),
        categories: BTreeMap::from([(ChannelId(5), category())]),
        rooms: BTreeMap::from([(channel_id, room)]),
        voice: BTreeMap::new(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::from([(UserId(4), Membership::Stranger)]),
    }
}

fn category() -> Category {
    Category {
        name: "Tables".to_owned(),
        rights: RoomRights {
            overwrites: vec![Overwrite {
                target: OverwriteTarget::Role(RoleId(9)),
                allow: Permissions::CONNECT,
                deny: Permissions::NONE,
            }],
            obfuscated: false,
        },
    }
}
