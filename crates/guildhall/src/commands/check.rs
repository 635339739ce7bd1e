//! All mistakes of a start in one go: before a folder is made, a port is bound or a secret is
//! written, and all that `--check` does.

use super::{all, demo, gateway, simulator, web};
use crate::{
    cli::Role,
    config::{self, ConfigError, Settings},
    telemetry,
};

/// Says everything that is wrong with what this role reads.
pub(super) fn all_at_once(role: Role, settings: &Settings) -> Result<(), ConfigError> {
    let mut mistakes = settings.mistakes.clone();
    // As it will be when the role has added what it adds by itself.
    let mut settings = settings.clone();
    match role {
        Role::All => all::assume(&mut settings),
        Role::Demo => demo::assume(&mut settings),
        Role::Gateway | Role::Web | Role::Simulator => {}
    }
    if matches!(role, Role::All | Role::Demo | Role::Gateway) {
        mistakes.take(config::gateway(&settings));
    }
    if matches!(role, Role::All | Role::Demo | Role::Web) {
        mistakes.take(config::web(&settings));
    }
    if matches!(role, Role::Demo | Role::Simulator) {
        mistakes.take(simulator::listen(&settings));
    }
    let ops = match role {
        Role::All | Role::Demo => Some(all::OPS_PORT),
        Role::Gateway => Some(gateway::OPS_PORT),
        Role::Web => Some(web::OPS_PORT),
        Role::Simulator => None,
    };
    if let Some(port) = ops {
        mistakes.take(config::listen_or(&settings, "OPS_HOST", "OPS_PORT", port));
    }
    mistakes.take(telemetry::check(&settings));
    mistakes.none()
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
