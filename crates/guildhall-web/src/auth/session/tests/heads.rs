//! Where the logs stood at login: as many as there is room for, and none of the others is used.

use super::*;
use crate::auth::session::packed::AVATAR_URL_MAX;

fn head((log, (age, seq)): (u16, (u64, u64))) -> Position {
    Position {
        log: LogId(log),
        epoch: NOW - age,
        seq,
    }
}

/// The longest there is.
fn longest() -> (Profile, Vec<GuildId>) {
    let user = Profile {
        id: UserId(u64::MAX),
        username: "x".repeat(NAME_MAX),
        display_name: "x".repeat(NAME_MAX),
        avatar_url: "x".repeat(AVATAR_URL_MAX),
    };
    (user, (0..200).map(|n| GuildId(u64::MAX - n)).collect())
}

fn are_right(session: &Session, told: &[Position]) -> Result<(), TestCaseError> {
    let heads = &session.heads;
    let kept = heads.heads.len();
    prop_assert_eq!(&heads.heads[..], &told[..kept]);
    for head in &told[..kept] {
        let before = head.seq.checked_sub(1).map(|seq| head.at(seq));
        prop_assert!(before.is_none_or(|before| heads.precede(before)));
        prop_assert!(!heads.precede(*head));
        let other_epoch = Position {
            epoch: head.epoch + 1,
            ..head.at(0)
        };
        prop_assert!(!heads.precede(other_epoch));
    }
    for dropped in &told[kept..] {
        prop_assert!(
            heads.precede(dropped.at(u64::MAX)),
            "of before, or it may be"
        );
        let began_later = Position {
            epoch: session.issued_at + 1,
            ..dropped.at(0)
        };
        prop_assert!(!heads.precede(began_later));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_cookie_keeps_the_heads_that_it_has_room_for_and_uses_no_cursor_of_the_others(
        names in ("\\PC{0,60}", "\\PC{0,60}", "\\PC{0,900}"),
        guilds in prop::collection::vec(any::<u64>(), 0..300),
        heads in prop::collection::btree_map(any::<u16>(), (0..1_u64 << 40, 0..1_u64 << 40), 0..200),
    ) {
        let (sessions, _) = house("https://hall.example");
        let user = Profile { username: names.0, display_name: names.1, avatar_url: names.2, ..ada() };
        let guilds = guilds.into_iter().map(GuildId).collect();
        let told: Vec<Position> = heads.into_iter().map(head).collect();
        let (session, cookie) = sessions.begin(user, guilds, told.clone());
        prop_assert!(cookie.len() <= LINE_MAX, "{}", cookie.len());
        are_right(&session, &told)?;
        prop_assert_eq!(sessions.read(&browser(&cookie)), Some(session));
    }

    #[test]
    fn those_of_seventeen_logs_are_kept_beside_the_longest_session_there_is(
        heads in prop::collection::btree_map(any::<u16>(), (0..1_u64 << 38, 0..1_u64 << 32), 17),
    ) {
        let (sessions, _) = house("https://hall.example");
        let (user, guilds) = longest();
        let told: Vec<Position> = heads.into_iter().map(head).collect();
        let (session, cookie) = sessions.begin(user, guilds, told.clone());
        prop_assert!(cookie.len() <= LINE_MAX, "{}", cookie.len());
        prop_assert_eq!(session.heads.heads.len(), 17);
        are_right(&session, &told)?;
    }

    #[test]
    fn those_of_a_hundred_and_twenty_eight_are_kept_beside_one_of_usual_length(
        heads in prop::collection::btree_map(any::<u16>(), (0..1_u64 << 35, 0..1_u64 << 28), 128),
    ) {
        let (sessions, _) = house("https://hall.example");
        let guilds = (0..100).map(|n| GuildId(u64::MAX - n)).collect();
        let told: Vec<Position> = heads.into_iter().map(head).collect();
        let (session, _) = sessions.begin(ada(), guilds, told.clone());
        prop_assert_eq!(session.heads.heads, told);
    }
}

#[test]
fn heads_of_the_version_before_are_read() {
    let (sessions, _) = house("https://hall.example");
    let told = vec![head((0, (5, 41))), head((3, (1 << 35, 1 << 50)))];
    let (session, _) = sessions.begin(ada(), vec![GuildId(7)], told.clone());
    let packed = session.pack();
    // Version, length and bytes of the id, four numbers.
    let (fixed, rest) = packed.split_at(1 + 2 + ID_LENGTH + 4 * 8);
    let mut heads = Vec::new();
    for head in &told {
        session.put_head(&mut heads, *head);
    }
    let rest = &rest[8 + 2 + heads.len()..];
    let mut before = [&[1], &fixed[1..], &[0, 2]].concat();
    for head in &told {
        before.extend_from_slice(&head.log.0.to_be_bytes());
        before.extend_from_slice(&head.epoch.to_be_bytes());
        before.extend_from_slice(&head.seq.to_be_bytes());
    }
    before.extend_from_slice(rest);
    assert_eq!(Session::unpack(&before), Some(session));
}
