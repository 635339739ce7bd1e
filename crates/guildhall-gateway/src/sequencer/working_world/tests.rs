#![expect(clippy::disallowed_methods, reason = "any instant will do as a start")]

/// When Discord is asked for the status of voice channels.
mod channel_info;
/// Rooms that Guildhall made.
mod managed;
/// What the bot itself is.
mod own_membership;
/// Questions of whoever carries out commands.
mod questions;
/// Guilds that come again and whose changes may have been missed.
mod reset;

use std::num::NonZeroU64;

use guildhall_link::frame::Discord;
use guildhall_model::RoleId;
use serde_json::{Value, json};

use super::{renewal::RENEWALS_APART, *};
use crate::inbox::Dispatch;

mod odd;

const GUILD: GuildId = GuildId(1);
const USER: UserId = UserId(7);

#[test]
fn a_batch_holds_its_events_in_order_and_the_status_they_lead_to() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.dispatch("VOICE_STATE_UPDATE", &voice("5", "9"));
    let outcome = harness.working.take();
    assert_eq!(names(&outcome), ["guild.available", "voice.joined"]);
    let status = outcome.status.expect("it changed");
    assert_eq!((status.discord, status.complete), (Discord::Live, true));
    let quiet = harness.working.take();
    assert_eq!(
        (quiet.events.len(), quiet.status, quiet.report),
        (0, None, None)
    );
}

#[test]
fn a_guild_that_is_not_bridged_is_ignored_altogether() {
    let mut harness = Harness::new(Some([GUILD].into()));
    harness.dispatch("READY", &ready(&["1", "2"]));
    harness.dispatch("GUILD_CREATE", &guild("2"));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    let outcome = harness.working.take();
    assert!(outcome.events.iter().all(|event| event.guild_id == GUILD));
    assert!(
        outcome.status.is_some_and(|status| status.complete),
        "nobody waits for the other"
    );
    harness.watch(1, &[GuildId(2)]);
    let failed = vec![GuildId(2)];
    assert_eq!(
        harness.working.take().effects,
        [Effect::Answer {
            watch: WatchId(1),
            failed
        }]
    );
}

#[test]
fn a_configured_guild_that_ready_does_not_name_is_reported() {
    let mut harness = Harness::new(Some([GUILD, GuildId(3)].into()));
    harness.dispatch("READY", &ready(&["1"]));
    let report = harness.working.take().report.expect("it changed");
    assert_eq!(report.missing, [GuildId(3)].into());
}

#[test]
fn a_configured_guild_is_reported_until_the_bot_is_in_it_and_when_it_no_longer_is() {
    let mut harness = Harness::new(Some([GUILD].into()));
    harness.dispatch("READY", &ready(&[]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    let report = harness.working.take().report;
    assert!(report.is_none_or(|report| report.missing.is_empty()));
    harness.dispatch("GUILD_DELETE", &json!({"id": "1"}));
    let report = harness.working.take().report.expect("it changed");
    assert_eq!(report.missing, [GUILD].into());
}

#[test]
fn an_odd_entry_of_a_guild_takes_nothing_away_and_is_said() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.dispatch("VOICE_STATE_UPDATE", &voice("5", "9"));
    harness.working.take();
    let mut odd = guild("1");
    odd["channels"][0]["type"] = json!("voice");
    odd["voice_states"] = json!([{"user_id": "5", "channel_id": "9", "session_id": "x"}]);
    harness.dispatch("GUILD_CREATE", &odd);
    let outcome = harness.working.take();
    assert_eq!(
        names(&outcome),
        [""; 0],
        "neither a room nor its people went"
    );
    assert_eq!(outcome.effects, [Effect::Renew]);
    let status = outcome.status.expect("it changed");
    assert_eq!(status.guild_ids, [GUILD], "not live, and streams are told");
    let report = outcome.report.expect("it changed");
    assert_eq!(report.stale, [GUILD].into());
}

#[test]
fn what_cannot_be_read_of_a_guild_that_is_not_bridged_costs_no_session() {
    let mut harness = Harness::new(Some([GUILD].into()));
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_ROLE_UPDATE", &json!({"guild_id": "2", "role": {}}));
    assert_eq!(harness.working.take().effects, []);
}

#[test]
fn a_guild_that_is_gone_is_no_longer_stale() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.dispatch("GUILD_ROLE_UPDATE", &json!({"guild_id": "1", "role": {}}));
    harness.dispatch("GUILD_DELETE", &json!({"id": "1"}));
    let report = harness.working.take().report;
    assert!(report.is_none_or(|report| report.stale.is_empty()));
}

