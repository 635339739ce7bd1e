//! The suite of [`CommandJournal`]: every promise that one process can see.

/// Random histories, compared with a list of the calls.
mod random;
/// What is kept: every command, in every state.
mod sample;

use std::{collections::BTreeMap, sync::Arc};

use crate::command_journal::{CommandJournal, CommandState, KeptCommand};

use sample::{command, commands, intended, queued, settled};

/// So many calls are under way at one time. An adapter may refuse a caller who waits for nothing.
const AT_ONCE: usize = 100;

/// Every promise of [`CommandJournal`] that one process can see.
///
/// `fresh` makes a place where nothing is kept yet; calling the place opens the journal there. The
/// suite drops all handles on it before it opens it again.
pub async fn command_journal<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn CommandJournal>,
{
    Box::pin(nothing_is_there_that_was_not_kept(fresh())).await;
    Box::pin(commands_are_loaded_in_the_order_of_their_ids(fresh())).await;
    Box::pin(every_command_and_state_is_read_back_as_it_was_kept(fresh())).await;
    Box::pin(what_is_kept_takes_the_place_of_what_was(fresh())).await;
    Box::pin(what_is_forgotten_is_gone_and_nothing_else(fresh())).await;
    Box::pin(calls_take_effect_in_their_order_awaited_or_not(fresh())).await;
    Box::pin(a_look_has_in_it_what_was_called_before_it(fresh())).await;
    Box::pin(many_commands_are_kept_and_forgotten_at_once(fresh())).await;
    Box::pin(random::any_history_ends_as_with_a_list(fresh)).await;
}

async fn nothing_is_there_that_was_not_kept(place: impl AsyncFn() -> Arc<dyn CommandJournal>) {
    let journal = place().await;
    assert_eq!(journal.load().await, Ok(Vec::new()));
    assert_eq!(journal.forget(Vec::new()).await, Ok(()));
    assert_eq!(journal.forget(vec![0, 7, u64::MAX]).await, Ok(()));
    assert_eq!(journal.load().await, Ok(Vec::new()));
    drop(journal);
    assert_eq!(place().await.load().await, Ok(Vec::new()));
}

async fn commands_are_loaded_in_the_order_of_their_ids(
    place: impl AsyncFn() -> Arc<dyn CommandJournal>,
) {
    let ids = [5, u64::MAX, 0, 1 << 63, 7, (1 << 63) - 1, 6];
    let journal = place().await;
    for id in ids {
        keep(&journal, command(id, intended())).await;
    }
    let mut expected = ids.map(|id| command(id, intended()));
    expected.sort_by_key(|command| command.id);
    assert_eq!(journal.load().await, Ok(expected.to_vec()));
    drop(journal);
    assert_eq!(place().await.load().await, Ok(expected.to_vec()));
}

async fn every_command_and_state_is_read_back_as_it_was_kept(
    place: impl AsyncFn() -> Arc<dyn CommandJournal>,
) {
    let journal = place().await;
    let all = commands();
    for commands in all.chunks(AT_ONCE) {
        keep_all(&journal, commands.iter().cloned()).await;
    }
    assert_eq!(journal.load().await, Ok(all.clone()));
    drop(journal);
    assert_eq!(place().await.load().await, Ok(all));
}

async fn what_is_kept_takes_the_place_of_what_was(
    place: impl AsyncFn() -> Arc<dyn CommandJournal>,
) {
    let other = command(2, queued(9));
    let mut journal = place().await;
    keep(&journal, other.clone()).await;
    for state in [intended(), queued(3), queued(4), settled(5), intended()] {
        let now = command(1, state);
        keep(&journal, now.clone()).await;
        // As it is, once more.
        keep(&journal, now.clone()).await;
        let expected = vec![now, other.clone()];
        assert_eq!(journal.load().await, Ok(expected.clone()));
        drop(journal);
        journal = place().await;
        assert_eq!(journal.load().await, Ok(expected));
    }
    // Another request under the same id.
    let anew = KeptCommand {
        id: 1,
        ..command(3, settled(6))
    };
    keep(&journal, anew.clone()).await;
    assert_eq!(journal.load().await, Ok(vec![anew, other]));
}

