//! Logs on stderr and the metrics recorder. Nothing secret reaches either: secrets are
//! `SecretString`s, which have no text form.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{ConfigError, Settings, refuse};

/// Seconds; from a loopback hop to a browser at the end of the world.
const LATENCY_BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Libraries that write whole requests at their lowest levels, tokens in headers included. No
/// setting opens those.
const CAPPED: [&str; 9] = [
    "tungstenite=info",
    "tokio_tungstenite=info",
    "tokio_websockets=info",
    "twilight_gateway=info",
    "hyper=info",
    "hyper_util=info",
    "h2=info",
    "reqwest=info",
    "rustls=info",
];

/// Levels, from nothing to everything.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Starts logging as `LOG_FORMAT` and `RUST_LOG` say.
pub(crate) fn logs(settings: &Settings) -> Result<(), ConfigError> {
    let filter = filter(settings.require("RUST_LOG")?)?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.require("LOG_FORMAT")? {
        "text" => lines
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .init(),
        "json" => lines.json().flatten_event(true).init(),
        other => return refuse!("LOG_FORMAT is {other:?}: it is text or json."),
    }
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    Ok(())
}

/// What `RUST_LOG` lets through.
fn filter(directives: &str) -> Result<EnvFilter, ConfigError> {
    // To the filter a misspelt level is a target that nobody has: it would silence everything.
    let misspelt = directives.split(',').map(str::trim).find(|directive| {
        let word = directive.to_ascii_lowercase();
        let near = |level: &&str| {
            word.starts_with(*level) || strsim::damerau_levenshtein(&word, level) <= 2
        };
        !LEVELS.contains(&word.as_str()) && LEVELS.iter().any(near)
    });
    if let Some(directive) = misspelt {
        let levels = LEVELS.join(", ");
        return refuse!("RUST_LOG has {directive:?}, which is no level: those are {levels}.");
    }
    let Ok(mut filter) = EnvFilter::try_new(directives) else {
        return refuse!("RUST_LOG is {directives:?}: write a level such as info, or target=level.");
    };
    for cap in CAPPED {
        filter = filter.add_directive(cap.parse().expect("a directive of ours"));
    }
    Ok(filter)
}

/// Installs the process's metrics recorder; `/metrics` renders it.
pub(crate) fn metrics() -> anyhow::Result<PrometheusHandle> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let recorder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &LATENCY_BUCKETS)?;
    Ok(recorder.install_recorder()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_refused_and_never_silences_the_logs() {
        for directives in ["inof", "warning", "infos", "guildhall_web=debug,debg"] {
            let refused = filter(directives).expect_err(directives).to_string();
            assert!(refused.contains("RUST_LOG"), "{refused}");
        }
        for directives in [
            "info",
            "WARN",
            "off",
            "guildhall_web",
            "hyper",
            "h2",
            "warn,guildhall_web=debug",
        ] {
            assert!(filter(directives).is_ok(), "{directives}");
        }
    }
}
