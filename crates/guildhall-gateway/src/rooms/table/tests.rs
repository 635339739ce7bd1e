use guildhall_ports::memory::MemoryRoomStore;

use super::{invites::INVITES_PER_ROOM, *};

const GUILD: GuildId = GuildId(1);
const ANNA: UserId = UserId(101);
const BEN: UserId = UserId(102);
const CHANNEL: ChannelId = ChannelId(10);
const INVITE: InviteId = InviteId([7; 16]);

async fn table(settings: RoomSettings, store: &Arc<MemoryRoomStore>) -> RoomTable {
    let store = Arc::clone(store);
    let loaded = RoomTable::load(settings, store, SigningKey([1; 32])).await;
    loaded.expect("in memory")
}

fn plan(owner_id: UserId) -> RoomPlan {
    RoomPlan {
        guild_id: GUILD,
        owner_id,
        name: "table".to_owned(),
        parent_id: None,
        limit: 4,
        private: true,
        lobby: None,
        now: 5,
        before: Vec::new(),
        command: 7,
    }
}

fn undressed(_: &RoomRecord) -> Vec<Overwrite> {
    Vec::new()
}

fn opened(mut room: RoomRecord) -> RoomRecord {
    room.phase = RoomPhase::Open {
        channel_id: CHANNEL,
    };
    room.unsettled = false;
    room
}

fn invite(room: RoomNumber, seats: Option<u32>) -> InviteRecord {
    InviteRecord {
        id: INVITE,
        room,
        expires_at: 1_000,
        seats,
        taken: Vec::new(),
        revoked: false,
    }
}

#[tokio::test]
async fn a_room_counts_from_its_reservation_until_it_closes() {
    let store = Arc::new(MemoryRoomStore::default());
    let settings = RoomSettings {
        max: 2,
        ..RoomSettings::default()
    };
    let table = table(settings, &store).await;
    let first = table.reserve(plan(ANNA), undressed).await.expect("a place");
    let second = table.reserve(plan(ANNA), undressed).await;
    assert_eq!(second, Err(NotReserved::OfPerson(1)));
    table.reserve(plan(BEN), undressed).await.expect("a place");
    let third = table.reserve(plan(UserId(103)), undressed).await;
    assert_eq!(third, Err(NotReserved::OfGuild(2)));
    let closing = RoomRecord {
        phase: RoomPhase::Closing { channel_id: None },
        ..first
    };
    table.put(closing).await.expect("kept");
    table
        .reserve(plan(ANNA), undressed)
        .await
        .expect("a place again");
}

