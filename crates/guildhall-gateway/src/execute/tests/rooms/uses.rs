//! What people may do with a room, and what the bot needs for it.

use guildhall_model::command::CommandErrorCode as Code;

use super::*;

#[tokio::test]
async fn a_private_room_lets_in_its_owner_and_the_bot_and_nobody_else() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let result = house.give(by(ANNA, "k", create(true))).await;
    let room = channel_of(&result);
    assert!(result.expect("made").at.is_some(), "behind its event");
    let guild = house.discord.guild();
    let info = &guild.rooms[&room].info;
    assert_eq!((info.name.as_str(), info.user_limit), ("Table", 4));
    assert_eq!(info.parent_id, Some(CATEGORIES[0]));
    let everyone = overwrite_of(&house, room, OverwriteTarget::Role(GUILD.everyone()));
    let denied = everyone.expect("an overwrite").deny;
    assert!(denied.contains(Permissions::VIEW_CHANNEL | Permissions::CONNECT));
    for user in [ANNA, BOT] {
        let own = overwrite_of(&house, room, OverwriteTarget::Member(user));
        let allowed = own.expect("an overwrite").allow;
        assert!(allowed.contains(Permissions::VIEW_CHANNEL | Permissions::CONNECT));
    }
    let managed = info.managed.expect("ours");
    assert_eq!(
        (managed.owner_id, managed.locked, managed.hidden),
        (ANNA, false, true)
    );
    assert_eq!(house.orphans(), Vec::<String>::new());
    // Again with the same key, while it runs and after a kill, it is the same one.
    let mut house = house;
    house.kill().await;
    let again = house.give(by(ANNA, "k", create(true))).await;
    assert_eq!(channel_of(&again), room);
    assert_eq!(house.discord.done(), ["room Table"]);
}

#[tokio::test]
async fn a_public_room_is_as_open_as_its_category_as_far_as_the_bot_may_say() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let mods = guildhall_model::RoleId(60);
    let ban_members = Permissions(1 << 2);
    house.discord.change(|guild| {
        guild.roles.insert(mods, Permissions::NONE);
        let category = guild.categories.get_mut(&CATEGORIES[0]).expect("there");
        category.rights.overwrites = vec![Overwrite {
            target: OverwriteTarget::Role(mods),
            allow: Permissions::CONNECT | ban_members,
            deny: Permissions::SPEAK,
        }];
    });
    let room = house.room_of(ANNA, false).await;
    let of_mods = || overwrite_of(&house, room, OverwriteTarget::Role(mods)).expect("taken over");
    assert_eq!(of_mods().allow, Permissions::CONNECT);
    assert_eq!(of_mods().deny, Permissions::SPEAK);
    // Locked, it lets in nobody by a role either; and open again it is as before.
    let locked = house.give(by(ANNA, "", lock(room, true))).await;
    assert_eq!(outcome(&locked), Outcome::Done);
    assert_eq!(of_mods().allow, Permissions::NONE);
    let opened = house.give(by(ANNA, "", lock(room, false))).await;
    assert_eq!(outcome(&opened), Outcome::Done);
    assert_eq!(of_mods().allow, Permissions::CONNECT);
    let everyone = overwrite_of(&house, room, OverwriteTarget::Role(GUILD.everyone()));
    assert_eq!(everyone, None, "nothing that says nothing is left");
}

#[tokio::test]
async fn a_room_goes_to_the_next_category_when_one_is_full_and_nowhere_when_all_are() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    house.discord.fills(CATEGORIES[0]);
    let room = house.room_of(ANNA, true).await;
    let guild = house.discord.guild();
    assert_eq!(guild.rooms[&room].info.parent_id, Some(CATEGORIES[1]));
    house.discord.fills(CATEGORIES[1]);
    let result = house.give(by(BEN, "k", create(true))).await;
    let error = result.expect_err("full");
    assert_eq!(error.code, Code::TooManyRooms);
    assert!(error.message.contains("full"), "{error}");
    // Before it is answered; a repair would keep its record for a minute.
    let mut left = house.rooms.rooms().into_iter();
    assert!(left.all(|room| room.owner_id != BEN));
    assert_eq!(house.settles().await, Ok(()));
}

