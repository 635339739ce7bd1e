//! Random histories, compared with a list of the calls.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{
    collection::vec,
    prelude::{Just, prop_oneof},
    strategy::Strategy,
};

use super::sample::{command, intended, queued, settled};
use crate::{
    command_journal::{CommandJournal, CommandState, KeptCommand},
    conformance::property::holds,
    journal::JournalFuture,
};

const HISTORIES: usize = 48;

/// What happens to a journal.
#[derive(Clone, Debug)]
enum Step {
    Call(Call),
    /// The same, and nobody waits for the answer.
    CallUnawaited(Call),
    Load,
    Reopen,
}

/// One call that changes something.
#[derive(Clone, Debug)]
enum Call {
    Keep(KeptCommand),
    Forget(Vec<u64>),
}

/// Whatever was called and awaited is there. What was not awaited is there whole or not at all, and
/// nothing that was called after it without it.
pub(super) async fn any_history_ends_as_with_a_list<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn CommandJournal>,
{
    let steps = vec(step(), 1..40);
    holds(HISTORIES, &steps, async |steps: Vec<Step>| {
        run(fresh(), steps).await
    })
    .await;
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => call().prop_map(Step::Call),
        6 => call().prop_map(Step::CallUnawaited),
        1 => Just(Step::Load),
        2 => Just(Step::Reopen),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let id = || prop_oneof![8 => 1..=6_u64, 1 => Just(u64::MAX)];
    prop_oneof![
        3 => (id(), state()).prop_map(|(id, state)| Call::Keep(command(id, state))),
        1 => vec(id(), 0..5).prop_map(Call::Forget),
    ]
}

fn state() -> impl Strategy<Value = CommandState> {
    prop_oneof![
        Just(intended()),
        (0..9_u64).prop_map(queued),
        (0..9_u64).prop_map(|until| CommandState::Waiting { until }),
        (0..9_u64).prop_map(settled),
    ]
}

async fn run(
    place: impl AsyncFn() -> Arc<dyn CommandJournal>,
    steps: Vec<Step>,
) -> Result<(), String> {
    let mut checked = CheckedJournal {
        calls: Vec::new(),
        certain: 0,
    };
    let mut journal = place().await;
    for step in steps {
        match step {
            Step::Call(call) => {
                let answer = call.on(&*journal).await;
                answer.map_err(|error| format!("{call:?}: {error}"))?;
                // In order: what was called before and not awaited is there too.
                checked.calls.push(call);
                checked.certain = checked.calls.len();
            }
            Step::CallUnawaited(call) => {
                drop(call.on(&*journal));
                checked.calls.push(call);
            }
            Step::Load => checked.compare(&*journal).await?,
            Step::Reopen => {
                drop(journal);
                journal = place().await;
                checked.compare(&*journal).await?;
            }
        }
    }
    checked.compare(&*journal).await
}

struct CheckedJournal {
    /// Every call.
    calls: Vec<Call>,
    /// So many of them are there.
    certain: usize,
}

impl CheckedJournal {
    async fn compare(&mut self, journal: &dyn CommandJournal) -> Result<(), String> {
        let loaded = journal.load().await;
        let loaded = loaded.map_err(|error| format!("cannot be read: {error}"))?;
        for there in (self.certain..=self.calls.len()).rev() {
            if replay(&self.calls[..there]) == loaded {
                self.calls.truncate(there);
                self.certain = there;
                return Ok(());
            }
        }
        let expected = replay(&self.calls);
        Err(format!("holds {loaded:#?}\nand should hold {expected:#?}"))
    }
}

impl Call {
    /// Called at once, whether the answer is waited for or not.
    fn on(&self, journal: &dyn CommandJournal) -> JournalFuture<()> {
        match self.clone() {
            Self::Keep(command) => journal.keep(command),
            Self::Forget(ids) => journal.forget(ids),
        }
    }
}

fn replay(calls: &[Call]) -> Vec<KeptCommand> {
    let mut kept = BTreeMap::new();
    for call in calls {
        match call {
            Call::Keep(command) => drop(kept.insert(command.id, command.clone())),
            Call::Forget(ids) => kept.retain(|id, _| !ids.contains(id)),
        }
    }
    kept.into_values().collect()
}
