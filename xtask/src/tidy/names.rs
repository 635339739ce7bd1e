//! Names of types, modules and files: each type's name once, and none of those that only we know.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::modules::{Crate, DEFINES_TYPE, TypeName};
use super::{Finding, Source};

/// Words of our own for what has a name in the field, with that name.
const BANNED: &[(&str, &str, Scope)] = &[
    ("adrift", "detached", Scope::Text),
    ("attendance", "a stream's registration", Scope::Text),
    ("book", "a checker", Scope::Types),
    ("course", "a reconnect policy", Scope::Text),
    ("door", "opening, or what is entered by it", Scope::Text),
    ("feed", "a buffer, updates, or an inbox", Scope::Types),
    ("keeper", "the sequencer", Scope::Text),
    ("life", "a simulation run", Scope::Types),
    ("lives", "simulation tests", Scope::Code),
    ("narrow", "a selector", Scope::Text),
    ("seated", "subscribed", Scope::Text),
    ("side", "a contender", Scope::Types),
    ("sight", "the visible rooms", Scope::Text),
    ("standing", "freshness, or whose state it is", Scope::Types),
    ("turn", "a generation", Scope::Types),
];

/// Where a word is banned: the more meanings it has, the fewer the places.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// Names of types, states, files and modules.
    Types,
    /// Every name.
    Code,
    /// Comments and strings, too.
    Text,
}

/// Words that tell nothing by themselves; one of Discord's members may have left.
const BANNED_ALONE: &[(&str, &str)] = &[("at", "live"), ("left", "closed")];

/// Names of files, folders and modules that tell nothing about what is inside.
const VAGUE: [&str; 11] = [
    "common", "helper", "helpers", "manager", "managers", "misc", "service", "services", "types",
    "util", "utils",
];

/// Each machine has its own, and each crate its settings.
const PER_MACHINE: [&str; 4] = ["Config", "Error", "Input", "Output"];

/// Programs that know none of our types: their names are counted apart.
const APART: [&str; 3] = ["crates/guildhall-simulator/", "lab/", "xtask/"];

/// Types of one name, of which at least one is known outside its module. Those of tests and those
/// inside functions are not counted: nobody can import them, and they stand where they are used.
pub(super) fn doubled(crates: &[Crate]) -> Vec<Finding> {
    let mut all: BTreeMap<(&str, &str), Vec<(&str, &TypeName)>> = BTreeMap::new();
    // A test binary names things for itself.
    let in_src = |of: &&Crate| of.folder.split('/').any(|part| part == "src");
    for of in crates.iter().filter(in_src) {
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
        let sites = places
            .iter()
            .map(|(file, name)| format!("{file}:{}", name.line));
        let sites: Vec<_> = sites.collect();
        let (count, sites) = (sites.len(), sites.join(", "));
        let why = format!("`{name}` names {count} types: {sites}");
        let (path, first) = places[0];
        findings.push(Finding::at(path, first.line, "doubled-name", why));
    }
    findings
}

/// Types, states and files, and anything in Rust, with a word that a newcomer cannot guess.
pub(super) fn banned(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |path: &str, line: usize, name: &str, scope: Scope| {
        if let Some((word, instead)) = banned_word(name, scope, path) {
            let why = format!("`{name}`: who never saw us cannot guess `{word}`; say {instead}");
            findings.push(Finding::at(path, line, "banned-name", why));
        }
    };
    let is_code = |source: &&Source| source.is_rust() || source.is_script();
    for source in sources.iter().filter(is_code) {
        for part in source.path.split('/') {
            let stem = part.split('.').next().unwrap_or(part);
            find(&source.path, 1, stem, Scope::Types);
        }
        if !source.is_rust() {
            continue;
        }
        let is_excused = source.path.starts_with(APART[0]) || source.is_tidy_itself();
        let mut code = Vec::new();
        names_in(source.text.parse().unwrap_or_default(), false, &mut code);
        for (line, name, scope) in code {
            if scope == Scope::Types || !is_excused {
                find(&source.path, line, &name, scope);
            }
        }
        for (line, text) in source.lines().filter(|_| !is_excused) {
            let names = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            names.for_each(|name| find(&source.path, line, name, Scope::Text));
        }
    }
    findings.sort_by(|left, right| (&left.path, left.line).cmp(&(&right.path, right.line)));
    findings.dedup();
    findings
}

/// The word in a name, and what to say instead.
fn banned_word(name: &str, scope: Scope, path: &str) -> Option<(&'static str, &'static str)> {
    let words = words(name);
    let part = BANNED.iter().find(|(banned, _, within)| {
        *within >= scope && words.split('_').any(|word| word == *banned)
    });
    if let Some((word, instead, _)) = part {
        return Some((word, instead));
    }
    let is_apart = APART.iter().any(|apart| path.starts_with(apart));
    let alone = |(word, _): &&(&str, &str)| !is_apart && word.eq_ignore_ascii_case(name);
    let vague = VAGUE.iter().find(|word| **word == name);
    let vague = vague.map(|word| (*word, "what is in it"));
    let found = BANNED_ALONE.iter().find(alone).copied().or(vague);
    found.filter(|_| scope == Scope::Types)
}

