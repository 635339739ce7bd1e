//! What the log tells of rooms of ours: each is ours from the event that brings it to the one that
//! takes it away.

use guildhall_model::{Change, Position, guild::Room};

use super::*;

/// A channel of an id that Discord's clock gives in decades.
const TO_COME: ChannelId = ChannelId(u64::MAX >> 1);

/// Each event about a room that was not there at the start: its name, and whether it says that the room
/// is ours.
async fn told(house: &House) -> Vec<(&'static str, bool)> {
    let log = house.discord.log();
    let start = Position::start(log.head().log, log.head().epoch);
    let events = log.read(start, 10_000).await.expect("all of it is kept");
    let told = events.iter().filter_map(|sealed| {
        let change = &sealed.event.change;
        let (room, ours) = match change {
            Change::RoomCreated(room) => (room.info.channel_id, room.info.managed.is_some()),
            Change::RoomUpdated(info) => (info.channel_id, info.managed.is_some()),
            Change::RoomDeleted { channel_id } => (*channel_id, true),
            _ => return None,
        };
        let is_new = ![ROOM, OTHER_ROOM, TO_COME].contains(&room);
        is_new.then_some((change.name(), ours))
    });
    told.collect()
}

#[tokio::test]
async fn a_room_is_ours_from_the_event_that_brings_it_to_the_one_that_takes_it_away() {
    for mode in [RoomMode::Overwrites, RoomMode::Role] {
        let house = House::with_rooms(mode).await;
        let room = house.room_of(ANNA, true).await;
        assert_eq!(told(&house).await, [("room.created", true)]);
        let closed = house.give(by(ANNA, "", close(room))).await;
        assert_eq!(outcome(&closed), Outcome::Done);
        let whole = [("room.created", true), ("room.deleted", true)];
        assert_eq!(told(&house).await, whole);
        house.settles().await.expect("nothing is left");
    }
}

#[tokio::test]
async fn also_where_discord_does_not_answer_or_the_process_is_killed() {
    for kills in [false, true] {
        let mut house = House::with_rooms_and(RoomMode::Overwrites, Duration::from_secs(1)).await;
        let made = unanswered(&mut house, by(ANNA, "k", create(true)), kills).await;
        let room = channel_of(&made);
        assert_eq!(told(&house).await, [("room.created", true)]);
        let closed = unanswered(&mut house, by(ANNA, "c", close(room)), kills).await;
        assert_eq!(outcome(&closed), Outcome::Done);
        house.settles().await.expect("nothing is left");
        let whole = [("room.created", true), ("room.deleted", true)];
        assert_eq!(told(&house).await, whole, "killed: {kills}");
    }
}

#[tokio::test]
async fn also_where_a_channel_has_an_id_of_times_to_come() {
    for kills in [false, true] {
        let mut house = House::with_rooms_and(RoomMode::Overwrites, Duration::from_secs(1)).await;
        house.discord.change(|guild| {
            let mut skewed = guild.rooms[&ROOM].clone();
            skewed.info.channel_id = TO_COME;
            guild.rooms.insert(TO_COME, skewed);
        });
        let made = unanswered(&mut house, by(ANNA, "k", create(true)), kills).await;
        assert_eq!(told(&house).await, [("room.created", true)]);
        let room = channel_of(&made);
        let closed = house.give(by(ANNA, "", close(room))).await;
        assert_eq!(outcome(&closed), Outcome::Done);
        let mut left = house.discord.guild().rooms.into_keys();
        assert!(left.by_ref().eq([ROOM, OTHER_ROOM, TO_COME]), "{left:?}");
    }
}

/// Gives a command that Discord does and never answers. `kills`: the process is killed meanwhile, and it
/// is given again.
async fn unanswered(house: &mut House, request: CommandRequest, kills: bool) -> CommandResult {
    let acts = house.discord.acts().len();
    house.discord.react([Reaction::Hang { done: true }]);
    let answer = house.give(request.clone());
    if !kills {
        return answer.await;
    }
    house.discord.has_got_acts(acts + 1).await;
    house.kill().await;
    drop(answer);
    house.give(request).await
}

#[tokio::test]
async fn what_somebody_makes_by_hand_before_a_lost_room_is_looked_for_is_left_alone() {
    let by_hand: [fn(&mut Room); 4] = [
        |room| room.info.user_limit = 5,
        |room| room.rights.overwrites.truncate(1),
        |room| {
            let one = room.rights.overwrites.last_mut().expect("one");
            one.allow = one.allow | Permissions::MOVE_MEMBERS;
        },
        |room| {
            let target = OverwriteTarget::Member(BEN);
            let (allow, deny) = (Permissions::VIEW_CHANNEL, Permissions::NONE);
            room.rights.overwrites.push(Overwrite {
                target,
                allow,
                deny,
            });
        },
    ];
    for change in by_hand {
        let mut house = House::with_rooms(RoomMode::Overwrites).await;
        // One that was made as the next one will be, so that it can be copied by hand.
        let first = house.room_of(ANNA, true).await;
        let mut copy = house.discord.guild().rooms[&first].clone();
        let closed = house.give(by(ANNA, "", close(first))).await;
        assert_eq!(outcome(&closed), Outcome::Done);
        change(&mut copy);
        copy.info.managed = None;
        let acts = house.discord.acts().len();
        house.discord.react([Reaction::Hang { done: false }]);
        let request = by(ANNA, "k", create(true));
        let answer = house.give(request.clone());
        house.discord.has_got_acts(acts + 1).await;
        house.kill().await;
        drop(answer);
        let theirs = house.discord.makes_by_hand(copy);
        let result = house.give(request).await;
        assert_ne!(channel_of(&result), theirs);
        let guild = house.discord.guild();
        assert_eq!(guild.rooms[&theirs].info.managed, None);
        assert!(house.rooms.by_channel(theirs).is_none());
    }
}
