//! Random guilds against a second, naive writing of Discord's pseudo code, on bare numbers.

use proptest::prelude::*;

use super::*;
use crate::arbitrary;

const ADMIN_BIT: u64 = 1 << 3;
const VIEW_BIT: u64 = 1 << 10;

fn naive_base(guild: &Guild, user: u64, roles: &[RoleId]) -> u64 {
    if user == guild.owner_id.0 {
        return u64::MAX;
    }
    let mut p = guild.roles.get(&RoleId(GUILD.0)).map_or(0, |p| p.0);
    for role in roles {
        if let Some(role) = guild.roles.get(role) {
            p |= role.0;
        }
    }
    if p & ADMIN_BIT == ADMIN_BIT {
        u64::MAX
    } else {
        p
    }
}

fn naive_in_channel(guild: &Guild, overwrites: &[Overwrite], user: u64, roles: &[RoleId]) -> u64 {
    let mut p = naive_base(guild, user, roles);
    if p & ADMIN_BIT == ADMIN_BIT {
        return u64::MAX;
    }
    let role = |id: u64| move |o: &&Overwrite| o.target == OverwriteTarget::Role(RoleId(id));
    if let Some(o) = overwrites.iter().find(role(GUILD.0)) {
        let is_there = guild.roles.contains_key(&RoleId(GUILD.0));
        p = (p & !o.deny.0) | if is_there { o.allow.0 } else { 0 };
    }
    let (mut allow, mut deny) = (0, 0);
    let counts = |id: &&RoleId| id.0 != GUILD.0 && guild.roles.contains_key(id);
    for id in roles.iter().filter(counts) {
        if let Some(o) = overwrites.iter().find(role(id.0)) {
            allow |= o.allow.0;
            deny |= o.deny.0;
        }
    }
    p = (p & !deny) | allow;
    for o in overwrites {
        if o.target == OverwriteTarget::Member(UserId(user)) {
            p = (p & !o.deny.0) | o.allow.0;
        }
    }
    // A channel has no administrators; Discord does not let an overwrite name the bit.
    p & !ADMIN_BIT
}

fn naive_sees(guild: &Guild, user: UserId, channel: ChannelId) -> bool {
    let Some(Membership::Member { roles, guest, .. }) = guild.memberships.get(&user) else {
        return false;
    };
    let Some(room) = guild
        .rooms
        .get(&channel)
        .filter(|room| !room.rights.obfuscated)
    else {
        return false;
    };
    let connected = guild
        .voice
        .get(&user)
        .is_some_and(|there| there.channel_id == channel);
    let stored = naive_in_channel(guild, &room.rights.overwrites, user.0, roles);
    match stored {
        u64::MAX => true,
        _ if *guest => connected,
        _ => connected || stored & VIEW_BIT == VIEW_BIT,
    }
}

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
            prop_assert_eq!(in_guild(GUILD, &guild, who).0, naive_base(&guild, user.0, &roles));
            for room in guild.rooms.values() {
                let overwrites = &room.rights.overwrites;
                let expected = naive_in_channel(&guild, overwrites, user.0, &roles);
                prop_assert_eq!(in_channel(GUILD, &guild, overwrites, who).0, expected);
            }
        }
    }

    #[test]
    fn a_class_sees_what_each_of_its_users_sees(guild in arbitrary::guild()) {
        for user in users() {
            let class = ViewerClass::of(GUILD, &guild, user);
            for channel in (0..=5).map(ChannelId) {
                let sees = class.as_ref().is_some_and(|class| class.sees(&guild, channel));
                prop_assert_eq!(sees, naive_sees(&guild, user, channel), "{} {}", user, channel);
            }
        }
    }

    #[test]
    fn users_of_equal_classes_see_the_same(guild in arbitrary::guild()) {
        for (one, other) in users().flat_map(|one| users().map(move |other| (one, other))) {
            if ViewerClass::of(GUILD, &guild, one) == ViewerClass::of(GUILD, &guild, other) {
                for channel in guild.rooms.keys() {
                    let (a, b) = (naive_sees(&guild, one, *channel), naive_sees(&guild, other, *channel));
                    prop_assert_eq!(a, b, "{} and {} in {}", one, other, channel);
                }
            }
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
