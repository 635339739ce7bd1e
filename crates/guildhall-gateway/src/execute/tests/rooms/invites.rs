//! Invites: who is let in by one, and by which nobody is.

use guildhall_link::frame::{AccessToken, AdmitRequestBody, Admitted, Newcomer};
use guildhall_model::{
    command::{CommandErrorCode as Code, InviteClaims},
    guild::Membership,
};

use super::*;

#[tokio::test]
async fn an_invite_lets_in_as_many_as_it_has_seats_for_and_nobody_twice() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let token = house.invite(ANNA, room, Some(1)).await;
    for user in [BEN, OWNER] {
        house.discord.puts(user, ROOM);
    }
    house.discord.change(|guild| guild.owner_id = UserId(5));
    let joined = house.give(by(BEN, "", join(room, token.clone()))).await;
    assert_eq!(outcome(&joined), Outcome::Done);
    assert_eq!(house.discord.guild().voice[&BEN].channel_id, room);
    let late = house.give(by(OWNER, "", join(room, token.clone()))).await;
    assert_eq!(code(&late), Code::NoSeatsLeft);
    // Who has a seat comes back by it.
    house.discord.puts(BEN, ROOM);
    let again = house.give(by(BEN, "", join(room, token))).await;
    assert_eq!(outcome(&again), Outcome::Done);
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn of_two_who_race_for_the_last_seat_one_comes_in() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let token = house.invite(ANNA, room, Some(1)).await;
    house.discord.change(|guild| guild.owner_id = UserId(5));
    for user in [BEN, OWNER] {
        house.discord.puts(user, ROOM);
    }
    let first = house.give(by(BEN, "", join(room, token.clone())));
    let second = house.give(by(OWNER, "", join(room, token)));
    let (first, second) = tokio::join!(first, second);
    assert_eq!(outcome(&first), Outcome::Done);
    assert_eq!(code(&second), Code::NoSeatsLeft);
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn who_is_in_takes_no_seat_of_another_invite_and_loses_nothing_by_it() {
    for mode in [RoomMode::Overwrites, RoomMode::Role] {
        let house = House::with_rooms(mode).await;
        let room = house.room_of(ANNA, true).await;
        let first = house.invite(ANNA, room, None).await;
        let second = house.invite(ANNA, room, Some(1)).await;
        house.discord.puts(BEN, ROOM);
        let joined = house.give(by(BEN, "", join(room, first))).await;
        assert_eq!(outcome(&joined), Outcome::Done, "{mode:?}");
        house.discord.puts(BEN, ROOM);
        // Whatever is asked for first.
        let no = Reaction::Answer {
            done: false,
            status: 403,
            body: serde_json::json!({"code": 50_013, "message": "no"}),
            retry_after: None,
        };
        house.discord.react([no]);
        let failed = house.give(by(BEN, "", join(room, second.clone()))).await;
        assert_eq!(code(&failed), Code::BotForbidden, "{mode:?}");
        let is_in = || match house.record(room).role_id {
            Some(role_id) => match &house.discord.guild().memberships[&BEN] {
                Membership::Member { roles, .. } => roles.contains(&role_id),
                Membership::Stranger => false,
            },
            None => overwrite_of(&house, room, OverwriteTarget::Member(BEN)).is_some(),
        };
        assert!(is_in(), "{mode:?}");
        let taken = || {
            let id = guildhall_ports::room_store::InviteId(second.claims().id);
            house.rooms.invite(id).expect("kept").taken
        };
        assert_eq!(taken(), [], "{mode:?}");
        let again = house.give(by(BEN, "", join(room, second.clone()))).await;
        assert_eq!(outcome(&again), Outcome::Done, "{mode:?}");
        assert_eq!(taken(), [], "{mode:?}");
        assert!(is_in(), "{mode:?}");
    }
}

#[tokio::test]
async fn one_invite_more_than_a_room_may_have_is_refused_until_some_are_revoked() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let more = Command::CreateInvite {
        guild_id: GUILD,
        channel_id: room,
        seats: None,
        single_use: false,
        expires_in_seconds: 3_600,
    };
    for _ in 0..100 {
        house.invite(ANNA, room, None).await;
    }
    for _ in 0..2 {
        let error = house.give(by(ANNA, "k", more.clone())).await;
        let error = error.expect_err("too many");
        let told = (error.code, error.retry_after_ms);
        assert_eq!(told, (Code::TooManyInvites, None), "waiting is of no use");
    }
    let revoke = Command::RevokeInvites {
        guild_id: GUILD,
        channel_id: room,
        token: None,
    };
    let revoked = house.give(by(ANNA, "", revoke)).await;
    assert_eq!(outcome(&revoked), Outcome::Done);
    house.invite(ANNA, room, None).await;
}

