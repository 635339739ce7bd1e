use std::collections::BTreeMap;

use guildhall_model::{
    Change, ChannelId, LogId, Permissions, RoleId,
    event::sample::{ONE_MORE, Peep, WITH_LIVE},
    guild::{
        GuildInfo, Membership, Occupant, Overwrite, OverwriteTarget, Role, Room, RoomInfo,
        RoomKind, RoomRights, VoiceFlags,
    },
};
use proptest::{collection::vec, option, prelude::*};

use super::*;

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
    let text =
        r#"{"type":"ack","data":{"at":"0.1-2","mood":"good"},"requestId":7,"ts":1,"trace":{}}"#;
    let ack = Ack {
        request_id: 7,
        at: Position::start(LogId(0), 1).at(2),
        failed: Vec::new(),
    };
    assert_eq!(Frame::decode(text).ok(), Some(Frame::Ack(ack)));
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
fn what_is_missing_or_of_the_wrong_kind_is_an_error() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"hello"}"#,
        r#"{"type":"hello","data":{"version":-1,"head":"0.1-2"}}"#,
        r#"{"type":"subscribe","data":{"after":"0.1"}}"#,
        r#"{"type":"event","data":{"event":"guild.removed","payload":{"guildId":"1","ts":3}}}"#,
        r#"{"type":"event","id":"0.1-2","data":{"event":"voice.left","payload":{"guildId":"1","ts":3}}}"#,
        r#"{"type":"watch","data":{"userId":"1","guildIds":[]}}"#,
        r#"{"type":"ack","data":{"at":"0.1-2"}}"#,
        r#"{"type":"status","data":{"discord":"asleep","since":1,"complete":true}}"#,
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
    let guild_id = GuildId(613_425_648_685_547_541);
    let event = |change| Event {
        guild_id,
        ts: NOW - 5,
        synthetic: false,
        change,
    };
    vec![
        Frame::Hello(Hello {
            version: VERSION,
            head: start.at(42),
        }),
        Frame::Subscribe { after: None },
        Frame::Subscribe {
            after: Some(start.at(40)),
        },
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
            position: start.at(42),
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
                membership: Some(Membership::member(vec![RoleId(9)], false)),
            }),
        }),
        Frame::Status(DiscordStatus {
            discord: Discord::Live,
            since: NOW - 900,
            guild_ids: vec![GuildId(7)],
            complete: true,
        }),
        Frame::Watch {
            request_id: 3,
            user_id: UserId(80_351_110_224_678_912),
            guild_ids: vec![guild_id, GuildId(7)],
        },
        Frame::Ack(Ack {
            request_id: 3,
            at: start.at(45),
            failed: vec![GuildId(7)],
        }),
        Frame::Error {
            code: "version".to_owned(),
            message: "say hello".to_owned(),
        },
    ]
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
        categories: BTreeMap::from([(ChannelId(5), "Tables".to_owned())]),
        rooms: BTreeMap::from([(channel_id, room)]),
        voice: BTreeMap::new(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::from([(UserId(4), Membership::Stranger)]),
    }
}

