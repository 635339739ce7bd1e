use guildhall_model::{ChannelId, event::sample::Peep};

use super::*;

#[test]
fn words_of_the_live_lane_pass_once_the_replica_is_complete() {
    let peep = Peep {
        channel_id: ChannelId(5),
        user_id: UserId(7),
        until: 3,
    };
    let word: Arc<LiveEvent> = peep.said(GuildId(1)).into();
    let mut driven = Driven::subscribed(Some(at(5)), at(5));
    driven.frames([status(), end_at(5), Frame::Live(Arc::clone(&word))]);
    assert_eq!(driven.take()[2..], [Output::Live(Arc::clone(&word))]);
    let mut early = Driven::subscribed(Some(at(5)), at(5));
    early.frames([Frame::Live(word)]);
    let violated = Output::Report(Violation::Unexpected);
    assert_eq!(early.take()[0], violated);
}
