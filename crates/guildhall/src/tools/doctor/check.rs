//! The checks there are, in the order in which they are told, and what comes of one.

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckCategory {
    /// Settings, and what they meet on this machine.
    Settings,
    /// Discord's side.
    Discord,
    /// The guilds of the bot.
    Guilds,
    /// The way from a browser to web.
    Path,
}

/// What it means that a check found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// It does not work.
    Fatal,
    /// It works, and less well than it could.
    Warning,
}

/// One check.
#[derive(Debug)]
pub(super) struct CheckKind {
    /// Its name, and its heading in `docs/operate/doctor.md`.
    pub(super) name: &'static str,
    pub(super) category: CheckCategory,
    pub(super) severity: Severity,
}

/// The page that has a heading for each check.
pub(super) const PAGE: &str = "docs/operate/doctor.md";

use CheckCategory::{Discord, Guilds, Path, Settings};
use Severity::{Fatal, Warning};

/// Every check there is.
pub(super) const CHECKS: [CheckKind; 24] = [
    kind("settings", Settings, Fatal),
    kind("file-limits", Settings, Warning),
    kind("journal", Settings, Fatal),
    kind("discord", Discord, Fatal),
    kind("clock", Discord, Warning),
    kind("token", Discord, Fatal),
    kind("application", Discord, Fatal),
    kind("intents", Discord, Fatal),
    kind("redirect-uri", Discord, Fatal),
    kind("sessions-left", Discord, Fatal),
    kind("another-gateway", Discord, Warning),
    kind("guilds", Guilds, Fatal),
    kind("permissions", Guilds, Warning),
    kind("blind-channels", Guilds, Warning),
    kind("base-url", Path, Fatal),
    kind("first-byte", Path, Warning),
    kind("buffering", Path, Fatal),
    kind("compression", Path, Warning),
    kind("last-event-id", Path, Fatal),
    kind("cookie", Path, Fatal),
    kind("large-cookie", Path, Fatal),
    kind("idle-cut", Path, Fatal),
    kind("client-address", Path, Warning),
    kind("http-version", Path, Warning),
];

const fn kind(name: &'static str, category: CheckCategory, severity: Severity) -> CheckKind {
    CheckKind {
        name,
        category,
        severity,
    }
}

impl CheckCategory {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Discord => "discord",
            Self::Guilds => "guilds",
            Self::Path => "path",
        }
    }
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CheckOutcome {
    /// Nothing was found; what was seen.
    Passed(String),
    /// What is wrong, and what cures it: sentences and lines of settings.
    Failed {
        what: Vec<String>,
        cure: Vec<String>,
    },
    /// It could not be looked at, and why.
    Skipped(String),
}

impl CheckOutcome {
    pub(super) fn passed(seen: impl Into<String>) -> Self {
        Self::Passed(seen.into())
    }

    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped(why.into())
    }

    /// One thing is wrong.
    pub(super) fn found<C: Into<String>>(
        what: impl Into<String>,
        cure: impl IntoIterator<Item = C>,
    ) -> Self {
        Self::Failed {
            what: vec![what.into()],
            cure: cure.into_iter().map(Into::into).collect(),
        }
    }
}

/// A check and what came of it.
#[derive(Debug)]
pub(super) struct CheckResult {
    pub(super) kind: &'static CheckKind,
    pub(super) outcome: CheckOutcome,
}

impl CheckResult {
    /// Whether something was found without which it does not work.
    pub(super) fn is_fatal(&self) -> bool {
        let found = matches!(self.outcome, CheckOutcome::Failed { .. });
        found && self.kind.severity == Fatal
    }

    /// Where its heading is.
    pub(super) fn page(&self) -> String {
        format!("{PAGE}#{}", self.kind.name)
    }
}

/// What was found so far, by the names of the checks.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<(&'static str, CheckOutcome)>);

impl Findings {
    pub(super) fn add(&mut self, name: &'static str, outcome: CheckOutcome) {
        self.0.push((name, outcome));
    }

    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Every check with its outcome, in their order.
    pub(super) fn complete(mut self) -> Vec<CheckResult> {
        let results = CHECKS.iter().map(|kind| {
            let place = self.0.iter().position(|(name, _)| *name == kind.name);
            let place = place.expect("each check is looked at, or says why not");
            let (_, outcome) = self.0.swap_remove(place);
            CheckResult { kind, outcome }
        });
        results.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_heading_for_each_check_in_their_order_and_says_how_bad_it_is() {
        let page = include_str!("../../../../../docs/operate/doctor.md");
        let headings: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("### "))
            .collect();
        let names: Vec<&str> = CHECKS.iter().map(|kind| kind.name).collect();
        assert_eq!(headings, names);
        for (kind, section) in CHECKS.iter().zip(page.split("\n### ").skip(1)) {
            let word = match kind.severity {
                Fatal => "Fatal.",
                Warning => "A warning.",
            };
            assert!(section.contains(word), "{}: {word}", kind.name);
            assert!(section.contains("**Cure.**"), "{}", kind.name);
        }
    }
}
