//! Bodies, within bounds: nobody makes us keep much, or for long.

use std::{future::poll_fn, pin::Pin, time::Duration};

use axum::body::Body;
use http::StatusCode;
use http_body::Body as _;
use tokio::time::timeout;

use crate::http::ApiError;

/// More than any request of ours has.
const BODY_BYTES: usize = 64 * 1024;

/// A body is sent at once by whoever means it.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// Reads all of a body.
pub(super) async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    // Of what says how long it is nothing is read.
    if body.size_hint().lower() > BODY_BYTES as u64 {
        return Err(TOO_LARGE);
    }
    let reading = timeout(BODY_LIMIT, read_all(body)).await;
    reading.unwrap_or(Err(TOO_SLOW))
}

async fn read_all(mut body: Body) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| CUT)?;
        // Others are trailers, which say nothing to us.
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > BODY_BYTES {
                return Err(TOO_LARGE);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

const TOO_LARGE: ApiError = ApiError::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    "too_large",
    "The body is larger than 64 KiB.",
);

const TOO_SLOW: ApiError = ApiError::new(
    StatusCode::REQUEST_TIMEOUT,
    "too_slow",
    "The body did not come to its end within 10 seconds.",
);

const CUT: ApiError = ApiError::invalid("The body ended too early.");
