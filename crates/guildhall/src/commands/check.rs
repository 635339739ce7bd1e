//! All mistakes of a start in one go: before a folder is made or a secret is written, and all that
//! `--check` does.

use super::{
    all, gateway,
    preflight::{self, ListenAddress, Taken},
    web,
};
#[cfg(feature = "simulator")]
use super::{demo, simulator};
use crate::{
    adapters,
    cli::{Arguments, Subcommand},
    config::{self, ConfigError, Mistakes, Settings, WebSettings},
    telemetry,
};

/// Says everything that is wrong with what this role reads, and with what it will meet here.
pub(super) fn all_at_once(arguments: &Arguments, settings: &Settings) -> Result<(), ConfigError> {
    let subcommand = arguments.subcommand;
    let mut mistakes = settings.mistakes.clone();
    let keeps_journal = matches!(subcommand, Subcommand::All | Subcommand::Gateway);
    let folder = keeps_journal.then(|| mistakes.take(preflight::folder(settings)));
    #[cfg(feature = "simulator")]
    if subcommand == Subcommand::Simulator {
        mistakes.take(simulator::certificate(&arguments.simulation));
    }
    let usable_folder = folder == Some(Some(()));
    let RoleSettings { settings, .. } =
        role_settings(subcommand, settings, usable_folder, &mut mistakes);
    let listeners = listeners(subcommand, &settings, &mut mistakes);
    let taken = if arguments.check {
        Taken::ToldInCheck
    } else if keeps_journal && adapters::journal_is_in_use(&settings) {
        Taken::WaitedFor
    } else {
        Taken::Told
    };
    preflight::listeners(&listeners, taken, &mut mistakes);
    mistakes.none()
}

/// What the roles of a subcommand are told.
pub(crate) struct RoleSettings {
    /// With all that they add by themselves.
    settings: Settings,
    /// `None`: it has no gateway, or that can't be told.
    pub(crate) gateway: Option<guildhall_gateway::Config>,
    /// The same of web.
    pub(crate) web: Option<WebSettings>,
}

/// Reads what a subcommand's roles read, as they will when it has added what it adds by itself.
/// `usable_folder`: secrets that an earlier start made are read.
pub(crate) fn role_settings(
    subcommand: Subcommand,
    settings: &Settings,
    usable_folder: bool,
    mistakes: &mut Mistakes,
) -> RoleSettings {
    let mut settings = settings.clone();
    match subcommand {
        Subcommand::All => {
            if usable_folder {
                mistakes.take(all::take_kept(&mut settings));
            }
            all::assume(&mut settings);
        }
        #[cfg(feature = "simulator")]
        Subcommand::Demo => demo::assume(&mut settings),
        #[cfg(feature = "simulator")]
        Subcommand::Simulator => {}
        Subcommand::Gateway | Subcommand::Web => {}
    }
    let (mut gateway, mut web) = (None, None);
    if subcommand.has_gateway() {
        gateway = mistakes.take(config::gateway(&settings));
    }
    if subcommand.has_web() {
        web = mistakes.take(config::web(&settings));
    }
    mistakes.take(config::edge::admin_token(&settings));
    if !subcommand.has_web() {
        mistakes.take(config::edge::allowed_hosts(&settings));
    }
    mistakes.take(telemetry::check(&settings));
    RoleSettings {
        settings,
        gateway,
        web,
    }
}

/// What this role will listen on, as far as that can be read.
fn listeners(
    subcommand: Subcommand,
    settings: &Settings,
    mistakes: &mut Mistakes,
) -> Vec<ListenAddress> {
    let mut wanted = Vec::new();
    if subcommand.has_gateway() {
        wanted.push(("GATEWAY_WS_HOST", "GATEWAY_WS_PORT", None));
    }
    if subcommand.has_web() {
        wanted.push(("WEB_HOST", "WEB_PORT", None));
    }
    match subcommand {
        Subcommand::All => wanted.push(("OPS_HOST", "OPS_PORT", Some(all::OPS_PORT))),
        #[cfg(feature = "simulator")]
        Subcommand::Demo => wanted.push(("OPS_HOST", "OPS_PORT", Some(all::OPS_PORT))),
        Subcommand::Gateway => wanted.push(("OPS_HOST", "OPS_PORT", Some(gateway::OPS_PORT))),
        Subcommand::Web => wanted.push(("OPS_HOST", "OPS_PORT", Some(web::OPS_PORT))),
        #[cfg(feature = "simulator")]
        Subcommand::Simulator => {}
    }
    let mut found = Vec::new();
    for (host, port, default) in wanted {
        let at = match default {
            Some(default) => config::listen_or(settings, host, port, default),
            None => config::listen(settings, host, port),
        };
        let at = mistakes.take(at);
        found.extend(at.map(|at| ListenAddress { host, port, at }));
    }
    #[cfg(feature = "simulator")]
    if subcommand.has_simulator() {
        let name = "SIMULATOR_LISTEN";
        let at = mistakes.take(simulator::listen(settings));
        found.extend(at.map(|at| ListenAddress {
            host: name,
            port: name,
            at,
        }));
    }
    // The demo looks for a free port where nobody asked for one.
    #[cfg(feature = "simulator")]
    for listener in &mut found {
        if subcommand == Subcommand::Demo && !settings.is_set(listener.port) {
            listener.at.set_port(0);
        }
    }
    found
}

/// Says what is odd, where no logs are written.
pub(super) fn warn(settings: &Settings) {
    for warning in settings.warnings() {
        #[expect(clippy::print_stderr, reason = "logging has not begun")]
        {
            eprintln!("guildhall: warning: {warning}");
        }
    }
}
