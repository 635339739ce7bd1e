//! The figures: what was measured, beside the bare server, beside the budget.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde::Serialize;

/// Median and minimum of some repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) minimum: f64,
}

impl Spread {
    /// `None` when nothing was measured: a figure is never made up.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(|left, right| left.partial_cmp(right).unwrap_or(Ordering::Equal));
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], upper)
        } else {
            upper
        };
        Some(Self {
            median,
            minimum: sorted[0],
        })
    }
}

/// What may not be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Budget {
    /// Times the median of the bare server.
    Ratio(f64),
    /// In the unit of the row.
    AtMost(f64),
    /// The same, for what may not fall short.
    AtLeast(f64),
}

pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) product: Option<Spread>,
    pub(crate) bare: Option<Spread>,
    pub(crate) budget: Option<Budget>,
}

impl Row {
    /// Median against median.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let (product, bare) = (self.product?, self.bare?);
        (bare.median > 0.0).then(|| product.median / bare.median)
    }

    /// Whether the budget holds; `None` without a budget. What was not measured
    /// does not hold.
    pub(crate) fn holds(&self) -> Option<bool> {
        Some(match self.budget? {
            Budget::Ratio(limit) => self.ratio().is_some_and(|ratio| ratio <= limit),
            Budget::AtMost(limit) => self.product.is_some_and(|product| product.median <= limit),
            Budget::AtLeast(limit) => self.product.is_some_and(|product| product.median >= limit),
        })
    }

    /// The row with what follows from it, for programs.
    pub(crate) fn as_json(&self) -> serde_json::Value {
        serde_json::json!({
            "what": self.what,
            "unit": self.unit,
            "product": self.product,
            "bare": self.bare,
            "ratio": self.ratio(),
            "budget": self.budget,
            "holds": self.holds(),
        })
    }

    fn cells(&self) -> [String; 7] {
        let figure = |value: Option<f64>| value.map_or("-".to_owned(), shown);
        let budget = match self.budget {
            None => String::new(),
            Some(Budget::Ratio(limit)) => format!("<= {limit}x bare"),
            Some(Budget::AtMost(limit)) => format!("<= {limit} {}", self.unit),
            Some(Budget::AtLeast(limit)) => format!(">= {limit} {}", self.unit),
        };
        let verdict = match self.holds() {
            None => "",
            Some(true) => " ok",
            Some(false) => " OVER",
        };
        [
            format!("{} [{}]", self.what, self.unit),
            figure(self.product.map(|spread| spread.median)),
            figure(self.product.map(|spread| spread.minimum)),
            figure(self.bare.map(|spread| spread.median)),
            figure(self.bare.map(|spread| spread.minimum)),
            self.ratio()
                .map_or("-".to_owned(), |ratio| format!("{ratio:.2}x")),
            format!("{budget}{verdict}"),
        ]
    }
}

/// The rows under their heads, in columns.
pub(crate) fn table(rows: &[Row]) -> String {
    let heads = ["", "median", "min", "bare median", "min", "ratio", "budget"].map(str::to_owned);
    let cells: Vec<[String; 7]> = std::iter::once(heads)
        .chain(rows.iter().map(Row::cells))
        .collect();
    let widths: [usize; 7] = std::array::from_fn(|column| {
        cells
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    let mut text = String::new();
    for row in cells {
        let mut line = format!("{:width$}", row[0], width = widths[0]);
        for column in 1..6 {
            // Writing to a String cannot fail.
            write!(line, "  {:>width$}", row[column], width = widths[column]).ok();
        }
        text.push_str(format!("{line}  {}", row[6]).trim_end());
        text.push('\n');
    }
    text
}

fn shown(value: f64) -> String {
    if value == 0.0 || value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(product: &[f64], bare: &[f64], budget: Budget) -> Row {
        Row {
            what: "w1".to_owned(),
            unit: "µs",
            product: Spread::of(product),
            bare: Spread::of(bare),
            budget: Some(budget),
        }
    }

    #[test]
    fn median_and_minimum_are_those_of_the_values() {
        assert_eq!(
            Spread::of(&[3.0, 1.0, 2.0]),
            Some(Spread {
                median: 2.0,
                minimum: 1.0
            })
        );
        assert_eq!(
            Spread::of(&[4.0, 2.0]).map(|spread| spread.median),
            Some(3.0)
        );
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_ratio_is_held_against_its_budget() {
        assert_eq!(
            row(&[16.0], &[10.0], Budget::Ratio(1.6)).holds(),
            Some(true)
        );
        assert_eq!(
            row(&[17.0], &[10.0], Budget::Ratio(1.6)).holds(),
            Some(false)
        );
        assert_eq!(row(&[0.0], &[], Budget::AtMost(0.0)).holds(), Some(true));
        assert_eq!(row(&[1.0], &[], Budget::AtMost(0.0)).holds(), Some(false));
        assert_eq!(row(&[9.0], &[], Budget::AtLeast(9.0)).holds(), Some(true));
        assert_eq!(row(&[8.0], &[], Budget::AtLeast(9.0)).holds(), Some(false));
        assert_eq!(row(&[], &[], Budget::AtLeast(9.0)).holds(), Some(false));
    }

    #[test]
    fn what_was_not_measured_does_not_hold() {
        assert_eq!(row(&[], &[1.0], Budget::AtMost(9.0)).holds(), Some(false));
        assert_eq!(row(&[1.0], &[], Budget::Ratio(9.0)).holds(), Some(false));
    }

    #[test]
    fn the_table_marks_what_is_over() {
        let rows = [row(&[17.0], &[10.0], Budget::Ratio(1.6))];
        let text = table(&rows);
        let line = text.lines().nth(1).expect("one row");
        assert!(line.starts_with("w1 [µs]"), "{text}");
        assert!(line.ends_with("1.70x  <= 1.6x bare OVER"), "{text}");
    }
}
