//! One probe: asked for as a browser asks for a stream, and noted with the time of each piece.

use std::{io::Read, time::Duration};

use flate2::read::GzDecoder;
use guildhall_http::{
    root_cause,
    tls::{self, tls_failure},
};
use guildhall_web::ProbeEcho;
use reqwest::{
    Client, Response, StatusCode, Version,
    header::{self, HeaderMap},
};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::time::{Instant, timeout};
use url::Url;

use super::proxy::Proxy;

/// A cursor as browsers send one.
pub(super) const CURSOR: &str = "0-1700000000000-42";
/// The length of a cookie's value that nothing takes for a large one.
pub(super) const COOKIE_LENGTH: usize = 64;
/// A session's `Set-Cookie` has 3,800 bytes at most, of which the attributes are a hundred.
pub(super) const LARGE_COOKIE: usize = 3_700;

/// For the head, and for what follows the last event that is due.
const LIMIT: Duration = Duration::from_secs(10);
/// Pieces that come so close together came as one.
const TOGETHER: Duration = Duration::from_millis(100);
/// More than a probe has; whatever is longer is none.
const LONGEST: usize = 64 << 10;

/// How a probe is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProbeRequest {
    cookie_length: usize,
    quiet: Duration,
    accept_encoding: &'static str,
}

impl ProbeRequest {
    /// All browsers take gzip.
    pub(super) fn like_a_browser() -> Self {
        Self {
            cookie_length: COOKIE_LENGTH,
            quiet: Duration::ZERO,
            accept_encoding: "gzip",
        }
    }

    pub(super) fn with_large_cookies() -> Self {
        Self {
            cookie_length: LARGE_COOKIE,
            ..Self::like_a_browser()
        }
    }

    /// Not compressed, so that what was said before a cut can be read.
    pub(super) fn silent_for(quiet: Duration) -> Self {
        Self {
            quiet,
            accept_encoding: "identity",
            ..Self::like_a_browser()
        }
    }
}

/// What came.
#[derive(Clone, Debug)]
pub(super) struct Probed {
    /// The request as it arrived.
    pub(super) echo: ProbeEcho,
    /// From the request to the answer's head.
    pub(super) head_after: Duration,
    /// When pieces of the body came, counted from the head.
    pieces: Vec<Duration>,
    /// From the head to the stream's end, or to when it was given up.
    ended_after: Duration,
    /// As which the body was sent, where that is not as it was written.
    pub(super) encoding: Option<String>,
    /// The length of the cookie's value that came back.
    pub(super) set_cookie: Option<usize>,
    pub(super) version: Version,
    pub(super) is_https: bool,
    pub(super) proxy: Proxy,
    /// Whether the event behind the silence came.
    pub(super) heard_after_silence: bool,
}

/// Why no probe opened.
#[derive(Clone, Debug)]
pub(super) enum Unopened {
    /// Nothing answers, and why.
    Unreachable(String),
    /// Something answers with another status.
    Answered(OtherAnswer),
    /// A 200 that is no stream.
    NoStream,
    /// It ended without an event.
    Cut,
}

/// An answer that is no stream.
#[derive(Clone, Debug)]
pub(super) struct OtherAnswer {
    pub(super) status: StatusCode,
    /// Of Guildhall's own error; `None`: it is somebody else's answer.
    pub(super) code: Option<String>,
    pub(super) location: Option<String>,
    pub(super) proxy: Proxy,
}

impl Probed {
    /// What a probe says without a silence.
    pub(super) const EVENTS: usize = 5;

    /// In how many pieces the body came.
    pub(super) fn arrivals(&self) -> usize {
        let mut count = 0;
        let mut before = None;
        for at in &self.pieces {
            if before.is_none_or(|before| at.saturating_sub(before) > TOGETHER) {
                count += 1;
            }
            before = Some(*at);
        }
        count
    }

    /// Whether events waited for others: they are said a quarter of a second apart.
    pub(super) fn is_held(&self) -> bool {
        self.arrivals() < Self::EVENTS - 2
    }

    /// When the first event came, counted from the head.
    pub(super) fn first_after_head(&self) -> Duration {
        self.pieces.first().copied().unwrap_or(self.ended_after)
    }

    /// How long nothing came before the end.
    pub(super) fn silence(&self) -> Duration {
        let last = self.pieces.last().copied().unwrap_or_default();
        self.ended_after.saturating_sub(last)
    }

    /// The one of two that was held less, with the sooner head of both.
    pub(super) fn better(self, other: Self) -> Self {
        let head_after = self.head_after.min(other.head_after);
        let best = if self.is_held() { other } else { self };
        Self { head_after, ..best }
    }
}

/// Asks for probes of one house.
pub(super) struct ProbeClient {
    http: Client,
    base_url: Url,
    session_cookie: String,
}

