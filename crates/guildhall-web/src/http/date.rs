//! What an answer says of its sender's clock.

use std::time::UNIX_EPOCH;

use guildhall_model::UnixMs;
use guildhall_ports::millis;
use http::{HeaderMap, header};

/// `Date`, whole seconds. `None`: there is none that can be read.
pub(crate) fn date_of(headers: &HeaderMap) -> Option<UnixMs> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let date = httpdate::parse_http_date(date).ok()?;
    Some(millis(date.duration_since(UNIX_EPOCH).ok()?))
}