#[tokio::test]
async fn each_invite_that_lets_nobody_in_says_why() {
    let mut house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let good = house.invite(ANNA, room, None).await;
    let claims = *good.claims();
    let signed = |claims: InviteClaims| house.rooms.signer().sign(claims);
    let forged = InviteToken::new(claims, [0; 32]);
    let expired = signed(InviteClaims {
        expires_at: 1,
        ..claims
    });
    let elsewhere = signed(InviteClaims {
        guild_id: GuildId(2),
        ..claims
    });
    let other_room = signed(InviteClaims {
        channel_id: ROOM,
        ..claims
    });
    let other_number = signed(InviteClaims {
        room: claims.room + 1,
        ..claims
    });
    let unknown = signed(InviteClaims {
        id: [9; 16],
        ..claims
    });
    let mut said = BTreeSet::new();
    for (token, expected) in [
        (forged, Code::InviteInvalid),
        (expired, Code::InviteExpired),
        (elsewhere, Code::InviteInvalid),
        (other_room, Code::InviteInvalid),
        (other_number, Code::InviteInvalid),
        // None is forgotten before its end but those that were called back.
        (unknown, Code::InviteRevoked),
    ] {
        let result = house.give(by(BEN, "", join(room, token))).await;
        let error = result.expect_err("refused");
        assert_eq!(error.code, expected, "{error}");
        said.insert(error.message);
    }
    assert_eq!(said.len(), 6, "{said:?}");
    let revoke = Command::RevokeInvites {
        guild_id: GUILD,
        channel_id: room,
        token: Some(good.clone()),
    };
    let revoked = house.give(by(ANNA, "", revoke)).await;
    assert_eq!(outcome(&revoked), Outcome::Done);
    house.kill().await;
    for _ in 0..2 {
        let result = house.give(by(BEN, "", join(room, good.clone()))).await;
        assert_eq!(code(&result), Code::InviteRevoked);
        // Also when another one has taken its place.
        house.invite(ANNA, room, None).await;
    }
    let closed = house.give(by(ANNA, "", close(room))).await;
    assert_eq!(outcome(&closed), Outcome::Done);
    let result = house.give(by(BEN, "", join(room, good))).await;
    assert_eq!(code(&result), Code::InviteInvalid);
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn a_locked_room_and_whoever_is_kept_out_are_told_so_and_take_no_seat() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, false).await;
    let token = house.invite(ANNA, room, Some(1)).await;
    house.discord.puts(BEN, ROOM);
    house
        .give(by(ANNA, "", lock(room, true)))
        .await
        .expect("locked");
    let locked = house.give(by(BEN, "", join(room, token.clone()))).await;
    assert_eq!(code(&locked), Code::RoomLocked);
    house
        .give(by(ANNA, "", lock(room, false)))
        .await
        .expect("open");
    let block = Command::BlockFromRoom {
        guild_id: GUILD,
        channel_id: room,
        user_id: BEN,
    };
    house.give(by(ANNA, "", block)).await.expect("kept out");
    let blocked = house.give(by(BEN, "", join(room, token))).await;
    assert_eq!(code(&blocked), Code::Blocked);
    assert!(
        house
            .rooms
            .invited_into(house.record(room).number)
            .is_empty()
    );
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn who_is_not_in_voice_is_let_in_at_once_and_moved_when_they_come() {
    let mut house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let token = house.invite(ANNA, room, None).await;
    let request = by(BEN, "k", join(room, token.clone()));
    let result = house.give(request.clone()).await;
    let until = token.claims().expires_at;
    assert_eq!(outcome(&result), Outcome::Waiting { until });
    assert!(overwrite_of(&house, room, OverwriteTarget::Member(BEN)).is_some());
    house.kill().await;
    house.discord.puts(BEN, ROOM);
    let moved = house.settled(request).await;
    assert_eq!(outcome(&moved), Outcome::Done);
    assert_eq!(house.discord.guild().voice[&BEN].channel_id, room);
}

