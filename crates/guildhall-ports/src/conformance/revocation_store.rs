//! The suite of [`RevocationStore`]: every promise that one process can see.

/// Random histories, compared with a list of the calls.
mod random;

use std::sync::Arc;

use guildhall_model::{Revocation, SessionId, UnixMs, UserId};

use crate::revocation_store::{RevocationChange, RevocationStore};

/// When the stores here begin.
const BEGINNING: UnixMs = 1_000;

/// Every promise of [`RevocationStore`] that one process can see.
///
/// `fresh` makes a place where nothing is kept yet; calling the place opens the store there. The
/// suite drops all handles on it before it opens it again.
pub async fn revocation_store<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn RevocationStore>,
{
    Box::pin(its_first_load_is_its_beginning(fresh())).await;
    Box::pin(everything_is_read_back_as_it_was_saved(fresh())).await;
    Box::pin(of_each_what_ends_most_stays(fresh())).await;
    Box::pin(what_is_gone_is_gone_and_nothing_else(fresh())).await;
    Box::pin(calls_take_effect_in_their_order_awaited_or_not(fresh())).await;
    Box::pin(random::any_history_ends_as_with_a_list(fresh)).await;
}

async fn its_first_load_is_its_beginning(place: impl AsyncFn() -> Arc<dyn RevocationStore>) {
    let store = place().await;
    save(&store, Vec::new()).await;
    save(&store, vec![RevocationChange::UserGone(UserId(1))]).await;
    for not_before in [BEGINNING, BEGINNING + 1] {
        let kept = store.load(not_before).await;
        assert_eq!(kept, Ok(vec![everybody(BEGINNING)]));
    }
    drop(store);
    let kept = place().await.load(BEGINNING + 2).await;
    assert_eq!(kept, Ok(vec![everybody(BEGINNING)]));

    // Dropped before it was answered: what is answered stays.
    let store = place().await;
    drop(store.load(BEGINNING + 3));
    drop(store);
    let kept = place().await.load(BEGINNING + 4).await;
    assert_eq!(kept, Ok(vec![everybody(BEGINNING)]));
}

async fn everything_is_read_back_as_it_was_saved(
    place: impl AsyncFn() -> Arc<dyn RevocationStore>,
) {
    let store = place().await;
    load(&store).await;
    // SQLite's numbers have a sign, and these have none.
    let numbers = [0, 1, (1 << 63) - 1, 1 << 63, u64::MAX];
    let mut expected = vec![everybody(u64::MAX)];
    for (index, number) in numbers.into_iter().enumerate() {
        expected.push(user(number, numbers[numbers.len() - 1 - index]));
        expected.push(session(&number.to_string(), number));
    }
    expected.push(session(&"~".repeat(64), 7));
    expected.push(session("!", 7));
    save(&store, expected.iter().rev().cloned().map(kept).collect()).await;
    expected.sort();
    assert_eq!(load(&store).await, expected);
    drop(store);
    assert_eq!(load(&place().await).await, expected);
}

async fn of_each_what_ends_most_stays(place: impl AsyncFn() -> Arc<dyn RevocationStore>) {
    let mut store = place().await;
    let other = vec![kept(session("b", 5)), kept(user(2, 5))];
    save(&store, other).await;
    load(&store).await;
    let beginning = BEGINNING;
    for (time, most) in [(3, 3), (9, 9), (9, 9), (4, 9), (2_000, 2_000), (3, 2_000)] {
        let now = [session("a", time), user(1, time), everybody(time)];
        save(&store, now.iter().cloned().map(kept).collect()).await;
        let expected = vec![
            session("a", most),
            session("b", 5),
            user(1, most),
            user(2, 5),
            everybody(most.max(beginning)),
        ];
        assert_eq!(load(&store).await, expected);
        drop(store);
        store = place().await;
        assert_eq!(load(&store).await, expected);
    }
}

async fn what_is_gone_is_gone_and_nothing_else(place: impl AsyncFn() -> Arc<dyn RevocationStore>) {
    let store = place().await;
    load(&store).await;
    let all = [
        session("a", 1),
        session("b", 2),
        user(1, 1),
        user(u64::MAX, 2),
    ];
    save(&store, all.into_iter().map(kept).collect()).await;
    let gone = vec![
        RevocationChange::SessionGone(SessionId::new("a".to_owned())),
        RevocationChange::SessionGone(SessionId::new("nobody's".to_owned())),
        RevocationChange::UserGone(UserId(1)),
        RevocationChange::UserGone(UserId(9)),
    ];
    save(&store, gone).await;
    let expected = vec![session("b", 2), user(u64::MAX, 2), everybody(BEGINNING)];
    assert_eq!(load(&store).await, expected);
    drop(store);
    assert_eq!(load(&place().await).await, expected);
}

async fn calls_take_effect_in_their_order_awaited_or_not(
    place: impl AsyncFn() -> Arc<dyn RevocationStore>,
) {
    let store = place().await;
    load(&store).await;
    drop(store.record(vec![kept(user(1, 1)), kept(session("a", 1))]));
    drop(store.record(vec![kept(user(1, 2))]));
    drop(
        store.record(vec![RevocationChange::SessionGone(SessionId::new(
            "a".to_owned(),
        ))]),
    );
    let expected = vec![user(1, 2), everybody(BEGINNING)];
    assert_eq!(load(&store).await, expected);
    drop(store.record(vec![kept(user(1, 3))]));
    save(&store, Vec::new()).await;
    drop(store);
    let expected = vec![user(1, 3), everybody(BEGINNING)];
    assert_eq!(load(&place().await).await, expected);
}

async fn load(store: &Arc<dyn RevocationStore>) -> Vec<Revocation> {
    store.load(BEGINNING).await.expect("is read")
}

async fn save(store: &Arc<dyn RevocationStore>, changes: Vec<RevocationChange>) {
    assert_eq!(store.record(changes).await, Ok(()));
}

fn kept(revocation: Revocation) -> RevocationChange {
    RevocationChange::Kept(revocation)
}

fn session(id: &str, ends_at: UnixMs) -> Revocation {
    let id = SessionId::new(id.to_owned());
    Revocation::Session {
        id,
        user_id: UserId(ends_at % 3),
        ends_at,
    }
}

fn user(id: u64, not_before: UnixMs) -> Revocation {
    Revocation::User {
        user_id: UserId(id),
        not_before,
    }
}

fn everybody(not_before: UnixMs) -> Revocation {
    Revocation::Everybody { not_before }
}
