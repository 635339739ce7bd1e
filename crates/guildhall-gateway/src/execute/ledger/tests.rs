//! Keys, and what takes whose place.

use guildhall_model::{
    ChannelId, GuildId, LogId, Position,
    command::{Before, InviteClaims, InviteToken, Outcome},
};
use guildhall_ports::{Intent, Settlement};
use tokio::sync::oneshot::error::TryRecvError;

use super::*;
use crate::execute::{DELAYED_PER_ACTOR, JOINS_WAITING};

type AnswerReceiver = oneshot::Receiver<CommandResult>;

#[test]
fn a_key_that_comes_again_waits_for_the_first_and_is_answered_the_same() {
    let mut ledger = Ledger::default();
    let (first, mut answer) = given(&mut ledger, rename("k", "den"));
    let mut second = repeated(&mut ledger, rename("k", "den"));
    assert_eq!(second.try_recv(), Err(TryRecvError::Empty));
    ledger.settled(first.id, done(), true, 5);
    assert_eq!(
        (answer.try_recv(), second.try_recv()),
        (Ok(done()), Ok(done()))
    );
    assert_eq!(
        repeated(&mut ledger, rename("k", "den")).try_recv(),
        Ok(done())
    );
    let other = repeated(&mut ledger, rename("k", "hall")).try_recv();
    assert_eq!(
        other.expect("at once").expect_err("refused").code,
        CommandErrorCode::KeyReused
    );
}

#[test]
fn what_a_key_was_answered_can_be_asked_for_and_nothing_comes_of_it() {
    let mut ledger = Ledger::default();
    let recalled = |ledger: &mut Ledger, request| {
        let (waiter, answer) = oneshot::channel();
        ledger.recall(&request, waiter);
        answer
    };
    let nothing = Ok(Err(CommandError::nowhere()));
    assert_eq!(
        recalled(&mut ledger, rename("k", "den")).try_recv(),
        nothing
    );
    assert_eq!(recalled(&mut ledger, rename("", "den")).try_recv(), nothing);
    assert!(ledger.entries.is_empty() && ledger.keys.is_empty());
    let (first, _answer) = given(&mut ledger, rename("k", "den"));
    let mut waits = recalled(&mut ledger, rename("k", "den"));
    assert_eq!(waits.try_recv(), Err(TryRecvError::Empty));
    ledger.settled(first.id, done(), true, 5);
    let again = recalled(&mut ledger, rename("k", "den")).try_recv();
    assert_eq!((waits.try_recv(), again), (Ok(done()), Ok(done())));
    // Another request, another person, another key: nobody learns that there is one.
    let mut elsewhere = rename("k", "den");
    elsewhere.actor = UserId(2);
    for other in [rename("k", "hall"), elsewhere, rename("l", "den")] {
        assert_eq!(recalled(&mut ledger, other).try_recv(), nothing);
    }
}

#[test]
fn a_key_is_one_persons_for_one_command() {
    let mut ledger = Ledger::default();
    let (first, _answer) = given(&mut ledger, rename("k", "den"));
    let mut elsewhere = rename("k", "den");
    elsewhere.actor = UserId(2);
    assert_ne!(given(&mut ledger, elsewhere).0.id, first.id);
    let mut limit = rename("k", "");
    limit.command = Command::SetRoomLimit {
        guild_id: GuildId(1),
        channel_id: ChannelId(10),
        limit: 1,
    };
    assert_ne!(given(&mut ledger, limit).0.id, first.id);
}

#[test]
fn what_could_not_be_tried_is_tried_anew_under_the_same_key() {
    let mut ledger = Ledger::default();
    let (first, _answer) = given(&mut ledger, rename("k", "den"));
    let busy = Err(CommandError::new(CommandErrorCode::Busy, "later"));
    ledger.settled(first.id, busy, false, 5);
    assert!(given(&mut ledger, rename("k", "den")).0.id > first.id);
}

