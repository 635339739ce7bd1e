//! A naive model of who is where, telling of itself as Discord would: the world ends up the same,
//! whichever documented order and repetition the dispatches take.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::{
    Harness,
    discord::{
        channel, guild, member, obfuscated, outage, partial_voice_state, text, user, voice_state,
        with, without,
    },
};

/// What happens on Discord's side.
#[derive(Clone, Debug)]
enum Step {
    /// Into a room, from wherever they are; it may be told of later, or be hidden.
    Goes {
        user: u64,
        room: u64,
    },
    Leaves {
        user: u64,
    },
    Mutes {
        user: u64,
    },
    RoomCreated {
        room: u64,
    },
    /// It is of another type for a while, or the bot may not view it.
    RoomTurned {
        room: u64,
        into: Is,
    },
    /// Its people's voice states come before or after.
    RoomDeleted {
        room: u64,
        before: bool,
    },
    Banned {
        user: u64,
        told: bool,
    },
    /// From here to `Back` nothing is told.
    Outage,
    Back,
    /// A lost session: the whole guild is told again.
    Identified,
}

/// What a channel is to Discord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Room,
    Hidden,
    Text,
    HiddenText,
}

impl Is {
    fn channel(self, room: u64) -> Value {
        match self {
            Self::Room => channel(room, "room"),
            Self::Hidden => obfuscated(channel(room, "room")),
            Self::Text => text(room),
            Self::HiddenText => obfuscated(text(room)),
        }
    }

    fn is_room(self) -> bool {
        matches!(self, Self::Room | Self::Hidden)
    }
}

/// Who is where, muted or not.
#[derive(Default)]
struct Truth {
    rooms: BTreeMap<u64, Is>,
    voice: BTreeMap<u64, (u64, bool)>,
    outage: bool,
}

proptest! {
    #[test]
    fn the_world_is_what_happened(steps in vec((step(), any::<bool>()), 0..40)) {
        let mut truth = Truth::default();
        let mut harness = Harness::empty();
        harness.hear("GUILD_CREATE", &truth.guild());
        for (step, twice) in steps {
            for (kind, payload) in truth.happens(&step) {
                harness.hear(kind, &payload);
                if twice {
                    harness.hear(kind, &payload);
                }
            }
            if !truth.outage {
                prop_assert_eq!(known(&harness), truth.shown(), "after {:?}", step);
            }
            prop_assert_eq!(harness.guild().available, !truth.outage);
        }
        harness.hear("GUILD_CREATE", &truth.guild());
        prop_assert_eq!(known(&harness), truth.shown());
        let rooms: BTreeSet<u64> = harness.guild().rooms.keys().map(|room| room.0).collect();
        let is_room = |(room, is): (u64, Is)| is.is_room().then_some(room);
        prop_assert_eq!(rooms, truth.rooms.into_iter().filter_map(is_room).collect());
    }
}

fn step() -> impl Strategy<Value = Step> {
    let user = || 8..12_u64;
    let room = || 401..405_u64;
    prop_oneof![
        8 => (user(), room()).prop_map(|(user, room)| Step::Goes { user, room }),
        3 => user().prop_map(|user| Step::Leaves { user }),
        3 => user().prop_map(|user| Step::Mutes { user }),
        4 => room().prop_map(|room| Step::RoomCreated { room }),
        3 => (room(), prop::sample::select(vec![Is::Room, Is::Hidden, Is::Text, Is::HiddenText]))
            .prop_map(|(room, into)| Step::RoomTurned { room, into }),
        2 => (room(), any::<bool>()).prop_map(|(room, before)| Step::RoomDeleted { room, before }),
        1 => (user(), any::<bool>()).prop_map(|(user, told)| Step::Banned { user, told }),
        1 => Just(Step::Outage),
        2 => Just(Step::Back),
        1 => Just(Step::Identified),
    ]
}

