//! How tests are written: none is skipped, and none waits for a time to pass.

use super::words::in_rust;
use super::{Finding, Source, has_word};

const PROVES_NOTHING: &str = "a test that does not run proves nothing: repair it or take it out";

pub(super) fn ignored_test(source: &Source) -> Vec<Finding> {
    in_rust(source, "ignored-test", &["#[ignore"], PROVES_NOTHING)
}

/// The ways in which the page's test runner leaves tests out.
const SKIPS: &[&str] = &[
    "it.skip(",
    "test.skip(",
    "describe.skip(",
    "it.only(",
    "test.only(",
    "describe.only(",
    "it.todo(",
    "test.todo(",
    "it.skipIf(",
    "test.skipIf(",
    "xit(",
    "xdescribe(",
];

pub(super) fn skipped_test(source: &Source) -> Vec<Finding> {
    if !source.is_script() {
        return Vec::new();
    }
    source
        .code()
        .filter(|(_, line)| SKIPS.iter().any(|skip| has_word(line, skip)))
        .map(|(number, _)| source.finding(number, "skipped-test", PROVES_NOTHING))
        .collect()
}

/// Words that let a test wait for time instead of for what it expects.
const SLEEPS: &[&str] = &["sleep(", "waitForTimeout("];

const WHY_NOT_SLEEP: &str =
    "await the condition or the event under a time limit: a sleep is slow and still guesses";

/// What stands behind a socket cannot be awaited, only looked at again under a
/// time limit; these files have the one function each that does it for all
/// tests beside them.
const LOOK_AGAIN: [&str; 2] = [
    "crates/guildhall/tests/it/house.rs",
    "crates/guildhall-simulator/tests/it/house.rs",
];

pub(super) fn sleeping_test(source: &Source) -> Vec<Finding> {
    if source.is_tidy_itself() || LOOK_AGAIN.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let begin = first_test_line(source);
    source
        .code()
        .filter(|(number, _)| begin.is_some_and(|begin| *number >= begin))
        .filter(|(_, line)| SLEEPS.iter().any(|sleep| has_word(line, sleep)))
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
    if !source.is_rust() {
        return None;
    }
    let mut lines = source.lines().peekable();
    while let Some((number, line)) = lines.next() {
        let opens_module = lines
            .peek()
            .is_some_and(|(_, next)| next.starts_with("mod ") && next.ends_with('{'));
        if line == "#[cfg(test)]" && opens_module {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::samples::lines;
    use super::*;

    #[test]
    fn ignored_tests_are_found() {
        assert_eq!(lines(ignored_test, "a.rs", "#[test]\n#[ignore]"), [2]);
        assert_eq!(lines(ignored_test, "a.rs", "#[ignore = \"slow\"]"), [1]);
        assert!(lines(ignored_test, "a.rs", "#[test]").is_empty());
    }

    #[test]
    fn skipped_tests_of_the_page_are_found() {
        assert_eq!(lines(skipped_test, "a.test.ts", "it.skip('a', b)"), [1]);
        assert_eq!(lines(skipped_test, "a.test.tsx", "describe.only(a)"), [1]);
        assert!(lines(skipped_test, "a.test.ts", "it('a', b)").is_empty());
        assert!(lines(skipped_test, "a.rs", "iterator.skip(1)").is_empty());
        assert!(lines(skipped_test, "a.ts", "process.exit(1)").is_empty());
    }

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