#[tokio::test]
async fn one_person_has_one_room_and_two_at_once_are_one() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let first = house.give(by(ANNA, "a", create(true)));
    let second = house.give(by(ANNA, "b", create(true)));
    let (first, second) = tokio::join!(first, second);
    let room = channel_of(&first);
    assert_eq!(code(&second), Code::TooManyRooms);
    let closed = house.give(by(ANNA, "", close(room))).await;
    assert_eq!(outcome(&closed), Outcome::Done);
    house.room_of(ANNA, true).await;
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn a_role_for_a_room_comes_with_it_and_goes_with_it() {
    let house = House::with_rooms(RoomMode::Role).await;
    let room = house.room_of(ANNA, true).await;
    let role_id = house.record(room).role_id.expect("a role");
    assert!(overwrite_of(&house, room, OverwriteTarget::Role(role_id)).is_some());
    assert!(overwrite_of(&house, room, OverwriteTarget::Member(ANNA)).is_none());
    assert_eq!(house.discord.roles().len(), 1);
    let closed = house.give(by(ANNA, "", close(room))).await;
    assert_eq!(outcome(&closed), Outcome::Done);
    assert_eq!(house.discord.roles(), [""; 0]);
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn a_room_whose_role_somebody_deletes_is_its_owners_all_the_same() {
    let house = House::with_rooms(RoomMode::Role).await;
    let room = house.room_of(ANNA, true).await;
    let token = house.invite(ANNA, room, Some(1)).await;
    house.discord.puts(BEN, ROOM);
    let joined = house.give(by(BEN, "", join(room, token.clone()))).await;
    assert_eq!(outcome(&joined), Outcome::Done);
    let record = house.record(room);
    house.discord.deletes_role(record.role_id.expect("a role"));
    // Whoever sees to rooms hears of it.
    house.executor.repair(record.number);
    house
        .rooms_are(|rooms| rooms[0].role_id.is_none() && !rooms[0].unsettled)
        .await;
    let locked = house.give(by(ANNA, "", lock(room, true))).await;
    assert_eq!(outcome(&locked), Outcome::Done);
    let opened = house.give(by(ANNA, "", lock(room, false))).await;
    assert_eq!(outcome(&opened), Outcome::Done);
    // By the seat that they have.
    house.discord.puts(BEN, ROOM);
    let again = house.give(by(BEN, "", join(room, token))).await;
    assert_eq!(outcome(&again), Outcome::Done);
    let overwrites = house.discord.guild().rooms[&room].rights.overwrites.clone();
    assert!(lets_in(&overwrites, ANNA) && lets_in(&overwrites, BEN));
    assert_eq!(house.orphans(), Vec::<String>::new());
    let closed = house.give(by(ANNA, "", close(room))).await;
    assert_eq!(outcome(&closed), Outcome::Done);
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_bot_lacks_is_named_and_discord_is_not_asked() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let everybody = Permissions::VIEW_CHANNEL | Permissions::CONNECT;
    house.discord.change(|guild| {
        guild.roles.insert(discord::BOTS_ROLE, everybody);
    });
    let result = house.give(by(ANNA, "k", create(true))).await;
    let error = result.expect_err("refused");
    assert_eq!(error.code, Code::BotForbidden);
    assert_eq!(
        error.missing,
        ["MANAGE_CHANNELS", "MOVE_MEMBERS", "MANAGE_ROLES"]
    );
    // And of the older commands.
    let moved = house.give(by(ANNA, "", connect(ANNA, OTHER_ROOM))).await;
    assert_eq!(moved.expect_err("refused").missing, ["MOVE_MEMBERS"]);
    assert_eq!(house.discord.requests(), 0);
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn a_room_of_somebody_elses_making_is_left_alone() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    for command in [
        close(ROOM),
        lock(ROOM, true),
        Command::BlockFromRoom {
            guild_id: GUILD,
            channel_id: ROOM,
            user_id: BEN,
        },
    ] {
        let result = house.give(by(OWNER, "", command)).await;
        assert_eq!(code(&result), Code::NotManaged);
    }
    assert_eq!(house.discord.requests(), 0);
}

#[tokio::test]
async fn a_room_is_claimed_when_its_owner_has_been_gone_for_long_enough() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, false).await;
    house.discord.puts(BEN, room);
    let claim = Command::ClaimRoom {
        guild_id: GUILD,
        channel_id: room,
    };
    let early = house.give(by(BEN, "", claim.clone())).await;
    let error = early.expect_err("too early");
    assert_eq!(error.code, Code::OwnerPresent);
    assert!(error.retry_after_ms.is_some_and(|wait| wait > 200_000));
    house.rooms.set_owner_left_at(room, Some(1));
    let claimed = house.give(by(BEN, "", claim)).await;
    assert_eq!(outcome(&claimed), Outcome::Done);
    assert_eq!(house.record(room).owner_id, BEN);
    assert!(overwrite_of(&house, room, OverwriteTarget::Member(BEN)).is_some());
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn nobody_who_is_there_loses_their_room_and_an_empty_one_goes_once() {
    let mut house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, false).await;
    let idle = || {
        let command = OwnCommand::DeleteIdle {
            guild_id: GUILD,
            channel_id: room,
        };
        house.executor.execute_own(command, now() + PATIENCE)
    };
    house.discord.puts(BEN, room);
    assert_eq!(code(&idle().await), Code::Superseded);
    house.discord.puts(BEN, ROOM);
    house.discord.is_live(false);
    assert_eq!(code(&idle().await), Code::Superseded);
    house.discord.is_live(true);
    // Somebody opened its page while the command waited; and nobody knows who is where.
    house.web.told(looks_at(&[room]));
    assert_eq!(code(&idle().await), Code::Superseded);
    drop(house.web);
    assert_eq!(code(&idle().await), Code::Superseded);
    assert!(house.discord.guild().rooms.contains_key(&room));
    house.web = house.viewers.attach();
    house.web.told(looks_at(&[OTHER_ROOM]));
    let (first, second) = tokio::join!(idle(), idle());
    assert_eq!(outcome(&first), Outcome::Done);
    assert!(second.is_err(), "{second:?}");
    assert_eq!(house.orphans(), Vec::<String>::new());
    let deleted = house.discord.acts();
    let deleted = deleted.iter().filter(|act| act.starts_with("DELETE"));
    assert_eq!(deleted.count(), 1);
}

