//! The queue between the shard and the sequencer, bounded in number and in bytes, and what may wait
//! in it. Below both of them, so that neither knows the other.

/// A dispatch as Discord sent it.
mod dispatch;
/// Request Guild Members (op 8).
mod members_request;
/// What others want to know of the world.
mod question;
/// What whoever carries out a command about rooms has to know.
mod scene;

use std::sync::Arc;

use guildhall_link::frame::Ack;
use guildhall_model::{GuildId, UserId};
use guildhall_ports::journal::ResumeState;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

pub(crate) use dispatch::Dispatch;
pub(crate) use members_request::{MembersRequest, Nonce, USERS_PER_REQUEST};
pub(crate) use question::{
    About, Answered, Expectation, GuildSeen, Making, Question, QuestionAnswer, QuestionId,
    RoomOccupancy, SeenRoom,
};
pub(crate) use scene::{Scene, SceneCategory, SceneQuestion, SceneRoom};

/// Dispatches and others that may wait. Full: the shard closes and RESUMEs later, so that memory
/// is bounded and nothing is lost.
const INPUTS: usize = 8_192;
/// Bytes of the dispatches that may wait. A guild can have megabytes, so a number alone bounds
/// nothing. Full: as above.
const BYTES: u32 = 64 << 20;

/// What can happen to the working world.
#[derive(Debug)]
pub(crate) enum Input {
    /// Discord sent a dispatch. Its permit for the bytes that may wait.
    Dispatch(Dispatch, OwnedSemaphorePermit),
    /// The connection to Discord is gone. Replied to when everything so far is committed.
    Lost(Lost, oneshot::Sender<Option<ResumeState>>),
    /// A web role watches a user.
    Watch(WatchRequest),
    /// Whoever carries out commands wants to know something of a guild.
    Ask(Question),
}

/// The connection to Discord is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// There is a session that may be resumed.
    pub resumable: bool,
    /// Failures in a row, this one included.
    pub tries: u32,
    /// A sentence for the operator.
    pub why: String,
}

/// A web role watches a user: their rights in these guilds are to be in the log.
#[derive(Debug)]
pub(crate) struct WatchRequest {
    pub user_id: UserId,
    pub guild_ids: Vec<GuildId>,
    pub reply: WatchReply,
    /// Returned as soon as the request has left the inbox.
    pub permit: OwnedSemaphorePermit,
}

/// Where a watch is acknowledged.
#[derive(Debug)]
pub(crate) struct WatchReply {
    /// The web role's number for it, unique only on its own attachment.
    pub request_id: u64,
    /// Gets one [`Ack`]: everything it needed is in the log at or before its position. Has room
    /// for it.
    pub to: mpsc::Sender<Ack>,
}

/// A sender's handle on the inbox.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    inputs: mpsc::Sender<Input>,
    bytes: Arc<Semaphore>,
    /// How many bytes may wait in all.
    byte_capacity: u32,
}

/// Nobody takes inputs any more: the process is about to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the gateway is stopping")]
pub(crate) struct Stopped;

/// A dispatch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InboxError {
    /// There is no room: later.
    Full,
    /// Nobody takes inputs any more.
    Stopped,
}

impl Inbox {
    /// A handle and the receiving end, with the product's capacity.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Input>) {
        Self::of(INPUTS, BYTES)
    }

    /// One with this capacity.
    pub(crate) fn of(inputs: usize, bytes: u32) -> (Self, mpsc::Receiver<Input>) {
        let (sender, receiver) = mpsc::channel(inputs);
        let permits = usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS);
        let inbox = Self {
            inputs: sender,
            bytes: Arc::new(Semaphore::new(permits)),
            byte_capacity: bytes,
        };
        (inbox, receiver)
    }

    /// Puts in a dispatch if there is room for it, without waiting.
    pub(crate) fn dispatch(&self, dispatch: Dispatch) -> Result<(), InboxError> {
        let permit = self.permit_for(&dispatch).ok_or(InboxError::Full)?;
        let input = Input::Dispatch(dispatch, permit);
        self.inputs
            .try_send(input)
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => InboxError::Full,
                mpsc::error::TrySendError::Closed(_) => InboxError::Stopped,
            })
    }

    /// Says that the connection is gone. Answered when everything before it is committed, with the
    /// session to resume from there; `None`: begin a fresh one.
    pub(crate) async fn lost(&self, lost: Lost) -> Result<Option<ResumeState>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Input::Lost(lost, reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Waits for room.
    pub(crate) async fn send(&self, input: Input) -> Result<(), Stopped> {
        self.inputs.send(input).await.map_err(|_| Stopped)
    }

    /// One that is larger than the whole capacity takes all of it.
    fn permit_for(&self, dispatch: &Dispatch) -> Option<OwnedSemaphorePermit> {
        // Both are as long as the peer likes.
        let size = dispatch.name.len() + dispatch.data.get().len();
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let taken = size.min(self.byte_capacity);
        Arc::clone(&self.bytes).try_acquire_many_owned(taken).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_takes_its_room_as_long_data_does() {
        for (name, data) in [(60, 2), (2, 60)] {
            let (inbox, _inputs) = Inbox::of(8, 100);
            let dispatch = || Dispatch {
                name: "x".repeat(name),
                sequence: None,
                data: serde_json::value::to_raw_value(&"x".repeat(data - 2)).expect("JSON"),
                received_at: 1,
            };
            assert_eq!(inbox.dispatch(dispatch()), Ok(()));
            assert_eq!(inbox.dispatch(dispatch()), Err(InboxError::Full));
        }
    }
}