#[test]
fn a_member_in_a_replay_is_looked_at_again() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.watch(1, &[GUILD]);
    let now = Membership::member(Vec::new());
    let key = (GUILD, USER);
    harness.working.looked_up(key, Some(now), harness.now, 50);
    harness.working.lost(cut(), harness.now, 60);
    harness.working.take();
    let mut state = voice("7", "9");
    state["member"] = json!({"user": {"id": "7"}, "roles": ["4"], "flags": 0});
    harness.dispatch("VOICE_STATE_UPDATE", &state);
    assert_eq!(harness.working.take().effects, [Effect::LookUpByRest(key)]);
}

#[test]
fn a_watch_is_answered_in_the_batch_of_the_rights_it_needed() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.watch(1, &[GUILD]);
    assert_eq!(
        harness.working.take().effects,
        [Effect::LookUpByRest((GUILD, USER))]
    );
    let member = Membership::member(vec![RoleId(4)]);
    harness
        .working
        .looked_up((GUILD, USER), Some(member), harness.now, 50);
    let outcome = harness.working.take();
    assert_eq!(names(&outcome), ["rights"]);
    assert_eq!(
        outcome.effects,
        [Effect::Answer {
            watch: WatchId(1),
            failed: Vec::new()
        }]
    );
}

#[test]
fn a_member_object_in_any_dispatch_is_the_newer_answer() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.watch(1, &[GUILD]);
    let mut state = voice("7", "9");
    state["member"] =
        json!({"user": {"id": "7", "username": "u"}, "roles": ["4"], "flags": 0, "joined_at": "x"});
    harness.dispatch("VOICE_STATE_UPDATE", &state);
    let old = Membership::member(Vec::new());
    harness
        .working
        .looked_up((GUILD, USER), Some(old), harness.now, 50);
    let outcome = harness.working.take();
    assert_eq!(
        names(&outcome),
        ["guild.available", "voice.joined", "rights"]
    );
    let now = Membership::member(vec![RoleId(4)]);
    let kept = &harness.working.world.guilds[&GUILD].memberships[&USER];
    assert_eq!(kept, &now);
}

#[test]
fn a_ban_is_looked_into_although_it_tells_no_roles() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.watch(1, &[GUILD]);
    harness.working.looked_up(
        (GUILD, USER),
        Some(Membership::member(Vec::new())),
        harness.now,
        50,
    );
    harness.working.take();
    harness.dispatch(
        "GUILD_BAN_ADD",
        &json!({"guild_id": "1", "user": {"id": "7"}}),
    );
    assert_eq!(
        harness.working.take().effects,
        [Effect::LookUpByRest((GUILD, USER))]
    );
}

#[test]
fn a_session_that_replaced_a_lost_one_leaves_a_gap_in_each_guild_and_removes_what_is_gone() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1", "2"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.dispatch("GUILD_CREATE", &guild("2"));
    harness.working.take();
    harness.working.lost(
        Lost {
            resumable: false,
            tries: 1,
            why: String::new(),
        },
        harness.now,
        60,
    );
    let lost = harness.working.take();
    assert_eq!(
        lost.status.map(|status| (status.discord, status.since)),
        Some((Discord::Down, 60))
    );
    harness.wall = 90;
    harness.dispatch("READY", &ready(&["1"]));
    let outcome = harness.working.take();
    assert_eq!(names(&outcome), ["guild.removed", "gap"]);
    assert_eq!(outcome.events[0].guild_id, GuildId(2));
    assert_eq!(outcome.events[1].change, Change::Gap { from: 60, to: 90 });
}

