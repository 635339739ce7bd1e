//! No circle between sibling modules: inside a crate, too, the road goes one way.
//!
//! An import counts for where the item lives, and for each module that passes it on. So neither a
//! parent's `pub(crate) use` nor a facade hides an edge; nor does what a parent defines, such as an
//! alias or a wrapper: who names it names what is in it. What a parent and its own child know of
//! each other is no circle: they are one thing in two files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Finding;
use super::modules::{Crate, ModulePath};

/// `pub use` upon `pub use`: deeper than this is a circle of names, which does not compile.
const PASSED_ON_AT_MOST: usize = 8;

pub(super) fn check(crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for of in crates {
        for mut siblings in of.siblings().into_values() {
            while let Some((from, to)) = siblings.on_circle() {
                findings.push(siblings.finding(&from, &to));
                siblings.edges.remove(&(from, to));
            }
        }
    }
    findings
}

/// Sibling modules below one parent: who names whom, and where that stands first.
#[derive(Default)]
struct Siblings {
    edges: BTreeMap<(String, String), (String, usize)>,
}

/// Where a path of the module `origin` leads.
#[derive(Default)]
struct Trail<'a> {
    origin: &'a [String],
    led: BTreeSet<ModulePath>,
    /// Items of its parents whose own paths were followed.
    opened: BTreeSet<ModulePath>,
}

impl Crate {
    /// The sibling modules below each module of the crate.
    fn siblings(&self) -> BTreeMap<ModulePath, Siblings> {
        let mut all: BTreeMap<ModulePath, Siblings> = BTreeMap::new();
        for (from, module) in &self.modules {
            for (path, line) in &module.paths {
                let mut trail = Trail {
                    origin: from,
                    ..Trail::default()
                };
                self.follow(from, path, PASSED_ON_AT_MOST, &mut trail);
                for to in trail.led {
                    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                    let (Some(one), Some(other)) = (from.get(common), to.get(common)) else {
                        continue;
                    };
                    let siblings = all.entry(from[..common].to_vec()).or_default();
                    let edge = siblings.edges.entry((one.clone(), other.clone()));
                    edge.or_insert_with(|| (module.file.clone(), *line));
                }
            }
        }
        all
    }

    /// Where a path leads from a module: each module that passes it on, and where it ends.
    fn follow(
        &self,
        from: &[String],
        path: &[String],
        passed_on_at_most: usize,
        trail: &mut Trail<'_>,
    ) {
        let Some(left) = passed_on_at_most.checked_sub(1) else {
            return;
        };
        let (mut at, words) = beginning(from, path);
        for (index, word) in words.iter().enumerate() {
            let Some(module) = self.modules.get(&at) else {
                return;
            };
            let is_last = index + 1 == words.len();
            let child = [at.as_slice(), std::slice::from_ref(word)].concat();
            let item = module.items.get(word);
            if self.modules.contains_key(&child) && !(is_last && item.is_some()) {
                at = child;
                continue;
            }
            if let Some(paths) = item {
                let is_of_parent = at.len() < trail.origin.len() && trail.origin.starts_with(&at);
                if is_of_parent && trail.opened.insert(child) {
                    for path in paths.iter().filter(|path| !self.is_module(&at, path)) {
                        self.follow(&at, path, left, trail);
                    }
                }
            } else {
                for import in &module.imports {
                    let passes_on = match &import.name {
                        Some(name) => name == word,
                        None => self.knows(&at, &import.path, word),
                    };
                    if passes_on {
                        let behind = &words[index + usize::from(import.name.is_some())..];
                        self.follow(&at, &[&import.path, behind].concat(), left, trail);
                    }
                }
            }
            break;
        }
        trail.led.insert(at);
    }

    /// Whether a path is the one word by which a module calls its child: nothing is used by that.
    fn is_module(&self, at: &[String], path: &[String]) -> bool {
        path.len() == 1 && self.modules.contains_key(&[at, path].concat())
    }

    /// Whether the module at `path` defines or imports the word.
    fn knows(&self, from: &[String], path: &[String], word: &str) -> bool {
        let (mut at, words) = beginning(from, path);
        at.extend_from_slice(words);
        let Some(module) = self.modules.get(&at) else {
            return false;
        };
        let mut imports = module
            .imports
            .iter()
            .filter_map(|import| import.name.as_deref());
        at.push(word.to_owned());
        let is_child = self.modules.contains_key(&at);
        is_child || module.items.contains_key(word) || imports.any(|name| name == word)
    }
}

