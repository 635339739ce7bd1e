//! A future that is seldom ready, polled beside one that is often woken.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// A future that is polled once, and then only after it was woken itself.
///
/// A stream is woken for every event, and each time it also has to know whether its session or the
/// process ends. Asking a cancellation token takes a lock that all streams share; asking this
/// costs one load.
pub struct PollWhenWoken<F> {
    future: Pin<Box<F>>,
    waker: Option<Arc<FlagWaker>>,
}

struct FlagWaker {
    woken: AtomicBool,
    task: Waker,
}

impl<F: Future> PollWhenWoken<F> {
    /// Nothing is polled yet.
    pub fn new(future: F) -> Self {
        Self {
            future: Box::pin(future),
            waker: None,
        }
    }

    /// Polls the future if there is a reason to. Not to be polled again once it was ready.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let Some(waker) = &self.waker
            && waker.task.will_wake(cx.waker())
            && !waker.woken.load(Ordering::Acquire)
        {
            return Poll::Pending;
        }
        let flag = Arc::new(FlagWaker {
            woken: AtomicBool::new(false),
            task: cx.waker().clone(),
        });
        self.waker = Some(Arc::clone(&flag));
        let waker = Waker::from(flag);
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

impl Wake for FlagWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::poll_fn};

    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test]
    async fn it_is_polled_once_and_again_when_it_was_woken() {
        let (token, polls) = (CancellationToken::new(), Cell::new(0));
        let mut cancelled = Box::pin(token.cancelled());
        let mut gated = PollWhenWoken::new(poll_fn(|cx| {
            polls.set(polls.get() + 1);
            cancelled.as_mut().poll(cx)
        }));
        for _ in 0..3 {
            let pending = poll_fn(|cx| Poll::Ready(gated.poll(cx).is_pending())).await;
            assert!(pending);
        }
        assert_eq!(polls.get(), 1);
        token.cancel();
        poll_fn(|cx| gated.poll(cx)).await;
        assert_eq!(polls.get(), 2);
    }
}
