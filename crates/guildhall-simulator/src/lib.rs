//! A Discord small enough to read and strict enough to trust.
//!
//! It speaks Gateway v10, the REST routes and the OAuth2 login that a bridge
//! needs, over plain HTTP on loopback or over TLS, from one in-memory world that is
//! the same for the same seed. Any bot library may be pointed at it unchanged;
//! `/sim` and the page at `/` move its people about.
//!
//! What it will never do: know another crate of this repository, talk to the
//! real Discord, keep anything on disk, or guard real secrets (its tokens derive
//! from the seed and open nothing but itself).
//!
//! A change walks these modules upwards: somebody acts through `control` or `rest`, which
//! ask `state`; under its one lock the `world` changes and says so in events, `sessions` take
//! what is theirs, and each connection in `gateway_ws` is a cursor over its session's events.
//! Modules import only what stands above them in this list.

/// The one place that reads a clock.
mod clock;
/// Ids as Discord makes them, and the seeded random numbers they come from.
mod snowflake;
/// Guilds, channels, roles, people, and who may see what.
mod world;
/// The certificate, for one that speaks TLS.
mod tls;
/// What can be set, and what the defaults are.
mod config;
/// The bytes of one connection.
mod wire;
/// Gateway sessions: who gets which dispatch, and what is kept for replay.
mod sessions;
/// What happens to events between the world and its sessions.
mod delivery;
/// Buckets and the global limit of REST.
mod limits;
/// What goes wrong on purpose, until it has gone wrong.
mod faults;
/// Nonces of messages, so that none is said twice.
mod nonces;
/// OAuth2 codes and tokens: what they open and when they end.
mod grants;
/// Where whatever runs beside a request is started.
mod tasks;
/// What the application is told over HTTP, signed.
mod webhook;
/// What routes and connections share: all of the above, behind locks.
mod state;
/// People who move by themselves.
mod scenario;
/// Gateway v10 over WebSocket: HELLO to RESUMED.
mod gateway_ws;
/// `/api/v10`, with Discord's errors and rate limits.
mod rest;
/// Drawn avatars and icons under Discord's CDN paths.
mod cdn;
/// OAuth2 code grant with PKCE, and the page that asks who signs in.
mod oauth;
/// `/sim`: what no Discord has, an API that moves its people and breaks things.
mod control;
/// "The Discord side": the page at `/`.
mod page;
/// The router and the accept loop.
mod serve;
/// Build, then run.
mod simulator;

pub use config::{
    Config, GrantLifetimes, INTERVALS, Interval, NoInterval, PrivilegedIntents, RateLimits,
    Scenario, TlsFiles, UnknownScenario,
};
pub use simulator::{Application, BuildError, RunError, Simulator};
pub use snowflake::Snowflake;
pub use tls::TlsFilesError;
