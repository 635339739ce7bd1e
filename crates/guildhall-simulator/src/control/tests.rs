use proptest::prelude::*;

use super::load::{due_at, due_by};
use crate::clock;

proptest! {
    #[test]
    fn at_its_due_time_an_event_is_due_and_the_one_after_the_next_is_not(
        rate in 1_u64..200_000,
        count in 0_u64..1_000_000,
    ) {
        let began = clock::now();
        let due = due_by(due_at(count, began, rate), began, rate);
        prop_assert!(due > count, "event {count} at {rate}/s: only {due} due");
        // Rounding up to a microsecond may let in the next one, at most.
        prop_assert!(due <= count + 2);
    }
}
