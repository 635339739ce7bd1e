//! Who may depend on whom. A crate is cut only where a dependency must be
//! forbidden, so these tables are what the division into crates is for.

use std::fs;
use std::path::Path;

use super::Finding;
use crate::cargo::{Dependency, DependencyKind, Metadata, Package};

/// Our crates, each with those of ours it may name.
const OURS: &[(&str, &[&str])] = &[
    ("guildhall-model", &[]),
    ("guildhall-link", &["guildhall-model"]),
    ("guildhall-ports", &["guildhall-model"]),
    ("guildhall-stores", &["guildhall-model", "guildhall-ports"]),
    (
        "guildhall-gateway",
        &["guildhall-model", "guildhall-link", "guildhall-ports"],
    ),
    (
        "guildhall-web",
        &["guildhall-model", "guildhall-link", "guildhall-ports"],
    ),
    ("guildhall-simulator", &[]),
    (
        "guildhall",
        &[
            "guildhall-model",
            "guildhall-link",
            "guildhall-ports",
            "guildhall-stores",
            "guildhall-gateway",
            "guildhall-web",
            "guildhall-simulator",
            "lab",
        ],
    ),
    ("lab", &[]),
    ("xtask", &[]),
];

/// Where a dependency may be named, with every `NAME-…`: in these crates, and in the tests of those.
type Fence = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

const FENCES: &[Fence] = &[
    (
        "lab",
        &[],
        &["guildhall"],
        "the lab drives the product from outside; only tests share its client",
    ),
    (
        "twilight",
        &["guildhall-gateway"],
        &["guildhall-simulator"],
        "Discord's types stay behind `normalise`, so that they can be replaced",
    ),
    (
        "axum",
        &[
            "guildhall-gateway",
            "guildhall-web",
            "guildhall-simulator",
            "guildhall",
        ],
        &[],
        "only what listens for HTTP knows an HTTP server",
    ),
    (
        "tokio",
        &[
            "guildhall-ports",
            "guildhall-stores",
            "guildhall-gateway",
            "guildhall-web",
            "guildhall-simulator",
            "guildhall",
            "lab",
        ],
        &[],
        "model and link are pure: they are tested without a runtime, a socket or a clock",
    ),
    ("redis", &["guildhall-stores"], &[], A_DATABASE),
    ("sqlx", &["guildhall-stores"], &[], A_DATABASE),
    ("rusqlite", &["guildhall-stores"], &[], A_DATABASE),
];

const A_DATABASE: &str = "a database is an adapter behind a port";

pub(super) fn check(metadata: &Metadata, root: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata.ours() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap_or_default();
        let path = package
            .manifest_path
            .strip_prefix(root)
            .unwrap_or(&package.manifest_path)
            .to_string_lossy();
        if let Some(why) = unknown_crate(&package.name) {
            findings.push(Finding {
                path: path.to_string(),
                line: 1,
                rule: "unknown-crate",
                why,
            });
        }
        for (dependency, why) in forbidden_edges(package) {
            findings.push(Finding {
                path: path.to_string(),
                line: line_of(&manifest, dependency),
                rule: "forbidden-edge",
                why,
            });
        }
    }
    findings
}

fn unknown_crate(name: &str) -> Option<String> {
    let known = OURS.iter().any(|(ours, _)| *ours == name);
    (!known).then(|| {
        format!("{name} is not in the table of crates: a new one needs a note in docs/decisions")
    })
}

fn forbidden_edges(package: &Package) -> Vec<(&str, String)> {
    package
        .dependencies
        .iter()
        .filter_map(|dependency| {
            let why = wrong_room(&package.name, dependency)
                .or_else(|| over_the_fence(&package.name, dependency))?;
            Some((dependency.name.as_str(), why))
        })
        .collect()
}