impl Truth {
    /// Changes, and what Discord tells of it.
    fn happens(&mut self, step: &Step) -> Vec<(&'static str, Value)> {
        let dispatches = match *step {
            Step::Goes { user, room } => {
                let muted = self.voice.get(&user).is_some_and(|(_, muted)| *muted);
                self.voice.insert(user, (room, muted));
                vec![self.state(user)]
            }
            Step::Leaves { user } if self.voice.remove(&user).is_some() => vec![self.state(user)],
            Step::Mutes { user } => match self.voice.get_mut(&user) {
                Some((_, muted)) => {
                    *muted = !*muted;
                    vec![self.state(user)]
                }
                None => Vec::new(),
            },
            Step::RoomCreated { room } if !self.rooms.contains_key(&room) => {
                self.rooms.insert(room, Is::Room);
                vec![("CHANNEL_CREATE", channel(room, "room"))]
            }
            Step::RoomTurned { room, into } if self.rooms.contains_key(&room) => {
                self.rooms.insert(room, into);
                vec![("CHANNEL_UPDATE", into.channel(room))]
            }
            Step::RoomDeleted { room, before } if self.rooms.remove(&room).is_some() => {
                let inside = self.voice.iter().filter(|(_, there)| there.0 == room);
                let inside: Vec<u64> = inside.map(|(user, _)| *user).collect();
                self.voice.retain(|_, there| there.0 != room);
                let mut told: Vec<_> = inside.into_iter().map(|user| self.state(user)).collect();
                let at = if before { told.len() } else { 0 };
                told.insert(at, ("CHANNEL_DELETE", channel(room, "room")));
                told
            }
            Step::Banned { user: id, told } => {
                let spoke = self.voice.remove(&id).is_some();
                let removed = json!({ "guild_id": "1", "user": user(id) });
                let mut dispatches = vec![("GUILD_MEMBER_REMOVE", removed)];
                dispatches.extend((spoke && told).then(|| self.state(id)));
                dispatches
            }
            Step::Outage if !self.outage => {
                self.outage = true;
                return vec![("GUILD_DELETE", outage())];
            }
            Step::Back if self.outage => {
                self.outage = false;
                return vec![("GUILD_CREATE", self.guild())];
            }
            Step::Identified => vec![("GUILD_CREATE", self.guild())],
            _ => Vec::new(),
        };
        if self.outage { Vec::new() } else { dispatches }
    }

    fn state(&self, user: u64) -> (&'static str, Value) {
        let there = self.voice.get(&user);
        let state = voice_state(user, there.map(|(room, _)| *room));
        let muted = there.is_some_and(|(_, muted)| *muted);
        let state = with(state, "self_mute", muted);
        // Who has left the guild has no member object.
        let state = if there.is_none() {
            without(state, "member")
        } else {
            state
        };
        ("VOICE_STATE_UPDATE", state)
    }

    /// Who is in a channel that is known as a room.
    fn shown(&self) -> BTreeMap<u64, (u64, bool)> {
        let is_room = |room: &u64| self.rooms.get(room).is_some_and(|is| is.is_room());
        let voice = self.voice.iter().filter(|(_, (room, _))| is_room(room));
        voice.map(|(user, there)| (*user, *there)).collect()
    }

    fn guild(&self) -> Value {
        let rooms = self.rooms.iter().map(|(room, is)| is.channel(*room));
        let state = |(user, (room, muted)): (&u64, &(u64, bool))| {
            with(partial_voice_state(*user, *room), "self_mute", *muted)
        };
        let guild = with(guild(), "channels", rooms.collect::<Vec<_>>());
        let members: Vec<Value> = self.voice.keys().copied().map(member).collect();
        let guild = with(guild, "members", members);
        with(
            guild,
            "voice_states",
            self.voice.iter().map(state).collect::<Vec<_>>(),
        )
    }
}

fn known(harness: &Harness) -> BTreeMap<u64, (u64, bool)> {
    let people = harness.guild().voice.values();
    people
        .map(|there| (there.user_id.0, (there.channel_id.0, there.flags.self_mute)))
        .collect()
}
