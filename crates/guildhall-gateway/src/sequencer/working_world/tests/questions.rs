//! Questions of whoever carries out commands: what they are answered, and when.

use guildhall_model::{
    ChannelId,
    command::{Before, Command, CommandErrorCode, CommandRequest, Judgement},
};

use super::*;
use crate::inbox::{About, Expectation, QuestionAnswer, QuestionId};

const ROOM: ChannelId = ChannelId(5);

#[test]
fn a_command_is_judged_on_the_world_as_it_is_and_answered_with_the_batch() {
    let mut harness = live();
    harness.ask(1, About::Command(Box::new(leave())));
    let [Effect::AnswerQuestion { id, answer }] = &harness.working.take().effects[..] else {
        panic!("one answer")
    };
    assert_eq!(*id, QuestionId(1));
    assert_eq!(*answer, QuestionAnswer::Judged(Ok(Judgement::AlreadySo)));
    harness.dispatch("VOICE_STATE_UPDATE", &voice("7", "5"));
    harness.ask(2, About::Command(Box::new(leave())));
    let before = Before::Room(Some(ROOM));
    assert_eq!(
        answers(&mut harness),
        [(2, QuestionAnswer::Judged(Ok(Judgement::ToDo(before))))]
    );
}

#[test]
fn nothing_is_judged_while_what_is_known_may_be_old() {
    let mut harness = live();
    harness.working.take();
    harness.working.lost(cut(), harness.now, harness.wall);
    harness.ask(1, About::Command(Box::new(leave())));
    let [(1, QuestionAnswer::Judged(Err(error)))] = &answers(&mut harness)[..] else {
        panic!("refused")
    };
    assert_eq!(error.code, CommandErrorCode::GuildUnavailable);
    harness.dispatch("RESUMED", &json!({}));
    harness.ask(2, About::Command(Box::new(leave())));
    let judged = QuestionAnswer::Judged(Ok(Judgement::AlreadySo));
    assert_eq!(answers(&mut harness), [(2, judged)]);
}

#[test]
fn who_lost_the_right_meanwhile_is_refused_on_the_committed_world() {
    let rename = || CommandRequest {
        actor: USER,
        key: None,
        command: Command::RenameRoom {
            guild_id: GUILD,
            channel_id: ROOM,
            name: "den".to_owned(),
        },
    };
    let mut harness = live();
    harness.ask(1, About::Command(Box::new(rename())));
    let before = Before::Name("5".to_owned());
    assert_eq!(
        answers(&mut harness),
        [(1, QuestionAnswer::Judged(Ok(Judgement::ToDo(before))))]
    );
    // The guild is somebody else's now.
    let mut guild = guild("1");
    guild["owner_id"] = json!("8");
    harness.dispatch("GUILD_UPDATE", &guild);
    harness.ask(2, About::Command(Box::new(rename())));
    let [(2, QuestionAnswer::Judged(Err(error)))] = &answers(&mut harness)[..] else {
        panic!("refused")
    };
    let refused = [CommandErrorCode::Forbidden, CommandErrorCode::NotFound];
    assert!(refused.contains(&error.code), "{error}");
}

#[test]
fn an_effect_is_told_with_the_batch_that_brings_it_and_no_half_of_a_move_counts() {
    let mut harness = live();
    harness.dispatch("VOICE_STATE_UPDATE", &voice("7", "5"));
    harness.when(1, Expectation::Done(USER, leave().command));
    assert_eq!(answers(&mut harness), []);
    // A move is two events: left, then joined.
    harness.dispatch("VOICE_STATE_UPDATE", &voice("7", "6"));
    assert_eq!(answers(&mut harness), []);
    harness.dispatch(
        "VOICE_STATE_UPDATE",
        &json!({
            "guild_id": "1", "channel_id": null, "user_id": "7", "session_id": "s",
        }),
    );
    assert_eq!(answers(&mut harness), [(1, QuestionAnswer::So)]);
    assert_eq!(answers(&mut harness), [], "once");
}

#[test]
fn what_does_not_come_is_told_when_its_time_is_over() {
    let mut harness = live();
    harness.when(1, Expectation::Ready(Box::new(join())));
    assert_eq!(answers(&mut harness), []);
    let due = harness.working.deadline().expect("somebody waits");
    assert!(due <= harness.now + Duration::from_secs(5));
    harness.now += Duration::from_secs(5);
    harness.working.time_passed(harness.now, 1_000);
    assert_eq!(answers(&mut harness), [(1, QuestionAnswer::NotInTime)]);
    harness.when(2, Expectation::Ready(Box::new(join())));
    harness.dispatch("VOICE_STATE_UPDATE", &voice("7", "6"));
    assert_eq!(answers(&mut harness), [(2, QuestionAnswer::So)]);
}

#[test]
fn what_was_so_before_is_told_once_discord_is_live_in_the_guild() {
    let mut harness = live();
    harness.working.take();
    harness.working.lost(cut(), harness.now, harness.wall);
    let until = harness.now + Duration::from_secs(5);
    let request = Box::new(leave());
    harness.ask(1, About::Before { request, until });
    assert_eq!(answers(&mut harness), []);
    harness.dispatch("RESUMED", &json!({}));
    let before = QuestionAnswer::Before(Some(Before::Room(None)));
    assert_eq!(answers(&mut harness), [(1, before)]);
}

/// A session in which the user owns the guild, with the rooms 5 and 6.
fn live() -> Harness {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    let mut guild = guild("1");
    guild["owner_id"] = json!("7");
    let room = |id: &str| {
        json!({
            "id": id, "type": 2, "name": id, "position": 1, "permission_overwrites": [],
        })
    };
    guild["channels"] = json!([room("5"), room("6")]);
    guild["members"] = json!([{"user": {"id": "7", "username": "u"}, "roles": []}]);
    harness.dispatch("GUILD_CREATE", &guild);
    harness.watch(90, &[GUILD]);
    harness.working.looked_up(
        (GUILD, USER),
        Some(Membership::member(Vec::new())),
        harness.now,
        1_000,
    );
    harness.working.take();
    harness
}

fn leave() -> CommandRequest {
    CommandRequest {
        actor: USER,
        key: None,
        command: Command::Disconnect { guild_id: GUILD },
    }
}

fn join() -> CommandRequest {
    CommandRequest {
        actor: USER,
        key: None,
        command: Command::ConnectUserToVoiceChannel {
            guild_id: GUILD,
            channel_id: ROOM,
            user_id: USER,
        },
    }
}

pub(super) fn answers(harness: &mut Harness) -> Vec<(u64, QuestionAnswer)> {
    let effects = harness.working.take().effects.into_iter();
    let answers = effects.filter_map(|effect| match effect {
        Effect::AnswerQuestion { id, answer } => Some((id.0, answer)),
        _ => None,
    });
    answers.collect()
}

impl Harness {
    pub(super) fn ask(&mut self, id: u64, about: About) {
        self.working.asked(QuestionId(id), GUILD, about, 1_000);
    }

    fn when(&mut self, id: u64, expectation: Expectation) {
        let until = self.now + Duration::from_secs(5);
        self.ask(id, About::When { expectation, until });
    }
}
