//! Commands about rooms of ours. Each is a few steps at Discord with what is kept in between: before
//! a step the store knows of it, and where one fails those before it are taken back. What can't be
//! taken back is kept, and tried again later.

/// Making them.
mod create;
/// Deleting them.
mod close;
/// What a room is like: open or locked, shown or hidden, whose.
mod state;
/// Who is kept out.
mod block;
/// Invites.
mod invites;
/// Coming in by an invite.
mod join;
/// What an earlier process left of rooms.
mod repair;
/// Who may do what in a room's channel.
mod overwrites;
/// The steps.
mod work;

use std::sync::atomic::AtomicBool;

use guildhall_model::{
    ChannelId, Cursor, Position, UnixMs, UserId,
    command::{
        Before, Command, CommandDone, CommandError, CommandErrorCode, CommandRequest, Judgement,
        Made,
    },
};
use guildhall_ports::{
    CommandState, Intent, JournalError,
    room_store::{RoomPhase, RoomRecord},
};

use super::{Act, ActExit, Ended, done};
use crate::{
    execute::{GATEWAY_ITSELF, discord_error, ledger::Delay, not_live, single_call::SingleCall},
    inbox::{About, Expectation, QuestionAnswer, Scene, SceneQuestion, Stopped},
};

pub(in crate::execute) use invites::{genuine, gone, no_seats_left, revoked};
pub(in crate::execute) use repair::{RepairExit, repair};

use overwrites::OverwriteTerms;
use work::{RoomWork, StepError};

/// Why a command about rooms was not done.
#[derive(Debug)]
enum RoomFailure {
    Refused(CommandError),
    /// Discord makes it wait.
    Queued(UnixMs),
    /// The person is not in voice.
    Waiting(UnixMs),
    Ended(Ended),
}

impl From<CommandError> for RoomFailure {
    fn from(error: CommandError) -> Self {
        Self::Refused(error)
    }
}

impl From<Ended> for RoomFailure {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl From<Stopped> for RoomFailure {
    fn from(stopped: Stopped) -> Self {
        Self::Ended(stopped.into())
    }
}

impl From<JournalError> for RoomFailure {
    fn from(error: JournalError) -> Self {
        Self::Ended(Ended::NotKept(error))
    }
}

type RoomResult = Result<CommandDone, RoomFailure>;

impl Act {
    /// As one request to Discord. `None`: it is carried out as one about a room of ours.
    pub(super) fn single_call(&self) -> Option<SingleCall> {
        let command = &self.accepted.request.command;
        let blocks = matches!(
            command,
            Command::KickFromRoom {
                allow_return: false,
                ..
            }
        );
        let is_ours = || {
            let channel_id = command.channel_id();
            channel_id.is_some_and(|id| self.context.rooms.by_channel(id).is_some())
        };
        let is_several = blocks && is_ours();
        SingleCall::of(&self.accepted.request).filter(|_| !is_several)
    }

    /// Carries it out.
    pub(super) async fn in_our_room(&mut self) -> Result<ActExit, Ended> {
        let result = self.room_command().await;
        self.room_exit(result).await
    }

    /// It is too old to be done now: what there is of it is taken back.
    pub(super) async fn undo_in_our_room(&mut self) -> Result<ActExit, Ended> {
        let result = match self.accepted.request.command.clone() {
            Command::CreateRoom { .. } | Command::EnterLobby { .. } => self.unmake().await,
            Command::JoinRoom { token, .. } => self.unjoin(token).await,
            _ => Err(create::too_old().into()),
        };
        self.room_exit(result).await
    }

    async fn room_exit(&mut self, result: RoomResult) -> Result<ActExit, Ended> {
        match result {
            Ok(done) => self.settle(Ok(done)).await,
            Err(RoomFailure::Refused(error)) => self.settle(Err(error)).await,
            Err(RoomFailure::Queued(until)) => self.queue(until).await,
            Err(RoomFailure::Waiting(until)) => self.delay(Delay::Waiting { until }).await,
            Err(RoomFailure::Ended(ended)) => Err(ended),
        }
    }

    async fn room_command(&mut self) -> RoomResult {
        let command = self.accepted.request.command.clone();
        match command {
            Command::CreateRoom {
                name,
                limit,
                private,
                ..
            } => {
                let wish = create::RoomWish {
                    name,
                    limit,
                    private,
                    lobby: None,
                };
                self.create_room(wish).await
            }
            Command::EnterLobby { channel_id, .. } => self.enter_lobby(channel_id).await,
            Command::LockRoom { locked, .. } => {
                self.set_state(|room| room.locked = locked, true).await
            }
            Command::HideRoom { hidden, .. } => {
                self.set_state(|room| room.hidden = hidden, true).await
            }
            Command::TransferRoom { user_id, .. } => {
                self.set_state(|room| state::give(room, user_id), false)
                    .await
            }
            Command::ClaimRoom { channel_id, .. } => self.claim_room(channel_id).await,
            Command::CloseRoom { channel_id, .. } => self.close_room(channel_id).await,
            Command::BlockFromRoom { user_id, .. } | Command::KickFromRoom { user_id, .. } => {
                self.block(user_id).await
            }
            Command::UnblockFromRoom { user_id, .. } => self.unblock(user_id).await,
            Command::CreateInvite {
                seats,
                single_use,
                expires_in_seconds,
                ..
            } => {
                let seats = if single_use { Some(1) } else { seats };
                self.create_invite(seats, expires_in_seconds).await
            }
            Command::RevokeInvites { token, .. } => self.revoke_invites(token).await,
            Command::JoinRoom { token, .. } => self.join_room(token).await,
            Command::ConnectUserToVoiceChannel { .. }
            | Command::Disconnect { .. }
            | Command::RenameRoom { .. }
            | Command::SetRoomStatus { .. }
            | Command::SetRoomLimit { .. } => Err(super::unknown().into()),
        }
    }

