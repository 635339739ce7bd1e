use super::*;
use crate::sqlite::{
    file::Checksum,
    journal::checksum::{base_checksum, event_checksum, head_checksum},
};

#[tokio::test]
async fn what_is_no_database_is_refused() {
    for text in [
        &b"hello"[..],
        &[0; 100],
        &[0; 8192],
        &b"SQLite format 3"[..],
    ] {
        let place = Place::new();
        fs::write(&place.path, text).expect("is written");
        let sentence = place.refused().await;
        assert!(
            sentence.contains("is no journal of Guildhall's"),
            "{sentence}"
        );
        assert!(sentence.contains("choose another DATA_DIR"), "{sentence}");
    }
}

#[tokio::test]
async fn another_programs_database_is_refused() {
    let sql = "CREATE TABLE users (name); INSERT INTO users VALUES ('somebody');";
    for mode in ["delete", "wal"] {
        let place = Place::new();
        place.forge(&format!("PRAGMA journal_mode={mode}; {sql}"));
        let sentence = place.refused().await;
        assert!(sentence.contains("another program's"), "{sentence}");
    }
    let place = Place::new();
    drop(place.written().await);
    place.forge("PRAGMA application_id=42");
    let sentence = place.refused().await;
    assert!(sentence.contains("another program's"), "{sentence}");
}

/// SQLite itself would finish or take back what its writer had begun.
#[tokio::test]
async fn another_programs_database_whose_process_was_killed_is_left_as_it_is() {
    for mode in ["truncate", "wal"] {
        let (alive, dead) = (Place::new(), Place::new());
        let connection = Connection::open(&alive.path).expect("opens");
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode={mode}; CREATE TABLE users (name);
                 PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN;
                 INSERT INTO users SELECT hex(zeroblob(3000)) FROM
                 (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9))"
            ))
            .expect("is done");
        let files = alive.files();
        let beside = files
            .iter()
            .filter(|(name, bytes)| name.contains(".db-") && !bytes.is_empty());
        assert!(beside.count() > 0, "{mode}: {:?}", sizes(&files));
        for (name, bytes) in files {
            fs::write(dead.folder.path().join(name), bytes).expect("is written");
        }
        let sentence = dead.refused().await;
        assert!(sentence.contains("another program's"), "{sentence}");
    }
}

#[tokio::test]
async fn a_journal_of_the_world_format_before_is_read() {
    let place = closed().await;
    place.forge(
        "UPDATE head SET world_format = 1;
         UPDATE base SET world = json_remove(world, '$.pendingVoice')",
    );
    place.sum_again();
    let journal = place.open();
    assert_eq!(load(&journal).await.head, start().at(40));
    journal
        .commit(commit(41, 1, Vec::new()))
        .await
        .expect("goes on");
}

#[tokio::test]
async fn a_newer_journal_is_refused() {
    for place in [closed().await, Place::killed().await] {
        place.forge("PRAGMA user_version=1000");
        let sentence = place.refused().await;
        let cure = "update Guildhall, or choose another DATA_DIR";
        assert!(
            sentence.contains("newer Guildhall") && sentence.contains(cure),
            "{sentence}"
        );
    }
    let place = closed().await;
    place.forge("UPDATE head SET world_format = world_format + 1");
    place.sum_again();
    let sentence = place.refused().await;
    assert!(sentence.contains("newer Guildhall"), "{sentence}");

    // The link takes this for an event that it does not know.
    let place = closed().await;
    place.forge("UPDATE event SET name = 'room.painted' WHERE place = 40");
    place.sum_again();
    let sentence = place.refused().await;
    assert!(sentence.contains("newer Guildhall"), "{sentence}");
    assert!(sentence.contains("room.painted"), "{sentence}");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    for sql in [
        "UPDATE event SET payload = '{}' WHERE place = 40",
        "UPDATE event SET ts = ts + 1 WHERE place = 40",
        "UPDATE event SET guild_id = 9 WHERE place = 40",
        "UPDATE base SET world = '{}' WHERE guild_id = 1",
        "UPDATE head SET state = '[' WHERE log = 0",
        "UPDATE head SET log = 70000",
        "UPDATE head SET log = -1",
    ] {
        let place = closed().await;
        place.forge(sql);
        place.sum_again();
        let sentence = place.refused().await;
        assert!(sentence.contains("is damaged"), "{sql}: {sentence}");
    }
}

