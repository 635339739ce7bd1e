//! A running house's ops listener, as the tools ask it.

use std::time::Duration;

use anyhow::bail;
use guildhall_http::{root_cause, tls};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
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
        text(self.answer(path, Asking::Get).await?).await
    }

    /// What is answered to this body.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<String> {
        text(self.answer(path, Asking::Post(body)).await?).await
    }

    /// A stream, whose body is still to come; after a cursor, if there is one.
    pub(super) async fn open(
        &self,
        path: &str,
        cursor: Option<&str>,
    ) -> Result<Response, NoOpsAnswer> {
        let asking = cursor.map_or(Asking::Get, Asking::GetAfter);
        self.answer(path, asking).await
    }

    /// What each of them that answers measures, in the format of Prometheus.
    pub(super) async fn metrics(&self) -> Vec<String> {
        let mut all = Vec::new();
        for base in &self.bases {
            let Ok(answer) = self.ask(base, "metrics", Asking::Get).await else {
                continue;
            };
            all.extend(text(answer).await);
        }
        all
    }

    /// The answer of the first that has what is asked for.
    async fn answer(&self, path: &str, asking: Asking<'_>) -> Result<Response, NoOpsAnswer> {
        let mut failed: Option<NoOpsAnswer> = None;
        for base in &self.bases {
            let why = match self.ask(base, path, asking).await {
                Err(why @ (NoOpsAnswer::Silent(_) | NoOpsAnswer::NotHere(_))) => why,
                answered => return answered,
            };
            // A listener that answers tells more than one that is not there.
            let is_silent = |why: &NoOpsAnswer| matches!(why, NoOpsAnswer::Silent(_));
            if failed.as_ref().is_none_or(is_silent) {
                failed = Some(why);
            }
        }
        Err(failed.unwrap_or_else(|| {
            NoOpsAnswer::Refused("OPS_HOST: there is nowhere to ask".to_owned())
        }))
    }

    /// One of them's answer to a path, whose body is still to come.
    async fn ask(
        &self,
        base: &Url,
        path: &str,
        asking: Asking<'_>,
    ) -> Result<Response, NoOpsAnswer> {
        let silent = |why: String| {
            NoOpsAnswer::Silent(format!(
                "{base} does not answer: is the house running? (--ops says where it is): {why}"
            ))
        };
        let url = base.join(path).map_err(|error| silent(error.to_string()))?;
        let mut request = match asking {
            Asking::Get => self.http.get(url),
            Asking::GetAfter(cursor) => self.http.get(url).header("last-event-id", cursor),
            Asking::Post(body) => self.http.post(url).json(body),
        };
        if let Some(token) = &self.admin_token {
            request = request.bearer_auth(token);
        }
        let answer = match timeout(LIMIT, request.send()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(silent(root_cause(&error))),
            Err(_) => return Err(silent(format!("nothing within {} s", LIMIT.as_secs()))),
        };
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = text(answer).await.unwrap_or_default();
        let said = serde_json::from_str::<RefusedAsking>(&text).map(|said| said.error.message);
        Err(match (status, said) {
            (StatusCode::NOT_FOUND, Err(_)) => NoOpsAnswer::NotHere(format!(
                "{base} has no /admin: that is the ops listener of a gateway alone, ask that \
                 of `web` or `all`"
            )),
            (status, said) => {
                let said = said.unwrap_or_else(|_| format!("it answers {status}"));
                let sentence = format!("{base}: {said}");
                if status.is_server_error() {
                    NoOpsAnswer::NotNow(sentence)
                } else {
                    NoOpsAnswer::Refused(sentence)
                }
            }
        })
    }
}

/// How a path is asked.
#[derive(Clone, Copy)]
enum Asking<'a> {
    Get,
    /// A stream that goes on after a cursor.
    GetAfter(&'a str),
    /// With this as JSON.
    Post(&'a Value),
}

/// All of an answer.
async fn text(answer: Response) -> anyhow::Result<String> {
    match timeout(LIMIT, answer.text()).await {
        Ok(text) => Ok(text?),
        Err(_) => bail!("no answer within {} s", LIMIT.as_secs()),
    }
}

/// Why nothing was answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoOpsAnswer {
    /// Nobody is there.
    #[error("{0}")]
    Silent(String),
    /// Another role's listener.
    #[error("{0}")]
    NotHere(String),
    /// It may be answered later.
    #[error("{0}")]
    NotNow(String),
    /// Asking again is no use.
    #[error("{0}")]
    Refused(String),
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
