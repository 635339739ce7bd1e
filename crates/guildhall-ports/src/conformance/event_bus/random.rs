//! Random sequences of calls, compared with a list of events.

use std::sync::Arc;

use guildhall_model::Position;
use proptest::{
    collection::vec,
    prelude::{Just, prop_oneof},
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use super::{LOG, following};
use crate::{
    event_bus::{EventBus, ReadError},
    fence::Fence,
};

const SEQUENCES: usize = 200;

/// What happens to a log.
#[derive(Clone, Debug)]
enum Step {
    Begin { fence: u64, seq: u64 },
    Append { fence: u64, behind: u64, count: u64 },
    Trim { fence: u64, seq: u64 },
    Read { seq: u64, most: usize },
}

/// What is to be there.
#[derive(Debug, Default)]
struct Expected {
    begun: Option<Begun>,
    epoch: u64,
}

#[derive(Debug)]
struct Begun {
    fence: u64,
    trimmed: u64,
    head: Position,
}

pub(super) async fn any_steps_end_as_with_a_list(fresh: impl AsyncFn() -> Arc<dyn EventBus>) {
    let steps = vec(step(), 1..60);
    let mut runner = TestRunner::default();
    for _ in 0..SEQUENCES {
        let steps = steps
            .new_tree(&mut runner)
            .expect("rejects nothing")
            .current();
        let bus = fresh().await;
        let mut expected = Expected::default();
        for step in &steps {
            let agrees = expected.agrees(&*bus, step).await;
            assert!(agrees, "{step:?} of {steps:#?}\n{expected:?}");
            let oldest = expected.oldest();
            assert_eq!(bus.oldest(LOG), oldest, "{step:?} of {steps:#?}");
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let fence = || prop_oneof![8 => Just(3_u64), 1 => 1..6_u64];
    prop_oneof![
        1 => (fence(), 0..30_u64).prop_map(|(fence, seq)| Step::Begin { fence, seq }),
        6 => (fence(), prop_oneof![6 => Just(0_u64), 1 => 1..4_u64], 0..6_u64)
            .prop_map(|(fence, behind, count)| Step::Append { fence, behind, count }),
        2 => (fence(), 0..60_u64).prop_map(|(fence, seq)| Step::Trim { fence, seq }),
        6 => (0..60_u64, 1..9_usize).prop_map(|(seq, most)| Step::Read { seq, most }),
    ]
}

impl Expected {
    fn oldest(&self) -> Option<Position> {
        let begun = self.begun.as_ref()?;
        Some(begun.head.at(begun.trimmed))
    }

    async fn agrees(&mut self, bus: &dyn EventBus, step: &Step) -> bool {
        match *step {
            Step::Begin { fence, seq } => {
                let at = Position::start(LOG, self.epoch + 1).at(seq);
                let admitted = self.begun.as_ref().is_none_or(|begun| begun.fence <= fence);
                if admitted {
                    self.epoch += 1;
                    self.begun = Some(Begun {
                        fence,
                        trimmed: seq,
                        head: at,
                    });
                }
                bus.begin(Fence(fence), at).await.is_ok() == admitted
            }
            Step::Append {
                fence,
                behind,
                count,
            } => {
                let head = self.begun.as_ref().map(|begun| begun.head);
                let head = head.unwrap_or(Position::start(LOG, 1));
                let after = head.at(head.seq.saturating_sub(behind));
                let batch = following(after, count);
                let answer = bus.append(Fence(fence), after, &batch).await;
                match &mut self.begun {
                    Some(begun) if begun.fence <= fence && after == begun.head => {
                        begun.fence = fence;
                        begun.head = head.at(head.seq + count);
                        answer == Ok(begun.head)
                    }
                    _ => answer.is_err(),
                }
            }
            Step::Trim { fence, seq } => {
                let upto = Position::start(LOG, self.epoch.max(1)).at(seq);
                let answer = bus.trim(Fence(fence), upto).await;
                match &mut self.begun {
                    Some(begun) if begun.fence <= fence => {
                        begun.fence = fence;
                        if seq <= begun.head.seq {
                            begun.trimmed = begun.trimmed.max(seq);
                        }
                        answer.is_ok()
                    }
                    _ => answer.is_err(),
                }
            }
            Step::Read { seq, most } => {
                let after = Position::start(LOG, self.epoch.max(1)).at(seq);
                let answer = bus.read(after, most).await;
                match &self.begun {
                    Some(begun) if (begun.trimmed..=begun.head.seq).contains(&seq) => {
                        let left = begun.head.seq - seq;
                        let count = left.min(u64::try_from(most).unwrap_or(u64::MAX));
                        answer == Ok(following(after, count))
                    }
                    _ => answer == Err(ReadError::Expired(after)),
                }
            }
        }
    }
}
