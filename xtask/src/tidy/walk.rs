//! `docs/architecture-walk.md`: each hop that it names is there.
//!
//! A hop is a row of a table: a cell with the path of a file in backticks, and in the next cell
//! what of it the hop is about, in backticks too: `function`, `Type`, `Type::method`. A row that
//! is neither a hop nor a table's head is refused.

use super::{Finding, Source, has_word};

const DOCUMENT: &str = "docs/architecture-walk.md";

/// What stands before a name where it is defined, in Rust and in TypeScript.
const DEFINES: &str = "fn struct enum trait type const static mod function class interface";

/// Files and names that are not where the document says.
pub(super) fn broken_hops(sources: &[Source]) -> Vec<Finding> {
    let Some(document) = sources.iter().find(|source| source.path == DOCUMENT) else {
        return vec![Finding::at(DOCUMENT, 1, "broken-hop", "it is missing")];
    };
    let mut findings = Vec::new();
    for walk in document.text.split("\n## ").skip(1) {
        if walk.lines().all(|line| hop(line).is_none()) {
            let heading = walk.lines().next().unwrap_or_default();
            let why = format!("`## {heading}` names no hop");
            findings.push(document.finding(1, "broken-hop", why));
        }
    }
    let mut lines = document.lines().peekable();
    while let Some((number, line)) = lines.next() {
        let mut find = |why: String| findings.push(document.finding(number, "broken-hop", why));
        let is_rule = |line: &str| line.starts_with("|--");
        let is_head = is_rule(line) || lines.peek().is_some_and(|(_, next)| is_rule(next));
        if !line.starts_with('|') || is_head {
            continue;
        }
        let Some((path, names)) = hop(line) else {
            find("this row names no file, or nothing in it, in backticks".to_owned());
            continue;
        };
        match sources.iter().find(|source| source.path == path) {
            None => find(format!("there is no {path}")),
            Some(file) => {
                for name in names.into_iter().filter(|name| !defines(file, name)) {
                    find(format!("{path} does not define {name}"));
                }
            }
        }
    }
    findings
}

/// The path and the names of a row, if it has both.
fn hop(line: &str) -> Option<(&str, Vec<&str>)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(quoted);
    let path = cells.find_map(|quoted| quoted.into_iter().find(|text| text.contains('/')))?;
    let names = cells.next().filter(|names| !names.is_empty())?;
    Some((path, names))
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn defines(file: &Source, name: &str) -> bool {
    let name = name.trim_end_matches("()");
    let mut parts = name.rsplit(['.', ':']).filter(|part| !part.is_empty());
    let last = parts.next().unwrap_or_default();
    let is_defined = |text: &str| {
        DEFINES.split(' ').any(|word| has_word(text, &format!("{word} {last}")))
            // A method of a class in TypeScript.
            || file.is_script() && text.contains(&format!("  {last}("))
    };
    let Some(owner) = parts.next() else {
        return is_defined(&file.text);
    };
    let opens = |line: &str| {
        let of = line.rfind(" for ").map_or(line, |at| &line[at + 4..]);
        line.starts_with("impl") && has_word(of, &format!(" {owner}"))
            || has_word(line, &format!("trait {owner}"))
            || has_word(line, &format!("class {owner}"))
    };
    // As formatters lay it out, what stands in the first column and has a body ends there.
    let mut blocks = file.text.split("\n}");
    blocks.any(|block| block.lines().any(opens) && is_defined(block))
}

#[cfg(test)]
mod tests {
    use super::super::samples::source;
    use super::*;

    fn found(rows: &str) -> Vec<String> {
        let sources = [
            source(DOCUMENT, rows),
            source(
                "a/src/b.rs",
                "pub struct Buffer;\nimpl Write for Buffer {\n    fn write_all() {}\n}\n\
                 enum Input {}\nimpl Queue<Input> {\n    fn gather(_: Input) {}\n}\n",
            ),
            source("client/core.ts", "export class Core {\n  open() {}\n}\n"),
        ];
        let findings = broken_hops(&sources);
        findings.into_iter().map(|finding| finding.why).collect()
    }

    #[test]
    fn a_hop_that_is_there_is_fine_and_prose_is_none() {
        let rows = "## One\n`x/y.rs` in prose\n| hop | file | what |\n|---|---|---|\n\
                    | 1 | `a/src/b.rs` | `Buffer`, then `Buffer::write_all()` | `other` |\n\
                    | 2 | `client/core.ts` | `Core.open` |\n";
        assert_eq!(found(rows), [""; 0]);
    }

    #[test]
    fn what_is_not_there_is_found() {
        let row = |path: &str, name: &str| found(&format!("| 1 | `{path}` | `{name}` |"));
        assert_eq!(row("a/src/c.rs", "Buffer"), ["there is no a/src/c.rs"]);
        for name in "Buf write Buffer::read Write::write_all Input::gather".split(' ') {
            let why = format!("a/src/b.rs does not define {name}");
            assert_eq!(row("a/src/b.rs", name), [why]);
        }
        assert_eq!(row("a/src/b.rs", "Queue::gather"), [""; 0]);
    }

    #[test]
    fn a_row_that_names_nothing_is_found() {
        for path in ["a/src/b.rs", "`a/src/b.rs`"] {
            let rows = format!("| hop | file | what |\n|---|---|---|\n| 1 | {path} | Buffer |\n");
            let why = "this row names no file, or nothing in it, in backticks";
            assert_eq!(found(&rows), [why]);
        }
    }

    #[test]
    fn a_walk_without_hops_is_found() {
        let walk = "# A\n## One\n| 1 | `a/src/b.rs` | `Buffer` |\n## Two\nprose\n## Three\n";
        let whys = ["`## Two` names no hop", "`## Three` names no hop"];
        assert_eq!(found(walk), whys);
    }
}
