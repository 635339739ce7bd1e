//! How large the files get.

use std::collections::VecDeque;

use guildhall_model::event::Window;
use guildhall_ports::journal::Floor;

use super::*;

/// What the log keeps in memory, in this test: its own is 64 MiB.
const WINDOW: usize = 8 << 20;

/// An eighth of that is never worth a base.
const LEAST: Amount = Amount {
    events: 4_096,
    bytes: WINDOW / 8,
};

/// Renames of names so long that a few of them fill the window, after an evening of short events,
/// with floors that rise as the gateway's do, and bases when the journal asks for them.
#[tokio::test]
async fn long_events_do_not_make_the_file_many_times_what_the_log_holds() {
    let place = Place::new();
    let journals = SqliteJournals::open_asking_beyond(&place.path, "DATA_DIR", LEAST);
    let journal = journals.expect("opens").log(LogId(0), Fence(1));
    let new_epoch = NewEpoch {
        start: start(),
        guilds: vec![(GuildId(1), guild(6))],
        state: JournalState::default(),
    };
    journal.begin(new_epoch).await.expect("begins");
    let mut log = Log::default();
    for _ in 0..8 {
        let commit = log.commit(500, 40);
        log.wanted = journal.commit(commit).await.expect("is kept");
    }
    let (mut most, mut bases) = (0, 0);
    for _ in 0..800 {
        let commit = log.commit(1, 100_000);
        bases += commit.bases.len();
        log.wanted = journal.commit(commit).await.expect("is kept");
        most = most.max(place.size());
    }
    // 80 MB went through it.
    let bound = 3 * WINDOW as u64;
    assert!(most < bound, "{} KiB at most", most >> 10);
    // A base of a large guild costs much.
    assert!((10..=30).contains(&bases), "{bases} bases");
    drop(journal);
    let events = load(&place.open()).await.events;
    assert!(events.len() >= log.kept.len());
}

/// As the gateway's, as far as floors go.
#[derive(Default)]
struct Log {
    head: u64,
    /// Numbers and bytes.
    kept: VecDeque<(u64, usize)>,
    bytes: usize,
    floor: u64,
    wanted: Vec<GuildId>,
}

impl Log {
    fn commit(&mut self, many: u64, length: usize) -> Commit {
        // Of what was there before this commit.
        let wanted = std::mem::take(&mut self.wanted).into_iter();
        let bases = wanted.map(|id| base(id.0, self.floor, Some(guild(6))));
        let bases = bases.collect();
        let floors = vec![Floor {
            guild_id: GuildId(1),
            window: Window::World,
            floor: self.floor,
        }];
        let after = start().at(self.head);
        let mut events = Vec::new();
        for _ in 0..many {
            self.head += 1;
            self.kept.push_back((self.head, length));
            self.bytes += length;
            events.push(Arc::new(renamed(self.head, length)));
        }
        while self.bytes > WINDOW
            && let Some((seq, length)) = self.kept.pop_front()
        {
            self.bytes -= length;
            self.floor = seq;
        }
        Commit {
            after,
            events,
            state: Arc::new(JournalState::default()),
            floors,
            bases,
        }
    }
}

impl Place {
    fn size(&self) -> u64 {
        let names = fs::read_dir(self.folder.path()).expect("is there");
        let sizes = names.map(|name| name.expect("readable").metadata().expect("is there").len());
        sizes.sum()
    }
}

fn renamed(seq: u64, length: usize) -> SealedEvent {
    let info = guildhall_model::guild::GuildInfo {
        name: "n".repeat(length),
        icon: None,
    };
    SealedEvent::new(Envelope {
        at: start().at(seq),
        more: false,
        event: Event {
            guild_id: GuildId(1),
            ts: 1_700_000_000_000 + seq,
            synthetic: false,
            change: Change::GuildUpdated(info),
        },
    })
}
