//! Random sequences of calls, compared with the reference.

use std::{collections::BTreeMap, sync::Arc};

use guildhall_model::{Event, Guild, GuildId, LogId, Position, arbitrary};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::{Just, any, prop_oneof},
    sample::Index,
    strategy::Strategy,
};

use super::{
    opened,
    sample::{base, following, nothing, state},
};
use crate::{
    Fence,
    conformance::property::holds,
    journal::{Commit, Journal, JournalContents, JournalError, JournalState, Journals, NewEpoch},
    memory::MemoryJournals,
};

const SEQUENCES: usize = 48;

/// The logs whose journals are at one place.
const LOGS: [LogId; 2] = [LogId(0), LogId(40_000)];

/// What happens to a journal.
#[derive(Clone, Debug)]
enum Step {
    Begin {
        guilds: Vec<(GuildId, Guild)>,
        state: JournalState,
        awaited: bool,
    },
    Commit {
        events: Vec<Event>,
        state: JournalState,
        bases: Vec<Based>,
        awaited: bool,
    },
    /// A commit with a hole before it, and maybe nothing in it.
    NotAtHead(Vec<Event>),
    Load,
    Reopen,
}

/// A base, its floor somewhere between the last one and the head.
#[derive(Clone, Debug)]
struct Based {
    guild_id: GuildId,
    floor: Index,
    guild: Option<Guild>,
}

/// One call of a journal.
#[derive(Clone)]
enum JournalCall {
    Begin(Box<NewEpoch>),
    Commit(Commit),
}

/// Random sequences of steps end equal to the reference. What was called and not awaited is there
/// whole or not at all, and nothing that was called after it without it.
pub(super) async fn any_steps_end_as_with_the_reference<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn Journals>,
{
    let steps = vec((0..LOGS.len(), step()), 1..30);
    holds(SEQUENCES, &steps, async |steps: Vec<(usize, Step)>| {
        run(fresh(), steps).await
    })
    .await;
}

fn step() -> impl Strategy<Value = Step> {
    let guild_id = || (1..=3_u64).prop_map(GuildId);
    let awaited = || proptest::bool::weighted(0.7);
    let known = vec((guild_id(), arbitrary::guild()), 0..3);
    let begin = (known, any_state(), awaited()).prop_map(|(guilds, state, awaited)| Step::Begin {
        guilds,
        state,
        awaited,
    });
    let raised = (guild_id(), any::<Index>(), option::of(arbitrary::guild())).prop_map(
        |(guild_id, floor, guild)| Based {
            guild_id,
            floor,
            guild,
        },
    );
    let bases = prop_oneof![2 => Just(Vec::new()), 1 => vec(raised, 1..4)];
    let commit = (vec(arbitrary::event(), 0..6), any_state(), bases, awaited()).prop_map(
        |(events, state, bases, awaited)| Step::Commit {
            events,
            state,
            bases,
            awaited,
        },
    );
    prop_oneof![
        1 => begin,
        12 => commit,
        1 => vec(arbitrary::event(), 0..2).prop_map(Step::NotAtHead),
        1 => Just(Step::Load),
        2 => Just(Step::Reopen),
    ]
}

fn any_state() -> impl Strategy<Value = JournalState> {
    let guilds = || btree_set((1..=3_u64).prop_map(GuildId), 0..3);
    let sets = (guilds(), guilds(), guilds());
    (any::<u64>(), any::<bool>(), sets).prop_map(|(number, known, (awaited, outages, stale))| {
        let full = state(number);
        JournalState {
            bot: full.bot.filter(|_| known),
            resume: full.resume.filter(|_| number % 2 == 0),
            heard_at: full.heard_at.filter(|_| known),
            awaited,
            outages,
            stale,
            renewed_at: full.renewed_at.filter(|_| known),
            forget_at: full.forget_at.filter(|_| known),
        }
    })
}

async fn run(
    place: impl AsyncFn() -> Arc<dyn Journals>,
    steps: Vec<(usize, Step)>,
) -> Result<(), String> {
    let mut logs = Vec::new();
    let journals = place().await;
    for log in LOGS {
        logs.push(CheckedJournal {
            log,
            journal: opened(Arc::clone(&journals), log).await,
            calls: Vec::new(),
            certain: 0,
        });
    }
    drop(journals);
    for (index, step) in steps {
        if let Step::Reopen = step {
            for log in &mut logs {
                log.journal = MemoryJournals::default().journal(log.log, Fence(1));
            }
            let journals = place().await;
            for log in &mut logs {
                log.journal = opened(Arc::clone(&journals), log.log).await;
                log.compare().await?;
            }
            continue;
        }
        logs[index].take(step).await?;
    }
    for log in &mut logs {
        log.compare().await?;
    }
    Ok(())
}

struct CheckedJournal {
    log: LogId,
    journal: Arc<dyn Journal>,
    /// Every call that it did not refuse.
    calls: Vec<JournalCall>,
    /// So many of them were answered.
    certain: usize,
}

