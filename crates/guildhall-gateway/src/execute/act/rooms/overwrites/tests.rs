use guildhall_model::{ChannelId, GuildId, UnixMs};
use guildhall_ports::room_store::{RoomNumber, RoomPhase};
use proptest::prelude::*;

use super::*;

const EVERYONE: RoleId = RoleId(1);
const MODS: RoleId = RoleId(2);
const BOT: UserId = UserId(10);
const ANNA: UserId = UserId(11);

fn terms(bot_may: Permissions) -> OverwriteTerms {
    OverwriteTerms {
        everyone: EVERYONE,
        bot: BOT,
        bot_may,
    }
}

fn room(private: bool) -> RoomRecord {
    let since: UnixMs = 1;
    RoomRecord {
        number: RoomNumber(1),
        guild_id: GuildId(1),
        owner_id: ANNA,
        phase: RoomPhase::Making { since },
        name: "table".to_owned(),
        parent_id: Some(ChannelId(5)),
        limit: 4,
        private,
        locked: false,
        hidden: private,
        role_id: None,
        mark: 7,
        overwrites: Vec::new(),
        before: Vec::new(),
        set_aside: Vec::new(),
        lobby: None,
        made_at: since,
        command: None,
        unsettled: true,
        late_until: None,
    }
}

fn role(role: RoleId, allow: u64, deny: u64) -> Overwrite {
    Overwrite {
        target: OverwriteTarget::Role(role),
        allow: Permissions(allow),
        deny: Permissions(deny),
    }
}

#[test]
fn a_new_room_says_nothing_that_the_bot_may_not_say() {
    let category = [role(EVERYONE, 0, u64::MAX), role(MODS, u64::MAX, 0)];
    for private in [true, false] {
        for bot_may in [Permissions::NONE, ENTRY | Permissions::MANAGE_ROLES] {
            let made = terms(bot_may).of_new_room(&room(private), &category);
            for one in &made {
                let said = Permissions(one.allow.0 | one.deny.0);
                let may = (bot_may | ENTRY).without(Permissions::MANAGE_ROLES);
                assert!(may.contains(said), "{one:?}");
            }
            assert!(is_let_in(&made, ANNA) && is_let_in(&made, BOT));
            let mods = made
                .iter()
                .any(|one| one.target == OverwriteTarget::Role(MODS));
            assert_eq!(mods, !private, "a private room takes nothing over");
        }
    }
}

#[test]
fn who_is_kept_out_is_not_let_in_and_nothing_is_left_when_that_is_taken_back() {
    let terms = terms(Permissions::SPEAK);
    let now = terms.of_new_room(&room(true), &[]);
    let ben = UserId(12);
    let mut then = now.clone();
    let let_in = terms.let_in(&then, OverwriteTarget::Member(ben));
    apply(&mut then, let_in.expect("a change"));
    assert!(is_let_in(&then, ben));
    assert_eq!(terms.let_in(&then, OverwriteTarget::Member(ben)), None);
    let kept_out = keep_out(&then, ben);
    apply(&mut then, kept_out.expect("a change"));
    assert!(!is_let_in(&then, ben));
    assert!(
        of(&then, OverwriteTarget::Member(ben))
            .deny
            .contains(Permissions::CONNECT)
    );
    assert_eq!(keep_out(&then, ben), None);
    let back = forget(&then, ben).expect("a change");
    assert_eq!(back, OverwriteChange::Delete(OverwriteTarget::Member(ben)));
    apply(&mut then, back);
    assert_eq!(then, now);
}

fn changed(
    terms: &OverwriteTerms,
    room: &RoomRecord,
    base: &[Overwrite],
    now: &mut Vec<Overwrite>,
) {
    for change in terms.of_state(room, now, base) {
        apply(now, change);
    }
}

#[test]
fn a_private_room_is_shown_to_whom_its_category_shows_its_rooms() {
    let terms = terms(ENTRY | Permissions::SPEAK);
    let view = Permissions::VIEW_CHANNEL;
    let base = [role(EVERYONE, 0, view.0), role(MODS, ENTRY.0, 0)];
    let mut record = room(true);
    let mut now = terms.of_new_room(&record, &base);
    let hidden = now.clone();
    record.hidden = false;
    changed(&terms, &record, &base, &mut now);
    let mods = of(&now, OverwriteTarget::Role(MODS));
    assert_eq!((mods.allow, mods.deny), (view, Permissions::NONE));
    let everyone = of(&now, OverwriteTarget::Role(EVERYONE));
    assert!(everyone.deny.contains(ENTRY), "{everyone:?}");
    record.hidden = true;
    changed(&terms, &record, &base, &mut now);
    for one in now {
        let was = of(&hidden, one.target);
        assert_eq!((one.allow, one.deny), (was.allow, was.deny), "{one:?}");
    }
}

