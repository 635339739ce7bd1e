//! `GET /admin/stream?as=&guild=&channel=&events=`: what happens, as the bot or a person sees it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Extension,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use guildhall_model::UserId;
use guildhall_web::WebAdmin;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::form_urlencoded;

use super::{AdminError, error};

/// Streams of the operator's at one time: most of the listener's connections are for probes and scrapers.
const STREAMS: usize = 8;

/// How many more streams there may be.
#[derive(Clone)]
pub(super) struct OperatorStreams(Arc<Semaphore>);

impl Default for OperatorStreams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS)))
    }
}

pub(super) async fn stream(
    State(admin): State<WebAdmin>,
    Extension(OperatorStreams(streams)): Extension<OperatorStreams>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, AdminError> {
    let StreamQuery { person, rest } = StreamQuery::read(query.as_deref().unwrap_or_default())?;
    let permit = streams.try_acquire_owned().map_err(|_| TOO_MANY)?;
    let response = admin.stream(person, Some(&rest), &headers).await;
    Ok(response.map(|body| {
        Body::new(PermittedBody {
            body,
            _permit: permit,
        })
    }))
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct StreamQuery {
    /// Whose eyes; `None`: the bot's.
    person: Option<UserId>,
    /// What a stream's own query says of it.
    rest: String,
}

impl StreamQuery {
    fn read(text: &str) -> Result<Self, AdminError> {
        let (mut person, mut rest) = (None, form_urlencoded::Serializer::new(String::new()));
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*name {
                "as" if person.is_none() => {
                    let id = value.parse().ok().filter(|id| *id != UserId(0));
                    person = Some(id.ok_or(BAD_PERSON)?);
                }
                // Whoever looks on is nobody on a room's page, so `viewing` is not among them.
                "guild" | "channel" | "events" => _ = rest.append_pair(&name, &value),
                _ => return Err(BAD_QUERY),
            }
        }
        Ok(Self {
            person,
            rest: rest.finish(),
        })
    }
}

/// Counts as open until it has been written.
struct PermittedBody {
    body: Body,
    _permit: OwnedSemaphorePermit,
}

impl HttpBody for PermittedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

const BAD_PERSON: AdminError = error(
    StatusCode::BAD_REQUEST,
    "invalid",
    "`as` is Discord's id of a user, once.",
);
const BAD_QUERY: AdminError = error(
    StatusCode::BAD_REQUEST,
    "invalid",
    "Say ?as=ID, for the bot nobody, and guild=, channel= and events= as for /api/stream, and nothing else.",
);
const TOO_MANY: AdminError = AdminError {
    retry_after: Some(5),
    ..error(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "Eight streams are open on this listener, which is for probes first. End one.",
    )
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_eyes_is_read_once_and_what_is_not_known_is_refused() {
        let read = |text| StreamQuery::read(text).map_err(|error| error.message);
        let query = |person, rest: &str| {
            Ok(StreamQuery {
                person,
                rest: rest.to_owned(),
            })
        };
        assert_eq!(read(""), query(None, ""));
        let asked = read("guild=1&as=7&events=voice%2Croom&guild=2");
        let rest = "guild=1&events=voice%2Croom&guild=2";
        assert_eq!(asked, query(Some(UserId(7)), rest));
        for bad in ["as=", "as=0", "as=ana"] {
            assert_eq!(read(bad), Err(BAD_PERSON.message), "{bad}");
        }
        for bad in ["as=7&as=7", "viewing=1", "lastEventId=1", "guilds=1"] {
            assert_eq!(read(bad), Err(BAD_QUERY.message), "{bad}");
        }
    }
}
