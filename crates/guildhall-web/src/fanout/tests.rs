use std::{sync::Arc, time::Duration};

use guildhall_model::UserId;
use tokio::time::Instant;

use super::StreamRegistration;
use crate::stream::tests::harness::{ANNA, LOBBY, Stage, at, joined, left};

const GHOST: UserId = UserId(77);

#[tokio::test(start_paused = true)]
async fn a_group_is_published_once_and_wakes_each_stream_once() {
    let mut stage = Stage::hall();
    let mut anna = stage.open(ANNA, None);
    anna.pieces();
    let (woken, mut progress) = (anna.woken(), stage.fanout.replica().progress());
    progress.mark_unchanged();
    stage.tell_group(vec![
        joined(GHOST, LOBBY),
        left(GHOST, LOBBY),
        joined(GHOST, LOBBY),
    ]);
    assert!(progress.has_changed().expect("the replica lives"));
    assert_eq!(progress.borrow().position, Some(at(3)));
    assert_eq!(anna.woken(), woken + 1);
    assert_eq!(anna.names().len(), 3);
    assert_eq!(anna.pieces().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn people_who_left_are_forgotten_and_so_are_guilds_nobody_is_subscribed_to() {
    const MINUTE: Duration = Duration::from_mins(1);
    let stage = Stage::hall();
    let mut stream = stage.open(ANNA, None);
    stream.pieces();
    stage.fanout.sweep(Instant::now() + 2 * MINUTE, MINUTE);
    assert_eq!(stage.fanout.connected().len(), 1);
    drop(stream);
    assert!(stage.fanout.connected().is_empty());
    let registration = StreamRegistration::new(stage.fanout.viewer(ANNA));
    assert!(Arc::strong_count(registration.viewer()) > 1);
    drop(registration);
    stage.fanout.sweep(Instant::now() + 2 * MINUTE, MINUTE);
    assert!(stage.fanout.viewers().is_empty());
    assert!(stage.fanout.subscribers().is_empty());
}
