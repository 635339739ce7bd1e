//! The subcommands that run nothing. They read the same settings, and no flag of theirs is one.

use std::time::Duration;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand, ValueEnum};
use guildhall_model::{ChannelId, GuildId, UserId};
use url::Url;

/// What to look at.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Tool {
    /// What is wrong with the settings, with Discord's side and with the way to browsers, and what cures it
    Doctor(Doctor),
    /// Why somebody is shown a voice channel, or is not: asks a running web role
    Explain(Explain),
    /// Makes a link by which stream software shows one voice channel, or ends one: asks a running web role
    OverlayLink(OverlayLinkRequest),
    /// Follows a running house, one line for each event: asks a running web role
    Tail(Tail),
    /// Writes .env, and says how to invite the bot and what to enter in Discord's portal
    Init(Init),
}

/// `guildhall doctor`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Doctor {
    /// Whose settings are read, and what is looked at
    #[arg(long, value_enum, default_value = "all")]
    pub(crate) role: DoctorRole,
    /// An ops listener of the house, if it runs; several where gateway and web are apart [default: on this machine, at `OPS_PORT`, 9090 and 9091]
    #[arg(long, value_name = "URL")]
    pub(crate) ops: Vec<Url>,
    /// For how long a stream through `BASE_URL` is left silent: a real one says something every 15 seconds
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = idle)]
    pub(crate) idle: Duration,
    /// How to print it
    #[arg(short, long, value_enum, default_value = "table")]
    pub(crate) output: DoctorOutput,
}

/// Whose settings are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorRole {
    /// Those of both roles
    All,
    /// Those of the gateway alone
    Gateway,
    /// Those of web alone, which has no bot token
    Web,
}

/// How the checks are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorOutput {
    /// Every check, with the cure of each that found something
    #[value(name = "table")]
    All,
    /// For programs
    Json,
    /// A line for each check that found something
    Short,
}

/// `20s`, `2m`; an hour at most, which is what the other end takes.
fn idle(text: &str) -> Result<Duration, String> {
    let idle = crate::config::duration_of(text).filter(|idle| *idle <= Duration::from_hours(1));
    idle.ok_or_else(|| "say 20s or 2m, up to 1h".to_owned())
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
pub(crate) struct OverlayLinkRequest {
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
    // One of base64url in 64 begins with a hyphen.
    #[arg(
        long,
        value_name = "ID",
        allow_hyphen_values = true,
        conflicts_with_all = ["user", "channel", "days"]
    )]
    pub(crate) revoke: Option<String>,
    /// The ops listener of `all` or `web` [default: on this machine, at `OPS_PORT`, 9090 or 9091]
    #[arg(long, value_name = "URL")]
    pub(crate) ops: Option<Url>,
    /// How to print it
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: TextOrJson,
}

/// `guildhall tail`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Tail {
    /// As this person sees it, by Discord's id of them [default: as the bot sees it]
    #[arg(long = "as", value_name = "USER")]
    pub(crate) person: Option<UserId>,
    /// Only this guild; may be said more than once
    #[arg(long = "guild", value_name = "ID")]
    pub(crate) guilds: Vec<GuildId>,
    /// Only this voice or stage channel; may be said more than once
    #[arg(long = "channel", value_name = "ID")]
    pub(crate) channels: Vec<ChannelId>,
    /// Only these families of events, comma-separated: voice, room
    #[arg(long, value_name = "LIST")]
    pub(crate) events: Option<String>,
    /// The ops listener of `all` or `web` [default: on this machine, at `OPS_PORT`, 9090 or 9091]
    #[arg(long, value_name = "URL")]
    pub(crate) ops: Option<Url>,
    /// How to print it
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: TextOrJson,
}

/// `guildhall init`. What is also a setting may be said as one; secrets are only read from there.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "On a terminal it asks for what is missing. Elsewhere set DISCORD_BOT_TOKEN and DISCORD_CLIENT_SECRET in the environment, or DISCORD_BOT_TOKEN_FILE and DISCORD_CLIENT_SECRET_FILE to files that hold them."
)]
pub(crate) struct Init {
    /// Writes over a .env that is there, and keeps that under another name
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// What the bot is going to be used for: decides what it asks for when it is invited
    #[arg(long = "use", value_name = "USE", value_enum)]
    pub(crate) used_for: Option<UsedFor>,
    /// The page as browsers reach it [default: http://localhost:WEB_PORT]
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Port of the page and the streams
    #[arg(long, value_name = "PORT")]
    pub(crate) web_port: Option<String>,
    /// Guilds to bridge, comma-separated [default: all guilds of the bot]
    #[arg(long, value_name = "IDS")]
    pub(crate) discord_guild_id: Option<String>,
    /// Intents beside guilds and voice states: members, moderation
    #[arg(long, value_name = "LIST")]
    pub(crate) discord_intents: Option<String>,
    /// 1: signing in by an invite lets people into its guild
    #[arg(long, value_name = "0|1")]
    pub(crate) guilds_join: Option<String>,
    /// Origin of Discord's API and OAuth2
    #[arg(long, value_name = "URL")]
    pub(crate) discord_url: Option<String>,
    /// Origin of Discord's pictures
    #[arg(long, value_name = "URL")]
    pub(crate) discord_cdn_url: Option<String>,
    /// How to print what is to be done next
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: TextOrJson,
}

/// What a bot is used for; each more than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UsedFor {
    /// Rooms and people are shown
    Show,
    /// Also: people are moved, channels are renamed
    Command,
    /// Also: rooms are made and kept
    Rooms,
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