/// `KeeperExit` and `KEEPER_EXIT` as `keeper_exit`.
fn words(name: &str) -> String {
    let mut spaced = String::new();
    let mut before = '_';
    for letter in name.chars() {
        if letter.is_uppercase() && !before.is_uppercase() {
            spaced.push('_');
        }
        spaced.extend(letter.to_lowercase());
        before = letter;
    }
    spaced
}

/// All names in code: types, modules and variants wherever they stand, and others.
fn names_in(tokens: TokenStream, is_enum: bool, found: &mut Vec<(usize, String, Scope)>) {
    let (mut is_name, mut enum_follows) = (is_enum, false);
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let is_body = group.delimiter() == Delimiter::Brace;
                names_in(group.stream(), enum_follows && is_body, found);
                enum_follows &= !is_body;
            }
            TokenTree::Ident(word) => {
                let scope = if is_name { Scope::Types } else { Scope::Code };
                let (line, name) = (word.span().start().line, word.to_string());
                enum_follows |= name == "enum";
                is_name = is_enum || name == "mod" || DEFINES_TYPE.contains(&name.as_str());
                found.push((line, name, scope));
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => is_name = is_enum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{modules::crates, samples::source};
    use super::*;

    fn doubled_in(files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(path, text)| source(path, text));
        let findings = doubled(&crates(&sources.collect::<Vec<_>>()));
        findings.into_iter().map(|finding| finding.why).collect()
    }

    const ONE: (&str, &str) = ("crates/a/src/lib.rs", "pub struct Watch;");

    #[test]
    fn a_second_type_of_a_name_is_found_across_crates_and_kinds() {
        let other = ("crates/b/src/lib.rs", "\nenum Watch { A }");
        let why = "`Watch` names 2 types: crates/a/src/lib.rs:1, crates/b/src/lib.rs:2";
        assert_eq!(doubled_in(&[ONE, other]), [why]);
        let made = "macro_rules! id { ($name:ident) => { pub struct $name; } }\nid! { Watch }";
        for text in [
            "pub(crate) trait Watch {}",
            "mod m { type Watch = u8; }",
            made,
        ] {
            let found = doubled_in(&[ONE, ("b/src/bin/b.rs", text)]);
            assert_eq!(found.len(), 1, "{text}");
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
        let findings = banned(&[source(path, text)]);
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn banned_words_are_found_in_types_states_and_files() {
        let text =
            "pub struct KeeperExit;\nenum Place {\n    #[x] Adrift { at: u8 },\n    Door(u8),\n}";
        assert_eq!(banned_in("a/src/lib.rs", text), [1, 3, 4]);
        assert_eq!(banned_in("crates/a/src/keeper_exit.rs", ""), [1]);
        assert_eq!(banned_in("crates/a/tests/lives/main.rs", ""), [1]);
        for path in "crates/a/src/utils/text.rs ui/src/types.ts ui/helpers.test.ts".split(' ') {
            assert_eq!(banned_in(path, ""), [1]);
        }
        assert_eq!(banned_in("a/src/lib.rs", "mod common {}"), [1]);
        let alone = "enum Place {\nAt(u8),\nLeft }";
        assert_eq!(banned_in("a/src/lib.rs", alone), [2, 3]);
        let fields = "struct A {\nkeeper: u8 }\nfn f() { let x = g.attendance_of(1); }";
        assert_eq!(banned_in("a/src/lib.rs", fields), [2, 3]);
        let hidden = "#[cfg(test)]\nmod tests { enum Feed { A } }\nfn f() { struct NewLife; }\n\
                      mod turn {}\nconst LIVES_MAX: u8 = 1;\nconst A_KEEPER: u8 = 1;";
        assert_eq!(banned_in("a/src/lib.rs", hidden), [2, 3, 4, 5, 6]);
        let prose = "// the Keeper's\nfn f() {\n\"is seated\"; } // `adrift`";
        assert_eq!(banned_in("a/src/lib.rs", prose), [1, 3, 3]);
    }

    #[test]
    fn words_of_other_meanings_and_parts_of_words_are_not_banned() {
        let text = "// where it lives\nstruct Returned; fn turn(side: u8) { \"life\"; }";
        for (path, text) in [
            ("a/src/lib.rs", text),
            ("a/src/lib.rs", "struct VoiceLeft;"),
            (
                "crates/guildhall-simulator/tests/it/ban.rs",
                "fn ban(keeper: u8) {}",
            ),
            ("crates/a/src/return_to.rs", ""),
            ("docs/keeper/service.md", ""),
            ("crates/a/src/prototypes.rs", ""),
        ] {
            assert!(banned_in(path, text).is_empty(), "{path}: {text}");
        }
    }
}
