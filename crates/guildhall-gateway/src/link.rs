//! Hop 4: the listener that web roles dial, and one task for each of their attachments.

/// The listener: who may attach.
mod serve;
/// One attachment until it ends.
mod attachment;
/// Its watches that are not acknowledged yet.
mod unacked_watches;

pub(crate) use attachment::AttachmentContext;
pub(crate) use serve::{LinkServer, serve};
