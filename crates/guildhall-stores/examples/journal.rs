//! What the SQLite journal costs on this disk:
//! `cargo run --release -p guildhall-stores --example journal [folder]`.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_model::{
    Change, ChannelId, Envelope, Event, Guild, GuildId, LogId, Position, SealedEvent, UserId,
    guild::{GuildInfo, Membership, Occupant, Room, RoomInfo, RoomKind, RoomRights, VoiceFlags},
};
use guildhall_ports::Fence;
use guildhall_ports::journal::{Commit, Journal, JournalBase, JournalState, NewEpoch};
use guildhall_stores::sqlite::{SqliteJournal, SqliteJournals};

type Outcome<T> = Result<T, Box<dyn Error>>;

const GUILDS: u64 = 100;
const PEOPLE: u64 = 500;
/// Events kept of each guild where a log is kept short.
const WINDOW: usize = 1600;
/// Events a second where they come at a pace.
const PACE: u64 = 20_000;

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let folder = std::env::args_os().nth(1);
    let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder)?;
    let path = folder.path().join("guildhall.db");
    let payload = serde_json::to_string(&event(1).wire_payload())?.len();
    println!("{GUILDS} guilds of {PEOPLE} people, payloads of {payload} bytes");

    let mut writer = Writer::begin(&path, 1_700_000_000_000).await?;
    println!(
        "commits of 512 events: {}",
        commits(&mut writer, 300, 512).await?
    );
    println!(
        "commits of 1 event: {}",
        commits(&mut writer, 3000, 1).await?
    );
    println!("files: {}", sizes(folder.path())?);
    let began = now();
    drop(writer);
    println!(
        "closed in {:.0?}: {}",
        began.elapsed(),
        sizes(folder.path())?
    );

    let began = now();
    let journal = SqliteJournals::open(&path, "DATA_DIR")?.log(LogId(0), Fence(2));
    let opened = began.elapsed();
    let began = now();
    let saved = journal.load().await?.ok_or("nothing there")?;
    let loaded = began.elapsed();
    let events = saved.events.len();
    println!("opened in {opened:.0?}, {events} events and all guilds loaded in {loaded:.0?}");
    drop((saved, journal));

    let mut writer = Writer::begin(&path, 1_700_000_000_001).await?;
    println!(
        "1,000,000 events in commits of 512, kept short: {}",
        a_million(&mut writer).await?
    );
    println!("{} kept; files: {}", writer.kept(), sizes(folder.path())?);
    println!(
        "{PACE} events/s for 10 s: from an event to its commit {}",
        paced(&mut writer).await?
    );
    drop(writer);
    println!("closed: {}", sizes(folder.path())?);
    Ok(())
}

async fn commits(writer: &mut Writer, count: usize, events: u64) -> Outcome<String> {
    let mut times = Vec::new();
    for _ in 0..count {
        times.push(writer.commit(events, Vec::new()).await?);
    }
    Ok(spread(&mut times, events))
}

async fn a_million(writer: &mut Writer) -> Outcome<String> {
    let mut times = Vec::new();
    while writer.seq < 1_000_000 {
        let bases = writer.shorten();
        times.push(writer.commit(512, bases).await?);
    }
    Ok(spread(&mut times, 512))
}

/// As the gateway does it: while a commit is under way the next gathers.
async fn paced(writer: &mut Writer) -> Outcome<String> {
    let (began, mut sent, mut times) = (now(), 0_u64, Vec::new());
    let comes = |number: u64| began + Duration::from_micros(number * 1_000_000 / PACE);
    while began.elapsed() < Duration::from_secs(10) {
        let came = began.elapsed().as_micros() * u128::from(PACE) / 1_000_000;
        let waiting = u64::try_from(came)? - sent;
        if waiting == 0 {
            tokio::time::sleep_until(comes(sent + 1).into()).await;
            continue;
        }
        let first = comes(sent + 1);
        let bases = writer.shorten();
        writer.commit(waiting.min(512), bases).await?;
        sent += waiting.min(512);
        times.push(first.elapsed());
    }
    Ok(spread(&mut times, 0))
}

struct Writer {
    journal: SqliteJournal,
    start: Position,
    seq: u64,
    /// Of each guild.
    kept: BTreeMap<u64, Vec<u64>>,
    turn: u64,
    /// What a base holds.
    guild: Guild,
}

impl Writer {
    async fn begin(path: &Path, epoch: u64) -> Outcome<Self> {
        let journal = SqliteJournals::open(path, "DATA_DIR")?.log(LogId(0), Fence(2));
        let start = Position::start(LogId(0), epoch);
        let guilds = (1..=GUILDS).map(|id| (GuildId(id), guild(id)));
        let new_epoch = NewEpoch {
            start,
            guilds: guilds.collect(),
            state: JournalState::default(),
        };
        journal.begin(new_epoch).await?;
        Ok(Self {
            journal,
            start,
            seq: 0,
            kept: BTreeMap::new(),
            turn: 0,
            guild: guild(1),
        })
    }

