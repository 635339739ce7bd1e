//! The page in Chromium, by Chromium's own trace: how soon somebody reads the list, and how many frames are drawn
//! while much happens in a room of a thousand people.

use serde::Deserialize;
use subprocess::cargo::root;
use subprocess::command::{command, output};

use super::table::{Budget, Row, Spread};

/// How much happens meanwhile.
const EVENTS_PER_SECOND: u64 = 1_000;

/// What is measured, and how often.
pub(crate) struct PagePlan {
    repetitions: usize,
    /// Of one repetition with one view.
    seconds: u64,
}

impl PagePlan {
    pub(crate) fn of(quick: bool) -> Self {
        Self {
            repetitions: if quick { 1 } else { 3 },
            seconds: if quick { 3 } else { 10 },
        }
    }
}

/// What one run of `tests/browser/look/pace.mjs` tells.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pace {
    /// From the address to people on the screen, each time in ms.
    first_lists: Vec<f64>,
    views: Vec<View>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    name: String,
    /// As they were told in truth.
    events_per_second: f64,
    frames_per_second: f64,
    /// Of one processor, 0 to 1.
    main_thread: f64,
}

/// The rows of the page.
pub(crate) fn rows(plan: &PagePlan) -> anyhow::Result<Vec<Row>> {
    println!("the page in Chromium");
    let mut told = Vec::new();
    for repetition in 1..=plan.repetitions {
        println!("  repetition {repetition} of {}", plan.repetitions);
        let (rate, seconds) = (EVENTS_PER_SECOND.to_string(), plan.seconds.to_string());
        let words = ["look/pace.mjs", "--json", &rate, &seconds];
        let pace = output(command("node", words, &root().join("tests/browser")))?;
        told.push(serde_json::from_str::<Pace>(&pace)?);
    }
    let row = |what: String, unit, values: Vec<f64>, budget| Row {
        what: format!("page: {what}"),
        unit,
        product: Spread::of(&values),
        bare: None,
        budget,
    };
    let lists = told
        .iter()
        .flat_map(|pace| pace.first_lists.iter().copied());
    let soon = Some(Budget::AtMost(1_000.0));
    let mut rows = vec![row(
        "to the first list".to_owned(),
        "ms",
        lists.collect(),
        soon,
    )];
    let views = told.first().map_or(0, |pace| pace.views.len());
    for at in 0..views {
        let views: Vec<&View> = told.iter().filter_map(|pace| pace.views.get(at)).collect();
        let of = |value: fn(&View) -> f64| views.iter().map(|view| value(view)).collect();
        let name = &views[0].name;
        #[expect(clippy::cast_precision_loss, reason = "a rate of events")]
        let asked = Some(Budget::AtLeast(0.95 * EVENTS_PER_SECOND as f64));
        rows.extend([
            row(
                format!("{name}: events told"),
                "1/s",
                of(|view| view.events_per_second),
                asked,
            ),
            row(
                format!("{name}: frames drawn"),
                "1/s",
                of(|view| view.frames_per_second),
                Some(Budget::AtLeast(50.0)),
            ),
            row(
                format!("{name}: main thread"),
                "% CPU",
                of(|view| view.main_thread * 100.0),
                None,
            ),
        ]);
    }
    Ok(rows)
}
