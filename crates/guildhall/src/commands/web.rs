//! `guildhall web`.

use super::{build_web, start_ops, start_web};
use crate::{
    adapters,
    config::{self, Settings, WebSettings},
    lifecycle::{Lifecycle, ProcessExit},
    telemetry,
};

/// Beside a gateway on the same machine, so not its port.
pub(super) const OPS_PORT: u16 = 9091;

pub(super) async fn run(settings: Settings) -> Result<(), ProcessExit> {
    let metrics = telemetry::metrics()?;
    let WebSettings { role, gateway_url } = config::web(&settings)?;
    let web = build_web(role, adapters::registry_at(&gateway_url))?;
    let mut lifecycle = Lifecycle::new();
    start_ops(
        &mut lifecycle,
        &settings,
        OPS_PORT,
        vec![web.health()],
        Some(web.admin()),
        metrics,
    )
    .await?;
    start_web(&mut lifecycle, web);
    lifecycle.wait().await
}