#[tokio::test]
async fn of_two_who_ask_at_once_for_the_last_place_one_gets_it() {
    let store = Arc::new(MemoryRoomStore::default());
    let settings = RoomSettings {
        max: 1,
        ..RoomSettings::default()
    };
    let table = table(settings, &store).await;
    let (first, second) = tokio::join!(
        table.reserve(plan(ANNA), undressed),
        table.reserve(plan(BEN), undressed)
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let room = opened(first.or(second).expect("one"));
    table.put(room.clone()).await.expect("kept");
    let last = invite(room.number, Some(1));
    assert_eq!(table.add_invite(last, 1).await, Ok(true));
    let (first, second) = tokio::join!(table.take_seat(INVITE, ANNA), table.take_seat(INVITE, BEN));
    assert_eq!(first, Ok(SeatTaken::New));
    assert_eq!(second, Err(SeatRefused::NoneLeft));
    assert_eq!(table.take_seat(INVITE, ANNA).await, Ok(SeatTaken::Had));
    table.leave_seat(INVITE, ANNA).await.expect("kept");
    assert_eq!(table.take_seat(INVITE, BEN).await, Ok(SeatTaken::New));
}

#[tokio::test]
async fn everything_is_there_after_a_kill_and_nothing_of_a_room_that_is_gone() {
    let store = Arc::new(MemoryRoomStore::default());
    let before = table(RoomSettings::default(), &store).await;
    let room = opened(
        before
            .reserve(plan(ANNA), undressed)
            .await
            .expect("a place"),
    );
    before.put(room.clone()).await.expect("kept");
    let open = invite(room.number, None);
    assert_eq!(before.add_invite(open, 1).await, Ok(true));
    assert_eq!(before.take_seat(INVITE, BEN).await, Ok(SeatTaken::New));
    assert_eq!(before.revoke(room.number, None).await, Ok(1));
    let after = table(RoomSettings::default(), &store).await;
    assert_eq!(after.by_channel(CHANNEL), Some(room.clone()));
    assert_eq!(after.by_command(7, 5), Some(room.clone()));
    assert_eq!(after.by_command(7, 6), None, "an older one of that number");
    let told = vec![(GUILD, CHANNEL, management_of(&room))];
    assert_eq!(after.managed(), told);
    assert_eq!(
        after.take_seat(INVITE, ANNA).await,
        Err(SeatRefused::Revoked)
    );
    after.forget(room.number).await.expect("kept");
    assert_eq!(after.by_channel(CHANNEL), None);
    assert_eq!(
        after.take_seat(INVITE, ANNA).await,
        Err(SeatRefused::Unknown)
    );
    let again = table(RoomSettings::default(), &store).await;
    assert!(again.rooms().is_empty());
    let next = again.reserve(plan(ANNA), undressed).await.expect("a place");
    assert!(next.number > room.number, "no number comes twice");
}

#[tokio::test]
async fn a_room_has_so_many_invites_and_the_dead_ones_make_place() {
    let store = Arc::new(MemoryRoomStore::default());
    let table = table(RoomSettings::default(), &store).await;
    let room = table.reserve(plan(ANNA), undressed).await.expect("a place");
    for number in 0..=INVITES_PER_ROOM {
        let number = u8::try_from(number).expect("few");
        let invite = InviteRecord {
            id: InviteId([number; 16]),
            ..invite(room.number, None)
        };
        let added = table.add_invite(invite, 1).await;
        assert_eq!(added, Ok(usize::from(number) < INVITES_PER_ROOM));
    }
    let later = invite(room.number, None);
    let later = InviteRecord {
        id: InviteId([255; 16]),
        expires_at: 2_000,
        ..later
    };
    assert_eq!(table.add_invite(later, 1_000).await, Ok(true));
}

#[tokio::test]
async fn what_an_owner_makes_of_their_room_of_a_lobby_is_learnt() {
    let store = Arc::new(MemoryRoomStore::default());
    let kept = table(RoomSettings::default(), &store).await;
    let lobby = ChannelId(4);
    let request = |actor, command| guildhall_model::command::CommandRequest {
        actor,
        key: None,
        command,
    };
    let rename = |actor, name: &str| {
        let command = guildhall_model::command::Command::RenameRoom {
            guild_id: GUILD,
            channel_id: CHANNEL,
            name: name.to_owned(),
        };
        request(actor, command)
    };
    let limit = guildhall_model::command::Command::SetRoomLimit {
        guild_id: GUILD,
        channel_id: CHANNEL,
        limit: 9,
    };
    let room = opened(
        kept.reserve(plan(ANNA), undressed)
            .await
            .expect("there is room"),
    );
    kept.put(room.clone()).await.expect("in memory");
    // One that she asked for on the page.
    let learnt = kept.learn(&rename(ANNA, "corner"), 1).await;
    assert_eq!((learnt, kept.habit(lobby, ANNA)), (Ok(()), None));

    let of_lobby = RoomRecord {
        lobby: Some(lobby),
        ..room
    };
    kept.put(of_lobby).await.expect("in memory");
    for (request, at) in [
        (rename(ANNA, "corner"), 2),
        (request(ANNA, limit), 3),
        // A moderator's doing is none of hers.
        (rename(BEN, "tidied up"), 4),
    ] {
        kept.learn(&request, at).await.expect("in memory");
    }
    let expected = LobbyHabit {
        guild_id: GUILD,
        lobby,
        user_id: ANNA,
        name: Some("corner".to_owned()),
        limit: Some(9),
        at: 3,
    };
    assert_eq!(kept.habit(lobby, ANNA), Some(expected.clone()));
    assert_eq!(kept.habit(lobby, BEN), None);
    let again = table(RoomSettings::default(), &store).await;
    assert_eq!(again.habit(lobby, ANNA), Some(expected));
}
