//! Bodies, within bounds: nobody makes us keep much, or for long.

use std::{future::poll_fn, pin::Pin, time::Duration};

use axum::body::Body;
use http::StatusCode;
use http_body::Body as _;
use tokio::time::timeout;

use super::ApiError;

/// More than any request of ours has.
pub(crate) const BODY_BYTES: usize = 64 * 1024;

/// A body is sent at once by whoever means it.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// Reads all of a body that has at most so many bytes.
pub(crate) async fn read_body(body: Body, most: usize) -> Result<Vec<u8>, ApiError> {
    // Of what says how long it is nothing is read.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let reading = timeout(BODY_LIMIT, read_all(body, most)).await;
    reading.unwrap_or(Err(TOO_SLOW))
}

async fn read_all(mut body: Body, most: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| CUT)?;
        // Others are trailers, which say nothing to us.
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > most {
                return Err(too_large(most));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

fn too_large(most: usize) -> ApiError {
    let message = format!("The body is larger than {} KiB.", most / 1024);
    ApiError {
        message: message.into(),
        ..ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "")
    }
}

const TOO_SLOW: ApiError = ApiError::new(
    StatusCode::REQUEST_TIMEOUT,
    "too_slow",
    "The body did not come to its end within 10 seconds.",
);

const CUT: ApiError = ApiError::invalid("The body ended too early.");
