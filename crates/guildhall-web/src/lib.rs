//! The role that serves browsers: it follows the gateway's log over the link, keeps a replica of
//! the world, and streams to each signed-in viewer what that viewer may see, no more and no less.
//!
//! This crate will never open a file of its own, speak to Discord's Gateway or know its
//! libraries, write to the log, keep a queue per browser, decide a permission (the model does),
//! or send a browser anything that did not come out of `stream::filter`.

/// Everything the role is told before it starts.
mod config;
/// Built from the settings, then run: the role itself.
mod role;
/// 4: the link to the gateway.
mod link;
/// Server-sent events as bytes.
mod sse;
/// 4b: the world at a position, and each guild's recent records, serialised once.
mod replica;
/// 6: who may see it.
mod visible;
/// 7: who is here, in which class, and how their streams wake.
mod fanout;
/// Login, sessions, who am I.
mod auth;
/// 5 to 7: replay meets live, who may see it, to the browser.
mod stream;
/// Which path is whose.
mod router;
/// Connections, routes, headers, the page.
pub mod http;
/// What is measured, described.
mod metrics;
/// Futures that are seldom ready, beside ones that are often woken.
mod seldom;

pub use config::{BuildError, Config, OAuth};
pub use role::{ServeError, Web};
