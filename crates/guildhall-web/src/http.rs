//! Connections, routes, headers, the page.

/// Our own accept loop: time limits, bounds, small buffers.
mod accept;
/// Who a request comes from.
mod address;
/// Errors as every program reads them.
mod error;
/// What every answer says about itself.
mod headers;
/// The embedded page.
mod page;
/// Which path is whose.
mod router;
/// A peer that takes nothing is let go.
mod stall;

pub use accept::serve;
pub(crate) use address::ClientAddress;
pub(crate) use error::ApiError;
pub(crate) use page::Page;
pub(crate) use router::router;
