//! Which guild gives first, at the bound of a log and at that of the process.

use guildhall_model::event::Window;

use super::*;

proptest! {
    #[test]
    fn at_the_logs_bound_the_guild_with_the_most_bytes_gives_first(
        events in proptest::collection::vec(event(), 1..150),
        bytes in 500..20_000_usize,
    ) {
        let retention = Retention { bytes, ..wide() };
        let log = log(Position::start(LogId(0), EPOCH), retention);
        for event in events {
            let before = weights(&[&log]);
            let guild_id = event.guild_id;
            write(&log, log.head(), vec![event]).expect("at the head");
            gave_in_order(before, (LogId(0), guild_id), &weights(&[&log]))?;
        }
    }

    #[test]
    fn at_the_process_bound_the_guild_with_the_most_bytes_gives_first_in_whichever_log(
        events in proptest::collection::vec((0..3_u16, event()), 1..150),
        bytes in 500..20_000_usize,
    ) {
        let bus: Arc<dyn EventBus> = Arc::new(InMemoryEventBus::default());
        let process = ProcessRetention::new(bytes);
        let logs: Vec<Log> = (0..3_u16).map(|id| {
            let setup = LogSetup {
                bus: Arc::clone(&bus),
                process: process.clone(),
                ..setup_of(wide())
            };
            let start = Position::start(LogId(id), EPOCH);
            at_once(Log::restored(setup, start, Vec::new(), Vec::new())).expect("begins")
        }).collect();
        let logs: Vec<&Log> = logs.iter().collect();
        let mut worlds = vec![World::default(); logs.len()];
        for (id, event) in events {
            let log = logs[usize::from(id)];
            let before = weights(&logs);
            let guild_id = event.guild_id;
            worlds[usize::from(id)].apply(&event);
            write(log, log.head(), vec![event]).expect("at the head");
            let after = weights(&logs);
            gave_in_order(before, (LogId(id), guild_id), &after)?;
            prop_assert!(after.values().sum::<usize>() <= bytes);
        }
        for (log, world) in logs.iter().zip(worlds) {
            prop_assert_eq!(joined_anew(log), (world, log.head()));
            // The bus has what is above the floors, and no more.
            let highest = log.lock().highest_floor();
            let at = |seq| log.head().at(seq);
            prop_assert!(read(log, at(highest), 1).is_ok());
            prop_assert!(highest == 0 || read(log, at(highest - 1), 1).is_err());
        }
    }
}

#[test]
fn a_guild_that_says_much_costs_another_nothing() {
    let retention = Retention {
        bytes: 200_000,
        ..wide()
    };
    let log = log(Position::start(LogId(0), EPOCH), retention);
    write(&log, log.head(), vec![arrival(1), arrival(2)]).expect("at the head");
    for user in 0..2_000 {
        write(&log, log.head(), vec![joined(2, user, 1)]).expect("at the head");
    }
    let floors = log.risen_floors();
    let [floor] = floors.as_slice() else {
        panic!("one guild alone gave: {floors:?}")
    };
    assert_eq!((floor.guild_id, floor.window), (GuildId(2), Window::World));
    assert!(log.risen_floors().is_empty(), "each is told once");
}

#[test]
fn another_log_that_has_another_writer_by_now_ends_no_append() {
    let bus: Arc<dyn EventBus> = Arc::new(InMemoryEventBus::default());
    let process = ProcessRetention::new(4_000);
    let [mine, lost] = [0, 1].map(|id| {
        let setup = LogSetup {
            bus: Arc::clone(&bus),
            process: process.clone(),
            ..setup_of(wide())
        };
        let start = Position::start(LogId(id), EPOCH);
        at_once(Log::restored(setup, start, Vec::new(), Vec::new())).expect("begins")
    });
    for user in 0..8 {
        write(&lost, lost.head(), vec![joined(2, user, 1)]).expect("at the head");
    }
    let after = lost.head();
    at_once(bus.trim(Fence(2), after.at(0))).expect("a later writer");
    // What is retained of the other log has to give, which the bus refuses.
    for user in 0..40 {
        write(&mine, mine.head(), vec![joined(1, user, 1)]).expect("nobody else has this one");
    }
    let refused = write(&lost, after, vec![joined(2, 9, 1)]).expect_err("it is another's");
    assert!(matches!(refused, AppendError::Fenced(_)), "{refused}");
}

type Weights = BTreeMap<(LogId, GuildId), usize>;

fn weights(logs: &[&Log]) -> Weights {
    let mut weights = Weights::new();
    for log in logs {
        for ((guild_id, _), window) in &log.lock().windows {
            weights.insert((log.id(), *guild_id), window.bytes);
        }
    }
    weights
}

/// Whoever gave had the most: more than those that gave nothing.
fn gave_in_order(
    mut before: Weights,
    wrote: (LogId, GuildId),
    after: &Weights,
) -> Result<(), TestCaseError> {
    // What was added to it is not known here when it is gone again.
    before.remove(&wrote);
    for (key, bytes) in &before {
        let now = after.get(key).copied().unwrap_or(0);
        if now == *bytes {
            continue;
        }
        // It gave, so it had the most at that moment: nobody who gave nothing has more.
        for (other, has) in after {
            let gave_nothing = before.get(other) == Some(has);
            prop_assert!(
                !gave_nothing || has <= bytes,
                "{key:?} gave before {other:?}"
            );
        }
        let writer = after.get(&wrote).copied().unwrap_or(0);
        prop_assert!(writer <= *bytes, "{key:?} gave before {wrote:?}");
    }
    Ok(())
}