impl CheckedJournal {
    async fn take(&mut self, step: Step) -> Result<(), String> {
        let (call, awaited) = match step {
            // Of all of them at once.
            Step::Reopen => return Ok(()),
            Step::Load => return self.compare().await,
            Step::NotAtHead(events) => return self.commit_not_at_head(events).await,
            Step::Begin {
                guilds,
                state,
                awaited,
            } => {
                let expected = self.expected().await;
                let epoch = expected.map_or(1, |saved| saved.head.epoch + 1);
                let new_epoch = NewEpoch {
                    start: Position::start(self.log, epoch),
                    guilds,
                    state,
                };
                (JournalCall::Begin(Box::new(new_epoch)), awaited)
            }
            Step::Commit {
                events,
                state,
                bases,
                awaited,
            } => (self.next_commit(events, state, bases).await, awaited),
        };
        self.call(call, awaited).await
    }

    fn start(&self) -> Position {
        Position::start(self.log, 1)
    }

    async fn call(&mut self, call: JournalCall, awaited: bool) -> Result<(), String> {
        let begun = self
            .calls
            .iter()
            .any(|call| matches!(call, JournalCall::Begin(_)));
        let may_fail = matches!(call, JournalCall::Commit(_)) && !begun;
        let answer = called(&*self.journal, call.clone());
        if !awaited {
            drop(answer);
            if !may_fail {
                self.calls.push(call);
            }
            return Ok(());
        }
        match (answer.await, may_fail) {
            (Ok(()), false) => {
                // In order: what was called before and not awaited is there too.
                self.calls.push(call);
                self.certain = self.calls.len();
                Ok(())
            }
            (Err(JournalError::Fenced(_)), true) => Ok(()),
            (answer, _) => Err(format!("after {} calls: {answer:?}", self.calls.len())),
        }
    }

    async fn commit_not_at_head(&mut self, events: Vec<Event>) -> Result<(), String> {
        let head = self.expected().await;
        let head = head.map_or(self.start(), |saved| saved.head);
        let elsewhere = head.at(head.seq + 1);
        let commit = Commit {
            events: following(elsewhere, events),
            state: Arc::new(state(66)),
            ..nothing(elsewhere)
        };
        match self.journal.commit(commit).await {
            Err(JournalError::Fenced(_)) => Ok(()),
            answer => Err(format!("a hole in the log was answered {answer:?}")),
        }
    }

    async fn next_commit(
        &self,
        events: Vec<Event>,
        state: JournalState,
        bases: Vec<Based>,
    ) -> JournalCall {
        let expected = self.expected().await;
        let head = expected.as_ref().map_or(self.start(), |saved| saved.head);
        let known = expected.map_or(Vec::new(), |saved| saved.bases);
        let known = known.iter().map(|base| (base.guild_id, base.floor));
        let mut floors: BTreeMap<GuildId, u64> = known.collect();
        let mut place = |based: Based| {
            let least = floors.entry(based.guild_id).or_default();
            let room = usize::try_from(head.seq - *least).expect("few events");
            *least += u64::try_from(based.floor.index(room + 1)).expect("few events");
            base(based.guild_id, *least, based.guild)
        };
        JournalCall::Commit(Commit {
            after: head,
            bases: bases.into_iter().map(&mut place).collect(),
            events: following(head, events),
            state: Arc::new(state),
            floors: Vec::new(),
        })
    }

    /// What it holds if every call has taken effect.
    async fn expected(&self) -> Option<JournalContents> {
        replay(self.log, &self.calls).await
    }

    async fn compare(&mut self) -> Result<(), String> {
        let loaded = self.journal.load().await;
        let loaded = loaded.map_err(|error| format!("cannot be read: {error}"))?;
        for there in (self.certain..=self.calls.len()).rev() {
            if replay(self.log, &self.calls[..there]).await == loaded {
                self.calls.truncate(there);
                self.certain = there;
                return Ok(());
            }
        }
        let expected = self.expected().await;
        Err(format!("holds {loaded:#?}\nand should hold {expected:#?}"))
    }
}

async fn replay(log: LogId, calls: &[JournalCall]) -> Option<JournalContents> {
    let reference = MemoryJournals::default().journal(log, Fence(1));
    for call in calls.iter().cloned() {
        let answer = called(&*reference, call).await;
        answer.expect("was not refused the first time");
    }
    reference.load().await.expect("memory can be read")
}

/// Called at once, whether the answer is waited for or not.
fn called(
    journal: &dyn Journal,
    call: JournalCall,
) -> impl Future<Output = Result<(), JournalError>> + use<> {
    let (begun, committed) = match call {
        JournalCall::Begin(new_epoch) => (Some(journal.begin(*new_epoch)), None),
        JournalCall::Commit(commit) => (None, Some(journal.commit(commit))),
    };
    async move {
        match (begun, committed) {
            (Some(begun), _) => begun.await,
            (None, Some(committed)) => committed.await.map(drop),
            (None, None) => Ok(()),
        }
    }
}