#[tokio::test]
async fn an_idle_deletion_that_was_cut_short_leaves_the_room_to_whoever_came() {
    for done in [false, true] {
        let mut house = House::with_rooms(RoomMode::Overwrites).await;
        let room = house.room_of(ANNA, false).await;
        let requests = house.discord.requests();
        house.discord.react([Reaction::Hang { done }]);
        let command = OwnCommand::DeleteIdle {
            guild_id: GUILD,
            channel_id: room,
        };
        let _lost = house.executor.execute_own(command, now() + PATIENCE);
        house.discord.has_got(requests + 1).await;
        if !done {
            house.discord.puts(BEN, room);
        }
        house.kill().await;
        assert_eq!(house.settles().await, Ok(()));
        assert_eq!(house.rooms.by_channel(room).is_none(), done);
        assert_eq!(house.discord.guild().rooms.contains_key(&room), !done);
        assert_eq!(house.orphans(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_room_that_somebody_deletes_at_discord_ends_and_so_do_its_role_and_invites() {
    let mut house = House::with_rooms(RoomMode::Role).await;
    let room = house.room_of(ANNA, true).await;
    house.invite(ANNA, room, None).await;
    house.discord.change(|guild| _ = guild.rooms.remove(&room));
    house.kill().await;
    assert_eq!(house.settles().await, Ok(()));
    assert!(house.rooms.rooms().is_empty());
    assert_eq!(house.discord.roles(), [""; 0]);
}

#[tokio::test]
async fn a_channel_that_looks_like_ours_and_is_not_is_never_deleted() {
    let mut house = House::with_rooms(RoomMode::Overwrites).await;
    // By hand: the name, and overwrites of its own.
    house.discord.change(|guild| {
        let mut like = guild.rooms[&ROOM].clone();
        like.info.channel_id = ChannelId(u64::MAX >> 1);
        like.info.name = "Table".to_owned();
        guild.rooms.insert(like.info.channel_id, like);
    });
    house.discord.react([Reaction::Hang { done: false }]);
    let lost = house.give(by(ANNA, "", create(true)));
    house.discord.has_got_acts(1).await;
    house.kill().await;
    drop(lost);
    let kept = ChannelId(u64::MAX >> 1);
    house
        .rooms_are(|rooms| {
            rooms
                .iter()
                .all(|room| !matches!(room.phase, RoomPhase::Making { .. }))
        })
        .await;
    assert!(house.discord.guild().rooms.contains_key(&kept));
    let deleted = house.discord.acts();
    assert!(
        !deleted.iter().any(|act| act.starts_with("DELETE")),
        "{deleted:?}"
    );
}

#[tokio::test]
async fn a_copy_of_a_room_that_somebody_made_by_hand_is_left_alone() {
    let mut house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, true).await;
    let copy = ChannelId(room.0 + 1);
    house.discord.change(|guild| {
        let mut like = guild.rooms[&room].clone();
        like.info.channel_id = copy;
        guild.rooms.insert(copy, like);
    });
    let closed = house.give(by(ANNA, "", close(room))).await;
    assert_eq!(outcome(&closed), Outcome::Done);
    let acts = house.discord.acts().len();
    house.discord.react([Reaction::Hang { done: false }]);
    let lost = house.give(by(ANNA, "k", create(true)));
    house.discord.has_got_acts(acts + 1).await;
    house.kill().await;
    drop(lost);
    let made = house.give(by(ANNA, "k", create(true))).await;
    assert_ne!(channel_of(&made), copy);
    assert!(house.discord.guild().rooms.contains_key(&copy));
}

#[tokio::test]
async fn a_room_is_given_to_members_who_have_none() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, false).await;
    house.room_of(BEN, false).await;
    for (user_id, expected) in [
        (BEN, Code::TooManyRooms),
        (UserId(999), Code::NotFound),
        (BOT, Code::Invalid),
    ] {
        let command = Command::TransferRoom {
            guild_id: GUILD,
            channel_id: room,
            user_id,
        };
        let result = house.give(by(ANNA, "", command)).await;
        assert_eq!(code(&result), expected, "{user_id}");
    }
    assert_eq!(house.record(room).owner_id, ANNA);
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn a_lobby_brings_nobody_into_a_room_that_was_given_to_them() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, false).await;
    let command = Command::TransferRoom {
        guild_id: GUILD,
        channel_id: room,
        user_id: BEN,
    };
    let given = house.give(by(ANNA, "", command)).await;
    assert_eq!(outcome(&given), Outcome::Done);
    house.discord.puts(BEN, LOBBY);
    let command = OwnCommand::EnterLobby {
        guild_id: GUILD,
        channel_id: LOBBY,
        user_id: BEN,
    };
    let entered = house.executor.execute_own(command, now() + PATIENCE).await;
    assert_eq!(code(&entered), Code::TooManyRooms);
    assert_eq!(house.discord.guild().voice[&BEN].channel_id, LOBBY);
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn of_two_rooms_that_are_given_to_one_person_at_once_they_have_one() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let (first, second) = (
        house.room_of(ANNA, false).await,
        house.room_of(OWNER, false).await,
    );
    let give = |channel_id, by_whom| {
        let command = Command::TransferRoom {
            guild_id: GUILD,
            channel_id,
            user_id: BEN,
        };
        house.give(by(by_whom, "", command))
    };
    let (one, other) = tokio::join!(give(first, ANNA), give(second, OWNER));
    assert_eq!(outcome(&one), Outcome::Done);
    assert_eq!(code(&other), Code::TooManyRooms);
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn whoever_comes_into_a_lobby_is_in_a_room_of_their_own_and_in_the_same_one_later() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let enter = || {
        house.discord.puts(ANNA, LOBBY);
        let command = OwnCommand::EnterLobby {
            guild_id: GUILD,
            channel_id: LOBBY,
            user_id: ANNA,
        };
        house.executor.execute_own(command, now() + PATIENCE)
    };
    let room = channel_of(&enter().await);
    let guild = house.discord.guild();
    assert_eq!(guild.voice[&ANNA].channel_id, room);
    let info = &guild.rooms[&room].info;
    assert_eq!(
        (info.name.as_str(), info.user_limit),
        ("Somebody's table", 3)
    );
    let messages = house.discord.messages();
    assert_eq!(messages.len(), 1);
    assert!(messages[0].1.contains("https://page.test"), "{messages:?}");
    assert_eq!(channel_of(&enter().await), room);
    assert_eq!(house.discord.messages().len(), 1, "it is said once");
    assert_eq!(house.orphans(), Vec::<String>::new());
}

