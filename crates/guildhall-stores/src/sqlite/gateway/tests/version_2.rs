//! `fixtures/journals/version-2.sqlite3` was written by a commit whose files have version 2, from
//! the same as [`version_1`]'s.

use guildhall_model::{Position, SealedEvent};
use guildhall_ports::memory::MemoryJournals;

use super::{version_1, *};
use crate::sqlite::file::Checksum;

#[tokio::test]
async fn a_file_of_version_2_has_all_that_was_written_and_goes_on() {
    let place = Place::of_version_2();
    assert_eq!(place.number("PRAGMA user_version"), 2);
    version_1::goes_on(place).await;
}

/// Its one log becomes one of several, and others begin beside it.
#[tokio::test]
async fn a_file_of_version_2_takes_further_logs() {
    let place = Place::of_version_2();
    let journals = SqliteJournals::open(&place.path, "DATA_DIR").expect("is brought up to date");
    let fence = journals.fence().await.expect("is read");
    assert_eq!(fence, Fence(1), "whoever wrote the file had none");
    let other = journals.log(LogId(5), fence);
    assert_eq!(other.load().await, Ok(None));
    let mut new_epoch = version_1::new_epoch();
    new_epoch.start.log = LogId(5);
    other.begin(new_epoch.clone()).await.expect("begins");
    let expected = Some(version_1::written().await);
    let first = journals.log(LogId(0), fence);
    assert_eq!(first.load().await, Ok(expected.clone()));
    drop((journals, other, first));

    let journals = SqliteJournals::open(&place.path, "DATA_DIR").expect("opens");
    let fence = journals.fence().await.expect("is read");
    assert_eq!(fence, Fence(2));
    assert_eq!(journals.log(LogId(0), fence).load().await, Ok(expected));
    let reference = MemoryJournals::default().journal(LogId(5), fence);
    reference.begin(new_epoch).await.expect("begins");
    let other = journals.log(LogId(5), fence).load().await;
    assert_eq!(other, reference.load().await);
}

/// No gateway ever wrote one, and the format had room for it.
#[tokio::test]
async fn a_file_of_version_2_whose_log_has_another_number_keeps_it() {
    let place = Place::of_version_2();
    let connection = Connection::open(&place.path).expect("opens");
    let (epoch, seq, format, state): (i64, i64, u32, String) = connection
        .query_row(
            "SELECT epoch, seq, world_format, state FROM head",
            [],
            |row| row.try_into(),
        )
        .expect("is there");
    let log = LogId(40_000);
    let at = Position::start(log, epoch.cast_unsigned()).at(seq.cast_unsigned());
    let head = Checksum::of("head").number(log.0.into());
    let head = head.number(at.epoch).number(at.seq);
    let sum = head.number(format.into()).text(&state).done();
    connection
        .execute(
            "UPDATE head SET log = ?, sum = ?",
            (log.0, sum.cast_signed()),
        )
        .expect("is put");
    let row_sum = Checksum::of("row_sum").text("head").number(sum).done();
    connection
        .execute(
            "UPDATE row_sum SET rows = ?, sum = ? WHERE name = 'head'",
            (sum.cast_signed(), row_sum.cast_signed()),
        )
        .expect("is put");
    drop(connection);

    let journals = SqliteJournals::open(&place.path, "DATA_DIR").expect("is brought up to date");
    let mut expected = version_1::written().await;
    expected.head.log = log;
    let moved = |event: &SealedEvent| {
        let mut envelope = event.clone().into_envelope();
        envelope.at.log = log;
        SealedEvent::new(envelope)
    };
    expected.events = expected.events.iter().map(moved).collect();
    assert_eq!(journals.log(log, FENCE).load().await, Ok(Some(expected)));
    assert_eq!(journals.log(LogId(0), FENCE).load().await, Ok(None));
}

#[test]
fn a_damaged_file_of_version_2_is_refused_and_left_as_it_is() {
    let forgeries = [
        ("DELETE FROM event WHERE seq = 2", "table event"),
        ("UPDATE event SET ts = ts + 1 WHERE seq = 60", "table event"),
        ("DELETE FROM base WHERE guild_id = 2", "table base"),
        ("UPDATE base SET floor = floor + 1", "table base"),
        ("DELETE FROM head", "table head"),
        ("UPDATE head SET seq = seq + 1", "table head"),
        ("UPDATE row_sum SET rows = rows + 1", "table row_sum"),
        ("CREATE TABLE yet_another (name)", "table too many"),
    ];
    damage_is_refused(Place::of_version_2, &forgeries);
}
