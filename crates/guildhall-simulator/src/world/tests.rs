use proptest::prelude::*;

use super::*;

fn first_guild(world: &World) -> &Guild {
    world.guilds.iter().next().expect("a guild")
}

fn channel<'a>(guild: &'a Guild, name: &str) -> &'a Channel {
    guild
        .channels
        .iter()
        .find(|one| one.name == name)
        .expect("the channel")
}

#[test]
fn the_first_member_sees_the_first_two_rooms_and_not_the_gated_ones() {
    for seed in 0..20 {
        let world = World::from_seed(seed);
        let guild = first_guild(&world);
        let member = guild.members.iter().next().expect("a member").user_id;
        let rooms: Vec<_> = guild
            .channels
            .iter()
            .filter(|one| one.kind == ChannelKind::Voice)
            .collect();
        assert!(rooms[..2].iter().all(|room| guild.shows(room, member)));
        assert!(!guild.shows(channel(guild, "Keepers' Chamber"), member));
        assert!(guild.shows(channel(guild, "Keepers' Chamber"), world.bot_id()));
        assert!(!guild.shows(channel(guild, "The Cellar"), world.bot_id()));
        let load = guild.load_user_id.and_then(|id| guild.voice_states.get(id));
        assert_eq!(load.map(|state| state.channel_id), Some(rooms[0].id));
    }
}

/// Target (a role's id, or 7 for the member), allowed bits, denied bits.
type Overwrites<'a> = &'a [(u8, u64, u64)];

/// One guild with @everyone, two roles, a member with both, and one voice channel.
fn small_guild(everyone: u64, role: u64, overwrites: Overwrites<'_>) -> (Guild, Snowflake) {
    let id = |number: u64| -> Snowflake { number.to_string().parse().expect("an id") };
    let mut world = World::from_seed(1);
    let mut guild = world.bare_guild(id(1), "Small", id(99));
    guild.roles.get_mut(id(1)).expect("@everyone").permissions = Permissions(everyone);
    for (role_id, permissions) in [(2, role), (3, 0)] {
        guild.roles.insert(
            id(role_id),
            Role {
                id: id(role_id),
                name: "role".to_owned(),
                color: 0,
                position: 1,
                permissions: Permissions(permissions),
                hoist: false,
                mentionable: false,
                bot_id: None,
            },
        );
    }
    let member = world.new_member(id(7), vec![id(2), id(3), id(404)]);
    guild.members.insert(id(7), member);
    let overwrites = overwrites
        .iter()
        .map(|(target, allow, deny)| Overwrite {
            id: id(u64::from(*target)),
            kind: if *target == 7 {
                OverwriteKind::Member
            } else {
                OverwriteKind::Role
            },
            allow: Permissions(*allow),
            deny: Permissions(*deny),
        })
        .collect();
    guild.channels.insert(
        id(50),
        Channel {
            id: id(50),
            kind: ChannelKind::Voice,
            name: "room".to_owned(),
            position: 0,
            parent_id: None,
            user_limit: 0,
            overwrites,
            settings: ChannelSettings::default(),
            voice_status: None,
            voice_started: None,
            last_message_id: None,
            last_pin: None,
        },
    );
    (guild, id(7))
}

