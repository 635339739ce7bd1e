//! The operator's own programs, as settings name them.

use std::sync::Arc;

use guildhall_http::StrongSecret;

/// What one of the operator's programs may do, and by which secret it is known. By itself it sees what
/// the bot sees, and has nothing done.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// Its name in logs and metrics. Several have the same while one takes the other's place.
    pub name: Arc<str>,
    /// What it says.
    pub secret: StrongSecret,
    /// What it may do beyond looking.
    pub grants: ApiTokenGrants,
}

/// What a token may do beyond looking at what the bot sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiTokenGrants {
    /// Nothing.
    Look,
    /// It may be any person, as whom it sees what that person sees.
    ActAs,
    /// As that person it may have things done, too.
    ActAsAndWrite,
}
