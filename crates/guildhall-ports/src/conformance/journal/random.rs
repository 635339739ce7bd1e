//! Random sequences of calls, compared with the reference.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use guildhall_model::{Event, Guild, GuildId, LogId, Position, arbitrary};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::{Just, any, prop_oneof},
    sample::Index,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use super::sample::{base, following, start, state};
use crate::{
    journal::{Commit, Journal, JournalContents, JournalError, JournalState, NewEpoch},
    memory::MemoryJournal,
};

const SEQUENCES: usize = 48;

/// What happens to a journal.
#[derive(Clone, Debug)]
enum Step {
    Begin {
        log: u16,
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
    /// A commit with a hole before it.
    NotAtHead(Event),
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
    Place: AsyncFn() -> Arc<dyn Journal>,
{
    holds(&vec(step(), 1..24), async |steps: Vec<Step>| {
        run(fresh(), steps).await
    })
    .await;
}

/// `proptest!` for what has to be awaited: the smallest failing value is the one that is shown.
async fn holds<S>(strategy: &S, property: impl AsyncFn(S::Value) -> Result<(), String>)
where
    S: Strategy,
    S::Value: Debug,
{
    let mut runner = TestRunner::default();
    for _ in 0..SEQUENCES {
        let mut tree = strategy.new_tree(&mut runner).expect("rejects nothing");
        let Err(mut why) = property(tree.current()).await else {
            continue;
        };
        let mut smallest = tree.current();
        let mut smaller = tree.simplify();
        while smaller {
            match property(tree.current()).await {
                Err(again) => {
                    (smallest, why) = (tree.current(), again);
                    smaller = tree.simplify();
                }
                Ok(()) => smaller = tree.complicate(),
            }
        }
        panic!("{why}\n{smallest:#?}");
    }
}

fn step() -> impl Strategy<Value = Step> {
    let guild_id = || (1..=3_u64).prop_map(GuildId);
    let awaited = || proptest::bool::weighted(0.7);
    let known = vec((guild_id(), arbitrary::guild()), 0..3);
    let begin =
        (0..2_u16, known, any_state(), awaited()).prop_map(|(log, guilds, state, awaited)| {
            Step::Begin {
                log,
                guilds,
                state,
                awaited,
            }
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
        1 => arbitrary::event().prop_map(Step::NotAtHead),
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

async fn run(place: impl AsyncFn() -> Arc<dyn Journal>, steps: Vec<Step>) -> Result<(), String> {
    let mut checked = CheckedJournal {
        journal: place().await,
        calls: Vec::new(),
        certain: 0,
    };
    for step in steps {
        let (call, awaited) = match step {
            Step::Load => {
                checked.compare().await?;
                continue;
            }
            Step::Reopen => {
                checked.journal = Arc::new(MemoryJournal::default());
                checked.journal = place().await;
                checked.compare().await?;
                continue;
            }
            Step::NotAtHead(event) => {
                checked.commit_not_at_head(event).await?;
                continue;
            }
            Step::Begin {
                log,
                guilds,
                state,
                awaited,
            } => {
                let epoch = checked
                    .expected()
                    .await
                    .map_or(1, |saved| saved.head.epoch + 1);
                let new_epoch = NewEpoch {
                    start: Position::start(LogId(log), epoch),
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
            } => (checked.next_commit(events, state, bases).await, awaited),
        };
        checked.call(call, awaited).await?;
    }
    checked.compare().await
}

struct CheckedJournal {
    journal: Arc<dyn Journal>,
    /// Every call that it did not refuse.
    calls: Vec<JournalCall>,
    /// So many of them were answered.
    certain: usize,
}

impl CheckedJournal {
    async fn call(&mut self, call: JournalCall, awaited: bool) -> Result<(), String> {
        let begun = self
            .calls
            .iter()
            .any(|call| matches!(call, JournalCall::Begin(_)));
        let may_fail = matches!(call, JournalCall::Commit(_)) && !begun;
        let answer = match call.clone() {
            JournalCall::Begin(new_epoch) => self.journal.begin(*new_epoch),
            JournalCall::Commit(commit) => self.journal.commit(commit),
        };
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
            (Err(JournalError::Failed(_)), true) => Ok(()),
            (answer, _) => Err(format!("after {} calls: {answer:?}", self.calls.len())),
        }
    }

    async fn commit_not_at_head(&mut self, event: Event) -> Result<(), String> {
        let head = self.expected().await.map_or(start(), |saved| saved.head);
        let commit = Commit {
            events: following(head.at(head.seq + 1), [event]),
            state: Arc::new(state(66)),
            bases: Vec::new(),
        };
        match self.journal.commit(commit).await {
            Err(JournalError::Failed(_)) => Ok(()),
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
        let head = expected.as_ref().map_or(start(), |saved| saved.head);
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
            bases: bases.into_iter().map(&mut place).collect(),
            events: following(head, events),
            state: Arc::new(state),
        })
    }

    /// What it holds if every call has taken effect.
    async fn expected(&self) -> Option<JournalContents> {
        replay(&self.calls).await
    }

    async fn compare(&mut self) -> Result<(), String> {
        let loaded = self.journal.load().await;
        let loaded = loaded.map_err(|error| format!("cannot be read: {error}"))?;
        for there in (self.certain..=self.calls.len()).rev() {
            if replay(&self.calls[..there]).await == loaded {
                self.calls.truncate(there);
                self.certain = there;
                return Ok(());
            }
        }
        let expected = self.expected().await;
        Err(format!("holds {loaded:#?}\nand should hold {expected:#?}"))
    }
}

async fn replay(calls: &[JournalCall]) -> Option<JournalContents> {
    let reference = MemoryJournal::default();
    for call in calls.iter().cloned() {
        let answer = match call {
            JournalCall::Begin(new_epoch) => reference.begin(*new_epoch).await,
            JournalCall::Commit(commit) => reference.commit(commit).await,
        };
        answer.expect("was not refused the first time");
    }
    reference.load().await.expect("memory can be read")
}
