//! A room that is renamed while its rights change: who is told which name, judged record by
//! record as an open stream and a replay judge them.

use guildhall_model::{Change, ChannelId, MemberView, RoleId, World, guild::Membership};
use proptest::{collection::vec, prelude::*, sample::subsequence};
use serde_json::Value;

use super::{
    Event, GUILD, Harness, UserId,
    discord::{ANN, BOB, GATED, MOON, OWNER, channel, guild, obfuscated, overwrite, with},
};

/// The room as one CHANNEL_UPDATE or GUILD_CREATE has it.
fn rooms() -> impl Strategy<Value = Value> {
    let overwrites = vec![
        overwrite(0, 1, "0", "1024"),
        overwrite(0, GATED, "1024", "0"),
        overwrite(1, BOB, "1024", "0"),
    ];
    let overwrites = subsequence(overwrites, 0..=3);
    (0..4_u8, overwrites, 0..5_u8).prop_map(|(name, overwrites, hidden)| {
        let room = channel(MOON, &format!("name {name}"));
        let room = with(room, "permission_overwrites", overwrites);
        if hidden == 0 { obfuscated(room) } else { room }
    })
}

fn seeing(world: &World, user: u64) -> bool {
    let guild = &world.guilds[&GUILD];
    let view = MemberView::of(GUILD, guild, UserId(user)).expect("a member");
    view.sees(ChannelId(MOON))
}

proptest! {
    #[test]
    fn the_new_name_is_told_once_to_those_who_see_the_room_before_and_after(
        seen in vec((rooms(), any::<bool>()), 1..12)
    ) {
        let mut harness = Harness::empty();
        harness.hear("GUILD_CREATE", &guild());
        for (user, roles) in [(ANN, vec![RoleId(GATED)]), (BOB, vec![]), (OWNER, vec![])] {
            let membership = Some(Membership::member(roles));
            let change = Change::Rights { user_id: UserId(user), membership };
            harness.world.apply(&Event { guild_id: GUILD, ts: 0, synthetic: false, change });
        }
        for (room, whole) in seen {
            let before = harness.world.clone();
            let events = if whole {
                let mut channels = guild()["channels"].as_array().expect("channels").clone();
                channels.retain(|other| other["id"] != room["id"]);
                channels.push(room);
                harness.hear("GUILD_CREATE", &with(guild(), "channels", channels)).events
            } else {
                harness.hear("CHANNEL_UPDATE", &room).events
            };
            let info = |world: &World| world.guilds[&GUILD].rooms[&ChannelId(MOON)].info.clone();
            let now = info(&harness.world);
            for user in [ANN, BOB, OWNER] {
                let mut world = before.clone();
                let mut told = Vec::new();
                for event in &events {
                    world.apply(event);
                    if let Change::RoomUpdated(info) = &event.change && seeing(&world, user) {
                        told.push(info.clone());
                    }
                }
                let (saw, sees) = (seeing(&before, user), seeing(&harness.world, user));
                prop_assert!(sees || told.is_empty(), "{} lost it: {:?}", user, told);
                prop_assert!(told.iter().all(|told| *told == now), "{:?} and not {:?}", told, now);
                let once = usize::from(info(&before) != now);
                prop_assert!(!(saw && sees) || told.len() == once, "{} was told {:?}", user, told);
            }
        }
    }
}
