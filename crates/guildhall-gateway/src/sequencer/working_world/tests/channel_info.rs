//! When Discord is asked for the status of voice channels.

use guildhall_model::{
    ChannelId,
    command::{Command, CommandRequest},
};

use super::{questions::answers, *};
use crate::inbox::{About, Expectation, QuestionAnswer};

#[test]
fn it_is_asked_after_each_guild_that_comes_and_where_a_room_is_revealed() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1", "2"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    assert_eq!(asked(&mut harness), [GUILD]);
    harness.dispatch("CHANNEL_INFO", &info("1", "chess"));
    harness.dispatch("CHANNEL_UPDATE", &channel(1 << 17));
    assert_eq!(asked(&mut harness), [], "it is hidden");
    harness.dispatch("CHANNEL_UPDATE", &channel(0));
    harness.dispatch("CHANNEL_UPDATE", &channel(0));
    assert_eq!(asked(&mut harness), [GUILD]);
    harness.dispatch("GUILD_CREATE", &guild("2"));
    assert_eq!(asked(&mut harness), [GuildId(2)]);
}

#[test]
fn what_was_not_answered_is_asked_on_the_next_connection_once_it_is_live() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    assert_eq!(asked(&mut harness), [GUILD]);
    harness.working.lost(cut(), harness.now, harness.wall);
    assert_eq!(asked(&mut harness), []);
    harness.dispatch("RESUMED", &json!({}));
    assert_eq!(asked(&mut harness), [GUILD]);
    harness.dispatch("CHANNEL_INFO", &info("1", "chess"));
    harness.working.lost(cut(), harness.now, harness.wall);
    harness.dispatch("RESUMED", &json!({}));
    assert_eq!(asked(&mut harness), []);
}

#[test]
fn a_status_that_was_set_is_waited_for() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    let command = Command::SetRoomStatus {
        guild_id: GUILD,
        channel_id: ChannelId(9),
        status: Some("chess".to_owned()),
    };
    let CommandRequest { actor, command, .. } = CommandRequest {
        actor: USER,
        key: None,
        command,
    };
    let until = harness.now + Duration::from_secs(5);
    let expectation = Expectation::Done(actor, command);
    harness.ask(1, About::When { expectation, until });
    assert_eq!(answers(&mut harness), []);
    let update = json!({"id": "9", "guild_id": "1", "status": "chess"});
    harness.dispatch("VOICE_CHANNEL_STATUS_UPDATE", &update);
    let outcome = answers(&mut harness);
    assert_eq!(outcome, [(1, QuestionAnswer::So)]);
}

/// What is asked for since it was last looked at.
fn asked(harness: &mut Harness) -> Vec<GuildId> {
    harness.working.time_passed(harness.now, harness.wall);
    let effects = harness.working.take().effects.into_iter();
    let asked = effects.filter_map(|effect| match effect {
        Effect::AskForChannelInfo(guild_id) => Some(guild_id),
        _ => None,
    });
    asked.collect()
}

fn info(guild: &str, status: &str) -> Value {
    json!({"guild_id": guild, "channels": [{"id": "9", "status": status}]})
}

fn channel(flags: u64) -> Value {
    json!({
        "id": "9", "guild_id": "1", "type": 2, "name": "a room", "permission_overwrites": [],
        "flags": flags,
    })
}
