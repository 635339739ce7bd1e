//! What every route needs: headers, errors, JSON, the page.

/// Bodies of requests, within bounds.
mod body;
/// What an answer says of its sender's clock.
mod date;
/// Errors as every program reads them.
mod error;
/// What every answer says about itself.
pub(crate) mod headers;
/// What stands before every route.
pub(crate) mod edge;
/// Which other origins' pages may read our answers.
pub(crate) mod cors;
/// JSON answers.
mod json;
/// Addresses that people are given to open.
mod links;
/// The embedded page.
mod page;
/// Prefetches by browsers.
mod prefetch;

pub(crate) use body::{BODY_BYTES, read_body};
pub(crate) use date::date_of;
pub(crate) use error::ApiError;
#[cfg(feature = "schema")]
pub(crate) use error::ErrorBody;
pub(crate) use json::Json;
pub(crate) use links::PublicLinks;
pub(crate) use page::Page;
pub(crate) use prefetch::is_prefetch;
