//! `cargo xtask mutations`: whether the tests would notice.
//!
//! Each patch in `tests/mutations` breaks one promise of the product. It is applied to a copy of
//! the tree, and there its test must fail: the one that its first line names (`Noticed-by: cargo
//! test …`), or else the simulation tests. A patch that no longer applies, one that does not compile
//! and one that nobody notices in time are errors alike.

/// The tree once more, to be broken.
mod copy;
/// A patch, and what is said to notice it.
mod patch;
/// One test under a time limit.
mod tried;

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use subprocess::cargo;

use copy::Copy;
use patch::{FOLDER, Judge, Patch};

/// Simulation runs of the copy before anything is broken in it.
const RUNS_UNCHANGED: &str = "8";

/// Applies the patches of these names in turn, or every one, and tells what each was caught by.
pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    let root = cargo::root();
    let patches = patch::named(patch::all(&root)?, names)?;
    let copy = Copy::of(&root)?;
    unchanged(&copy, &patches).context("the copy, unchanged")?;
    let mut unnoticed = Vec::new();
    for patch in &patches {
        let name = patch.name();
        match copy.mutate(patch) {
            Ok(noticed) => println!("{name}: {noticed}"),
            // The others are tried all the same: one run tells of all that is to be mended.
            Err(error) => {
                println!("{name}: NOT NOTICED: {error:#}");
                unnoticed.push(name);
            }
        }
    }
    if !unnoticed.is_empty() {
        bail!("not noticed in {FOLDER}: {}", unnoticed.join(", "));
    }
    Ok(())
}

/// Were the copy broken by itself, it would catch everything.
fn unchanged(copy: &Copy, patches: &[Patch]) -> anyhow::Result<()> {
    if patches.iter().any(|patch| patch.judge == Judge::Simulation) {
        copy.simulate_unchanged(RUNS_UNCHANGED)?;
        println!("unchanged: {RUNS_UNCHANGED} runs, nothing wrong");
    }
    let tests: BTreeSet<&[String]> = patches
        .iter()
        .filter_map(|patch| match &patch.judge {
            Judge::Test(test) => Some(test.as_slice()),
            Judge::Simulation => None,
        })
        .collect();
    for test in tests {
        let line = test.join(" ");
        let outcome = copy.try_unchanged(test);
        let took = outcome.with_context(|| format!("`cargo {line}`"))?.took;
        println!(
            "unchanged: cargo {line}: passes in {:.1} s",
            took.as_secs_f64()
        );
    }
    Ok(())
}
