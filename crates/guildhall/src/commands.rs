//! One file for each subcommand; here what they share.

/// Gateway and web in one process.
mod all;
/// All mistakes of a start, before anything is written.
mod check;
/// Everything, with a simulated Discord.
#[cfg(feature = "simulator")]
mod demo;
/// The gateway role alone.
mod gateway;
/// The OpenAPI document.
#[cfg(feature = "openapi")]
pub(crate) mod openapi;
/// Addresses and folders that a start will use.
mod preflight;
/// The simulator alone.
#[cfg(feature = "simulator")]
mod simulator;
/// The web role alone.
mod web;

pub(crate) use check::{RoleSettings, role_settings};
pub(crate) use preflight::folder as check_folder;

use std::{net::SocketAddr, sync::Arc};

use guildhall_gateway::{Gateway, GatewayBuildError, GatewayRunError};
use guildhall_ports::{GatewayRegistry, Health, LinkAddress};
use guildhall_web::{Web, WebAdmin, WebBuildError};
use metrics_exporter_prometheus::PrometheusHandle;
use url::Url;

use crate::{
    adapters::{self, GatewayStores},
    cli::{Arguments, Subcommand},
    config::{self, ConfigError, Settings, Sources, refuse},
    descriptors,
    lifecycle::{Lifecycle, ProcessExit},
    ops::{Ops, OpsAdmission},
    telemetry,
};

/// Runs what was asked for, until it ends.
pub(crate) fn run(arguments: &Arguments) -> Result<(), ProcessExit> {
    let sources = Sources::from_process(arguments.flags.clone());
    #[cfg(feature = "simulator")]
    let sources = if arguments.subcommand == Subcommand::Demo {
        demo::kept_out(demo::with_its_own_rooms(sources))
    } else if arguments.subcommand.has_simulator() {
        demo::kept_out(sources)
    } else {
        sources
    };
    let settings = Settings::resolve(&sources);
    check::all_at_once(arguments, &settings).inspect_err(|_| check::warn(&settings))?;
    if arguments.check {
        check::warn(&settings);
        return Ok(());
    }
    telemetry::logs(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let result = runtime.block_on(async {
        match arguments.subcommand {
            #[cfg(feature = "simulator")]
            Subcommand::Demo => demo::run(settings, &arguments.simulation).await,
            Subcommand::All => all::run(settings).await,
            Subcommand::Gateway => gateway::run(settings).await,
            Subcommand::Web => web::run(settings).await,
            #[cfg(feature = "simulator")]
            Subcommand::Simulator => simulator::run(&settings, &arguments.simulation).await,
        }
    });
    // A task that did not stop in time must not hold the process.
    runtime.shutdown_background();
    result
}

/// A built gateway, and its stores: whoever holds them keeps others out of `DATA_DIR`.
///
/// To be let go of last of all: when the next process gets the stores, every port is free.
struct BuiltGateway {
    gateway: Gateway,
    stores: GatewayStores,
}

/// `registry`: where it announces itself.
async fn build_gateway(
    settings: &Settings,
    registry: Arc<dyn GatewayRegistry>,
) -> Result<BuiltGateway, ProcessExit> {
    let config = config::gateway(settings)?;
    let stores = adapters::gateway_stores(settings).await?;
    let listen = config.listen;
    let gateway = config.build(adapters::gateway(stores.clone(), registry));
    let gateway = gateway.await.map_err(|error| match error {
        GatewayBuildError::NotBound(error) => {
            let (host, port) = ("GATEWAY_WS_HOST", "GATEWAY_WS_PORT");
            ConfigError(config::not_bound(host, port, listen, &error)).into()
        }
        GatewayBuildError::Tls(why) => ConfigError(format!("DISCORD_BOT_TOKEN: {why}")).into(),
        GatewayBuildError::Misconfigured(sentence) => ConfigError(sentence).into(),
        error @ GatewayBuildError::Failed(_) => ProcessExit::Failed(error.into()),
    })?;
    Ok(BuiltGateway { gateway, stores })
}

/// `registry`: who knows where the gateway is.
fn build_web(
    mut web: guildhall_web::Config,
    registry: Arc<dyn GatewayRegistry>,
) -> Result<Web, ProcessExit> {
    let limit = descriptors::limit();
    if let Some(sentence) = descriptors::shortage(limit, web.streams_max) {
        tracing::warn!("{sentence}");
    }
    web.connections = descriptors::connections(limit, web.streams_max);
    tracing::info!(
        "[Web] Up to {} connections at one time, of {limit} open files",
        web.connections
    );
    let (listen, certificate) = (web.listen, web.certificate.clone());
    let built = web.build(&adapters::web(registry));
    built.map_err(|error| match error {
        WebBuildError::NotBound(error) => {
            ConfigError(config::not_bound("WEB_HOST", "WEB_PORT", listen, &error)).into()
        }
        WebBuildError::Certificate(error) => {
            let files = certificate.expect("only what is set can be unusable");
            config::edge::unusable(&files, &error).into()
        }
        error @ WebBuildError::Tls => ConfigError(error.to_string()).into(),
        error @ WebBuildError::Failed(_) => ProcessExit::Failed(error.into()),
    })
}

fn start_gateway(lifecycle: &mut Lifecycle, gateway: Gateway) {
    lifecycle.start(|tracker, stop| async move {
        let ended = gateway.run(&tracker, stop).await;
        ended.map_err(|error| match error {
            GatewayRunError::Misconfigured(sentence) => ConfigError(sentence).into(),
            error @ GatewayRunError::Failed(_) => ProcessExit::Failed(error.into()),
        })
    });
}

fn start_web(lifecycle: &mut Lifecycle, web: Web) {
    lifecycle.start(|tracker, stop| async move {
        let ended = web.run(&tracker, stop).await;
        ended.map_err(|error| ProcessExit::Failed(error.into()))
    });
}

/// Binds the ops listener for these roles and starts it. `admin`: of the role that serves browsers.
async fn start_ops(
    lifecycle: &mut Lifecycle,
    settings: &Settings,
    default_port: u16,
    roles: Vec<Arc<dyn Health>>,
    admin: Option<WebAdmin>,
    metrics: PrometheusHandle,
) -> Result<SocketAddr, ProcessExit> {
    let listen = config::listen_or(settings, "OPS_HOST", "OPS_PORT", default_port)?;
    let admission = OpsAdmission {
        listen,
        token: config::edge::admin_token(settings)?,
        hosts: config::edge::allowed_hosts(settings)?,
    };
    let ops = Ops::build(admission, roles, admin, metrics)?;
    let address = ops.local_addr().map_err(anyhow::Error::from)?;
    lifecycle.start(|tracker, stop| async move {
        ops.run(&tracker, stop).await;
        Ok(())
    });
    Ok(address)
}

/// The link as web in the same process dials it.
fn link_url(address: &LinkAddress) -> Result<Url, ConfigError> {
    match Url::parse(address.as_str()) {
        Ok(url) => Ok(url),
        Err(error) => refuse!("GATEWAY_WS_HOST: {address} is no address to dial ({error})."),
    }
}