    /// May it be done? `None`: it is so already.
    async fn judged(&mut self) -> Result<Option<Judgement>, RoomFailure> {
        let request = Box::new(CommandRequest::clone(&self.accepted.request));
        let judged = self.ask(About::Command(request)).await?;
        let Some(judged) = judged else {
            return Err(CommandError::nowhere().into());
        };
        let QuestionAnswer::Judged(judgement) = judged.answer else {
            return Err(Ended::Stopping.into());
        };
        let judgement = judgement?;
        let before = match &judgement {
            Judgement::AlreadySo => return Ok(None),
            Judgement::ToDo(before) => before.clone(),
            Judgement::NotInVoice => Before::Room(None),
        };
        self.intend(before, judged.at).await?;
        Ok(Some(judgement))
    }

    /// Why a step was not taken, as the person is told.
    fn failed(&self, error: StepError) -> RoomFailure {
        error.failure(discord_error::THROTTLED, self.context.clock.now())
    }

    /// What is so in the guild; refused where the bot lacks what it takes.
    async fn scene(&self) -> Result<Scene, RoomFailure> {
        let scene = self.look().await?;
        if !scene.missing.is_empty() {
            return Err(discord_error::bot_lacks(&scene.missing).into());
        }
        Ok(scene)
    }

    async fn look(&self) -> Result<Scene, RoomFailure> {
        let settings = self.context.rooms.settings();
        let request = CommandRequest::clone(&self.accepted.request);
        let parents = match &request.command {
            Command::CreateRoom {
                parent_id: Some(parent_id),
                ..
            } if settings.parents.is_empty() || settings.parents.contains(parent_id) => {
                vec![*parent_id]
            }
            Command::CreateRoom {
                parent_id: Some(_), ..
            } => return Err(no_such_parent().into()),
            Command::EnterLobby { channel_id, .. } => {
                let lobbies = settings.lobbies.iter();
                let mut lobby = lobbies.filter(|lobby| lobby.channel == *channel_id);
                let own = lobby.next().and_then(|lobby| lobby.parent);
                own.map_or_else(|| settings.parents.clone(), |own| vec![own])
            }
            _ => settings.parents.clone(),
        };
        let question = SceneQuestion {
            request,
            parents,
            creators: settings.creators.clone(),
        };
        let answered = self.ask(About::Scene(Box::new(question))).await?;
        match answered.map(|answered| answered.answer) {
            Some(QuestionAnswer::Scene(Some(scene))) => Ok(*scene),
            _ => Err(CommandError::nowhere().into()),
        }
    }

    /// Kept before the first step, with a key or without one: what was begun is ended by the next
    /// process, whoever asks for it.
    async fn intend(&mut self, before: Before, at: Position) -> Result<(), Ended> {
        let intent = Intent {
            before,
            at,
            since: self.context.clock.now(),
            promised: self.promised,
        };
        self.keep(CommandState::Intended(intent)).await
    }

    /// The channel that it is about; of none it is nobody's.
    fn channel_id(&self) -> ChannelId {
        let channel_id = self.accepted.request.command.channel_id();
        channel_id.unwrap_or(ChannelId(0))
    }

    /// The room that it is about, as it is kept.
    fn room(&self) -> Result<RoomRecord, CommandError> {
        let room = self.context.rooms.by_channel(self.channel_id());
        room.filter(|room| matches!(room.phase, RoomPhase::Open { .. }))
            .ok_or_else(|| {
                CommandError::new(
                    CommandErrorCode::NotManaged,
                    "This is done to rooms that were made here, and this one was not.",
                )
            })
    }

    fn work(&self) -> RoomWork<'_> {
        let request = &self.accepted.request;
        RoomWork {
            context: &self.context,
            guild_id: request.command.guild_id(),
            caller: request.actor,
            reason: if request.actor == GATEWAY_ITSELF {
                format!("{}, since nobody is there", request.command.name())
            } else {
                format!("{} by {}", request.command.name(), request.actor)
            },
            needs: discord_error::needed_of_the_bot(&request.command),
            may_be_late: AtomicBool::new(self.due.is_none()),
        }
    }

    fn overwrite_terms(&self, scene: &Scene) -> Result<OverwriteTerms, CommandError> {
        let bot = scene.bot.ok_or_else(not_live)?;
        Ok(OverwriteTerms {
            everyone: self.accepted.request.command.guild_id().everyone(),
            bot,
            bot_may: scene.bot_may,
        })
    }

    /// Waits until the world tells of it.
    async fn seen(&self, expectation: Expectation) -> Result<Option<Cursor>, RoomFailure> {
        let about = About::When {
            expectation,
            until: guildhall_http::driver_time::now() + super::EFFECT,
        };
        let answered = self.ask(about).await?;
        let so = answered.filter(|answered| answered.answer == QuestionAnswer::So);
        Ok(so.map(|answered| answered.at.into()))
    }
}

/// It is done, and there is something that was not there before.
fn made(at: Option<Cursor>, made: Made) -> CommandDone {
    CommandDone {
        made: Some(made),
        ..done(at)
    }
}

fn no_such_parent() -> CommandError {
    CommandError::new(
        CommandErrorCode::Invalid,
        "Rooms are made in other categories than that; leave it out for any of them.",
    )
}

/// Whom it is done for, in an invite's id and a message's nonce.
fn told_apart(user_id: UserId, asked_at: UnixMs, id: u64) -> Vec<u8> {
    let numbers = [user_id.0, asked_at, id];
    numbers.iter().flat_map(|it| it.to_be_bytes()).collect()
}