#[test]
fn overwrites_apply_everyone_then_roles_together_then_the_member() {
    const VIEW: u64 = 1 << 10;
    const ADMIN: u64 = 1 << 3;
    let cases: [(u64, u64, Overwrites<'_>, bool); 9] = [
        (VIEW, 0, &[], true),
        (0, 0, &[], false),
        (0, VIEW, &[], true),
        (VIEW, 0, &[(1, 0, VIEW)], false),
        (VIEW, 0, &[(1, 0, VIEW), (2, VIEW, 0)], true),
        // Among roles allow beats deny, whatever their order.
        (VIEW, 0, &[(2, VIEW, 0), (3, 0, VIEW)], true),
        (VIEW, 0, &[(2, VIEW, 0), (7, 0, VIEW)], false),
        (0, 0, &[(3, 0, VIEW), (7, VIEW, 0)], true),
        (ADMIN, 0, &[(1, 0, VIEW), (7, 0, VIEW)], true),
    ];
    for (everyone, role, overwrites, sees) in cases {
        let (guild, member) = small_guild(everyone, role, overwrites);
        assert_eq!(
            guild.shows(channel(&guild, "room"), member),
            sees,
            "{overwrites:?}"
        );
    }
    let (mut guild, member) = small_guild(VIEW, 0, &[(7, 0, VIEW)]);
    guild.owner_id = member;
    assert!(guild.shows(channel(&guild, "room"), member));
    let stranger = "8".parse().expect("an id");
    assert!(!guild.shows(channel(&guild, "room"), stranger));
}

#[test]
fn a_stamp_is_one_event_that_carries_the_stamp() {
    let mut world = World::from_seed(1);
    let guild_id = first_guild(&world).id;
    let ((), events) = world.stamp(guild_id, "17:1000").expect("a load user");
    let [
        Event {
            name: "VOICE_STATE_UPDATE",
            body: EventBody::Shared(body),
            ..
        },
    ] = &events[..]
    else {
        panic!("one voice state update, not {events:?}");
    };
    assert!(body.contains("\"username\":\"17:1000\""));
    assert!(body.contains("\"self_mute\":true"));
}

/// Something that may happen to the world, by places in its lists.
#[derive(Clone, Debug)]
enum Act {
    Join(usize, usize, usize),
    Leave(usize, usize),
    DeleteChannel(usize, usize),
    DeleteRole(usize, usize),
    Remove(usize, usize),
    Hide(usize, usize),
    Outage(usize, bool),
    DeleteGuild(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let place = || 0_usize..24;
    prop::collection::vec(
        prop_oneof![
            8 => (0_usize..4, place(), place()).prop_map(|(g, m, c)| Act::Join(g, m, c)),
            3 => (0_usize..4, place()).prop_map(|(g, m)| Act::Leave(g, m)),
            2 => (0_usize..4, place()).prop_map(|(g, c)| Act::DeleteChannel(g, c)),
            1 => (0_usize..4, place()).prop_map(|(g, r)| Act::DeleteRole(g, r)),
            2 => (0_usize..4, place()).prop_map(|(g, m)| Act::Remove(g, m)),
            2 => (0_usize..4, place()).prop_map(|(g, c)| Act::Hide(g, c)),
            1 => (0_usize..4, any::<bool>()).prop_map(|(g, on)| Act::Outage(g, on)),
            1 => (0_usize..4).prop_map(Act::DeleteGuild),
        ],
        0..40,
    )
}

fn perform(world: &mut World, act: &Act) -> Option<Vec<Event>> {
    let guild_at = |world: &World, place: usize| world.guilds.iter().nth(place).cloned();
    let bot = world.bot_id();
    let done = match *act {
        Act::Join(g, m, c) => {
            let guild = guild_at(world, g)?;
            let user_id = guild.members.iter().nth(m)?.user_id;
            let channel_id = Edit::Set(guild.channels.iter().nth(c)?.id);
            world.set_voice(
                guild.id,
                user_id,
                VoiceEdit {
                    channel_id,
                    ..VoiceEdit::default()
                },
            )
        }
        Act::Leave(g, m) => {
            let guild = guild_at(world, g)?;
            let user_id = guild.members.iter().nth(m)?.user_id;
            let edit = VoiceEdit {
                channel_id: Edit::Clear,
                ..VoiceEdit::default()
            };
            world.set_voice(guild.id, user_id, edit)
        }
        Act::DeleteChannel(g, c) => {
            let id = guild_at(world, g)?.channels.iter().nth(c)?.id;
            world.delete_channel(id)
        }
        Act::DeleteRole(g, r) => {
            let id = guild_at(world, g)?.roles.iter().nth(r)?.id;
            world.delete_role(id)
        }
        Act::Remove(g, m) => {
            let guild = guild_at(world, g)?;
            let user_id = guild.members.iter().nth(m)?.user_id;
            world.remove_member(guild.id, user_id, Departure::Kicked)
        }
        Act::Hide(g, c) => {
            let id = guild_at(world, g)?.channels.iter().nth(c)?.id;
            let deny = Permissions::VIEW_CHANNEL;
            let kind = OverwriteKind::Member;
            world.put_overwrite(
                id,
                Overwrite {
                    id: bot,
                    kind,
                    allow: Permissions::NONE,
                    deny,
                },
            )
        }
        Act::Outage(g, available) => {
            let id = guild_at(world, g)?.id;
            world.set_available(id, available)
        }
        Act::DeleteGuild(g) => {
            let id = guild_at(world, g)?.id;
            world.delete_guild(id)
        }
    };
    done.ok().map(|((), events)| events)
}

proptest! {
    #[test]
    fn whatever_happens_the_world_holds_together(acts in acts()) {
        let mut world = World::from_seed(1);
        for act in &acts {
            for event in perform(&mut world, act).unwrap_or_default() {
                if let EventBody::Shared(body) = &event.body {
                    let read: Value = serde_json::from_str(body).expect("JSON");
                    prop_assert!(read.is_object());
                }
            }
            for guild in world.guilds.iter() {
                for state in guild.voice_states.iter() {
                    prop_assert!(guild.members.contains(state.user_id));
                    let room = guild.channels.get(state.channel_id);
                    prop_assert!(room.is_some_and(|room| room.kind.is_voice()));
                }
                for member in guild.members.iter() {
                    prop_assert!(member.roles.iter().all(|role| guild.roles.contains(*role)));
                }
                for channel in guild.channels.iter() {
                    prop_assert!(channel.parent_id.is_none_or(|id| guild.channels.contains(id)));
                }
            }
        }
    }

    #[test]
    fn a_hidden_channel_never_shows_its_name(acts in acts()) {
        let mut world = World::from_seed(1);
        for act in &acts {
            let _events = perform(&mut world, act);
        }
        for guild in world.guilds.iter() {
            let intents = Intents::GUILDS;
            let shown = guild_create(guild, &world.users, world.bot_id(), intents, 50, Appears::Available);
            for (channel, object) in
                guild.channels.iter().zip(shown["channels"].as_array().expect("a list"))
            {
                let hidden = object["flags"] == 1 << 17;
                prop_assert_eq!(hidden, !guild.shows(channel, world.bot_id()));
                prop_assert_eq!(object["name"] == "___hidden___", hidden);
            }
        }
    }
}

#[test]
fn who_may_not_send_may_not_embed_attach_mention_all_or_read_aloud() {
    const SEND: u64 = 1 << 11;
    let now = OffsetDateTime::UNIX_EPOCH;
    let lost = Permissions::OF_SENDING;
    let (mut guild, member) = small_guild(1 << 10 | 1 << 20 | lost.0 | SEND, 0, &[(1, 0, SEND)]);
    let rights = |guild: &Guild| {
        let room = guild.channels.iter().next().expect("a channel");
        guild.rights_in(member, room, now)
    };
    assert!(
        rights(&guild).has(lost),
        "a voice channel is no text channel"
    );
    for channel in guild.channels.iter_mut() {
        channel.kind = ChannelKind::Text;
    }
    assert_eq!(rights(&guild).0 & lost.0, 0);
    for channel in guild.channels.iter_mut() {
        channel.overwrites.clear();
    }
    assert!(rights(&guild).has(lost));
}
