//! What Discord does at last, when whoever asked for it has gone: nothing of it is left either.

use guildhall_model::RoleId;
use serde_json::json;

use super::*;

const MODES: [RoomMode; 2] = [RoomMode::Overwrites, RoomMode::Role];

impl House {
    /// Gives a command, and is killed once so many further requests that change something have come.
    async fn killed_at(&mut self, request: &CommandRequest, acts: usize) {
        let before = self.discord.acts().len();
        let answer = self.give(request.clone());
        self.discord.has_got_acts(before + acts).await;
        self.kill().await;
        drop(answer);
    }

    /// What is kept of rooms is compared with Discord once more.
    fn looks_again(&self) {
        for room in self.rooms.rooms() {
            self.executor.repair(room.number);
        }
    }

    /// Nothing is left at Discord, and the records go once their minute is over.
    async fn ends_empty(&mut self) {
        for room in self.rooms.rooms() {
            if let RoomPhase::Open { channel_id } = room.phase {
                let closed = self.give(by(room.owner_id, "", close(channel_id))).await;
                assert_eq!(outcome(&closed), Outcome::Done);
            }
        }
        self.settles().await.expect("nothing is left");
        self.clock.goes_on(Duration::from_secs(61));
        self.looks_again();
        let until = now() + PATIENCE;
        while !self.rooms.rooms().is_empty() {
            assert!(now() < until, "{:#?}", self.rooms.rooms());
            self.discord.moves_on(Duration::from_millis(20)).await;
        }
        self.settles().await.expect("nothing is left");
    }
}

/// How many requests change something before the one that makes the channel.
fn steps_before_channel(mode: RoomMode) -> usize {
    match mode {
        RoomMode::Overwrites => 0,
        // The role, and who has it.
        RoomMode::Role => 2,
    }
}

#[tokio::test]
async fn a_channel_that_comes_after_it_was_looked_for_goes() {
    for mode in MODES {
        for looks in [0, 1, 2] {
            let mut house = House::with_rooms(mode).await;
            let before = steps_before_channel(mode);
            house.discord.react(vec![Reaction::Pass; before]);
            house.discord.react([Reaction::Late]);
            let request = by(ANNA, "k", create(true));
            house.killed_at(&request, before + 1).await;
            let made = house.give(request).await;
            for _ in 0..looks {
                house.settles().await.expect("as the records say");
                house.kill().await;
            }
            house.settles().await.expect("as the records say");
            house.discord.does_at_last();
            house.looks_again();
            house.settles().await.expect("the late one goes");
            let room = channel_of(&made);
            assert!(
                house.discord.guild().rooms.contains_key(&room),
                "{mode:?} {looks}"
            );
            house.ends_empty().await;
        }
    }
}

#[tokio::test]
async fn a_role_that_comes_after_it_was_looked_for_goes() {
    let mut house = House::with_rooms(RoomMode::Role).await;
    house.discord.react([Reaction::Late]);
    let request = by(ANNA, "k", create(true));
    house.killed_at(&request, 1).await;
    assert!(house.give(request).await.is_ok());
    house.settles().await.expect("as the records say");
    house.discord.does_at_last();
    house.looks_again();
    house.settles().await.expect("the late one goes");
    house.ends_empty().await;
}

#[tokio::test]
async fn several_that_come_late_and_are_alike_go() {
    for kills in [2, 3] {
        let mut house = House::with_rooms(RoomMode::Overwrites).await;
        house.discord.react(vec![Reaction::Late; kills]);
        let request = by(ANNA, "k", create(true));
        house.killed_at(&request, 1).await;
        for lost in 1..kills {
            house.discord.has_got_acts(lost + 1).await;
            house.kill().await;
        }
        assert!(house.give(request).await.is_ok());
        house.discord.does_at_last();
        house.looks_again();
        house.settles().await.expect("each of them goes");
        house.ends_empty().await;
    }
}

#[tokio::test]
async fn where_there_are_more_than_were_asked_for_none_is_touched() {
    let mut house = House::with_rooms(RoomMode::Overwrites).await;
    house.discord.react([Reaction::Late]);
    let request = by(ANNA, "k", create(true));
    house.killed_at(&request, 1).await;
    let made = channel_of(&house.give(request).await);
    let mut copy = house.discord.guild().rooms[&made].clone();
    copy.info.managed = None;
    let theirs = house.discord.makes_by_hand(copy);
    house.discord.does_at_last();
    house.kill().await;
    house.clock.goes_on(Duration::from_secs(61));
    house.looks_again();
    let until = now() + PATIENCE;
    while house.rooms.rooms().len() > 1 {
        assert!(now() < until, "{:#?}", house.rooms.rooms());
        house.discord.moves_on(Duration::from_millis(20)).await;
    }
    let guild = house.discord.guild();
    assert!(guild.rooms.contains_key(&theirs) && guild.rooms.contains_key(&made));
}

