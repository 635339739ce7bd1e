//! What people ask and have done: `POST /api/rpc/NAME`, JSON in and out.
//!
//! A request is read, counted, and served once the asker's rights are known. What is asked of the
//! world is answered from the replica, as far as the asker sees it. What is to be done goes to the
//! gateway, whose answer waits a moment for the replica to have seen the effect.

/// A body's fields, read one by one: all that is wrong is said at once.
mod input;
/// The types of fields.
mod field;
/// What is asked of the world.
mod questions;
/// What is to be done in Discord.
mod commands;
/// Links for stream software.
mod overlays;
/// Each of them once.
mod table;
/// How often somebody may ask.
mod budget;
/// Where a request is about, and what the asker sees there.
mod authorise;
/// To the gateway and back.
mod forward;
/// Why it was not done, as HTTP says it.
mod failure;
/// The routes.
mod route;

pub(crate) use route::{RpcState, routes};
pub(crate) use table::RPCS;
#[cfg(feature = "schema")]
pub(crate) use table::Rpc;

#[cfg(test)]
mod tests;
