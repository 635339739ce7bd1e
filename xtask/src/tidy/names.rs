//! Names of types, modules and files: each type's name once, and none of those that only we know.

use std::collections::BTreeMap;

use super::modules::{Crate, TypeName};
use super::{Finding, Source};

/// Words of our own for what has a name in the field, with that name.
const BANNED: &[(&str, &str)] = &[
    ("adrift", "detached"),
    ("attendance", "a stream's registration"),
    ("book", "a checker"),
    ("course", "a reconnect policy"),
    ("door", "opening, or what is entered by it"),
    ("feed", "a buffer, updates, or an inbox"),
    ("keeper", "the sequencer"),
    ("life", "a simulation run"),
    ("lives", "simulation tests"),
    ("narrow", "a selector"),
    ("seat", "a subscription"),
    ("seated", "subscribed"),
    ("seats", "subscriptions"),
    ("side", "a contender"),
    ("sight", "the visible rooms"),
    ("standing", "freshness, or what it is the state of"),
    ("turn", "a generation"),
];

/// Words that tell nothing by themselves; one of Discord's members may have left.
const BANNED_ALONE: &[(&str, &str)] = &[("at", "live"), ("left", "closed")];

/// Those of [`BANNED`] that have no other meaning here: no name, comment or string has them.
const BANNED_ANYWHERE: [&str; 4] = ["adrift", "attendance", "keeper", "seated"];

/// Each machine has its own, and each crate its settings.
const PER_MACHINE: [&str; 4] = ["Config", "Error", "Input", "Output"];

/// Programs that know none of our types: their names are counted apart.
const APART: [&str; 3] = ["crates/guildhall-simulator/", "lab/", "xtask/"];

/// Types of one name, of which at least one is known outside its module.
pub(super) fn doubled(crates: &[Crate]) -> Vec<Finding> {
    let mut all: BTreeMap<(&str, &str), Vec<(&str, &TypeName)>> = BTreeMap::new();
    // A test binary names things for itself.
    for of in crates.iter().filter(|of| of.folder.ends_with("src")) {
        let apart = APART.iter().find(|apart| of.folder.starts_with(**apart));
        for module in of.modules.values() {
            for name in &module.types {
                let key = (apart.copied().unwrap_or_default(), name.name.as_str());
                all.entry(key).or_default().push((&module.file, name));
            }
        }
    }
    all.retain(|(_, name), places| {
        places.len() > 1
            && places.iter().any(|(_, name)| name.is_public)
            && !PER_MACHINE.contains(name)
    });
    let mut findings = Vec::new();
    for ((_, name), places) in all {
        let sites: Vec<_> = places
            .iter()
            .map(|(file, name)| format!("{file}:{}", name.line))
            .collect();
        let (count, sites) = (sites.len(), sites.join(", "));
        findings.push(Finding {
            path: places[0].0.to_owned(),
            line: places[0].1.line,
            rule: "doubled-name",
            why: format!("`{name}` names {count} types: {sites}"),
        });
    }
    findings
}

/// Types, states and files, and anything in Rust, with a word that a newcomer cannot guess.
pub(super) fn banned(sources: &[Source], crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |path: &str, line: usize, name: &str| {
        if let Some((word, instead)) = banned_word(name, is_apart(path)) {
            findings.push(Finding {
                path: path.to_owned(),
                line,
                rule: "banned-name",
                why: format!("`{name}`: who never saw us cannot guess `{word}`; say {instead}"),
            });
        }
    };
    for source in sources.iter().filter(|source| source.is_rust()) {
        // Once per file or folder, however many files are in it.
        let own = source.path.strip_suffix("/main.rs").unwrap_or(&source.path);
        let own = own.rsplit('/').next().unwrap_or_default();
        find(&source.path, 1, own.trim_end_matches(".rs"));
    }
    for module in crates.iter().flat_map(|of| of.modules.values()) {
        for name in module.types.iter().chain(&module.variants) {
            find(&module.file, name.line, &name.name);
        }
    }
    let excused = |it: &&Source| it.path.starts_with(APART[0]) || it.is_tidy_itself();
    for source in sources.iter().filter(|it| it.is_rust() && !excused(it)) {
        for (line, text) in source.lines() {
            let names = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let anywhere = |word: String| BANNED_ANYWHERE.contains(&word.as_str());
            for name in names.filter(|name| words(name).any(anywhere)) {
                find(&source.path, line, name);
            }
        }
    }
    findings.sort_by(|left, right| (&left.path, left.line).cmp(&(&right.path, right.line)));
    findings.dedup();
    findings
}

