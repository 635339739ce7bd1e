//! Random histories, compared with a list of the calls.

use std::{collections::BTreeMap, sync::Arc};

use guildhall_model::{Revocation, SessionId, UserId};
use proptest::{
    collection::vec,
    prelude::{Just, prop_oneof},
    strategy::Strategy,
};

use super::{BEGINNING, everybody, kept, session, user};
use crate::{
    conformance::property::holds,
    revocation_store::{RevocationChange, RevocationStore},
};

const HISTORIES: usize = 48;

/// What happens to a store.
#[derive(Clone, Debug)]
enum Step {
    Save(Vec<RevocationChange>),
    /// The same, and nobody waits for the answer.
    SaveUnawaited(Vec<RevocationChange>),
    Load,
    Reopen,
}

/// Whatever was called and awaited is there. What was not awaited is there whole or not at all, and
/// nothing that was called after it without it.
pub(super) async fn any_history_ends_as_with_a_list<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn RevocationStore>,
{
    let steps = vec(step(), 1..40);
    holds(HISTORIES, &steps, async |steps: Vec<Step>| {
        run(fresh(), steps).await
    })
    .await;
}

fn step() -> impl Strategy<Value = Step> {
    let changes = || vec(change(), 0..4);
    prop_oneof![
        6 => changes().prop_map(Step::Save),
        6 => changes().prop_map(Step::SaveUnawaited),
        1 => Just(Step::Load),
        2 => Just(Step::Reopen),
    ]
}

fn change() -> impl Strategy<Value = RevocationChange> {
    let name = || prop_oneof![Just("a"), Just("b"), Just("~")];
    let number = || prop_oneof![4 => 1..=3_u64, 1 => Just(1 << 63)];
    prop_oneof![
        4 => (name(), number()).prop_map(|(id, ends_at)| kept(session(id, ends_at))),
        4 => (number(), number()).prop_map(|(id, not_before)| kept(user(id, not_before))),
        1 => number().prop_map(|not_before| kept(everybody(not_before))),
        2 => name().prop_map(|id| {
            RevocationChange::SessionGone(SessionId::new(id.to_owned()))
        }),
        2 => number().prop_map(|id| RevocationChange::UserGone(UserId(id))),
    ]
}

async fn run(
    place: impl AsyncFn() -> Arc<dyn RevocationStore>,
    steps: Vec<Step>,
) -> Result<(), String> {
    let mut checked = CheckedStore {
        calls: Vec::new(),
        certain: 0,
    };
    let mut store = place().await;
    checked.compare(&*store).await?;
    for step in steps {
        match step {
            Step::Save(changes) => {
                let answer = store.record(changes.clone()).await;
                answer.map_err(|error| format!("{changes:?}: {error}"))?;
                // In order: what was called before and not awaited is there too.
                checked.calls.push(changes);
                checked.certain = checked.calls.len();
            }
            Step::SaveUnawaited(changes) => {
                drop(store.record(changes.clone()));
                checked.calls.push(changes);
            }
            Step::Load => checked.compare(&*store).await?,
            Step::Reopen => {
                drop(store);
                store = place().await;
                checked.compare(&*store).await?;
            }
        }
    }
    checked.compare(&*store).await
}

struct CheckedStore {
    /// Every call.
    calls: Vec<Vec<RevocationChange>>,
    /// So many of them are there.
    certain: usize,
}

impl CheckedStore {
    async fn compare(&mut self, store: &dyn RevocationStore) -> Result<(), String> {
        let loaded = store.load(BEGINNING).await;
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

fn replay(calls: &[Vec<RevocationChange>]) -> Vec<Revocation> {
    let (mut sessions, mut users) = (BTreeMap::new(), BTreeMap::new());
    let mut of_everybody = everybody(BEGINNING);
    for change in calls.iter().flatten().cloned() {
        match change {
            RevocationChange::Kept(revocation) => match &revocation {
                Revocation::Session { id, .. } => {
                    let kept = sessions.entry(id.clone()).or_insert(revocation.clone());
                    raise(kept, revocation);
                }
                Revocation::User { user_id, .. } => {
                    let kept = users.entry(*user_id).or_insert(revocation.clone());
                    raise(kept, revocation);
                }
                Revocation::Everybody { .. } => raise(&mut of_everybody, revocation),
            },
            RevocationChange::SessionGone(id) => drop(sessions.remove(&id)),
            RevocationChange::UserGone(user_id) => drop(users.remove(&user_id)),
        }
    }
    let sessions = sessions.into_values().chain(users.into_values());
    sessions.chain([of_everybody]).collect()
}

fn raise(kept: &mut Revocation, by: Revocation) {
    if kept.until() < by.until() {
        *kept = by;
    }
}
