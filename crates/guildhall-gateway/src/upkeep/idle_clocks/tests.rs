/// Random lives, compared with their history.
mod random;

use super::*;

const GUILD: GuildId = GuildId(1);
const ROOM: ChannelId = ChannelId(7);
const OWNER: UserId = UserId(5);
const HOUR: Duration = Duration::from_hours(1);
const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn a_room_that_nobody_is_in_or_looks_at_is_said_to_be_idle_and_deleted_once() {
    let mut tested = Tested::empty();
    tested.pass(HOUR.saturating_sub(NOTICE + MOMENT));
    assert_eq!(tested.outputs(), []);
    tested.pass(MOMENT);
    assert_eq!(tested.outputs(), [announce(NOTICE)]);
    tested.pass(NOTICE.saturating_sub(MOMENT));
    assert_eq!(tested.outputs(), []);
    tested.pass(MOMENT);
    assert_eq!(tested.outputs(), [delete()]);
    tested.pass(HOUR * 9);
    tested.handle(IdleInput::Disturbed(ROOM));
    tested.handle(IdleInput::Viewed(None));
    assert_eq!(tested.outputs(), []);
    tested.handle(IdleInput::Open(Vec::new()));
    assert_eq!(
        (tested.outputs(), tested.clocks.deadline()),
        (Vec::new(), None)
    );
}