#[tokio::test]
async fn a_log_with_a_hole_is_refused() {
    for sql in [
        "DELETE FROM event WHERE place = 40",
        "DELETE FROM event WHERE place = 30",
        "DELETE FROM event",
        "UPDATE event SET place = 41 WHERE place = 40",
        "UPDATE head SET seq = 39",
        "UPDATE head SET seq = 41",
        "UPDATE base SET floor = 41 WHERE guild_id = 1",
        "DELETE FROM head",
        "DELETE FROM head; DELETE FROM event",
        "DELETE FROM head; DELETE FROM base",
        "UPDATE head SET log = 1",
        "UPDATE base SET log = 1 WHERE guild_id = 3",
        "UPDATE event SET place = place + (1 << 48) WHERE place = 40",
    ] {
        let place = closed().await;
        place.forge(sql);
        place.sum_again();
        let sentence = place.refused().await;
        assert!(sentence.contains("is damaged"), "{sql}: {sentence}");
    }
}

/// Nothing else would tell: each row that is there is right.
#[tokio::test]
async fn a_row_that_is_missing_old_or_too_many_is_refused_by_the_name_of_its_table() {
    for (sql, table) in [
        ("DELETE FROM event WHERE place = 2", "event"),
        ("DELETE FROM event WHERE place = 40", "event"),
        ("UPDATE event SET place = 0 WHERE place = 19", "event"),
        (
            "UPDATE event SET payload = replace(payload, '7', '8') WHERE place = 40",
            "event",
        ),
        ("DELETE FROM base WHERE guild_id = 3", "base"),
        (
            "INSERT INTO base SELECT log, 99, floor, world, sum FROM base WHERE guild_id = 3",
            "base",
        ),
        ("DELETE FROM head", "head"),
        ("UPDATE head SET epoch = epoch + 1", "head"),
        ("UPDATE head SET fence = fence + 1", "head"),
        ("UPDATE base SET log = 1 WHERE guild_id = 3", "base"),
        ("DELETE FROM row_sum WHERE name = 'event'", "row_sum"),
        ("UPDATE row_sum SET rows = rows + 1", "row_sum"),
        (
            "UPDATE row_sum SET name = 'rooms' WHERE name = 'head'",
            "row_sum",
        ),
        ("INSERT INTO row_sum VALUES ('rooms', 0, 0)", "row_sum"),
    ] {
        let place = closed().await;
        place.forge(sql);
        let sentence = place.refused().await;
        let named = format!("is damaged (table {table}");
        assert!(sentence.contains(&named), "{sql}: {sentence}");
    }
}

/// A page that the disk has not taken: all its rows are right, and of an hour ago.
#[tokio::test]
async fn rows_that_are_older_than_the_others_are_refused_by_the_name_of_their_table() {
    for table in ["base", "event", "head"] {
        let place = Place::new();
        drop(place.written().await);
        let kept = Place::new();
        fs::copy(&place.path, &kept.path).expect("is copied");
        let journal = place.open();
        let bases = vec![base(2, 30, Some(guild(8)))];
        journal.commit(commit(41, 4, bases)).await.expect("fits");
        drop(journal);
        place.forge(&format!(
            "ATTACH '{}' AS old;
             DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM old.{table}",
            kept.path.display()
        ));
        let sentence = place.refused().await;
        let named = format!("table {table}: a row is missing, old or too many");
        assert!(sentence.contains(&named), "{sentence}");
    }
}

#[tokio::test]
async fn tables_that_are_not_as_they_were_made_are_refused() {
    for sql in [
        "CREATE TABLE more (a)",
        "DROP TABLE base",
        "ALTER TABLE event ADD COLUMN more INTEGER",
        "CREATE TRIGGER gone AFTER INSERT ON event BEGIN DELETE FROM event; END",
        "CREATE INDEX names ON event (name)",
        "PRAGMA user_version=0",
        "UPDATE writer SET open = 7",
        "DELETE FROM writer",
    ] {
        let place = closed().await;
        place.forge(sql);
        let sentence = place.refused().await;
        assert!(sentence.contains("is damaged"), "{sql}: {sentence}");
    }
}

