//! Connections that are closed behind their one answer, or upgraded: those of the link.

use std::{convert::Infallible, pin::pin};

use axum::{
    Router,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Request, StatusCode, header::CONNECTION};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;
use tower::ServiceExt;
use tracing::debug;

use crate::{
    ByteStream,
    connection::{Accepted, BUFFER, ConnectionEnd, until_end},
    host,
};

/// One connection, until it is closed or upgraded.
pub(crate) async fn serve_connection(
    accepted: Accepted<impl ByteStream>,
    router: Router,
    listener: &'static str,
) {
    let Accepted {
        socket,
        permit,
        head_limit,
        shutdown_grace,
        stop,
        ..
    } = accepted;
    // Small frames, each wanted at once. The peer may already be gone; its connection will tell.
    let _gone = socket.set_nodelay();
    let service = service_fn(|request| {
        permit.set_busy();
        answer(router.clone(), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_limit)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = match until_end(connection.as_mut(), &permit, stop).await {
        ConnectionEnd::ByItself(ended) => ended,
        // It has said nothing worth an answer.
        ConnectionEnd::ForRoom => Ok(()),
        ConnectionEnd::Stopped => {
            connection.as_mut().graceful_shutdown();
            timeout(shutdown_grace, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!("a connection to the {listener}'s listener ended: {error}");
    }
}

/// The one answer of a connection that is not upgraded.
async fn answer(router: Router, request: Request<Incoming>) -> Result<Response, Infallible> {
    let mut response = if host::is_given_once(request.headers(), request.version()) {
        router.oneshot(request).await?
    } else {
        StatusCode::BAD_REQUEST.into_response()
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response)
}
