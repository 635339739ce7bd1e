//! What a role says of itself on `/metrics`.

use anyhow::{Context, bail};

use crate::bench::http::Client;

/// One rendering of Prometheus' text form.
pub(super) struct Metrics(String);

impl Metrics {
    pub(super) fn read(ops_port: u16) -> anyhow::Result<Self> {
        let at = ([127, 0, 0, 1], ops_port).into();
        let answer = Client::new(at).get("/metrics", &[])?;
        if answer.status != 200 {
            bail!("/metrics answers {}", answer.status);
        }
        Ok(Self(answer.body))
    }

    /// The sum over a counter's labels; one that never counted is not there.
    pub(super) fn counter(&self, name: &str) -> f64 {
        self.series(name).map(|(_, value)| value).sum()
    }

    /// What was counted in each bucket of a histogram since `before`, by its upper bound.
    pub(super) fn histogram(&self, name: &str, before: &Self) -> Buckets {
        let bucket = format!("{name}_bucket");
        let buckets = self.series(&bucket).filter_map(|(labels, count)| {
            let (_, rest) = labels.split_once("le=\"")?;
            let (bound, _) = rest.split_once('"')?;
            let was = before.series(&bucket).find(|(known, _)| *known == labels);
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse().ok()?
            };
            Some((bound, count - was.map_or(0.0, |(_, count)| count)))
        });
        Buckets(buckets.collect())
    }

    /// Labels and value of each line of this name.
    fn series<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = rest.rsplit_once(' ')?;
            let whole = labels.is_empty() || labels.starts_with('{');
            whole.then(|| Some((labels, value.parse().ok()?)))?
        })
    }
}

/// Upper bounds and how many were at or below each.
pub(super) struct Buckets(Vec<(f64, f64)>);

impl Buckets {
    /// The bound that `share` of what was counted did not exceed.
    pub(super) fn at_most(&self, share: f64) -> anyhow::Result<f64> {
        let all = self.0.last().map_or(0.0, |(_, count)| *count);
        if all == 0.0 {
            bail!("nothing was counted");
        }
        let within = self.0.iter().find(|(_, count)| *count >= share * all);
        Ok(within.context("the last bucket has all")?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(text: &str) -> Metrics {
        Metrics(text.to_owned())
    }

    #[test]
    fn counters_are_summed_over_their_labels_and_no_others() {
        let metrics = metrics("# TYPE a counter\na{b=\"c\"} 2\na{b=\"d e\"} 3\na_more 7\n");
        assert!((metrics.counter("a") - 5.0).abs() < f64::EPSILON);
        assert!(metrics.counter("b").abs() < f64::EPSILON);
    }

    #[test]
    fn a_histogram_counts_from_the_reading_before() {
        let text = |counts: [u64; 3]| {
            let [low, high, all] = counts;
            format!(
                "h_bucket{{le=\"0.001\"}} {low}\nh_bucket{{le=\"0.01\"}} {high}\n\
                 h_bucket{{le=\"+Inf\"}} {all}\nh_count {all}\n"
            )
        };
        let (before, after) = (metrics(&text([9, 9, 9])), metrics(&text([59, 109, 109])));
        let histogram = after.histogram("h", &before);
        assert!((histogram.at_most(0.5).expect("counted") - 0.001).abs() < f64::EPSILON);
        assert!((histogram.at_most(0.99).expect("counted") - 0.01).abs() < f64::EPSILON);
        assert!(before.histogram("h", &before).at_most(0.5).is_err());
    }
}
