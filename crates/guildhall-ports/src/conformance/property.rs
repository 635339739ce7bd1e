//! `proptest!` for what has to be awaited.

use std::fmt::Debug;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

/// So often is something smaller tried that fails, too: on a disk each try takes its time, and a test
/// that fails has to say so.
const SMALLER_TRIES: usize = 100;

/// Whether a property holds for so many values: of those that fail a small one is shown.
pub(super) async fn holds<S>(
    values: usize,
    strategy: &S,
    property: impl AsyncFn(S::Value) -> Result<(), String>,
) where
    S: Strategy,
    S::Value: Debug,
{
    let mut runner = TestRunner::default();
    for _ in 0..values {
        let mut tree = strategy.new_tree(&mut runner).expect("rejects nothing");
        let Err(mut why) = property(tree.current()).await else {
            continue;
        };
        let mut smallest = tree.current();
        let mut smaller = tree.simplify();
        for _ in 0..SMALLER_TRIES {
            if !smaller {
                break;
            }
            match property(tree.current()).await {
                Err(again) => {
                    (smallest, why) = (tree.current(), again);
                    smaller = tree.simplify();
                }
                Ok(()) => smaller = tree.complicate(),
            }
        }
        panic!("{why}\n{smallest:#?}");
    }
}
