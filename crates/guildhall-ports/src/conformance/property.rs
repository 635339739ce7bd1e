//! `proptest!` for what has to be awaited.

use std::fmt::Debug;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

/// Whether a property holds for so many values: the smallest one that fails is shown.
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
        while smaller {
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
