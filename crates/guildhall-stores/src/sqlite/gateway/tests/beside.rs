//! What each store beside the log is tried with, whichever it is.

use super::{version_1, *};

pub(super) fn journals(place: &Place) -> SqliteJournals {
    SqliteJournals::open(&place.path, "DATA_DIR").expect("opens")
}

/// What is done to the ones changes nothing of the others: neither of the log, nor by the log's new
/// beginning.
pub(super) async fn leaves_the_log_alone(journals: &SqliteJournals, change: impl AsyncFnOnce()) {
    let log = journals.log(LogId(0), Fence(9));
    let before = log.load().await;
    assert!(matches!(before, Ok(Some(_))), "{before:?}");
    change().await;
    assert_eq!(log.load().await, before);
    log.begin(next_epoch()).await.expect("begins");
}

/// Each of these is refused by the name of its table.
pub(super) async fn forgeries_are_named(
    written: impl AsyncFn() -> Place,
    refused: impl AsyncFn(&Place) -> String,
    forgeries: &[(&str, &str)],
) {
    for (sql, table) in forgeries {
        let place = written().await;
        place.forge(sql);
        let sentence = refused(&place).await;
        let named = format!("is damaged (table {table}");
        assert!(sentence.contains(&named), "{sql}: {sentence}");
    }
}

/// A page that the disk has not taken: all rows of a table are right, and of before a change.
pub(super) async fn a_table_of_before_is_refused(
    place: Place,
    table: &str,
    change: impl AsyncFnOnce(&SqliteJournals),
    refused: impl AsyncFn(&Place) -> String,
) {
    let old = Place::new();
    fs::copy(&place.path, &old.path).expect("is copied");
    let journals = journals(&place);
    change(&journals).await;
    drop(journals);
    place.forge(&format!(
        "ATTACH '{}' AS old; DELETE FROM main.{table};
         INSERT INTO main.{table} SELECT * FROM old.{table}",
        old.path.display()
    ));
    let sentence = refused(&place).await;
    let named = format!("table {table}: a row is missing, old or too many");
    assert!(sentence.contains(&named), "{sentence}");
}

/// The sentence with which a file is refused: when it is opened, or by its log before that is written
/// to, and by the store in the same words. It is left as it was.
pub(super) async fn sentence_of_refusal(
    place: &Place,
    store_refuses: impl AsyncFnOnce(&SqliteJournals, &JournalError),
) -> String {
    let before = place.files();
    let error = match SqliteJournals::open(&place.path, "DATA_DIR") {
        Err(error) => error,
        Ok(journals) => {
            let log = journals.log(LogId(0), Fence(9));
            log.load().await.expect("nothing is wrong with it");
            let error = log.begin(next_epoch()).await.expect_err("is refused");
            store_refuses(&journals, &error).await;
            error
        }
    };
    assert!(place.files() == before, "it is as it was");
    assert!(matches!(error, JournalError::Refused(_)), "{error:?}");
    error.to_string()
}

fn next_epoch() -> NewEpoch {
    let mut next = version_1::new_epoch();
    next.start.epoch += 1;
    next
}