#[tokio::test]
async fn a_lobbys_room_is_in_a_category_also_of_whom_nothing_is_known_or_it_is_not_made() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let enter = || {
        house.discord.puts(ANNA, LOBBY);
        let command = OwnCommand::EnterLobby {
            guild_id: GUILD,
            channel_id: LOBBY,
            user_id: ANNA,
        };
        house.executor.execute_own(command, now() + PATIENCE)
    };
    house
        .discord
        .change(|guild| _ = guild.memberships.remove(&ANNA));
    let room = channel_of(&enter().await);
    let guild = house.discord.guild();
    assert_eq!(guild.rooms[&room].info.parent_id, Some(CATEGORIES[0]));
    let closed = house.give(by(ANNA, "", close(room))).await;
    assert_eq!(code(&closed), Code::GuildUnavailable, "nobody knows them");
    house.discord.change(|guild| _ = guild.rooms.remove(&room));
    house.executor.repair(house.record(room).number);
    house.rooms_are(<[RoomRecord]>::is_empty).await;
    house.discord.change(|guild| guild.categories.clear());
    assert_eq!(code(&enter().await), Code::NotFound);
    assert!(house.rooms.rooms().is_empty());
    assert_eq!(house.discord.guild().voice[&ANNA].channel_id, LOBBY);
}

impl House {
    /// Waits until the records are like this.
    async fn rooms_are(&self, are_so: impl Fn(&[RoomRecord]) -> bool) {
        let mut changes = self.rooms.changes();
        let so = changes.wait_for(|_| are_so(&self.rooms.rooms()));
        timeout(PATIENCE, so).await.expect("in time").expect("open");
    }
}
