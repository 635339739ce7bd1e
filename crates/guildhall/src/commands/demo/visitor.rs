//! The demo's first visitor: signs in through the real login, as a browser would.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::{
    Client, Response,
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect::Policy,
};
use url::Url;

use super::below;

/// The roles start at the same moment as the visitor; until they are there he knocks again.
const KNOCK_EVERY: Duration = Duration::from_millis(25);
const KNOCKS: usize = 400;

/// Signs in as a simulated user; answers with the `Cookie` header of the session.
pub(super) async fn sign_in(page: &str, user_id: &str) -> anyhow::Result<String> {
    let client = Client::builder()
        .redirect(Policy::none())
        .timeout(Duration::from_secs(10))
        .build()?;
    wait_until_serving(&client, page).await?;
    let login = client.get(below(page, "/auth/login")?).send().await?;
    let attempt = cookie_of(&login).context("the login set no cookie")?;
    let mut authorize = location_of(&login).context("the login did not redirect")?;
    authorize.query_pairs_mut().append_pair("sim_user", user_id);
    let consent = client.get(authorize).send().await?;
    let callback = location_of(&consent).context("Discord's page did not redirect")?;
    let signed_in = client.get(callback).header(COOKIE, attempt).send().await?;
    ensure!(
        signed_in.status().is_redirection(),
        "the callback answered {}",
        signed_in.status()
    );
    cookie_of(&signed_in).context("the callback set no cookie")
}

/// The page answers at once; a stream only when the world is there.
async fn wait_until_serving(client: &Client, page: &str) -> anyhow::Result<()> {
    let health = below(page, "/api/health")?;
    for _ in 0..KNOCKS {
        match client.get(health.clone()).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(_) | Err(_) => tokio::time::sleep(KNOCK_EVERY).await,
        }
    }
    bail!("{health} did not answer in time")
}

fn location_of(answer: &Response) -> Option<Url> {
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    answer.url().join(location).ok()
}

/// `NAME=VALUE` of the last cookie that was set with a value.
fn cookie_of(answer: &Response) -> Option<String> {
    let set = answer.headers().get_all(SET_COOKIE).iter();
    let pairs = set.filter_map(|value| value.to_str().ok()?.split(';').next());
    let full = |pair: &&str| matches!(pair.split_once('='), Some((_, value)) if !value.is_empty());
    pairs.rev().find(full).map(str::to_owned)
}
