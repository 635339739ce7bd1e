//! `fixtures/journals/version-3.sqlite3` was written by a commit whose files have version 3, from
//! the same as [`version_1`]'s.

use super::{commands::command, version_1, *};

#[tokio::test]
async fn a_file_of_version_3_has_all_that_was_written_and_goes_on() {
    let place = Place::of_version_3();
    assert_eq!(place.number("PRAGMA user_version"), 3);
    version_1::goes_on(place).await;
}

/// Nothing of the journal is written anew for it, and commands are kept beside it.
#[tokio::test]
async fn a_file_of_version_3_takes_commands() {
    let place = Place::of_version_3();
    let question = "SELECT sum(sum % 1000003) FROM event";
    let before = place.number(question);
    let journals = SqliteJournals::open(&place.path, "DATA_DIR").expect("is brought up to date");
    let fence = journals.fence().await.expect("is read");
    assert_eq!(fence, Fence(2), "whoever wrote the file had the first");
    assert_eq!(CommandJournal::load(&journals).await, Ok(Vec::new()));
    let kept = journals.keep(command(1)).await;
    assert_eq!(kept, Ok(()));
    drop(journals);

    assert_eq!(place.number(question), before);
    let journals = SqliteJournals::open(&place.path, "DATA_DIR").expect("opens");
    assert_eq!(CommandJournal::load(&journals).await, Ok(vec![command(1)]));
    let log = journals.log(LogId(0), fence).load().await;
    assert_eq!(log, Ok(Some(version_1::written().await)));
}

#[test]
fn a_damaged_file_of_version_3_is_refused_and_left_as_it_is() {
    let forgeries = [
        ("DELETE FROM event WHERE place = 2", "table event"),
        (
            "UPDATE event SET ts = ts + 1 WHERE place = 60",
            "table event",
        ),
        ("DELETE FROM base WHERE guild_id = 2", "table base"),
        ("UPDATE base SET floor = floor + 1", "table base"),
        ("DELETE FROM head", "table head"),
        ("UPDATE head SET fence = fence + 1", "table head"),
        ("UPDATE row_sum SET rows = rows + 1", "table row_sum"),
        // As if some of the migration had been done before.
        ("CREATE TABLE command (id)", "is not as it was made"),
        (
            "INSERT INTO row_sum VALUES ('command', 0, 0)",
            "table row_sum",
        ),
    ];
    damage_is_refused(Place::of_version_3, &forgeries);
}
