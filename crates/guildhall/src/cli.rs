//! The command line. Flags come from the table of settings, so they can't drift from it.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use guildhall_simulator::{Config, INTERVALS, NoInterval, Scenario};

use crate::config::table::{Reader, SETTINGS, Setting, SettingKind};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) subcommand: Subcommand,
    /// Values of flags by setting name.
    pub(crate) flags: BTreeMap<String, String>,
    /// The simulator's seed.
    pub(crate) seed: u64,
    /// What happens in the simulator by itself.
    pub(crate) scenario: Scenario,
    /// The simulator's intervals that are not as usual, as `NAME=DURATION`.
    pub(crate) intervals: Vec<String>,
    /// Only says what is wrong with the settings, and leaves.
    pub(crate) check: bool,
}

/// The subcommand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subcommand {
    Demo,
    All,
    Gateway,
    Web,
    Simulator,
}

const SUBCOMMANDS: [(Subcommand, &str, &str); 5] = [
    (
        Subcommand::Demo,
        "demo",
        "Everything on this machine with a simulated Discord: nothing to set up",
    ),
    (Subcommand::All, "all", "Gateway and web in one process"),
    (
        Subcommand::Gateway,
        "gateway",
        "The role that holds Discord's Gateway connection and writes the log",
    ),
    (
        Subcommand::Web,
        "web",
        "The role that serves browsers; run as many as you like",
    ),
    (
        Subcommand::Simulator,
        "simulator",
        "A simulated Discord to test any bot against",
    ),
];

/// Reads the command line; clap itself answers `--help`, `--version` and mistakes.
pub(crate) fn parse() -> Arguments {
    arguments(&command().get_matches())
}

pub(crate) fn command() -> Command {
    let mut command = Command::new("guildhall")
        .about("Your Discord guild, live in your web app")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help("Every flag is also a setting in the environment or in .env: --web-port is WEB_PORT. Secrets are only read from there, or from the file that NAME_FILE names.");
    for (subcommand, name, about) in SUBCOMMANDS {
        let mut sub = Command::new(name).about(about).arg(
            Arg::new("check")
                .long("check")
                .action(ArgAction::SetTrue)
                .help("Says what is wrong with the settings, and leaves"),
        );
        for setting in SETTINGS.iter().filter(|setting| subcommand.takes(setting)) {
            sub = sub.arg(flag(subcommand, setting));
        }
        if matches!(subcommand, Subcommand::Simulator | Subcommand::Demo) {
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
                    .default_value(Scenario::Standing.name())
                    .help("What happens by itself: standing, evening, big or outage"),
            );
        }
        if subcommand == Subcommand::Simulator {
            sub = sub.arg(interval()).after_help(intervals());
        }
        command = command.subcommand(sub);
    }
    command
}

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

fn flag(subcommand: Subcommand, setting: &'static Setting) -> Arg {
    let long = match (subcommand, setting.name) {
        (Subcommand::Simulator, "SIMULATOR_LISTEN") => "listen".to_owned(),
        _ => setting.flag(),
    };
    let arg = Arg::new(setting.name).long(long).value_name("VALUE");
    match setting.default {
        Some(default) => arg.help(format!("{} [default: {default}]", setting.help)),
        None => arg.help(setting.help),
    }
}

fn arguments(matches: &ArgMatches) -> Arguments {
    let (name, matches) = matches.subcommand().expect("clap requires a subcommand");
    let subcommand = SUBCOMMANDS
        .into_iter()
        .find(|(_, known, _)| *known == name)
        .map(|(subcommand, ..)| subcommand)
        .expect("clap knows these subcommands only");
    let flags = SETTINGS
        .iter()
        .filter(|setting| subcommand.takes(setting))
        .filter_map(|setting| {
            let value: Option<&String> = matches.get_one(setting.name);
            Some((setting.name.to_owned(), value?.clone()))
        });
    let seed = match subcommand {
        Subcommand::Simulator | Subcommand::Demo => matches.get_one("seed").copied().unwrap_or(1),
        Subcommand::All | Subcommand::Gateway | Subcommand::Web => 0,
    };
    let scenario = match subcommand {
        Subcommand::Simulator | Subcommand::Demo => {
            matches.get_one("scenario").copied().unwrap_or_default()
        }
        Subcommand::All | Subcommand::Gateway | Subcommand::Web => Scenario::Standing,
    };
    let intervals = match subcommand {
        Subcommand::Simulator => matches.get_many("interval").into_iter().flatten().cloned(),
        Subcommand::Demo | Subcommand::All | Subcommand::Gateway | Subcommand::Web => {
            None.into_iter().flatten().cloned()
        }
    };
    Arguments {
        subcommand,
        flags: flags.collect(),
        seed,
        scenario,
        intervals: intervals.collect(),
        check: matches.get_flag("check"),
    }
}

impl Subcommand {
    fn takes(self, setting: &Setting) -> bool {
        let of_logs = matches!(setting.name, "LOG_FORMAT" | "RUST_LOG");
        setting.kind == SettingKind::Plain
            && match (self, setting.reader) {
                (Self::Demo, _) => !setting.is_the_demos(),
                (Self::All, reader) => {
                    reader != Reader::Simulator && setting.name != "GATEWAY_WS_URL"
                }
                (Self::Gateway, reader) => matches!(reader, Reader::Gateway | Reader::Both),
                (Self::Web, reader) => matches!(reader, Reader::Web | Reader::Both),
                (Self::Simulator, reader) => reader == Reader::Simulator || of_logs,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn flags_become_settings() {
        let matches = command()
            .try_get_matches_from(["guildhall", "gateway", "--gateway-ws-port", "1"])
            .expect("a known flag");
        let arguments = arguments(&matches);
        assert_eq!(arguments.subcommand, Subcommand::Gateway);
        assert_eq!(
            arguments.flags.get("GATEWAY_WS_PORT").map(String::as_str),
            Some("1")
        );
    }

    #[test]
    fn the_simulated_world_stands_still_unless_asked() {
        let scenario = |typed: &[&str]| {
            let matches = command().try_get_matches_from(typed).expect("known flags");
            arguments(&matches).scenario
        };
        for still in ["demo", "simulator"] {
            assert_eq!(scenario(&["guildhall", still]), Scenario::Standing);
        }
        let big = ["guildhall", "simulator", "--scenario", "big"];
        assert_eq!(scenario(&big), Scenario::Big);
        let unknown = ["guildhall", "demo", "--scenario", "riot"];
        assert!(command().try_get_matches_from(unknown).is_err());
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
        assert_eq!(arguments(&matches).intervals, ["heartbeat=1s", "code=5m"]);
        for (role, wrong) in [
            ("simulator", "heartbeat"),
            ("simulator", "hearts=1s"),
            ("demo", "heartbeat=1s"),
        ] {
            let typed = ["guildhall", role, "--interval", wrong];
            assert!(
                command().try_get_matches_from(typed).is_err(),
                "{role} {wrong}"
            );
        }
    }

    #[test]
    fn unknown_flags_and_secrets_as_flags_are_refused() {
        for (role, flag) in [
            ("gateway", "--gateway-ws-prot"),
            ("gateway", "--link-token"),
            ("gateway", "--web-port"),
            ("demo", "--base-url"),
            ("demo", "--discord-url"),
        ] {
            let typed = ["guildhall", role, flag, "x"];
            assert!(
                command().try_get_matches_from(typed).is_err(),
                "{role} {flag}"
            );
        }
    }
}
