use guildhall_http::driver_time;

use super::*;

const MOMENT: Duration = Duration::from_millis(1);

const GUEST: Guest = Guest {
    guild_id: GuildId(1),
    lobby: ChannelId(4),
    user_id: UserId(5),
};

#[test]
fn who_joins_is_served_once() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.handle(seen(&[5]));
    lobbies.pass(COOLDOWN * 2);
    assert_eq!(lobbies.outputs(), []);
    // Moved: the event may come before the answer or after it.
    lobbies.handle(LobbyInput::Served(GUEST, Ok(())));
    lobbies.handle(seen(&[5]));
    lobbies.handle(LobbyInput::WentAway(GUEST));
    lobbies.pass(COOLDOWN * 2);
    assert_eq!(lobbies.outputs(), []);
    assert!(lobbies.lobbies.guests.is_empty());
}

#[test]
fn who_was_there_before_the_gateway_is_served() {
    let mut lobbies = Tested::new();
    lobbies.handle(seen(&[5, 6]));
    let other = Guest {
        user_id: UserId(6),
        ..GUEST
    };
    let both = [LobbyOutput::Serve(GUEST), LobbyOutput::Serve(other)];
    assert_eq!(lobbies.outputs(), both);
}

#[test]
fn who_comes_back_at_once_waits_for_the_cooldown_and_is_served_again() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.handle(LobbyInput::WentAway(GUEST));
    lobbies.handle(LobbyInput::Served(GUEST, Ok(())));
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.pass(COOLDOWN.saturating_sub(MOMENT));
    assert_eq!(lobbies.outputs(), []);
    lobbies.pass(MOMENT);
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
}

#[test]
fn who_comes_back_and_has_a_room_is_brought_there_at_once() {
    let mut lobbies = Tested::new();
    for room_owned in [RoomOwned::No, RoomOwned::Yes, RoomOwned::Yes] {
        lobbies.handle(LobbyInput::Joined(GUEST, room_owned));
        assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
        lobbies.handle(LobbyInput::Served(GUEST, Ok(())));
        lobbies.handle(LobbyInput::WentAway(GUEST));
    }
}

/// Their answer is that of the first visit.
#[test]
fn who_comes_back_while_they_are_served_is_served_again() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.handle(LobbyInput::WentAway(GUEST));
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
    lobbies.handle(LobbyInput::Served(
        GUEST,
        failed(CommandErrorCode::NotFound),
    ));
    assert_eq!(lobbies.outputs(), []);
    lobbies.pass(COOLDOWN);
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
    lobbies.handle(LobbyInput::WentAway(GUEST));
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.handle(LobbyInput::Served(GUEST, Ok(())));
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)], "at once");
}

#[test]
fn who_leaves_before_is_not_served() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.handle(LobbyInput::WentAway(GUEST));
    lobbies.handle(LobbyInput::Served(
        GUEST,
        failed(CommandErrorCode::NotInRoom),
    ));
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
    // In the cooldown.
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.pass(COOLDOWN / 2);
    lobbies.handle(seen(&[]));
    lobbies.pass(COOLDOWN);
    assert_eq!(lobbies.outputs(), []);
    assert_eq!(lobbies.lobbies.deadline(), None);
}

#[test]
fn who_cannot_be_given_a_room_is_told_why_once() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.outputs();
    let error = failed(CommandErrorCode::BotForbidden);
    lobbies.handle(LobbyInput::Served(GUEST, error.clone()));
    let told = LobbyOutput::Tell(GUEST, error.expect_err("it is one"));
    assert_eq!(lobbies.outputs(), [told]);
    lobbies.handle(seen(&[5]));
    lobbies.pass(COOLDOWN * 9);
    assert_eq!(lobbies.outputs(), []);
    // They come again.
    lobbies.handle(LobbyInput::WentAway(GUEST));
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
}

