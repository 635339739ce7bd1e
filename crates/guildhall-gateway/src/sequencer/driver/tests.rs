use std::num::NonZeroU64;

use guildhall_link::frame::{Discord, DiscordStatus};
use guildhall_model::{GuildId, LogId, UserId, World};
use guildhall_ports::{
    Fence, JournalError, Journals, ManualClock,
    journal::{Commit, JournalContents, JournalFuture, JournalState, NewEpoch, Terms},
    memory::MemoryJournals,
};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};

use super::*;
use crate::{
    ShardId,
    config::tests::NAMES,
    discord_rest::RestBudget,
    inbox::{Dispatch, Inbox, InboxError, Lost},
    log::Retention,
    sequencer::ManagedRooms,
};

const PATIENCE: Duration = Duration::from_mins(1);
const BUDGET: RestBudget = RestBudget {
    look_ups: 1,
    commands: 1,
};

#[tokio::test]
async fn nothing_is_seen_before_it_is_committed_and_the_next_batch_gathers_meanwhile() {
    let harness = Harness::new(0);
    harness.ready(1);
    harness.dispatch(2, "GUILD_CREATE", &guild());
    harness.journal.commits(1).await;
    harness.dispatch(3, "VOICE_STATE_UPDATE", &voice("5", "9"));
    harness.dispatch(4, "VOICE_STATE_UPDATE", &voice("6", "9"));
    assert_eq!(harness.log.head().seq, 0, "the disk has not answered");
    assert_eq!(harness.status.borrow().discord, Discord::Down);

    harness.journal.allow(1);
    harness.head(1).await;
    assert_eq!(harness.status.borrow().discord, Discord::Live);
    harness.journal.commits(2).await;
    assert_eq!(harness.log.head().seq, 1, "and so on");
    harness.journal.allow(1);
    harness.head(3).await;
    assert_eq!(harness.journal.asked(), 2, "what gathered was one batch");
    assert_eq!(harness.stop().await, SequencerExit::Stopped);
}

#[tokio::test]
async fn a_batch_that_is_not_kept_ends_the_sequencer_and_is_never_shown() {
    let mut harness = Harness::new(1);
    harness.ready(1);
    harness.journal.commits(1).await;
    harness.journal.fail();
    harness.dispatch(2, "GUILD_CREATE", &guild());
    assert!(matches!(
        harness.exit().await,
        SequencerExit::NotCommitted(_)
    ));
    assert_eq!(harness.log.head().seq, 0);
}

