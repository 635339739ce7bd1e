//! The subcommands that run nothing. They read the same settings, and no flag of theirs is one.

use clap::{ArgMatches, Args, FromArgMatches, Subcommand, ValueEnum};
use guildhall_model::{ChannelId, UserId};
use url::Url;

/// What to look at.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Tool {
    /// Why somebody is shown a voice channel, or is not: asks a running web role
    Explain(Explain),
    /// Makes a link by which stream software shows one voice channel, or ends one: asks a running web role
    OverlayLink(OverlayLink),
}

/// `guildhall explain`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Explain {
    /// Discord's id of a user
    #[arg(long, value_name = "ID")]
    pub(crate) user: UserId,
    /// Discord's id of a voice or stage channel
    #[arg(long, value_name = "ID")]
    pub(crate) channel: ChannelId,
    /// The ops listener of `all` or `web` [default: on this machine, at `OPS_PORT`, 9090 or 9091]
    #[arg(long, value_name = "URL")]
    pub(crate) ops: Option<Url>,
    /// How to print it
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: TextOrJson,
}

/// `guildhall overlay-link`.
#[derive(Clone, Debug, Args)]
pub(crate) struct OverlayLink {
    /// Discord's id of whoever makes the link: it shows the channel for as long as they see it
    #[arg(long, value_name = "ID", required_unless_present = "revoke")]
    pub(crate) user: Option<UserId>,
    /// Discord's id of a voice or stage channel
    #[arg(long, value_name = "ID", required_unless_present = "revoke")]
    pub(crate) channel: Option<ChannelId>,
    /// How many days it is good [default: 30]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u8).range(1..=30))]
    pub(crate) days: Option<u8>,
    /// Ends a link instead: by the id that was printed with it, or the whole link
    #[arg(long, value_name = "ID", conflicts_with_all = ["user", "channel", "days"])]
    pub(crate) revoke: Option<String>,
    /// The ops listener of `all` or `web` [default: on this machine, at `OPS_PORT`, 9090 or 9091]
    #[arg(long, value_name = "URL")]
    pub(crate) ops: Option<Url>,
    /// How to print it
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: TextOrJson,
}

/// How something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people
    Text,
    /// For programs
    Json,
}

impl Tool {
    /// `None`: another subcommand.
    pub(super) fn read(matches: &ArgMatches) -> Option<Self> {
        let name = matches.subcommand_name()?;
        Self::has_subcommand(name)
            .then(|| Self::from_arg_matches(matches).unwrap_or_else(|error| error.exit()))
    }
}

pub(super) fn add_subcommands(command: clap::Command) -> clap::Command {
    Tool::augment_subcommands(command)
}
