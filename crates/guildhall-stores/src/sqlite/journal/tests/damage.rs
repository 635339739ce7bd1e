use super::*;

/// Bytes that are changed, in each round somewhere else.
const ROUNDS: usize = 300;

/// A page in the write-ahead file, with its header.
const FRAME: usize = 24 + 4096;

#[tokio::test]
async fn a_file_that_was_cut_is_refused() {
    let whole = closed_bytes().await;
    let lengths = [1, 50, 99, 100, 511, 512, 4095, 4096, 4097];
    let last = [whole.len() - 4096, whole.len() - 1];
    for length in lengths.into_iter().chain(last) {
        let place = Place::new();
        fs::write(&place.path, &whole[..length]).expect("is written");
        place.refused().await;
    }
}

/// What a byte changes is either of no importance or found.
#[tokio::test]
async fn a_byte_that_changed_is_found_or_changes_nothing() {
    let whole = closed_bytes().await;
    let healthy = Place::new();
    fs::write(&healthy.path, &whole).expect("is written");
    let expected = load(&healthy.open()).await;

    let mut dice = Dice::new();
    let mut refused = 0;
    for _ in 0..ROUNDS {
        let place = Place::new();
        let mut bytes = whole.clone();
        let at = dice.below(bytes.len());
        bytes[at] ^= dice.any_but_zero();
        fs::write(&place.path, &bytes).expect("is written");
        if let Ok(journal) = opened(&place.path)
            && let Ok(saved) = journal.load().await
        {
            assert_eq!(
                saved,
                Some(expected.clone()),
                "byte {at} of {}",
                bytes.len()
            );
            continue;
        }
        fs::write(&place.path, &bytes).expect("is written");
        place.refused().await;
        refused += 1;
    }
    assert!(refused > ROUNDS / 8, "{refused}");
}

/// SQLite takes for a crash what begins to be wrong anywhere, and drops all that comes after.
#[tokio::test]
async fn of_the_file_beside_it_at_most_the_last_commit_is_lost() {
    let killed = Place::killed().await.files();
    let (before, expected) = {
        let place = Place::killed().await;
        let expected = load(&place.open()).await;
        let mut before = expected.clone();
        before.events.retain(|event| event.at.seq <= 36);
        before.head = start().at(36);
        before.state.heard_at = Some(36);
        (before, expected)
    };

    let mut dice = Dice::new();
    let (mut refused, mut last) = (0, 0);
    for _ in 0..ROUNDS {
        let place = Place::new();
        let mut files = killed.clone();
        let beside = files.get_mut("guildhall.db-wal").expect("is there");
        let at = dice.below(beside.len());
        beside[at] ^= dice.any_but_zero();
        place.put(&files);
        if let Ok(journal) = opened(&place.path)
            && let Ok(Some(saved)) = journal.load().await
        {
            last += usize::from(saved == before);
            assert!(
                saved == expected || saved == before,
                "byte {at}: {saved:#?}"
            );
            continue;
        }
        place.put(&files);
        place.refused().await;
        refused += 1;
    }
    assert!(refused > ROUNDS / 2, "{refused}");
    assert!(last > 0, "the last commit is as likely to be met as any");
}

/// Its header says how long it will be, and it is not yet: the rest is still beside it.
#[tokio::test]
async fn a_file_that_grew_when_its_process_was_killed_is_whole() {
    let alive = Place::new();
    let journal = alive.written().await;
    let many = commit(41, 300, Vec::new());
    journal.commit(many).await.expect("is at the head");
    let mut files = alive.files();
    drop(journal);
    let mut frames = files["guildhall.db-wal"][32..].chunks_exact(FRAME);
    let first_page = frames.rfind(|frame| frame[..4] == [0, 0, 0, 1]);
    let first_page = first_page.expect("is written by a commit that needs room")[24..].to_vec();
    let file = files.get_mut("guildhall.db").expect("is there");
    assert!(usize::from(first_page[31]) > file.len() / 4096, "it grows");
    file[..4096].copy_from_slice(&first_page);

    let place = Place::new();
    place.put(&files);
    assert_eq!(load(&place.open()).await.head, start().at(340));
}

/// It can be read, and the next commit would spoil it.
#[tokio::test]
async fn a_list_of_free_pages_that_is_wrong_is_found() {
    let place = Place::new();
    let mut bytes = closed_bytes().await;
    bytes[39] ^= 1;
    fs::write(&place.path, bytes).expect("is written");
    let sentence = place.refused().await;
    assert!(sentence.contains("Freelist"), "{sentence}");
}

/// A commit that was under way when the power went is not there, in whichever order the disk had
/// taken its pages.
#[tokio::test]
async fn a_commit_that_was_cut_short_was_never_there() {
    let killed = Place::killed().await.files();
    let whole = &killed["guildhall.db-wal"];
    let frames = 32 + FRAME..;
    let ends = frames.step_by(FRAME).take_while(|end| *end <= whole.len());
    let is_commit = |end: &usize| whole[end - FRAME + 4..end - FRAME + 8] != [0; 4];
    let commits: Vec<usize> = ends.filter(is_commit).collect();
    let [.., before, last] = commits[..] else {
        panic!("{commits:?}");
    };
    assert!(last - before > FRAME, "a commit of several pages");

    let mut cut: Vec<Vec<u8>> = [before, before + 1, before + FRAME, last - FRAME, last - 1]
        .map(|length| whole[..length].to_vec())
        .into();
    let mut torn = whole.clone();
    torn[before..before + FRAME].fill(0);
    cut.push(torn);
    for wal in cut {
        let place = Place::new();
        let mut files = killed.clone();
        files.insert("guildhall.db-wal".to_owned(), wal);
        place.put(&files);
        let journal = place.open();
        assert_eq!(load(&journal).await.head, start().at(36));
        let again = commit(37, 9, Vec::new());
        journal.commit(again).await.expect("goes on from there");
        drop(journal);
        assert_eq!(load(&place.open()).await.head, start().at(45));
    }
}

#[tokio::test]
async fn without_the_file_beside_it_it_is_refused() {
    let place = Place::killed().await;
    let beside = place.folder.path().join("guildhall.db-wal");
    fs::write(&beside, []).expect("is emptied");
    let sentence = place.refused().await;
    assert!(
        sentence.contains("guildhall.db-wal is missing or cut off"),
        "{sentence}"
    );

    let place = Place::killed().await;
    fs::remove_file(place.folder.path().join("guildhall.db-wal")).expect("is removed");
    let sentence = place.refused().await;
    assert!(
        sentence.contains("guildhall.db-wal is missing or cut off"),
        "{sentence}"
    );

    // And the other way round.
    let place = Place::killed().await;
    fs::write(&place.path, []).expect("is emptied");
    place.refused().await;
}

async fn closed_bytes() -> Vec<u8> {
    let place = Place::new();
    drop(place.written().await);
    place.files().remove("guildhall.db").expect("is there")
}

impl Place {
    fn put(&self, files: &BTreeMap<String, Vec<u8>>) {
        for (name, bytes) in files {
            fs::write(self.folder.path().join(name), bytes).expect("is written");
        }
    }
}

/// The same throws in each run.
struct Dice(TestRunner);

impl Dice {
    fn new() -> Self {
        Self(TestRunner::deterministic())
    }

    fn below(&mut self, end: usize) -> usize {
        let tree = (0..end).new_tree(&mut self.0);
        tree.expect("rejects nothing").current()
    }

    fn any_but_zero(&mut self) -> u8 {
        let tree = (1..=255_u8).new_tree(&mut self.0);
        tree.expect("rejects nothing").current()
    }
}