async fn what_is_forgotten_is_gone_and_nothing_else(
    place: impl AsyncFn() -> Arc<dyn CommandJournal>,
) {
    let kept = |ids: &[u64]| -> Vec<KeptCommand> {
        ids.iter().map(|id| command(*id, settled(*id))).collect()
    };
    let journal = place().await;
    for command in kept(&[1, 2, 3, 4, 5]) {
        keep(&journal, command).await;
    }
    // Twice, and ids that are not kept, between those that are.
    let gone = journal.forget(vec![4, 9, 2, 2, u64::MAX, 0]).await;
    assert_eq!(gone, Ok(()));
    assert_eq!(journal.load().await, Ok(kept(&[1, 3, 5])));
    assert_eq!(journal.forget(vec![2, 4]).await, Ok(()));
    drop(journal);

    let journal = place().await;
    assert_eq!(journal.load().await, Ok(kept(&[1, 3, 5])));
    keep(&journal, command(2, queued(7))).await;
    let mut expected = kept(&[1, 2, 3, 5]);
    expected[1] = command(2, queued(7));
    assert_eq!(journal.load().await, Ok(expected));
    assert_eq!(journal.forget(vec![1, 2, 3, 5]).await, Ok(()));
    assert_eq!(journal.load().await, Ok(Vec::new()));
    drop(journal);
    assert_eq!(place().await.load().await, Ok(Vec::new()));
}

/// Whoever waits for the last has all of them, and so does whoever opens it next.
async fn calls_take_effect_in_their_order_awaited_or_not(
    place: impl AsyncFn() -> Arc<dyn CommandJournal>,
) {
    let journal = place().await;
    drop(journal.keep(command(1, intended())));
    drop(journal.keep(command(2, intended())));
    drop(journal.forget(vec![1]));
    drop(journal.keep(command(1, queued(1))));
    drop(journal.keep(command(3, intended())));
    drop(journal.keep(command(1, settled(1))));
    drop(journal.forget(vec![3]));
    keep(&journal, command(2, settled(2))).await;
    let expected = vec![command(1, settled(1)), command(2, settled(2))];
    drop(journal);
    assert_eq!(place().await.load().await, Ok(expected));
}

async fn a_look_has_in_it_what_was_called_before_it(
    place: impl AsyncFn() -> Arc<dyn CommandJournal>,
) {
    let journal = place().await;
    let before = journal.load();
    let kept = journal.keep(command(1, intended()));
    let between = journal.load();
    let forgotten = journal.forget(vec![1]);
    let after = journal.load();
    // Answered in whichever order.
    assert_eq!(after.await, Ok(Vec::new()));
    assert_eq!((kept.await, forgotten.await), (Ok(()), Ok(())));
    assert_eq!(between.await, Ok(vec![command(1, intended())]));
    assert_eq!(before.await, Ok(Vec::new()));
}

async fn many_commands_are_kept_and_forgotten_at_once(
    place: impl AsyncFn() -> Arc<dyn CommandJournal>,
) {
    const MANY: u64 = 3_000;
    let journal = place().await;
    let mut expected = BTreeMap::new();
    let ids: Vec<u64> = (1..=MANY).collect();
    for state in [intended, || settled(8)] as [fn() -> CommandState; 2] {
        for ids in ids.chunks(AT_ONCE) {
            let commands = ids.iter().map(|id| command(*id, state()));
            expected.extend(commands.clone().map(|command| (command.id, command)));
            keep_all(&journal, commands).await;
        }
    }
    let all: Vec<KeptCommand> = expected.values().cloned().collect();
    assert_eq!(journal.load().await, Ok(all));
    let odd = |id: &u64| id % 2 == 1;
    assert_eq!(
        journal.forget(ids.into_iter().filter(odd).collect()).await,
        Ok(())
    );
    drop(journal);
    expected.retain(|id, _| !odd(id));
    let left: Vec<KeptCommand> = expected.into_values().collect();
    assert_eq!(place().await.load().await, Ok(left));
}

/// All of them are under way before the first is answered.
async fn keep_all(journal: &Arc<dyn CommandJournal>, commands: impl Iterator<Item = KeptCommand>) {
    let kept: Vec<_> = commands.map(|command| journal.keep(command)).collect();
    for kept in kept {
        assert_eq!(kept.await, Ok(()));
    }
}

async fn keep(journal: &Arc<dyn CommandJournal>, command: KeptCommand) {
    assert_eq!(journal.keep(command).await, Ok(()));
}