#[test]
fn a_newer_one_takes_the_place_of_one_that_waits_whether_it_is_done_or_waits_too() {
    for newer_waits in [true, false] {
        let mut ledger = Ledger::default();
        let queued = Delay::Queued { due: 9_000 };
        let (older, mut answer) = given(&mut ledger, rename("old", "den"));
        assert!(ledger.supersede(older.id).is_empty());
        ledger.delayed(older.id, queued);
        assert_eq!(answer.try_recv(), Ok(Ok(queued.outcome().answer())));
        let (newer, _answer) = given(&mut ledger, rename("new", "hall"));
        let [gone] = &ledger.supersede(newer.id)[..] else {
            panic!("the older one waits")
        };
        assert_eq!(gone.id, older.id);
        if newer_waits {
            ledger.delayed(newer.id, queued);
        } else {
            ledger.settled(newer.id, done(), true, 5);
        }
        let superseded = Err(CommandError::new(
            CommandErrorCode::Superseded,
            "a newer one",
        ));
        ledger.settled(gone.id, superseded.clone(), true, 6);
        assert_eq!(
            repeated(&mut ledger, rename("old", "den")).try_recv(),
            Ok(superseded)
        );
        assert_eq!(ledger.resume(older.id).map(|it| it.id), None);
        assert_eq!(ledger.resume(newer.id).is_some(), newer_waits);
        assert!(ledger.delayed.is_empty() != newer_waits);
    }
}

#[test]
fn who_is_taken_out_of_voice_is_not_moved_later() {
    let mut ledger = Ledger::default();
    let (guild_id, channel_id, user_id) = (GuildId(1), ChannelId(10), UserId(1));
    let mut request = rename("k", "");
    request.command = Command::ConnectUserToVoiceChannel {
        guild_id,
        channel_id,
        user_id,
    };
    let (moved, _answer) = given(&mut ledger, request.clone());
    ledger.delayed(moved.id, Delay::Waiting { until: 9_000 });
    request.command = Command::Disconnect { guild_id };
    let (left, _answer) = given(&mut ledger, request);
    let superseded = ledger.supersede(left.id);
    let ids: Vec<u64> = superseded.iter().map(|older| older.id).collect();
    assert_eq!(ids, [moved.id]);
}

#[test]
fn of_two_that_were_left_waiting_the_newer_goes_on() {
    let queued = |id, key| KeptCommand {
        id,
        request: rename(key, "den"),
        asked_at: 1,
        state: CommandState::Queued { due: 9_000 },
    };
    let mut ledger = Ledger::default();
    let left = ledger.restore(vec![queued(3, "old"), queued(5, "new")]);
    let left: Vec<(u64, bool)> = left
        .iter()
        .map(|(command, left)| (command.id, matches!(left, Unsettled::Superseded)))
        .collect();
    assert_eq!(left, [(3, true), (5, false)]);
}

#[test]
fn one_person_has_only_so_many_that_wait() {
    let mut ledger = Ledger::default();
    let waiting = Delay::Waiting { until: 9_000 };
    for user in 0..DELAYED_PER_ACTOR as u64 {
        assert!(ledger.may_delay(&rename("", "")));
        let mut request = rename("", "");
        request.key = None;
        request.command = Command::ConnectUserToVoiceChannel {
            guild_id: GuildId(1),
            channel_id: ChannelId(10),
            user_id: UserId(1_000 + user),
        };
        let (given, _answer) = given(&mut ledger, request);
        ledger.delayed(given.id, waiting);
    }
    assert!(!ledger.may_delay(&rename("", "")));
    let another = CommandRequest {
        actor: UserId(2),
        ..rename("", "")
    };
    assert!(ledger.may_delay(&another));
}

#[test]
fn who_waits_by_an_invite_keeps_nobody_else_from_waiting_and_the_oldest_gives_way() {
    let mut ledger = Ledger::default();
    let waiting = Delay::Waiting { until: 9_000 };
    let wait = |ledger: &mut Ledger, user: u64| {
        let request = join(UserId(user));
        assert!(ledger.may_delay(&request), "{user}");
        let (given, _answer) = given(ledger, request);
        ledger.delayed(given.id, waiting);
        given.id
    };
    let first = wait(&mut ledger, 1_000);
    for user in 1..JOINS_WAITING as u64 {
        wait(&mut ledger, 1_000 + user);
        assert!(ledger.give_way().is_empty());
    }
    assert!(ledger.may_delay(&rename("", "")));
    let last = wait(&mut ledger, 9_000);
    let gone = ledger.give_way();
    let gone: Vec<u64> = gone.iter().map(|older| older.id).collect();
    assert_eq!(gone, [first]);
    assert!(ledger.give_way().is_empty());
    assert!(ledger.resume(last).is_some());
}

