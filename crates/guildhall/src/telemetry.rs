//! Logs on stderr and the metrics recorder. Nothing secret reaches either: secrets are
//! `SecretString`s, which have no text form.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    filter::{Targets, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{ConfigError, Mistakes, Settings, refuse, shown};

/// Seconds; from a loopback hop to a browser at the end of the world.
const LATENCY_BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Inputs; a batch has at most 512 and what one dispatch brings beyond them.
const BATCH_BUCKETS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// What our own crates call themselves, modules included.
const OURS: &str = "guildhall";

/// Levels, from nothing to everything.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What other loggers call theirs, and short forms.
const OTHER_LEVELS: [&str; 9] = [
    "warning", "warnings", "err", "dbg", "fatal", "critical", "notice", "verbose", "silent",
];

/// Libraries that are called nearly as a level is.
const NEAR_LEVELS: [&str; 1] = ["warp"];

/// How lines are written.
enum Form {
    Text,
    Json,
}

/// Says what is wrong with `LOG_FORMAT` and `RUST_LOG`.
pub(crate) fn check(settings: &Settings) -> Result<(), ConfigError> {
    let mut mistakes = Mistakes::default();
    mistakes.take(settings.require("RUST_LOG").and_then(filter));
    mistakes.take(form(settings));
    mistakes.none()
}

fn form(settings: &Settings) -> Result<Form, ConfigError> {
    match settings.require("LOG_FORMAT")? {
        "text" => Ok(Form::Text),
        "json" => Ok(Form::Json),
        other => refuse!("LOG_FORMAT is {}: it is text or json.", shown(other)),
    }
}

/// Starts logging as `LOG_FORMAT` and `RUST_LOG` say.
pub(crate) fn logs(settings: &Settings) -> Result<(), ConfigError> {
    let filter = filter(settings.require("RUST_LOG")?)?;
    let lines = fmt()
        .with_max_level(Level::TRACE)
        .with_writer(std::io::stderr);
    match form(settings)? {
        Form::Text => lines
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .finish()
            .with(filter)
            .with(filter_fn(may_be_written))
            .init(),
        Form::Json => lines
            .json()
            .flatten_event(true)
            .finish()
            .with(filter)
            .with(filter_fn(may_be_written))
            .init(),
    }
    for directive in parts(settings.require("RUST_LOG")?) {
        if asks_for_others(directive) {
            tracing::warn!(
                "RUST_LOG has {}: of other libraries nothing below info is written, for there they \
                 write whole requests, tokens and cookies included",
                shown(directive)
            );
        }
    }
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(())
}

/// What `RUST_LOG` lets through.
fn filter(directives: &str) -> Result<Targets, ConfigError> {
    // To the filter a misspelt level is a target that nobody has: it would silence everything.
    if let Some(directive) = parts(directives).find(|directive| is_misspelt_level(directive)) {
        let levels = LEVELS.join(", ");
        let directive = shown(directive);
        return refuse!("RUST_LOG has {directive}, which is no level: those are {levels}.");
    }
    // The filter would take the name of a span for a target.
    if let Some(directive) = parts(directives).find(|directive| directive.contains('[')) {
        let directive = shown(directive);
        return refuse!("RUST_LOG has {directive}: spans are not filtered by, write target=level.");
    }
    // The filter takes a blank for a part of the target.
    let plain = parts(directives).collect::<Vec<_>>().join(",");
    let Ok(filter) = plain.parse() else {
        return refuse!(
            "RUST_LOG is {}: write a level such as info, or target=level.",
            shown(directives)
        );
    };
    Ok(filter)
}

/// What stands between the commas.
fn parts(directives: &str) -> impl Iterator<Item = &str> {
    let parts = directives.split(',').map(str::trim);
    parts.filter(|part| !part.is_empty())
}

