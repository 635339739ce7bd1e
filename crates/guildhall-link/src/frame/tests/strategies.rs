//! Any frame.

use super::*;

pub(super) fn frames() -> impl Strategy<Value = Frame> {
    prop_oneof![
        cursors().prop_map(|heads| Frame::Hello { heads }),
        option::of(cursors()).prop_map(|after| Frame::Subscribe { after }),
        cursors().prop_map(|at| Frame::Heads { at }),
        "[A-Z]{1,40}".prop_map(|kind| Frame::Tell(Tell::Unknown { kind })),
        viewers().prop_map(Frame::Tell),
        (vec(revocations(), 0..4), any::<bool>())
            .prop_map(|(revocations, more)| Frame::Tell(Tell::Revoked { revocations, more })),
        (ids(), positions(), option::of(guilds())).prop_map(|(id, floor, guild)| {
            let guild_id = GuildId(id);
            Frame::Snapshot(Box::new(Base {
                guild_id,
                floor,
                guild,
            }))
        }),
        cursors().prop_map(|at| Frame::SnapshotEnd { at }),
        (positions(), any::<bool>(), events())
            .prop_map(|(at, more, event)| Frame::Event(Envelope { at, more, event })),
        statuses().prop_map(Frame::Status),
        requests().prop_map(Frame::Request),
        replies().prop_map(Frame::Reply),
        (any::<String>(), any::<String>())
            .prop_map(|(code, message)| Frame::Error { code, message }),
    ]
}

fn viewers() -> impl Strategy<Value = Tell> {
    let rooms = vec((ids(), any::<u32>()), 0..4);
    ("[!-~]{1,64}", rooms, any::<bool>()).prop_map(|(instance, rooms, more)| {
        let rooms = rooms.into_iter();
        let table = ViewerTable {
            instance: instance.parse().expect("visible ASCII"),
            rooms: rooms.map(|(id, count)| (ChannelId(id), count)).collect(),
        };
        Tell::Viewers { table, more }
    })
}

fn revocations() -> impl Strategy<Value = Revocation> {
    prop_oneof![
        ("[!-~]{1,64}", ids(), any::<u64>()).prop_map(|(id, user, ends_at)| Revocation::Session {
            id: SessionId::new(id),
            user_id: UserId(user),
            ends_at,
        }),
        (ids(), any::<u64>()).prop_map(|(user, not_before)| Revocation::User {
            user_id: UserId(user),
            not_before,
        }),
        any::<u64>().prop_map(|not_before| Revocation::Everybody { not_before }),
    ]
}

fn statuses() -> impl Strategy<Value = LogStatus> {
    let said = (discords(), any::<u64>(), vec(ids(), 0..4), any::<bool>());
    (positions(), said).prop_map(|(at, (discord, since, guilds, complete))| LogStatus {
        at,
        status: DiscordStatus {
            discord,
            since,
            guild_ids: guilds.into_iter().map(GuildId).collect(),
            complete,
        },
    })
}

fn requests() -> impl Strategy<Value = Request> {
    let body = prop_oneof![
        (ids(), vec(ids(), 0..4)).prop_map(|(user, guilds)| {
            RequestBody::Watch(WatchRequestBody {
                user_id: UserId(user),
                guild_ids: guilds.into_iter().map(GuildId).collect(),
            })
        }),
        (ids(), option::of(".{0,20}"), commands()).prop_map(|(actor, key, command)| {
            let actor = UserId(actor);
            RequestBody::Command(Box::new(CommandRequest {
                actor,
                key,
                command,
            }))
        }),
        (invite_tokens(), option::of((ids(), ".{0,20}"))).prop_map(|(invite, newcomer)| {
            let newcomer = newcomer.map(|(user, token)| Newcomer {
                user_id: UserId(user),
                access_token: AccessToken::new(token),
            });
            RequestBody::Admit(Box::new(AdmitRequestBody { invite, newcomer }))
        }),
        revocations().prop_map(RequestBody::Revoke),
        "[A-Z]{1,40}".prop_map(|kind| RequestBody::Unknown { kind }),
        Just(RequestBody::Malformed),
    ];
    (any::<u64>(), any::<u64>(), body).prop_map(|(id, millis, body)| Request {
        id,
        deadline: Duration::from_millis(millis),
        body,
    })
}

fn replies() -> impl Strategy<Value = Reply> {
    let codes = prop::sample::select(vec![
        RefusalCode::UnknownKind,
        RefusalCode::Malformed,
        RefusalCode::Deadline,
        RefusalCode::Busy,
        RefusalCode::Other,
    ]);
    let result = prop_oneof![
        (cursors(), vec(ids(), 0..4)).prop_map(|(at, failed)| {
            let failed = failed.into_iter().map(GuildId).collect();
            Ok(ReplyBody::Watched(Watched { at, failed }))
        }),
        command_results().prop_map(|result| Ok(ReplyBody::Command(result))),
        (admitted(), option::of(cursors()))
            .prop_map(|(admitted, at)| Ok(ReplyBody::Admitted(Ok(AdmitDone { admitted, at })))),
        any::<String>().prop_map(|message| {
            let refused = CommandError::new(CommandErrorCode::InviteInvalid, message);
            Ok(ReplyBody::Admitted(Err(refused)))
        }),
        any::<bool>().prop_map(|known| Ok(ReplyBody::Revoked { known })),
        Just(Ok(ReplyBody::Unknown)),
        codes.prop_map(|code| Err(code.refusal())),
    ];
    (any::<u64>(), result).prop_map(|(id, result)| Reply { id, result })
}