fn wrong_room(package: &str, dependency: &Dependency) -> Option<String> {
    let is_ours = OURS.iter().any(|(ours, _)| *ours == dependency.name);
    if !is_ours || dependency.name == package {
        return None;
    }
    let (_, allowed) = OURS.iter().find(|(ours, _)| *ours == package)?;
    (!allowed.contains(&dependency.name.as_str())).then(|| {
        let allowed = if allowed.is_empty() {
            "nothing of ours".to_owned()
        } else {
            allowed.join(", ")
        };
        format!("{package} may not know {}, only {allowed}", dependency.name)
    })
}

fn over_the_fence(package: &str, dependency: &Dependency) -> Option<String> {
    let (_, only_in, tests_of, why) = FENCES.iter().find(|(name, ..)| {
        let rest = dependency.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })?;
    let in_tests = dependency.kind == Some(DependencyKind::Dev) && tests_of.contains(&package);
    (!only_in.contains(&package) && !in_tests)
        .then(|| format!("{package} may not know {}: {why}", dependency.name))
}

fn line_of(manifest: &str, dependency: &str) -> usize {
    manifest
        .lines()
        .position(|line| line.starts_with(dependency))
        .map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn package(name: &str, dependency: &str, kind: Option<DependencyKind>) -> Package {
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            manifest_path: PathBuf::new(),
            dependencies: vec![Dependency {
                name: dependency.to_owned(),
                kind,
            }],
            targets: Vec::new(),
        }
    }

    fn is_forbidden(name: &str, dependency: &str, kind: Option<DependencyKind>) -> bool {
        !forbidden_edges(&package(name, dependency, kind)).is_empty()
    }

    #[test]
    fn the_road_goes_one_way() {
        assert!(is_forbidden("guildhall-model", "guildhall-link", None));
        assert!(is_forbidden("guildhall-web", "guildhall-gateway", None));
        assert!(!is_forbidden("guildhall-web", "guildhall-link", None));
        assert!(!is_forbidden("guildhall", "guildhall-web", None));
    }

    #[test]
    fn the_simulator_the_lab_and_these_tasks_know_none_of_ours_even_in_tests() {
        let dev = Some(DependencyKind::Dev);
        assert!(is_forbidden("guildhall-simulator", "guildhall-model", None));
        assert!(is_forbidden("guildhall-simulator", "guildhall-model", dev));
        assert!(is_forbidden("xtask", "guildhall", dev));
        assert!(is_forbidden("lab", "guildhall-link", dev));
        assert!(is_forbidden("guildhall", "lab", None));
        assert!(!is_forbidden("guildhall", "lab", dev));
    }

    #[test]
    fn twilight_stays_in_the_gateway_and_in_the_tests_of_the_simulator() {
        let dev = Some(DependencyKind::Dev);
        assert!(!is_forbidden("guildhall-gateway", "twilight-model", None));
        assert!(is_forbidden("guildhall-web", "twilight-model", None));
        assert!(is_forbidden(
            "guildhall-simulator",
            "twilight-gateway",
            None
        ));
        assert!(!is_forbidden(
            "guildhall-simulator",
            "twilight-gateway",
            dev
        ));
    }

    #[test]
    fn pure_crates_have_no_runtime_and_no_server() {
        assert!(is_forbidden("guildhall-link", "tokio", None));
        assert!(is_forbidden("guildhall-model", "tokio-util", None));
        assert!(!is_forbidden("guildhall-ports", "tokio", None));
        assert!(is_forbidden("guildhall-ports", "axum", None));
        assert!(is_forbidden("guildhall-web", "redis", None));
        assert!(!is_forbidden("guildhall-link", "tokiox", None));
    }

    #[test]
    fn a_crate_outside_the_table_is_found() {
        assert!(unknown_crate("guildhall-extras").is_some());
        assert!(unknown_crate("guildhall-web").is_none());
    }

    #[test]
    fn a_finding_points_at_the_line_of_the_manifest() {
        assert_eq!(line_of("[dependencies]\naxum = \"1\"\n", "axum"), 2);
        assert_eq!(line_of("[dependencies]\n", "axum"), 1);
    }
}
