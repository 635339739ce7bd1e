//! Commands, beside journals.

use std::sync::mpsc;

use guildhall_model::{
    ChannelId, UserId,
    command::{Command, CommandRequest},
};
use guildhall_ports::{CommandState, conformance};

use super::{
    beside::{
        a_table_of_before_is_refused, forgeries_are_named, journals, leaves_the_log_alone,
        sentence_of_refusal,
    },
    *,
};
use crate::sqlite::file::Checksum;

#[tokio::test]
async fn it_keeps_the_promises_of_its_port() {
    conformance::command_journal(|| {
        let place = Place::new();
        async move || Arc::new(journals(&place)) as Arc<dyn CommandJournal>
    })
    .await;
}

#[tokio::test]
async fn commands_and_logs_are_kept_apart_in_one_file() {
    let place = written().await;
    let journals = journals(&place);
    let change = async || assert_eq!(journals.forget(vec![2]).await, Ok(()));
    leaves_the_log_alone(&journals, change).await;
    let kept = CommandJournal::load(&journals).await;
    assert_eq!(kept, Ok(vec![command(1), command(3)]));
}

#[tokio::test]
async fn commands_that_are_missing_old_or_changed_are_refused_by_the_name_of_their_table() {
    let forgeries = [
        ("DELETE FROM command WHERE id = 2", "command"),
        ("DELETE FROM command", "command"),
        ("UPDATE command SET id = 9 WHERE id = 3", "command"),
        (
            "UPDATE command SET asked_at = asked_at + 1 WHERE id = 1",
            "command",
        ),
        (
            "UPDATE command SET request = replace(request, 'room', 'hall') WHERE id = 1",
            "command",
        ),
        (
            "UPDATE command SET state = replace(state, 'queued', 'waiting') WHERE id = 1",
            "command",
        ),
        (
            "INSERT INTO command SELECT 4, asked_at, request, state, sum FROM command WHERE id = 3",
            "command",
        ),
        ("DELETE FROM row_sum WHERE name = 'command'", "row_sum"),
        (
            "UPDATE row_sum SET rows = rows + 1 WHERE name = 'command'",
            "row_sum",
        ),
        ("ALTER TABLE command ADD COLUMN more INTEGER", "command"),
    ];
    forgeries_are_named(written, refused, &forgeries).await;
}

/// A page that the disk has not taken: all its rows are right, and of an hour ago.
#[tokio::test]
async fn commands_of_an_hour_ago_are_refused() {
    let change = async |journals: &SqliteJournals| {
        let settled = KeptCommand {
            state: CommandState::Waiting { until: 5 },
            ..command(2)
        };
        assert_eq!(journals.keep(settled).await, Ok(()));
    };
    a_table_of_before_is_refused(written().await, "command", change, refused).await;
}

