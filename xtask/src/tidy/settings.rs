//! The names of settings belong to the binary: a library is told what the operator calls them.

use super::modules::Crate;
use super::{Finding, Source, has_word};

/// Where every setting stands, those of later builds, too.
const LIST: &str = ".env.example";

/// Whose settings have names.
const OWNERS: [&str; 2] = ["crates/guildhall/", "crates/guildhall-simulator/"];

/// String literals of libraries that name a setting. Their tests may: they are operators, too.
pub(super) fn named(sources: &[Source], crates: &[Crate]) -> Vec<Finding> {
    let list = sources.iter().filter(|source| source.path == LIST);
    let lines = list.flat_map(|list| list.text.lines());
    // `NAME=value`, also where it is commented out.
    let names = lines.filter_map(|line| Some(line.trim_start_matches("# ").split_once('=')?.0));
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let settings: Vec<&str> = names.filter(is_name).collect();
    let is_library = |of: &&Crate| {
        let is_owner = OWNERS.iter().any(|owner| of.folder.starts_with(owner));
        of.folder.starts_with("crates/") && of.folder.ends_with("/src") && !is_owner
    };
    let mut findings = Vec::new();
    let libraries = crates.iter().filter(is_library);
    for module in libraries.flat_map(|of| of.modules.values()) {
        for (text, line) in &module.strings {
            if let Some(setting) = settings.iter().find(|setting| has_word(text, setting)) {
                let why = format!("a library does not know {setting}: let it be handed the name");
                findings.push(Finding::at(&module.file, *line, "named-setting", why));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{modules::crates, samples::source};
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        let list = "# A folder = a place\n# DATA_DIR=./data\nPORT=1\n";
        let sources = [source(LIST, list), source(path, text)];
        let findings = named(&sources, &crates(&sources));
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_setting_in_a_string_of_a_library_is_found() {
        let text =
            "fn f() {\n    g(\"choose another \\\n DATA_DIR\");\n}\nconst A: &str = \"PORT\";";
        assert_eq!(found("crates/a/src/lib.rs", text), [2, 5]);
    }

    #[test]
    fn its_owner_tests_and_prose_may_name_it() {
        let text = "const A: &str = \"DATA_DIR\";";
        assert!(found("crates/guildhall/src/main.rs", text).is_empty());
        for text in [
            "/// In `DATA_DIR`.\nstruct PORT;",
            "const A: &str = \"DATA_DIRS\";",
            "#[cfg(test)]\nconst A: &str = \"DATA_DIR\";",
        ] {
            assert!(found("crates/a/src/lib.rs", text).is_empty(), "{text}");
        }
    }
}
