//! `/admin` of the operator's listener: who has streams open, why somebody sees a room, what happens, ending
//! somebody's sessions, and overlay links.
//!
//! What protects it is that only this machine reaches the listener, or the operator's token. Without the
//! token it is not there on a listener that others reach, what a proxy passes on for others is refused, and
//! browsers, which other sites can make send requests from here, are refused unless they say that nobody did.

/// Rooms that the bot may not view.
mod blind_channels;
/// Why somebody is shown a room.
mod explain;
/// Links for stream software.
mod overlays;
/// What happens, as the bot or a person sees it.
mod stream;

use std::{fmt::Display, str::FromStr, time::Duration};

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use guildhall_http::only_value;
use guildhall_model::{UserId, json};
use guildhall_web::WebAdmin;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned},
};
use tokio::time::timeout;
use url::{Host, Url};

use super::{OpsAdmission, admission::TokenSaid};

/// More than any request here has.
const BODY_BYTES: usize = 4 * 1024;

/// Nobody who has the listener is slow.
const BODY_LIMIT: Duration = Duration::from_secs(5);

/// Headers by which a proxy says that it passes on what somebody else asked.
const PROXIES_SAY: [HeaderName; 4] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

/// `/admin/*`, as it is answered on a listener that is bound there.
pub(super) fn routes(admin: WebAdmin, admission: OpsAdmission) -> Router {
    Router::new()
        .route("/admin/streams", get(streams))
        .route("/admin/explain", get(explain::explain))
        .route("/admin/blind-channels", get(blind_channels::list))
        .route("/admin/stream", get(stream::stream))
        .route("/admin/revoke", post(revoke))
        .route("/admin/overlay-links", post(overlays::create))
        .route("/admin/overlay-links/revoke", post(overlays::revoke))
        .route("/admin/{*rest}", any(async || NOTHING_HERE))
        .method_not_allowed_fallback(async || WRONG_METHOD)
        .with_state(admin)
        .layer(Extension(stream::OperatorStreams::default()))
        .layer(from_fn_with_state(admission, guard))
}

/// `GET /admin/streams`: who has streams open on this instance.
async fn streams(State(admin): State<WebAdmin>) -> Response {
    answer(StatusCode::OK, &admin.streams())
}

/// Body of `POST /admin/revoke`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Revoke {
    #[serde(deserialize_with = "id_of_text")]
    user_id: UserId,
}

/// `POST /admin/revoke {userId}`: ends every session of a user, on all instances. On this one it is
/// done whatever is answered; 503 says that no gateway keeps it yet.
async fn revoke(
    State(admin): State<WebAdmin>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, AdminError> {
    let Revoke { user_id } = read(&headers, body, NO_USER).await?;
    let revoked = admin.revoke(user_id).await;
    revoked.map_err(|_no_gateway| NOT_KEPT)?;
    Ok(StatusCode::NO_CONTENT)
}

/// An id that is text. JavaScript rounds a number this large: somebody else would be meant.
fn id_of_text<'de, D, Id>(deserializer: D) -> Result<Id, D::Error>
where
    D: Deserializer<'de>,
    Id: FromStr<Err: Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(de::Error::custom)
}

/// Reads a body. `otherwise`: what it has to be.
async fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    otherwise: AdminError,
) -> Result<T, AdminError> {
    if !is_json(headers) {
        return Err(NO_JSON);
    }
    let reading = timeout(BODY_LIMIT, to_bytes(body, BODY_BYTES)).await;
    let Ok(Ok(body)) = reading else {
        return Err(NO_BODY);
    };
    // Of a list the first item would be taken for the field.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let read = serde_json::from_slice(&body).ok();
    read.filter(|_| is_object).ok_or(otherwise)
}

