/// Who is of one class, and whom a change makes join again.
pub(crate) mod classes;

use std::{sync::Arc, time::Duration};

use guildhall_model::{Change, UserId, guild::Membership};
use tokio::time::Instant;

use super::StreamRegistration;
use crate::stream::tests::harness::{ANNA, Harness, LOBBY, at, joined, left};

const GHOST: UserId = UserId(77);

#[tokio::test(start_paused = true)]
async fn a_group_is_published_once_and_wakes_each_stream_once() {
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    let (woken, mut progress) = (anna.woken(), harness.fanout.replica().progress());
    progress.mark_unchanged();
    harness.tell_group(vec![
        joined(GHOST, LOBBY),
        left(GHOST, LOBBY),
        joined(GHOST, LOBBY),
    ]);
    assert!(progress.has_changed().expect("the replica lives"));
    assert_eq!(progress.borrow().positions, Some(at(3).into()));
    assert_eq!(anna.woken(), woken + 1);
    assert_eq!(anna.names().len(), 3);
    assert_eq!(anna.pieces().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_wakes_nobody_and_changes_nothing_of_what_its_person_sees() {
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    let viewer = harness.fanout.viewer(ANNA);
    let (woken, generation) = (anna.woken(), viewer.rights_generation());
    for until in [Some(u64::MAX), None] {
        harness.tell(Change::Rights {
            user_id: ANNA,
            membership: Some(Membership::member(Vec::new()).timed_out_until(until)),
        });
        assert_eq!(anna.woken(), woken);
        assert_eq!(viewer.rights_generation(), generation);
        assert!(anna.pieces().is_empty());
    }
    let mut back = harness.open(ANNA, Some(at(0)));
    assert_eq!(back.names(), ["resumed"], "no view begins anew");
    harness.tell(joined(GHOST, LOBBY));
    assert_eq!(anna.names(), ["voice.joined"]);
}

#[tokio::test(start_paused = true)]
async fn people_who_left_are_forgotten_and_so_are_guilds_nobody_is_subscribed_to() {
    const MINUTE: Duration = Duration::from_mins(1);
    let harness = Harness::hall();
    let mut stream = harness.open(ANNA, None);
    stream.pieces();
    harness.fanout.sweep(Instant::now() + 2 * MINUTE, MINUTE);
    assert_eq!(harness.fanout.connected().len(), 1);
    drop(stream);
    assert!(harness.fanout.connected().is_empty());
    let registration = StreamRegistration::new(harness.fanout.viewer(ANNA));
    assert!(Arc::strong_count(registration.viewer()) > 1);
    drop(registration);
    harness.fanout.sweep(Instant::now() + 2 * MINUTE, MINUTE);
    assert!(harness.fanout.viewers().is_empty());
    assert!(harness.fanout.subscribers().is_empty());
}
