//! Random histories of something that is kept, compared with a list of the calls.

use std::{fmt::Debug, sync::Arc};

use proptest::{
    collection::vec,
    prelude::{Just, prop_oneof},
    strategy::Strategy,
};

use super::property::holds;
use crate::journal::JournalFuture;

const HISTORIES: usize = 48;

/// One call that changes something.
pub(super) trait StoreCall: Clone + Debug {
    /// On what.
    type Store: ?Sized;
    /// Everything that is kept.
    type Kept: Debug + PartialEq;

    /// Called at once, whether the answer is waited for or not.
    fn on(&self, store: &Self::Store) -> JournalFuture<()>;

    fn load(store: &Self::Store) -> JournalFuture<Self::Kept>;

    /// What is kept after these.
    fn replay(calls: &[Self]) -> Self::Kept;
}

/// What happens to it.
#[derive(Clone, Debug)]
enum Step<C> {
    Call(C),
    /// The same, and nobody waits for the answer.
    CallUnawaited(C),
    Load,
    Reopen,
}

/// Whatever was called and awaited is there. What was not awaited is there whole or not at all, and
/// nothing that was called after it without it.
pub(super) async fn any_history_ends_as_with_a_list<C, Place>(
    fresh: impl Fn() -> Place,
    call: impl Strategy<Value = C> + Clone + 'static,
) where
    C: StoreCall,
    Place: AsyncFn() -> Arc<C::Store>,
{
    let step = prop_oneof![
        6 => call.clone().prop_map(Step::Call),
        6 => call.prop_map(Step::CallUnawaited),
        1 => Just(Step::Load),
        2 => Just(Step::Reopen),
    ];
    holds(HISTORIES, &vec(step, 1..40), async |steps: Vec<Step<C>>| {
        run(fresh(), steps).await
    })
    .await;
}

async fn run<C: StoreCall>(
    place: impl AsyncFn() -> Arc<C::Store>,
    steps: Vec<Step<C>>,
) -> Result<(), String> {
    let mut checked = CheckedCalls {
        calls: Vec::new(),
        certain: 0,
    };
    let mut store = place().await;
    for step in steps {
        match step {
            Step::Call(call) => {
                let answer = call.on(&store).await;
                answer.map_err(|error| format!("{call:?}: {error}"))?;
                // In order: what was called before and not awaited is there too.
                checked.calls.push(call);
                checked.certain = checked.calls.len();
            }
            Step::CallUnawaited(call) => {
                drop(call.on(&store));
                checked.calls.push(call);
            }
            Step::Load => checked.compare(&store).await?,
            Step::Reopen => {
                drop(store);
                store = place().await;
                checked.compare(&store).await?;
            }
        }
    }
    checked.compare(&store).await
}

struct CheckedCalls<C> {
    /// Every call.
    calls: Vec<C>,
    /// So many of them are there.
    certain: usize,
}

impl<C: StoreCall> CheckedCalls<C> {
    async fn compare(&mut self, store: &C::Store) -> Result<(), String> {
        let loaded = C::load(store).await;
        let loaded = loaded.map_err(|error| format!("cannot be read: {error}"))?;
        for there in (self.certain..=self.calls.len()).rev() {
            if C::replay(&self.calls[..there]) == loaded {
                self.calls.truncate(there);
                self.certain = there;
                return Ok(());
            }
        }
        let expected = C::replay(&self.calls);
        Err(format!("holds {loaded:#?}\nand should hold {expected:#?}"))
    }
}
