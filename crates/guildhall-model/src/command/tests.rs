//! Who may do what, command by command, and what is there to do.

/// Who may make rooms, and what the bot lacks.
mod creation;
/// Rooms that Guildhall made.
mod rooms;

use std::collections::BTreeMap;

use super::*;
use crate::{
    Guild, GuildId, Permissions, RoleId,
    guild::{
        GuildInfo, Membership, Occupant, Overwrite, OverwriteTarget, Room, RoomInfo, RoomKind,
        RoomRights, VoiceFlags,
    },
};

const GUILD: GuildId = GuildId(1);
const OPEN: ChannelId = ChannelId(10);
const HIDDEN: ChannelId = ChannelId(11);
const NO_ENTRY: ChannelId = ChannelId(12);
const MODERATOR: RoleId = RoleId(5);
const OWNER: UserId = UserId(100);
const ANNA: UserId = UserId(101);
const BEN: UserId = UserId(102);
const MIA: UserId = UserId(103);
const NOBODY: UserId = UserId(199);

#[test]
fn one_moves_oneself_where_one_may_connect() {
    let guild = guild_with(&[(ANNA, NO_ENTRY)]);
    assert_eq!(
        judged(&guild, ANNA, &connect(ANNA, OPEN)),
        Ok(to_do(Some(NO_ENTRY)))
    );
    assert_eq!(
        refused(&guild, BEN, &connect(BEN, NO_ENTRY)),
        Code::Forbidden
    );
    assert_eq!(refused(&guild, BEN, &connect(BEN, HIDDEN)), Code::NotFound);
    assert_eq!(
        judged(&guild, BEN, &connect(BEN, OPEN)),
        Ok(Judgement::NotInVoice)
    );
    let there = guild_with(&[(ANNA, OPEN)]);
    assert_eq!(
        judged(&there, ANNA, &connect(ANNA, OPEN)),
        Ok(Judgement::AlreadySo)
    );
}

#[test]
fn others_are_moved_by_whoever_may_in_both_rooms_and_only_from_where_they_are_seen() {
    let guild = guild_with(&[(BEN, OPEN)]);
    let refusal = judged(&guild, ANNA, &connect(BEN, OPEN)).expect_err("no moderator");
    assert_eq!(
        (refusal.code, &refusal.missing[..]),
        (Code::Forbidden, &["MOVE_MEMBERS".to_owned()][..])
    );
    assert_eq!(
        judged(&guild, MIA, &connect(BEN, NO_ENTRY)),
        Ok(to_do(Some(OPEN)))
    );
    let mut hidden = guild_with(&[(BEN, HIDDEN)]);
    assert_eq!(
        judged(&hidden, MIA, &connect(BEN, OPEN)),
        Ok(Judgement::NotInVoice),
        "unseen is nowhere"
    );
    show(&mut hidden, HIDDEN);
    assert_eq!(
        judged(&hidden, MIA, &connect(BEN, OPEN)),
        Ok(to_do(Some(HIDDEN)))
    );
}

#[test]
fn a_full_room_is_full_but_for_whoever_may_move_members() {
    let mut guild = guild_with(&[(OWNER, OPEN), (ANNA, NO_ENTRY)]);
    room(&mut guild, OPEN).info.user_limit = 1;
    assert_eq!(refused(&guild, ANNA, &connect(ANNA, OPEN)), Code::RoomFull);
    assert_eq!(
        judged(&guild, MIA, &connect(ANNA, OPEN)),
        Ok(to_do(Some(NO_ENTRY)))
    );
}

#[test]
fn a_kick_needs_move_members_and_the_person_in_that_room() {
    let guild = guild_with(&[(BEN, OPEN)]);
    let kick = |user_id, channel_id| Command::KickFromRoom {
        guild_id: GUILD,
        channel_id,
        user_id,
        allow_return: false,
    };
    assert_eq!(refused(&guild, ANNA, &kick(BEN, OPEN)), Code::Forbidden);
    assert_eq!(judged(&guild, MIA, &kick(BEN, OPEN)), Ok(to_do(Some(OPEN))));
    assert_eq!(refused(&guild, MIA, &kick(ANNA, OPEN)), Code::NotInRoom);
    assert_eq!(refused(&guild, MIA, &kick(BEN, HIDDEN)), Code::NotFound);
}

