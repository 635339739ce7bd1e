use std::time::Duration;

use guildhall_model::{
    Change, Position, RoleId, UserId,
    event::{Family, FamilySet},
    guild::Membership,
};
use tokio::time::advance;

use super::harness::{
    ANNA, BEN, CARL, EPOCH, HALL, Harness, LOBBY, VAULT, VAULT_ROLE, at, hall, hidden_but_for,
    joined, left, room,
};
use crate::{auth::EndReason, visible::Selector};

const GHOST: UserId = UserId(77);

#[tokio::test(start_paused = true)]
async fn a_new_stream_gets_a_snapshot_and_then_what_happens() {
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    let first = anna.events();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].event, "snapshot");
    assert_eq!(first[0].id.as_deref(), Some(at(0).to_string().as_str()));
    assert_eq!(first[0].data["reason"], "no_cursor");
    assert_eq!(first[0].data["status"]["discord"], "live");
    assert_eq!(first[0].data["guilds"][0]["rooms"][0]["name"], "Lobby");
    assert!(first[0].retry.is_some(), "reconnects are spread");

    harness.tell(joined(GHOST, LOBBY));
    let next = anna.events();
    assert_eq!(next.len(), 1);
    assert_eq!(
        (next[0].event.as_str(), next[0].id.as_deref()),
        ("voice.joined", Some(at(1).to_string().as_str()))
    );
    assert_eq!(next[0].data["userId"], "77");
    assert_eq!(next[0].data["guildId"], "100");
}

#[tokio::test(start_paused = true)]
async fn one_pending_record_is_shared_and_many_are_one_write() {
    let mut harness = Harness::hall();
    let (mut anna, mut ben) = (harness.open(ANNA, None), harness.open(BEN, None));
    anna.pieces();
    ben.pieces();
    harness.tell(joined(GHOST, LOBBY));
    let (one, same) = (anna.pieces(), ben.pieces());
    assert_eq!(
        one[0].as_ptr(),
        same[0].as_ptr(),
        "the same bytes, not a copy"
    );
    harness.tell(left(GHOST, LOBBY));
    harness.tell(joined(GHOST, LOBBY));
    assert_eq!(anna.pieces().len(), 1, "all that is pending at once");
}

