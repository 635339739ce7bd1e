//! Requests to the gateway, and its answers: whose rights it is to look up, and what it is to do in
//! Discord.

use std::time::Instant;

use guildhall_model::{Cursor, GuildId, UserId};

use super::{Output, Receiver, Unanswered};
use crate::{
    attachment::Violation,
    frame::{Frame, Reply, ReplyBody, Request, RequestBody, WatchRequestBody},
};

/// A watch of more guilds goes as several requests. One of so many is some 22 KiB, a third of what
/// the gateway reads ([`crate::attachment::MESSAGE_BYTES_TO_GATEWAY`]). Discord lets nobody be in
/// more than 200 guilds, so an honest one is a single request.
pub const GUILDS_PER_WATCH: usize = 1_000;

impl<R> Receiver<R> {
    /// Asks the gateway, in as many requests as it takes.
    pub(super) fn watch(
        &mut self,
        user_id: UserId,
        guild_ids: &[GuildId],
        reply: R,
        due: Instant,
        now: Instant,
    ) {
        if self.conversation.is_opening() {
            return self.answer(reply, Err(Unanswered::Down));
        }
        let requests = guild_ids.len().div_ceil(GUILDS_PER_WATCH);
        let request_ids = match self.pending.ask(reply, requests, due) {
            Ok(request_ids) => request_ids,
            Err(reply) => return self.answer(reply, Err(Unanswered::Busy)),
        };
        // One without guilds is asked, too.
        let mut parts = guild_ids.chunks(GUILDS_PER_WATCH);
        for id in request_ids {
            let guild_ids = parts.next().unwrap_or_default().to_vec();
            self.conversation.send(Frame::Request(Request {
                id,
                deadline: due.saturating_duration_since(now),
                body: RequestBody::Watch(WatchRequestBody { user_id, guild_ids }),
            }));
        }
    }

    /// Asks the gateway for something that is one request.
    pub(super) fn ask(&mut self, body: RequestBody, reply: R, due: Instant, now: Instant) {
        if self.conversation.is_opening() {
            return self.answer(reply, Err(Unanswered::Down));
        }
        let id = match self.pending.ask(reply, 1, due) {
            Ok(request_ids) => request_ids.start,
            Err(reply) => return self.answer(reply, Err(Unanswered::Busy)),
        };
        self.conversation.send(Frame::Request(Request {
            id,
            deadline: due.saturating_duration_since(now),
            body,
        }));
    }

    /// The gateway answers. Without anybody waiting it came too late, and whoever asked has been
    /// told.
    pub(super) fn reply_came(&mut self, reply: Reply) {
        let Reply { id, result } = reply;
        match result {
            Ok(ReplyBody::Unknown) => self.conversation.report(Violation::UnknownRequest),
            Ok(body) => self.answered(id, body),
            Err(refusal) => {
                if let Some(reply) = self.pending.refused(id) {
                    self.answer(reply, Err(Unanswered::Refused(refusal.code)));
                }
            }
        }
    }

    pub(super) fn give_up_overdue(&mut self, now: Instant) {
        while let Some(reply) = self.pending.overdue(now) {
            self.answer(reply, Err(Unanswered::Late));
        }
    }

    /// Nobody is answered any more.
    pub(super) fn abandon(&mut self) {
        for reply in self.pending.abandon() {
            self.answer(reply, Err(Unanswered::Down));
        }
    }

    pub(super) fn answer(&mut self, reply: R, answer: Result<ReplyBody, Unanswered>) {
        self.conversation.push(Output::Answer { reply, answer });
    }

    fn answered(&mut self, id: u64, body: ReplyBody) {
        let mut logs = body.at().into_iter().flat_map(Cursor::positions);
        if !logs.all(|position| self.has(position.log)) {
            return self.conversation.violated(Violation::Unexpected);
        }
        if let Some((reply, body)) = self.pending.answered(id, body) {
            self.answer(reply, Ok(body));
        }
    }
}