/// The module that `crate`, `self` and `super` mean, and the words behind.
fn beginning<'a>(from: &[String], path: &'a [String]) -> (ModulePath, &'a [String]) {
    let mut at = from.to_vec();
    let mut words = path;
    while let [word, rest @ ..] = words {
        match word.as_str() {
            "crate" => at.clear(),
            "super" => drop(at.pop()),
            "self" => {}
            _ => break,
        }
        words = rest;
    }
    (at, words)
}

impl Siblings {
    fn on_circle(&self) -> Option<(String, String)> {
        let mut edges = self.edges.keys();
        let edge = edges.find(|(from, to)| !self.way(to, from).is_empty());
        edge.cloned()
    }

    /// The shortest circle through an edge.
    fn finding(&self, from: &str, to: &str) -> Finding {
        let site = |from: &str, to: &str| &self.edges[&(from.to_owned(), to.to_owned())];
        let circle = [vec![from], self.way(to, from)].concat();
        let edges = circle.windows(2).map(|edge| {
            let (file, line) = site(edge[0], edge[1]);
            format!("{} -> {} ({file}:{line})", edge[0], edge[1])
        });
        let edges: Vec<String> = edges.collect();
        let (path, line) = site(from, to);
        let why = format!("modules import downwards only: {}", edges.join(", "));
        Finding::at(path, *line, "circle", why)
    }

