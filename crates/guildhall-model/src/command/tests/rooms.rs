//! Who may do what to a room that Guildhall made.

use super::*;
use crate::guild::RoomManagement;

const OURS: ChannelId = ChannelId(20);
const MANAGER: RoleId = RoleId(6);
/// Named in the room, as its owner is.
const CARO: UserId = UserId(104);
/// Kept out of it.
const DORA: UserId = UserId(105);
/// May manage channels.
const MAX: UserId = UserId(106);

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Done,
    So,
    Waits,
    No(Code),
}

use Code::{Forbidden, NotFound};
use Is::{Done, No, So, Waits};

const F: Is = No(Forbidden);
const N: Is = No(NotFound);

/// Everybody but who is a stranger sees the room and may enter it. In order: the guild's owner, the
/// room's, somebody who is named in it, a moderator of people, one of channels, anybody, a stranger.
const ACTORS: [UserId; 7] = [OWNER, ANNA, CARO, MIA, MAX, BEN, NOBODY];

#[test]
fn each_command_is_for_the_rooms_owner_and_for_whom_discord_lets() {
    let by_channels = [Done, Done, F, F, Done, F, N];
    let by_people = [Done, Done, F, Done, F, F, N];
    for (command, expected) in [
        (lock(true), by_channels),
        (hide(true), by_channels),
        (close(), by_channels),
        (invite(), by_channels),
        (revoke(), by_channels),
        (transfer(CARO), by_channels),
        (rename(), by_channels),
        (limit(), by_channels),
        (status(), by_channels),
        (block(CARO), by_people),
        (unblock(DORA), by_people),
        (kick(CARO, false), by_people),
        (kick(CARO, true), by_people),
        // What is so already is no less forbidden.
        (
            lock(false),
            by_channels.map(|is| if is == Done { So } else { is }),
        ),
        (
            hide(false),
            by_channels.map(|is| if is == Done { So } else { is }),
        ),
        (
            transfer(ANNA),
            by_channels.map(|is| if is == Done { So } else { is }),
        ),
        (
            block(DORA),
            by_people.map(|is| if is == Done { So } else { is }),
        ),
        (
            unblock(CARO),
            by_people.map(|is| if is == Done { So } else { is }),
        ),
    ] {
        let guild = rooms(&[(CARO, OURS)], OPEN_TO_ALL);
        assert_eq!(
            ACTORS.map(|actor| is(&guild, actor, &command)),
            expected,
            "{command:?}"
        );
    }
}

/// A lock denies CONNECT to everybody whom it does not list, moderators too.
#[test]
fn who_may_lock_a_room_may_open_it_again_and_needs_to_see_it() {
    let locked = rooms(&[(CARO, OURS)], LOCKED);
    let hidden = rooms(&[(CARO, OURS)], HIDDEN_FROM_OTHERS);
    for (command, moderator, another) in [
        (lock(false), MAX, MIA),
        (hide(true), MAX, MIA),
        (close(), MAX, MIA),
        (rename(), MAX, MIA),
        (limit(), MAX, MIA),
        (status(), MAX, MIA),
        (kick(CARO, false), MIA, MAX),
        (block(CARO), MIA, MAX),
    ] {
        assert_eq!(is(&locked, moderator, &command), Done, "{command:?}");
        assert_eq!(is(&locked, another, &command), F, "{command:?}");
        assert_eq!(is(&hidden, moderator, &command), N, "{command:?}");
    }
    // Of a room that was not made here Discord's own rules hold.
    let mut others = locked;
    room(&mut others, OURS).info.managed = None;
    assert_eq!(is(&others, MAX, &rename()), F);
    assert_eq!(is(&others, MIA, &kick(CARO, false)), F);
}

#[test]
fn nobody_does_to_another_room_what_is_done_to_ours() {
    let guild = rooms(&[(BEN, OPEN)], OPEN_TO_ALL);
    for command in [
        lock(true),
        hide(true),
        close(),
        invite(),
        revoke(),
        transfer(CARO),
        claim(),
        block(CARO),
        unblock(CARO),
    ] {
        let there = about(&command, OPEN);
        assert_eq!(is(&guild, OWNER, &there), No(Code::NotManaged), "{there:?}");
        let unseen = about(&command, HIDDEN);
        assert_eq!(is(&guild, ANNA, &unseen), N, "{unseen:?}");
        let nowhere = about(&command, ChannelId(99));
        assert_eq!(is(&guild, OWNER, &nowhere), N, "{nowhere:?}");
    }
    // These go by Discord's own right.
    for (command, expected) in [
        (kick(BEN, false), [Done, F]),
        (rename(), [F, Done]),
        (limit(), [F, Done]),
        (status(), [F, Done]),
    ] {
        let there = about(&command, OPEN);
        let actors = [MIA, MAX].map(|actor| is(&guild, actor, &there));
        assert_eq!(actors, expected, "{there:?}");
    }
}

