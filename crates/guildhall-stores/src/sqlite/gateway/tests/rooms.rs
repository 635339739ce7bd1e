//! Rooms, beside journals and commands.

use guildhall_model::{ChannelId, UserId};
use guildhall_ports::{
    conformance,
    room_store::{InviteId, InviteRecord, LobbyHabit, RoomNumber, RoomPhase, RoomRecord},
};

use super::{
    beside::{
        a_table_of_before_is_refused, forgeries_are_named, journals, leaves_the_log_alone,
        sentence_of_refusal,
    },
    commands::command,
    *,
};
use crate::sqlite::file::Checksum;

#[tokio::test]
async fn it_keeps_the_promises_of_its_port() {
    conformance::room_store(|| {
        let place = Place::new();
        async move || Arc::new(journals(&place)) as Arc<dyn RoomStore>
    })
    .await;
}

#[tokio::test]
async fn rooms_commands_and_logs_are_kept_apart_in_one_file() {
    let place = written().await;
    let journals = journals(&place);
    let change = async || {
        let gone = vec![RoomChange::RoomGone(RoomNumber(2))];
        assert_eq!(journals.save(gone).await, Ok(()));
        assert_eq!(journals.forget(vec![1, 2]).await, Ok(()));
    };
    leaves_the_log_alone(&journals, change).await;
    let commands = CommandJournal::load(&journals).await;
    assert_eq!(commands, Ok(vec![command(3)]));
    let mut expected = kept();
    expected.rooms.remove(1);
    expected
        .invites
        .retain(|invite| invite.room != RoomNumber(2));
    assert_eq!(load(&journals).await, expected);
}

#[tokio::test]
async fn rooms_that_are_missing_old_or_changed_are_refused_by_the_name_of_their_table() {
    let forgeries = [
        ("DELETE FROM room WHERE number = 2", "room"),
        ("DELETE FROM room", "room"),
        ("UPDATE room SET number = 9 WHERE number = 3", "room"),
        (
            "UPDATE room SET record = replace(record, 'table', 'hall') WHERE number = 1",
            "room",
        ),
        (
            "INSERT INTO room SELECT 4, record, sum FROM room WHERE number = 3",
            "room",
        ),
        ("DELETE FROM room_invite WHERE room = 1", "room_invite"),
        (
            "UPDATE room_invite SET room = 3 WHERE room = 2",
            "room_invite",
        ),
        (
            "UPDATE room_invite SET id = '9' || substr(id, 2) WHERE room = 2",
            "room_invite",
        ),
        ("DELETE FROM lobby_habit", "lobby_habit"),
        (
            "UPDATE lobby_habit SET user_id = 9 WHERE user_id = 5",
            "lobby_habit",
        ),
        ("DELETE FROM room_head", "room_head"),
        ("UPDATE room_head SET last_number = 1", "room_head"),
        (
            "UPDATE room_head SET signing_key = '08' || substr(signing_key, 3)",
            "room_head",
        ),
        ("UPDATE room_head SET signing_key = 'no key'", "room_head"),
        ("UPDATE room_head SET signing_key = NULL", "room_head"),
        ("DELETE FROM row_sum WHERE name = 'room'", "row_sum"),
        ("ALTER TABLE room ADD COLUMN more INTEGER", "room"),
    ];
    forgeries_are_named(written, refused, &forgeries).await;
}

/// A page that the disk has not taken: all its rows are right, and of an hour ago. A seat that was
/// taken would be free again.
#[tokio::test]
async fn invites_of_an_hour_ago_are_refused() {
    let change = async |journals: &SqliteJournals| {
        let taken = InviteRecord {
            taken: vec![UserId(8)],
            ..invite(1)
        };
        assert_eq!(journals.save(vec![RoomChange::Invite(taken)]).await, Ok(()));
    };
    a_table_of_before_is_refused(written().await, "room_invite", change, refused).await;
}

/// Every row is as it was written, so whoever wrote it knew more.
#[tokio::test]
async fn a_room_that_this_build_does_not_know_is_refused_as_a_newer_ones() {
    let place = written().await;
    let connection = Connection::open(&place.path).expect("opens");
    let record = r#"{"number":3,"phase":{"is":"painting"}}"#;
    let (before, sum) = (
        connection.query_row("SELECT sum FROM room WHERE number = 3", [], |row| {
            row.get::<_, i64>(0)
        }),
        Checksum::of("room").number(3).text(record).done(),
    );
    let before = before.expect("is there").cast_unsigned();
    let put = "UPDATE room SET record = ?, sum = ? WHERE number = 3";
    let put = connection.execute(put, (record, sum.cast_signed()));
    assert_eq!(put, Ok(1));
    let rows = "SELECT rows FROM row_sum WHERE name = 'room'";
    let rows = connection.query_row(rows, [], |row| row.get::<_, i64>(0));
    let rows = rows.expect("is there").cast_unsigned();
    let rows = rows.wrapping_sub(before).wrapping_add(sum);
    let row_sum = Checksum::of("row_sum").text("room").number(rows).done();
    let put = "UPDATE row_sum SET rows = ?, sum = ? WHERE name = 'room'";
    let put = connection.execute(put, [rows.cast_signed(), row_sum.cast_signed()]);
    assert_eq!(put, Ok(1));
    drop(connection);
    let sentence = refused(&place).await;
    let cure = "was written by a newer Guildhall (table room: row 3";
    assert!(sentence.contains(cure), "{sentence}");
}

