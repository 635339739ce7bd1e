//! A running house's ops listener, as the tools ask it.

use std::time::Duration;

use anyhow::{Context, bail};
use guildhall_http::tls;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::config::Settings;

/// A look-up of rights takes 5 s at most.
const LIMIT: Duration = Duration::from_secs(10);

/// Where the roles have it when nobody says otherwise.
const DEFAULT_PORTS: [u16; 2] = [9090, 9091];

/// Where to ask.
pub(super) struct OpsClient {
    http: Client,
    /// Each is tried until one knows what is asked for: on one machine the gateway's listener may be
    /// beside that of web.
    bases: Vec<Url>,
    admin_token: Option<String>,
}

impl OpsClient {
    /// `said`: those to ask. Where none is, it is where the settings have it.
    pub(super) fn new(said: &[Url], settings: &Settings) -> anyhow::Result<Self> {
        let bases = match said {
            [] => on_this_machine(settings),
            urls => urls.to_vec(),
        };
        let http = Client::builder()
            .timeout(LIMIT)
            .tls_backend_preconfigured(tls::with_http2(&tls::client_config(None)))
            // What is asked goes to this listener and nowhere else.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            bases,
            admin_token: settings.get("ADMIN_TOKEN").map(str::to_owned),
        })
    }

    /// What is at a path, as JSON.
    pub(super) async fn json(&self, path: &str) -> anyhow::Result<String> {
        self.asked(path, None).await
    }

    /// What is answered to this body.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<String> {
        self.asked(path, Some(body)).await
    }

    async fn asked(&self, path: &str, body: Option<&Value>) -> anyhow::Result<String> {
        let mut failed = None;
        for base in &self.bases {
            let why = match self.ask(base, path, body).await {
                Ok(Answer::Text(text)) => return Ok(text),
                Ok(Answer::Refused(sentence)) => bail!("{base}: {sentence}"),
                Ok(Answer::NotHere) => anyhow::anyhow!(
                    "{base} has no /admin: that is the ops listener of a gateway alone, ask that \
                     of `web` or `all`"
                ),
                Err(error) => error,
            };
            // A listener that answers tells more than one that is not there.
            let tells = |why: &anyhow::Error| why.downcast_ref::<reqwest::Error>().is_none();
            if failed.as_ref().is_none_or(|failed| !tells(failed)) {
                failed = Some(why);
            }
        }
        Err(failed.unwrap_or_else(|| anyhow::anyhow!("OPS_HOST: there is nowhere to ask")))
    }

    /// What each of them that answers measures, in the format of Prometheus.
    pub(super) async fn metrics(&self) -> Vec<String> {
        let mut all = Vec::new();
        for base in &self.bases {
            if let Ok(Answer::Text(text)) = self.ask(base, "metrics", None).await {
                all.push(text);
            }
        }
        all
    }

    async fn ask(&self, base: &Url, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let url = base.join(path)?;
        let mut request = match body {
            None => self.http.get(url),
            Some(body) => self.http.post(url).json(body),
        };
        if let Some(token) = &self.admin_token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.with_context(|| {
            format!("{base} does not answer: is the house running? (--ops says where it is)")
        })?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok(
            match (status, serde_json::from_str::<RefusedAsking>(&text)) {
                (StatusCode::OK | StatusCode::NO_CONTENT, _) => Answer::Text(text),
                (_, Ok(refusal)) => Answer::Refused(refusal.error.message),
                (StatusCode::NOT_FOUND, Err(_)) => Answer::NotHere,
                (status, Err(_)) => Answer::Refused(format!("it answers {status}")),
            },
        )
    }
}

enum Answer {
    Text(String),
    Refused(String),
    NotHere,
}

#[derive(Deserialize)]
struct RefusedAsking {
    error: RefusalMessage,
}

#[derive(Deserialize)]
struct RefusalMessage {
    message: String,
}

fn on_this_machine(settings: &Settings) -> Vec<Url> {
    let host = match settings.get("OPS_HOST") {
        // Bound everywhere, it is here as well.
        None | Some("0.0.0.0" | "::") => "127.0.0.1",
        Some(host) => host,
    };
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let said = settings.get("OPS_PORT").and_then(|port| port.parse().ok());
    let ports = said.map_or(DEFAULT_PORTS.to_vec(), |port| vec![port]);
    let urls = ports
        .iter()
        .map(|port| Url::parse(&format!("http://{host}:{port}/")));
    urls.filter_map(Result::ok).collect()
}