#[test]
fn what_is_not_possible_at_the_moment_is_tried_again_before_anybody_is_told() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    for _ in 1..TRIES {
        assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
        let error = failed(CommandErrorCode::DiscordFailed);
        lobbies.handle(LobbyInput::Served(GUEST, error));
        assert_eq!(lobbies.outputs(), []);
        lobbies.pass(RETRY.saturating_sub(MOMENT));
        assert_eq!(lobbies.outputs(), []);
        lobbies.pass(MOMENT);
    }
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
    let error = failed(CommandErrorCode::DiscordFailed);
    lobbies.handle(LobbyInput::Served(GUEST, error));
    assert!(matches!(lobbies.outputs()[..], [LobbyOutput::Tell(..)]));
}

#[test]
fn who_was_not_there_is_told_nothing() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    for _ in 0..TRIES {
        assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
        lobbies.handle(LobbyInput::Served(
            GUEST,
            failed(CommandErrorCode::NotInRoom),
        ));
        lobbies.pass(RETRY);
    }
    assert_eq!(lobbies.outputs(), []);
}

#[test]
fn who_is_there_is_told_that_what_it_takes_is_gone() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    for _ in 0..TRIES {
        assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
        lobbies.handle(LobbyInput::Served(
            GUEST,
            failed(CommandErrorCode::NotFound),
        ));
        lobbies.pass(RETRY);
    }
    assert!(matches!(lobbies.outputs()[..], [LobbyOutput::Tell(..)]));
}

#[test]
fn discord_is_waited_for_as_long_as_it_asks() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.outputs();
    let error = CommandError::new(CommandErrorCode::Busy, "later").retry_after_ms(60_000);
    lobbies.handle(LobbyInput::Served(GUEST, Err(error)));
    lobbies.pass(Duration::from_millis(59_999));
    assert_eq!(lobbies.outputs(), []);
    lobbies.pass(MOMENT);
    assert_eq!(lobbies.outputs(), [LobbyOutput::Serve(GUEST)]);
}

#[test]
fn a_limit_that_lasts_is_told_at_once() {
    let mut lobbies = Tested::new();
    lobbies.handle(LobbyInput::Joined(GUEST, RoomOwned::No));
    lobbies.outputs();
    let two_days = Duration::from_hours(48).as_millis().try_into();
    let error = CommandError::new(CommandErrorCode::Busy, "roles")
        .retry_after_ms(two_days.expect("it fits"));
    lobbies.handle(LobbyInput::Served(GUEST, Err(error.clone())));
    assert_eq!(lobbies.outputs(), [LobbyOutput::Tell(GUEST, error)]);
}

#[test]
fn nothing_is_kept_of_who_has_gone() {
    let mut lobbies = Tested::new();
    for user in 0..100 {
        let guest = Guest {
            user_id: UserId(user),
            ..GUEST
        };
        lobbies.handle(LobbyInput::Joined(guest, RoomOwned::No));
        lobbies.handle(LobbyInput::Served(guest, Ok(())));
        lobbies.handle(LobbyInput::WentAway(guest));
        lobbies.pass(COOLDOWN);
    }
    assert!(lobbies.lobbies.guests.is_empty() && lobbies.lobbies.due.is_empty());
    assert_eq!(lobbies.lobbies.served.len(), 1);
}

struct Tested {
    lobbies: Lobbies,
    now: Instant,
}

impl Tested {
    fn new() -> Self {
        Self {
            lobbies: Lobbies::default(),
            now: driver_time::now(),
        }
    }

    fn handle(&mut self, input: LobbyInput) {
        self.lobbies.handle(input, self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.handle(LobbyInput::TimePassed);
    }

    fn outputs(&mut self) -> Vec<LobbyOutput> {
        std::iter::from_fn(|| self.lobbies.poll_output()).collect()
    }
}

fn seen(users: &[u64]) -> LobbyInput {
    LobbyInput::Seen {
        guild_id: GUEST.guild_id,
        lobby: GUEST.lobby,
        occupants: users
            .iter()
            .map(|user| (UserId(*user), RoomOwned::No))
            .collect(),
    }
}

fn failed(code: CommandErrorCode) -> Result<(), CommandError> {
    Err(CommandError::new(code, "a sentence"))
}