#[test]
fn name_and_limit_need_manage_channels_and_what_is_so_is_not_done_again() {
    let guild = guild_with(&[]);
    let rename = |name: &str| Command::RenameRoom {
        guild_id: GUILD,
        channel_id: OPEN,
        name: name.to_owned(),
    };
    let limit = |limit| Command::SetRoomLimit {
        guild_id: GUILD,
        channel_id: OPEN,
        limit,
    };
    assert_eq!(refused(&guild, MIA, &rename("den")), Code::Forbidden);
    assert_eq!(
        judged(&guild, OWNER, &rename("den")),
        Ok(Judgement::ToDo(Before::Name("room 10".to_owned())))
    );
    assert_eq!(
        judged(&guild, OWNER, &rename("room 10")),
        Ok(Judgement::AlreadySo)
    );
    assert_eq!(
        judged(&guild, OWNER, &limit(3)),
        Ok(Judgement::ToDo(Before::Limit(0)))
    );
    assert_eq!(judged(&guild, OWNER, &limit(0)), Ok(Judgement::AlreadySo));
}

#[test]
fn a_status_is_set_from_within_by_its_own_right_and_from_outside_by_manage_channels() {
    let status = Command::SetRoomStatus {
        guild_id: GUILD,
        channel_id: OPEN,
        status: None,
    };
    assert_eq!(refused(&guild_with(&[]), MIA, &status), Code::Forbidden);
    assert_eq!(
        judged(&guild_with(&[(MIA, OPEN)]), MIA, &status),
        Ok(Judgement::ToDo(Before::Status(None)))
    );
    assert_eq!(
        judged(&guild_with(&[]), OWNER, &status),
        Ok(Judgement::ToDo(Before::Status(None)))
    );
    let refusal = judged(&guild_with(&[(ANNA, OPEN)]), ANNA, &status).expect_err("no right");
    assert_eq!(refusal.missing, ["SET_VOICE_CHANNEL_STATUS"]);
}

#[test]
fn a_timeout_forbids_commands_until_it_is_over_but_not_to_the_owner() {
    let mut guild = guild_with(&[(ANNA, OPEN), (OWNER, OPEN)]);
    let leave = Command::Disconnect { guild_id: GUILD };
    for user in [ANNA, OWNER] {
        let timed_out = Membership::member(vec![]).timed_out_until(Some(2_000));
        guild.memberships.insert(user, timed_out);
    }
    assert_eq!(refused(&guild, ANNA, &leave), Code::TimedOut);
    assert_eq!(judged(&guild, OWNER, &leave), Ok(to_do(Some(OPEN))));
    let over = judge(GUILD, &guild, ANNA, &leave, 2_000);
    assert_eq!(over, Ok(to_do(Some(OPEN))));
}

#[test]
fn what_is_hidden_is_told_as_what_is_not_there_in_a_timeout_too() {
    let mut guild = guild_with(&[(ANNA, OPEN)]);
    let nothing = ChannelId(99);
    for timeout in [None, Some(2_000)] {
        let membership = Membership::member(vec![]).timed_out_until(timeout);
        guild.memberships.insert(ANNA, membership);
        let told = |room| judged(&guild, ANNA, &connect(ANNA, room));
        assert_eq!(told(HIDDEN), Err(CommandError::nowhere()));
        assert_eq!(told(nothing), told(HIDDEN), "{timeout:?}");
    }
    guild.memberships.insert(ANNA, Membership::Stranger);
    let stranger = judged(&guild, ANNA, &connect(ANNA, OPEN));
    assert_eq!(stranger, Err(CommandError::nowhere()));
}

