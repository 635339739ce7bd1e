//! The command line. Flags come from the table of settings, so they can't drift from it.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use guildhall_simulator::{Config, INTERVALS, NoInterval, Scenario};

use crate::config::table::{Kind, Reader, SETTINGS, Setting};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) role: Role,
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
pub(crate) enum Role {
    Demo,
    All,
    Gateway,
    Web,
    Simulator,
}

const ROLES: [(Role, &str, &str); 5] = [
    (
        Role::Demo,
        "demo",
        "Everything on this machine with a simulated Discord: nothing to set up",
    ),
    (Role::All, "all", "Gateway and web in one process"),
    (
        Role::Gateway,
        "gateway",
        "The role that holds Discord's Gateway connection and writes the log",
    ),
    (
        Role::Web,
        "web",
        "The role that serves browsers; run as many as you like",
    ),
    (
        Role::Simulator,
        "simulator",
        "A simulated Discord to test any bot against",
    ),
];

/// Reads the command line; clap itself answers `--help`, `--version` and mistakes.
pub(crate) fn parse() -> Asked {
    asked(&command().get_matches())
}

pub(crate) fn command() -> Command {
    let mut command = Command::new("guildhall")
        .about("Your Discord guild, live in your web app")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help("Every flag is also a setting in the environment or in .env: --web-port is WEB_PORT. Secrets are only read from there, or from the file that NAME_FILE names.");
    for (role, name, about) in ROLES {
        let mut sub = Command::new(name).about(about).arg(
            Arg::new("check")
                .long("check")
                .action(ArgAction::SetTrue)
                .help("Says what is wrong with the settings, and leaves"),
        );
        for setting in SETTINGS.iter().filter(|setting| role.takes(setting)) {
            sub = sub.arg(flag(role, setting));
        }
        if matches!(role, Role::Simulator | Role::Demo) {
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
        if role == Role::Simulator {
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

fn flag(role: Role, setting: &'static Setting) -> Arg {
    let long = match (role, setting.name) {
        (Role::Simulator, "SIMULATOR_LISTEN") => "listen".to_owned(),
        _ => setting.flag(),
    };
    let arg = Arg::new(setting.name).long(long).value_name("VALUE");
    match setting.default {
        Some(default) => arg.help(format!("{} [default: {default}]", setting.help)),
        None => arg.help(setting.help),
    }
}

fn asked(matches: &ArgMatches) -> Asked {
    let (name, matches) = matches.subcommand().expect("clap requires a subcommand");
    let role = ROLES
        .into_iter()
        .find(|(_, known, _)| *known == name)
        .map(|(role, ..)| role)
        .expect("clap knows these subcommands only");
    let flags = SETTINGS
        .iter()
        .filter(|setting| role.takes(setting))
        .filter_map(|setting| {
            let value: Option<&String> = matches.get_one(setting.name);
            Some((setting.name.to_owned(), value?.clone()))
        });
    let seed = match role {
        Role::Simulator | Role::Demo => matches.get_one("seed").copied().unwrap_or(1),
        Role::All | Role::Gateway | Role::Web => 0,
    };
    let scenario = match role {
        Role::Simulator | Role::Demo => matches.get_one("scenario").copied().unwrap_or_default(),
        Role::All | Role::Gateway | Role::Web => Scenario::Standing,
    };
    let intervals = match role {
        Role::Simulator => matches.get_many("interval").into_iter().flatten().cloned(),
        Role::Demo | Role::All | Role::Gateway | Role::Web => None.into_iter().flatten().cloned(),
    };
    Asked {
        role,
        flags: flags.collect(),
        seed,
        scenario,
        intervals: intervals.collect(),
        check: matches.get_flag("check"),
    }
}

impl Role {
    fn takes(self, setting: &Setting) -> bool {
        let of_logs = matches!(setting.name, "LOG_FORMAT" | "RUST_LOG");
        setting.kind == Kind::Plain
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
        let asked = asked(&matches);
        assert_eq!(asked.role, Role::Gateway);
        assert_eq!(
            asked.flags.get("GATEWAY_WS_PORT").map(String::as_str),
            Some("1")
        );
    }

    #[test]
    fn the_simulated_world_stands_still_unless_asked() {
        let scenario = |typed: &[&str]| {
            let matches = command().try_get_matches_from(typed).expect("known flags");
            asked(&matches).scenario
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
        assert_eq!(asked(&matches).intervals, ["heartbeat=1s", "code=5m"]);
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