#[test]
fn keys_are_good_for_ten_minutes_and_leave_nothing() {
    let mut ledger = Ledger::default();
    let kept = millis(KEY_KEPT);
    let (first, _answer) = given(&mut ledger, rename("a", "den"));
    let (second, _answer) = given(&mut ledger, rename("b", "den"));
    ledger.settled(first.id, done(), true, 5);
    ledger.settled(second.id, done(), true, 6);
    assert_eq!(ledger.expire(4 + kept), [0; 0]);
    assert_eq!(ledger.expire(5 + kept), [first.id]);
    assert!(given(&mut ledger, rename("a", "den")).0.id > second.id);
    assert_eq!(ledger.expire(6 + kept), [second.id]);
    assert_eq!((ledger.entries.len(), ledger.keys.len()), (1, 1));
}

#[test]
fn what_an_earlier_process_left_is_known_and_goes_on() {
    let kept = |id, key: &str, state| KeptCommand {
        id,
        request: rename(key, "den"),
        asked_at: 1,
        state,
    };
    let intent = Intent {
        before: Before::Name("hall".to_owned()),
        at: Position::start(LogId(0), 1),
        since: 1,
        promised: false,
    };
    let settled = CommandState::Settled {
        at: 3,
        result: Settlement::from(done()),
    };
    let queued = Delay::Queued { due: 9_000 };
    let mut ledger = Ledger::default();
    let unsettled = ledger.restore(vec![
        kept(3, "settled", settled),
        kept(5, "queued", CommandState::Queued { due: 9_000 }),
        kept(8, "intended", CommandState::Intended(intent)),
    ]);
    let ids: Vec<u64> = unsettled.iter().map(|(accepted, _)| accepted.id).collect();
    assert_eq!(ids, [5, 8]);
    assert_eq!(
        repeated(&mut ledger, rename("settled", "den")).try_recv(),
        Ok(done())
    );
    assert_eq!(
        repeated(&mut ledger, rename("queued", "den")).try_recv(),
        Ok(Ok(queued.outcome().answer()))
    );
    let mut waits = repeated(&mut ledger, rename("intended", "den"));
    assert_eq!(waits.try_recv(), Err(TryRecvError::Empty));
    ledger.settled(8, done(), true, 5);
    assert_eq!(waits.try_recv(), Ok(done()));
    assert_eq!(given(&mut ledger, rename("new", "den")).0.id, 9);
}

fn given(ledger: &mut Ledger, request: CommandRequest) -> (AcceptedCommand, AnswerReceiver) {
    let (waiter, answer) = oneshot::channel();
    let Err((request, waiter)) = ledger.repeated(request, waiter) else {
        panic!("it is known already");
    };
    (ledger.accept(request, waiter, 1), answer)
}

fn repeated(ledger: &mut Ledger, request: CommandRequest) -> AnswerReceiver {
    let (waiter, answer) = oneshot::channel();
    assert!(ledger.repeated(request, waiter).is_ok(), "it is new");
    answer
}

fn rename(key: &str, name: &str) -> CommandRequest {
    CommandRequest {
        actor: UserId(1),
        key: Some(key.to_owned()),
        command: Command::RenameRoom {
            guild_id: GuildId(1),
            channel_id: ChannelId(10),
            name: name.to_owned(),
        },
    }
}

fn join(actor: UserId) -> CommandRequest {
    let (guild_id, channel_id) = (GuildId(1), ChannelId(10));
    let claims = InviteClaims {
        guild_id,
        channel_id,
        room: 1,
        expires_at: 9_000,
        id: [7; 16],
    };
    CommandRequest {
        actor,
        key: None,
        command: Command::JoinRoom {
            guild_id,
            channel_id,
            token: InviteToken::new(claims, [0; 32]),
        },
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of the results")]
fn done() -> CommandResult {
    Ok(Outcome::Done.answer())
}
