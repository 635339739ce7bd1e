//! Hop 4: the listener that web roles dial, and one task for each of their attachments.

/// The listener: who may attach.
mod serve;
/// One attachment until it ends.
mod attachment;
/// Its watches that are not answered yet.
mod unacked_watches;
/// Its commands that are not answered yet.
mod unanswered_commands;
/// What changes about the logs that it follows.
mod log_changes;
/// The logs of the gateway.
mod logs;

pub(crate) use attachment::AttachmentContext;
pub(crate) use logs::{AttachedLog, AttachedLogs};
pub(crate) use serve::{LinkServer, serve};
