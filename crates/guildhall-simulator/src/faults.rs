//! What goes wrong on purpose, until it has gone wrong.

/// Faults that wait for the next gateway connection.
mod gateway;
/// Faults of REST that wait for their requests.
mod rest;

pub(crate) use gateway::{CompressionFault, GatewayFaults, ResumeFault};
pub(crate) use rest::{Due, Loss, RestFault, RestFaults, without_names};
