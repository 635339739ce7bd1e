//! Settings: where they come from, what they are called, and what is refused. Only this
//! folder reads the environment; the roles get plain data.

/// The operator's own programs.
mod api_tokens;
/// `.env`, line by line.
mod dotenv;
/// By which names we are asked, and what protects the way.
pub(crate) mod edge;
/// The gateway's settings.
mod gateway;
/// Secrets that are none.
mod guess;
/// Names that are nearly those of settings.
mod misspelling;
/// All that is wrong, in one go.
mod mistakes;
/// What is said of an address that can't be listened on.
mod not_bound;
/// Durations, URLs and lists as operators write them.
mod parse;
/// The settings of rooms.
mod rooms;
/// Secrets: read, refused, generated.
pub(crate) mod secrets;
/// Flag, environment, `.env`, default: who wins, and what is a mistake.
mod source;
/// Every setting there is.
pub(crate) mod table;
/// What outgoing connections trust.
mod tls;
/// The web role's settings.
mod web;

pub(crate) use gateway::gateway;
#[cfg(feature = "simulator")]
pub(crate) use misspelling::misspelt;
pub(crate) use mistakes::Mistakes;
pub(crate) use not_bound::not_bound;
#[cfg(feature = "simulator")]
pub(crate) use parse::ip;
pub(crate) use parse::{duration_of, listen, listen_or, shown};
pub(crate) use source::{Settings, Sources};
pub(crate) use tls::client_config;
pub(crate) use web::{WebSettings, assume_base_url, web};

/// A setting is missing, wrong, contradictory or misspelt. A sentence that names the setting and
/// the cure, or several, one line each; the process ends with [`EXIT_CONFIG`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(pub(crate) String);

impl ConfigError {
    /// What is wrong has been said already.
    fn told() -> Self {
        Self(String::new())
    }
}

/// `EX_CONFIG` of sysexits.h: restarting will not help.
pub(crate) const EXIT_CONFIG: u8 = 78;

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Builds a [`ConfigError`] from a format string.
macro_rules! refuse {
    ($($sentence:tt)*) => {
        Err($crate::config::ConfigError(format!($($sentence)*)))
    };
}
pub(crate) use refuse;

#[cfg(test)]
mod tests;