#[test]
fn a_hidden_room_is_nowhere_for_who_is_not_listed_and_a_timeout_forbids_everything() {
    let hidden = rooms(&[(CARO, OURS)], HIDDEN_FROM_OTHERS);
    let mut timed_out = rooms(&[(ANNA, OURS)], OPEN_TO_ALL);
    let until = Some(2_000);
    let is_out = Membership::member(vec![]).timed_out_until(until);
    timed_out.memberships.insert(ANNA, is_out);
    for command in all() {
        assert_eq!(is(&hidden, BEN, &command), N, "{command:?}");
        assert_ne!(is(&hidden, CARO, &command), N, "{command:?}");
        let refused = is(&timed_out, ANNA, &command);
        assert_eq!(refused, No(Code::TimedOut), "{command:?}");
    }
    assert_eq!(is(&timed_out, ANNA, &join()), No(Code::TimedOut));
    assert_eq!(is(&timed_out, ANNA, &create(None)), No(Code::TimedOut));
}

#[test]
fn nobody_is_kept_out_of_their_own_room() {
    let guild = rooms(&[(ANNA, OURS)], OPEN_TO_ALL);
    for actor in [OWNER, MIA, ANNA] {
        assert_eq!(is(&guild, actor, &block(ANNA)), No(Code::Invalid));
        assert_eq!(is(&guild, actor, &kick(ANNA, false)), No(Code::Invalid));
    }
    assert_eq!(is(&guild, MIA, &kick(ANNA, true)), Done);
    assert_eq!(is(&guild, ANNA, &kick(CARO, true)), No(Code::NotInRoom));
    let mut guild = guild;
    guild.memberships.insert(NOBODY, Membership::Stranger);
    assert_eq!(is(&guild, ANNA, &transfer(NOBODY)), N);
    // Of whom nothing is known, whoever carries it out asks Discord.
    assert_eq!(is(&guild, ANNA, &transfer(UserId(500))), Done);
}

#[test]
fn who_is_there_claims_it_once_the_owner_is_not() {
    for (voice, actor, expected) in [
        (&[(CARO, OURS)][..], CARO, Done),
        (&[(CARO, OURS), (ANNA, OURS)], CARO, No(Code::OwnerPresent)),
        (&[(CARO, OURS), (ANNA, OPEN)], CARO, Done),
        (&[(CARO, OPEN)], CARO, No(Code::NotInRoom)),
        (&[], OWNER, No(Code::NotInRoom)),
        (&[], ANNA, So),
    ] {
        let guild = rooms(voice, OPEN_TO_ALL);
        assert_eq!(is(&guild, actor, &claim()), expected, "{voice:?}");
    }
}

#[test]
fn a_locked_room_lets_in_who_is_listed_and_nobody_who_is_kept_out() {
    let locked = rooms(&[], LOCKED);
    let open = rooms(&[], OPEN_TO_ALL);
    for (actor, into_locked, into_open) in [
        (OWNER, Waits, Waits),
        (ANNA, Waits, Waits),
        (CARO, Waits, Waits),
        (BEN, No(Code::RoomLocked), Waits),
        (MIA, No(Code::RoomLocked), Waits),
        (DORA, No(Code::Blocked), No(Code::Blocked)),
    ] {
        for command in [connect(actor, OURS), join()] {
            assert_eq!(
                is(&locked, actor, &command),
                into_locked,
                "{actor} {command:?}"
            );
            assert_eq!(is(&open, actor, &command), into_open, "{actor} {command:?}");
        }
    }
    // Who is inside is not new.
    let inside = rooms(&[(BEN, OURS)], LOCKED);
    assert_eq!(is(&inside, BEN, &join()), So);
    // A role of the room's own lists those who have it.
    let mut by_role = rooms(&[], LOCKED);
    room(&mut by_role, OURS).rights.overwrites.push(Overwrite {
        target: OverwriteTarget::Role(MODERATOR),
        allow: Permissions::VIEW_CHANNEL | Permissions::CONNECT,
        deny: Permissions::NONE,
    });
    assert_eq!(is(&by_role, MIA, &connect(MIA, OURS)), Waits);
}