    /// The shortest way from one to another, both with it, or nothing.
    fn way<'a>(&'a self, from: &'a str, to: &str) -> Vec<&'a str> {
        let mut came_from = BTreeMap::from([(from, from)]);
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            if at == to {
                let mut way = vec![at];
                while let Some(last) = way.last().copied()
                    && last != from
                {
                    way.push(came_from[last]);
                }
                way.reverse();
                return way;
            }
            for (next, to) in self.edges.keys() {
                if next == at && !came_from.contains_key(to.as_str()) {
                    came_from.insert(to, at);
                    queue.push_back(to);
                }
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{modules, samples::source};
    use super::*;

    /// A crate of `lib.rs`, `a.rs`, `b.rs`, `c.rs` and what else is named.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = [("lib.rs", "mod a; mod b; mod c;")]
            .iter()
            .filter(|(name, _)| files.iter().all(|(other, _)| other != name))
            .chain(files)
            .map(|(name, text)| source(&format!("k/src/{name}"), text))
            .collect();
        let findings = check(&modules::crates(&sources));
        findings.into_iter().map(|finding| finding.why).collect()
    }

    const A_NAMES_B: (&str, &str) = ("a.rs", "use crate::b::B;\npub struct A;");

    #[test]
    fn two_siblings_that_name_each_other_are_found_with_each_place() {
        assert_eq!(
            found(&[A_NAMES_B, ("b.rs", "\npub struct B(super::a::A);")]),
            ["modules import downwards only: a -> b (k/src/a.rs:1), b -> a (k/src/b.rs:2)"]
        );
        assert!(found(&[A_NAMES_B, ("b.rs", "pub struct B;")]).is_empty());
    }

    #[test]
    fn the_ways_to_name_a_sibling_are_all_seen() {
        for b in [
            "use crate::{a::{A, X as _}, c};",
            "use crate::{\n c,\n a,\n};",
            "pub use super::a::*;",
            "mod inner { use super::super::a::A; }",
            "mod inner { use crate::c; fn f() { super::super::a::f::<u8>(); } }",
            "use crate as root; type T = root::a::A;",
            "use super::*; type T = a::A;",
            "fn f() { assert!(crate::a::is(1), \"a\"); }",
            "macro_rules! m { () => { $crate::a::A } }",
            "#[cfg(not(test))] use crate::a::A;",
            "impl<'a> From<&'a crate::a::A> for B {}",
            "struct B { #[serde(default, with = \"crate::a::hex\")] x: u8 }",
        ] {
            assert_eq!(found(&[A_NAMES_B, ("b.rs", b)]).len(), 1, "{b}");
        }
    }

    #[test]
    fn what_names_no_sibling_is_none() {
        for b in [
            "// use crate::a::A;\nconst B: &str = \"crate::a::A\";",
            "#[cfg(test)] mod tests { use crate::a::A; }",
            "#[cfg(test)] use crate::a::{A};\nstruct B;",
            "#[cfg(all(test, unix))] fn f() { crate::a::f() }",
            "struct B { #[cfg(test)] x: crate::a::A, y: u8 }",
            "use a::A; use other::a;",
            "fn f(a: u8) -> u8 { self::g(a).a }",
            "mod a { pub struct A; } use a::A; use self::a::A as C;",
        ] {
            assert!(found(&[A_NAMES_B, ("b.rs", b)]).is_empty(), "{b}");
        }
    }

    #[test]
    fn passing_an_item_on_hides_no_edge() {
        let b = ("b.rs", "use crate::a::A; pub struct B;");
        for passed_on in ["pub(crate) use b::B", "pub use self::b::B as D", "use b::*"] {
            let lib = format!("mod a; mod b; {passed_on};");
            for a in [
                "use crate::B;",
                "use super::{D as X};",
                "struct S(crate::B);",
            ] {
                let a = &format!("{a} pub struct A;");
                let is_named = passed_on.contains("as D") == a.contains("D as");
                let found = found(&[("lib.rs", &lib), ("a.rs", a), b]);
                assert_eq!(found.len(), usize::from(is_named), "{passed_on} {a}");
            }
        }
        let facade = ("c.rs", "pub use crate::b::*;");
        let a = ("a.rs", "use crate::c; pub struct A(c::B);");
        assert_eq!(
            found(&[a, b, facade]).len(),
            2,
            "to b, and to c which names b"
        );
    }

    #[test]
    fn what_a_parent_makes_of_an_item_hides_no_edge() {
        let b = ("b.rs", "use crate::a::A; pub struct B;");
        for (lib, a) in [
            ("type X = b::B;", "use crate::X; pub struct A;"),
            (
                "use b::B; type X = B; type Y = X;",
                "pub struct A(super::Y);",
            ),
            ("fn f() { b::f() }", "pub struct A; fn g() { crate::f() }"),
            ("pub const N: u8 = b::N;", "pub struct A([u8; crate::N]);"),
        ] {
            let lib = format!("mod a; mod b; {lib}");
            assert_eq!(found(&[("lib.rs", &lib), ("a.rs", a), b]).len(), 1, "{lib}");
        }
        let lib = "mod a; mod b; pub struct All(a::A, b::B); fn f(b: u8) -> u8 { b }";
        let a = (
            "a.rs",
            "pub struct A; impl crate::All { fn g() { crate::f(1) } }",
        );
        assert!(found(&[("lib.rs", lib), a, b]).is_empty());
    }

    #[test]
    fn binaries_and_examples_are_crates_too() {
        for root in "examples/e.rs src/bin/e.rs src/bin/e/main.rs tests/e.rs".split(' ') {
            let text = "mod a { use crate::b::B; } mod b { use crate::a::A; }";
            let inside = [source(&format!("crates/k/{root}"), text)];
            assert_eq!(check(&modules::crates(&inside)).len(), 1, "{root}");
        }
    }

    #[test]
    fn a_circle_of_three_and_one_deep_below_are_found() {
        let c = ("c.rs", "use crate::a::A;");
        let three = found(&[A_NAMES_B, ("b.rs", "use crate::c;"), c]);
        assert_eq!(three.len(), 1);
        assert!(three[0].contains("a -> b") && three[0].contains("c -> a"));

        let deep = found(&[
            ("a.rs", "mod x; mod y; pub(super) use y::Y;"),
            ("a/x.rs", "pub(crate) mod z;"),
            ("a/x/z.rs", "use crate::a::Y; pub struct Z;"),
            ("a/y.rs", "use super::x::z::Z; pub struct Y;"),
        ]);
        assert_eq!(deep.len(), 1);
        assert!(deep[0].contains("x -> y (k/src/a/x/z.rs:1)"), "{deep:?}");
    }

    #[test]
    fn a_module_and_what_is_beneath_it_are_one() {
        let child = ("a/x.rs", "use super::A; use crate::a::f;");
        assert!(found(&[("a.rs", "mod x; use x::X; pub struct A; fn f() {}"), child]).is_empty());
    }
}
