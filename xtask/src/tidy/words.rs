//! Words that must not stand in some files.

use super::{Finding, Source, has_word};

/// The rule, the files by name or extension (none: all), the words, and why not.
const FORBIDDEN: &str = r#"
to-do-mark | rs; ts; tsx; js; mjs | TODO; FIXME; XXX; HACK | do it, or note it where work is planned: marks in code are not read again
allow-attribute | rs | #![allow( | use #![expect(lint, reason = "...")]: it fails when the reason is gone
hidden-module | rs | #[path; , path = "; extern crate; include!( | modules are where their names say, and crates are called by theirs
ignored-test | rs | #[ignore | a test that does not run proves nothing: repair it or take it out
skipped-test | ts; tsx; js; mjs | it.skip; test.skip; describe.skip; it.only; test.only; describe.only; it.todo; test.todo; it.skipIf; test.skipIf; xit; xdescribe | a test that does not run proves nothing: repair it or take it out
outside-path | | ../shared; /work/main; /work/shared; /tmp/brief | this path is not in the repository: say it in the repository's own words
registry-address | package-lock.json | "resolved": "http:; "resolved": "https: | set omit-lockfile-registry-resolved=true and write the lock file again
registry-address | .npmrc | registry= | set omit-lockfile-registry-resolved=true and write the lock file again
"#;

pub(super) fn forbidden(source: &Source) -> Vec<Finding> {
    if source.is_tidy_itself() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for row in FORBIDDEN.trim().lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [rule, files, words, why] = cells[..] else {
            continue;
        };
        let mut files = files.split("; ");
        if !files.any(|file| ["", source.extension(), source.file_name()].contains(&file)) {
            continue;
        }
        let words: Vec<&str> = words.split("; ").collect();
        for (number, line) in source.lines() {
            if words.iter().any(|word| has_word(line, word)) {
                findings.push(source.finding(number, rule, why));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::samples::source;
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        let findings = forbidden(&source(path, text));
        findings.iter().map(|it| (it.rule, it.line)).collect()
    }

    #[test]
    fn what_must_not_stand_in_a_file_is_found() {
        for (path, text, rule) in [
            ("a.rs", "// TODO: b\n", "to-do-mark"),
            ("a.tsx", "{/* FIXME */}", "to-do-mark"),
            ("a.rs", "#![allow(x)]", "allow-attribute"),
            ("a.rs", "#[path = \"b.rs\"]", "hidden-module"),
            ("a.rs", "#[cfg_attr(a, path = \"b\")]", "hidden-module"),
            ("a.rs", "extern crate self as other;", "hidden-module"),
            ("a.rs", "include!(\"b.rs\");", "hidden-module"),
            ("a.rs", "#[ignore = \"slow\"]", "ignored-test"),
            ("a.test.ts", "it.skip('a', b)", "skipped-test"),
            ("a.test.tsx", "describe.only(a)", "skipped-test"),
            ("README.md", "see ../shared/design.md", "outside-path"),
            (
                "package-lock.json",
                "\"resolved\": \"https://a",
                "registry-address",
            ),
            ("ui/.npmrc", "registry=https://a", "registry-address"),
        ] {
            assert_eq!(found(path, &format!("\n{text}")), [(rule, 2)], "{text}");
        }
    }

    #[test]
    fn other_files_and_longer_words_are_let_be() {
        for (path, text) in [
            ("a.rs", "const XXXL: u8 = 1; // a hack\n"),
            ("README.md", "TODO\n"),
            ("a.rs", "#![expect(y, reason = \"z\")]"),
            ("a.rs", "let path = \"b.rs\"; iterator.skip(1)"),
            ("a.test.ts", "process.exit(1); it('a', b)"),
            ("README.md", "see ../docs/design.md"),
            ("ui/package-lock.json", "\"resolved\": \"../client\""),
            ("ui/.npmrc", "omit-lockfile-registry-resolved=true"),
        ] {
            assert!(found(path, text).is_empty(), "{path}: {text}");
        }
    }
}
