use super::*;
use crate::sqlite::gateway::MODULES;

/// The gateway's file, and no thread.
struct Opened {
    database: Database,
    journal: Store,
}

#[tokio::test]
async fn a_full_disk_fails_the_commit_and_nothing_is_half_done() {
    let place = Place::new();
    drop(place.written().await);
    let mut opened = Opened::at(&place);
    let before = opened.load().expect("is read");
    opened.commit(&commit(41, 1, Vec::new())).expect("has room");
    let one_more = opened.load().expect("is read");
    assert_ne!(one_more, before);

    let pages = opened.number("PRAGMA page_count");
    opened.number(&format!("PRAGMA max_page_count={pages}"));
    let many = commit(42, 512, vec![base(3, 30, None)]);
    let error = opened.commit(&many).expect_err("has no room");
    assert!(
        matches!(&error, FileError::Failed(why) if why.contains("full")),
        "{error:?}"
    );
    assert_eq!(opened.load(), Ok(one_more.clone()));
    opened.close();

    // Nothing is wrong with it, and when there is room again it goes on.
    let mut opened = Opened::at(&place);
    assert_eq!(opened.load(), Ok(one_more));
    opened.number(&format!("PRAGMA max_page_count={pages}"));
    opened.commit(&many).expect_err("has no room");
    opened.number("PRAGMA max_page_count=1000000");
    opened.commit(&many).expect("has room");
    let head = opened.load().expect("is read").expect("was begun").head;
    assert_eq!(head, start().at(41 + 512));
    opened.close();
}

/// A disk that failed once may say that it has what it has not.
#[tokio::test]
async fn after_an_error_of_the_disk_nothing_is_written_any_more() {
    let place = Place::killed().await;
    let mut opened = Opened::at(&place);
    opened
        .commit(&commit(41, 1, Vec::new()))
        .expect("is at the head");
    let connection = opened.database.connection();
    let small = connection.execute_batch("PRAGMA cache_size=1");
    small.expect("is done");
    connection.release_memory().expect("is released");
    let beside = place.folder.path().join("guildhall.db-wal");
    let whole = fs::read(&beside).expect("is read");
    fs::write(&beside, []).expect("is emptied");

    let error = opened
        .commit(&commit(42, 1, Vec::new()))
        .expect_err("fails");
    assert!(matches!(error, FileError::Failed(_)), "{error:?}");
    fs::write(&beside, whole).expect("is as before");
    assert_eq!(
        opened.commit(&commit(42, 1, Vec::new())),
        Err(error.clone())
    );
    assert_eq!(opened.load(), Err(error));
    opened.close();
    assert_eq!(load(&place.open()).await.head, start().at(41));
}

/// A busy log with windows on it: what is needed no more makes room for what comes.
#[test]
fn the_file_does_not_grow_without_end() {
    // The windows of so many of the three guilds are moved on, by turns.
    for (window, guilds) in [(100, 3), (100, 2), (900, 2), (3000, 3)] {
        let place = Place::new();
        let mut opened = begun(&place);
        for first in (1..12_000_u64).step_by(100) {
            let floor = (first - 1).saturating_sub(window);
            let bases = match first / 100 % guilds {
                _ if floor == 0 => Vec::new(),
                turn => vec![base(turn + 1, floor, None)],
            };
            let commit = commit(first, 100, bases);
            opened.commit(&commit).expect("is at the head");
            let rows = opened.number("SELECT count(*) FROM event");
            let needed = window + guilds * 100 + (3 - guilds) * first / 3;
            let most = needed * 3 / 2 + 1024;
            assert!(
                rows.cast_unsigned() < most,
                "{rows} rows where {needed} are needed"
            );
        }
        let free = opened.number("PRAGMA freelist_count");
        let pages = opened.number("PRAGMA page_count");
        assert!(free < pages / 2, "{free} of {pages} pages are free");

        let beside = place.folder.path().join("guildhall.db-wal");
        let beside = fs::metadata(beside).expect("is there").len();
        assert!(beside < 8 << 20, "{beside}");
        let saved = opened.load().expect("is read").expect("was begun");
        let mut kept: BTreeMap<u64, u64> = (1..=12_000).map(|seq| (seq, seq % 3 + 1)).collect();
        for base in &saved.bases {
            kept.retain(|seq, guild| GuildId(*guild) != base.guild_id || *seq > base.floor);
        }
        let loaded = saved.events.iter().map(|event| event.at.seq);
        assert!(loaded.eq(kept.into_keys()));
        opened.close();
    }
}

#[test]
fn what_is_swept_out_is_what_is_needed_no_more() {
    let place = Place::new();
    let mut opened = begun(&place);
    opened.commit(&commit(1, 3000, Vec::new())).expect("fits");
    let bases = vec![base(1, 1500, None), base(2, 2001, None)];
    opened.commit(&commit(3001, 1, bases)).expect("fits");
    // So many that every row is looked at.
    for first in (3002..6000).step_by(100) {
        opened
            .commit(&commit(first, 100, Vec::new()))
            .expect("fits");
    }
    let floor = [1500, 2001, 0];
    for (id, floor) in (1..=3).zip(floor) {
        let below =
            format!("SELECT count(*) FROM event WHERE guild_id = {id} AND place <= {floor}");
        assert_eq!(opened.number(&below), 0);
        let above = format!("SELECT count(*) FROM event WHERE guild_id = {id} AND place > {floor}");
        let expected = (1..=6001).filter(|seq| seq % 3 + 1 == id && *seq > floor);
        assert_eq!(usize::try_from(opened.number(&above)), Ok(expected.count()));
    }
    opened.load().expect("is as it should be");
    opened.close();
}

fn begun(place: &Place) -> Opened {
    let mut opened = Opened::at(place);
    let new_epoch = NewEpoch {
        start: start(),
        guilds: Vec::new(),
        state: JournalState::default(),
    };
    let begun = opened
        .journal
        .begin(&mut opened.database, LogId(0), Fence(1), &new_epoch);
    begun.expect("begins");
    opened
}

impl Opened {
    fn at(place: &Place) -> Self {
        let database = Database::open(&place.path, "DATA_DIR", MODULES).expect("opens");
        let journal = Store::asking_beyond(Surplus::LEAST);
        Self { database, journal }
    }

    fn load(&mut self) -> Result<Option<JournalContents>, FileError> {
        self.journal.load(&mut self.database, LogId(0))
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), FileError> {
        self.journal
            .commit(&mut self.database, LogId(0), Fence(1), commit)
            .map(drop)
    }

    fn close(self) {
        self.database.close();
    }

    fn number(&self, question: &str) -> i64 {
        let connection = self.database.connection();
        let answer = connection.query_row(question, [], |row| row.get(0));
        answer.expect("is answered")
    }
}