/// Every row is as it was written, so whoever wrote it knew more.
#[tokio::test]
async fn a_command_that_this_build_does_not_know_is_refused_as_a_newer_ones() {
    for (column, value) in [
        (
            "request",
            r#"{"actor":"1","command":{"call":"paintRoom","guildId":"1"}}"#,
        ),
        ("state", r#"{"is":"halfDone"}"#),
    ] {
        let place = written().await;
        let forged = format!("UPDATE command SET {column} = '{value}' WHERE id = 3");
        place.forge(&forged);
        sum_again(&place);
        let sentence = refused(&place).await;
        let cure = "was written by a newer Guildhall (table command: row 3";
        assert!(sentence.contains(cure), "{sentence}");
    }
    let place = written().await;
    sum_again(&place);
    let kept = CommandJournal::load(&journals(&place)).await;
    assert_eq!(kept, Ok(vec![command(1), command(2), command(3)]));
}

#[tokio::test]
async fn its_table_can_be_read_by_hand() {
    let place = written().await;
    let connection = Connection::open(&place.path).expect("opens");
    let question = "SELECT id || ' ' || asked_at || ' ' || request || ' ' || state FROM command";
    let row = connection.query_row(question, [], |row| row.get::<_, String>(0));
    let expected = concat!(
        r#"1 1764300000001 {"actor":"5","key":"a key","command":{"call":"renameRoom","#,
        r#""guildId":"1","channelId":"7","name":"a room"}} {"is":"queued","due":1}"#
    );
    assert_eq!(row.as_deref(), Ok(expected));
}

/// And what may wait has a bound, far above the calls that the file's owner takes.
#[tokio::test]
async fn what_comes_while_the_disk_is_busy_is_one_transaction() {
    const MOST: u64 = 4_096;
    let place = Place::new();
    let journals = journals(&place);
    assert_eq!(journals.keep(command(0)).await, Ok(()));
    let (go_on, busy) = mpsc::sync_channel::<()>(0);
    let before = rows_written(&journals).await;
    let held = journals.owner.ask(move |_, _| {
        busy.recv()
            .expect_err("nothing comes until the other end is dropped");
        Ok(())
    });
    let kept: Vec<_> = (1..=MOST).map(|id| journals.keep(command(id))).collect();
    let refused = journals.keep(command(MOST + 1)).await;
    assert!(
        matches!(&refused, Err(JournalError::Failed(why)) if why.contains("slower")),
        "{refused:?}"
    );
    drop(go_on);
    held.await.expect("has waited");
    for kept in kept {
        assert_eq!(kept.await, Ok(()));
    }
    let written = rows_written(&journals).await - before;
    assert_eq!(written, MOST + 1, "each command, and the table's sum once");
    // There is room again.
    assert_eq!(journals.keep(command(MOST + 1)).await, Ok(()));
    let all = (0..=MOST + 1).map(command).collect();
    assert_eq!(CommandJournal::load(&journals).await, Ok(all));
}

async fn rows_written(journals: &SqliteJournals) -> u64 {
    let asked = journals.owner.ask(|database, _| {
        let question = "SELECT total_changes()";
        database.look(|connection| Ok(connection.query_row(question, [], |row| row.get(0))?))
    });
    let rows: i64 = asked.await.expect("is answered");
    rows.cast_unsigned()
}

/// A file with a log and three commands in it.
async fn written() -> Place {
    let place = Place::of_version_3();
    let journals = journals(&place);
    for id in 1..=3 {
        assert_eq!(journals.keep(command(id)).await, Ok(()));
    }
    drop(journals);
    place
}

pub(super) fn command(id: u64) -> KeptCommand {
    KeptCommand {
        id,
        request: CommandRequest {
            actor: UserId(5),
            key: Some("a key".to_owned()),
            command: Command::RenameRoom {
                guild_id: GuildId(1),
                channel_id: ChannelId(7),
                name: "a room".to_owned(),
            },
        },
        asked_at: 1_764_300_000_000 + id,
        state: CommandState::Queued { due: id },
    }
}

async fn refused(place: &Place) -> String {
    let store_refuses = async |journals: &SqliteJournals, error: &JournalError| {
        assert_eq!(CommandJournal::load(journals).await, Err(error.clone()));
        assert_eq!(journals.keep(command(7)).await, Err(error.clone()));
    };
    sentence_of_refusal(place, store_refuses).await
}

/// Rows as a Guildhall would have written them that has these values.
fn sum_again(place: &Place) {
    let connection = Connection::open(&place.path).expect("opens");
    let all = "SELECT id, asked_at, request, state FROM command";
    let mut select = connection.prepare(all).expect("is understood");
    let rows = select.query_map([], |row| row.try_into());
    let rows: Vec<(i64, i64, String, String)> = rows
        .expect("is answered")
        .collect::<Result<_, _>>()
        .expect("is read");
    let mut sums = 0_u64;
    for (id, asked_at, request, state) in rows {
        let place = Checksum::of("command").number(id.cast_unsigned());
        let place = place.number(asked_at.cast_unsigned());
        let sum = place.text(&request).text(&state).done();
        sums = sums.wrapping_add(sum);
        let put = "UPDATE command SET sum = ? WHERE id = ?";
        let put = connection.execute(put, [sum.cast_signed(), id]);
        assert_eq!(put, Ok(1));
    }
    let sum = Checksum::of("row_sum").text("command").number(sums).done();
    let put = "UPDATE row_sum SET rows = ?, sum = ? WHERE name = 'command'";
    let put = connection.execute(put, [sums.cast_signed(), sum.cast_signed()]);
    assert_eq!(put, Ok(1));
}
