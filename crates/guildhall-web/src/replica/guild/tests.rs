use guildhall_model::{Change, Envelope, Event, RoleId, World};

use super::GuildLog;
use crate::replica::{Bounds, GroupSpan};
use crate::stream::tests::harness::{ANNA, BEN, HALL, LOBBY, VAULT, at, hall, joined, left};

fn append(log: &mut GuildLog, seq: u64, change: Change) {
    let envelope = Envelope {
        at: at(seq),
        more: false,
        event: Event {
            guild_id: HALL,
            ts: seq,
            synthetic: false,
            change,
        },
    };
    let alone = GroupSpan::of(std::slice::from_ref(&envelope)).expect("one event");
    log.append(envelope, alone);
}

#[test]
fn the_base_with_the_kept_records_is_the_guild_as_it_is() {
    let mut log = GuildLog::new(HALL, at(3), Some(hall()), Bounds::of(8).transitions);
    let told = [
        joined(ANNA, LOBBY),
        joined(BEN, VAULT),
        left(ANNA, LOBBY),
        joined(ANNA, VAULT),
    ];
    for (seq, change) in (4..).zip(told) {
        append(&mut log, seq, change);
    }
    assert_eq!((log.floor(), log.head(), log.len()), (3, 7, 4));
    let freed = log.evict_group() + log.evict_group();
    assert!(freed > 0 && log.cost() > 0);
    assert_eq!((log.floor(), log.len()), (5, 2));
    let kept: Vec<Event> = log
        .records_after(0)
        .map(|record| record.event.clone())
        .collect();
    let replayed: World = log.base.clone().apply_all(&kept);
    assert_eq!(replayed, log.now);
    assert_eq!(log.records_after(6).count(), 1);
}

#[test]
fn a_room_is_serialised_once_until_it_changes() {
    let mut log = GuildLog::new(HALL, at(0), Some(hall()), Bounds::of(8).transitions);
    let first = log.room_fragment(LOBBY).expect("a room");
    let again = log.room_fragment(LOBBY).expect("a room");
    assert_eq!(first.as_ptr(), again.as_ptr());

    append(&mut log, 1, joined(ANNA, VAULT));
    assert_eq!(
        log.room_fragment(LOBBY).expect("a room").as_ptr(),
        first.as_ptr(),
        "not touched"
    );
    append(&mut log, 2, joined(ANNA, LOBBY));
    let vault = log.room_fragment(VAULT).expect("a room");
    assert!(
        !vault.windows(4).any(|bytes| bytes == b"\"11\""),
        "moved without leaving first"
    );
    assert_ne!(log.room_fragment(LOBBY).expect("a room"), first);
    append(&mut log, 3, Change::RoomDeleted { channel_id: LOBBY });
    assert_eq!(log.room_fragment(LOBBY), None);
}

#[test]
fn the_base_for_one_viewer_has_nobody_else_in_it() {
    let mut guild = hall();
    guild
        .voice
        .insert(BEN, crate::stream::tests::harness::person(BEN, LOBBY));
    let log = GuildLog::new(HALL, at(0), Some(guild.clone()), Bounds::of(8).transitions);
    let base = log.base_for(ANNA.into());
    let mine = &base.guilds[&HALL];
    assert!(mine.voice.is_empty() && mine.memberships.len() == 1);
    assert_eq!(mine.roles.get(&RoleId(50)), guild.roles.get(&RoleId(50)));
}
