//! Whether a stream opens by `BASE_URL`, and what is there where none does.

use reqwest::StatusCode;
use url::Url;

use super::{
    probe::{OtherAnswer, Probed, Unopened},
    proxy::{Mishap, Proxy},
};
use crate::tools::doctor::check::CheckOutcome;

pub(super) fn opened(probed: &Probed, base_url: &Url) -> CheckOutcome {
    let by = match probed.proxy {
        Proxy::Unknown => String::new(),
        known => format!(", through {}", known.name()),
    };
    CheckOutcome::passed(format!("a stream opens by {base_url}{by}"))
}

/// `port`: web's own.
pub(super) fn unopened(why: &Unopened, base_url: &Url, port: u16) -> CheckOutcome {
    let at = format!("{base_url} (BASE_URL)");
    match why {
        Unopened::Unreachable(cause) => CheckOutcome::found(
            format!("{at} does not answer: {cause}"),
            [
                "start the house and what stands before it, and look whether the name leads there",
                "where the certificate is another authority's, name its file in SSL_CERT_FILE",
            ],
        ),
        Unopened::NoStream => CheckOutcome::found(
            format!(
                "{at} answers with something else than a stream: its paths do not lead to Guildhall"
            ),
            Proxy::Unknown.lines(Mishap::NotPassedOn, port),
        ),
        Unopened::Cut => CheckOutcome::found(
            format!("a stream by {at} ends before its first event"),
            ["look into the log of what stands before Guildhall"],
        ),
        Unopened::Answered(answer) if answer.code.is_some() => refused(answer, &at, port),
        Unopened::Answered(answer) => answered(answer, &at, port),
    }
}

/// By Guildhall itself.
fn refused(answer: &OtherAnswer, at: &str, port: u16) -> CheckOutcome {
    match answer.status {
        StatusCode::UNAUTHORIZED => CheckOutcome::found(
            format!(
                "the Guildhall at {at} has another SESSION_SECRET than is read here, or another time"
            ),
            ["run this where web's settings are: with its .env, its environment and its DATA_DIR"],
        ),
        StatusCode::MISDIRECTED_REQUEST => CheckOutcome::found(
            format!("{at} is passed on under another name, which Guildhall does not answer to"),
            answer.proxy.lines(Mishap::HostLost, port),
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            CheckOutcome::skipped("as many probes are open as there may be: try again")
        }
        _ => answered(answer, at, port),
    }
}

/// By something else, or where nothing else is known.
fn answered(answer: &OtherAnswer, at: &str, port: u16) -> CheckOutcome {
    let status = answer.status;
    match status {
        _ if status.is_redirection() => CheckOutcome::found(
            format!(
                "{at} leads on to {}: a browser's stream does not follow with its cookie",
                answer.location.as_deref().unwrap_or("another address")
            ),
            ["set BASE_URL to the address that people have in the end"],
        ),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CheckOutcome::found(
            format!("something before Guildhall answers {status} at {at}"),
            ["let /api and /auth pass there: Guildhall signs people in by itself"],
        ),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            CheckOutcome::found(
                format!(
                    "what stands before Guildhall at {at} answers {status}: it does not reach web"
                ),
                [
                    "start web".to_owned(),
                    format!(
                        "or correct the proxy's address of it: WEB_HOST and WEB_PORT say {port}"
                    ),
                ],
            )
        }
        _ => CheckOutcome::found(
            format!("{at} answers {status}: its paths do not lead to Guildhall"),
            answer.proxy.lines(Mishap::NotPassedOn, port),
        ),
    }
}
