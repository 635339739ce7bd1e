//! The command line. Flags come from the table of settings, so they can't drift from it.

/// Subcommands that run nothing.
mod tools;
/// What only a subcommand with a simulator takes.
#[cfg(feature = "simulator")]
mod simulation;
/// The names of those subcommands in a build without it.
#[cfg(not(feature = "simulator"))]
mod no_simulator;

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches};

#[cfg(feature = "simulator")]
pub(crate) use simulation::Simulation;
pub(crate) use tools::{
    Doctor, DoctorOutput, DoctorRole, Explain, Init, OverlayLinkRequest, Tail, TextOrJson, Tool,
    UsedFor,
};

use crate::config::table::{Reader, SETTINGS, Setting, SettingKind};

/// What was typed.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// Roles to be started.
    Start(Arguments),
    /// Something to be looked at.
    Tool(Tool),
    /// The OpenAPI document: no settings are read.
    #[cfg(feature = "openapi")]
    OpenApi,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) subcommand: Subcommand,
    /// Values of flags by setting name.
    pub(crate) flags: BTreeMap<String, String>,
    #[cfg(feature = "simulator")]
    pub(crate) simulation: Simulation,
    /// Only says what is wrong with the settings, and leaves.
    pub(crate) check: bool,
}

/// The subcommand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subcommand {
    #[cfg(feature = "simulator")]
    Demo,
    All,
    Gateway,
    Web,
    #[cfg(feature = "simulator")]
    Simulator,
}

const SUBCOMMANDS: &[(Subcommand, &str, &str)] = &[
    #[cfg(feature = "simulator")]
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
    #[cfg(feature = "simulator")]
    (
        Subcommand::Simulator,
        "simulator",
        "A simulated Discord to test any bot against",
    ),
];

#[cfg(feature = "openapi")]
const OPENAPI: &str = "openapi";

/// Reads the command line; clap itself answers `--help`, `--version` and mistakes.
pub(crate) fn parse() -> Invocation {
    let matches = command().get_matches();
    #[cfg(not(feature = "simulator"))]
    no_simulator::refuse(&matches);
    #[cfg(feature = "openapi")]
    if matches.subcommand_name() == Some(OPENAPI) {
        return Invocation::OpenApi;
    }
    if let Some(tool) = Tool::read(&matches) {
        return Invocation::Tool(tool);
    }
    Invocation::Start(arguments(&matches))
}

pub(crate) fn command() -> clap::Command {
    let mut command = clap::Command::new("guildhall")
        .about("Your Discord guild, live in your web app")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help("Every flag is also a setting in the environment or in .env: --web-port is WEB_PORT. Secrets are only read from there, or from the file that NAME_FILE names.");
    for &(subcommand, name, about) in SUBCOMMANDS {
        let mut sub = clap::Command::new(name).about(about).arg(
            Arg::new("check")
                .long("check")
                .action(ArgAction::SetTrue)
                .help("Says what is wrong with the settings, and leaves"),
        );
        for setting in SETTINGS.iter().filter(|setting| subcommand.takes(setting)) {
            sub = sub.arg(flag(subcommand, setting));
        }
        #[cfg(feature = "simulator")]
        {
            sub = simulation::add_arguments(subcommand, sub);
        }
        command = command.subcommand(sub);
    }
    command = tools::add_subcommands(command);
    #[cfg(not(feature = "simulator"))]
    {
        command = no_simulator::add_subcommands(command);
    }
    #[cfg(feature = "openapi")]
    {
        let about = "Prints what browsers ask and get, as an OpenAPI 3.1 document";
        command = command.subcommand(clap::Command::new(OPENAPI).about(about));
    }
    command
}

fn flag(subcommand: Subcommand, setting: &'static Setting) -> Arg {
    let long = match (subcommand, setting.name) {
        #[cfg(feature = "simulator")]
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
        .iter()
        .find(|(_, known, _)| *known == name)
        .map(|(subcommand, ..)| *subcommand)
        .expect("clap knows these subcommands only");
    let flags = SETTINGS
        .iter()
        .filter(|setting| subcommand.takes(setting))
        .filter_map(|setting| {
            let value: Option<&String> = matches.get_one(setting.name);
            Some((setting.name.to_owned(), value?.clone()))
        });
    Arguments {
        subcommand,
        flags: flags.collect(),
        #[cfg(feature = "simulator")]
        simulation: Simulation::read(subcommand, matches),
        check: matches.get_flag("check"),
    }
}

impl Subcommand {
    /// Whether it holds Discord's Gateway connection.
    pub(crate) fn has_gateway(self) -> bool {
        match self {
            Self::All | Self::Gateway => true,
            Self::Web => false,
            #[cfg(feature = "simulator")]
            Self::Demo => true,
            #[cfg(feature = "simulator")]
            Self::Simulator => false,
        }
    }

    /// Whether it serves browsers.
    pub(crate) fn has_web(self) -> bool {
        match self {
            Self::All | Self::Web => true,
            Self::Gateway => false,
            #[cfg(feature = "simulator")]
            Self::Demo => true,
            #[cfg(feature = "simulator")]
            Self::Simulator => false,
        }
    }

    /// Whether Discord is a simulated one, in this process.
    #[cfg(feature = "simulator")]
    pub(crate) fn has_simulator(self) -> bool {
        matches!(self, Self::Demo | Self::Simulator)
    }

    fn takes(self, setting: &Setting) -> bool {
        setting.kind == SettingKind::Plain
            && match (self, setting.reader) {
                #[cfg(feature = "simulator")]
                (Self::Demo, _) => !setting.is_the_demos(),
                (Self::All, reader) => {
                    reader != Reader::Simulator && setting.name != "GATEWAY_WS_URL"
                }
                (Self::Gateway, reader) => matches!(reader, Reader::Gateway | Reader::Both),
                (Self::Web, reader) => matches!(reader, Reader::Web | Reader::Both),
                #[cfg(feature = "simulator")]
                (Self::Simulator, reader) => {
                    let of_logs = matches!(setting.name, "LOG_FORMAT" | "RUST_LOG");
                    reader == Reader::Simulator || of_logs
                }
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
    fn unknown_flags_and_secrets_as_flags_are_refused() {
        for (subcommand, flag) in [
            ("gateway", "--gateway-ws-prot"),
            ("gateway", "--link-token"),
            ("gateway", "--web-port"),
            #[cfg(feature = "simulator")]
            ("demo", "--base-url"),
            #[cfg(feature = "simulator")]
            ("demo", "--discord-url"),
        ] {
            let typed = ["guildhall", subcommand, flag, "x"];
            assert!(
                command().try_get_matches_from(typed).is_err(),
                "{subcommand} {flag}"
            );
        }
    }
}
