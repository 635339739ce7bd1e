//! What goes wrong on purpose.

/// Faults that wait for the next connection, and orders for present ones.
pub(crate) mod gateway;
