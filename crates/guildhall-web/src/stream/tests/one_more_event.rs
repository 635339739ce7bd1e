//! An event more: what it takes on this side is nothing.

use guildhall_model::{
    Change, ChannelId,
    event::{
        EVENTS,
        sample::{Knock, ONE_MORE},
    },
};

use serde_json::json;

use super::harness::{ANNA, BEN, HALL, Harness, LOBBY, VAULT, at};
use crate::visible::Selector;

fn knock(channel_id: ChannelId) -> Change {
    Change::RoomKnocked(Knock {
        channel_id,
        user_id: ANNA,
    })
}

#[tokio::test(start_paused = true)]
async fn an_event_more_reaches_who_may_see_it_and_asked_for_it_live_and_replayed() {
    let mut harness = Harness::hall();
    let everything = Selector {
        families: ONE_MORE.all_families(),
        ..Selector::ALL
    };
    let open = |harness: &Harness, user, cursor| {
        harness.open_on(user, &[HALL], everything.clone(), cursor)
    };
    let (mut ben, mut anna) = (open(&harness, BEN, None), open(&harness, ANNA, None));
    let mut unasked = harness.open(BEN, None);
    for listener in [&mut ben, &mut anna, &mut unasked] {
        listener.events();
    }
    harness.tell(knock(LOBBY));
    harness.tell(knock(VAULT));

    let events = ben.events();
    assert!(events.iter().all(|sse| sse.event == "room.knocked"));
    assert_eq!(
        (events.len(), &events[1].data["channelId"]),
        (2, &json!(VAULT))
    );
    assert_eq!(events[0].id, Some(at(1).to_string()));
    assert_eq!(events[0].data["channelId"], LOBBY.to_string());
    assert_eq!(events[0].data["userId"], ANNA.to_string());
    assert_eq!(anna.names(), ["room.knocked"], "she does not see the vault");
    assert_eq!(Selector::ALL.families, EVENTS.all_families());
    assert!(unasked.names().is_empty(), "it comes when asked for alone");

    let mut back = open(&harness, ANNA, Some(at(0)));
    assert_eq!(back.names(), ["resumed", "room.knocked"]);
}
