//! The results as people and programs read them.

use std::fmt::Write;

use serde_json::{Value, json};

use super::check::{CheckOutcome, CheckResult, Severity};
use crate::tools::print::harmless;

/// Every check under its category, and with what it found the cure.
pub(super) fn table(results: &[CheckResult]) -> String {
    let widest = results.iter().map(|result| result.kind.name.len());
    let widest = widest.max().unwrap_or_default();
    let indent = " ".repeat(widest + 6);
    let mut text = String::new();
    let mut category = None;
    for result in results {
        let kind = result.kind;
        if category != Some(kind.category) {
            let blank = if category.is_some() { "\n" } else { "" };
            line(&mut text, &format!("{blank}{}", kind.category.name()));
            category = Some(kind.category);
        }
        let begin = format!("  {} {:widest$}  ", sign(result), kind.name);
        match &result.outcome {
            CheckOutcome::Passed(seen) => line(&mut text, &format!("{begin}{seen}")),
            CheckOutcome::Skipped(why) => line(&mut text, &format!("{begin}not looked at: {why}")),
            CheckOutcome::Failed { what, cure } => {
                for (place, one) in what.iter().enumerate() {
                    let begin = if place == 0 { &begin } else { &indent };
                    line(&mut text, &format!("{begin}{one}"));
                }
                for (place, one) in cure.iter().enumerate() {
                    let begin = if place == 0 { "cure: " } else { "      " };
                    line(&mut text, &format!("{indent}{begin}{one}"));
                }
                line(&mut text, &format!("{indent}see:  {}", result.page()));
            }
        }
    }
    line(&mut text, "");
    line(&mut text, &summary(results));
    text
}

/// A line for each check that found something, and the sum.
pub(super) fn short(results: &[CheckResult]) -> String {
    let mut text = String::new();
    for result in results {
        if let CheckOutcome::Failed { what, .. } = &result.outcome {
            let (sign, name) = (sign(result), result.kind.name);
            line(&mut text, &format!("{sign} {name}: {}", what.join("; ")));
        }
    }
    line(&mut text, &summary(results));
    text
}

/// All of it, for programs.
pub(super) fn json(results: &[CheckResult]) -> String {
    let checks: Vec<Value> = results.iter().map(check).collect();
    let healthy = !results.iter().any(CheckResult::is_fatal);
    let all = json!({"healthy": healthy, "checks": checks});
    serde_json::to_string_pretty(&all).expect("texts serialise")
}

fn check(result: &CheckResult) -> Value {
    let kind = result.kind;
    let mut check = json!({
        "name": kind.name,
        "category": kind.category.name(),
        "severity": match kind.severity {
            Severity::Fatal => "fatal",
            Severity::Warning => "warning",
        },
        "page": result.page(),
    });
    let clean = |texts: &[String]| -> Vec<String> { texts.iter().map(|it| harmless(it)).collect() };
    match &result.outcome {
        CheckOutcome::Passed(seen) => {
            check["outcome"] = json!("passed");
            check["seen"] = json!(harmless(seen));
        }
        CheckOutcome::Skipped(why) => {
            check["outcome"] = json!("skipped");
            check["why"] = json!(harmless(why));
        }
        CheckOutcome::Failed { what, cure } => {
            check["outcome"] = json!("found");
            check["found"] = json!(clean(what));
            check["cure"] = json!(clean(cure));
        }
    }
    check
}

fn sign(result: &CheckResult) -> &'static str {
    match (&result.outcome, result.kind.severity) {
        (CheckOutcome::Passed(_), _) => "√",
        (CheckOutcome::Skipped(_), _) => "-",
        (CheckOutcome::Failed { .. }, Severity::Warning) => "‼",
        (CheckOutcome::Failed { .. }, Severity::Fatal) => "×",
    }
}

fn summary(results: &[CheckResult]) -> String {
    let count = |is: fn(&CheckResult) -> bool| results.iter().filter(|it| is(it)).count();
    let fatal = count(CheckResult::is_fatal);
    let found = count(|it| matches!(it.outcome, CheckOutcome::Failed { .. }));
    let skipped = count(|it| matches!(it.outcome, CheckOutcome::Skipped(_)));
    let passed = results.len() - found - skipped;
    format!(
        "fatal: {fatal}, warnings: {}, passed: {passed}, not looked at: {skipped}",
        found - fatal
    )
}

/// What others wrote is part of it, and must not give a terminal orders.
fn line(text: &mut String, line: &str) {
    for (place, part) in line.split('\n').enumerate() {
        let end = if place == 0 { "" } else { "\n" };
        write!(text, "{end}{}", harmless(part)).expect("writing to a String can't fail");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{super::check::CHECKS, *};

    fn results() -> Vec<CheckResult> {
        let outcomes = [
            CheckOutcome::passed("read"),
            CheckOutcome::found("1,024 files\u{1b}[2J", ["raise it", "or lower that"]),
            CheckOutcome::found("of another bot", ["another folder"]),
            CheckOutcome::skipped("no network"),
        ];
        let checks = CHECKS.iter().zip(outcomes);
        checks
            .map(|(kind, outcome)| CheckResult { kind, outcome })
            .collect()
    }

    #[test]
    fn a_table_has_every_check_with_its_cure_and_page() {
        let right = "\
settings
  √ settings     read
  ‼ file-limits  1,024 files\u{FFFD}[2J
                 cure: raise it
                       or lower that
                 see:  docs/operate/doctor.md#file-limits
  × journal      of another bot
                 cure: another folder
                 see:  docs/operate/doctor.md#journal

discord
  - discord      not looked at: no network

fatal: 1, warnings: 1, passed: 1, not looked at: 1
";
        assert_eq!(table(&results()), right);
    }

    #[test]
    fn short_has_what_was_found_and_json_has_all() {
        let right = "‼ file-limits: 1,024 files\u{FFFD}[2J\n× journal: of another bot\n\
                     fatal: 1, warnings: 1, passed: 1, not looked at: 1\n";
        assert_eq!(short(&results()), right);
        let all: Value = serde_json::from_str(&json(&results())).expect("JSON");
        assert_eq!(all["healthy"], false);
        let outcomes = [0, 1, 2, 3].map(|place| all["checks"][place]["outcome"].clone());
        assert_eq!(outcomes, ["passed", "found", "found", "skipped"]);
        assert_eq!(all["checks"][1]["severity"], "warning");
        assert_eq!(all["checks"][2]["cure"][0], "another folder");
    }
}
