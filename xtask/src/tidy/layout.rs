//! How long a file may be.

use super::{Finding, Source};

/// Files of 80 to 400 lines read well; nothing may be longer than this.
const LINES_AT_MOST: usize = 600;

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
}