#[tokio::test(start_paused = true)]
async fn a_hidden_room_shows_in_no_byte_and_wakes_nobody() {
    let mut harness = Harness::hall();
    let (mut anna, mut ben) = (harness.open(ANNA, None), harness.open(BEN, None));
    let before = anna.text();
    assert!(
        !before.contains("Vault") && !before.contains("202"),
        "{before}"
    );
    assert!(ben.text().contains("Vault"));
    let (anna_woken, ben_woken) = (anna.woken(), ben.woken());

    harness.tell(joined(GHOST, VAULT));
    assert_eq!((anna.woken(), ben.woken()), (anna_woken, ben_woken + 1));
    assert_eq!(ben.names(), ["voice.joined"]);
    harness.tell(left(GHOST, VAULT));
    harness.tell(joined(GHOST, LOBBY));

    let text = anna.text();
    assert!(!text.contains("202"), "{text}");
    let mut again = harness.open(ANNA, Some(at(0)));
    let replay = again.text();
    assert!(
        replay.contains("event: resumed") && !replay.contains("202"),
        "{replay}"
    );
    assert_eq!(ben.names(), ["voice.left", "voice.joined"]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_guild_wakes_no_stream_of_another() {
    let other = guildhall_model::GuildId(900);
    let mut harness = Harness::of(64, vec![(HALL, hall()), (other, hall())]);
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    let woken = anna.woken();
    for _ in 0..100 {
        harness.tell_in(other, joined(GHOST, LOBBY));
    }
    assert_eq!(anna.woken(), woken);
    let mut again = harness.open(ANNA, Some(at(0)));
    assert_eq!(again.names(), ["resumed"], "nor did it evict anything here");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_in_the_window_is_resumed_and_replays_only_what_came_after() {
    let mut harness = Harness::hall();
    harness.tell(joined(GHOST, LOBBY));
    harness.tell(joined(BEN, VAULT));
    harness.tell(left(GHOST, LOBBY));
    let mut anna = harness.open(ANNA, Some(at(1)));
    let events = anna.events();
    assert_eq!(events[0].event, "resumed");
    assert_eq!(events[0].data["replayed"], 1);
    assert_eq!(
        events[0].id.as_deref(),
        Some(at(2).to_string().as_str()),
        "before what comes"
    );
    assert_eq!(events[1].event, "voice.left");
    assert_eq!(events.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_a_faster_instance_is_honoured_and_the_stream_begins_after_it() {
    let mut harness = Harness::hall();
    harness.tell(joined(GHOST, LOBBY));
    let mut anna = harness.open(ANNA, Some(at(3)));
    let events = anna.events();
    assert_eq!((events.len(), events[0].event.as_str()), (1, "resumed"));
    assert_eq!(events[0].id.as_deref(), Some(at(3).to_string().as_str()));
    harness.tell(left(GHOST, LOBBY));
    harness.tell(joined(GHOST, LOBBY));
    assert!(anna.names().is_empty(), "it has these already");
    harness.tell(left(GHOST, LOBBY));
    assert_eq!(
        anna.events()[0].id.as_deref(),
        Some(at(4).to_string().as_str())
    );
}

#[tokio::test(start_paused = true)]
async fn a_right_gained_or_lost_shows_or_hides_rooms_of_an_open_stream() {
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    harness.tell(joined(GHOST, VAULT));
    assert!(anna.names().is_empty());
    harness.look_up(ANNA, &[VAULT_ROLE]);
    let gained = anna.events();
    assert_eq!(gained.len(), 1);
    assert_eq!(gained[0].event, "room.shown");
    assert_eq!(gained[0].data["name"], "Vault");
    assert_eq!(gained[0].data["members"][0]["userId"], "77");
    assert_eq!(gained[0].id.as_deref(), Some(at(2).to_string().as_str()));

    harness.tell(left(GHOST, VAULT));
    harness.look_up(ANNA, &[]);
    harness.tell(joined(GHOST, VAULT));
    let lost = anna.events();
    let names: Vec<_> = lost.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(
        names,
        ["voice.left", "room.hidden"],
        "what came before the change is still shown"
    );
    assert_eq!(lost[1].data["channelId"], "202");
    assert_eq!(lost[1].id.as_deref(), Some(at(4).to_string().as_str()));

    harness.look_up(ANNA, &[RoleId(51)]);
    assert!(
        anna.names().is_empty(),
        "a role that shows nothing new is nobody's business"
    );
}

#[tokio::test(start_paused = true)]
async fn a_viewer_whose_role_was_deleted_no_longer_sees_its_room_at_once() {
    let mut harness = Harness::hall();
    let mut ben = harness.open(BEN, None);
    assert!(ben.text().contains("Vault"));
    // Nobody looked Ben up since: the role is in his list still, and in the room's overwrites.
    harness.tell(Change::RoleRemoved {
        role_id: VAULT_ROLE,
    });
    harness.tell(joined(GHOST, VAULT));
    let lost = ben.events();
    let names: Vec<_> = lost.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(names, ["room.hidden"]);
    assert!(!lost[0].data.to_string().contains("Vault"));
    // By the reconnect of a cursor from before, and by a new stream, too.
    for cursor in [Some(at(0)), None] {
        assert!(!harness.open(BEN, cursor).text().contains("Vault"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reconnect_over_a_change_of_rights_starts_with_a_snapshot() {
    let mut harness = Harness::hall();
    harness.tell(joined(GHOST, LOBBY));
    harness.tell(Change::RoomRights {
        channel_id: VAULT,
        rights: hidden_but_for(HALL.everyone()),
    });
    let mut anna = harness.open(ANNA, Some(at(0)));
    assert_eq!(anna.events()[0].data["reason"], "authz_changed");
    let mut ben = harness.open(BEN, Some(at(0)));
    assert_eq!(
        ben.names(),
        ["resumed", "voice.joined"],
        "Ben saw it before and after"
    );
    let mut later = harness.open(ANNA, Some(at(2)));
    assert_eq!(later.names(), ["resumed"]);
}

#[tokio::test(start_paused = true)]
async fn a_room_made_for_one_member_is_told_as_a_room() {
    let mut harness = Harness::hall();
    let (mut anna, mut ben) = (harness.open(ANNA, None), harness.open(BEN, None));
    anna.pieces();
    ben.pieces();
    let mut den = room(
        guildhall_model::ChannelId(203),
        "Den",
        hidden_but_for(RoleId(999)),
    );
    den.rights.overwrites[1].target = guildhall_model::guild::OverwriteTarget::Member(ANNA);
    harness.tell(Change::RoomCreated(den));
    harness.tell(joined(GHOST, guildhall_model::ChannelId(203)));
    assert_eq!(anna.names(), ["room.created", "voice.joined"]);
    assert!(ben.names().is_empty());
    harness.tell(left(GHOST, guildhall_model::ChannelId(203)));
    harness.tell(Change::RoomDeleted {
        channel_id: guildhall_model::ChannelId(203),
    });
    assert_eq!(anna.names(), ["voice.left", "room.deleted"]);
    assert!(ben.names().is_empty());
    let mut again = harness.open(ANNA, Some(at(0)));
    assert_eq!(
        again.names().len(),
        5,
        "resumed, and all four of a room that is gone"
    );
    assert_eq!(harness.open(BEN, Some(at(0))).names(), ["resumed"]);
}

#[tokio::test(start_paused = true)]
async fn being_moved_into_a_hidden_room_shows_it_and_leaving_hides_it() {
    let mut harness = Harness::hall();
    harness.tell(joined(ANNA, LOBBY));
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    harness.tell(left(ANNA, LOBBY));
    harness.tell(joined(ANNA, VAULT));
    let moved = anna.events();
    let names = moved.iter().map(|event| event.event.as_str());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["voice.left", "room.shown", "voice.joined"]
    );
    assert_eq!(moved[1].data["name"], "Vault");
    assert_eq!(moved[1].data["members"], serde_json::json!([]), "not she");
    harness.tell(left(ANNA, VAULT));
    assert_eq!(anna.names(), ["voice.left", "room.hidden"]);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_and_somebody_not_looked_up_see_nothing() {
    let mut harness = Harness::hall();
    let mut carl = harness.open(CARL, None);
    let events = carl.events();
    assert_eq!(events[0].data["guilds"], serde_json::json!([]));
    harness.tell(joined(GHOST, LOBBY));
    assert!(carl.names().is_empty());
    harness.tell(Change::Rights {
        user_id: CARL,
        membership: Some(Membership::Stranger),
    });
    assert!(carl.names().is_empty());
    harness.look_up(CARL, &[]);
    let now = carl.events();
    assert_eq!(now[0].event, "guild.available");
    assert_eq!(now[0].data["guild"]["name"], "The Hall");
}

#[tokio::test(start_paused = true)]
async fn a_stream_behind_the_log_gets_a_snapshot_and_others_do_not_notice() {
    let mut harness = Harness::of(8, vec![(HALL, hall())]);
    let (mut slow, mut fast) = (harness.open(ANNA, None), harness.open(ANNA, None));
    slow.pieces();
    fast.pieces();
    for _ in 0..5 {
        harness.tell(joined(GHOST, LOBBY));
        harness.tell(left(GHOST, LOBBY));
        assert_eq!(fast.names().len(), 2);
    }
    let caught_up = slow.events();
    assert_eq!(caught_up.len(), 1);
    assert_eq!(caught_up[0].data["reason"], "slow_consumer");
    assert_eq!(
        caught_up[0].id.as_deref(),
        Some(at(10).to_string().as_str())
    );
    let mut late = harness.open(ANNA, Some(at(1)));
    assert_eq!(late.events()[0].data["reason"], "cursor_expired");
}

#[tokio::test(start_paused = true)]
async fn a_stream_behind_its_class_but_not_behind_the_log_misses_nothing() {
    let mut harness = Harness::of(4096, vec![(HALL, hall())]);
    let mut slow = harness.open(ANNA, None);
    slow.pieces();
    for _ in 0..1_000 {
        harness.tell(joined(GHOST, LOBBY));
        harness.tell(left(GHOST, LOBBY));
    }
    let names = slow.names();
    assert_eq!(names.len(), 2_000);
    assert!(!names.contains(&"snapshot".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_new_epoch_of_the_log_waits_for_look_ups_and_then_replaces_the_picture() {
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    let reborn = Position {
        epoch: EPOCH + 5,
        ..at(0)
    };
    harness.load(vec![(HALL, hall())], reborn);
    assert!(
        anna.names().is_empty(),
        "nothing before her rights are asked for in this epoch"
    );
    harness.answer(ANNA, &[HALL], &[]);
    let events = anna.events();
    assert_eq!(
        (events.len(), &events[0].data["reason"]),
        (1, &"epoch_changed".into())
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_world_or_look_ups_a_stream_says_unavailable_after_five_seconds() {
    let harness = Harness::empty(64);
    let mut anna = harness.open(ANNA, None);
    assert!(anna.names().is_empty());
    advance(Duration::from_secs(5)).await;
    let bye = anna.events();
    assert_eq!(bye[0].event, "bye");
    assert_eq!(bye[0].data["reason"], "unavailable");
    assert_eq!(bye[0].id, None, "it never began");
    assert_eq!(bye[0].retry, bye[0].data["retryMs"].as_u64());
    assert!(anna.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_guild_where_the_look_up_failed_is_invisible_until_it_succeeds() {
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    harness.answer(ANNA, &[HALL], &[HALL]);
    assert_eq!(anna.events()[0].data["guilds"], serde_json::json!([]));
    harness.tell(joined(GHOST, LOBBY));
    assert!(anna.names().is_empty());
    harness.answer(ANNA, &[HALL], &[]);
    let now = anna.events();
    assert_eq!(now[0].event, "guild.available");
    assert_eq!(
        now[0].data["guild"]["rooms"][0]["members"][0]["userId"],
        "77"
    );
    harness.tell(left(GHOST, LOBBY));
    assert_eq!(anna.names(), ["voice.left"]);

    harness.answer(ANNA, &[HALL], &[HALL]);
    assert_eq!(anna.names(), ["guild.unavailable"]);
}

#[tokio::test(start_paused = true)]
async fn checkpoints_keep_a_quiet_cursor_fresh() {
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    harness.tell(joined(GHOST, VAULT));
    advance(Duration::from_secs(10)).await;
    let first = anna.events();
    assert_eq!(first[0].event, "checkpoint");
    assert_eq!(first[0].id.as_deref(), Some(at(1).to_string().as_str()));
    assert_eq!(first[0].data["now"], EPOCH + 1_000);
    advance(Duration::from_secs(15)).await;
    assert_eq!(anna.names(), ["checkpoint"]);
}

#[tokio::test(start_paused = true)]
async fn the_link_and_discord_going_down_is_said_once_each() {
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    harness.writer.link_down(EPOCH + 9);
    let down = anna.events();
    assert_eq!(down.len(), 1);
    assert_eq!(down[0].data["link"], "down");
    assert_eq!(down[0].data["discord"], "unknown");
    assert_eq!(down[0].id.as_deref(), Some(at(0).to_string().as_str()));
    harness.writer.link_down(EPOCH + 10);
    assert!(anna.names().is_empty());
    harness.writer.link_up(EPOCH + 11);
    assert_eq!(anna.events()[0].data["discord"], "live");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_a_reason() {
    let harness = Harness::hall();
    let mut old = harness.open(ANNA, None);
    old.pieces();
    advance(Duration::from_secs(10)).await;
    old.pieces();
    advance(Duration::from_secs(2990)).await;
    let events = old.events();
    assert_eq!(events.last().expect("a bye").data["reason"], "max_age");
    assert_eq!(
        events.last().expect("a bye").id.as_deref(),
        Some(at(0).to_string().as_str())
    );

    let mut signed_out = harness.open(ANNA, None);
    signed_out.pieces();
    let woken = signed_out.woken();
    harness
        .sessions
        .revoke_session(&harness.session, EndReason::SignedOut)
        .await
        .expect("kept");
    assert!(signed_out.woken() > woken);
    assert_eq!(signed_out.events()[0].data["reason"], "session_revoked");

    let harness = Harness::hall();
    let mut drained = harness.open(ANNA, None);
    drained.pieces();
    let woken = drained.woken();
    harness.fanout.drain();
    assert!(drained.woken() > woken);
    assert_eq!(drained.events()[0].data["reason"], "draining");
    assert!(old.is_over() && signed_out.is_over() && drained.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_query_narrows_what_comes_but_never_the_snapshot_by_family() {
    let mut harness = Harness::hall();
    let all = Selector::ALL.families;
    let only_rooms = FamilySet::default().with(Family::Room);
    let selector = |channels: Option<&[u64]>, families| Selector {
        channels: channels.map(|ids| {
            ids.iter()
                .map(|id| guildhall_model::ChannelId(*id))
                .collect()
        }),
        families,
    };
    let mut rooms = harness.open_on(BEN, &[HALL], selector(None, only_rooms), None);
    let mut vault = harness.open_on(BEN, &[HALL], selector(Some(&[VAULT.0]), all), None);
    assert!(rooms.text().contains("Vault"));
    let snapshot = vault.text();
    assert!(snapshot.contains("Vault") && !snapshot.contains("Lobby"));
    harness.tell(joined(GHOST, LOBBY));
    harness.tell(left(GHOST, LOBBY));
    harness.tell(joined(GHOST, VAULT));
    harness.tell(left(GHOST, VAULT));
    harness.tell(Change::GuildUnavailable);
    harness.tell(Change::Gap { from: 1, to: 2 });
    assert_eq!(rooms.names(), ["guild.unavailable", "gap"]);
    assert_eq!(
        vault.names(),
        ["voice.joined", "voice.left", "guild.unavailable", "gap"]
    );
}

#[tokio::test(start_paused = true)]
async fn streams_of_several_guilds_keep_the_order_of_the_log() {
    let other = guildhall_model::GuildId(900);
    let mut second = hall();
    second
        .roles
        .insert(other.everyone(), guildhall_model::Permissions::VIEW_CHANNEL);
    let mut harness = Harness::of(64, vec![(HALL, hall()), (other, second)]);
    let mut anna = harness.open_on(ANNA, &[HALL, other], Selector::ALL, None);
    anna.pieces();
    for guild in [other, HALL, other, HALL] {
        harness.tell_in(guild, joined(GHOST, LOBBY));
    }
    let ids: Vec<_> = anna
        .events()
        .into_iter()
        .filter_map(|event| event.id)
        .collect();
    let expected: Vec<_> = (1..=4).map(|seq| at(seq).to_string()).collect();
    assert_eq!(ids, expected);
}