fn commands() -> impl Strategy<Value = Command> {
    let about = (ids(), ids(), ids(), any::<String>(), any::<u32>());
    (0..14, about, invite_tokens()).prop_map(
        |(which, (guild, channel, user, name, limit), token)| {
            let (guild_id, channel_id, user_id) =
                (GuildId(guild), ChannelId(channel), UserId(user));
            match which {
                0 => Command::ConnectUserToVoiceChannel {
                    guild_id,
                    channel_id,
                    user_id,
                },
                1 => Command::Disconnect { guild_id },
                2 => Command::KickFromRoom {
                    guild_id,
                    channel_id,
                    user_id,
                    allow_return: limit % 2 == 0,
                },
                3 => Command::RenameRoom {
                    guild_id,
                    channel_id,
                    name,
                },
                4 => Command::SetRoomStatus {
                    guild_id,
                    channel_id,
                    status: Some(name).filter(|status| !status.is_empty()),
                },
                5 => Command::SetRoomLimit {
                    guild_id,
                    channel_id,
                    limit,
                },
                6 => Command::CreateRoom {
                    guild_id,
                    name,
                    limit,
                    parent_id: Some(channel_id).filter(|_| limit % 3 == 0),
                    private: limit % 2 == 0,
                },
                7 => Command::LockRoom {
                    guild_id,
                    channel_id,
                    locked: limit % 2 == 0,
                },
                8 => Command::TransferRoom {
                    guild_id,
                    channel_id,
                    user_id,
                },
                9 => Command::CloseRoom {
                    guild_id,
                    channel_id,
                },
                10 => Command::BlockFromRoom {
                    guild_id,
                    channel_id,
                    user_id,
                },
                11 => Command::CreateInvite {
                    guild_id,
                    channel_id,
                    seats: Some(limit).filter(|_| limit % 3 == 0),
                    single_use: limit % 2 == 0,
                    expires_in_seconds: user,
                },
                12 => Command::RevokeInvites {
                    guild_id,
                    channel_id,
                    token: Some(token).filter(|_| limit % 2 == 0),
                },
                _ => Command::JoinRoom {
                    guild_id,
                    channel_id,
                    token,
                },
            }
        },
    )
}

fn invite_tokens() -> impl Strategy<Value = InviteToken> {
    let numbers = (ids(), ids(), any::<u64>(), any::<u64>());
    (numbers, any::<[u8; 16]>(), any::<[u8; 32]>()).prop_map(
        |((guild, channel, room, expires_at), id, mac)| {
            let claims = InviteClaims {
                guild_id: GuildId(guild),
                channel_id: ChannelId(channel),
                room,
                expires_at,
                id,
            };
            InviteToken::new(claims, mac)
        },
    )
}

fn command_results() -> impl Strategy<Value = CommandResult> {
    let outcomes = prop_oneof![
        Just(Outcome::Done),
        any::<u64>().prop_map(|done_at| Outcome::Queued { done_at }),
        any::<u64>().prop_map(|until| Outcome::Waiting { until }),
    ];
    let made = prop_oneof![
        ids().prop_map(|id| Made::Room {
            channel_id: ChannelId(id)
        }),
        (invite_tokens(), any::<u64>())
            .prop_map(|(token, expires_at)| Made::Invite { token, expires_at }),
    ];
    let failed = (any::<String>(), option::of(any::<u64>())).prop_map(|(message, wait)| {
        let error = CommandError::new(CommandErrorCode::Busy, message);
        wait.map_or(error.clone(), |ms| error.retry_after_ms(ms))
    });
    prop_oneof![
        (outcomes, option::of(cursors()), option::of(made))
            .prop_map(|(outcome, at, made)| { Ok(CommandDone { outcome, at, made }) }),
        failed.prop_map(Err),
    ]
}

fn admitted() -> impl Strategy<Value = Admitted> {
    prop::sample::select(vec![Admitted::Valid, Admitted::Added, Admitted::Already])
}

fn cursors() -> impl Strategy<Value = Cursor> {
    vec(positions(), 1..5).prop_map(|positions| {
        let by_log: BTreeMap<LogId, Position> =
            positions.into_iter().map(|at| (at.log, at)).collect();
        Cursor::new(by_log.into_values()).expect("few")
    })
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
        (channels(), option::of(any::<u64>())).prop_map(|(channel_id, deletes_at)| {
            Change::RoomIdle {
                channel_id,
                deletes_at,
            }
        }),
        (channels(), rooms()).prop_map(|(channel_id, room)| Change::CategorySet {
            channel_id,
            category: category_like(room),
        }),
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
    let categories = vec((ids(), rooms()), 0..3);
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
                        .map(|(id, room)| (ChannelId(id), category_like(room)))
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

fn category_like(room: Room) -> Category {
    Category {
        name: room.info.name,
        rights: room.rights,
    }
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
    let management =
        (ids(), any::<bool>(), any::<bool>()).prop_map(|(owner, locked, hidden)| RoomManagement {
            owner_id: UserId(owner),
            locked,
            hidden,
        });
    let own = (option::of(management), option::of(any::<String>()));
    (ids(), any::<String>(), any::<bool>(), place, own, rights).prop_map(
        |(
            id,
            name,
            stage,
            (parent, parent_name, position, user_limit),
            (managed, status),
            rights,
        )| Room {
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
                managed,
                status,
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
        (vec(ids().prop_map(RoleId), 0..4), any::<Option<u64>>())
            .prop_map(|(roles, until)| Membership::member(roles).timed_out_until(until)),
        vec(ids().prop_map(RoleId), 0..4).prop_map(Membership::guest),
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
