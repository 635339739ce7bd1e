//! The role that serves browsers: it follows the gateway's log over the link, keeps a replica of
//! the world, and streams to each signed-in viewer what that viewer may see, no more and no less.
//!
//! This crate will never open a file of its own, speak to Discord's Gateway or know its
//! libraries, write to the log, keep a queue per browser, decide a permission (the model does),
//! or send a browser anything about a guild that `visible` did not make visible.

/// What is measured, described.
mod metrics;
/// Whether it is Discord who speaks to this application.
mod public_key;
/// The operator's own programs, as settings name them.
mod api_token;
/// Tokens of the operator's own login.
mod jwt;
/// Settings: everything the role is given before it starts.
mod config;
/// Headers, errors, JSON, the page: what every route needs.
mod http;
/// Login, sessions, `/api/me`.
mod auth;
/// Server-sent events as bytes: the framing.
mod sse;
/// Hop 5: the world at a position, and each guild's recent records with their bytes.
mod replica;
/// Hop 6: who may see it.
mod visible;
/// Hop 7: to whom: classes, their buffers, wake lists, and the publisher that fills them.
mod fanout;
/// Hop 4: the link to the gateway, whose events go to the publisher.
mod link;
/// Hop 8: to the browser: replay, the response body, `/api/stream` and `/api/state`.
mod stream;
/// Beside the road: a stream that tells the operator what becomes of one on its way.
mod probe;
/// The way back: what people ask and have done, `POST /api/rpc/NAME`.
mod rpc;
/// What browsers ask and get, as an OpenAPI document.
#[cfg(feature = "schema")]
mod openapi;
/// What the operator may see and do.
mod admin;
/// Which path is whose.
mod router;
/// The role itself: built from the settings, then run.
mod role;

pub use admin::{
    BlindChannel, NoOverlayLink, NotExplained, NotRevoked, OverlayLinkReport, RoomExplanation,
    WebAdmin,
};
pub use api_token::{ApiToken, ApiTokenGrants};
pub use auth::{CDN_URL_MAX, ProbeKey};
pub use config::{Config, OAuth, WebBuildError, WebPorts, WebSettingNames};
pub use jwt::{InvalidJwtKey, JwtKey};
#[cfg(feature = "schema")]
pub use openapi::openapi;
pub use probe::{ProbeEcho, ProbeTick};
pub use public_key::{DiscordPublicKey, InvalidPublicKey};
pub use role::{Web, WebRunError};
pub use stream::open_streams::{OverlayReport, PersonReport, StreamsReport};
