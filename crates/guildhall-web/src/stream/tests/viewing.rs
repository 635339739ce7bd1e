use std::{collections::BTreeMap, time::Duration};

use guildhall_model::{Change, ChannelId, UserId, guild::RoomRights};
use tokio::time::advance;

use super::harness::{
    ANNA, ANNEX, BEN, CARL, HALL, Harness, LOBBY, Listener, VAULT, VAULT_ROLE, hall_of,
    hidden_but_for, joined, room,
};
use crate::visible::Selector;

const GHOST: UserId = UserId(77);

#[tokio::test(start_paused = true)]
async fn a_stream_counts_for_rooms_that_its_viewer_sees_until_it_ends() {
    let harness = Harness::hall();
    let (mut anna, mut ben) = (open(&harness, ANNA), open(&harness, BEN));
    assert_eq!(counts(&harness), BTreeMap::new(), "nothing was sent yet");
    anna.pieces();
    assert_eq!(counts(&harness), BTreeMap::from([(LOBBY, 1)]));
    ben.pieces();
    assert_eq!(counts(&harness), BTreeMap::from([(LOBBY, 2), (VAULT, 1)]));
    drop(ben);
    assert_eq!(counts(&harness), BTreeMap::from([(LOBBY, 1)]));
    advance(Duration::from_mins(51)).await;
    assert!(anna.text().contains("event: bye"));
    assert_eq!(
        counts(&harness),
        BTreeMap::new(),
        "its body may be kept for a while"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_see_the_room_any_more_does_not_count() {
    let mut harness = Harness::hall();
    let mut anna = open(&harness, ANNA);
    anna.pieces();
    let rights = |rights| Change::RoomRights {
        channel_id: LOBBY,
        rights,
    };
    harness.tell(rights(hidden_but_for(VAULT_ROLE)));
    anna.pieces();
    assert_eq!(counts(&harness), BTreeMap::new());
    harness.tell(rights(RoomRights::default()));
    anna.pieces();
    assert_eq!(counts(&harness), BTreeMap::from([(LOBBY, 1)]));
    harness.tell(Change::Rights {
        user_id: ANNA,
        membership: None,
    });
    anna.pieces();
    assert_eq!(counts(&harness), BTreeMap::new(), "nobody knows who she is");
    harness.look_up(ANNA, &[]);
    anna.pieces();
    assert_eq!(counts(&harness), BTreeMap::from([(LOBBY, 1)]));
    harness.tell(Change::RoomDeleted { channel_id: LOBBY });
    anna.pieces();
    assert_eq!(counts(&harness), BTreeMap::new());
    harness.tell(Change::RoomCreated(room(
        LOBBY,
        "Lobby",
        RoomRights::default(),
    )));
    anna.pieces();
    assert_eq!(counts(&harness), BTreeMap::from([(LOBBY, 1)]));
}

#[tokio::test(start_paused = true)]
async fn what_is_viewed_filters_nothing_and_a_narrower_query_counts_all_the_same() {
    let mut harness = Harness::hall();
    let vault_alone = Selector {
        channels: Some([VAULT].into()),
        ..Selector::ALL
    };
    let mut plain = harness.open(BEN, None);
    let mut viewing = harness.open(BEN, None);
    viewing.body.view(&[LOBBY]);
    let mut filtered = harness.open_on(BEN, &[HALL], vault_alone, None);
    filtered.body.view(&[LOBBY]);
    assert_eq!(plain.text(), viewing.text());
    filtered.pieces();
    assert_eq!(counts(&harness), BTreeMap::from([(LOBBY, 2)]));
    harness.tell(joined(GHOST, VAULT));
    assert_eq!(plain.text(), viewing.text());
}

#[tokio::test(start_paused = true)]
async fn a_narrower_query_hears_at_once_that_its_person_counts_no_more_and_counts_again() {
    let mut harness = Harness::hall();
    let vault_alone = Selector {
        channels: Some([VAULT].into()),
        ..Selector::ALL
    };
    let mut anna = harness.open_on(ANNA, &[HALL], vault_alone, None);
    anna.body.view(&[LOBBY]);
    anna.pieces();
    assert_eq!(counts(&harness), BTreeMap::from([(LOBBY, 1)]));
    for (rights, count) in [
        (hidden_but_for(VAULT_ROLE), BTreeMap::new()),
        (RoomRights::default(), BTreeMap::from([(LOBBY, 1)])),
    ] {
        let woken = anna.woken();
        harness.tell(Change::RoomRights {
            channel_id: LOBBY,
            rights,
        });
        assert_eq!(anna.woken(), woken + 1, "nothing is told her, and yet");
        assert!(anna.pieces().is_empty());
        assert_eq!(counts(&harness), count);
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_of_a_guild_that_the_query_is_not_about_does_not_count() {
    let mut annex = hall_of(ANNEX);
    let lounge = ChannelId(301);
    let rooms = [(lounge, room(lounge, "Lounge", RoomRights::default()))];
    annex.rooms = rooms.into();
    let harness = Harness::of(64, vec![(HALL, super::harness::hall()), (ANNEX, annex)]);
    let mut of_hall = harness.open(ANNA, None);
    of_hall.body.view(&[lounge]);
    of_hall.pieces();
    assert_eq!(counts(&harness), BTreeMap::new());
    let mut of_both = harness.open_on(ANNA, &[HALL, ANNEX], Selector::ALL, None);
    of_both.body.view(&[lounge, LOBBY]);
    of_both.pieces();
    assert_eq!(counts(&harness), BTreeMap::from([(LOBBY, 1), (lounge, 1)]));
}

#[tokio::test(start_paused = true)]
async fn nobody_counts_who_was_not_looked_up() {
    let harness = Harness::hall();
    let mut carl = open(&harness, CARL);
    carl.pieces();
    assert_eq!(counts(&harness), BTreeMap::new());
}

/// A stream whose person is on the pages of both rooms of the hall.
fn open(harness: &Harness, user: UserId) -> Listener {
    let mut listener = harness.open(user, None);
    listener.body.view(&[LOBBY, VAULT]);
    listener
}

fn counts(harness: &Harness) -> BTreeMap<ChannelId, u32> {
    harness.fanout.room_viewers().counts()
}
