//! Words that must not stand in code, or not outside their place.

use super::{Finding, Source, has_word};

/// Marks for later work: do it, or write it where work is planned.
const TO_DO_MARKS: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

pub(super) fn to_do_mark(source: &Source) -> Vec<Finding> {
    if source.is_tidy_itself() || !(source.is_rust() || source.is_script()) {
        return Vec::new();
    }
    let why = "do it, or note it where work is planned: marks in code are not read again";
    source.find("to-do-mark", why, |line| {
        line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .any(|word| TO_DO_MARKS.contains(&word))
    })
}

/// Of a whole file or crate. Clippy's `allow_attributes` refuses the others.
pub(super) fn allow_attribute(source: &Source) -> Vec<Finding> {
    let why = "use #![expect(lint, reason = \"...\")]: it fails when the reason is gone";
    in_rust(source, "allow-attribute", &["#![allow("], why)
}

/// Paths of the machine a change was made on mean nothing to whoever clones it.
pub(super) fn outside_path(source: &Source) -> Vec<Finding> {
    // In pieces, or this file would hold them.
    let outside = [
        concat!("../", "shared"),
        concat!("/work", "/main"),
        concat!("/work", "/shared"),
        concat!("/tmp", "/brief"),
    ];
    let why = "this path is not in the repository: say it in the repository's own words";
    source.find("outside-path", why, |line| {
        outside.iter().any(|path| line.contains(path))
    })
}

/// A lock file holds names and hashes; where to fetch them is the machine's own
/// setting.
pub(super) fn registry_address(source: &Source) -> Vec<Finding> {
    let forbidden = match source.file_name() {
        "package-lock.json" => "\"resolved\": \"http",
        ".npmrc" => "registry=",
        _ => return Vec::new(),
    };
    let why = "set omit-lockfile-registry-resolved=true and write the lock file again";
    source.find("registry-address", why, |line| line.contains(forbidden))
}

/// Where one of the words stands in Rust code.
pub(super) fn in_rust(
    source: &Source,
    rule: &'static str,
    words: &[&str],
    why: &'static str,
) -> Vec<Finding> {
    if !source.is_rust() || source.is_tidy_itself() {
        return Vec::new();
    }
    source
        .code()
        .filter(|(_, line)| words.iter().any(|word| has_word(line, word)))
        .map(|(number, _)| source.finding(number, rule, why))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::lines;
    use super::*;

    #[test]
    fn marks_for_later_are_found_in_code_and_not_inside_other_words() {
        assert_eq!(lines(to_do_mark, "a.rs", "a\n// TODO: b\n"), [2]);
        assert_eq!(lines(to_do_mark, "a.tsx", "{/* FIXME */}"), [1]);
        assert!(lines(to_do_mark, "a.rs", "const XXXL: u8 = 1; // a hack\n").is_empty());
        assert!(lines(to_do_mark, "README.md", "TODO\n").is_empty());
    }

    #[test]
    fn allow_attributes_of_whole_files_are_found() {
        assert_eq!(lines(allow_attribute, "a.rs", "\n#![allow(x)]"), [2]);
        assert!(lines(allow_attribute, "a.rs", "#![expect(y, reason = \"z\")]").is_empty());
        assert!(lines(allow_attribute, "a.rs", "/// never `#![allow(`").is_empty());
    }

    #[test]
    fn paths_outside_the_repository_are_found_in_any_file() {
        let bad = format!("see {}{}/design.md", "../", "shared");
        assert_eq!(lines(outside_path, "README.md", &bad), [1]);
        assert!(lines(outside_path, "README.md", "see ../docs/design.md").is_empty());
    }

    #[test]
    fn lock_files_name_no_registry() {
        let (lock, npmrc) = ("ui/package-lock.json", "ui/.npmrc");
        let found = |file, text| lines(registry_address, file, text).len();
        let bad = "\"resolved\": \"https://registry.example/a.tgz\"";
        assert_eq!(found(lock, bad), 1);
        assert_eq!(found(npmrc, "registry=https://a.example"), 1);
        assert_eq!(found(lock, "\"resolved\": \"../client\""), 0);
        assert_eq!(found(npmrc, "omit-lockfile-registry-resolved=true"), 0);
    }
}
