//! What commands cost in the gateway's file on this disk, beside a log:
//! `cargo run --release -p guildhall-stores --example commands [folder]`.

use std::{
    error::Error,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_model::{
    Change, ChannelId, Envelope, Event, GuildId, LogId, Position, SealedEvent, UserId,
    command::{Before, Command, CommandDone, CommandRequest, Outcome},
    guild::Category,
};
use guildhall_ports::{
    CommandJournal, CommandState, Fence, Intent, Journal, KeptCommand,
    journal::{Commit, JournalState, NewEpoch},
};
use guildhall_stores::sqlite::SqliteJournals;
use tokio::{task::JoinSet, time::sleep_until};

type Outcomes<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Commands a second, in the run beside a log.
const PACE: u64 = 200;
/// Events of each commit of the log, which follow one another without a pause.
const BATCH: u64 = 20;
const RUN: Duration = Duration::from_secs(10);
/// A command is forgotten when so many have come after it.
const KEPT: u64 = 2_000;

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcomes<()> {
    let folder = std::env::args_os().nth(1);
    let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder)?;
    let stores = SqliteJournals::open(&folder.path().join("guildhall.db"), "DATA_DIR")?;

    println!("one after the other: {}", alone(&stores, 3_000, 1).await?);
    println!("64 at one time: {}", alone(&stores, 300, 64).await?);
    println!("a log alone: {}", log(&stores, LogId(0)).await?);
    let (calls, log) = tokio::join!(paced(&stores), log(&stores, LogId(1)));
    println!("{PACE} commands/s beside a log: a call takes {}", calls?);
    println!("the log beside them: {}", log?);
    Ok(())
}

/// So many rounds of so many calls.
async fn alone(stores: &SqliteJournals, rounds: u64, at_once: u64) -> Outcomes<String> {
    let (began, mut times) = (now(), Vec::new());
    for round in 0..rounds {
        let began = now();
        let ids = round * at_once..(round + 1) * at_once;
        let calls: Vec<_> = ids.map(|id| stores.keep(intended(id))).collect();
        for call in calls {
            call.await?;
        }
        times.push(began.elapsed());
    }
    let took = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let per_second = (rounds * at_once) as f64 / took;
    Ok(format!(
        "{per_second:.0} kept/s, a round {}",
        spread(&mut times)
    ))
}

/// As the gateway does it: each is kept before it is done, settled after that, and forgotten.
async fn paced(stores: &SqliteJournals) -> Outcomes<String> {
    let (began, mut calls) = (now(), JoinSet::new());
    let comes = |number: u64| began + Duration::from_micros(number * 1_000_000 / PACE);
    let mut number = 0;
    while began.elapsed() < RUN {
        sleep_until(comes(number).into()).await;
        let (stores, id) = (stores.clone(), number + 1_000_000);
        calls.spawn(async move {
            let began = now();
            stores.keep(intended(id)).await?;
            let kept = began.elapsed();
            let began = now();
            stores.keep(settled(id)).await?;
            let settled = began.elapsed();
            stores.forget(vec![id - KEPT]).await?;
            Outcomes::Ok([kept, settled])
        });
        number += 1;
    }
    let mut times = Vec::new();
    while let Some(call) = calls.join_next().await {
        times.extend(call??);
    }
    Ok(spread(&mut times))
}

/// Commits without a pause, for as long as a run takes.
async fn log(stores: &SqliteJournals, log: LogId) -> Outcomes<String> {
    let journal = stores.log(log, Fence(1));
    let mut head = Position::start(log, 1);
    let new_epoch = NewEpoch {
        start: head,
        guilds: Vec::new(),
        state: JournalState::default(),
    };
    journal.begin(new_epoch).await?;
    let (began, mut times) = (now(), Vec::new());
    while began.elapsed() < RUN {
        let commit = commit(head);
        head = head.at(head.seq + BATCH);
        let began = now();
        journal.commit(commit).await?;
        times.push(began.elapsed());
    }
    let commits = times.len() as u64 / RUN.as_secs();
    Ok(format!("{commits} commits/s, {}", spread(&mut times)))
}

fn commit(head: Position) -> Commit {
    let event = |seq| Event {
        guild_id: GuildId(1),
        ts: seq,
        synthetic: false,
        change: Change::CategorySet {
            channel_id: ChannelId(7),
            category: Category {
                name: "name ".repeat(90),
                ..Category::default()
            },
        },
    };
    let sealed = |seq| {
        Arc::new(SealedEvent::new(Envelope {
            at: head.at(seq),
            more: false,
            event: event(seq),
        }))
    };
    Commit {
        after: head,
        events: (head.seq + 1..=head.seq + BATCH).map(sealed).collect(),
        state: Arc::new(JournalState::default()),
        floors: Vec::new(),
        bases: Vec::new(),
    }
}

fn intended(id: u64) -> KeptCommand {
    let (guild_id, channel_id) = (GuildId(800_000_000_000_000_000), ChannelId(7));
    KeptCommand {
        id,
        request: CommandRequest {
            actor: UserId(900_000_000_000_000_000 + id % 50),
            key: Some(format!("5d4b7a3e-0c1f-4c55-9d1e-{id:012}")),
            command: Command::RenameRoom {
                guild_id,
                channel_id,
                name: format!("a room with the number {id}"),
            },
        },
        asked_at: 1_700_000_000_000 + id,
        state: CommandState::Intended(Intent {
            before: Before::Name("its name before".to_owned()),
            at: Position::start(LogId(0), 1_700_000_000_000).at(id),
            since: 1_700_000_000_000 + id,
            promised: false,
        }),
    }
}

fn settled(id: u64) -> KeptCommand {
    let at = Position::start(LogId(0), 1_700_000_000_000).at(id);
    let done = CommandDone {
        outcome: Outcome::Done,
        at: Some(at.into()),
        made: None,
    };
    let state = CommandState::Settled {
        at: 1_700_000_000_050 + id,
        result: Ok(done).into(),
    };
    KeptCommand {
        state,
        ..intended(id)
    }
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 1000];
    format!(
        "p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        at(500),
        at(990),
        at(1000)
    )
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn now() -> Instant {
    Instant::now()
}
