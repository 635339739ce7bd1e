//! From the JSON of a dispatch to events. What is heard is written after Discord's documentation
//! (`discord.rs`); what comes of it is pinned by the files in `snapshots/`, in the link's form.

use std::fmt::Write;

use guildhall_model::ChannelId;
use serde_json::Value;
use url::Url;

use super::*;

mod channel;
mod discord;
mod guild;
mod member;
mod names;
mod odd;
mod pending;
mod random;
mod status;
mod truth;
mod voice;

const GUILD: GuildId = GuildId(1);

/// A world that hears dispatches, one a second.
struct Harness {
    world: World,
    now: UnixMs,
    cdn: Cdn,
    bridged: Option<BTreeSet<GuildId>>,
}

impl Harness {
    fn empty() -> Self {
        Self {
            world: World::default(),
            now: 1_700_000_000_000,
            cdn: Cdn::new(&Url::parse("https://cdn.example/").expect("a URL")),
            bridged: None,
        }
    }

    /// After the GUILD_CREATE of [`discord::guild`].
    fn built() -> Self {
        let mut harness = Self::empty();
        harness.hear("GUILD_CREATE", &discord::guild());
        harness
    }

    fn read(&self, kind: &str, data: &str) -> Normalised {
        let context = Context {
            world: &self.world,
            now: self.now,
            cdn: &self.cdn,
            bridged: self.bridged.as_ref(),
        };
        dispatch(kind, data, &context)
    }

    /// Reads one dispatch and applies what it says.
    fn seen(&mut self, kind: &str, data: &Value) -> Normalised {
        self.now += 1_000;
        let seen = self.read(kind, &data.to_string());
        if let Normalised::Guild(GuildDelta { events, .. })
        | Normalised::Ready(Ready { events, .. }) = &seen
        {
            for event in events {
                self.world.apply(event);
            }
        }
        seen
    }

    /// As `seen`, for dispatches that must be understood.
    fn hear(&mut self, kind: &str, data: &Value) -> GuildDelta {
        match self.seen(kind, data) {
            Normalised::Guild(told) => told,
            seen => panic!("{kind} {data} was {seen:?}"),
        }
    }

    /// What no dispatch says happened in the guild.
    fn apply(&mut self, change: Change) {
        self.world.apply(&Event {
            guild_id: GUILD,
            ts: self.now,
            synthetic: false,
            change,
        });
    }

    /// Who is in a room.
    fn people(&self, room: u64) -> Vec<u64> {
        let guild = &self.world.guilds[&GUILD];
        guild
            .occupants(ChannelId(room))
            .map(|there| there.user_id.0)
            .collect()
    }

    fn guild(&self) -> &Guild {
        &self.world.guilds[&GUILD]
    }
}

/// One dispatch after the other and what came of it, for a snapshot file.
fn story(harness: &mut Harness, dispatches: &[(&str, Value)]) -> String {
    let mut text = String::new();
    for (kind, data) in dispatches {
        writeln!(text, "{kind}").expect("strings take all");
        match harness.seen(kind, data) {
            Normalised::Guild(told) => {
                if let Some(transition) = told.transition {
                    writeln!(text, "  guild {} {transition:?}", told.guild_id)
                        .expect("strings take all");
                }
                for event in &told.events {
                    let json = serde_json::to_string(event).expect("events serialise");
                    writeln!(text, "  {json}").expect("strings take all");
                }
                for seen in &told.members {
                    writeln!(text, "  {seen:?}").expect("strings take all");
                }
            }
            seen => writeln!(text, "  {seen:?}").expect("strings take all"),
        }
    }
    text
}

fn names(told: &GuildDelta) -> Vec<&'static str> {
    told.events
        .iter()
        .map(|event| event.change.name())
        .collect()
}

#[test]
fn other_kinds_and_other_guilds_are_not_seen() {
    let mut harness = Harness::built();
    for kind in [
        "MESSAGE_CREATE",
        "TYPING_START",
        "PRESENCE_UPDATE",
        "SOMETHING_NEW",
    ] {
        assert!(
            matches!(harness.seen(kind, &Value::Null), Normalised::Irrelevant),
            "{kind}"
        );
    }
    harness.bridged = Some([GuildId(2)].into());
    let join = discord::voice_state(discord::ANN, Some(discord::MOON));
    assert!(matches!(
        harness.seen("VOICE_STATE_UPDATE", &join),
        Normalised::Irrelevant
    ));
    assert!(matches!(
        harness.seen("GUILD_CREATE", &discord::guild()),
        Normalised::Irrelevant
    ));
    assert!(harness.people(discord::MOON).is_empty());
}

#[test]
fn what_is_not_to_be_understood_names_its_guild_if_it_can() {
    let harness = Harness::built();
    for (kind, data, guild) in [
        (
            "VOICE_STATE_UPDATE",
            r#"{"guild_id":"1","channel_id":"401"}"#,
            Some(GUILD),
        ),
        (
            "VOICE_STATE_UPDATE",
            r#"{"guild_id":1,"user_id":"x"}"#,
            Some(GUILD),
        ),
        (
            "VOICE_STATE_UPDATE",
            r#"{"guild_id":[],"user_id":"9"}"#,
            None,
        ),
        (
            "GUILD_CREATE",
            r#"{"id":"1","name":"x","owner_id":"7"}"#,
            Some(GUILD),
        ),
        (
            "GUILD_CREATE",
            r#"{"id":"3","roles":[],"channels":[]}"#,
            Some(GuildId(3)),
        ),
        (
            "GUILD_ROLE_UPDATE",
            r#"{"guild_id":"1","role":{"id":"3"}}"#,
            Some(GUILD),
        ),
        (
            "GUILD_MEMBER_UPDATE",
            r#"{"guild_id":"1","roles":[]}"#,
            Some(GUILD),
        ),
        ("READY", r#"{"user":{"id":"5"}}"#, None),
        ("GUILD_DELETE", "", None),
        ("CHANNEL_UPDATE", "[]", None),
        ("CHANNEL_DELETE", "null", None),
        ("GUILD_UPDATE", r#"{"id":"#, None),
    ] {
        match harness.read(kind, data) {
            Normalised::Unreadable { guild_id, .. } => assert_eq!(guild_id, guild, "{kind} {data}"),
            seen => panic!("{kind} {data} was {seen:?}"),
        }
    }
}

#[test]
fn a_ready_removes_the_guilds_that_the_bot_is_no_longer_in() {
    let mut harness = Harness::built();
    let second = discord::with(discord::guild(), "id", "2");
    harness.hear("GUILD_CREATE", &second);
    let Normalised::Ready(ready) = harness.seen("READY", &discord::ready(&[2, 3])) else {
        panic!("READY is understood");
    };
    assert_eq!(ready.bot, UserId(discord::BOT));
    assert_eq!(ready.guilds, [GuildId(2), GuildId(3)].into());
    assert_eq!(ready.events.len(), 1);
    assert!(ready.events[0].synthetic);
    assert_eq!(
        harness.world.guilds.keys().collect::<Vec<_>>(),
        [&GuildId(2)]
    );
}
