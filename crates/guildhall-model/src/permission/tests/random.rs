//! Random guilds against a second, naive writing of Discord's pseudo code.

use proptest::prelude::*;

use super::*;
use crate::arbitrary::{self, naive};

fn users() -> impl Iterator<Item = UserId> + Clone {
    (0..=6).map(UserId)
}

proptest! {
    #[test]
    fn stored_permissions_are_those_of_the_documented_algorithm(
        guild in arbitrary::guild(),
        roles in proptest::collection::vec(arbitrary::role_id(), 0..4),
    ) {
        for user in (1..=6).map(UserId) {
            let who = member(user, &roles);
            prop_assert_eq!(in_guild(GUILD, &guild, who).0, naive::base(GUILD, &guild, user, &roles));
            for room in guild.rooms.values() {
                let overwrites = &room.rights.overwrites;
                let expected = naive::in_channel(GUILD, &guild, overwrites, user, &roles);
                prop_assert_eq!(in_channel(GUILD, &guild, overwrites, who).0, expected);
            }
        }
    }

    #[test]
    fn visible_rooms_are_those_of_the_documented_algorithm(guild in arbitrary::guild()) {
        let mut many = VisibilityOfMany::of(GUILD, &guild);
        for user in users() {
            let expected = naive::rooms(GUILD, &guild, user);
            let view = MemberView::of(GUILD, &guild, user);
            let rooms = view.map(|view| view.rooms());
            let ids = |rooms: &VisibleRooms| rooms.ids().to_vec();
            prop_assert_eq!(rooms.as_ref().map(ids), expected.clone(), "{}", user);
            prop_assert_eq!(many.rooms(user), rooms, "{} among many", user);
            for channel in (0..=5).map(ChannelId) {
                let sees = view.is_some_and(|view| view.sees(channel));
                prop_assert_eq!(sees, naive::sees(GUILD, &guild, user, channel), "{} {}", user, channel);
            }
        }
    }

    #[test]
    fn users_are_of_one_class_if_and_only_if_they_see_the_same(guild in arbitrary::guild()) {
        let class = |user| MemberView::of(GUILD, &guild, user).map(|view| view.rooms());
        for (one, other) in users().flat_map(|one| users().map(move |other| (one, other))) {
            let same = naive::rooms(GUILD, &guild, one) == naive::rooms(GUILD, &guild, other);
            prop_assert_eq!(class(one) == class(other), same, "{} and {}", one, other);
        }
    }

    #[test]
    fn more_allowed_never_shows_less_and_more_denied_never_shows_more(
        guild in arbitrary::guild(),
        roles in proptest::collection::vec(arbitrary::role_id(), 0..4),
        more in arbitrary::permissions(),
        which in any::<prop::sample::Index>(),
    ) {
        for room in guild.rooms.values().filter(|room| !room.rights.overwrites.is_empty()) {
            let overwrites = &room.rights.overwrites;
            let which = which.index(overwrites.len());
            let (mut allowed, mut denied) = (overwrites.clone(), overwrites.clone());
            allowed[which].allow = allowed[which].allow | more;
            denied[which].deny = denied[which].deny | more;
            for user in users() {
                let stored = |overwrites: &[Overwrite]| {
                    in_channel(GUILD, &guild, overwrites, member(user, &roles))
                };
                prop_assert!(stored(&allowed).contains(stored(overwrites)));
                prop_assert!(stored(overwrites).contains(stored(&denied)));
            }
        }
    }

    #[test]
    fn implicit_denials_only_take_and_being_connected_only_shows(
        stored in arbitrary::permissions(),
        timed_out in any::<bool>(),
    ) {
        let who = Member { timed_out, ..member(ANN, &[]) };
        for kind in [ChannelKind::Text, ChannelKind::Voice] {
            let outside = effective(stored, kind, who, false);
            let inside = effective(stored, kind, who, true);
            prop_assert!(stored.contains(outside));
            prop_assert!((stored | VIEW).contains(inside));
            prop_assert!(inside.contains(outside) && inside.contains(VIEW));
            prop_assert_eq!(outside.contains(VIEW), stored.contains(VIEW));
        }
    }
}
