//! `docs/architecture-walk.md`: each hop that it names is there.
//!
//! A hop is a row of a table: a cell with the path of a file in backticks, and in the next cell
//! what of it the hop is about, in backticks too: `function`, `Type`, `Type::method`.

use super::{Finding, Source};

const DOCUMENT: &str = "docs/architecture-walk.md";

/// What stands before a name where it is defined, in Rust and in TypeScript.
const DEFINES: &str = "fn struct enum trait type const static mod function class interface";

/// Files and names that are not where the document says.
pub(super) fn broken_hops(sources: &[Source]) -> Vec<Finding> {
    let Some(document) = sources.iter().find(|source| source.path == DOCUMENT) else {
        return vec![Finding {
            path: DOCUMENT.to_owned(),
            line: 1,
            rule: "broken-hop",
            why: "it is missing".to_owned(),
        }];
    };
    let mut findings = Vec::new();
    let mut empty_walk = None;
    for (number, line) in document.lines() {
        let mut find = |why: String| findings.push(document.finding(number, "broken-hop", why));
        if line.starts_with("## ")
            && let Some(heading) = empty_walk.replace(line)
        {
            find(format!("`{heading}` before this names no hop"));
        }
        let Some((path, names)) = hop(line) else {
            continue;
        };
        empty_walk = None;
        match sources.iter().find(|source| source.path == path) {
            None => find(format!("there is no {path}")),
            Some(file) => {
                for name in names.into_iter().filter(|name| !defines(file, name)) {
                    find(format!("{path} does not define {name}"));
                }
            }
        }
    }
    if let Some(heading) = empty_walk {
        let last = document.text.lines().count();
        findings.push(document.finding(last, "broken-hop", format!("`{heading}` names no hop")));
    }
    findings
}

/// The path and the names of a row, if it has a path.
fn hop(line: &str) -> Option<(&str, Vec<&str>)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(quoted);
    let path = cells.find_map(|quoted| quoted.into_iter().find(|text| text.contains('/')))?;
    Some((path, cells.next().unwrap_or_default()))
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn defines(file: &Source, name: &str) -> bool {
    let name = name.trim_end_matches("()");
    let mut parts = name.rsplit(['.', ':']).filter(|part| !part.is_empty());
    let last = parts.next().unwrap_or_default();
    let stands = |before: &str, word: &str| {
        file.text.match_indices(word).any(|(at, _)| {
            let behind = file.text[at + word.len()..].chars().next();
            file.text[..at].ends_with(before)
                && behind.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
        })
    };
    let is_defined = DEFINES.split(' ').any(|word| stands(&format!("{word} "), last))
        // A method of a class in TypeScript.
        || file.is_script() && file.text.contains(&format!("  {last}("));
    is_defined && parts.all(|owner| stands("", owner))
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
                "pub struct Buffer;\nimpl Buffer {\n    fn write_all() {}\n}\n",
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
        for name in ["Buf", "write", "Buffer::read", "Other::write_all"] {
            let why = format!("a/src/b.rs does not define {name}");
            assert_eq!(row("a/src/b.rs", name), [why]);
        }
    }

    #[test]
    fn a_walk_without_hops_is_found() {
        let walk = "## One\n| 1 | `a/src/b.rs` | `Buffer` |\n## Two\nprose\n## Three\n";
        let whys = [
            "`## Two` before this names no hop",
            "`## Three` names no hop",
        ];
        assert_eq!(found(walk), whys);
    }
}