#[tokio::test]
async fn its_tables_can_be_read_by_hand() {
    let place = written().await;
    let connection = Connection::open(&place.path).expect("opens");
    let read = |question: &str| {
        let row = connection.query_row(question, [], |row| row.get::<_, String>(0));
        row.expect("is there")
    };
    let expected = concat!(
        r#"1 {"number":1,"guildId":"1","ownerId":"5","phase":{"is":"open","channelId":"101"},"#,
        r#""name":"a table","parentId":"8","limit":4,"private":true,"locked":false,"#,
        r#""hidden":false,"roleId":null,"mark":77,"lobby":null,"madeAt":1764300000000,"#,
        r#""command":9,"unsettled":false}"#
    );
    let question = "SELECT number || ' ' || record FROM room WHERE number = 1";
    assert_eq!(read(question), expected);
    let expected = concat!(
        r#"{"id":"01010101010101010101010101010101","room":1,"expiresAt":1764300086400,"#,
        r#""seats":3,"taken":["6","7"],"revoked":false}"#
    );
    let question = "SELECT record FROM room_invite WHERE room = 1";
    assert_eq!(read(question), expected);
    let expected = concat!(
        r#"{"guildId":"1","lobby":"40","userId":"5","name":"a corner","limit":null,"#,
        r#""at":1764300000000}"#
    );
    assert_eq!(read("SELECT record FROM lobby_habit"), expected);
}

/// The key that a store was first loaded with is in the file before it is answered.
#[tokio::test]
async fn the_key_of_invites_is_there_in_the_next_process() {
    let place = Place::new();
    let first = journals(&place);
    let kept = RoomStore::load(&first, SigningKey([7; 32])).await;
    assert_eq!(kept.map(|kept| kept.signing_key), Ok(SigningKey([7; 32])));
    drop(first);
    let kept = RoomStore::load(&journals(&place), SigningKey([8; 32])).await;
    assert_eq!(kept.map(|kept| kept.signing_key), Ok(SigningKey([7; 32])));
}

pub(super) async fn load(journals: &SqliteJournals) -> KeptRooms {
    let kept = RoomStore::load(journals, SigningKey([7; 32])).await;
    kept.expect("is read")
}

/// A file with a log, commands and rooms in it.
async fn written() -> Place {
    let place = Place::of_version_4();
    let journals = journals(&place);
    load(&journals).await;
    assert_eq!(journals.save(everything()).await, Ok(()));
    drop(journals);
    place
}

/// Three rooms, an invite to two of them, and a habit.
pub(super) fn everything() -> Vec<RoomChange> {
    let kept = kept();
    let rooms = kept.rooms.into_iter().map(RoomChange::Room);
    let invites = kept.invites.into_iter().map(RoomChange::Invite);
    let habits = kept.habits.into_iter().map(RoomChange::Habit);
    rooms.chain(invites).chain(habits).collect()
}

pub(super) fn kept() -> KeptRooms {
    KeptRooms {
        signing_key: SigningKey([7; 32]),
        last_number: RoomNumber(3),
        rooms: [1, 2, 3].map(room).to_vec(),
        invites: [1, 2].map(invite).to_vec(),
        habits: vec![LobbyHabit {
            guild_id: GuildId(1),
            lobby: ChannelId(40),
            user_id: UserId(5),
            name: Some("a corner".to_owned()),
            limit: None,
            at: 1_764_300_000_000,
        }],
    }
}

fn room(number: u64) -> RoomRecord {
    RoomRecord {
        number: RoomNumber(number),
        guild_id: GuildId(1),
        owner_id: UserId(5),
        phase: RoomPhase::Open {
            channel_id: ChannelId(100 + number),
        },
        name: "a table".to_owned(),
        parent_id: Some(ChannelId(8)),
        limit: 4,
        private: true,
        locked: false,
        hidden: false,
        role_id: None,
        mark: 77,
        overwrites: Vec::new(),
        before: Vec::new(),
        set_aside: Vec::new(),
        lobby: None,
        made_at: 1_764_300_000_000,
        command: Some(9),
        unsettled: false,
        late_until: None,
    }
}

fn invite(number: u8) -> InviteRecord {
    InviteRecord {
        id: InviteId([number; 16]),
        room: RoomNumber(number.into()),
        expires_at: 1_764_300_086_400,
        seats: Some(3),
        taken: vec![UserId(6), UserId(7)],
        revoked: false,
    }
}

async fn refused(place: &Place) -> String {
    let store_refuses = async |journals: &SqliteJournals, error: &JournalError| {
        let loaded = RoomStore::load(journals, SigningKey([7; 32])).await;
        assert_eq!(loaded, Err(error.clone()));
        assert_eq!(journals.save(everything()).await, Err(error.clone()));
    };
    sentence_of_refusal(place, store_refuses).await
}
