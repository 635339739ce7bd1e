//! Files and folders: how long, how named.

use super::{Finding, Source};

/// Files of 80 to 400 lines read well; nothing may be longer than this.
const LINES_AT_MOST: usize = 600;

/// Names that tell nothing about what is inside.
const VAGUE: &[&str] = &[
    "common", "helper", "helpers", "manager", "managers", "misc", "service", "services", "types",
    "util", "utils",
];

pub(super) fn long_file(source: &Source) -> Vec<Finding> {
    let checked = source.is_rust() || source.is_script() || source.extension() == "css";
    let lines = source.text.lines().count();
    if !checked || lines <= LINES_AT_MOST {
        return Vec::new();
    }
    vec![source.finding(
        LINES_AT_MOST + 1,
        "long-file",
        format!("{lines} lines are more than {LINES_AT_MOST}: two subjects live here, part them"),
    )]
}

pub(super) fn vague_name(source: &Source) -> Vec<Finding> {
    if !source.is_rust() && !source.is_script() {
        return Vec::new();
    }
    source
        .path
        .split('/')
        .map(|part| part.split('.').next().unwrap_or(part))
        .filter(|stem| VAGUE.contains(stem))
        .map(|stem| {
            source.finding(
                1,
                "vague-name",
                format!("`{stem}` collects whatever has no place: name the thing or the verb"),
            )
        })
        .collect()
}

/// The text of `.gitattributes` must mark the built page.
pub(super) fn dist_not_marked(gitattributes: &str) -> Option<Finding> {
    let marked = gitattributes
        .lines()
        .any(|line| line.starts_with("ui/dist/") && line.contains("linguist-generated"));
    (!marked).then(|| Finding {
        path: ".gitattributes".to_owned(),
        line: 1,
        rule: "dist-not-marked",
        why: "ui/dist/** must be marked linguist-generated: nobody reviews a built page".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::lines;
    use super::*;

    #[test]
    fn the_line_after_the_last_allowed_one_is_found() {
        let exactly = "x\n".repeat(LINES_AT_MOST);
        let over = "x\n".repeat(LINES_AT_MOST + 1);
        assert!(lines(long_file, "a.rs", &exactly).is_empty());
        assert_eq!(lines(long_file, "a.rs", &over), [LINES_AT_MOST + 1]);
        assert_eq!(lines(long_file, "a.tsx", &over), [LINES_AT_MOST + 1]);
        assert!(lines(long_file, "Cargo.lock", &over).is_empty());
    }

    #[test]
    fn vague_names_are_found_in_folders_and_files() {
        assert_eq!(lines(vague_name, "crates/a/src/utils/text.rs", ""), [1]);
        assert_eq!(lines(vague_name, "ui/src/types.ts", ""), [1]);
        assert_eq!(lines(vague_name, "ui/src/helpers.test.ts", ""), [1]);
        assert!(lines(vague_name, "crates/a/src/prototypes.rs", "").is_empty());
        assert!(lines(vague_name, "docs/operate/service.md", "").is_empty());
    }

    #[test]
    fn the_built_page_must_be_marked() {
        assert!(dist_not_marked("ui/dist/** -diff linguist-generated\n").is_none());
        assert!(dist_not_marked("*.png binary\n").is_some());
        assert!(dist_not_marked("").is_some());
    }
}
