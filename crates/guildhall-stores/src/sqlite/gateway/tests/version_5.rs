//! `fixtures/journals/version-5.sqlite3` was written by a commit whose files have version 5, from
//! the same as [`version_1`]'s, three commands, and rooms.

use super::{
    commands::command,
    revocations::{revocations, revoke_everything},
    rooms::{kept, load},
    version_1, *,
};

#[tokio::test]
async fn a_file_of_version_5_has_all_that_was_written_and_goes_on() {
    let place = Place::of_version_5();
    assert_eq!(place.number("PRAGMA user_version"), 5);
    version_1::goes_on(place).await;
}

/// No row of the others is written anew for it. Nobody is signed out by it: no revocation was lost,
/// since none was ever kept.
#[tokio::test]
async fn a_file_of_version_5_takes_revocations_and_ends_no_session() {
    let place = Place::of_version_5();
    let questions = [
        "SELECT sum(sum % 1000003) FROM event",
        "SELECT sum(sum % 1000003) FROM command",
        "SELECT sum(sum % 1000003) FROM room",
        "SELECT sum(sum % 1000003) FROM room_invite",
    ];
    let before = questions.map(|question| place.number(question));
    let commands = Ok(vec![command(1), command(2), command(3)]);
    let journals = SqliteJournals::open(&place.path, "DATA_DIR").expect("is brought up to date");
    let nothing = RevocationStore::load(&journals, 77).await;
    assert_eq!(nothing, Ok(Vec::new()));
    assert_eq!(CommandJournal::load(&journals).await, commands);
    assert_eq!(load(&journals).await, kept());
    revoke_everything(&journals).await;
    drop(journals);

    assert_eq!(questions.map(|question| place.number(question)), before);
    let journals = SqliteJournals::open(&place.path, "DATA_DIR").expect("opens");
    let revoked = RevocationStore::load(&journals, 78).await;
    assert_eq!(revoked, Ok(revocations()));
    assert_eq!(load(&journals).await, kept());
    let log = journals.log(LogId(0), Fence(2)).load().await;
    assert_eq!(log, Ok(Some(version_1::written().await)));
}

#[test]
fn a_damaged_file_of_version_5_is_refused_and_left_as_it_is() {
    let forgeries = [
        ("DELETE FROM event WHERE place = 2", "table event"),
        ("DELETE FROM command WHERE id = 2", "table command"),
        ("DELETE FROM room WHERE number = 2", "table room"),
        ("UPDATE room_head SET last_number = 1", "table room_head"),
        ("UPDATE row_sum SET rows = rows + 1", "table row_sum"),
        // As if some of the migration had been done before.
        (
            "CREATE TABLE revoked_user (user_id)",
            "is not as it was made",
        ),
        (
            "INSERT INTO row_sum VALUES ('revoked_user', 0, 0)",
            "table row_sum",
        ),
    ];
    damage_is_refused(Place::of_version_5, &forgeries);
}