#[test]
fn what_one_dispatch_does_has_one_cause_and_the_next_another() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.dispatch(
        "CHANNEL_CREATE",
        &json!({"guild_id": "1", "id": "8", "type": 2}),
    );
    harness.dispatch("VOICE_STATE_UPDATE", &voice("5", "9"));
    harness.working.take();
    harness.dispatch("VOICE_STATE_UPDATE", &voice("5", "8"));
    harness.dispatch("TYPING_START", &json!({"guild_id": "1"}));
    harness.dispatch("VOICE_STATE_UPDATE", &voice("6", "8"));
    let outcome = harness.working.take();
    assert_eq!(
        names(&outcome),
        ["voice.left", "voice.joined", "voice.joined"]
    );
    assert_eq!(outcome.causes, [0, 2]);
}

#[test]
fn a_resumed_session_is_live_again_without_a_gap() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.working.lost(cut(), harness.now, 60);
    let outcome = harness.working.take();
    assert_eq!(
        outcome.status.map(|status| status.discord),
        Some(Discord::Resuming)
    );
    assert!(outcome.report.is_some_and(|report| report.lost.is_some()));
    harness.dispatch("RESUMED", &Value::Null);
    let outcome = harness.working.take();
    assert_eq!(
        outcome.status.map(|status| status.discord),
        Some(Discord::Live)
    );
    assert!(outcome.report.is_some_and(|report| report.lost.is_none()));
    assert!(outcome.events.is_empty());
}

#[test]
fn however_discord_numbers_its_resumed_the_session_is_live_again() {
    for number in [0, 1, 2, 3] {
        let mut harness = Harness::new(None);
        harness.dispatch("READY", &ready(&["1"]));
        harness.dispatch("GUILD_CREATE", &guild("1"));
        harness.working.lost(cut(), harness.now, 60);
        harness.working.take();
        harness.sequence = number;
        harness.dispatch("RESUMED", &Value::Null);
        let status = harness.working.take().status.expect("it changed");
        assert_eq!(status.discord, Discord::Live, "after {number}");
        let resume = harness.working.resume().expect("a session");
        assert_eq!(resume.sequence, (number + 1).max(2), "never back");
    }
}

#[test]
fn a_dispatch_that_cannot_be_read_asks_for_a_fresh_picture_and_not_again_and_again() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.working.take();
    harness.dispatch(
        "VOICE_STATE_UPDATE",
        &json!({"guild_id": "1", "user_id": "no id"}),
    );
    let outcome = harness.working.take();
    assert_eq!(outcome.effects, [Effect::Renew]);
    assert_eq!(
        outcome.report.map(|report| report.stale),
        Some([GUILD].into())
    );
    harness.dispatch(
        "VOICE_STATE_UPDATE",
        &json!({"guild_id": "1", "user_id": "no id"}),
    );
    assert_eq!(harness.working.take().effects, []);
    let due = harness.working.deadline().expect("it is still wanted");
    assert_eq!(due, harness.now + RENEWALS_APART);
    harness.working.time_passed(due, 50);
    let effects = harness.working.take().effects;
    let [Effect::Renew, Effect::AskForChannelInfo(GUILD)] = effects[..] else {
        panic!("{effects:?}")
    };
    let info = json!({"guild_id": "1", "channels": []});
    harness.dispatch("CHANNEL_INFO", &info);
    // There may have been no session to spare.
    assert_eq!(harness.working.deadline(), Some(due + RENEWALS_APART));
    harness.dispatch("READY", &ready(&["1"]));
    assert_eq!(harness.working.deadline(), None);
}