#[test]
fn what_a_role_was_given_by_hand_it_has_again_when_a_room_is_shown_and_open() {
    let terms = terms(ENTRY | Permissions::SPEAK);
    let other = RoleId(3);
    let mut record = room(false);
    let mut now = terms.of_new_room(&record, &[]);
    now.push(role(MODS, ENTRY.0, 0));
    now.push(role(other, 0, ENTRY.0));
    let by_hand = now.clone();
    for (locked, hidden) in [(false, true), (true, true), (true, false), (false, false)] {
        (record.locked, record.hidden) = (locked, hidden);
        terms.set_aside(&mut record, &now, &[]);
        changed(&terms, &record, &[], &mut now);
        given_back(&mut record);
        let mods = of(&now, OverwriteTarget::Role(MODS)).allow;
        let has = |right| mods.contains(right);
        let shown_and_open = (has(Permissions::VIEW_CHANNEL), has(Permissions::CONNECT));
        assert_eq!(shown_and_open, (!hidden, !locked));
    }
    assert_eq!(record.set_aside, []);
    for one in &by_hand {
        let is = of(&now, one.target);
        assert_eq!((is.allow, is.deny), (one.allow, one.deny), "{one:?}");
    }
    // What somebody decides meanwhile counts.
    record.hidden = true;
    terms.set_aside(&mut record, &now, &[]);
    changed(&terms, &record, &[], &mut now);
    apply(
        &mut now,
        OverwriteChange::Put(role(MODS, 0, Permissions::VIEW_CHANNEL.0)),
    );
    record.hidden = false;
    changed(&terms, &record, &[], &mut now);
    let mods = of(&now, OverwriteTarget::Role(MODS));
    assert_eq!(mods.deny, Permissions::VIEW_CHANNEL);
}

proptest! {
    /// Whatever a room is like, closing it lets in nobody by a role, people keep what is theirs, what
    /// is as it should be is not touched, and open again it is as its category says.
    #[test]
    fn a_room_is_as_its_record_says(
        category in prop::collection::vec((1..5_u64, any::<u64>(), any::<u64>()), 0..5),
        private in any::<bool>(),
        states in prop::collection::vec((any::<bool>(), any::<bool>()), 1..6),
    ) {
        let mut base: Vec<Overwrite> = Vec::new();
        for (id, allow, deny) in category {
            base.retain(|one| one.target != OverwriteTarget::Role(RoleId(id)));
            base.push(role(RoleId(id), allow & !deny, deny));
        }
        let terms = terms(ENTRY | Permissions::SPEAK);
        let mut record = room(private);
        let mut now = terms.of_new_room(&record, &base);
        let first = now.clone();
        for (locked, hidden) in states {
            (record.locked, record.hidden) = (locked, hidden);
            for change in terms.of_state(&record, &now, &base) {
                apply(&mut now, change);
            }
            prop_assert!(terms.of_state(&record, &now, &base).is_empty());
            prop_assert!(is_let_in(&now, ANNA) && is_let_in(&now, BOT));
            let everyone = of(&now, OverwriteTarget::Role(EVERYONE));
            for (right, closed) in [
                (Permissions::CONNECT, locked || private),
                (Permissions::VIEW_CHANNEL, hidden),
            ] {
                let by_role = now.iter().any(|one| {
                    matches!(one.target, OverwriteTarget::Role(_)) && one.allow.contains(right)
                });
                prop_assert!(!closed || (everyone.deny.contains(right) && !by_role));
            }
        }
        (record.locked, record.hidden) = (false, private);
        for change in terms.of_state(&record, &now, &base) {
            apply(&mut now, change);
        }
        for one in &first {
            let is = of(&now, one.target);
            prop_assert_eq!((is.allow, is.deny), (one.allow, one.deny));
        }
    }
}
