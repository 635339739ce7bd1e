//! `fixtures/journals/version-4.sqlite3` was written by a commit whose files have version 4, from
//! the same as [`version_1`]'s and three commands.

use super::{
    commands::command,
    rooms::{everything, kept, load},
    version_1, *,
};

#[tokio::test]
async fn a_file_of_version_4_has_all_that_was_written_and_goes_on() {
    let place = Place::of_version_4();
    assert_eq!(place.number("PRAGMA user_version"), 4);
    version_1::goes_on(place).await;
}

/// No row of the others is written anew for it, and rooms are kept beside them.
#[tokio::test]
async fn a_file_of_version_4_takes_rooms() {
    let place = Place::of_version_4();
    let questions = [
        "SELECT sum(sum % 1000003) FROM event",
        "SELECT sum(sum % 1000003) FROM command",
    ];
    let before = questions.map(|question| place.number(question));
    let commands = Ok(vec![command(1), command(2), command(3)]);
    let journals = SqliteJournals::open(&place.path, "DATA_DIR").expect("is brought up to date");
    assert_eq!(CommandJournal::load(&journals).await, commands);
    assert_eq!(load(&journals).await.rooms, []);
    assert_eq!(journals.save(everything()).await, Ok(()));
    drop(journals);

    assert_eq!(questions.map(|question| place.number(question)), before);
    let journals = SqliteJournals::open(&place.path, "DATA_DIR").expect("opens");
    assert_eq!(load(&journals).await, kept());
    assert_eq!(CommandJournal::load(&journals).await, commands);
    let log = journals.log(LogId(0), Fence(2)).load().await;
    assert_eq!(log, Ok(Some(version_1::written().await)));
}

#[test]
fn a_damaged_file_of_version_4_is_refused_and_left_as_it_is() {
    let forgeries = [
        ("DELETE FROM event WHERE place = 2", "table event"),
        ("DELETE FROM command WHERE id = 2", "table command"),
        (
            "UPDATE command SET asked_at = asked_at + 1 WHERE id = 3",
            "table command",
        ),
        ("UPDATE row_sum SET rows = rows + 1", "table row_sum"),
        // As if some of the migration had been done before.
        ("CREATE TABLE room (number)", "is not as it was made"),
        ("INSERT INTO row_sum VALUES ('room', 0, 0)", "table row_sum"),
    ];
    damage_is_refused(Place::of_version_4, &forgeries);
}