/// Whether a word by itself, which may be a target's name too, was meant to be a level.
fn is_misspelt_level(directive: &str) -> bool {
    let word = directive.to_ascii_lowercase();
    let near = |level: &&str| strsim::damerau_levenshtein(&word, level) <= 1;
    !LEVELS.contains(&word.as_str())
        && !NEAR_LEVELS.contains(&word.as_str())
        && (OTHER_LEVELS.contains(&word.as_str()) || LEVELS.iter().any(near))
}

/// Whatever `RUST_LOG` asks for: below info other people's code writes whole requests, headers and
/// frames included, under targets that a list of names would have to follow from version to
/// version (`tungstenite::handshake` has the link's token). What we write ourselves is tested to
/// have no secret.
fn may_be_written(what: &Metadata<'_>) -> bool {
    *what.level() <= Level::INFO || is_ours(what.target())
}

fn is_ours(target: &str) -> bool {
    let rest = target.strip_prefix(OURS);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', ':']))
}

/// Whether a directive wants what [`may_be_written`] keeps out.
fn asks_for_others(directive: &str) -> bool {
    let Some((target, level)) = directive.rsplit_once('=') else {
        return false;
    };
    let low = ["debug", "trace"].contains(&level.trim().to_ascii_lowercase().as_str());
    low && !is_ours(target.trim())
}

/// Installs the process's metrics recorder; `/metrics` renders it. Before anything is built: what
/// is measured without one is lost.
pub(crate) fn metrics() -> anyhow::Result<PrometheusHandle> {
    Ok(recorder()?.install_recorder()?)
}

/// Without buckets of its own a histogram would be rendered as a summary, which can't be added up.
fn recorder() -> anyhow::Result<PrometheusBuilder> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let batches = Matcher::Full("guildhall_gateway_batch_inputs".to_owned());
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &LATENCY_BUCKETS)?
        .set_buckets_for_metric(batches, &BATCH_BUCKETS)?;
    Ok(recorder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_in_amounts_is_a_histogram() {
        let recorder = recorder().expect("good buckets").build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("guildhall_gateway_batch_inputs").record(3.0);
            metrics::histogram!("guildhall_journal_commit_seconds").record(0.003);
        });
        let rendered = recorder.handle().render();
        for line in [
            "guildhall_gateway_batch_inputs_bucket{le=\"2\"} 0",
            "guildhall_gateway_batch_inputs_bucket{le=\"4\"} 1",
            "guildhall_journal_commit_seconds_bucket{le=\"0.005\"} 1",
        ] {
            assert!(rendered.contains(line), "{line} is not in\n{rendered}");
        }
    }

    #[test]
    fn a_misspelt_level_is_refused_and_never_silences_the_logs() {
        for directives in [
            "inof",
            "warning",
            "infos",
            "EROR",
            "guildhall_web=debug, debg",
            "guildhall_web=debg",
            "info,[attachment]=debug",
            "guildhall_web[stream{viewer.id=1,x=2}]=debug",
            "a=b=c",
        ] {
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
            "error_handler=debug",
            "offline=debug",
            "g=trace",
            "warp",
            "foo",
        ] {
            assert!(filter(directives).is_ok(), "{directives}");
        }
    }

    #[test]
    fn blanks_around_the_commas_of_directives_mean_nothing() {
        let plain = filter("info,guildhall_web=debug").expect("two directives");
        let wide = filter(" info ,, guildhall_web=debug ").expect("the same two");
        assert_eq!(wide.to_string(), plain.to_string());
    }

    #[test]
    fn only_our_own_lines_are_ever_written_below_info() {
        for target in ["guildhall", "guildhall_web::link::dial", "guildhall::ops"] {
            assert!(is_ours(target), "{target}");
        }
        for target in [
            "tungstenite::handshake::client",
            "hyper",
            "log",
            "guildhallx",
            "",
        ] {
            assert!(!is_ours(target), "{target}");
        }
        for (directive, asks) in [
            ("tungstenite::handshake=trace", true),
            ("hyper=DEBUG", true),
            ("guildhall_web=trace", false),
            ("trace", false),
            ("hyper=warn", false),
        ] {
            assert_eq!(asks_for_others(directive), asks, "{directive}");
        }
    }
}