#[test]
fn who_sees_a_private_room_is_told_that_its_owner_lets_in() {
    let mut guild = rooms(&[(BEN, OPEN)], OPEN_TO_ALL);
    let enter = connect(BEN, OURS);
    assert_eq!(is(&guild, BEN, &enter), Done);
    let everyone = OverwriteTarget::Role(GUILD.everyone());
    let overwrites = &mut room(&mut guild, OURS).rights.overwrites;
    let of_all = overwrites.iter_mut().find(|one| one.target == everyone);
    of_all.expect("one of all").deny = Permissions::CONNECT;
    let refusal = judged(&guild, BEN, &enter).expect_err("by invite alone");
    assert_eq!(refusal.code, Forbidden);
    assert!(refusal.message.contains("its owner can invite you"));
}

#[test]
fn an_invite_leads_into_a_room_that_one_does_not_see_and_into_no_other() {
    let hidden = rooms(&[(BEN, OPEN)], HIDDEN_FROM_OTHERS);
    assert_eq!(judged(&hidden, BEN, &join()), Ok(to_do(Some(OPEN))));
    assert_eq!(is(&hidden, MAX, &join()), Waits);
    assert_eq!(is(&hidden, NOBODY, &join()), N, "no member");
    for elsewhere in [OPEN, ChannelId(99)] {
        let gone = is(&hidden, BEN, &about(&join(), elsewhere));
        assert_eq!(gone, No(Code::InviteInvalid));
    }
    let mut full = hidden.clone();
    room(&mut full, OURS).info.user_limit = 1;
    full.voice.insert(CARO, occupant(CARO, OURS));
    assert_eq!(is(&full, BEN, &join()), No(Code::RoomFull));
    assert_eq!(is(&full, OWNER, &join()), Waits);
    let mut unknown = hidden.clone();
    unknown.memberships.remove(&BEN);
    assert_eq!(is(&unknown, BEN, &join()), No(Code::GuildUnavailable));
}

#[test]
fn a_lobby_is_entered_by_being_there_and_by_nothing_else() {
    let enter = Command::EnterLobby {
        guild_id: GUILD,
        channel_id: OPEN,
    };
    let mut guild = rooms(&[(NOBODY, OPEN), (BEN, OURS)], OPEN_TO_ALL);
    guild.memberships.clear();
    assert_eq!(judged(&guild, NOBODY, &enter), Ok(to_do(Some(OPEN))));
    assert_eq!(is(&guild, BEN, &enter), No(Code::NotInRoom));
    assert_eq!(enter.is_so(BEN, &guild), Some(true), "it is over");
    guild.available = false;
    assert_eq!(is(&guild, NOBODY, &enter), No(Code::GuildUnavailable));
}

#[test]
fn what_is_so_of_a_room_is_known_before_and_after() {
    let guild = rooms(&[(CARO, OURS)], LOCKED);
    let mut gone = guild.clone();
    gone.rooms.remove(&OURS);
    for (command, before, so) in [
        (lock(true), Some(Before::Locked(true)), Some(true)),
        (hide(true), Some(Before::Hidden(false)), Some(false)),
        (transfer(ANNA), Some(Before::OwnedBy(ANNA)), Some(true)),
        (claim(), Some(Before::OwnedBy(ANNA)), Some(false)),
        (block(DORA), Some(Before::Blocked(true)), Some(true)),
        (unblock(DORA), Some(Before::Blocked(true)), Some(false)),
        (close(), Some(Before::Exists(true)), Some(false)),
        (status(), Some(Before::Status(None)), Some(false)),
        (invite(), Some(Before::Unknown), None),
        (create(None), Some(Before::Unknown), None),
        (about(&lock(true), OPEN), None, None),
    ] {
        assert_eq!(Before::of(&command, CARO, &guild), before, "{command:?}");
        assert_eq!(command.is_so(CARO, &guild), so, "{command:?}");
    }
    assert_eq!(close().is_so(CARO, &gone), Some(true));
    assert_eq!(lock(true).is_so(CARO, &gone), None);
}

/// Each that is about a room which its actor has to see.
fn all() -> [Command; 14] {
    [
        lock(true),
        hide(true),
        close(),
        invite(),
        revoke(),
        transfer(CARO),
        claim(),
        block(BEN),
        unblock(BEN),
        kick(BEN, false),
        rename(),
        limit(),
        status(),
        connect(BEN, OURS),
    ]
}

/// Locked, and hidden.
type Kind = (bool, bool);
const OPEN_TO_ALL: Kind = (false, false);
const LOCKED: Kind = (true, false);
const HIDDEN_FROM_OTHERS: Kind = (false, true);

