//! Events that are worthless late: the latest word about each key, to who may see it now.

use guildhall_model::{
    Change, ChannelId, UserId,
    event::{
        Family,
        sample::{Peep, WITH_LIVE},
    },
    guild::RoomRights,
};

use super::harness::{
    ANNA, BEN, HALL, Harness, LOBBY, Listener, VAULT, VAULT_ROLE, at, hidden_but_for, joined,
};
use crate::visible::Selector;

fn open(harness: &Harness, user: UserId, cursor: Option<u64>) -> Listener {
    let selector = Selector {
        families: WITH_LIVE.all_families().with(Family::Voice),
        ..Selector::ALL
    };
    harness.open_on(user, &[HALL], selector, cursor.map(at))
}

fn say(harness: &mut Harness, room: ChannelId, user: UserId, until: u64) {
    let peep = Peep {
        channel_id: room,
        user_id: user,
        until,
    };
    harness.writer.live(&peep.said(HALL).into());
}

/// What the live lane says now: until when, of each word. No such event has an id.
fn words(listener: &mut Listener) -> Vec<u64> {
    let events = listener.events().into_iter();
    let live = events.filter(|sse| sse.event == "room.peeped");
    live.map(|sse| {
        assert_eq!(sse.id, None);
        sse.data["until"].as_u64().expect("a number")
    })
    .collect()
}

#[tokio::test(start_paused = true)]
async fn the_latest_word_about_each_comes_to_who_sees_its_room_and_asked() {
    let mut harness = Harness::hall();
    let (mut ben, mut anna) = (open(&harness, BEN, None), open(&harness, ANNA, None));
    let mut unasked = harness.open(BEN, None);
    for listener in [&mut ben, &mut anna, &mut unasked] {
        listener.events();
    }
    let woken = (unasked.woken(), anna.woken());
    say(&mut harness, VAULT, BEN, 1);
    assert_eq!((unasked.woken(), anna.woken()), woken, "not for them");
    say(&mut harness, LOBBY, ANNA, 2);
    say(&mut harness, LOBBY, ANNA, 3);
    assert_eq!(words(&mut ben), [1, 3]);
    assert_eq!(words(&mut anna), [3]);
    assert_eq!(unasked.events(), []);
    say(&mut harness, LOBBY, ANNA, 4);
    assert_eq!(words(&mut ben), [4]);
    assert_eq!(words(&mut ben), [0; 0], "each once");
}

#[tokio::test(start_paused = true)]
async fn all_of_it_is_told_at_each_opening_and_after_each_attachment() {
    let mut harness = Harness::hall();
    say(&mut harness, LOBBY, ANNA, 1);
    say(&mut harness, LOBBY, BEN, 2);
    let mut ben = open(&harness, BEN, None);
    let first = ben.text();
    let (snapshot, word) = (first.find("event: snapshot"), first.find("room.peeped"));
    assert!(snapshot.is_some() && snapshot < word, "{first}");
    harness.tell(joined(ANNA, LOBBY));
    let mut back = open(&harness, BEN, Some(0));
    assert_eq!(words(&mut back), [1, 2], "no replay, the state");

    harness.complete();
    say(&mut harness, LOBBY, BEN, 3);
    let mut late = open(&harness, BEN, None);
    assert_eq!(words(&mut late), [3], "what was not told anew is over");
    harness.tell(Change::GuildRemoved);
    let fanout = &harness.fanout;
    assert!(fanout.live_between(HALL, 0, fanout.live_last()).is_empty());
}

#[tokio::test(start_paused = true)]
async fn rights_of_the_moment_judge_it() {
    let mut harness = Harness::hall();
    let mut anna = open(&harness, ANNA, None);
    anna.events();
    say(&mut harness, VAULT, BEN, 1);
    say(&mut harness, LOBBY, ANNA, 2);
    harness.tell(Change::RoomRights {
        channel_id: LOBBY,
        rights: hidden_but_for(VAULT_ROLE),
    });
    assert_eq!(words(&mut anna), [0; 0], "hidden before it was read");
    harness.tell(Change::RoomRights {
        channel_id: VAULT,
        rights: RoomRights::default(),
    });
    assert_eq!(words(&mut anna), [1], "and who sees a room is told of it");
}

#[tokio::test(start_paused = true)]
async fn what_was_said_of_a_room_comes_behind_the_room_to_whoever_sees_it_from_now_on() {
    let mut harness = Harness::hall();
    let mut anna = open(&harness, ANNA, None);
    anna.events();
    say(&mut harness, VAULT, BEN, 1);
    assert_eq!(anna.events(), []);
    // Her class goes on with the room: she does not join again.
    let generation = harness.fanout.viewer(ANNA).rights_generation();
    harness.look_up(ANNA, &[VAULT_ROLE]);
    let told: Vec<String> = anna.names();
    assert_eq!(told, ["room.shown", "room.peeped"]);
    assert_eq!(harness.fanout.viewer(ANNA).rights_generation(), generation);
    harness.look_up(ANNA, &[]);
    say(&mut harness, VAULT, BEN, 2);
    assert_eq!(anna.names(), ["room.hidden"]);
}

#[tokio::test(start_paused = true)]
async fn who_loses_a_room_is_not_told_again_what_they_know_of_others() {
    let mut harness = Harness::hall();
    let mut ben = open(&harness, BEN, None);
    ben.events();
    say(&mut harness, LOBBY, ANNA, 1);
    assert_eq!(words(&mut ben), [1]);
    harness.look_up(BEN, &[]);
    assert_eq!(ben.names(), ["room.hidden"]);
}
