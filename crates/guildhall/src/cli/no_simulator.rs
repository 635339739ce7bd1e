//! A build without the simulator knows the names of its subcommands only to say so.

use clap::{Arg, ArgAction, ArgMatches, Command, Error, error::ErrorKind};

const NAMES: [&str; 2] = ["demo", "simulator"];

/// Takes whatever flags these would have, and shows none of it in `--help`.
pub(super) fn add_subcommands(command: Command) -> Command {
    command.subcommands(NAMES.map(|name| {
        Command::new(name).hide(true).disable_help_flag(true).arg(
            Arg::new("anything")
                .action(ArgAction::Append)
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true),
        )
    }))
}

/// Ends the process, as any other mistake on the command line does, if one of them was asked for.
pub(super) fn refuse(matches: &ArgMatches) {
    if let Some(error) = refusal(matches) {
        error.exit()
    }
}

fn refusal(matches: &ArgMatches) -> Option<Error> {
    let name = matches
        .subcommand_name()
        .filter(|name| NAMES.contains(name))?;
    Some(Error::raw(
        ErrorKind::InvalidSubcommand,
        format!(
            "this build has no simulator, which `guildhall {name}` needs: build it with the \
             cargo feature `simulator`, which is on by default\n"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::*;

    #[test]
    fn a_demo_without_a_simulator_is_refused_in_a_sentence_like_any_mistake() {
        for typed in [
            &["guildhall", "demo"][..],
            &["guildhall", "simulator", "--listen", "127.0.0.1:0"],
            &["guildhall", "demo", "--help"],
        ] {
            let matches = command().try_get_matches_from(typed).expect("a known name");
            let error = refusal(&matches).expect("no simulator here");
            assert_eq!(error.exit_code(), 2);
            let said = error.to_string();
            assert!(said.contains("this build has no simulator"), "{said}");
            assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        }
        let web = command().try_get_matches_from(["guildhall", "web"]);
        assert!(refusal(&web.expect("a subcommand")).is_none());
    }
}
