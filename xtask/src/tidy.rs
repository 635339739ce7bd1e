//! `cargo xtask tidy`: the house rules that no other tool checks.
//!
//! Each rule is a small function from one source file, or from the dependency graph, to what it
//! found there, and says why: whoever meets it need not look for this file.

mod circles;
mod edges;
mod layout;
mod modules;
mod names;
mod ports;
mod settings;
mod testing;
mod walk;
mod words;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use subprocess::cargo::root;
use subprocess::command::{self, command};

use crate::metadata::metadata;

/// The rules that look at one file at a time.
const RULES: &[fn(&Source) -> Vec<Finding>] =
    &[layout::long_file, words::forbidden, testing::sleeping_test];

/// Prints every finding and fails if there is one.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = root();
    let sources = sources(&root)?;
    let mut findings = in_sources(&sources);
    findings.extend(walk::broken_hops(&sources));
    findings.extend(edges::check(&metadata()?, &root, &sources));

    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy found {} breaches of the house rules", findings.len());
    }
    println!("tidy: {} files, nothing found", sources.len());
    Ok(())
}

/// What the rules find in the files, each by itself and all of them together.
fn in_sources(sources: &[Source]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = sources
        .iter()
        .flat_map(|source| RULES.iter().flat_map(move |rule| rule(source)))
        .collect();
    let crates = modules::crates(sources);
    findings.extend(circles::check(&crates));
    findings.extend(names::doubled(&crates));
    findings.extend(names::banned(sources));
    findings.extend(settings::named(sources, &crates));
    findings.extend(ports::bypassed(&crates));
    findings
}

/// A text file of the repository.
struct Source {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn extension(&self) -> &str {
        let file = self.file_name().rsplit_once('.');
        file.map_or("", |(_, extension)| extension)
    }

    fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn is_rust(&self) -> bool {
        self.extension() == "rs"
    }

    fn is_script(&self) -> bool {
        matches!(self.extension(), "ts" | "tsx" | "js" | "mjs")
    }

    /// This module must name what it forbids.
    fn is_tidy_itself(&self) -> bool {
        self.path.starts_with("xtask/src/tidy")
    }

    /// Lines with their numbers, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    fn finding(&self, line: usize, rule: &'static str, why: impl Into<String>) -> Finding {
        Finding::at(&self.path, line, rule, why)
    }
}

/// One breach of one rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    why: String,
}

impl Finding {
    fn at(path: &str, line: usize, rule: &'static str, why: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            why: why.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: ", self.path, self.line)?;
        write!(formatter, "{}: {}", self.rule, self.why)
    }
}

/// Whether `word` stands in a text and its ends are not inside longer words.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).any(|(at, _)| {
        let is_inside = word.starts_with(is_part) && text[..at].ends_with(is_part);
        let behind = &text[at + word.len()..];
        !(is_inside || word.ends_with(is_part) && behind.starts_with(is_part))
    })
}

/// All text files that are, or would be, in the repository, but for what tools wrote.
fn sources(root: &Path) -> anyhow::Result<Vec<Source>> {
    let ask = "ls-files --cached --others --exclude-standard";
    let list = command::output(command("git", ask.split(' '), root))
        .context("tidy asks git which files belong to the repository")?;
    // What cannot be read as text is a picture, or deleted and not yet committed.
    let read = |path: &str| {
        let text = fs::read_to_string(root.join(path)).ok()?;
        let path = path.to_owned();
        Some(Source { path, text })
    };
    let paths = list.lines().filter(|path| !is_generated(path));
    let mut sources: Vec<Source> = paths.filter_map(read).collect();
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(sources)
}

fn is_generated(path: &str) -> bool {
    let is_snapshot = Path::new(path).extension() == Some("snap".as_ref());
    is_snapshot || path.starts_with("ui/dist/") || path.split('/').any(|it| it == "generated")
}

#[cfg(test)]
mod samples {
    //! What the tests of the rules share.

    use super::{Finding, Source};

    pub(super) fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The lines that a rule finds fault with.
    pub(super) fn lines(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        let findings = rule(&source(path, text));
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_planted_circle_a_doubled_and_a_banned_name_are_found() {
        let found = |planted: &str| -> Vec<&str> {
            let room = format!("pub struct Room;\n{planted}\n");
            let sources = [
                ("crates/a/src/lib.rs", "//! A.\nmod road;\nmod room;\n"),
                (
                    "crates/a/src/road.rs",
                    "use crate::room::Room;\npub struct Road(Room);\n",
                ),
                ("crates/a/src/room.rs", &room),
            ];
            let sources = sources.map(|(path, text)| source(path, text));
            let findings = super::in_sources(&sources);
            findings.iter().map(|finding| finding.rule).collect()
        };
        assert_eq!(found(""), [""; 0]);
        assert_eq!(found("use crate::road::Road;"), ["circle"]);
        assert_eq!(found("pub struct Road;"), ["doubled-name"]);
        assert_eq!(found("enum Life { Over }"), ["banned-name"]);
        assert_eq!(found("fn go(keeper: u8) {}"), ["banned-name"]);
        assert_eq!(found("// Ask the keeper."), ["banned-name"]);
    }

    #[test]
    fn a_finding_reads_as_path_line_rule_and_reason() {
        let finding = source("a/b.rs", "").finding(7, "rule", "because");
        assert_eq!(finding.to_string(), "a/b.rs:7: rule: because");
    }

    #[test]
    fn a_word_inside_a_longer_name_does_not_count() {
        assert!(super::has_word("x.sleep(1)", "sleep("));
        assert!(!super::has_word("no_sleep(1)", "sleep("));
        assert!(super::has_word("no_sleep(1); sleep(2)", "sleep("));
        assert!(!super::has_word("XXXL", "XXX"));
    }

    #[test]
    fn what_tools_write_is_no_source() {
        assert!(super::is_generated("ui/dist/index.html"));
        assert!(super::is_generated("client/src/generated/types.ts"));
        assert!(super::is_generated("crates/a/src/snapshots/a.snap"));
        assert!(!super::is_generated("client/src/wire.ts"));
    }
}
