//! Random histories.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{
    collection::vec,
    prelude::{Just, prop_oneof},
    strategy::Strategy,
};

use super::sample::{command, intended, queued, settled};
use crate::{
    command_journal::{CommandJournal, CommandState, KeptCommand},
    conformance::history::{self, StoreCall},
    journal::JournalFuture,
};

/// One call that changes something.
#[derive(Clone, Debug)]
enum JournalCall {
    Keep(KeptCommand),
    Forget(Vec<u64>),
}

/// See [`history::any_history_ends_as_with_a_list`].
pub(super) async fn any_history_ends_as_with_a_list<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn CommandJournal>,
{
    history::any_history_ends_as_with_a_list(fresh, call()).await;
}

fn call() -> impl Strategy<Value = JournalCall> + Clone {
    let id = || prop_oneof![8 => 1..=6_u64, 1 => Just(u64::MAX)];
    prop_oneof![
        3 => (id(), state()).prop_map(|(id, state)| JournalCall::Keep(command(id, state))),
        1 => vec(id(), 0..5).prop_map(JournalCall::Forget),
    ]
}

fn state() -> impl Strategy<Value = CommandState> + Clone {
    prop_oneof![
        Just(intended()),
        (0..9_u64).prop_map(queued),
        (0..9_u64).prop_map(|until| CommandState::Waiting { until }),
        (0..9_u64).prop_map(settled),
    ]
}

impl StoreCall for JournalCall {
    type Store = dyn CommandJournal;
    type Kept = Vec<KeptCommand>;

    fn on(&self, journal: &dyn CommandJournal) -> JournalFuture<()> {
        match self.clone() {
            Self::Keep(command) => journal.keep(command),
            Self::Forget(ids) => journal.forget(ids),
        }
    }

    fn load(journal: &dyn CommandJournal) -> JournalFuture<Vec<KeptCommand>> {
        journal.load()
    }

    fn replay(calls: &[Self]) -> Vec<KeptCommand> {
        let mut kept = BTreeMap::new();
        for call in calls {
            match call {
                Self::Keep(command) => drop(kept.insert(command.id, command.clone())),
                Self::Forget(ids) => kept.retain(|id, _| !ids.contains(id)),
            }
        }
        kept.into_values().collect()
    }
}
