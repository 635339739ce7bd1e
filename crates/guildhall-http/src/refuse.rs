//! The 503 for a connection beyond the bounds.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::ByteStream;

/// Being answered at one time. They hold descriptors that no other count has; further ones are
/// closed without a word.
const TOGETHER: usize = 32;

/// How long the answer may take.
const LIMIT: Duration = Duration::from_secs(1);

const ANSWER: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "content-type: application/json\r\n",
    "cache-control: no-store\r\n",
    "retry-after: 5\r\n",
    "connection: close\r\n",
    "content-length: 87\r\n",
    "\r\n",
    r#"{"error":{"code":"unavailable","message":"Too many connections. Try again in a while"}}"#,
);

/// Answers connections beyond the bounds, a few at a time.
#[derive(Debug)]
pub(super) struct UnavailableResponses(Arc<Semaphore>);

impl UnavailableResponses {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(TOGETHER)))
    }

    /// Says so to one; `None` when so many are being told already that it is closed at once.
    pub(super) fn of<C: ByteStream>(
        &self,
        socket: C,
    ) -> Option<impl Future<Output = ()> + Send + use<C>> {
        let permit = Arc::clone(&self.0).try_acquire_owned().ok()?;
        Some(say(socket, permit))
    }
}

async fn say(mut socket: impl ByteStream, _permit: OwnedSemaphorePermit) {
    let said = async {
        socket.write_all(ANSWER.as_bytes()).await?;
        socket.shutdown().await?;
        // Closed with bytes unread it would be reset, and the answer lost.
        let mut unheard = [0; 1024];
        while socket.read(&mut unheard).await? > 0 {}
        io::Result::Ok(())
    };
    // Nothing is left to do about somebody who does not listen.
    let _in_time = timeout(LIMIT, said).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_its_own_length() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").expect("a head");
        let length = format!("content-length: {}", body.len());
        assert!(head.lines().any(|line| line == length), "{length}");
    }
}