#[test]
fn whatever_interrupts_it_makes_the_clock_begin_anew() {
    let back = |tested: &mut Tested| tested.handle(seen(&[]));
    let unviewed = |tested: &mut Tested| tested.handle(viewed(&[]));
    let interruptions: [(IdleInput, End<'_>); 6] = [
        (IdleInput::Unseen(ROOM), &back),
        (seen(&[9]), &back),
        // As empty as before.
        (IdleInput::Disturbed(ROOM), &back),
        (viewed(&[ROOM]), &unviewed),
        // No web role is there.
        (IdleInput::Viewed(None), &unviewed),
        (seen(&[OWNER.0]), &back),
    ];
    for (interruption, ends) in interruptions {
        let mut tested = Tested::empty();
        tested.pass(HOUR.saturating_sub(NOTICE));
        assert_eq!(tested.outputs(), [announce(NOTICE)]);
        tested.pass(NOTICE / 2);
        tested.handle(interruption.clone());
        let said = tested.outputs();
        assert_eq!(
            said.iter().filter(|it| **it == take_back()).count(),
            1,
            "{interruption:?}"
        );
        ends(&mut tested);
        tested.pass(HOUR.saturating_sub(NOTICE + MOMENT));
        let later = tested.outputs();
        assert!(!later.contains(&announce(NOTICE)), "{interruption:?}");
        tested.pass(MOMENT);
        assert_eq!(tested.outputs(), [announce(NOTICE)], "{interruption:?}");
        tested.pass(NOTICE);
        assert_eq!(tested.outputs(), [delete()], "{interruption:?}");
    }
}

/// A fresh gateway knows nothing, and an empty room of which nothing is known is left alone.
#[test]
fn what_is_not_known_counts_as_somebody_being_there() {
    let mut tested = Tested::new(HOUR);
    tested.pass(HOUR * 3);
    tested.handle(viewed(&[]));
    tested.pass(HOUR * 3);
    assert_eq!(tested.outputs(), []);
    let mut tested = Tested::new(HOUR);
    tested.handle(seen(&[]));
    tested.pass(HOUR * 3);
    assert_eq!(tested.outputs(), [owner_away(true)]);
}

#[test]
fn what_was_not_deleted_is_taken_back_and_begins_anew() {
    let mut tested = Tested::empty();
    tested.pass(HOUR.saturating_sub(NOTICE));
    tested.pass(NOTICE);
    assert_eq!(tested.outputs(), [announce(NOTICE), delete()]);
    tested.handle(IdleInput::NotDeleted(ROOM));
    assert_eq!(tested.outputs(), [take_back()]);
    tested.pass(HOUR.saturating_sub(NOTICE));
    tested.pass(NOTICE);
    assert_eq!(tested.outputs(), [announce(NOTICE), delete()]);
}

#[test]
fn what_an_earlier_process_said_is_taken_back_once() {
    let mut tested = Tested::new(HOUR);
    tested.handle(IdleInput::AnnouncedBefore(ROOM));
    assert_eq!(tested.outputs(), [take_back()]);
    tested.handle(viewed(&[]));
    tested.handle(seen(&[]));
    tested.pass(HOUR.saturating_sub(NOTICE));
    assert_eq!(tested.outputs(), [owner_away(true), announce(NOTICE)]);
    // It is this process's own by now.
    tested.handle(IdleInput::AnnouncedBefore(ROOM));
    assert_eq!(tested.outputs(), []);
}

/// The process was suspended for longer than the clock had left.
#[test]
fn whoever_was_told_nothing_has_their_notice_however_late_it_is() {
    let mut tested = Tested::empty();
    tested.pass(HOUR * 5);
    assert_eq!(tested.outputs(), [announce(NOTICE)]);
    tested.pass(NOTICE.saturating_sub(MOMENT));
    assert_eq!(tested.outputs(), []);
    tested.pass(MOMENT);
    assert_eq!(tested.outputs(), [delete()]);
}

#[test]
fn a_room_of_a_short_life_is_said_to_be_idle_at_once() {
    let short = Duration::from_secs(10);
    let mut tested = Tested::new(short);
    tested.handle(viewed(&[]));
    tested.handle(seen(&[]));
    assert_eq!(tested.outputs(), [owner_away(true), announce(short)]);
    tested.pass(short);
    assert_eq!(tested.outputs(), [delete()]);
}

#[test]
fn an_owner_is_away_from_when_they_were_last_known_to_be_there() {
    let mut tested = Tested::new(HOUR);
    assert_eq!(tested.outputs(), []);
    tested.handle(seen(&[OWNER.0, 9]));
    assert_eq!(tested.outputs(), []);
    tested.handle(seen(&[9]));
    assert_eq!(tested.outputs(), [owner_away(true)]);
    tested.handle(IdleInput::Disturbed(ROOM));
    tested.handle(seen(&[9, 10]));
    assert_eq!(tested.outputs(), [], "since the same moment");
    tested.handle(IdleInput::Unseen(ROOM));
    assert_eq!(tested.outputs(), [owner_away(false)], "nobody knows");
    tested.handle(seen(&[9]));
    assert_eq!(tested.outputs(), [owner_away(true)]);
    // It is another's now, who is not there either: since then.
    tested.handle(IdleInput::Open(vec![OpenRoom {
        owner_id: UserId(6),
        ..room(HOUR)
    }]));
    assert_eq!(tested.outputs(), [owner_away(false), owner_away(true)]);
    tested.handle(seen(&[6]));
    assert_eq!(tested.outputs(), [owner_away(false)]);
}

#[test]
fn rooms_have_clocks_of_their_own() {
    let other = ChannelId(8);
    let mut tested = Tested::empty();
    let both = vec![
        room(HOUR),
        OpenRoom {
            channel_id: other,
            idle: HOUR * 2,
            ..room(HOUR)
        },
    ];
    tested.handle(IdleInput::Open(both));
    tested.handle(IdleInput::Seen {
        channel_id: other,
        occupants: BTreeSet::new(),
    });
    tested.outputs();
    tested.pass(HOUR.saturating_sub(NOTICE));
    tested.handle(viewed(&[other]));
    tested.pass(NOTICE);
    assert_eq!(tested.outputs(), [announce(NOTICE), delete()]);
    tested.handle(viewed(&[]));
    tested.pass((HOUR * 2).saturating_sub(NOTICE));
    let said = tested.outputs();
    assert!(
        matches!(said[..], [IdleOutput::Announce { channel_id, .. }] if channel_id == other),
        "{said:?}"
    );
}

/// What ends an interruption.
type End<'a> = &'a dyn Fn(&mut Tested);

/// The machine, with a room in it and a time.
struct Tested {
    clocks: IdleClocks,
    now: Instant,
}

impl Tested {
    /// Of which nothing is known.
    fn new(idle: Duration) -> Self {
        let mut tested = Self {
            clocks: IdleClocks::default(),
            now: guildhall_http::driver_time::now(),
        };
        tested.handle(IdleInput::Open(vec![room(idle)]));
        tested
    }

    /// That nobody is in or looks at, and that is known.
    fn empty() -> Self {
        let mut tested = Self::new(HOUR);
        tested.handle(viewed(&[]));
        tested.handle(seen(&[]));
        assert_eq!(tested.outputs(), [owner_away(true)]);
        tested
    }

    fn handle(&mut self, input: IdleInput) {
        self.clocks.handle(input, self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.handle(IdleInput::TimePassed);
    }

    fn outputs(&mut self) -> Vec<IdleOutput> {
        std::iter::from_fn(|| self.clocks.poll_output()).collect()
    }
}

fn room(idle: Duration) -> OpenRoom {
    OpenRoom {
        guild_id: GUILD,
        channel_id: ROOM,
        owner_id: OWNER,
        idle,
    }
}

fn seen(users: &[u64]) -> IdleInput {
    IdleInput::Seen {
        channel_id: ROOM,
        occupants: users.iter().map(|user| UserId(*user)).collect(),
    }
}

fn viewed(rooms: &[ChannelId]) -> IdleInput {
    IdleInput::Viewed(Some(rooms.iter().copied().collect()))
}

fn announce(deleted_in: Duration) -> IdleOutput {
    IdleOutput::Announce {
        guild_id: GUILD,
        channel_id: ROOM,
        deleted_in,
    }
}

fn take_back() -> IdleOutput {
    IdleOutput::TakeBack {
        guild_id: GUILD,
        channel_id: ROOM,
    }
}

fn delete() -> IdleOutput {
    IdleOutput::Delete {
        guild_id: GUILD,
        channel_id: ROOM,
    }
}

fn owner_away(away: bool) -> IdleOutput {
    IdleOutput::OwnerIsAway {
        channel_id: ROOM,
        away,
    }
}
