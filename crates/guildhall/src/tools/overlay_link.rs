//! `guildhall overlay-link`: has a running house make a link for stream software, or end one.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};
use url::Url;

use super::{
    ops_client::OpsClient,
    print::{plain, print},
};
use crate::{
    cli::{OverlayLinkRequest, TextOrJson},
    config::Settings,
    lifecycle::ProcessExit,
};

const SECONDS_PER_DAY: u32 = 24 * 60 * 60;

pub(super) async fn run(
    asked: &OverlayLinkRequest,
    settings: &Settings,
) -> Result<ExitCode, ProcessExit> {
    let client = OpsClient::new(asked.ops.as_slice(), settings)?;
    if let Some(id) = &asked.revoke {
        let body = json!({ "id": id_in(id) });
        client.post("admin/overlay-links/revoke", &body).await?;
        let text = "The link is over: what it had open has ended, and it opens nothing any more.";
        match asked.output {
            TextOrJson::Text => print(text)?,
            TextOrJson::Json => print("{}")?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut body = json!({ "userId": asked.user, "channelId": asked.channel });
    if let Some(days) = asked.days {
        body["expiresInSeconds"] = json!(u32::from(days) * SECONDS_PER_DAY);
    }
    let answer = client.post("admin/overlay-links", &body).await?;
    match asked.output {
        TextOrJson::Json => print(&answer)?,
        TextOrJson::Text => {
            let answer = serde_json::from_str(&answer).context("the answer is no JSON")?;
            print(&text(&answer, asked.days.unwrap_or(30)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The whole link is as good as its id.
fn id_in(said: &str) -> String {
    let url = Url::parse(said).ok();
    let token = url.and_then(|url| {
        let mut pairs = url.query_pairs();
        let (_, token) = pairs.find(|(name, _)| name == "overlay")?;
        Some(token.into_owned())
    });
    token.unwrap_or_else(|| said.to_owned())
}

fn text(answer: &Value, days: u8) -> String {
    let (url, id) = (plain(&answer["url"]), plain(&answer["id"]));
    format!(
        "{url}\n\n\
         Put it into a browser source. Whoever has it sees the room, for {days} days, and for as long as \
         whoever it was made for does.\n\
         To end it before:\n\n    guildhall overlay-link --revoke {id}\n"
    )
}
