//! Steps in a row: each is named, timed, and the first that fails ends the row.

use std::time::{Duration, Instant};

use anyhow::Context;

/// The steps run so far. [`Steps::table`] tells where the time went.
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
    began: Instant,
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self {
            done: Vec::new(),
            began: now(),
        }
    }

    /// Runs one step. Its failure carries the step's name and ends the row, so
    /// that what is printed last is what went wrong.
    pub(crate) fn step(
        &mut self,
        name: &str,
        work: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        println!("\n== {name}");
        let began = now();
        let failed = || format!("step `{name}` failed after {}", seconds(began.elapsed()));
        work().with_context(failed)?;
        let took = began.elapsed();
        println!("== {name}: ok in {}", seconds(took));
        self.done.push((name.to_owned(), took));
        Ok(())
    }

    /// Every step with its wall time, and the sum.
    pub(crate) fn table(&self) -> String {
        let all = ("all steps".to_owned(), self.began.elapsed());
        let rows = self.done.iter().chain([&all]);
        let lines = rows.map(|(name, took)| format!("{name:36}  {:>8}", seconds(*took)));
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a task measures wall time; nothing here decides by it"
)]
fn now() -> Instant {
    Instant::now()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_is_named_and_not_counted_as_done() {
        let mut steps = Steps::begin();
        steps.step("good", || Ok(())).expect("it does nothing");
        let error = steps
            .step("bad", || anyhow::bail!("no"))
            .expect_err("it bails");
        assert!(error.to_string().starts_with("step `bad` failed"));
        let table = steps.table();
        assert!(table.contains("good") && !table.contains("bad"), "{table}");
    }
}