#[tokio::test]
async fn a_channel_whose_role_has_gone_meanwhile_goes_too() {
    let mut house = House::with_rooms(RoomMode::Role).await;
    house
        .discord
        .react([Reaction::Pass, Reaction::Pass, Reaction::Late]);
    let request = by(ANNA, "k", create(true));
    house.killed_at(&request, 3).await;
    assert!(house.give(request).await.is_ok());
    house.discord.does_at_last();
    // Discord takes a role out of whatever named it.
    house.discord.change(|guild| {
        let there: BTreeSet<RoleId> = guild.roles.keys().copied().collect();
        for room in guild.rooms.values_mut() {
            room.rights.overwrites.retain(|one| match one.target {
                OverwriteTarget::Role(role) => there.contains(&role),
                OverwriteTarget::Member(_) => true,
            });
        }
    });
    house.looks_again();
    house.settles().await.expect("the late one goes");
    house.ends_empty().await;
}

#[tokio::test]
async fn what_nobody_answered_is_looked_for_though_the_first_look_fails() {
    for mode in MODES {
        for step in 0..=steps_before_channel(mode) {
            if step == 1 {
                // Who has a role is no thing that could be left.
                continue;
            }
            let mut house = House::with_rooms(mode).await;
            house.discord.react(vec![Reaction::Pass; step]);
            house.discord.react([Reaction::broken(true)]);
            house.discord.shows_nothing(100);
            let made = house.give(by(ANNA, "k", create(true))).await;
            assert!(made.is_err(), "{made:?}");
            house.discord.heal();
            house.looks_again();
            house.settles().await.expect("nothing is left");
            house.ends_empty().await;
        }
    }
}

#[tokio::test]
async fn the_minute_begins_when_nobody_asks_any_more() {
    let mut house = House::with_rooms_and(RoomMode::Overwrites, Duration::from_secs(1)).await;
    house.discord.react([Reaction::Late]);
    let answer = house.give(by(ANNA, "", create(true)));
    house.discord.has_got_acts(1).await;
    // Its steps took long.
    house.clock.goes_on(Duration::from_secs(59));
    assert!(answer.await.is_err());
    house.clock.goes_on(Duration::from_secs(30));
    house.looks_again();
    house.kill().await;
    house.looks_again();
    house.discord.does_at_last();
    house.looks_again();
    house.settles().await.expect("the late one goes");
    house.ends_empty().await;
}

#[tokio::test]
async fn what_was_refused_only_the_second_time_may_have_been_done_the_first() {
    let mut house = House::with_rooms(RoomMode::Overwrites).await;
    let room = house.room_of(ANNA, false).await;
    let everyone = OverwriteTarget::Role(GUILD.everyone());
    let before = overwrite_of(&house, room, everyone);
    house.discord.react([
        Reaction::broken(true),
        Reaction::answer(403, json!({"code": 50_013})),
    ]);
    let locked = house.give(by(ANNA, "k", lock(room, true))).await;
    assert!(locked.is_err(), "{locked:?}");
    house.looks_again();
    house.settles().await.expect("as the record says");
    assert!(!house.record(room).locked);
    assert_eq!(overwrite_of(&house, room, everyone), before);
    house.ends_empty().await;
}

#[tokio::test]
async fn a_lock_that_comes_behind_the_unlocking_is_undone() {
    for killed in [false, true] {
        let mut house = House::with_rooms_and(RoomMode::Overwrites, Duration::from_secs(1)).await;
        let room = house.room_of(ANNA, false).await;
        let everyone = OverwriteTarget::Role(GUILD.everyone());
        let before = overwrite_of(&house, room, everyone);
        house.discord.react([Reaction::Late]);
        let request = by(ANNA, "k", lock(room, true));
        if killed {
            house.killed_at(&request, 1).await;
        }
        let locked = house.give(request).await;
        assert_eq!(outcome(&locked), Outcome::Done);
        let unlocked = house.give(by(ANNA, "", lock(room, false))).await;
        assert_eq!(outcome(&unlocked), Outcome::Done);
        assert_eq!(overwrite_of(&house, room, everyone), before);

        house.discord.does_at_last();
        assert_ne!(overwrite_of(&house, room, everyone), before);
        house.looks_again();
        let until = now() + PATIENCE;
        while overwrite_of(&house, room, everyone) != before {
            assert!(now() < until, "killed: {killed}");
            house.discord.moves_on(Duration::from_millis(20)).await;
        }
        // Behind its minute it is left as people make it.
        house.clock.goes_on(Duration::from_secs(61));
        while house.record(room).late_until.is_some() {
            assert!(now() < until, "killed: {killed}");
            house.looks_again();
            house.discord.moves_on(Duration::from_millis(20)).await;
        }
        house.ends_empty().await;
    }
}
