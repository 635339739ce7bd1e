//! Tells the simulated Discord where webhook events go, as one does in the developer portal.

use std::time::Duration;

use anyhow::ensure;
use reqwest::Client;
use serde_json::json;

use super::below;

/// The page must be serving: Discord tries the address at once.
pub(super) async fn register(discord: &str, page: &str) -> anyhow::Result<()> {
    let client = Client::builder().timeout(Duration::from_secs(10)).build()?;
    let url = below(page, "/webhooks/discord")?;
    let put = client.put(below(discord, "/sim/application/webhook")?);
    let put = put
        .header("content-type", "application/json")
        .body(json!({"url": url.as_str()}).to_string())
        .send()
        .await?;
    ensure!(
        put.status().is_success(),
        "it was answered {}",
        put.status()
    );
    Ok(())
}
