//! `guildhall gateway`.

use super::{BuiltGateway, build_gateway, start_gateway, start_ops};
use crate::{
    adapters,
    config::Settings,
    lifecycle::{Lifecycle, ProcessExit},
    telemetry,
};

/// Where the gateway's ops listener is when nobody says otherwise.
pub(super) const OPS_PORT: u16 = 9090;

pub(super) async fn run(settings: Settings) -> Result<(), ProcessExit> {
    tracing::info!("[Gateway Service] Starting Discord Gateway service...");
    let metrics = telemetry::metrics()?;
    let BuiltGateway { gateway, stores } = build_gateway(&settings, adapters::registry()).await?;
    let mut lifecycle = Lifecycle::new();
    start_ops(
        &mut lifecycle,
        &settings,
        OPS_PORT,
        vec![gateway.health()],
        None,
        metrics,
    )
    .await?;
    start_gateway(&mut lifecycle, gateway);
    let ended = lifecycle.wait().await;
    drop(stores);
    ended
}
