//! Watches: whose rights a web role wants looked up, and the answers, in their turn.

use guildhall_model::{GuildId, UserId};

use super::{Output, Sender};
use crate::{
    frame::{Ack, Frame},
    pending::REQUESTS_IN_FLIGHT,
};

/// More watches than this at once are answered "failed everywhere", unasked. No web role has more
/// under way: it is a bound for one that does not keep to the rules.
pub const WATCHES_IN_FLIGHT: usize = REQUESTS_IN_FLIGHT;

impl Sender {
    /// Has it looked up, unless too many are under way.
    pub(super) fn watch(&mut self, request_id: u64, user_id: UserId, guild_ids: Vec<GuildId>) {
        if self.watches >= WATCHES_IN_FLIGHT {
            let start = self.head.at(0);
            // It waits for no event, so it is at or behind what was sent.
            let ack = Ack {
                request_id,
                at: self.queue().map_or(start, |queue| queue.sent),
                failed: guild_ids,
            };
            self.outputs.push_back(Output::Send(Frame::Ack(ack)));
            return;
        }
        self.watches += 1;
        self.outputs.push_back(Output::Watch {
            request_id,
            user_id,
            guild_ids,
        });
    }

    /// The next answer whose events are all sent.
    pub(super) fn due_ack(&mut self) -> Option<Ack> {
        let sent = self.queue()?.sent;
        let ack = self.acks.pop_front_if(|ack| ack.at.seq <= sent.seq)?;
        self.watches = self.watches.saturating_sub(1);
        Some(ack)
    }
}