#[tokio::test]
async fn who_lost_the_connection_goes_on_from_what_was_committed() {
    let harness = Harness::new(usize::MAX >> 4);
    harness.ready(1);
    harness.dispatch(2, "GUILD_CREATE", &guild());
    harness.dispatch(3, "VOICE_STATE_UPDATE", &voice("5", "9"));
    let resume = harness.lost(true).await.expect("a session");
    assert_eq!((resume.sequence, harness.log.head().seq), (3, 2));
    assert_eq!(resume.session_id, "s");

    // What is replayed all the same is known to be there.
    harness.dispatch(2, "GUILD_CREATE", &guild());
    harness.dispatch(3, "VOICE_STATE_UPDATE", &voice("5", "9"));
    harness.dispatch(4, "RESUMED", &json!({}));
    let resume = harness.lost(true).await.expect("a session");
    assert_eq!((resume.sequence, harness.log.head().seq), (4, 2));
    assert_eq!(harness.lost(false).await, None, "the session is over");
    assert_eq!(harness.stop().await, SequencerExit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_does_not_answer_is_said_and_fills_the_inbox_and_no_more() {
    let mut harness = Harness::new(1);
    harness.ready(1);
    harness.live().await;
    harness.dispatch(2, "GUILD_CREATE", &guild());
    harness.journal.commits(2).await;
    // One batch is being committed, one is full, and the inbox.
    let mut sequence = 2;
    let mut full = 0;
    while full < 50 {
        sequence += 1;
        let toggled = if sequence % 2 == 0 {
            Value::Null
        } else {
            json!("9")
        };
        let state = json!({"guild_id": "1", "user_id": "5", "channel_id": toggled});
        match harness
            .inbox
            .dispatch(dispatch(sequence, "VOICE_STATE_UPDATE", &state))
        {
            Ok(()) => full = 0,
            Err(InboxError::Full) => {
                // Once all tasks had their turn, it stays full.
                full += 1;
                sequence -= 1;
                tokio::task::yield_now().await;
            }
            Err(InboxError::Stopped) => panic!("the sequencer is gone"),
        }
    }
    assert_eq!(sequence, 2 + 512 + 8_192);
    let stalled = harness.stalled.wait_for(|stalled| *stalled);
    timeout(PATIENCE, stalled)
        .await
        .expect("in time")
        .expect("it lives");
    assert_eq!(harness.status.borrow().discord, Discord::Resuming);

    let lost = tokio::runtime::Handle::current().spawn(lost(harness.inbox.clone(), true));
    harness.journal.allow(1_000);
    let resume = lost.await.expect("no panic").expect("a session");
    assert_eq!(resume.sequence, sequence, "all that was taken is committed");
    assert!(!*harness.stalled.borrow());
    assert_eq!(harness.stop().await, SequencerExit::Stopped);
}

#[tokio::test]
async fn a_journal_of_another_bot_is_left_alone() {
    let mut harness = Harness::with_state(
        10,
        JournalState {
            bot: Some(UserId(7)),
            ..JournalState::default()
        },
    );
    harness.ready(1);
    let (kept, is) = (UserId(7), UserId(100));
    assert_eq!(harness.exit().await, SequencerExit::AnotherBot { kept, is });
    assert_eq!(harness.journal.asked(), 0);
}

#[tokio::test]
async fn a_log_that_was_brought_back_is_begun_anew_and_never_gives_a_position_twice() {
    let mut harness = Harness::new(usize::MAX >> 4);
    harness.ready(1);
    harness.dispatch(2, "GUILD_CREATE", &guild());
    harness.head(1).await;
    let head = harness.log.head();
    // However much comes meanwhile.
    harness.rollback.send_replace(Some(head.at(2)));
    for sequence in 3..700 {
        let state = json!({"guild_id": "1", "user_id": sequence.to_string(), "channel_id": "9"});
        harness.dispatch(sequence, "VOICE_STATE_UPDATE", &state);
    }
    assert_eq!(harness.exit().await, SequencerExit::LogRolledBack);
    let kept = harness.journal.kept.load().await.expect("it works");
    let kept = kept.expect("begun");
    assert!(kept.head.epoch > head.epoch && kept.head.seq == 0);
    assert_eq!((kept.bases.len(), kept.state.resume), (1, None));
}

#[tokio::test]
async fn a_stop_commits_what_was_taken() {
    let harness = Harness::new(0);
    harness.ready(1);
    harness.dispatch(2, "GUILD_CREATE", &guild());
    // More than one batch, and a disk that is slower than the stop.
    for sequence in 3..3_000 {
        let state = json!({"guild_id": "1", "user_id": sequence.to_string(), "channel_id": "9"});
        harness.dispatch(sequence, "VOICE_STATE_UPDATE", &state);
    }
    let journal = harness.journal.clone();
    journal.commits(1).await;
    harness.stop.cancel();
    tokio::task::yield_now().await;
    assert!(!harness.task.is_finished(), "it waits for the disk");
    journal.allow(1_000);
    assert_eq!(harness.stop().await, SequencerExit::Stopped);
    let saved = journal.kept.load().await.expect("it works").expect("begun");
    assert_eq!(saved.head.seq, 1 + 2_997);
    let resume = saved.state.resume.map(|resume| resume.sequence);
    assert_eq!(resume, Some(2_999));
}

/// A journal that answers a commit when it is allowed to.
#[derive(Clone, Debug)]
struct SlowJournal {
    kept: Arc<dyn Journal>,
    allowed: Arc<Semaphore>,
    asked: watch::Sender<usize>,
}

impl Journal for SlowJournal {
    fn load(&self) -> JournalFuture<Option<JournalContents>> {
        self.kept.load()
    }

    fn begin(&self, new_epoch: NewEpoch) -> JournalFuture<()> {
        self.kept.begin(new_epoch)
    }

    fn commit(&self, commit: Commit) -> JournalFuture<Vec<GuildId>> {
        self.asked.send_modify(|asked| *asked += 1);
        let this = self.clone();
        Box::pin(async move {
            match this.allowed.acquire().await {
                Ok(allowed) => allowed.forget(),
                Err(_) => return Err(JournalError::Failed("the disk is full".to_owned())),
            }
            this.kept.commit(commit).await
        })
    }
}

impl SlowJournal {
    fn allow(&self, commits: usize) {
        self.allowed.add_permits(commits);
    }

    fn fail(&self) {
        self.allowed.close();
    }

    fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    async fn commits(&self, count: usize) {
        let mut asked = self.asked.subscribe();
        let came = asked.wait_for(|asked| *asked >= count);
        timeout(PATIENCE, came)
            .await
            .expect("in time")
            .expect("it lives");
    }
}

struct Harness {
    journal: SlowJournal,
    log: Log,
    inbox: Inbox,
    rollback: watch::Sender<Option<Position>>,
    status: watch::Receiver<DiscordStatus>,
    stalled: watch::Receiver<bool>,
    stop: CancellationToken,
    task: JoinHandle<SequencerExit>,
}

impl Harness {
    fn new(allowed: usize) -> Self {
        Self::with_state(allowed, JournalState::default())
    }

    fn with_state(allowed: usize, state: JournalState) -> Self {
        // A second installation in this process is refused, which is fine.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let start = Position::start(LogId(0), 1_000);
        let retention = Retention {
            records_per_guild: 100,
            bytes_per_guild: 1 << 20,
            bytes: 1 << 20,
        };
        let log = crate::log::tests::log(start, retention);
        let kept = MemoryJournals::default().journal(start.log, Fence(1));
        let new_epoch = NewEpoch {
            start,
            guilds: Vec::new(),
            state: state.clone(),
        };
        // In memory it is done when it is called.
        drop(kept.begin(new_epoch));
        let journal = SlowJournal {
            kept,
            allowed: Arc::new(Semaphore::new(allowed)),
            asked: watch::Sender::new(0),
        };
        let down = DiscordStatus {
            discord: Discord::Down,
            since: 0,
            guild_ids: Vec::new(),
            complete: false,
        };
        let published = PublishedStatus {
            status: watch::Sender::new(down),
            stalled: watch::Sender::new(false),
        };
        let (status, stalled) = (published.status.subscribe(), published.stalled.subscribe());
        let rollback = watch::Sender::new(None);
        let nowhere = "http://127.0.0.1:1".parse().expect("an address");
        let setup = SequencerSetup {
            journal: Arc::new(journal.clone()),
            log: log.clone(),
            restored: Restored {
                world: World::default(),
                state: Arc::new(state),
                terms: Terms {
                    shard: [0, 1],
                    intents: 129,
                    guilds: None,
                    world_format: World::FORMAT,
                },
                shard: ShardId::ONLY,
                managed: ManagedRooms::default(),
            },
            published,
            rollback: rollback.subscribe(),
            report: watch::Sender::new(ReadinessReport::default()),
            rest: DiscordRest::new(
                nowhere,
                &guildhall_http::tls::client_config(None),
                &"t".parse().expect("a token"),
                BUDGET,
                NAMES.root_certificates,
            )
            .expect("a client"),
            clock: Arc::new(ManualClock::at(2_000)),
            cdn: Cdn::new(&"https://cdn.example".parse().expect("an address")),
            limits: Limits::default(),
            names: NAMES,
            renew: Arc::new(Notify::new()),
            requests: mpsc::channel(1).0,
            channel_infos: mpsc::channel(1).0,
        };
        let (inbox, inputs) = Inbox::new();
        let stop = CancellationToken::new();
        let running = run(setup, inputs, stop.clone());
        Self {
            journal,
            log,
            inbox,
            rollback,
            status,
            stalled,
            stop,
            task: tokio::runtime::Handle::current().spawn(running),
        }
    }

    fn ready(&self, sequence: u64) {
        let ready = json!({
            "v": 10, "user": {"id": "100"}, "guilds": [{"id": "1", "unavailable": true}],
            "session_id": "s", "resume_gateway_url": "wss://resume.example",
        });
        self.dispatch(sequence, "READY", &ready);
    }

    fn dispatch(&self, sequence: u64, name: &str, data: &Value) {
        let dispatch = dispatch(sequence, name, data);
        self.inbox.dispatch(dispatch).expect("there is room");
    }

    async fn lost(&self, resumable: bool) -> Option<ResumeState> {
        lost(self.inbox.clone(), resumable).await
    }

    async fn head(&self, seq: u64) {
        let mut follow = self.log.follow();
        let came = follow.wait_for(|head| head.seq >= seq);
        let head = timeout(PATIENCE, came).await.expect("in time");
        assert_eq!(head.expect("the log lives").seq, seq);
    }

    async fn live(&mut self) {
        let live = self
            .status
            .wait_for(|status| status.discord == Discord::Live);
        timeout(PATIENCE, live)
            .await
            .expect("in time")
            .expect("it lives");
    }

    async fn stop(self) -> SequencerExit {
        self.stop.cancel();
        let exit = timeout(PATIENCE, self.task).await.expect("an end in time");
        exit.expect("no panic")
    }

    async fn exit(&mut self) -> SequencerExit {
        let exit = timeout(PATIENCE, &mut self.task).await.expect("an end");
        exit.expect("no panic")
    }
}

async fn lost(inbox: Inbox, resumable: bool) -> Option<ResumeState> {
    let lost = Lost {
        resumable,
        tries: 1,
        why: "cut".to_owned(),
    };
    let answer = timeout(PATIENCE, inbox.lost(lost)).await.expect("in time");
    answer.expect("the sequencer lives")
}

fn dispatch(sequence: u64, name: &str, data: &Value) -> Dispatch {
    Dispatch {
        name: name.to_owned(),
        sequence: NonZeroU64::new(sequence),
        data: serde_json::value::to_raw_value(data).expect("JSON"),
        received_at: 2_000,
    }
}

fn guild() -> Value {
    json!({
        "id": "1", "name": "a guild", "owner_id": "100",
        "roles": [{"id": "1", "permissions": "1024"}],
        "channels": [{"id": "9", "type": 2, "name": "a room", "permission_overwrites": []}],
        "voice_states": [], "members": [],
    })
}

fn voice(user: &str, channel: &str) -> Value {
    json!({"guild_id": "1", "user_id": user, "channel_id": channel, "session_id": "x"})
}
