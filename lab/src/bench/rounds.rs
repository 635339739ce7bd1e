//! The repetitions: web and bare in turn, each measured in the same way.

use super::Plan;
use super::contender::Contender;
use super::orders::Report;
use super::procfs::{self, Machine, NANOS_PER_TICK};
use super::product::Product;
use super::table::{Budget, Row, Spread};

/// Events per second of the rate that people feel.
const RATE: u64 = 20;

pub(crate) struct Rounds<'a> {
    plan: &'a Plan,
    product: Product,
    web: Contender,
    bare: Contender,
    rated: [Vec<Sample>; 2],
    levels: Vec<Level>,
    /// Share of the machine's CPUs that somebody else used, for each sample.
    other_work: Vec<f64>,
    stolen: Vec<f64>,
    web_reports: Vec<Report>,
}

/// What was measured with a number of streams.
struct Level {
    streams: usize,
    one_by_one: [Vec<Sample>; 2],
}

struct Sample {
    report: Report,
    /// `None` when nothing was delivered.
    micros_per_delivery: Option<f64>,
}

/// Which of the two: an index into pairs.
#[derive(Clone, Copy)]
enum Which {
    Web = 0,
    Bare = 1,
}

impl<'a> Rounds<'a> {
    pub(crate) fn new(plan: &'a Plan, product: Product, web: Contender, bare: Contender) -> Self {
        Self {
            plan,
            product,
            web,
            bare,
            rated: [Vec::new(), Vec::new()],
            levels: Vec::new(),
            other_work: Vec::new(),
            stolen: Vec::new(),
            web_reports: Vec::new(),
        }
    }

    pub(crate) fn run(&mut self) -> anyhow::Result<()> {
        for (index, streams) in self.plan.streams.iter().copied().enumerate() {
            println!("{streams} streams");
            self.web.open(streams)?;
            self.bare.open(streams)?;
            let mut level = Level {
                streams,
                one_by_one: [Vec::new(), Vec::new()],
            };
            let stamps = self.plan.stamps(streams);
            for repetition in 1..=self.plan.repetitions {
                println!("  repetition {repetition} of {}", self.plan.repetitions);
                for which in in_turn(repetition) {
                    if index == 0 {
                        let sample = self.sample(which, Self::at_rate)?;
                        self.rated[which as usize].push(sample);
                    }
                    // What was not written for a while is cold for both.
                    self.contender(which).one_by_one(3)?;
                    let sample = self.sample(which, |rounds, which| {
                        rounds.contender(which).one_by_one(stamps)
                    })?;
                    level.one_by_one[which as usize].push(sample);
                }
            }
            self.levels.push(level);
        }
        Ok(())
    }

    fn contender(&mut self, which: Which) -> &mut Contender {
        match which {
            Which::Web => &mut self.web,
            Which::Bare => &mut self.bare,
        }
    }

    fn at_rate(&mut self, which: Which) -> anyhow::Result<Report> {
        let seconds = self.plan.seconds;
        match which {
            Which::Web => self.web.loaded(&self.product, RATE, seconds),
            Which::Bare => self.bare.paced(RATE, seconds),
        }
    }