#[tokio::test]
async fn a_room_that_closes_while_somebody_joins_leaves_nothing() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let token = house.invite(ANNA, room, Some(1)).await;
    house.discord.puts(BEN, ROOM);
    let closed = house.give(by(ANNA, "", close(room)));
    let joined = house.give(by(BEN, "", join(room, token)));
    let (closed, joined) = tokio::join!(closed, joined);
    assert_eq!(outcome(&closed), Outcome::Done);
    assert_eq!(code(&joined), Code::InviteInvalid);
    assert!(house.rooms.rooms().is_empty());
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn who_is_kept_out_of_the_room_is_not_let_into_its_guild() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let invite = house.invite(ANNA, room, Some(1)).await;
    let stranger = UserId(999);
    let block = Command::BlockFromRoom {
        guild_id: GUILD,
        channel_id: room,
        user_id: stranger,
    };
    assert_eq!(
        outcome(&house.give(by(ANNA, "", block)).await),
        Outcome::Done
    );
    let newcomer = Some(Newcomer {
        user_id: stranger,
        access_token: AccessToken::new("theirs".to_owned()),
    });
    let request = Box::new(AdmitRequestBody { invite, newcomer });
    let refused = house.executor.admit(request).await;
    assert_eq!(refused.expect_err("refused").code, Code::Blocked);
    let acts = house.discord.acts();
    assert!(acts.iter().all(|act| !act.starts_with("PUT guilds")));
    let number = house.record(room).number;
    assert_eq!(house.rooms.invited_into(number), [], "nor is a seat taken");
}

#[tokio::test]
async fn while_nobody_knows_who_is_kept_out_nobody_is_let_into_the_guild() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let invite = house.invite(ANNA, room, Some(1)).await;
    let admit = || {
        let newcomer = Some(Newcomer {
            user_id: UserId(999),
            access_token: AccessToken::new("theirs".to_owned()),
        });
        let invite = invite.clone();
        let request = Box::new(AdmitRequestBody { invite, newcomer });
        house.executor.admit(request)
    };
    let hide = |hidden| {
        house.discord.change(|guild| {
            let room = guild.rooms.get_mut(&room).expect("there");
            room.rights.obfuscated = hidden;
        });
    };
    let number = house.record(room).number;
    for obfuscated in [false, true] {
        house.discord.is_live(obfuscated);
        hide(obfuscated);
        let refused = admit().await.expect_err("refused");
        assert_eq!(refused.code, Code::GuildUnavailable);
        assert!(refused.retry_after_ms.is_some());
        assert_eq!(house.rooms.invited_into(number), [], "nor is a seat taken");
    }
    let acts = house.discord.acts();
    assert!(acts.iter().all(|act| !act.starts_with("PUT guilds")));
    hide(false);
    assert!(admit().await.is_ok());
}

#[tokio::test]
async fn a_gateway_that_was_not_told_to_lets_nobody_in() {
    let settings = RoomSettings {
        guilds_join: false,
        ..settings(RoomMode::Overwrites)
    };
    let house = House::open_with(settings, CALL).await;
    house.discord.change(with_a_bot);
    let room = house.room_of(ANNA, true).await;
    let invite = house.invite(ANNA, room, None).await;
    let newcomer = Newcomer {
        user_id: UserId(999),
        access_token: AccessToken::new("theirs".to_owned()),
    };
    for newcomer in [None, Some(newcomer)] {
        let invite = invite.clone();
        let request = Box::new(AdmitRequestBody { invite, newcomer });
        let refused = house.executor.admit(request).await;
        assert_eq!(refused.expect_err("refused").code, Code::Forbidden);
    }
    let acts = house.discord.acts();
    assert!(acts.iter().all(|act| !act.starts_with("PUT guilds")));
}

#[tokio::test]
async fn an_invite_is_looked_at_before_a_login_and_adds_whoever_consents() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let token = house.invite(ANNA, room, Some(1)).await;
    let ask = |invite: &InviteToken, newcomer: Option<UserId>| {
        let newcomer = newcomer.map(|user_id| Newcomer {
            user_id,
            access_token: AccessToken::new("theirs".to_owned()),
        });
        let invite = invite.clone();
        house
            .executor
            .admit(Box::new(AdmitRequestBody { invite, newcomer }))
    };
    assert_eq!(ask(&token, None).await, Ok(Admitted::Valid.answer()));
    let added = ask(&token, Some(UserId(999))).await;
    let added = added.expect("added");
    assert_eq!(added.admitted, Admitted::Already, "of a false Discord");
    assert!(added.at.is_some(), "told behind what the log says");
    let number = house.record(room).number;
    assert_eq!(house.rooms.invited_into(number), [UserId(999)]);
    let another = ask(&token, Some(UserId(998))).await;
    assert_eq!(another.expect_err("refused").code, Code::NoSeatsLeft);
    let forged = InviteToken::new(*token.claims(), [0; 32]);
    let refused = ask(&forged, Some(UserId(999))).await;
    assert_eq!(refused.expect_err("refused").code, Code::InviteInvalid);
    let acts = house.discord.acts();
    let puts = acts.iter().filter(|act| act.starts_with("PUT guilds"));
    assert_eq!(puts.count(), 1);
    assert_eq!(house.discord.told_members(), [UserId(999)]);
}
