//! Requests to the product and to the simulator, one after the other.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use tokio::runtime::{Builder, Runtime};

const PATIENCE: Duration = Duration::from_secs(15);

/// Keeps its connection open from one request to the next. What measures and what kills is plain
/// threads, so the runtime is inside.
pub(crate) struct Client {
    address: SocketAddr,
    ready: Option<(Runtime, reqwest::Client)>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Response {
    /// All values of a header.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.headers.get_all(name).iter();
        values.filter_map(|value| value.to_str().ok())
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            ready: None,
        }
    }

    pub(crate) fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> anyhow::Result<Response> {
        let url = self.url(path);
        self.exchange(|http| {
            let request = http.get(&url);
            let with = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| {
                request.header(*name, *value)
            };
            headers.iter().fold(request, with)
        })
        .with_context(|| format!("GET {url}"))
    }

    pub(crate) fn post(&mut self, path: &str, json: &str) -> anyhow::Result<Response> {
        let url = self.url(path);
        self.exchange(|http| {
            let request = http.post(&url).header(CONTENT_TYPE, "application/json");
            request.body(json.to_owned())
        })
        .with_context(|| format!("POST {url}"))
    }

    /// Without a body.
    pub(crate) fn put(&mut self, path: &str) -> anyhow::Result<Response> {
        let url = self.url(path);
        self.exchange(|http| http.put(&url))
            .with_context(|| format!("PUT {url}"))
    }

    /// Any other request, with or without JSON.
    pub(crate) fn send(
        &mut self,
        method: Method,
        path: &str,
        json: Option<&str>,
    ) -> anyhow::Result<Response> {
        let url = self.url(path);
        self.exchange(|http| {
            let request = http.request(method, &url);
            match json {
                Some(json) => request
                    .header(CONTENT_TYPE, "application/json")
                    .body(json.to_owned()),
                None => request,
            }
        })
        .with_context(|| url)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn exchange(
        &mut self,
        request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> anyhow::Result<Response> {
        let (runtime, http) = match &mut self.ready {
            Some(ready) => ready,
            none => none.insert(ready()?),
        };
        runtime.block_on(async {
            let response = request(http).send().await?;
            Ok(Response {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: response.text().await?,
            })
        })
    }
}

fn ready() -> anyhow::Result<(Runtime, reqwest::Client)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let http = reqwest::Client::builder()
        .timeout(PATIENCE)
        // Both servers close a connection after 10 s without a request; one that leaves just then
        // would be answered with a reset.
        .pool_idle_timeout(Duration::from_secs(5))
        // A login is walked through step by step.
        .redirect(Policy::none())
        .no_proxy()
        .build()?;
    Ok((runtime, http))
}
