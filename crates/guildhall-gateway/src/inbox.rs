//! The way in: bounded in number and in bytes.

use std::sync::Arc;

use guildhall_ports::journal::ResumeState;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{
    keeper::{Input, Lost, Stopped},
    shard::Dispatch,
};

/// Dispatches and others that may wait. Full: the shard closes and RESUMEs later, so that memory
/// is bounded and nothing is lost.
const INPUTS: usize = 8_192;
/// Bytes of the dispatches that may wait. A guild can have megabytes, so a number alone bounds
/// nothing. Full: as above.
const BYTES: u32 = 64 << 20;

/// The shard's handle on the keeper.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    inputs: mpsc::Sender<Input>,
    bytes: Arc<Semaphore>,
    /// All of the bytes.
    room: u32,
}

/// A dispatch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untaken {
    /// There is no room: later.
    Full,
    /// The keeper is no more.
    Stopped,
}

impl Inbox {
    /// A handle and the other end.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Input>) {
        Self::of(INPUTS, BYTES)
    }

    /// One with room for so much.
    pub(crate) fn of(inputs: usize, bytes: u32) -> (Self, mpsc::Receiver<Input>) {
        let (sender, receiver) = mpsc::channel(inputs);
        let permits = usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS);
        let inbox = Self {
            inputs: sender,
            bytes: Arc::new(Semaphore::new(permits)),
            room: bytes,
        };
        (inbox, receiver)
    }

    /// Hands on a dispatch if there is room for it, at once.
    pub(crate) fn dispatch(&self, dispatch: Dispatch) -> Result<(), Untaken> {
        let place = self.place_for(&dispatch).ok_or(Untaken::Full)?;
        let input = Input::Dispatch(dispatch, place);
        self.inputs
            .try_send(input)
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => Untaken::Full,
                mpsc::error::TrySendError::Closed(_) => Untaken::Stopped,
            })
    }

    /// Says that the connection is gone. Answered when everything before it is committed, with how
    /// to go on from there; `None`: by a fresh session.
    pub(crate) async fn lost(&self, lost: Lost) -> Result<Option<ResumeState>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Input::Lost(lost, reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Waits for room.
    pub(crate) async fn send(&self, input: Input) -> Result<(), Stopped> {
        self.inputs.send(input).await.map_err(|_| Stopped)
    }

    /// One that is larger than all the room takes all of it.
    fn place_for(&self, dispatch: &Dispatch) -> Option<OwnedSemaphorePermit> {
        let size = u32::try_from(dispatch.data.get().len()).unwrap_or(u32::MAX);
        let taken = size.min(self.room);
        Arc::clone(&self.bytes).try_acquire_many_owned(taken).ok()
    }
}
