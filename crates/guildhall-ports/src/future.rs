//! What a port answers with.

use std::pin::Pin;

/// An answer that may take a while. Nothing is promised of one that is dropped before it came.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The server behind a port does not answer. One sentence; to be tried again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);
