use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};

use super::*;

/// The largest numbers of which 128 positions are promised to fit.
const EPOCHS: u64 = 1 << 42;
const SEQS: u64 = 1 << 40;

/// Positions in so many logs.
fn positions(
    numbers: impl Strategy<Value = (u64, u64)>,
    logs: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = Vec<Position>> {
    btree_map(any::<u16>(), numbers, logs).prop_map(|positions| {
        let positions = positions.into_iter();
        let position = |(log, (epoch, seq))| Position {
            log: LogId(log),
            epoch,
            seq,
        };
        positions.map(position).collect()
    })
}

fn is_read_back(positions: &[Position]) -> Result<(), TestCaseError> {
    let cursor = Cursor::new(positions.iter().rev().copied()).expect("few enough");
    prop_assert_eq!(cursor.positions(), positions);
    for position in positions {
        prop_assert_eq!(cursor.in_log(position.log), Some(*position));
    }
    let text = cursor.to_string();
    prop_assert!((1..=Cursor::MAX_TEXT).contains(&text.len()));
    prop_assert!(
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
    );
    prop_assert_eq!(text.parse(), Ok(cursor.clone()));
    prop_assert_eq!(
        serde_json::from_str(&serde_json::to_string(&cursor).expect("text")).ok(),
        Some(cursor)
    );
    Ok(())
}

proptest! {
    #[test]
    fn every_cursor_is_read_back_as_it_was_written(
        positions in positions((0..EPOCHS, 0..SEQS), 1..=Cursor::MAX_LOGS)
    ) {
        is_read_back(&positions)?;
    }

    #[test]
    fn eighty_positions_of_any_numbers_are_a_cursor(
        positions in positions((any::<u64>(), any::<u64>()), 1..=80)
    ) {
        is_read_back(&positions)?;
    }

    #[test]
    fn positions_that_are_nearly_one_anothers_are_short(
        seqs in vec(0..1_u64 << 24, 17)
    ) {
        let position = |(log, seq)| Position { log: LogId(log), epoch: 1_763_000_000_000, seq };
        let cursor = Cursor::new((0..).zip(seqs).map(position)).expect("few enough");
        prop_assert!(cursor.to_string().len() <= 110);
    }

    #[test]
    fn any_text_is_a_cursor_or_an_error_and_never_two_texts_for_one(
        text in "[0-9.~+ -]{0,60}|\\PC{0,40}|~[A-Za-z0-9_-]{0,80}|~A[A-H][A-Za-z0-9_-]{0,40}"
    ) {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert_eq!(cursor.to_string(), text);
        }
    }

    #[test]
    fn a_text_that_was_changed_is_another_cursor_or_none(
        positions in positions((0..EPOCHS, 0..SEQS), 2..5),
        at in any::<prop::sample::Index>(),
        letter in "[A-Za-z0-9._~-]",
        kind in 0..3,
    ) {
        let cursor = Cursor::new(positions).expect("few enough");
        let text = cursor.to_string();
        let at = at.index(text.len());
        let (before, from) = text.split_at(at);
        let changed = match kind {
            0 => format!("{before}{letter}{}", &from[1..]),
            1 => format!("{before}{letter}{from}"),
            _ => before.to_owned(),
        };
        if let Ok(other) = changed.parse::<Cursor>() {
            prop_assert_eq!(other.to_string(), changed.clone());
            prop_assert_eq!(other == cursor, changed == text);
        } else {
            prop_assert_ne!(changed, text);
        }
    }

    #[test]
    fn with_replaces_or_adds(
        positions in positions((0..EPOCHS, 0..SEQS), 1..9),
        log in 0..12_u16,
        seq in 0..SEQS,
    ) {
        let cursor = Cursor::new(positions).expect("few enough");
        let position = Position { log: LogId(log), epoch: 5, seq };
        let with = cursor.with(position).expect("few enough");
        prop_assert_eq!(with.in_log(position.log), Some(position));
        let added = usize::from(cursor.in_log(position.log).is_none());
        prop_assert_eq!(with.positions().len(), cursor.positions().len() + added);
        for other in cursor.positions().iter().filter(|other| other.log != position.log) {
            prop_assert_eq!(with.in_log(other.log), Some(*other));
        }
    }
}

#[test]
fn the_largest_numbers_that_are_promised_fit_whatever_the_logs() {
    let apart = u16::MAX / 127;
    let spread = |index: u16| index * apart;
    let bunched = |index: u16| if index < 64 { index } else { u16::MAX - index };
    for log in [&spread as &dyn Fn(u16) -> u16, &bunched] {
        let positions = (0..128).map(|index| Position {
            log: LogId(log(index)),
            epoch: if index == 5 { 0 } else { EPOCHS - 1 },
            seq: SEQS - 1,
        });
        let text = Cursor::new(positions).expect("fits").to_string();
        assert!(text.len() <= Cursor::MAX_TEXT, "{}", text.len());
        assert!(text.parse::<Cursor>().is_ok());
    }
}

#[test]
fn what_is_no_list_or_too_large_is_refused() {
    let position = |log| Position {
        log: LogId(log),
        epoch: 1,
        seq: 1,
    };
    assert_eq!(Cursor::new([]), Err(CursorError::NotAList));
    assert_eq!(
        Cursor::new([position(1), position(0), position(1)]),
        Err(CursorError::NotAList)
    );
    assert!(Cursor::new((0..128).map(position)).is_ok());
    assert_eq!(
        Cursor::new((0..129).map(position)),
        Err(CursorError::NotAList)
    );
    let full = Cursor::new((0..128).map(position)).expect("fits");
    assert_eq!(full.with(position(128)), Err(CursorError::NotAList));
    let large = |log| Position {
        epoch: if log == 0 { 0 } else { u64::MAX },
        seq: u64::MAX,
        ..position(log)
    };
    assert_eq!(Cursor::new((0..128).map(large)), Err(CursorError::TooLarge));
}

#[test]
fn malformed_cursors_are_refused() {
    let two = Cursor::new([1, 2].map(|log| Position {
        log: LogId(log),
        epoch: 3,
        seq: 4,
    }));
    let two = two.expect("few").to_string();
    let long = format!("~{}", "A".repeat(10_000));
    for text in [
        "",
        "0",
        "0.1",
        "0.1-",
        ".1-1",
        "0.1-1~",
        "0.01-1",
        "0.+1-1",
        "0.1-1~1.1-1",
        "70000.1-1",
        "0.1-99999999999999999999",
        "~",
        "~A",
        // One position is written as itself.
        "~AAAAAAAAAAAAAAAAAA",
        &format!("{two}="),
        &format!("{two}A"),
        &format!(" {two}"),
        &two[..two.len() - 1],
        &two[1..],
        &long,
    ] {
        assert!(text.parse::<Cursor>().is_err(), "{text:?}");
    }
    assert!(two.parse::<Cursor>().is_ok());
}

#[test]
fn the_packed_form_is_this() {
    let position = |(log, epoch, seq)| Position {
        log: LogId(log),
        epoch,
        seq,
    };
    let cursor = Cursor::new([(0, 1_763_000_000_000, 42), (2, 1_763_000_000_007, 7)].map(position));
    let cursor = cursor.expect("few");
    assert_eq!(cursor.to_string(), "~AgAAAzT1-jwADDAAVAHjg");
}
