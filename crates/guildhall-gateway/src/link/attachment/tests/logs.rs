use std::collections::BTreeMap;

use guildhall_link::frame::Ack;

use super::*;

/// A guild whose log is this one of three.
fn guild_of(log: u64) -> GuildId {
    GuildId(log << 22)
}

#[tokio::test]
async fn three_logs_come_whole_and_each_in_its_order_while_one_is_busy() {
    let harness = Harness::open_with(2).await;
    harness.append(3_000);
    for other in &harness.others {
        other.append(7, 10);
    }
    let mut web = harness.dial(Some(at(0))).await;
    let mut next = BTreeMap::from([(0, 1), (1, 1), (2, 1)]);
    let mut relayed = 0;
    let mut complete = None;
    while next[&0] <= 4_000 || next[&1] <= 20 || next[&2] <= 20 {
        match web.next().await {
            Output::Apply(group) => {
                let [at] = places(&group)[..] else {
                    panic!("a group of one")
                };
                let expected = next.get_mut(&at.log.0).expect("one of the three");
                assert_eq!(at.seq, *expected, "log {}", at.log);
                *expected += 1;
                relayed += 1;
                if at.log != LogId(0) && at.seq == 10 {
                    assert!(next[&0] < 500, "each has its turns: {next:?}");
                }
            }
            Output::Complete(at) => {
                complete = Some((at, relayed));
                harness.append(1_000);
                for other in &harness.others {
                    other.append(7, 10);
                }
            }
            Output::Begin(log) => assert_ne!(log, LogId(0), "it goes on there"),
            Output::Base(_) | Output::Status(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let (complete, relayed) = complete.expect("the replay ended");
    assert_eq!(complete.positions().len(), 3);
    assert!(relayed >= 3_020, "and not before all was there: {relayed}");
}

#[tokio::test]
async fn a_watch_is_asked_of_each_log_and_answered_when_all_have() {
    let mut harness = Harness::open_with(2).await;
    let mut web = harness.dial(None).await;
    while !matches!(web.next().await, Output::Complete(_)) {}
    let watch = |guild_ids, reply| receiver::Input::WatchAsked {
        user_id: UserId(5),
        guild_ids,
        due: now() + PATIENCE,
        reply,
    };
    let both = vec![guild_of(0), guild_of(1), guild_of(4)];
    web.machine.handle(watch(both, 70), now());
    web.machine.handle(watch(vec![guild_of(2)], 71), now());

    // The second log is slow: nobody takes what it is asked.
    let mut first = harness.sequencer_inbox.take().expect("there");
    let mut second = harness.others[0].sequencer_inbox.take().expect("there");
    let mut third = harness.others[1].sequencer_inbox.take().expect("there");
    let place = |log, seq| Position::start(LogId(log), 1_000).at(seq);
    let answering = async {
        answer(&mut first, &[guild_of(0)], place(0, 0)).await;
        answer(&mut third, &[guild_of(2)], place(2, 0)).await;
    };
    let (answered, ()) = tokio::join!(web.next(), answering);
    let Output::Answer {
        reply: 71,
        answer: Ok(ReplyBody::Watched(watched)),
    } = answered
    else {
        panic!("not the one that waits for nobody: {answered:?}")
    };
    assert_eq!(watched.at, place(2, 0).into());

    let asked = [guild_of(1), guild_of(4)];
    let slow = answer(&mut second, &asked, place(1, 0));
    let (answered, ()) = tokio::join!(web.next(), slow);
    let Output::Answer {
        reply: 70,
        answer: Ok(ReplyBody::Watched(watched)),
    } = answered
    else {
        panic!("no answer: {answered:?}")
    };
    let at = Cursor::new([place(0, 0), place(1, 0)]).expect("two");
    assert_eq!(watched.at, at);
    assert_eq!(watched.failed, [guild_of(0), guild_of(1), guild_of(4)]);
}

/// Takes a watch as a sequencer does, and fails everywhere.
async fn answer(inbox: &mut SequencerInbox, expected: &[GuildId], at: Position) {
    let Some(inbox::Input::Watch(watch)) = inbox.recv().await else {
        panic!("no watch")
    };
    assert_eq!(watch.guild_ids, expected);
    let ack = Ack {
        request_id: watch.reply.request_id,
        at,
        failed: watch.guild_ids,
    };
    watch.reply.to.try_send(ack).expect("there is room");
}
