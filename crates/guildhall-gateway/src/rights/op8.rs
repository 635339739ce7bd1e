//! Look-ups by Request Guild Members (op 8), up to a hundred members of one guild in each request.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use guildhall_model::{GuildId, UserId, guild::Membership};

use super::{
    Output, RETRY, Rights, RightsContext,
    fair_queue::Via,
    queue::{Priority, QueueEntry},
};
use crate::inbox::{MembersRequest, Nonce};

/// A part of the answer to a request: one GUILD_MEMBERS_CHUNK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Op8Chunk {
    /// Of the request.
    pub nonce: Nonce,
    /// The guild it is about.
    pub guild_id: GuildId,
    /// Members of the guild.
    pub members: Vec<(UserId, Membership)>,
    /// No members.
    pub not_found: Vec<UserId>,
    /// There are no further chunks.
    pub last: bool,
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct Op8Request {
    guild_id: GuildId,
    since: Instant,
    /// Nobody waits for it.
    refresh: bool,
    /// Who is not answered yet, and where they stood in the queue.
    users: BTreeMap<UserId, QueueEntry>,
}

impl Rights {
    /// Sends one request, if one may go.
    pub(super) fn send_by_op8(&mut self, context: RightsContext<'_>) -> bool {
        let Some((guild_id, users)) = self.next_batch(context) else {
            return false;
        };
        let nonce = self.next_nonce;
        self.next_nonce = nonce.next();
        self.op8_rate.spend(context.now);
        let refresh = |(_, entry): &(UserId, QueueEntry)| entry.priority == Priority::Refresh;
        let request = Op8Request {
            guild_id,
            since: context.now,
            refresh: users.iter().all(refresh),
            users: users.iter().copied().collect(),
        };
        self.requests.insert(nonce, request);
        for (user_id, _) in &users {
            self.mark_sent((guild_id, *user_id), context);
        }
        self.outputs.push(Output::LookUpByOp8(MembersRequest {
            guild_id,
            user_ids: users.into_iter().map(|(user_id, _)| user_id).collect(),
            nonce,
        }));
        true
    }

    /// A chunk of the answer to a request has come, in the order of the dispatches. Who is in no
    /// chunk is looked up by REST.
    pub(crate) fn op8_chunk_received(&mut self, chunk: Op8Chunk, context: RightsContext<'_>) {
        let strangers = chunk.not_found.into_iter();
        let strangers = strangers.map(|user_id| (user_id, Membership::Stranger));
        let found = chunk.members.into_iter().chain(strangers);
        self.take_chunk(chunk.nonce, chunk.guild_id, found, chunk.last, context);
        self.send_out(context);
    }

    fn take_chunk(
        &mut self,
        nonce: Nonce,
        guild_id: GuildId,
        found: impl IntoIterator<Item = (UserId, Membership)>,
        last: bool,
        context: RightsContext<'_>,
    ) {
        let Some(mut request) = self.requests.remove(&nonce) else {
            return;
        };
        // Discord answers about the guild it was asked about, else it is no answer.
        if request.guild_id != guild_id {
            self.requests.insert(nonce, request);
            return;
        }
        for (user_id, membership) in found {
            if request.users.remove(&user_id).is_some() {
                self.look_up_ended((guild_id, user_id), Some(membership), context);
            }
        }
        if last {
            self.requeue(request, Via::RestOnly, context);
        } else if !request.users.is_empty() {
            self.requests.insert(nonce, request);
        }
    }

    /// A request could not be sent: all of it is looked up by REST.
    pub(crate) fn op8_failed(&mut self, nonce: Nonce, context: RightsContext<'_>) {
        self.request_failed(nonce, context);
        self.send_out(context);
    }

    /// Discord refused a request, and wants no further one for a while.
    pub(crate) fn op8_rate_limited(
        &mut self,
        nonce: Nonce,
        wait: Duration,
        context: RightsContext<'_>,
    ) {
        self.op8_rate.pause_until(context.now + wait.min(RETRY[1]));
        self.op8_failed(nonce, context);
    }

    /// A request has no answer: whoever is left of it is asked for again, where they stood before.
    fn request_failed(&mut self, nonce: Nonce, context: RightsContext<'_>) {
        if let Some(request) = self.requests.remove(&nonce) {
            self.requeue(request, Via::RestOnly, context);
        }
    }

    /// The connection is gone, and with it all requests in flight.
    pub(super) fn requests_lost(&mut self, context: RightsContext<'_>) {
        for (_, request) in std::mem::take(&mut self.requests) {
            self.requeue(request, Via::Any, context);
        }
    }

    /// Gives up requests that have waited too long for their answer.
    pub(super) fn give_up_late_requests(&mut self, context: RightsContext<'_>) {
        // In the order in which they were sent.
        while let Some((nonce, request)) = self.requests.first_key_value()
            && request.since + self.limits.member_answer <= context.now
        {
            let nonce = *nonce;
            self.request_failed(nonce, context);
        }
    }

    /// When the first of them has.
    pub(super) fn request_deadline(&self) -> Option<Instant> {
        Some(self.first_request_at()? + self.limits.member_answer)
    }

    /// When the first of the requests in flight was sent.
    pub(super) fn first_request_at(&self) -> Option<Instant> {
        let (_, first) = self.requests.first_key_value()?;
        Some(first.since)
    }

    /// Requests in flight that nobody waits for.
    pub(super) fn refresh_requests(&self) -> usize {
        let requests = self.requests.values();
        requests.filter(|request| request.refresh).count()
    }

    fn requeue(&mut self, request: Op8Request, via: Via, context: RightsContext<'_>) {
        for (user_id, entry) in request.users {
            let entry = QueueEntry { via, ..entry };
            self.put_back((request.guild_id, user_id), entry, context);
        }
    }
}