    /// One guild's turn for each commit, when it has half more than it should.
    fn shorten(&mut self) -> Vec<JournalBase> {
        self.turn = self.turn % GUILDS + 1;
        let own = self.kept.entry(self.turn).or_default();
        if own.len() <= WINDOW + WINDOW / 2 {
            return Vec::new();
        }
        let gone = own.len() - WINDOW;
        let floor = own[gone - 1];
        own.drain(..gone);
        vec![JournalBase {
            guild_id: GuildId(self.turn),
            floor,
            guild: Some(self.guild.clone()),
        }]
    }

    fn kept(&self) -> usize {
        self.kept.values().map(Vec::len).sum()
    }

    async fn commit(&mut self, events: u64, bases: Vec<JournalBase>) -> Outcome<Duration> {
        let after = self.start.at(self.seq);
        let numbers = self.seq + 1..=self.seq + events;
        for seq in numbers.clone() {
            self.kept.entry(of(seq)).or_default().push(seq);
        }
        self.seq += events;
        let sealed = |seq| {
            SealedEvent::new(Envelope {
                at: self.start.at(seq),
                more: false,
                event: event(seq),
            })
        };
        let commit = Commit {
            after,
            events: numbers.map(|seq| Arc::new(sealed(seq))).collect(),
            state: Arc::new(JournalState::default()),
            floors: Vec::new(),
            bases,
        };
        let began = now();
        self.journal.commit(commit).await?;
        Ok(began.elapsed())
    }
}

/// Guilds in no order, as they come.
fn of(seq: u64) -> u64 {
    (seq.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % GUILDS + 1
}

fn event(seq: u64) -> Event {
    let guild = of(seq);
    Event {
        guild_id: GuildId(guild),
        ts: 1_700_000_000_000 + seq,
        synthetic: false,
        change: Change::VoiceUpdated(occupant(guild, seq % PEOPLE)),
    }
}

fn occupant(guild: u64, number: u64) -> Occupant {
    let user_id = UserId(900_000_000_000_000_000 + guild * 1000 + number);
    Occupant {
        channel_id: ChannelId(800_000_000_000_000_000 + number % 20),
        user_id,
        username: format!("somebody-{number}"),
        display_name: format!("Some Body the {number}th"),
        avatar: Some("a_d5efa99b3eeaa7dd43acca82f5692432".to_owned()),
        avatar_url: format!(
            "https://cdn.discordapp.com/avatars/{user_id}/a_d5efa99b3eeaa7dd43acca82f5692432.webp"
        ),
        bot: false,
        since: 1_700_000_000_000,
        flags: VoiceFlags::default(),
    }
}

fn guild(id: u64) -> Guild {
    let room = |number: u64| Room {
        info: RoomInfo {
            channel_id: ChannelId(800_000_000_000_000_000 + number),
            name: format!("Room {number}"),
            kind: RoomKind::Voice,
            parent_id: None,
            parent_name: None,
            position: 0,
            user_limit: 0,
            managed: None,
            status: None,
        },
        rights: RoomRights::default(),
    };
    let people = (0..PEOPLE).map(|number| occupant(id, number));
    let voice: BTreeMap<_, _> = people.map(|person| (person.user_id, person)).collect();
    let member = |user: &UserId| (*user, Membership::member(Vec::new()));
    Guild {
        info: GuildInfo {
            name: format!("Guild {id}"),
            icon: None,
        },
        available: true,
        owner_id: UserId(1),
        roles: BTreeMap::new(),
        categories: BTreeMap::new(),
        rooms: (0..20)
            .map(room)
            .map(|room| (room.info.channel_id, room))
            .collect(),
        pending_voice: BTreeMap::new(),
        memberships: voice.keys().take(50).map(member).collect(),
        voice,
    }
}

fn spread(times: &mut [Duration], events: u64) -> String {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 1000];
    let times_of = format!(
        "p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        at(500),
        at(990),
        at(1000)
    );
    let whole: Duration = times.iter().sum();
    let per_second = u128::from(events) * times.len() as u128 * 1000 / whole.as_millis().max(1);
    match events {
        0 => times_of,
        1 => format!("{per_second} commits/s, {times_of}"),
        _ => format!("{per_second} events/s, {times_of}"),
    }
}

fn sizes(folder: &Path) -> Outcome<String> {
    let mut all = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let mebibytes = file.metadata()?.len().div_ceil(1 << 20);
        all.push(format!("{} {mebibytes} MiB", file.file_name().display()));
    }
    Ok(all.join(", "))
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn now() -> Instant {
    Instant::now()
}