#[tokio::test]
async fn a_place_that_is_none_is_refused() {
    let place = Place::new();
    let path = place.folder.path().join("not there").join("guildhall.db");
    let refused = opened(&path).expect_err("is refused");
    assert!(
        matches!(&refused, JournalError::Refused(why) if why.contains("its folder is not there"))
    );

    fs::create_dir(&place.path).expect("a folder of that name");
    let refused = opened(&place.path).expect_err("is refused");
    assert!(matches!(refused, JournalError::Refused(_)), "{refused:?}");
    assert!(
        fs::read_dir(&place.path)
            .expect("is there")
            .next()
            .is_none()
    );
}

#[tokio::test]
async fn a_journal_that_was_never_begun_is_no_damage() {
    let place = Place::new();
    for _ in 0..3 {
        assert_eq!(place.open().load().await, Ok(None));
    }
    // Its process was killed before it had written anything.
    fs::write(&place.path, []).expect("is emptied");
    assert_eq!(place.open().load().await, Ok(None));
}

async fn closed() -> Place {
    let place = Place::new();
    drop(place.written().await);
    place
}

impl Place {
    /// Rows as a Guildhall would have written them that has these values.
    fn sum_again(&self) {
        let connection = Connection::open(&self.path).expect("opens");
        let id: i32 = connection
            .query_row("PRAGMA application_id", [], |row| row.get(0))
            .expect("has one");
        assert_eq!(id, 0x4775_6c64, "Guld");
        for (table, rows) in [
            ("event", sum_events(&connection)),
            ("base", sum_bases(&connection)),
            ("head", sum_head(&connection)),
        ] {
            let sum = Checksum::of("row_sum").text(table).number(rows).done();
            let put = "UPDATE row_sum SET rows = ?, sum = ? WHERE name = ?";
            let row = (rows.cast_signed(), sum.cast_signed(), table);
            connection.execute(put, row).expect("is put");
        }
    }
}

fn sum_events(connection: &Connection) -> u64 {
    type Row = (i64, i64, i64, String, String);
    let select = "SELECT place, guild_id, ts, name, payload FROM event";
    let rows: Vec<Row> = all(connection, select, |row| row.try_into());
    let mut sums = 0_u64;
    for (seq, guild_id, ts, name, payload) in rows {
        let guild = GuildId(guild_id.cast_unsigned());
        let (number, ts) = (seq.cast_unsigned(), ts.cast_unsigned());
        let sum = event_checksum(number, guild, ts, &name, &payload);
        sums = sums.wrapping_add(sum);
        let put = "UPDATE event SET sum = ? WHERE place = ?";
        let put = connection.execute(put, [sum.cast_signed(), seq]);
        put.expect("is put");
    }
    sums
}

fn sum_bases(connection: &Connection) -> u64 {
    type Row = (u16, i64, i64, Option<String>);
    let select = "SELECT log, guild_id, floor, world FROM base";
    let rows: Vec<Row> = all(connection, select, |row| row.try_into());
    let mut sums = 0_u64;
    for (log, id, floor, world) in rows {
        let guild_id = GuildId(id.cast_unsigned());
        let floor = floor.cast_unsigned();
        let sum = base_checksum(LogId(log), guild_id, floor, world.as_deref());
        sums = sums.wrapping_add(sum);
        let put = "UPDATE base SET sum = ? WHERE guild_id = ?";
        let put = connection.execute(put, [sum.cast_signed(), id]);
        put.expect("is put");
    }
    sums
}

fn sum_head(connection: &Connection) -> u64 {
    type Row = (i64, i64, i64, i64, u32, String);
    let select = "SELECT log, epoch, seq, fence, world_format, state FROM head";
    let rows: Vec<Row> = all(connection, select, |row| row.try_into());
    let mut sums = 0_u64;
    for (log, epoch, seq, fence, format, state) in rows {
        let Ok(log) = u16::try_from(log) else {
            continue;
        };
        let at = Position {
            log: LogId(log),
            epoch: epoch.cast_unsigned(),
            seq: seq.cast_unsigned(),
        };
        let sum = head_checksum(at, Fence(fence.cast_unsigned()), format, &state);
        sums = sums.wrapping_add(sum);
        let put = connection.execute("UPDATE head SET sum = ?", [sum.cast_signed()]);
        put.expect("is put");
    }
    sums
}

fn all<T>(
    connection: &Connection,
    question: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = connection.prepare(question).expect("is understood");
    let rows = statement.query_map([], read).expect("is answered");
    rows.map(|row| row.expect("is read")).collect()
}
