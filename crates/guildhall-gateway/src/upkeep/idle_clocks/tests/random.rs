//! Random lives of one room, compared with their history.

use proptest::prelude::*;

use super::*;

const IDLE: Duration = Duration::from_secs(100);

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    Happens(IdleInput),
    /// The driver wakes up so much later, at whatever is due meanwhile too.
    Pass(u64),
    /// It could not: the machine slept.
    Sleep(u64),
    /// What was to be deleted is, or is not.
    Deleted(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Happens(seen(&[]))),
        1 => Just(Step::Happens(seen(&[9]))),
        1 => Just(Step::Happens(IdleInput::Unseen(ROOM))),
        1 => Just(Step::Happens(IdleInput::Disturbed(ROOM))),
        3 => Just(Step::Happens(viewed(&[]))),
        1 => Just(Step::Happens(viewed(&[ROOM]))),
        1 => Just(Step::Happens(IdleInput::Viewed(None))),
        6 => (0..150_u64).prop_map(Step::Pass),
        1 => (0..300_u64).prop_map(Step::Sleep),
        2 => any::<bool>().prop_map(Step::Deleted),
    ]
}

/// What an onlooker wrote down.
struct Onlooker {
    is_empty: bool,
    is_unviewed: bool,
    /// Idle without a pause since then.
    idle_since: Option<Instant>,
    announced: Option<Instant>,
    deleting: bool,
}

impl Onlooker {
    fn note(&mut self, input: &IdleInput, now: Instant) {
        match input {
            IdleInput::Seen { occupants, .. } => self.is_empty = occupants.is_empty(),
            IdleInput::Unseen(_) | IdleInput::Disturbed(_) => self.is_empty = false,
            IdleInput::Viewed(viewed) => {
                let viewed = viewed.as_ref();
                self.is_unviewed = viewed.is_some_and(|viewed| !viewed.contains(&ROOM));
            }
            _ => {}
        }
        if !(self.is_empty && self.is_unviewed) {
            self.idle_since = None;
        } else if self.idle_since.is_none() {
            self.idle_since = Some(now);
        }
    }

    fn check(&mut self, output: IdleOutput, now: Instant) -> Result<(), TestCaseError> {
        match output {
            IdleOutput::Announce { deleted_in, .. } => {
                prop_assert!(self.announced.is_none() && !self.deleting);
                prop_assert!(deleted_in >= NOTICE, "{deleted_in:?}");
                let since = self.idle_since.expect("it is idle");
                prop_assert!(now + deleted_in >= since + IDLE);
                self.announced = Some(now + deleted_in);
            }
            IdleOutput::TakeBack { .. } => {
                prop_assert!(self.announced.take().is_some());
            }
            IdleOutput::Delete { .. } => {
                let announced = self.announced.expect("it was said");
                prop_assert!(!self.deleting, "once");
                prop_assert!(now >= announced);
                let since = self.idle_since.expect("it is idle");
                prop_assert!(now >= since + IDLE, "all of the time");
                self.deleting = true;
            }
            IdleOutput::OwnerIsAway { .. } => {}
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn nothing_is_deleted_that_was_not_idle_and_said_so_for_long_enough(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let mut tested = Tested::new(IDLE);
        let mut onlooker = Onlooker {
            is_empty: false,
            is_unviewed: false,
            idle_since: None,
            announced: None,
            deleting: false,
        };
        for step in steps {
            match step {
                Step::Happens(input) => {
                    onlooker.note(&input, tested.now);
                    tested.handle(input);
                }
                Step::Pass(seconds) => {
                    let end = tested.now + Duration::from_secs(seconds);
                    while let Some(due) = tested.clocks.deadline() && due <= end {
                        prop_assert!(due > tested.now, "it is at rest");
                        tested.now = due;
                        tested.handle(IdleInput::TimePassed);
                        for output in tested.outputs() {
                            onlooker.check(output, tested.now)?;
                        }
                    }
                    tested.now = end;
                    tested.handle(IdleInput::TimePassed);
                    // Nobody waits for longer than it takes.
                    if let Some(since) = onlooker.idle_since && tested.now > since + IDLE + NOTICE {
                        for output in tested.outputs() {
                            onlooker.check(output, tested.now)?;
                        }
                        prop_assert!(onlooker.deleting || onlooker.announced.is_some());
                    }
                }
                Step::Sleep(seconds) => tested.pass(Duration::from_secs(seconds)),
                Step::Deleted(true) => {
                    if onlooker.deleting {
                        return Ok(());
                    }
                }
                Step::Deleted(false) => {
                    if onlooker.deleting {
                        onlooker.deleting = false;
                        onlooker.idle_since = None;
                        onlooker.note(&IdleInput::TimePassed, tested.now);
                        tested.handle(IdleInput::NotDeleted(ROOM));
                        prop_assert_eq!(tested.clocks.poll_output(), Some(take_back()));
                        onlooker.announced = None;
                    }
                }
            }
            for output in tested.outputs() {
                onlooker.check(output, tested.now)?;
            }
        }
    }
}
