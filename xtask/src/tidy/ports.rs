//! Whoever needs something of the outside is handed a port; its adapter one file of the binary knows.

use super::Finding;
use super::modules::{Crate, Import};

/// The crates that make adapters.
const MAKERS: [&str; 2] = ["crates/guildhall-ports/src", "crates/guildhall-stores/src"];

/// Who puts them behind the ports.
const CHOOSER: &str = "crates/guildhall/src/adapters.rs";

/// Product code that names an adapter, or the module of those in memory, by whatever path.
pub(super) fn bypassed(crates: &[Crate]) -> Vec<Finding> {
    let is_maker = |of: &&Crate| MAKERS.contains(&&*of.folder);
    let makers = crates.iter().filter(is_maker);
    let made = makers.flat_map(|of| of.modules.values());
    let made = made.filter(|it| !it.file.starts_with(MAKERS[0]) || it.file.contains("/memory"));
    let types = made.flat_map(|it| &it.types).filter(|it| it.is_public);
    let mut names: Vec<&str> = types.map(|it| it.name.as_str()).collect();
    // The clock stands beside its port.
    names.extend(["memory", "sqlite", "SystemClock"]);
    // By what other names its makers and its chooser pass one on.
    let modules = crates.iter().flat_map(|of| of.modules.values());
    let passes_on = |file: &str| file == CHOOSER || MAKERS.iter().any(|it| file.starts_with(it));
    let imports = modules
        .filter(|module| passes_on(&module.file))
        .flat_map(|it| &it.imports);
    let called = imports.filter(|it| it.path.iter().any(|word| names.contains(&&**word)));
    let renamed = |it: &&Import| it.name.is_some() && it.name.as_ref() != it.path.last();
    let others: Vec<&str> = called
        .filter(renamed)
        .filter_map(|it| it.name.as_deref())
        .collect();
    names.extend(others);
    let is_product = |of: &&Crate| {
        let outside = ["tests", "examples", "simulator"];
        of.folder.starts_with("crates/") && !outside.iter().any(|it| of.folder.contains(it))
    };
    let users = crates.iter().filter(|of| is_product(of) && !is_maker(of));
    let modules = users.flat_map(|of| of.modules.values());
    let mut findings = Vec::new();
    for module in modules.filter(|module| module.file != CHOOSER) {
        for (path, line) in &module.paths {
            if let Some(name) = path.iter().find(|word| names.contains(&word.as_str())) {
                let why = format!("`{name}` is behind a port: let the trait be handed in");
                findings.push(Finding::at(&module.file, *line, "port-bypass", why));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{modules::crates, samples::source};
    use super::*;

    #[test]
    fn an_adapter_is_named_by_its_makers_its_chooser_and_tests_alone() {
        let found = |path: &str, text: &str| {
            let sources = [
                source(
                    "crates/guildhall-ports/src/lib.rs",
                    "mod memory; use memory::Ram as R;",
                ),
                source("crates/guildhall-ports/src/memory.rs", "pub struct Ram;"),
                source("crates/guildhall/src/main.rs", "mod adapters;"),
                source(path, text),
            ];
            bypassed(&crates(&sources)).len()
        };
        let web = "crates/guildhall-web/src/lib.rs";
        for bypass in [
            "use guildhall_ports::memory::Ram;",
            "use guildhall_ports as p; fn f() { p::memory::of() }",
            "use other::*; struct A(Ram);",
            "fn f() -> guildhall_stores::sqlite::File {}",
            "use guildhall_ports::R;",
            "fn f() -> u64 { guildhall_ports::SystemClock.now() }",
        ] {
            assert!(found(web, bypass) > 0, "{bypass}");
            assert_eq!(found(CHOOSER, bypass), 0, "{bypass}");
            let tested = format!("#[cfg(test)] mod tests {{ {bypass} }}");
            assert!(found(web, &tested) == 0, "{bypass}");
        }
        assert_eq!(found(web, "use guildhall_ports::Bus; mod memory {}"), 0);
    }
}
