use super::evening;
use crate::{
    snowflake::SeededRng,
    world::{EventBody, World},
};

/// The names and bodies of what an evening tells.
fn told(seed: u64, turns: usize) -> Vec<String> {
    let (mut world, mut rng) = (World::from_seed(seed), SeededRng::from_seed(seed));
    (0..turns)
        .filter_map(|_| evening::turn(&mut world, &mut rng, 0).ok())
        .flat_map(|((), events)| events)
        .map(|event| match event.body {
            EventBody::Shared(body) | EventBody::Message { whole: body, .. } => {
                format!("{} {body}", event.name)
            }
            EventBody::GuildCreate(_) => event.name.to_owned(),
        })
        .collect()
}

#[test]
fn an_evening_is_the_same_for_the_same_seed() {
    assert_eq!(told(3, 400), told(3, 400));
    assert_ne!(told(3, 400), told(4, 400));
}

#[test]
fn an_evening_is_lively_and_leaves_the_visitor_alone() {
    let told = told(1, 1000);
    assert!(told.len() > 700, "{} events of 1000 turns", told.len());
    for name in ["VOICE_STATE_UPDATE", "MESSAGE_CREATE", "TYPING_START"] {
        assert!(told.iter().any(|event| event.starts_with(name)), "{name}");
    }
    for part in [
        "\"channel_id\":null",
        "\"self_stream\":true",
        "\"self_mute\":true",
        "\"self_video\":true",
    ] {
        assert!(told.iter().any(|event| event.contains(part)), "{part}");
    }
    let world = World::from_seed(1);
    let visitor = world
        .guilds
        .iter()
        .next()
        .and_then(|guild| guild.members.iter().next())
        .expect("a first member")
        .user_id;
    let own = format!("VOICE_STATE_UPDATE {{\"user_id\":\"{visitor}\"");
    assert!(!told.iter().any(|event| event.starts_with(&own)));
    let named = format!("\"user_id\":\"{visitor}\"");
    assert!(!told.iter().any(|event| event.contains(&named)));
}

#[test]
fn room_limits_are_kept_and_the_keepers_room_stays_the_keepers() {
    let (mut world, mut rng) = (World::from_seed(9), SeededRng::from_seed(9));
    for _ in 0..3000 {
        evening::turn(&mut world, &mut rng, 0).expect("a turn");
        for guild in world.guilds.iter() {
            for channel in guild.channels.iter().filter(|one| one.user_limit > 0) {
                let inside = guild
                    .voice_states
                    .iter()
                    .filter(|state| state.channel_id == channel.id);
                assert!(inside.count() <= usize::try_from(channel.user_limit).expect("small"));
            }
        }
    }
}