fn is_apart(path: &str) -> bool {
    APART.iter().any(|apart| path.starts_with(apart))
}

fn banned_word(name: &str, apart: bool) -> Option<(&'static str, &'static str)> {
    let is_all = |(banned, _): &&(&str, &str)| !apart && banned.eq_ignore_ascii_case(name);
    let is_part = |(banned, _): &&(&str, &str)| words(name).any(|word| word == *banned);
    let alone = BANNED_ALONE.iter().find(is_all);
    alone.or_else(|| BANNED.iter().find(is_part)).copied()
}

/// `KeeperExit` and `keeper_exit` are `keeper`, `exit`.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut spaced = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            spaced.push('_');
        }
        spaced.extend(letter.to_lowercase());
    }
    spaced
        .split('_')
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::super::{modules::crates, samples::source};
    use super::*;

    fn doubled_in(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files
            .iter()
            .map(|(path, text)| source(path, text))
            .collect();
        let findings = doubled(&crates(&sources));
        findings.into_iter().map(|finding| finding.why).collect()
    }

    const ONE: (&str, &str) = ("crates/a/src/lib.rs", "pub struct Watch;");

    #[test]
    fn a_second_type_of_a_name_is_found_across_crates_and_kinds() {
        let other = ("crates/b/src/lib.rs", "\nenum Watch { A }");
        let why = "`Watch` names 2 types: crates/a/src/lib.rs:1, crates/b/src/lib.rs:2";
        assert_eq!(doubled_in(&[ONE, other]), [why]);
        for text in ["pub(crate) trait Watch {}", "mod m { type Watch = u8; }"] {
            assert_eq!(doubled_in(&[ONE, ("b/src/main.rs", text)]).len(), 1);
        }
    }

    #[test]
    fn a_name_may_stand_twice_where_nobody_can_take_one_for_the_other() {
        let b = "crates/b/src/lib.rs";
        for (path, text) in [
            ("crates/guildhall-simulator/src/lib.rs", "pub struct Watch;"),
            ("lab/src/lib.rs", "pub struct Watch;"),
            ("crates/b/tests/it/main.rs", "struct Watch;"),
            (b, "#[cfg(test)] mod tests { struct Watch; }"),
            (b, "impl Iterator for B { type Watch = u8; }"),
            (b, "pub fn watch() -> Watch { struct Watch; }"),
        ] {
            let found = doubled_in(&[ONE, (path, text)]);
            assert!(found.is_empty(), "{path}: {text}");
        }
        let private = ("crates/a/src/lib.rs", "struct Row; pub enum Input {}");
        let machine = ("crates/b/src/lib.rs", "struct Row; pub enum Input {}");
        assert!(doubled_in(&[private, machine]).is_empty());
    }

    fn banned_in(path: &str, text: &str) -> Vec<usize> {
        let sources = [source(path, text)];
        let findings = banned(&sources, &crates(&sources));
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn banned_words_are_found_in_types_states_and_files() {
        let text =
            "pub struct KeeperExit;\nenum Place {\n    #[x] Adrift { at: u8 },\n    Door(u8),\n}";
        assert_eq!(banned_in("a/src/lib.rs", text), [1, 3, 4]);
        assert_eq!(banned_in("crates/a/src/keeper_exit.rs", ""), [1]);
        assert_eq!(banned_in("crates/a/tests/lives/main.rs", ""), [1]);
        let alone = "enum Place {\nAt(u8),\nLeft }";
        assert_eq!(banned_in("a/src/lib.rs", alone), [2, 3]);
        let fields = "struct A {\nkeeper: u8 }\nfn f() { let x = g.attendance_of(1); }";
        assert_eq!(banned_in("a/src/lib.rs", fields), [2, 3]);
        let prose = "// the Keeper's\nfn f() {\n\"is seated\"; } // `adrift`";
        assert_eq!(banned_in("a/src/lib.rs", prose), [1, 3, 3]);
    }

    #[test]
    fn words_of_other_meanings_and_parts_of_words_are_not_banned() {
        let text = "// the sea's course\nstruct Returned; fn turn(side: u8) { \"life\"; }";
        assert!(banned_in("a/src/lib.rs", text).is_empty());
        assert!(banned_in("a/src/lib.rs", "struct VoiceLeft;").is_empty());
        let person = "fn ban(keeper: u8) {}";
        assert!(banned_in("crates/guildhall-simulator/tests/it/ban.rs", person).is_empty());
        assert!(banned_in("crates/a/src/return_to.rs", "").is_empty());
        assert!(banned_in("docs/keeper.md", "").is_empty());
    }
}
