//! Where calls wait for the limiter. There is no task of its own: of those who wait, one wakes all.

use std::{collections::HashMap, sync::Arc, time::Instant};

use guildhall_http::driver_time::{now, sleep_to};
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    select,
    sync::{Notify, Semaphore, oneshot},
    time::timeout_at,
};

use super::limiter::{
    AnswerKind, CallId, CallRequest, CallVerdict, Limiter, NotSent, RateHeaders, SendGrant,
};

/// The limiter with those who wait for it. Held by every handle on the client.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<GateState>,
    /// Whoever has it looks at the limiter's deadline for all who wait. It goes on to the next when
    /// that call has ended, however it ends.
    alarm: Semaphore,
    /// The limiter's deadline may be another.
    changed: Notify,
}

#[derive(Debug)]
struct GateState {
    limiter: Limiter,
    waiting: HashMap<CallId, oneshot::Sender<Result<SendPermit, NotSent>>>,
}

/// The right to send one request. It counts as sent, whatever becomes of the permit.
#[derive(Debug)]
pub(super) struct SendPermit {
    gate: Arc<Gate>,
    /// `None`: answered.
    grant: Option<SendGrant>,
}

impl Gate {
    pub(super) fn new(limiter: Limiter) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(GateState {
                limiter,
                waiting: HashMap::new(),
            }),
            alarm: Semaphore::new(1),
            changed: Notify::new(),
        })
    }

    /// Waits until one request of this call may be sent; until the deadline at the longest. Nothing
    /// is sent after it.
    pub(super) async fn admitted(
        self: &Arc<Self>,
        asked: CallRequest,
        deadline: Instant,
    ) -> Result<SendPermit, NotSent> {
        let (reply, verdict) = oneshot::channel();
        let call = {
            let (state, now) = (&mut *self.lock(), now());
            if now >= deadline {
                return Err(state.too_late(asked, now));
            }
            let call = state.limiter.ask(asked, now)?;
            state.waiting.insert(call, reply);
            call
        };
        let waiting = GateWait {
            gate: self.as_ref(),
            call,
        };
        self.pump();
        let verdict = timeout_at(deadline.into(), self.told(verdict)).await;
        drop(waiting);
        verdict.unwrap_or_else(|_| Err(self.lock().too_late(asked, now())))
    }

    async fn told(
        self: &Arc<Self>,
        mut verdict: oneshot::Receiver<Result<SendPermit, NotSent>>,
    ) -> Result<SendPermit, NotSent> {
        // Nobody lets go of a call that waits, other than by telling it.
        let gone = |_| Err(NotSent::Late(now()));
        let _alarm = select! {
            biased;
            told = &mut verdict => return told.unwrap_or_else(gone),
            alarm = self.alarm.acquire() => alarm,
        };
        self.wake_all_until(verdict).await.unwrap_or_else(gone)
    }

    /// Lets calls through as time passes, until this one is told.
    async fn wake_all_until<T>(
        self: &Arc<Self>,
        mut verdict: oneshot::Receiver<T>,
    ) -> Result<T, oneshot::error::RecvError> {
        loop {
            let deadline = self.lock().limiter.deadline();
            select! {
                biased;
                told = &mut verdict => return told,
                () = self.changed.notified() => {}
                () = sleep_to(deadline) => self.pump(),
            }
        }
    }

    /// Tells every call what has become of it, as far as it is decided.
    fn pump(self: &Arc<Self>) {
        let mut told = Vec::new();
        {
            let state = &mut *self.lock();
            let now = now();
            while let Some((call, verdict)) = state.limiter.poll(now) {
                let verdict = match verdict {
                    CallVerdict::Send(grant) => Ok(SendPermit {
                        gate: Arc::clone(self),
                        grant: Some(grant),
                    }),
                    CallVerdict::Refused(why) => Err(why),
                };
                told.push((state.waiting.remove(&call), verdict));
            }
        }
        // Beyond the lock: a permit that nobody takes any more gives itself back.
        for (reply, verdict) in told {
            if let Some(reply) = reply {
                let _gone = reply.send(verdict);
            }
        }
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock()
    }
}

impl GateState {
    /// Why a call was not sent by its deadline.
    fn too_late(&self, asked: CallRequest, now: Instant) -> NotSent {
        let throttled = self.limiter.throttled_until(asked.route, now);
        throttled.map_or(NotSent::Late(now), NotSent::Throttled)
    }
}

impl SendPermit {
    /// The request was answered.
    pub(super) fn answered(mut self, kind: AnswerKind, said: &RateHeaders) {
        if let Some(grant) = self.grant.take() {
            self.gate.lock().limiter.answered(grant, kind, said, now());
            self.gate.pump();
        }
    }
}

/// Without an answer: given up, or dropped with its call.
impl Drop for SendPermit {
    fn drop(&mut self) {
        if let Some(grant) = self.grant.take() {
            self.gate.lock().limiter.lost(grant, now());
            self.gate.pump();
        }
    }
}

/// A call that waits. Dropped, it waits no more.
struct GateWait<'a> {
    gate: &'a Gate,
    call: CallId,
}

impl Drop for GateWait<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.limiter.withdraw(self.call);
        state.waiting.remove(&self.call);
    }
}

#[cfg(test)]
mod tests;
