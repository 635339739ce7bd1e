//! What only a subcommand with a simulator takes.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use guildhall_simulator::{Config, INTERVALS, NoInterval, Scenario, TlsFiles};

use super::Subcommand;

/// Which simulated Discord is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Simulation {
    pub(crate) seed: u64,
    /// What is made while it runs has ids by the seed, not by the clock.
    pub(crate) fixed_ids: bool,
    /// What happens by itself.
    pub(crate) scenario: Scenario,
    /// Intervals that are not as usual, as `NAME=DURATION`.
    pub(crate) intervals: Vec<String>,
    /// It speaks TLS.
    pub(crate) tls: Option<TlsFiles>,
}

/// The flags of a subcommand that has a simulator.
pub(super) fn add_arguments(subcommand: Subcommand, mut sub: Command) -> Command {
    if subcommand.has_simulator() {
        sub = sub.arg(
            Arg::new("seed")
                .long("seed")
                .value_name("NUMBER")
                .value_parser(value_parser!(u64))
                .default_value("1")
                .help("The same seed makes the same guilds, people and ids"),
        );
        sub = sub.arg(
            Arg::new("scenario")
                .long("scenario")
                .value_name("NAME")
                .value_parser(|text: &str| text.parse::<Scenario>())
                .default_value(Scenario::Static.name())
                .help("What happens by itself: standing, evening, big or outage"),
        );
    }
    if subcommand == Subcommand::Simulator {
        sub = sub.arg(
            Arg::new("fixed-ids")
                .long("fixed-ids")
                .action(ArgAction::SetTrue)
                .help("Ids of what is made from now on come from the seed and tell no time"),
        );
        sub = sub.arg(interval()).after_help(intervals());
        sub = sub.args(tls());
    }
    sub
}

/// Neither without the other.
fn tls() -> [Arg; 2] {
    let of_pem = |name: &'static str, other: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .requires(other)
    };
    [
        of_pem(TLS_CERT, TLS_KEY).help("Serves https and wss, with this PEM certificate"),
        of_pem(TLS_KEY, TLS_CERT).help("The certificate's private key, as PEM"),
    ]
}

const TLS_CERT: &str = "tls-cert";
const TLS_KEY: &str = "tls-key";

fn interval() -> Arg {
    let valid = |text: &str| -> Result<String, NoInterval> {
        Config::default().set_interval(text)?;
        Ok(text.to_owned())
    };
    Arg::new("interval")
        .long("interval")
        .value_name("NAME=DURATION")
        .value_parser(valid)
        .action(ArgAction::Append)
        .help("Shrinks or stretches one of the intervals below; may be given again and again")
}

fn intervals() -> String {
    let mut list = "Intervals, as 0, 250ms, 30s, 5m, 24h or 7d:".to_owned();
    for interval in INTERVALS {
        let default = interval.default_text();
        let line = format!(
            "{:<16} {} [default: {default}]",
            interval.name, interval.help
        );
        list.push_str("\n  ");
        list.push_str(&line);
    }
    list
}

impl Simulation {
    pub(super) fn read(subcommand: Subcommand, matches: &ArgMatches) -> Self {
        if !subcommand.has_simulator() {
            return Self::default();
        }
        let stands_alone = subcommand == Subcommand::Simulator;
        let of_its_own = stands_alone.then_some(matches);
        let intervals = of_its_own.and_then(|matches| matches.get_many("interval"));
        let file = |name| of_its_own?.get_one::<PathBuf>(name).cloned();
        Self {
            fixed_ids: of_its_own.is_some_and(|matches| matches.get_flag("fixed-ids")),
            seed: matches.get_one("seed").copied().unwrap_or(1),
            scenario: matches.get_one("scenario").copied().unwrap_or_default(),
            intervals: intervals.into_iter().flatten().cloned().collect(),
            tls: file(TLS_CERT)
                .zip(file(TLS_KEY))
                .map(|(certificates, key)| TlsFiles { certificates, key }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{arguments, command};
    use super::*;

    #[test]
    fn the_simulated_world_stands_still_unless_asked() {
        let scenario = |typed: &[&str]| {
            let matches = command().try_get_matches_from(typed).expect("known flags");
            arguments(&matches).simulation.scenario
        };
        for still in ["demo", "simulator"] {
            assert_eq!(scenario(&["guildhall", still]), Scenario::Static);
        }
        let big = ["guildhall", "simulator", "--scenario", "big"];
        assert_eq!(scenario(&big), Scenario::Big);
        let unknown = ["guildhall", "demo", "--scenario", "riot"];
        assert!(command().try_get_matches_from(unknown).is_err());
    }

    #[test]
    fn a_simulator_speaks_tls_with_a_certificate_and_its_key() {
        let typed = |flags: &[&str]| {
            let typed = [&["guildhall", "simulator"], flags].concat();
            command().try_get_matches_from(typed)
        };
        let both = ["--tls-cert", "a.pem", "--tls-key=a.key"];
        let files = arguments(&typed(&both).expect("known flags"))
            .simulation
            .tls;
        let (certificates, key) = ("a.pem".into(), "a.key".into());
        assert_eq!(files, Some(TlsFiles { certificates, key }));
        let plain = typed(&[]).expect("known flags");
        assert_eq!(arguments(&plain).simulation.tls, None);
        for one in [["--tls-cert", "a.pem"], ["--tls-key", "a.key"]] {
            assert!(typed(&one).is_err(), "{one:?}");
        }
    }

    #[test]
    fn the_simulators_intervals_may_be_given_again_and_again() {
        let typed = [
            "guildhall",
            "simulator",
            "--interval",
            "heartbeat=1s",
            "--interval=code=5m",
        ];
        let matches = command().try_get_matches_from(typed).expect("known flags");
        assert_eq!(
            arguments(&matches).simulation.intervals,
            ["heartbeat=1s", "code=5m"]
        );
        for (subcommand, wrong) in [
            ("simulator", "heartbeat"),
            ("simulator", "hearts=1s"),
            ("demo", "heartbeat=1s"),
        ] {
            let typed = ["guildhall", subcommand, "--interval", wrong];
            assert!(
                command().try_get_matches_from(typed).is_err(),
                "{subcommand} {wrong}"
            );
        }
    }
}