    /// Measures what `work` costs its server, and what else the machine did.
    fn sample(
        &mut self,
        which: Which,
        work: impl FnOnce(&mut Self, Which) -> anyhow::Result<Report>,
    ) -> anyhow::Result<Sample> {
        let (machine, ours) = (procfs::machine()?, self.our_nanos()?);
        let before = self.contender(which).server_nanos()?;
        let report = work(self, which)?;
        let nanos = self.contender(which).server_nanos()?.saturating_sub(before);
        self.note_other_work(machine, ours)?;

        if matches!(which, Which::Web) {
            self.web_reports.push(report.clone());
        } else if report.faults() > 0 {
            anyhow::bail!(
                "the bare server itself lost something, so nothing can be compared: {report:?}"
            );
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let micros_per_delivery =
            (report.deliveries > 0).then(|| nanos as f64 / 1_000.0 / report.deliveries as f64);
        Ok(Sample {
            report,
            micros_per_delivery,
        })
    }

    fn note_other_work(&mut self, before: Machine, ours_before: u64) -> anyhow::Result<()> {
        let after = procfs::machine()?;
        let ours = self.our_nanos()?.saturating_sub(ours_before);
        let busy = after.busy.saturating_sub(before.busy);
        let stolen = after.stolen.saturating_sub(before.stolen);
        let all = busy + stolen + after.idle.saturating_sub(before.idle);
        if all > 0 {
            let others = (busy * NANOS_PER_TICK).saturating_sub(ours);
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let (others, stolen, all) = (
                others as f64 / NANOS_PER_TICK as f64,
                stolen as f64,
                all as f64,
            );
            self.other_work.push(100.0 * others / all);
            self.stolen.push(100.0 * stolen / all);
        }
        Ok(())
    }

    fn our_nanos(&self) -> anyhow::Result<u64> {
        let Product {
            simulator,
            gateway,
            web,
            ..
        } = &self.product;
        [std::process::id(), simulator.id(), gateway.id()?, web.id()]
            .into_iter()
            .chain(self.web.processes())
            .chain(self.bare.processes())
            .map(procfs::cpu_nanos)
            .sum()
    }

    pub(crate) fn deliveries_and_faults(&self) -> (u64, u64) {
        self.web_reports
            .iter()
            .fold((0, 0), |(deliveries, faults), report| {
                (deliveries + report.deliveries, faults + report.faults())
            })
    }

    /// The figures, in the order in which people care for them.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for level in &self.levels {
            let [web, bare] = level
                .one_by_one
                .each_ref()
                .map(|samples| spread(samples, |sample| sample.micros_per_delivery));
            rows.push(Row {
                what: format!("CPU per delivery, w1, {} streams", level.streams),
                unit: "µs",
                product: web,
                bare,
                budget: Some(Budget::Ratio(1.6)),
            });
        }
        rows.extend(self.rows_at_rate());
        rows.extend(self.rows_of_faults());
        for (what, shares) in [
            ("CPUs busy with other work", &self.other_work),
            ("CPUs taken by the host", &self.stolen),
        ] {
            rows.push(Row {
                what: what.to_owned(),
                unit: "%",
                product: Spread::of(shares),
                bare: None,
                budget: None,
            });
        }
        rows
    }

    fn rows_at_rate(&self) -> Vec<Row> {
        let streams = self.plan.streams[0];
        let row = |name: &str, unit, budget, pick: fn(&Sample) -> Option<f64>| {
            let [web, bare] = self.rated.each_ref().map(|samples| spread(samples, pick));
            Row {
                what: format!("{name}, {streams} streams x {RATE}/s"),
                unit,
                product: web,
                bare,
                budget,
            }
        };
        vec![
            row("p50 end to end", "ms", None, |sample| {
                millis(sample.report.p50)
            }),
            row(
                "p95 end to end",
                "ms",
                Some(Budget::AtMost(300.0)),
                |sample| millis(sample.report.p95),
            ),
            row("p99 end to end", "ms", Some(Budget::Ratio(2.5)), |sample| {
                millis(sample.report.p99)
            }),
            row("CPU per delivery", "µs", None, |sample| {
                sample.micros_per_delivery
            }),
        ]
    }

    fn rows_of_faults(&self) -> Vec<Row> {
        let row = |what: &str, pick: fn(&Report) -> u64| {
            let sum: u64 = self.web_reports.iter().map(pick).sum();
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let sum = sum as f64;
            Row {
                what: what.to_owned(),
                unit: "in all",
                product: Spread::of(&[sum]),
                bare: None,
                budget: Some(Budget::AtMost(0.0)),
            }
        };
        vec![
            row("lost", |report| report.lost),
            row("doubled", |report| report.doubled),
            row("reordered", |report| report.reordered),
            row("pictures sent anew, streams ended", |report| {
                report.snapshots + report.ended
            }),
        ]
    }
}

/// Neither is always the first.
fn in_turn(repetition: usize) -> [Which; 2] {
    if repetition.is_multiple_of(2) {
        [Which::Web, Which::Bare]
    } else {
        [Which::Bare, Which::Web]
    }
}

fn spread(samples: &[Sample], pick: impl Fn(&Sample) -> Option<f64>) -> Option<Spread> {
    let values: Vec<f64> = samples.iter().filter_map(pick).collect();
    Spread::of(&values)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 microseconds")]
fn millis(micros: Option<u64>) -> Option<f64> {
    micros.map(|micros| micros as f64 / 1_000.0)
}
