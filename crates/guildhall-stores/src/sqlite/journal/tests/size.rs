//! How large the files get.

use std::collections::VecDeque;

use super::*;

/// What the log keeps in memory, in this test: its own is 64 MiB.
const WINDOW: usize = 8 << 20;
const LONG: usize = 100_000;

/// Renames of names so long that a few of them fill the window, with floors that rise as the
/// gateway's do: when half a window of evicted events is in the journal still.
#[tokio::test]
async fn long_events_do_not_make_the_file_many_times_what_the_log_holds() {
    let place = Place::new();
    let journal = place.open();
    let beginning = Beginning {
        start: start(),
        guilds: vec![(GuildId(1), guild(6))],
        state: State::default(),
    };
    journal.begin(beginning).await.expect("begins");
    let (mut kept, mut evicted) = (VecDeque::new(), 0);
    let mut most = 0;
    for seq in 1..=3_000_u64 {
        // Shorter ones between them, so that a round takes its time.
        let length = if seq % 2 == 0 { LONG } else { 40 };
        let mut bases = Vec::new();
        while kept.len() * LONG / 2 > WINDOW {
            evicted += 1;
            kept.pop_front();
        }
        if evicted * LONG / 2 > WINDOW / 2 {
            evicted = 0;
            let floor = kept.front().map_or(0, |oldest: &u64| oldest - 1);
            bases.push(base(1, floor, Some(guild(6))));
        }
        kept.push_back(seq);
        let commit = Commit {
            events: vec![Arc::new(renamed(seq, length))],
            state: Arc::new(State::default()),
            bases,
        };
        journal.commit(commit).await.expect("is kept");
        if seq % 50 == 0 {
            most = most.max(place.size());
        }
    }
    // 150 MB went through it.
    let bound = 3 * WINDOW as u64;
    assert!(most < bound, "{} KiB at most", most >> 10);
    drop(journal);
    assert!(load(&place.open()).await.events.len() as u64 >= kept.len() as u64);
}

impl Place {
    fn size(&self) -> u64 {
        let names = fs::read_dir(self.folder.path()).expect("is there");
        let sizes = names.map(|name| name.expect("readable").metadata().expect("is there").len());
        sizes.sum()
    }
}

fn renamed(seq: u64, length: usize) -> Envelope {
    let info = guildhall_model::world::GuildInfo {
        name: "n".repeat(length),
        icon: None,
    };
    Envelope {
        at: start().at(seq),
        event: Event {
            guild_id: GuildId(1),
            ts: 1_700_000_000_000 + seq,
            synthetic: false,
            change: Change::GuildUpdated(info),
        },
    }
}
