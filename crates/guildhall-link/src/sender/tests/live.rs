use guildhall_model::{ChannelId, event::sample::Peep};

use super::*;

fn word(user: u64, until: u64) -> Arc<LiveEvent> {
    let peep = Peep {
        channel_id: ChannelId(5),
        user_id: UserId(user),
        until,
    };
    peep.said(GuildId(1)).into()
}

fn sent(word: Arc<LiveEvent>) -> Output {
    Output::Send(Frame::Live(word))
}

#[test]
fn all_words_come_behind_the_replay_and_of_each_the_latest() {
    let mut driven = Driven::new(at(1), complete());
    driven.take();
    for said in [word(8, 1), word(7, 1), word(8, 2)] {
        driven.input(Input::LiveSaid(said));
    }
    driven.subscribe(Some(at(0)));
    driven.take();
    driven.input(Input::JoinedAfter {
        after: at(0),
        head: at(1),
    });
    assert_eq!(driven.take(), [Output::Read(at(0))]);
    driven.input(read(vec![event(1)]));
    assert_eq!(
        driven.take(),
        [
            Output::Relay(event(1)),
            said(complete(), at(1)),
            Output::Send(Frame::SnapshotEnd { at: cursor(1) }),
            sent(word(7, 1)),
            sent(word(8, 2)),
        ]
    );
    driven.input(Input::LiveSaid(word(7, 3)));
    assert_eq!(driven.take(), [sent(word(7, 3))]);
}

#[test]
fn neither_lane_holds_up_the_other() {
    let mut driven = Driven::subscribed(at(0), complete());
    driven.take();
    driven.input(Input::HeadMoved(at(2)));
    driven.input(Input::LiveSaid(word(7, 1)));
    assert_eq!(driven.take(), [sent(word(7, 1)), Output::Read(at(0))]);
    driven.input(Input::LiveSaid(word(7, 2)));
    driven.input(read(vec![event(1)]));
    assert_eq!(
        driven.take(),
        [
            Output::Relay(event(1)),
            sent(word(7, 2)),
            Output::Read(at(1)),
        ]
    );
}
