//! Connections, routes, headers, the page.

/// Our own accept loop: time limits, bounds, small buffers.
mod accept;
/// Who a request comes from.
mod address;
/// In use until the answer is complete.
mod answered;
/// How many connections there are, and which go first.
mod connections;
/// Errors as every program reads them.
mod error;
/// What every answer says about itself.
pub(crate) mod headers;
/// Whom a request says that it is for.
mod host;
/// JSON answers.
mod json;
/// What may happen often is said once a minute.
mod notice;
/// The embedded page.
mod page;
/// Prefetches by browsers.
mod prefetch;
/// Who is believed about whose requests they pass on.
mod proxies;
/// The answer for whom there is no place.
mod refuse;
/// A peer that takes nothing is let go.
mod stall;

pub use accept::{Bounds, serve};
pub(crate) use address::ClientAddress;
pub(crate) use error::ApiError;
pub(crate) use json::Json;
pub(crate) use notice::Notice;
pub(crate) use page::Page;
pub(crate) use prefetch::is_prefetch;
pub use proxies::TrustedProxies;