impl ProbeClient {
    pub(super) fn new(
        base_url: &Url,
        tls: &ClientConfig,
        session_cookie: &str,
    ) -> anyhow::Result<Self> {
        let http = Client::builder()
            .connect_timeout(LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(tls::with_http2(tls))
            // As a browser: one that is kept alive is used again, one connection for each stream.
            .build()?;
        Ok(Self {
            http,
            base_url: base_url.clone(),
            session_cookie: session_cookie.to_owned(),
        })
    }

    /// Opens one and reads it to its end.
    pub(super) async fn open(
        &self,
        token: &str,
        request: ProbeRequest,
    ) -> Result<Probed, Unopened> {
        let mut url = self.base_url.clone();
        let prefix = self.base_url.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/api/probe"));
        url.query_pairs_mut()
            .append_pair("token", token)
            .append_pair("quietMs", &request.quiet.as_millis().to_string())
            .append_pair("cookieLength", &request.cookie_length.to_string());
        let value = "p".repeat(request.cookie_length);
        let asked = self
            .http
            .get(url)
            .header(header::ACCEPT, "text/event-stream")
            .header(header::ACCEPT_ENCODING, request.accept_encoding)
            .header(header::COOKIE, format!("{}={value}", self.session_cookie))
            .header("last-event-id", CURSOR);
        let begun = Instant::now();
        let answer = match timeout(LIMIT, asked.send()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(Unopened::Unreachable(cause(error))),
            Err(_) => return Err(Unopened::Unreachable("no answer in time".to_owned())),
        };
        let head_at = Instant::now();
        if answer.status() != StatusCode::OK {
            return Err(refused(answer).await);
        }
        let kind = text(answer.headers(), "content-type").unwrap_or_default();
        if !kind.starts_with("text/event-stream") {
            return Err(Unopened::NoStream);
        }
        self.read(answer, head_at - begun, head_at, request.quiet)
            .await
    }

    async fn read(
        &self,
        mut answer: Response,
        head_after: Duration,
        head_at: Instant,
        quiet: Duration,
    ) -> Result<Probed, Unopened> {
        let headers = answer.headers().clone();
        let version = answer.version();
        let give_up_at = head_at + quiet + LIMIT;
        let (mut pieces, mut body) = (Vec::new(), Vec::new());
        while let Ok(Ok(Some(piece))) = tokio::time::timeout_at(give_up_at, answer.chunk()).await {
            pieces.push(head_at.elapsed());
            body.extend_from_slice(&piece);
            if body.len() > LONGEST {
                return Err(Unopened::NoStream);
            }
        }
        let ended_after = head_at.elapsed();
        let encoding = text(&headers, "content-encoding").filter(|one| one != "identity");
        let body = match encoding.as_deref() {
            Some("gzip" | "x-gzip") => unpacked(&body),
            _ => body,
        };
        let body = String::from_utf8_lossy(&body);
        let echo = data_of(&body, "echo").and_then(|data| serde_json::from_str(data).ok());
        Ok(Probed {
            echo: echo.ok_or(Unopened::Cut)?,
            head_after,
            pieces,
            ended_after,
            encoding,
            set_cookie: set_cookie(&headers),
            version,
            is_https: self.base_url.scheme() == "https",
            proxy: Proxy::of(&headers),
            heard_after_silence: data_of(&body, "quiet").is_some(),
        })
    }
}

/// What of it can be unpacked: the end may be missing.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut reader = GzDecoder::new(packed).take(LONGEST as u64);
    // What was read before an error stays.
    let _cut = reader.read_to_end(&mut plain).is_err();
    plain
}

/// The data of the first event of a name that is complete.
fn data_of<'a>(body: &'a str, event: &str) -> Option<&'a str> {
    let begin = format!("event: {event}\ndata: ");
    let (_, behind) = body.split_once(&begin)?;
    Some(behind.split_once("\n\n")?.0)
}

async fn refused(answer: Response) -> Unopened {
    let status = answer.status();
    let location = text(answer.headers(), "location");
    let proxy = Proxy::of(answer.headers());
    let body = timeout(LIMIT, answer.bytes()).await;
    let body = body.ok().and_then(Result::ok).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    Unopened::Answered(OtherAnswer {
        status,
        code: body["error"]["code"].as_str().map(str::to_owned),
        location,
        proxy,
    })
}

fn set_cookie(headers: &HeaderMap) -> Option<usize> {
    let all = headers.get_all(header::SET_COOKIE).iter();
    let mut lengths = all.filter_map(|line| {
        let (name, value) = line.to_str().ok()?.split(';').next()?.split_once('=')?;
        name.ends_with("guildhall-probe").then_some(value.len())
    });
    lengths.next()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// Without the address, which has the token.
fn cause(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let error = error.without_url();
    tls_failure(&error, "SSL_CERT_FILE").unwrap_or_else(|| root_cause(&error))
}