fn frames() -> impl Strategy<Value = Frame> {
    prop_oneof![
        (any::<u32>(), positions())
            .prop_map(|(version, head)| Frame::Hello(Hello { version, head })),
        option::of(positions()).prop_map(|after| Frame::Subscribe { after }),
        (ids(), positions(), option::of(guilds())).prop_map(|(id, floor, guild)| {
            let guild_id = GuildId(id);
            Frame::Snapshot(Box::new(Base {
                guild_id,
                floor,
                guild,
            }))
        }),
        positions().prop_map(|position| Frame::SnapshotEnd { position }),
        (positions(), any::<bool>(), events())
            .prop_map(|(at, more, event)| Frame::Event(Envelope { at, more, event })),
        (discords(), any::<u64>(), vec(ids(), 0..4), any::<bool>()).prop_map(
            |(discord, since, guilds, complete)| Frame::Status(DiscordStatus {
                discord,
                since,
                guild_ids: guilds.into_iter().map(GuildId).collect(),
                complete,
            })
        ),
        (any::<u64>(), ids(), vec(ids(), 0..4)).prop_map(|(request_id, user, guilds)| {
            Frame::Watch {
                request_id,
                user_id: UserId(user),
                guild_ids: guilds.into_iter().map(GuildId).collect(),
            }
        }),
        (any::<u64>(), positions(), vec(ids(), 0..4)).prop_map(|(request_id, at, failed)| {
            let failed = failed.into_iter().map(GuildId).collect();
            Frame::Ack(Ack {
                request_id,
                at,
                failed,
            })
        }),
        (any::<String>(), any::<String>())
            .prop_map(|(code, message)| Frame::Error { code, message }),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    (ids(), any::<u64>(), any::<bool>(), changes()).prop_map(|(guild, ts, synthetic, change)| {
        Event {
            guild_id: GuildId(guild),
            ts,
            synthetic,
            change,
        }
    })
}

fn changes() -> impl Strategy<Value = Change> {
    let channels = || ids().prop_map(ChannelId);
    let users = || ids().prop_map(UserId);
    let people = prop_oneof![
        occupants().prop_map(Change::VoiceJoined),
        occupants().prop_map(Change::VoiceUpdated),
        occupants().prop_map(Change::VoicePending),
        users().prop_map(|user_id| Change::VoicePendingRemoved { user_id }),
        (channels(), users()).prop_map(|(previous_channel_id, user_id)| Change::VoiceLeft {
            previous_channel_id,
            user_id,
        }),
        (users(), option::of(memberships())).prop_map(|(user_id, membership)| Change::Rights {
            user_id,
            membership
        }),
        users().prop_map(|owner_id| Change::OwnerChanged { owner_id }),
        Just(Change::RightsReset),
    ];
    let rooms_and_roles = prop_oneof![
        rooms().prop_map(Change::RoomCreated),
        rooms().prop_map(|room| Change::RoomUpdated(room.info)),
        rooms().prop_map(|room| Change::RoomRights {
            channel_id: room.info.channel_id,
            rights: room.rights,
        }),
        channels().prop_map(|channel_id| Change::RoomDeleted { channel_id }),
        (channels(), any::<String>())
            .prop_map(|(channel_id, name)| Change::CategorySet { channel_id, name }),
        channels().prop_map(|channel_id| Change::CategoryRemoved { channel_id }),
        (ids(), any::<u64>()).prop_map(|(role, permissions)| Change::RoleSet(Role {
            role_id: RoleId(role),
            permissions: Permissions(permissions),
        })),
        ids().prop_map(|role| Change::RoleRemoved {
            role_id: RoleId(role)
        }),
    ];
    let whole_guilds = prop_oneof![
        guilds().prop_map(|guild| Change::GuildAvailable(Some(Box::new(guild)))),
        Just(Change::GuildAvailable(None)),
        Just(Change::GuildUnavailable),
        Just(Change::GuildRemoved),
        guilds().prop_map(|guild| Change::GuildUpdated(guild.info)),
        any::<(u64, u64)>().prop_map(|(from, to)| Change::Gap { from, to }),
    ];
    prop_oneof![people, rooms_and_roles, whole_guilds]
}

fn guilds() -> impl Strategy<Value = Guild> {
    let info = (any::<String>(), option::of("[a-z_0-9]{0,34}"))
        .prop_map(|(name, icon)| GuildInfo { name, icon });
    let roles = vec((ids(), any::<u64>()), 0..3);
    let categories = vec((ids(), any::<String>()), 0..3);
    let people = (
        vec(occupants(), 0..3),
        vec(occupants(), 0..2),
        vec((ids(), memberships()), 0..3),
    );
    (
        info,
        any::<bool>(),
        ids(),
        roles,
        categories,
        vec(rooms(), 0..3),
        people,
    )
        .prop_map(
            |(info, available, owner, roles, categories, rooms, (voice, pending, memberships))| {
                Guild {
                    info,
                    available,
                    owner_id: UserId(owner),
                    roles: roles
                        .into_iter()
                        .map(|(id, bits)| (RoleId(id), Permissions(bits)))
                        .collect(),
                    categories: categories
                        .into_iter()
                        .map(|(id, name)| (ChannelId(id), name))
                        .collect(),
                    rooms: rooms
                        .into_iter()
                        .map(|room| (room.info.channel_id, room))
                        .collect(),
                    voice: voice
                        .into_iter()
                        .map(|person| (person.user_id, person))
                        .collect(),
                    pending_voice: pending
                        .into_iter()
                        .map(|person| (person.user_id, person))
                        .collect(),
                    memberships: memberships
                        .into_iter()
                        .map(|(id, is)| (UserId(id), is))
                        .collect(),
                }
            },
        )
}

fn rooms() -> impl Strategy<Value = Room> {
    let overwrites =
        (any::<bool>(), ids(), any::<u64>(), any::<u64>()).prop_map(|(role, id, allow, deny)| {
            Overwrite {
                target: if role {
                    OverwriteTarget::Role(RoleId(id))
                } else {
                    OverwriteTarget::Member(UserId(id))
                },
                allow: Permissions(allow),
                deny: Permissions(deny),
            }
        });
    let rights =
        (vec(overwrites, 0..3), any::<bool>()).prop_map(|(overwrites, obfuscated)| RoomRights {
            overwrites,
            obfuscated,
        });
    let place = (
        option::of(ids()),
        option::of(any::<String>()),
        any::<i64>(),
        any::<u32>(),
    );
    (ids(), any::<String>(), any::<bool>(), place, rights).prop_map(
        |(id, name, stage, (parent, parent_name, position, user_limit), rights)| Room {
            info: RoomInfo {
                channel_id: ChannelId(id),
                name,
                kind: if stage {
                    RoomKind::Stage
                } else {
                    RoomKind::Voice
                },
                parent_id: parent.map(ChannelId),
                parent_name,
                position,
                user_limit,
            },
            rights,
        },
    )
}

fn occupants() -> impl Strategy<Value = Occupant> {
    let names = (
        any::<String>(),
        any::<String>(),
        option::of(any::<String>()),
        any::<String>(),
    );
    (
        ids(),
        ids(),
        names,
        any::<bool>(),
        any::<u64>(),
        any::<[bool; 7]>(),
    )
        .prop_map(
            |(channel, user, (username, display_name, avatar, avatar_url), bot, since, flags)| {
                let [
                    mute,
                    deaf,
                    self_mute,
                    self_deaf,
                    streaming,
                    video,
                    suppressed,
                ] = flags;
                Occupant {
                    channel_id: ChannelId(channel),
                    user_id: UserId(user),
                    username,
                    display_name,
                    avatar,
                    avatar_url,
                    bot,
                    since,
                    flags: VoiceFlags {
                        mute,
                        deaf,
                        self_mute,
                        self_deaf,
                        streaming,
                        video,
                        suppressed,
                    },
                }
            },
        )
}

fn memberships() -> impl Strategy<Value = Membership> {
    prop_oneof![
        (vec(ids().prop_map(RoleId), 0..4), any::<bool>())
            .prop_map(|(roles, guest)| Membership::member(roles, guest)),
        Just(Membership::Stranger),
    ]
}

fn discords() -> impl Strategy<Value = Discord> {
    prop::sample::select(vec![
        Discord::Live,
        Discord::Resuming,
        Discord::Down,
        Discord::Unknown,
    ])
}

fn positions() -> impl Strategy<Value = Position> {
    any::<(u16, u64, u64)>().prop_map(|(log, epoch, seq)| Position {
        log: LogId(log),
        epoch,
        seq,
    })
}

fn ids() -> impl Strategy<Value = u64> {
    any::<u64>()
}
