//! Revocations, whose process is killed.

use std::path::Path;

use guildhall_model::{Revocation, SessionId, UserId};
use guildhall_ports::{RevocationChange, RevocationStore, memory::MemoryRevocationStore};
use guildhall_stores::sqlite::SqliteJournals;
use tempfile::tempdir;
use tokio::runtime::Builder;

use crate::child;

const KILLS: usize = 20;
/// Calls that are under way at one time.
const AT_ONCE: u64 = 4;
/// A session is gone when so many have come after it.
const KEPT: u64 = 10;

/// When the file begins.
const BEGINNING: u64 = 7;

#[test]
fn kill_9_at_any_instant_leaves_what_was_answered_revoked() {
    if let Some(path) = child::journal() {
        return save_until_killed(&path);
    }
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("guildhall.db");
    let mut acknowledged = 0;
    for _ in 0..KILLS {
        let test = "kill_revocations::kill_9_at_any_instant_leaves_what_was_answered_revoked";
        let answers = child::random_below(30);
        acknowledged = acknowledged.max(child::write_and_kill(test, &path, answers));
        let there = loaded(&path);
        // What was under way may be there as well, and nothing without what was called before it.
        let possible = acknowledged..=acknowledged + AT_ONCE;
        let found = possible.rev().find(|calls| after(*calls) == there);
        acknowledged = found.unwrap_or_else(|| panic!("not as after {acknowledged}: {there:#?}"));
    }
    assert!(acknowledged > 6 * KEPT, "some are gone");
}

fn save_until_killed(path: &Path) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        child::say(0);
        let store = SqliteJournals::open(path, "DATA_DIR").expect("opens");
        let kept = RevocationStore::load(&store, BEGINNING).await;
        let mut calls = calls_of(&kept.expect("is read"));
        loop {
            let next = calls + 1..=calls + AT_ONCE;
            let save = |number| store.record(changes(number));
            let answers: Vec<_> = next.map(save).collect();
            for answer in answers {
                answer.await.expect("is saved");
            }
            calls += AT_ONCE;
            child::say(calls);
        }
    });
}

/// A session and all of a user's are over, and an earlier one need not be known any more.
fn changes(number: u64) -> Vec<RevocationChange> {
    let name = |number: u64| SessionId::new(format!("{number:024}"));
    vec![
        RevocationChange::SessionGone(name(number.saturating_sub(KEPT))),
        RevocationChange::Kept(Revocation::Session {
            id: name(number),
            user_id: UserId(number % 7),
            ends_at: number,
        }),
        RevocationChange::Kept(Revocation::User {
            user_id: UserId(number % 7),
            not_before: number,
        }),
    ]
}

/// How many calls had been made.
fn calls_of(kept: &[Revocation]) -> u64 {
    let of_users = kept.iter().map(|revocation| match revocation {
        Revocation::User { not_before, .. } => *not_before,
        Revocation::Session { .. } | Revocation::Everybody { .. } => 0,
    });
    of_users.max().unwrap_or(0)
}

/// What is there after so many calls.
fn after(calls: u64) -> Vec<Revocation> {
    let reference = MemoryRevocationStore::default();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for number in 1..=calls {
            let saved = reference.record(changes(number)).await;
            saved.expect("is saved");
        }
        reference.load(BEGINNING).await.expect("is read")
    })
}

fn loaded(path: &Path) -> Vec<Revocation> {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let store = SqliteJournals::open(path, "DATA_DIR").expect("opens at once");
    let kept = runtime.block_on(RevocationStore::load(&store, BEGINNING));
    kept.expect("is read")
}
