//! No test waits for a time to pass.

use super::{Finding, Source, has_word};

/// Words that let a test wait for time instead of for what it expects.
const SLEEPS: &[&str] = &["sleep(", "waitForTimeout("];

const WHY_NOT_SLEEP: &str =
    "await the condition or the event under a time limit: a sleep is slow and still guesses";

/// What is behind a socket can only be looked at again under a time limit: each has a function for it.
const LOOK_AGAIN: [&str; 2] = [
    "crates/guildhall/tests/it/house.rs",
    "crates/guildhall-simulator/tests/it/house.rs",
];

pub(super) fn sleeping_test(source: &Source) -> Vec<Finding> {
    if source.is_tidy_itself() || LOOK_AGAIN.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let begin = first_test_line(source);
    let tests = source
        .lines()
        .filter(|(number, _)| begin.is_some_and(|begin| *number >= begin));
    let code = tests.filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.filter(|(_, line)| SLEEPS.iter().any(|sleep| has_word(line, sleep)))
        .map(|(number, _)| source.finding(number, "sleeping-test", WHY_NOT_SLEEP))
        .collect()
}

/// Where the tests of a file begin, if it has any.
fn first_test_line(source: &Source) -> Option<usize> {
    let whole_file = source
        .path
        .split('/')
        .any(|part| part == "tests" || part == "tests.rs" || part.contains(".test."));
    if whole_file && (source.is_rust() || source.is_script()) {
        return Some(1);
    }
    let module = source.text.find("\n#[cfg(test)]\nmod tests {");
    let before = &source.text[..module.filter(|_| source.is_rust())?];
    Some(before.lines().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::super::samples::lines;
    use super::*;

    #[test]
    fn sleeps_are_found_in_test_files_and_test_modules_only() {
        let bad = "thread::sleep(SECOND);";
        assert_eq!(lines(sleeping_test, "crates/a/src/b/tests.rs", bad), [1]);
        assert_eq!(lines(sleeping_test, "crates/a/tests/it/b.rs", bad), [1]);
        assert!(lines(sleeping_test, LOOK_AGAIN[0], bad).is_empty());
        let page = "await page.waitForTimeout(9)";
        assert_eq!(lines(sleeping_test, "tests/browser/a.mjs", page), [1]);
        assert!(lines(sleeping_test, "crates/a/src/b.rs", bad).is_empty());

        let product = "fn a() {\n    sleep(b);\n}\n";
        let module = format!("{product}#[cfg(test)]\nmod tests {{\n    sleep(c);\n}}\n");
        assert_eq!(lines(sleeping_test, "crates/a/src/b.rs", &module), [6]);
    }

    #[test]
    fn a_machine_that_sleeps_by_deadline_may_be_tested() {
        let good = "sleep_to(machine.deadline());\ntime::advance(SECOND).await;";
        assert!(lines(sleeping_test, "crates/a/tests/it/b.rs", good).is_empty());
    }
}
