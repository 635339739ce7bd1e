//! Requests of the web role, until they are answered or their deadline has passed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use guildhall_model::Cursor;

use super::{Output, Sender};
use crate::{
    attachment::Violation,
    frame::{Frame, RefusalCode, Reply, ReplyBody, Request, RequestBody},
    pending::REQUESTS_IN_FLIGHT,
};

/// More requests than this at once are refused unasked. No web role has more under way: it is a
/// bound for one that does not keep to the rules.
pub const REQUESTS_UNDER_WAY: usize = REQUESTS_IN_FLIGHT;
/// No deadline counts as later than this from when the request came.
pub const LONGEST_DEADLINE: Duration = Duration::from_mins(1);

/// Those that are under way.
#[derive(Debug, Default)]
pub(super) struct Requests {
    open: BTreeMap<u64, OpenRequest>,
    /// By their deadlines, which have not passed.
    due: BTreeSet<(Instant, u64)>,
}

#[derive(Debug)]
enum OpenRequest {
    /// The driver has it looked up.
    Asked { due: Instant },
    /// Its answer waits for the events of so many logs.
    Answered {
        due: Instant,
        answer: ReplyBody,
        logs: usize,
    },
    /// It was answered that its deadline has passed. What it asked for is under way, and counts
    /// until it is done.
    GivenUp,
}

impl Requests {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The next whose deadline has passed, taken out.
    fn overdue(&mut self, now: Instant) -> Option<u64> {
        let (due, request_id) = *self.due.first()?;
        if now < due {
            return None;
        }
        self.due.pop_first();
        match self.open.get_mut(&request_id) {
            Some(request @ OpenRequest::Asked { .. }) => *request = OpenRequest::GivenUp,
            _ => _ = self.open.remove(&request_id),
        }
        Some(request_id)
    }

    /// What it asked for is done. Returns the answer if it waits for no events.
    fn answered(&mut self, request_id: u64, answer: ReplyBody, logs: usize) -> Option<ReplyBody> {
        match self.open.get_mut(&request_id) {
            Some(OpenRequest::Asked { due }) if logs == 0 => {
                self.due.remove(&(*due, request_id));
                self.open.remove(&request_id);
                Some(answer)
            }
            Some(request @ OpenRequest::Asked { .. }) => {
                if let OpenRequest::Asked { due } = *request {
                    *request = OpenRequest::Answered { due, answer, logs };
                }
                None
            }
            Some(OpenRequest::GivenUp) => {
                self.open.remove(&request_id);
                None
            }
            Some(OpenRequest::Answered { .. }) | None => None,
        }
    }

    /// The events of one log that an answer waited for are sent. Returns the answer if it was the
    /// last.
    pub(super) fn released(&mut self, request_id: u64) -> Option<Frame> {
        let Some(OpenRequest::Answered { due, logs, .. }) = self.open.get_mut(&request_id) else {
            // Given up meanwhile.
            return None;
        };
        *logs -= 1;
        if *logs > 0 {
            return None;
        }
        self.due.remove(&(*due, request_id));
        match self.open.remove(&request_id) {
            Some(OpenRequest::Answered { answer, .. }) => Some(reply(request_id, answer)),
            _ => None,
        }
    }
}

impl Sender {
    /// Has it done, or says why not.
    pub(super) fn request_came(&mut self, request: Request, now: Instant) {
        let Request { id, deadline, body } = request;
        if self.requests.open.contains_key(&id) {
            return self.conversation.violated(Violation::Unexpected);
        }
        let output = match body {
            RequestBody::Watch(watch) => Output::Watch {
                request_id: id,
                user_id: watch.user_id,
                guild_ids: watch.guild_ids,
            },
            RequestBody::Command(request) => Output::Command {
                request_id: id,
                request,
                deadline: deadline.min(LONGEST_DEADLINE),
            },
            RequestBody::Repeat(request) => Output::Repeat {
                request_id: id,
                request,
                deadline: deadline.min(LONGEST_DEADLINE),
            },
            RequestBody::Admit(request) => Output::Admit {
                request_id: id,
                request,
                deadline: deadline.min(LONGEST_DEADLINE),
            },
            RequestBody::Revoke(revocation) => Output::Revoke {
                request_id: id,
                revocation,
            },
            RequestBody::Unknown { .. } => {
                self.conversation.report(Violation::UnknownRequest);
                return self.refuse(id, RefusalCode::UnknownKind);
            }
            RequestBody::Malformed => {
                self.conversation.report(Violation::Undecodable);
                return self.refuse(id, RefusalCode::Malformed);
            }
        };
        if self.requests.open.len() >= REQUESTS_UNDER_WAY {
            return self.refuse(id, RefusalCode::Busy);
        }
        let due = now + deadline.min(LONGEST_DEADLINE);
        self.requests.open.insert(id, OpenRequest::Asked { due });
        self.requests.due.insert((due, id));
        self.conversation.push(output);
    }

    /// It is done: the answer is sent behind the events that it speaks of.
    pub(super) fn answered(&mut self, request_id: u64, answer: ReplyBody) {
        let positions = answer.at().into_iter().flat_map(Cursor::positions);
        let known = positions.filter_map(|position| {
            let index = self.index_of(position.log)?;
            Some((index, position.seq))
        });
        let known: Vec<(usize, u64)> = known.collect();
        if let Some(answer) = self.requests.answered(request_id, answer, known.len()) {
            return self.conversation.send(reply(request_id, answer));
        }
        for (index, seq) in known {
            self.lanes[index].await_event(seq, request_id);
            self.turns.wake(index);
        }
    }

    /// Answers those whose deadline has passed.
    pub(super) fn give_up_overdue(&mut self, now: Instant) {
        while let Some(request_id) = self.requests.overdue(now) {
            self.refuse(request_id, RefusalCode::Deadline);
        }
    }

    fn refuse(&mut self, id: u64, code: RefusalCode) {
        let result = Err(code.refusal());
        self.conversation.send(Frame::Reply(Reply { id, result }));
    }
}

fn reply(id: u64, answer: ReplyBody) -> Frame {
    let result = Ok(answer);
    Frame::Reply(Reply { id, result })
}
