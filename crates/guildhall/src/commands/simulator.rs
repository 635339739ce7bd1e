//! `guildhall simulator`: a simulated Discord, for testing any bot.

use std::net::SocketAddr;

use guildhall_simulator::{BuildError, Config, Simulator, TlsFilesError};

use crate::{
    cli::Simulation,
    config::{ConfigError, Settings, refuse},
    lifecycle::{Lifecycle, ProcessExit},
};

pub(super) async fn run(settings: &Settings, simulation: &Simulation) -> Result<(), ProcessExit> {
    let simulator = build(listen(settings)?, simulation).await?;
    let mut lifecycle = Lifecycle::new();
    let [api, gateway] = simulator.urls();
    let application = simulator.application();
    start(&mut lifecycle, simulator);
    #[expect(
        clippy::print_stdout,
        reason = "what a person who starts it by hand needs to know"
    )]
    {
        println!("Discord side   {api}/");
        println!("API            {api}/api/v10");
        println!("Gateway        {gateway}");
        println!("Bot token      {}", application.bot_token);
        println!("Client id      {}", application.id);
        println!("Client secret  {}", application.client_secret);
        println!("Public key     {}", application.public_key);
    }
    lifecycle.wait().await
}

/// Binds a simulator; everything in it is invented, its secrets included.
pub(super) async fn build(
    listen: SocketAddr,
    simulation: &Simulation,
) -> Result<Simulator, ProcessExit> {
    let mut config = Config {
        listen,
        seed: simulation.seed,
        fixed_ids: simulation.fixed_ids,
        scenario: simulation.scenario,
        tls: simulation.tls.clone(),
        ..Config::default()
    };
    for interval in &simulation.intervals {
        if let Err(error) = config.set_interval(interval) {
            return Err(ProcessExit::Misconfigured(ConfigError(format!(
                "--interval: {error}."
            ))));
        }
    }
    config.build().await.map_err(|error| {
        ProcessExit::Misconfigured(match error {
            BuildError::Tls(error) => no_tls(&error),
            error => ConfigError(format!("SIMULATOR_LISTEN: {error}: choose another port.")),
        })
    })
}

/// Whether TLS can be served, where it is asked for.
pub(super) fn certificate(simulation: &Simulation) -> Result<(), ConfigError> {
    let Some(files) = &simulation.tls else {
        return Ok(());
    };
    files.check().map_err(|error| no_tls(&error))
}

fn no_tls(error: &TlsFilesError) -> ConfigError {
    ConfigError(format!("--tls-cert, --tls-key: {error}."))
}

pub(super) fn start(lifecycle: &mut Lifecycle, simulator: Simulator) {
    lifecycle.start(|tracker, stop| async move {
        let ended = simulator.run(&tracker, stop).await;
        ended.map_err(|error| ProcessExit::Failed(error.into()))
    });
}

pub(super) fn listen(settings: &Settings) -> Result<SocketAddr, ConfigError> {
    let text = settings.require("SIMULATOR_LISTEN")?;
    match text.replace("localhost", "127.0.0.1").parse() {
        Ok(address) => Ok(address),
        Err(_) => refuse!("SIMULATOR_LISTEN is {text:?}: write an address such as 127.0.0.1:4000."),
    }
}