#[test]
fn who_is_not_known_or_no_member_learns_nothing() {
    let mut guild = guild_with(&[]);
    assert_eq!(
        refused(&guild, NOBODY, &connect(NOBODY, OPEN)),
        Code::GuildUnavailable
    );
    guild.memberships.insert(NOBODY, Membership::Stranger);
    assert_eq!(
        refused(&guild, NOBODY, &connect(NOBODY, OPEN)),
        Code::NotFound
    );
    guild.available = false;
    assert_eq!(
        refused(&guild, OWNER, &connect(OWNER, OPEN)),
        Code::GuildUnavailable
    );
}

use CommandErrorCode as Code;

fn judged(guild: &Guild, actor: UserId, command: &Command) -> Result<Judgement, CommandError> {
    judge(GUILD, guild, actor, command, 1_000)
}

fn refused(guild: &Guild, actor: UserId, command: &Command) -> Code {
    judged(guild, actor, command).expect_err("refused").code
}

fn to_do(from: Option<ChannelId>) -> Judgement {
    Judgement::ToDo(Before::Room(from))
}

fn connect(user_id: UserId, channel_id: ChannelId) -> Command {
    Command::ConnectUserToVoiceChannel {
        guild_id: GUILD,
        channel_id,
        user_id,
    }
}

fn room(guild: &mut Guild, id: ChannelId) -> &mut Room {
    guild.rooms.get_mut(&id).expect("a room")
}

fn show(guild: &mut Guild, id: ChannelId) {
    room(guild, id).rights.overwrites.clear();
}

/// Everybody may see and join, but for a hidden room and one that only moderators enter.
fn guild_with(voice: &[(UserId, ChannelId)]) -> Guild {
    let everyone = Permissions::VIEW_CHANNEL | Permissions::CONNECT;
    let moderator = Permissions::MOVE_MEMBERS | Permissions::SET_VOICE_CHANNEL_STATUS;
    let deny = |target, deny| Overwrite {
        target,
        allow: Permissions::NONE,
        deny,
    };
    let all = OverwriteTarget::Role(GUILD.everyone());
    let enters = Overwrite {
        target: OverwriteTarget::Role(MODERATOR),
        allow: Permissions::CONNECT,
        deny: Permissions::NONE,
    };
    let rooms = [
        (OPEN, vec![]),
        (HIDDEN, vec![deny(all, Permissions::VIEW_CHANNEL)]),
        (NO_ENTRY, vec![deny(all, Permissions::CONNECT), enters]),
    ];
    let member = Membership::member;
    Guild {
        info: GuildInfo {
            name: "guild".to_owned(),
            icon: None,
        },
        available: true,
        owner_id: OWNER,
        roles: [(GUILD.everyone(), everyone), (MODERATOR, moderator)].into(),
        categories: BTreeMap::new(),
        rooms: rooms
            .map(|(id, overwrites)| (id, a_room(id, overwrites)))
            .into(),
        voice: voice
            .iter()
            .map(|(user, room)| (*user, occupant(*user, *room)))
            .collect(),
        pending_voice: BTreeMap::new(),
        memberships: [
            (OWNER, member(vec![])),
            (ANNA, member(vec![])),
            (BEN, member(vec![])),
            (MIA, member(vec![MODERATOR])),
        ]
        .into(),
    }
}

fn a_room(channel_id: ChannelId, overwrites: Vec<Overwrite>) -> Room {
    Room {
        info: RoomInfo {
            channel_id,
            name: format!("room {channel_id}"),
            kind: RoomKind::Voice,
            parent_id: None,
            parent_name: None,
            position: 0,
            user_limit: 0,
            managed: None,
            status: None,
        },
        rights: RoomRights {
            overwrites,
            obfuscated: false,
        },
    }
}

fn occupant(user_id: UserId, channel_id: ChannelId) -> Occupant {
    Occupant {
        channel_id,
        user_id,
        username: "somebody".to_owned(),
        display_name: "Somebody".to_owned(),
        avatar: None,
        avatar_url: String::new(),
        bot: false,
        since: 1,
        flags: VoiceFlags::default(),
    }
}
