//! The suite of [`SessionStore`].

use std::sync::Arc;

use guildhall_model::{UnixMs, UserId};
use proptest::{collection::vec, prelude::prop_oneof, strategy::Strategy};

use super::property::holds;
use crate::session_store::{
    Revocation, SESSION_LIFE_MAX, SessionFacts, SessionId, SessionStore, begin_session_at,
};

const HISTORIES: usize = 200;

/// More than any store has room for.
const MANY: u64 = 110_000;

/// Every promise of [`SessionStore`] that one process can see. `fresh` opens one that is empty.
pub async fn session_store<Store: SessionStore>(fresh: impl AsyncFn() -> Arc<Store>) {
    what_is_ended_is_told_of_and_what_was_ended_before_is_not(&*fresh().await).await;
    whoever_signs_in_after_all_was_ended_stays(&*fresh().await).await;
    any_history_ends_what_it_says(&fresh).await;
    sessions_never_take_the_room_of_users(&*fresh().await).await;
}

fn session(number: u64) -> SessionId {
    SessionId::new(format!("session {number}"))
}

/// Whether a session of a user's that began then is over.
fn is_over(store: &dyn SessionStore, number: u64, user: u64, issued_at: UnixMs) -> bool {
    store.is_revoked(SessionFacts {
        id: &session(number),
        user_id: UserId(user),
        issued_at,
    })
}

async fn revoke(store: &dyn SessionStore, revocation: Revocation, now: UnixMs) {
    assert_eq!(store.revoke(revocation, now).await, Ok(()));
}

async fn what_is_ended_is_told_of_and_what_was_ended_before_is_not(store: &dyn SessionStore) {
    let mut changes = store.changes();
    let mut last = *changes.borrow_and_update();
    let (id, user_id, not_before) = (session(1), UserId(1), 100);
    for revocation in [
        Revocation::Session {
            id,
            user_id,
            ends_at: 1_000,
        },
        Revocation::User {
            user_id,
            not_before,
        },
        Revocation::Everybody { not_before },
    ] {
        revoke(store, revocation.clone(), 0).await;
        let risen = *changes.borrow_and_update();
        assert!(risen > last, "{revocation:?}");
        last = risen;
        revoke(store, revocation.clone(), 10).await;
        let again = changes.has_changed().expect("the store is there");
        assert!(!again, "{revocation:?}");
    }
}

async fn whoever_signs_in_after_all_was_ended_stays(store: &dyn SessionStore) {
    let (user_id, now) = (UserId(1), 1_000_000);
    for number in 0..3 {
        let issued_at = begin_session_at(now, store.not_before(user_id));
        assert!(!is_over(store, number, 1, issued_at));
        let all = Revocation::of_user(user_id, now, store.not_before(user_id));
        revoke(store, all, now).await;
        assert!(is_over(store, number, 1, issued_at));
        assert_eq!(store.not_before(UserId(2)), 0);
    }
}

async fn any_history_ends_what_it_says<Store: SessionStore>(fresh: &impl AsyncFn() -> Arc<Store>) {
    holds(HISTORIES, &vec(revocation(), 0..30), async |history| {
        let store = fresh().await;
        // The times are those of one session's life: nothing that was revoked has ended meanwhile.
        for (now, revocation) in (0..).zip(&history) {
            revoke(&*store, revocation.clone(), now).await;
        }
        for (number, user, issued_at) in facts() {
            let (id, user_id) = (session(number), UserId(user));
            let facts = SessionFacts {
                id: &id,
                user_id,
                issued_at,
            };
            let expected = history.iter().any(|revocation| revocation.ends(facts));
            if store.is_revoked(facts) != expected {
                return Err(format!(
                    "session {number} of {user_id:?}, begun at {issued_at}: {expected} is right"
                ));
            }
            if !expected && issued_at < store.not_before(user_id) {
                return Err(format!("{user_id:?} may have begun at {issued_at}"));
            }
        }
        Ok(())
    })
    .await;
}

fn facts() -> impl Iterator<Item = (u64, u64, UnixMs)> {
    let sessions = 1..=3_u64;
    let users = sessions.flat_map(|number| (1..=3_u64).map(move |user| (number, user)));
    users.flat_map(|(number, user)| (0..=12).map(move |issued_at| (number, user, issued_at)))
}

fn revocation() -> impl Strategy<Value = Revocation> {
    let ends_at = 100..200_u64;
    let not_before = || 0..12_u64;
    prop_oneof![
        4 => (1..=3_u64, ends_at).prop_map(|(number, ends_at)| {
            let user_id = UserId(number);
            Revocation::Session { id: session(number), user_id, ends_at }
        }),
        4 => (1..=3_u64, not_before()).prop_map(|(user, not_before)| {
            Revocation::User { user_id: UserId(user), not_before }
        }),
        1 => not_before().prop_map(|not_before| Revocation::Everybody { not_before }),
    ]
}

/// Where there is no room for all of them, what stays is what ends last.
async fn sessions_never_take_the_room_of_users(store: &dyn SessionStore) {
    let (user_id, not_before) = (UserId(1), 5);
    let user = Revocation::User {
        user_id,
        not_before,
    };
    revoke(store, user, 0).await;
    let life = u64::try_from(SESSION_LIFE_MAX.as_millis()).expect("30 days");
    for number in 0..MANY {
        let id = session(number);
        let ends_at = life * 2 - number;
        let user_id = UserId(number);
        let session = Revocation::Session {
            id,
            user_id,
            ends_at,
        };
        revoke(store, session, 0).await;
    }
    assert!(is_over(store, MANY, 1, 4), "a user outlives any number");
    let (first, last) = (is_over(store, 0, 2, 4), is_over(store, MANY - 1, 2, 4));
    assert!(first && last, "what ends last, and what came last");
    let mut forgotten = (0..MANY).filter(|number| !is_over(store, *number, 2, 4));
    let one_of_them = forgotten.next();
    assert!(
        one_of_them.is_none() || one_of_them > Some(MANY / 2),
        "{one_of_them:?} ends later than others that are known"
    );
}