/// ANNA's room besides all others, in which CARO is named and from which DORA is kept out.
pub(super) fn rooms(voice: &[(UserId, ChannelId)], (locked, hidden): Kind) -> Guild {
    let mut guild = guild_with(voice);
    let enters = Permissions::VIEW_CHANNEL | Permissions::CONNECT;
    let mut denied = Permissions::NONE;
    if locked {
        denied = denied | Permissions::CONNECT;
    }
    if hidden {
        denied = denied | enters;
    }
    let overwrite = |target, allow, deny| Overwrite {
        target,
        allow,
        deny,
    };
    let everyone = OverwriteTarget::Role(GUILD.everyone());
    let overwrites = vec![
        overwrite(everyone, Permissions::NONE, denied),
        overwrite(OverwriteTarget::Member(ANNA), enters, Permissions::NONE),
        overwrite(OverwriteTarget::Member(CARO), enters, Permissions::NONE),
        overwrite(
            OverwriteTarget::Member(DORA),
            Permissions::NONE,
            Permissions::CONNECT,
        ),
    ];
    let mut ours = a_room(OURS, overwrites);
    ours.info.managed = Some(RoomManagement {
        owner_id: ANNA,
        locked,
        hidden,
    });
    guild.rooms.insert(OURS, ours);
    guild.roles.insert(MANAGER, Permissions::MANAGE_CHANNELS);
    for (user, roles) in [(CARO, vec![]), (DORA, vec![]), (MAX, vec![MANAGER])] {
        guild.memberships.insert(user, Membership::member(roles));
    }
    guild.memberships.insert(NOBODY, Membership::Stranger);
    guild
}

fn is(guild: &Guild, actor: UserId, command: &Command) -> Is {
    match judged(guild, actor, command) {
        Ok(Judgement::ToDo(_)) => Done,
        Ok(Judgement::AlreadySo) => So,
        Ok(Judgement::NotInVoice) => Waits,
        Err(error) => No(error.code),
    }
}

/// The same about another room.
fn about(command: &Command, room: ChannelId) -> Command {
    let mut json = serde_json::to_value(command).expect("commands serialise");
    json["channelId"] = serde_json::json!(room);
    serde_json::from_value(json).expect("and are read back")
}

const PLACE: (GuildId, ChannelId) = (GUILD, OURS);

fn lock(locked: bool) -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::LockRoom {
        guild_id,
        channel_id,
        locked,
    }
}

fn hide(hidden: bool) -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::HideRoom {
        guild_id,
        channel_id,
        hidden,
    }
}

fn close() -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::CloseRoom {
        guild_id,
        channel_id,
    }
}

fn claim() -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::ClaimRoom {
        guild_id,
        channel_id,
    }
}

fn invite() -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::CreateInvite {
        guild_id,
        channel_id,
        seats: Some(2),
        single_use: false,
        expires_in_seconds: 60,
    }
}

fn revoke() -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::RevokeInvites {
        guild_id,
        channel_id,
        token: None,
    }
}

fn join() -> Command {
    let (guild_id, channel_id) = PLACE;
    let claims = InviteClaims {
        guild_id,
        channel_id,
        room: 1,
        expires_at: 2_000,
        id: [7; 16],
    };
    Command::JoinRoom {
        guild_id,
        channel_id,
        token: InviteToken::new(claims, [0; 32]),
    }
}

fn transfer(user_id: UserId) -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::TransferRoom {
        guild_id,
        channel_id,
        user_id,
    }
}

fn block(user_id: UserId) -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::BlockFromRoom {
        guild_id,
        channel_id,
        user_id,
    }
}

fn unblock(user_id: UserId) -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::UnblockFromRoom {
        guild_id,
        channel_id,
        user_id,
    }
}

fn kick(user_id: UserId, allow_return: bool) -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::KickFromRoom {
        guild_id,
        channel_id,
        user_id,
        allow_return,
    }
}

fn rename() -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::RenameRoom {
        guild_id,
        channel_id,
        name: "den".to_owned(),
    }
}

fn limit() -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::SetRoomLimit {
        guild_id,
        channel_id,
        limit: 7,
    }
}

fn status() -> Command {
    let (guild_id, channel_id) = PLACE;
    Command::SetRoomStatus {
        guild_id,
        channel_id,
        status: Some("chess".to_owned()),
    }
}

pub(super) fn create(parent_id: Option<ChannelId>) -> Command {
    Command::CreateRoom {
        guild_id: GUILD,
        name: "den".to_owned(),
        limit: 4,
        parent_id,
        private: true,
    }
}