async fn guard(State(admission): State<OpsAdmission>, request: Request, next: Next) -> Response {
    match refusal(&admission, request.headers()) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(admission: &OpsAdmission, headers: &HeaderMap) -> Option<AdminError> {
    match admission.token_said(headers) {
        // No page has it, and a proxy may pass it on.
        TokenSaid::Right => return is_of_another_site(headers).then_some(CROSS_SITE),
        TokenSaid::Wrong => return Some(WRONG_TOKEN),
        TokenSaid::Nothing => {}
    }
    if !admission.listen.ip().is_loopback() {
        return Some(match admission.token {
            Some(_) => NO_TOKEN,
            None => NOT_LOOPBACK,
        });
    }
    if PROXIES_SAY.iter().any(|name| headers.contains_key(name)) {
        return Some(PASSED_ON);
    }
    let refused = !names_this_machine(headers) || is_of_another_site(headers);
    refused.then_some(CROSS_SITE)
}

/// Whether the request names a loopback address, or localhost. Another name may be one that a site had
/// point here, so that its own scripts count as the same site.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let url = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether a browser says that another site caused it. Programs say neither.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let own = host.map(|host| format!("http://{host}"));
    let is_own = |origin: &HeaderValue| {
        let origin = origin.to_str().ok();
        origin.is_some_and(|origin| own.as_deref() == Some(origin))
    };
    sites.any(|site| site != "same-origin" && site != "none")
        || origins.any(|origin| !is_own(origin))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = only_value(headers, &header::CONTENT_TYPE).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// An error in the shape that all of our JSON endpoints have.
#[derive(Clone, Copy, Debug)]
struct AdminError {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    retry_after: Option<u64>,
}

const fn error(status: StatusCode, code: &'static str, message: &'static str) -> AdminError {
    AdminError {
        status,
        code,
        message,
        retry_after: None,
    }
}

const NOT_LOOPBACK: AdminError = error(
    StatusCode::FORBIDDEN,
    "not_loopback",
    "Nothing else protects /admin, so it is answered only where OPS_HOST is a loopback address, or to \
     who has ADMIN_TOKEN.",
);
const NO_TOKEN: AdminError = error(
    StatusCode::UNAUTHORIZED,
    "unauthorized",
    "/admin is opened by ADMIN_TOKEN here: say Authorization: Bearer TOKEN.",
);
const WRONG_TOKEN: AdminError = error(
    StatusCode::UNAUTHORIZED,
    "unauthorized",
    "This bearer token is not ADMIN_TOKEN.",
);
const PASSED_ON: AdminError = error(
    StatusCode::FORBIDDEN,
    "passed_on",
    "/admin answers programs of this machine, not what a proxy passes on for others.",
);
const CROSS_SITE: AdminError = error(
    StatusCode::FORBIDDEN,
    "forbidden",
    "/admin answers programs of this machine, by a loopback address or as localhost, and no other site's pages.",
);
const NOTHING_HERE: AdminError = error(
    StatusCode::NOT_FOUND,
    "not_found",
    "There is nothing at this address.",
);
const WRONG_METHOD: AdminError = error(
    StatusCode::METHOD_NOT_ALLOWED,
    "method_not_allowed",
    "This address does not answer to this method.",
);
const NO_JSON: AdminError = error(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported_media_type",
    "Send this request with Content-Type: application/json.",
);
const NO_BODY: AdminError = error(
    StatusCode::BAD_REQUEST,
    "invalid",
    "The body is larger than 4 KiB, or did not come to its end.",
);
const NO_USER: AdminError = error(
    StatusCode::BAD_REQUEST,
    "invalid",
    "The body must be {\"userId\": \"…\"}, with Discord's id of the user, and nothing else.",
);
const NOT_KEPT: AdminError = AdminError {
    retry_after: Some(1),
    ..error(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "The sessions have ended on this instance; no gateway could be told yet. Try again.",
    )
};

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: Report,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Report {
            code: &'static str,
            message: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after: Option<u64>,
        }
        let Self {
            status,
            code,
            message,
            retry_after,
        } = self;
        let error = Report {
            code,
            message,
            retry_after,
        };
        let mut response = answer(status, &Body { error });
        if let Some(seconds) = retry_after {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// JSON, for the operator alone.
fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, json::to_vec(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn only_a_name_of_this_machine_is_answered() {
        for (host, ours) in [
            ("127.0.0.1:9090", true),
            ("127.8.9.1", true),
            ("[::1]:9090", true),
            ("8.8.8.8:9090", false),
            ("10.0.0.7:9090", false),
            ("0.0.0.0:9090", false),
            ("[2001:db8::1]:9090", false),
            ("localhost:9090", true),
            ("ops.localhost", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("", false),
        ] {
            assert_eq!(
                names_this_machine(&headers(&[("host", host)])),
                ours,
                "{host}"
            );
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }

    #[test]
    fn where_others_reach_the_listener_nobody_is_answered() {
        let headers = headers(&[("host", "127.0.0.1:9090")]);
        for (listen, code) in [
            ("127.0.0.1:9090", None),
            ("[::1]:9090", None),
            ("0.0.0.0:9090", Some("not_loopback")),
            ("[::]:9090", Some("not_loopback")),
            ("10.0.0.7:9090", Some("not_loopback")),
        ] {
            let refused = refusal(&at(listen, None), &headers);
            assert_eq!(refused.map(|it| it.code), code, "{listen}");
        }
    }

    const TOKEN: &str = "an-operator-opens-the-hall-from-afar";

    fn at(listen: &str, token: Option<&str>) -> OpsAdmission {
        OpsAdmission {
            listen: listen.parse().expect("an address"),
            token: token.map(|token| {
                let secret: guildhall_http::Secret = token.parse().expect("visible ASCII");
                guildhall_http::StrongSecret::try_from(secret)
                    .expect("long enough")
                    .into()
            }),
            hosts: guildhall_http::AllowedHosts::default(),
        }
    }

    #[test]
    fn the_token_opens_it_to_others_and_a_wrong_one_to_nobody() {
        let right = (
            "authorization",
            "Bearer an-operator-opens-the-hall-from-afar",
        );
        let wrong = (
            "authorization",
            "Bearer an-operator-opens-the-hall-from-afaR",
        );
        let basic = ("authorization", "Basic YTpi");
        let host = ("host", "ops.hall.example:9090");
        let local = ("host", "127.0.0.1:9090");
        let passed_on = ("x-forwarded-for", "203.0.113.7");
        let page = ("origin", "https://evil.example");
        for (listen, said, code) in [
            ("0.0.0.0:9090", &[host, right][..], None),
            ("0.0.0.0:9090", &[host, right, passed_on], None),
            ("0.0.0.0:9090", &[host, right, page], Some("forbidden")),
            ("0.0.0.0:9090", &[host], Some("unauthorized")),
            ("0.0.0.0:9090", &[local], Some("unauthorized")),
            ("0.0.0.0:9090", &[host, wrong], Some("unauthorized")),
            ("0.0.0.0:9090", &[host, basic], Some("unauthorized")),
            ("0.0.0.0:9090", &[host, right, right], Some("unauthorized")),
            ("127.0.0.1:9090", &[local], None),
            ("127.0.0.1:9090", &[local, right], None),
            ("127.0.0.1:9090", &[local, wrong], Some("unauthorized")),
            ("127.0.0.1:9090", &[local, passed_on], Some("passed_on")),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in said {
                headers.append(
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                );
            }
            let refused = refusal(&at(listen, Some(TOKEN)), &headers);
            assert_eq!(refused.map(|it| it.code), code, "{listen} {said:?}");
        }
        let without = refusal(&at("127.0.0.1:9090", None), &headers(&[local, right]));
        assert_eq!(without.map(|it| it.code), Some("unauthorized"));
    }

    #[test]
    fn what_a_proxy_passes_on_is_refused() {
        let here = at("127.0.0.1:9090", None);
        for said in [
            ("forwarded", "for=203.0.113.7"),
            ("via", "1.1 proxy"),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-for", ""),
            ("x-real-ip", "203.0.113.7"),
        ] {
            let headers = headers(&[("host", "127.0.0.1:9090"), said]);
            let code = refusal(&here, &headers).map(|it| it.code);
            assert_eq!(code, Some("passed_on"), "{said:?}");
        }
    }

    #[test]
    fn programs_are_answered_and_other_sites_pages_are_not() {
        let host = ("host", "localhost:9090");
        for (said, foreign) in [
            (&[host][..], false),
            (&[host, ("sec-fetch-site", "none")], false),
            (&[host, ("origin", "http://localhost:9090")], false),
            (&[host, ("origin", "http://localhost:3000")], true),
            (&[host, ("origin", "null")], true),
            (&[host, ("sec-fetch-site", "same-site")], true),
            (&[host, ("sec-fetch-site", "cross-site")], true),
            (
                &[
                    host,
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://evil.example"),
                ],
                true,
            ),
            (
                &[
                    host,
                    ("origin", "http://localhost:9090"),
                    ("origin", "https://evil.example"),
                ],
                true,
            ),
            (
                &[
                    host,
                    ("sec-fetch-site", "none"),
                    ("sec-fetch-site", "cross-site"),
                ],
                true,
            ),
        ] {
            assert_eq!(is_of_another_site(&headers(said)), foreign, "{said:?}");
        }
    }
}
