//! `guildhall all`: both roles in one process, still over a loopback socket, so that there is one
//! code path.

use std::{net::SocketAddr, sync::Arc};

use super::{
    BuiltGateway, build_gateway, build_web, link_url, start_gateway, start_ops, start_web,
};
use crate::{
    adapters::{self, GatewayStores},
    config::{self, ConfigError, Settings, secrets},
    lifecycle::{Lifecycle, ProcessExit},
    telemetry,
};

/// One ops listener serves both roles.
pub(super) const OPS_PORT: u16 = 9090;

/// What the two roles share and nobody outside needs to know.
const GENERATED: [&str; 2] = ["LINK_TOKEN", "SESSION_SECRET"];

/// Reads what was generated for an earlier start.
pub(super) fn take_kept(settings: &mut Settings) -> Result<(), ConfigError> {
    secrets::take_kept(settings, &GENERATED).map(drop)
}

/// What is there by the time the roles read it.
pub(super) fn assume(settings: &mut Settings) {
    for name in GENERATED {
        if !settings.is_set(name) {
            settings.set(name, secrets::random_hex());
        }
    }
    settings.set("GATEWAY_WS_URL", "ws://127.0.0.1:8080/link");
}

pub(super) async fn run(mut settings: Settings) -> Result<(), ProcessExit> {
    secrets::generate_missing(&mut settings, &GENERATED)?;
    let mut lifecycle = Lifecycle::new();
    let started = start(&mut lifecycle, settings).await?;
    let ended = lifecycle.wait().await;
    drop(started.stores);
    ended
}

/// Where the two roles listen, and what is let go of when they have ended.
#[cfg_attr(
    not(feature = "simulator"),
    expect(dead_code, reason = "only the demo tells people the addresses")
)]
pub(super) struct Started {
    pub(super) web: SocketAddr,
    pub(super) ops: SocketAddr,
    pub(super) stores: GatewayStores,
}

/// Builds everything, then starts everything: a mistake in the settings of one role is told
/// before the other has done anything.
pub(super) async fn start(
    lifecycle: &mut Lifecycle,
    mut settings: Settings,
) -> Result<Started, ProcessExit> {
    tracing::info!("[Gateway Service] Starting Discord Gateway service...");
    let metrics = telemetry::metrics()?;
    let registry = adapters::registry();
    config::assume_base_url(&mut settings);
    let built = build_gateway(&settings, Arc::clone(&registry)).await?;
    let BuiltGateway { gateway, stores } = built;
    let address = gateway.link_address();
    settings.set("GATEWAY_WS_URL", link_url(&address)?);
    let web = build_web(config::web(&settings)?.role, Arc::clone(&registry))?;
    // It listens already: web, which may be the first to run, need not find nobody announced.
    let announced = registry.announce(address).await;
    announced.map_err(anyhow::Error::from)?;
    let health = vec![gateway.health(), web.health()];
    let admin = Some(web.admin());
    let ops = start_ops(lifecycle, &settings, OPS_PORT, health, admin, metrics).await?;
    let started = Started {
        web: web.local_addr(),
        ops,
        stores,
    };
    start_gateway(lifecycle, gateway);
    start_web(lifecycle, web);
    Ok(started)
}
