use std::collections::BTreeSet;

use guildhall_model::GuildId;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::attachment::MESSAGE_BYTES_TO_GATEWAY;

fn guilds(count: usize) -> Vec<GuildId> {
    let count = u64::try_from(count).expect("few");
    (0..count)
        .map(|number| GuildId(u64::MAX - number))
        .collect()
}

/// The requests that a watch goes as.
fn requests(outputs: &[Out]) -> Vec<(u64, Vec<GuildId>)> {
    let request = |output: &Out| match output {
        Output::Send(frame @ Frame::Request(request)) => {
            let size = frame.encode(u64::MAX).len();
            assert!(size <= MESSAGE_BYTES_TO_GATEWAY, "{size} bytes");
            let RequestBody::Watch(watch) = &request.body else {
                panic!("no watch: {request:?}")
            };
            assert_eq!(watch.user_id, UserId(u64::MAX));
            Some((request.id, watch.guild_ids.clone()))
        }
        _ => None,
    };
    outputs.iter().filter_map(request).collect()
}

fn ask(driven: &mut Driven, reply: u64, guild_ids: &[GuildId]) -> Vec<(u64, Vec<GuildId>)> {
    let due = driven.now + WATCH_LIMIT;
    driven.input(Input::WatchAsked {
        user_id: UserId(u64::MAX),
        guild_ids: guild_ids.to_vec(),
        due,
        reply,
    });
    requests(&driven.take())
}

fn acked(request_id: u64, seq: u64, failed: &[GuildId]) -> Frame {
    let watched = Watched {
        at: cursor(seq),
        failed: failed.to_vec(),
    };
    Frame::Reply(Reply {
        id: request_id,
        result: Ok(ReplyBody::Watched(watched)),
    })
}

#[test]
fn a_watch_of_many_guilds_goes_as_several_requests_and_is_answered_when_all_are() {
    let mut driven = Driven::subscribed(None, at(0));
    let all = guilds(2 * GUILDS_PER_WATCH + 1);
    let asked = ask(&mut driven, 70, &all);
    assert_eq!(asked.len(), 3);
    let other = ask(&mut driven, 71, &all[..1]);
    driven.frames([acked(asked[2].0, 9, &all[2_000..])]);
    driven.frames([acked(asked[0].0, 7, &all[..2]), acked(asked[0].0, 99, &[])]);
    assert_eq!(driven.take(), []);
    driven.frames([acked(other[0].0, 8, &[])]);
    assert!(matches!(
        driven.take()[..],
        [Output::Answer { reply: 71, .. }]
    ));
    driven.frames([acked(asked[1].0, 8, &[])]);
    let [
        Output::Answer {
            reply: 70,
            answer: Ok(ReplyBody::Watched(watched)),
        },
    ] = &driven.take()[..]
    else {
        panic!("the answer")
    };
    assert_eq!(
        watched.at,
        cursor(9),
        "nothing may be shown before the last of them"
    );
    assert_eq!(watched.failed, [all[2_000], all[0], all[1]]);
}

#[test]
fn a_part_without_an_answer_is_a_watch_without_one() {
    let mut driven = Driven::subscribed(None, at(0));
    let asked = ask(&mut driven, 70, &guilds(1_500));
    driven.frames([acked(asked[0].0, 7, &[])]);
    driven.now += WATCH_LIMIT;
    driven.input(SocketInput::TimePassed);
    let unanswered = Output::Answer {
        reply: 70,
        answer: Err(Unanswered::Late),
    };
    assert!(driven.take().contains(&unanswered));
    driven.frames([acked(asked[1].0, 7, &[])]);
    assert_eq!(driven.take(), []);
    // Nothing of it counts any longer.
    for _ in 0..REQUESTS_IN_FLIGHT {
        assert_eq!(ask(&mut driven, 71, &[]).len(), 1);
    }
    assert_eq!(ask(&mut driven, 72, &[]).len(), 0, "refused");
}

proptest! {
    #[test]
    fn whatever_is_asked_no_frame_is_too_big_and_each_guild_is_asked_for_once(
        sizes in vec(prop_oneof![4 => 0..10_usize, 2 => 900..1_100_usize, 1 => 0..9_000_usize], 1..6),
        answers in vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let mut driven = Driven::subscribed(None, at(0));
        let mut open: Vec<(u64, u64)> = Vec::new();
        for (reply, size) in (0..).zip(sizes) {
            let all = guilds(size);
            let requests = ask(&mut driven, reply, &all);
            let named: Vec<GuildId> = requests.iter().flat_map(|(_, ids)| ids).copied().collect();
            prop_assert_eq!(named, all);
            prop_assert!(!requests.is_empty(), "one without guilds is asked too");
            open.extend(requests.iter().map(|(id, _)| (*id, reply)));
        }
        for answer in answers {
            if open.is_empty() {
                break;
            }
            let (request_id, reply) = open.swap_remove(answer.index(open.len()));
            driven.frames([acked(request_id, 3, &[])]);
            let last = open.iter().all(|(_, other)| *other != reply);
            prop_assert_eq!(driven.take().len(), usize::from(last), "answered with its last part");
        }
        let left: BTreeSet<u64> = open.iter().map(|(_, reply)| *reply).collect();
        driven.input(SocketInput::ConnectionLost);
        prop_assert_eq!(driven.take().len(), left.len() + 1);
    }
}