#[test]
fn who_never_comes_back_is_forgotten_however_often_the_process_begins_anew() {
    const HOUR: u64 = 3_600_000;
    let mut kept = Restored {
        world: guild_with_a_member(),
        ..restored(None)
    };
    let cdn = || Cdn::new(&"https://cdn.example".parse().expect("an address"));
    let begin = |kept: Restored, wall: UnixMs| {
        let mut working = WorkingWorld::new(kept, cdn(), Limits::default(), "THE_GUILDS", wall);
        working.begun(Instant::now(), wall);
        working
    };
    for hours in [0, 10, 20] {
        let mut working = begin(kept, hours * HOUR);
        let outcome = working.take();
        assert_eq!(names(&outcome), [""; 0], "after {hours} hours");
        let state = outcome.state.unwrap_or(working.kept);
        assert_eq!(state.forget_at, Some(24 * HOUR), "after {hours} hours");
        kept = Restored {
            world: guild_with_a_member(),
            state,
            ..restored(None)
        };
    }
    let mut working = begin(kept, 23 * HOUR);
    working.time_passed(Instant::now() + Duration::from_mins(61), 24 * HOUR + 60_000);
    assert_eq!(names(&working.take()), ["rights"], "after 24 hours");
    let mut nobody = begin(restored(None), 25 * HOUR);
    assert_eq!(nobody.take().state, None);
}

struct Harness {
    working: WorkingWorld,
    now: Instant,
    wall: UnixMs,
    sequence: u64,
}

impl Harness {
    fn new(bridged: Option<BTreeSet<GuildId>>) -> Self {
        let cdn = Cdn::new(&"https://cdn.example".parse().expect("an address"));
        Self {
            working: WorkingWorld::new(restored(bridged), cdn, Limits::default(), "THE_GUILDS", 10),
            now: Instant::now(),
            wall: 20,
            sequence: 0,
        }
    }

    fn dispatch(&mut self, name: &str, data: &Value) {
        self.sequence += 1;
        self.numbered(self.sequence, name, data);
    }

    /// 0: a number that can't be read.
    fn numbered(&mut self, sequence: u64, name: &str, data: &Value) {
        let dispatch = Dispatch {
            name: name.to_owned(),
            sequence: NonZeroU64::new(sequence),
            data: serde_json::value::to_raw_value(data).expect("JSON"),
            received_at: self.wall,
        };
        self.working.dispatched(&dispatch, self.now);
    }

    fn watch(&mut self, id: u64, guilds: &[GuildId]) {
        self.working
            .watched(WatchId(id), USER, guilds.to_vec(), self.now, self.wall);
    }
}

/// A guild of which an earlier process had looked somebody up.
fn guild_with_a_member() -> World {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    let mut world = harness.working.world;
    let guild = world.guilds.get_mut(&GUILD).expect("it came");
    let member = Membership::member(vec![RoleId(5)]);
    guild.memberships.insert(USER, member);
    world
}

fn restored(bridged: Option<BTreeSet<GuildId>>) -> Restored {
    Restored {
        world: World::default(),
        state: Arc::new(JournalState::default()),
        terms: Terms {
            shard: [0, 1],
            intents: 129,
            guilds: bridged,
            world_format: World::FORMAT,
        },
        shard: ShardId::ONLY,
        managed: ManagedRooms::default(),
    }
}

/// Discord keeps the session.
fn cut() -> Lost {
    Lost {
        resumable: true,
        tries: 1,
        why: "cut".into(),
    }
}

fn names(outcome: &BatchOutcome) -> Vec<&'static str> {
    outcome
        .events
        .iter()
        .map(|event| event.change.name())
        .collect()
}

fn ready(guilds: &[&str]) -> Value {
    let guilds: Vec<Value> = guilds
        .iter()
        .map(|id| json!({"id": id, "unavailable": true}))
        .collect();
    json!({"v": 10, "user": {"id": "100"}, "guilds": guilds, "session_id": "s"})
}

fn guild(id: &str) -> Value {
    json!({
        "id": id, "name": "a guild", "owner_id": "100",
        "roles": [{"id": id, "permissions": "1024"}],
        "channels": [{"id": "9", "type": 2, "name": "a room", "permission_overwrites": []}],
        "voice_states": [], "members": [],
    })
}

fn voice(user: &str, channel: &str) -> Value {
    json!({"guild_id": "1", "user_id": user, "channel_id": channel, "session_id": "x"})
}
