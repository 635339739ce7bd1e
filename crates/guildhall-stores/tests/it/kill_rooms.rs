//! Rooms, whose process is killed.

use std::path::Path;

use guildhall_model::{ChannelId, GuildId, UserId};
use guildhall_ports::{
    RoomStore,
    memory::MemoryRoomStore,
    room_store::{
        InviteId, InviteRecord, KeptRooms, RoomChange, RoomNumber, RoomPhase, RoomRecord,
        SigningKey,
    },
};
use guildhall_stores::sqlite::SqliteJournals;
use tempfile::tempdir;
use tokio::runtime::Builder;

use crate::child;

const KILLS: usize = 20;
/// Calls that are under way at one time.
const AT_ONCE: u64 = 4;
/// A room is gone when so many have come after it.
const KEPT: u64 = 10;

const KEY: SigningKey = SigningKey([9; 32]);

#[test]
fn kill_9_at_any_instant_leaves_a_room_with_its_invite_or_neither() {
    if let Some(path) = child::journal() {
        return save_until_killed(&path);
    }
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("guildhall.db");
    let mut acknowledged = 0;
    for _ in 0..KILLS {
        let test = "kill_rooms::kill_9_at_any_instant_leaves_a_room_with_its_invite_or_neither";
        let answers = child::random_below(30);
        acknowledged = acknowledged.max(child::write_and_kill(test, &path, answers));
        let there = loaded(&path);
        // What was under way may be there as well, and nothing without what was called before it.
        let possible = acknowledged..=acknowledged + AT_ONCE;
        let found = possible.rev().find(|calls| after(*calls) == there);
        acknowledged = found.unwrap_or_else(|| panic!("not as after {acknowledged}: {there:#?}"));
    }
    assert!(acknowledged > 6 * KEPT, "some are gone");
}

fn save_until_killed(path: &Path) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        child::say(0);
        let store = SqliteJournals::open(path, "DATA_DIR").expect("opens");
        let kept = RoomStore::load(&store, KEY).await.expect("is read");
        let mut calls = kept.last_number.0;
        loop {
            let next = calls + 1..=calls + AT_ONCE;
            let answers: Vec<_> = next.map(|number| store.save(changes(number))).collect();
            for answer in answers {
                answer.await.expect("is saved");
            }
            calls += AT_ONCE;
            child::say(calls);
        }
    });
}

/// A room comes with an invite, and an earlier one goes.
fn changes(number: u64) -> Vec<RoomChange> {
    let gone = RoomNumber(number.saturating_sub(KEPT));
    let room = RoomRecord {
        number: RoomNumber(number),
        guild_id: GuildId(1),
        owner_id: UserId(number),
        phase: RoomPhase::Open {
            channel_id: ChannelId(number),
        },
        name: "name ".repeat(usize::try_from(number % 19).expect("is small")),
        parent_id: None,
        limit: 4,
        private: true,
        locked: false,
        hidden: false,
        role_id: None,
        mark: number,
        overwrites: Vec::new(),
        before: Vec::new(),
        set_aside: Vec::new(),
        lobby: None,
        made_at: number,
        command: None,
        unsettled: false,
        late_until: None,
    };
    let invite = InviteRecord {
        id: InviteId(u128::from(number).to_be_bytes()),
        room: room.number,
        expires_at: number,
        seats: None,
        taken: Vec::new(),
        revoked: false,
    };
    vec![
        RoomChange::RoomGone(gone),
        RoomChange::Room(room),
        RoomChange::Invite(invite),
    ]
}

/// What is there after so many calls.
fn after(calls: u64) -> KeptRooms {
    let reference = MemoryRoomStore::default();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for number in 1..=calls {
            let saved = reference.save(changes(number)).await;
            saved.expect("is saved");
        }
        reference.load(KEY).await.expect("is read")
    })
}

fn loaded(path: &Path) -> KeptRooms {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let store = SqliteJournals::open(path, "DATA_DIR").expect("opens at once");
    let kept = runtime.block_on(RoomStore::load(&store, KEY));
    kept.expect("is read")
}
