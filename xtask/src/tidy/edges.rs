//! Who may depend on whom: the division into crates is for what it forbids.

use std::path::Path;

use super::{Finding, Source};
use crate::metadata::{Dependency, Metadata, Package};

/// Our crates, each with those of ours it may name.
const OURS: &str = "\
guildhall-model     | nothing of ours
guildhall-link      | guildhall-model
guildhall-ports     | guildhall-model
guildhall-http      | nothing of ours
guildhall-stores    | guildhall-model, guildhall-ports
guildhall-gateway   | guildhall-model, guildhall-link, guildhall-ports, guildhall-http
guildhall-web       | guildhall-model, guildhall-link, guildhall-ports, guildhall-http
guildhall-simulator | nothing of ours
guildhall           | guildhall-model, guildhall-link, guildhall-ports, guildhall-http, \
                      guildhall-stores, guildhall-gateway, guildhall-web, guildhall-simulator, lab
subprocess          | nothing of ours
lab                 | subprocess
xtask               | subprocess";

/// A dependency, with every `NAME-…`; the crates that may name it; those whose tests may; why.
const FENCES: &str = "\
lab      | | guildhall | the lab drives the product from outside; only tests share its client
twilight | | guildhall-simulator, guildhall-gateway | \
           the product speaks to Discord itself; tests have a witness that nobody here wrote
axum     | guildhall-http, guildhall-gateway, guildhall-web, guildhall-simulator, guildhall | | \
           only what listens for HTTP knows an HTTP server
tokio    | guildhall-ports, guildhall-http, guildhall-stores, guildhall-gateway, guildhall-web, \
           guildhall-simulator, guildhall, lab | | \
           model and link are pure: they are tested without a runtime, a socket or a clock
redis    | guildhall-stores | | a database is an adapter behind a port
sqlx     | guildhall-stores | | a database is an adapter behind a port
rusqlite | guildhall-stores | | a database is an adapter behind a port";

/// The row of a table that begins with a name for which it holds.
fn row(table: &'static str, holds: impl Fn(&str) -> bool) -> Option<Vec<&'static str>> {
    let mut rows = table
        .lines()
        .map(|line| line.split('|').map(str::trim).collect());
    rows.find(|cells: &Vec<&str>| holds(cells[0]))
}

fn lists(cell: &str, name: &str) -> bool {
    cell.split(", ").any(|listed| listed == name)
}

pub(super) fn check(metadata: &Metadata, root: &Path, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata.ours() {
        let is_manifest = |source: &&Source| root.join(&source.path) == package.manifest_path;
        for manifest in sources.iter().filter(is_manifest) {
            let unknown = unknown_crate(&package.name);
            findings.extend(unknown.map(|why| manifest.finding(1, "unknown-crate", why)));
            for (dependency, why) in forbidden_edges(package) {
                let mut lines = manifest.lines();
                let line = lines.find(|(_, line)| line.starts_with(dependency));
                let number = line.map_or(1, |(number, _)| number);
                findings.push(manifest.finding(number, "forbidden-edge", why));
            }
        }
    }
    findings
}

fn unknown_crate(name: &str) -> Option<String> {
    let known = row(OURS, |ours| ours == name).is_some();
    (!known).then(|| {
        format!("{name} is not in the table of crates: a new one needs a note in docs/decisions")
    })
}

fn forbidden_edges(package: &Package) -> Vec<(&str, String)> {
    let forbidden = package.dependencies.iter().filter_map(|dependency| {
        let why = wrong_room(&package.name, dependency)
            .or_else(|| over_the_fence(&package.name, dependency))?;
        Some((dependency.name.as_str(), why))
    });
    forbidden.collect()
}

fn wrong_room(package: &str, dependency: &Dependency) -> Option<String> {
    let to = dependency.name.as_str();
    if to == package {
        return None;
    }
    row(OURS, |ours| ours == to)?;
    let allowed = row(OURS, |ours| ours == package)?[1];
    (!lists(allowed, to)).then(|| format!("{package} may not know {to}, only {allowed}"))
}

fn over_the_fence(package: &str, dependency: &Dependency) -> Option<String> {
    let fence = row(FENCES, |name| {
        let rest = dependency.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })?;
    let in_tests = dependency.kind.as_deref() == Some("dev") && lists(fence[2], package);
    (!lists(fence[1], package) && !in_tests)
        .then(|| format!("{package} may not know {}: {}", dependency.name, fence[3]))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn is_forbidden(name: &str, dependency: &str, kind: Option<&str>) -> bool {
        let package = Package {
            id: name.to_owned(),
            name: name.to_owned(),
            manifest_path: PathBuf::new(),
            dependencies: vec![Dependency {
                name: dependency.to_owned(),
                kind: kind.map(str::to_owned),
            }],
            targets: Vec::new(),
        };
        !forbidden_edges(&package).is_empty()
    }

    #[test]
    fn edges_against_the_tables_are_found_in_tests_too_unless_those_are_listed() {
        let (plain, dev) = (None, Some("dev"));
        for (from, to, kind, forbidden) in [
            ("guildhall-model", "guildhall-link", plain, true),
            ("guildhall-web", "guildhall-gateway", plain, true),
            ("guildhall-web", "guildhall-link", plain, false),
            ("guildhall", "guildhall-web", plain, false),
            ("guildhall-simulator", "guildhall-model", plain, true),
            ("guildhall-simulator", "guildhall-model", dev, true),
            ("xtask", "guildhall", dev, true),
            ("lab", "guildhall-link", dev, true),
            ("lab", "subprocess", plain, false),
            ("xtask", "lab", plain, true),
            ("guildhall", "lab", plain, true),
            ("guildhall", "lab", dev, false),
            ("guildhall-gateway", "twilight-gateway", plain, true),
            ("guildhall-gateway", "twilight-gateway", dev, false),
            ("guildhall-web", "twilight-model", plain, true),
            ("guildhall-simulator", "twilight-gateway", plain, true),
            ("guildhall-simulator", "twilight-gateway", dev, false),
            ("guildhall-link", "tokio", plain, true),
            ("guildhall-model", "tokio-util", plain, true),
            ("guildhall-ports", "tokio", plain, false),
            ("lab", "tokio", plain, false),
            ("guildhall-ports", "axum", plain, true),
            ("guildhall-web", "redis", plain, true),
            ("guildhall-link", "tokiox", plain, false),
        ] {
            assert_eq!(is_forbidden(from, to, kind), forbidden, "{from} -> {to}");
        }
    }

    #[test]
    fn a_crate_outside_the_table_is_found() {
        assert!(unknown_crate("guildhall-extras").is_some());
        assert!(unknown_crate("guildhall-web").is_none());
    }
}
