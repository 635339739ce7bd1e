//! Watches: whose rights the gateway is asked to look up, and its answers.

use std::time::Instant;

use guildhall_model::{GuildId, UserId};

use super::{Output, Receiver, State};
use crate::frame::{Ack, Frame};

/// A watch of more guilds goes as several frames. One of so many is some 22 KiB, a third of what
/// the gateway reads ([`crate::attachment::MESSAGE_BYTES_TO_GATEWAY`]). Discord lets nobody be in
/// more than 200 guilds, so an honest one is a single frame.
pub const GUILDS_PER_WATCH: usize = 1_000;

impl<R> Receiver<R> {
    /// Asks the gateway, in as many frames as it takes.
    pub(super) fn watch(&mut self, user_id: UserId, guild_ids: &[GuildId], reply: R, now: Instant) {
        let subscribed = !matches!(self.state, State::Connected { .. });
        let requests = guild_ids.len().div_ceil(GUILDS_PER_WATCH);
        let asked = if subscribed {
            self.pending.ask(reply, requests, now)
        } else {
            Err(reply)
        };
        let request_ids = match asked {
            Ok(request_ids) => request_ids,
            Err(reply) => {
                self.outputs.push_back(Output::Answer { reply, ack: None });
                return;
            }
        };
        // One without guilds is asked, too.
        let mut parts = guild_ids.chunks(GUILDS_PER_WATCH);
        for request_id in request_ids {
            self.outputs.push_back(Output::Send(Frame::Watch {
                request_id,
                user_id,
                guild_ids: parts.next().unwrap_or_default().to_vec(),
            }));
        }
    }

    /// The gateway answers.
    pub(super) fn ack_came(&mut self, ack: Ack) {
        // Without anybody waiting it came too late, and whoever asked has been told.
        if let Some((reply, ack)) = self.pending.answered(ack) {
            let ack = Some(ack);
            self.outputs.push_back(Output::Answer { reply, ack });
        }
    }
}
