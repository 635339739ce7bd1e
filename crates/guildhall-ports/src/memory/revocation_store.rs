//! What was revoked, for as long as handles on it live.

use std::{collections::BTreeMap, future::ready, sync::Arc};

use guildhall_model::{Revocation, SessionId, UnixMs, UserId};
use parking_lot::Mutex;

use crate::{
    journal::JournalFuture,
    revocation_store::{RevocationChange, RevocationStore},
};

/// What was revoked, in memory: the reference of the port. Clones are handles on the same, so what
/// was saved outlives the gateway that saved it.
#[derive(Clone, Debug, Default)]
pub struct MemoryRevocationStore(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// `None`: nothing was ever kept.
    everybody: Option<UnixMs>,
    sessions: BTreeMap<SessionId, (UserId, UnixMs)>,
    users: BTreeMap<UserId, UnixMs>,
}

impl RevocationStore for MemoryRevocationStore {
    fn load(&self, not_before: UnixMs) -> JournalFuture<Vec<Revocation>> {
        let kept = self.0.lock().load(not_before);
        Box::pin(ready(Ok(kept)))
    }

    fn record(&self, changes: Vec<RevocationChange>) -> JournalFuture<()> {
        let mut kept = self.0.lock();
        for change in changes {
            kept.take(change);
        }
        Box::pin(ready(Ok(())))
    }
}

impl Kept {
    fn load(&mut self, not_before: UnixMs) -> Vec<Revocation> {
        let not_before = *self.everybody.get_or_insert(not_before);
        let sessions = self.sessions.iter().map(|(id, (user_id, ends_at))| {
            let (id, user_id, ends_at) = (id.clone(), *user_id, *ends_at);
            Revocation::Session {
                id,
                user_id,
                ends_at,
            }
        });
        let users = self.users.iter().map(|(user_id, not_before)| {
            let (user_id, not_before) = (*user_id, *not_before);
            Revocation::User {
                user_id,
                not_before,
            }
        });
        let everybody = [Revocation::Everybody { not_before }];
        sessions.chain(users).chain(everybody).collect()
    }

    fn take(&mut self, change: RevocationChange) {
        match change {
            RevocationChange::Kept(Revocation::Session {
                id,
                user_id,
                ends_at,
            }) => {
                let kept = self.sessions.entry(id).or_insert((user_id, ends_at));
                if kept.1 < ends_at {
                    *kept = (user_id, ends_at);
                }
            }
            RevocationChange::Kept(Revocation::User {
                user_id,
                not_before,
            }) => {
                let kept = self.users.entry(user_id).or_insert(not_before);
                *kept = not_before.max(*kept);
            }
            RevocationChange::Kept(Revocation::Everybody { not_before }) => {
                self.everybody = self.everybody.max(Some(not_before));
            }
            RevocationChange::SessionGone(id) => drop(self.sessions.remove(&id)),
            RevocationChange::UserGone(user_id) => drop(self.users.remove(&user_id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn the_reference_keeps_the_promises() {
        conformance::revocation_store(|| {
            let kept = MemoryRevocationStore::default();
            async move || Arc::new(kept.clone()) as Arc<dyn RevocationStore>
        })
        .await;
    }
}
