//! An explanation tells of the decision that is taken, and its steps lead there.

use proptest::prelude::*;

use super::*;
use crate::arbitrary::{self, GUILD, naive};

const VIEW: Permissions = Permissions::VIEW_CHANNEL;
const CONNECT: Permissions = Permissions::CONNECT;
const NOW: UnixMs = 1_000;

fn people_and_rooms() -> impl Iterator<Item = (UserId, ChannelId)> {
    (0..=6).flat_map(|user| (0..=5).map(move |room| (UserId(user), ChannelId(room))))
}

proptest! {
    #[test]
    fn the_verdict_is_the_decision(guild in arbitrary::guild()) {
        for (user, room) in people_and_rooms() {
            let why = explain(GUILD, &guild, user, room, NOW);
            let view = MemberView::of(GUILD, &guild, user);
            let sees = view.is_some_and(|view| view.sees(room));
            prop_assert_eq!(why.sees, sees, "{} {} {:?}", user, room, why);
            prop_assert_eq!(why.sees, naive::sees(GUILD, &guild, user, room));
            prop_assert!(why.sees || !why.connects, "{:?}", why);
        }
    }

    #[test]
    fn the_steps_lead_to_the_verdict(guild in arbitrary::guild()) {
        for (user, room) in people_and_rooms() {
            let why = explain(GUILD, &guild, user, room, NOW);
            let there = guild.rooms.contains_key(&room);
            let member = matches!(guild.memberships.get(&user), Some(Membership::Member { .. }));
            if there && member {
                prop_assert_eq!(walked(&why.steps, VIEW), why.sees, "{:?}", why);
                prop_assert_eq!(walked(&why.steps, CONNECT), why.connects, "{:?}", why);
            } else {
                prop_assert!(!why.sees && !why.connects);
            }
        }
    }

    #[test]
    fn what_decided_says_what_was_decided(guild in arbitrary::guild()) {
        for (user, room) in people_and_rooms() {
            let why = explain(GUILD, &guild, user, room, NOW);
            says(&why.sees_by, VIEW, why.sees, &guild, room)?;
            says(&why.connects_by, CONNECT, why.connects, &guild, room)?;
        }
    }
}

/// Goes the steps, each by what it says itself, and tells whether one permission is left.
fn walked(steps: &[RightsStep], wanted: Permissions) -> bool {
    let (mut has, mut said) = (Permissions::NONE, (Permissions::NONE, Permissions::NONE));
    for step in steps {
        match *step {
            RightsStep::OwnsGuild | RightsStep::Administrator => has = Permissions::ALL,
            RightsStep::Role {
                permissions, known, ..
            } => {
                assert!(known || permissions == Permissions::NONE);
                has = has | permissions;
            }
            RightsStep::Base { permissions } => assert_eq!(has, permissions),
            RightsStep::Obfuscated | RightsStep::NotSeen => return false,
            RightsStep::Guest { connected } => return connected,
            RightsStep::Overwrite { overwrite, .. } => {
                said = (said.0 | overwrite.deny, said.1 | overwrite.allow);
            }
            RightsStep::Overwritten {
                deny,
                allow,
                permissions,
                ..
            } => {
                assert!(said.0.contains(deny) && said.1.contains(allow));
                has = has.without(deny) | allow;
                assert_eq!(has, permissions);
            }
            RightsStep::Connected => has = has | VIEW,
            RightsStep::TimedOut => has = Permissions(has.0 & VIEW.0),
        }
    }
    has.contains(wanted)
}

fn says(
    by: &DecidedBy,
    wanted: Permissions,
    outcome: bool,
    guild: &Guild,
    room: ChannelId,
) -> Result<(), TestCaseError> {
    match by {
        DecidedBy::NoSuchRoom => prop_assert!(!outcome && !guild.rooms.contains_key(&room)),
        DecidedBy::NotLookedUp | DecidedBy::NoMember | DecidedBy::NotSeen | DecidedBy::TimedOut => {
            prop_assert!(!outcome);
        }
        DecidedBy::BotCannotView => {
            prop_assert!(!outcome && guild.rooms[&room].rights.obfuscated);
        }
        DecidedBy::OwnsGuild | DecidedBy::Connected => prop_assert!(outcome),
        DecidedBy::Administrator { roles } => prop_assert!(outcome && !roles.is_empty()),
        DecidedBy::Guest => {}
        DecidedBy::Roles { roles } => prop_assert_eq!(outcome, !roles.is_empty()),
        DecidedBy::Overwrites { targets, .. } => {
            prop_assert!(!targets.is_empty(), "{:?}", by);
            let overwrites = &guild.rooms[&room].rights.overwrites;
            let theirs = overwrites.iter().filter(|it| targets.contains(&it.target));
            for overwrite in theirs {
                let bits = if outcome {
                    overwrite.allow
                } else {
                    overwrite.deny
                };
                prop_assert!(bits.contains(wanted), "{:?}", overwrite);
            }
        }
    }
    Ok(())
}
