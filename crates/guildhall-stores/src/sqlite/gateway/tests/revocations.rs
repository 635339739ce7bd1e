//! Revocations, beside journals, commands and rooms.

use guildhall_model::{SessionId, UserId};
use guildhall_ports::conformance;

use super::{
    beside::{
        a_table_of_before_is_refused, forgeries_are_named, journals, leaves_the_log_alone,
        sentence_of_refusal,
    },
    commands::command,
    rooms, *,
};

/// When a file begins here.
const BEGINNING: UnixMs = 1_764_300_000_000;

#[tokio::test]
async fn it_keeps_the_promises_of_its_port() {
    conformance::revocation_store(|| {
        let place = Place::new();
        async move || Arc::new(journals(&place)) as Arc<dyn RevocationStore>
    })
    .await;
}

#[tokio::test]
async fn revocations_rooms_commands_and_logs_are_kept_apart_in_one_file() {
    let place = written().await;
    let journals = journals(&place);
    let change = async || {
        let gone = vec![RevocationChange::UserGone(UserId(5))];
        assert_eq!(journals.record(gone).await, Ok(()));
        assert_eq!(rooms::load(&journals).await, rooms::kept());
        assert_eq!(journals.forget(vec![1, 2]).await, Ok(()));
    };
    leaves_the_log_alone(&journals, change).await;
    let commands = CommandJournal::load(&journals).await;
    assert_eq!(commands, Ok(vec![command(3)]));
    let mut expected = revocations();
    expected.retain(|it| !matches!(it, Revocation::User { user_id, .. } if *user_id == UserId(5)));
    let kept = RevocationStore::load(&journals, BEGINNING).await;
    assert_eq!(kept, Ok(expected));
}

#[tokio::test]
async fn revocations_that_are_missing_old_or_changed_are_refused_by_the_name_of_their_table() {
    let forgeries = [
        (
            "DELETE FROM revoked_session WHERE id = 'one'",
            "revoked_session",
        ),
        ("DELETE FROM revoked_session", "revoked_session"),
        (
            "UPDATE revoked_session SET id = 'three' WHERE id = 'two'",
            "revoked_session",
        ),
        (
            "UPDATE revoked_session SET ends_at = ends_at - 1",
            "revoked_session",
        ),
        ("UPDATE revoked_session SET user_id = 6", "revoked_session"),
        ("DELETE FROM revoked_user", "revoked_user"),
        (
            "UPDATE revoked_user SET user_id = 6 WHERE user_id = 5",
            "revoked_user",
        ),
        (
            "UPDATE revoked_user SET not_before = not_before - 1",
            "revoked_user",
        ),
        (
            "INSERT INTO revoked_user SELECT 7, not_before, sum FROM revoked_user",
            "revoked_user",
        ),
        // As if it had not begun yet: from now on all would be known.
        ("DELETE FROM revoked_head", "revoked_head"),
        ("UPDATE revoked_head SET not_before = 0", "revoked_head"),
        ("DELETE FROM row_sum WHERE name = 'revoked_user'", "row_sum"),
        (
            "ALTER TABLE revoked_user ADD COLUMN more INTEGER",
            "revoked_user",
        ),
    ];
    forgeries_are_named(written, refused, &forgeries).await;
}

/// A page that the disk has not taken: all its rows are right, and of an hour ago. Somebody who was
/// thrown out would be back.
#[tokio::test]
async fn revocations_of_an_hour_ago_are_refused() {
    let change = async |journals: &SqliteJournals| {
        let again = RevocationChange::Kept(user(BEGINNING + 99_999));
        let saved = journals.record(vec![again]).await;
        assert_eq!(saved, Ok(()));
    };
    a_table_of_before_is_refused(written().await, "revoked_user", change, refused).await;
}

#[tokio::test]
async fn its_tables_can_be_read_by_hand() {
    let place = written().await;
    let question = "SELECT ends_at FROM revoked_session WHERE id = 'two'";
    assert_eq!(place.number(question), 1_766_892_000_002);
    let question = "SELECT not_before FROM revoked_user WHERE user_id = 5";
    assert_eq!(place.number(question), 1_764_300_060_001);
    let question = "SELECT not_before FROM revoked_head";
    assert_eq!(place.number(question), 1_764_300_000_000);
}

/// A file with a log, commands, rooms and revocations in it.
async fn written() -> Place {
    let place = Place::of_version_5();
    revoke_everything(&journals(&place)).await;
    place
}

pub(super) async fn revoke_everything(journals: &SqliteJournals) {
    let changes = revocations().into_iter().map(RevocationChange::Kept);
    let saved = journals.record(changes.collect()).await;
    assert_eq!(saved, Ok(()));
}

/// Two sessions, a user and everybody, in ascending order.
pub(super) fn revocations() -> Vec<Revocation> {
    let session = |name: &str, number| Revocation::Session {
        id: SessionId::new(name.to_owned()),
        user_id: UserId(5),
        ends_at: BEGINNING + 2_592_000_000 + number,
    };
    vec![
        session("one", 1),
        session("two", 2),
        user(BEGINNING + 60_001),
        Revocation::Everybody {
            not_before: BEGINNING,
        },
    ]
}

fn user(not_before: UnixMs) -> Revocation {
    Revocation::User {
        user_id: UserId(5),
        not_before,
    }
}

async fn refused(place: &Place) -> String {
    let store_refuses = async |journals: &SqliteJournals, error: &JournalError| {
        let loaded = RevocationStore::load(journals, BEGINNING).await;
        assert_eq!(loaded, Err(error.clone()));
    };
    sentence_of_refusal(place, store_refuses).await
}
