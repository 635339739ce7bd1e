//! What is done at Discord for one room, step by step: each may be done again, or what it has made
//! can be found.

use std::time::Duration;

use guildhall_http::driver_time::now;
use guildhall_model::{
    ChannelId, GuildId, RoleId, UnixMs, UserId,
    command::{CommandError, CommandErrorCode},
    guild::{Overwrite, OverwriteTarget},
};
use guildhall_ports::{
    JournalError, millis,
    room_store::{RoomPhase, RoomRecord},
};
use tokio::time::sleep;

use super::{RoomFailure, overwrites::OverwriteChange};
use crate::{
    discord_rest::{
        CallTerms, DiscordRefusal, RestCaller, RestError, VoiceChannelDraft, error_code,
    },
    execute::{
        act::{CommandContext, EFFECT, Ended, THROTTLE},
        discord_error,
    },
    inbox::{About, Expectation, Making, QuestionAnswer},
    rooms::{RoomDraft, VoiceChannelSeen, management_of},
};

/// Discord has done a request by then, or never will: what was made by one that nobody answered is
/// looked for until so long after it was asked for.
pub(super) const LATE: Duration = Duration::from_mins(1);
/// Before a step that nobody answered is taken again.
const AGAIN: Duration = Duration::from_millis(250);

const FULL_CATEGORY: &str = "CHANNEL_PARENT_MAX_CHANNELS";
const GONE_CATEGORY: &str = "CHANNEL_PARENT_INVALID";

/// Everything that one room's steps have in common.
pub(in crate::execute) struct RoomWork<'a> {
    pub(super) context: &'a CommandContext,
    pub(super) guild_id: GuildId,
    /// On whose behalf.
    pub(super) caller: UserId,
    /// For the guild's audit log.
    pub(super) reason: String,
    /// What it is done for, for what is said of a refusal.
    pub(super) needs: &'static [&'static str],
}

/// Why a step was not taken.
#[derive(Debug)]
pub(super) enum StepError {
    /// Discord said no, or could not be asked.
    Failed(CommandError),
    /// It makes it wait so long.
    Throttled(UnixMs),
    /// Nobody knows whether it was.
    Lost,
    /// The process ends.
    Ended(Ended),
}

impl From<JournalError> for StepError {
    fn from(error: JournalError) -> Self {
        Self::Ended(Ended::NotKept(error))
    }
}

impl StepError {
    /// As an act's failure. `busy`: what is said where Discord makes it wait.
    pub(super) fn failure(self, busy: &'static str, now: UnixMs) -> RoomFailure {
        match self {
            Self::Failed(error) => RoomFailure::Refused(error),
            Self::Throttled(until) => {
                let wait = until.saturating_sub(now);
                let error = CommandError::new(CommandErrorCode::Busy, busy);
                RoomFailure::Refused(error.retry_after_ms(wait))
            }
            Self::Lost => {
                let error = CommandError::new(
                    CommandErrorCode::DiscordFailed,
                    "Discord did not answer; nothing of it is left.",
                );
                RoomFailure::Refused(error.retry_after_ms(1_000))
            }
            Self::Ended(ended) => RoomFailure::Ended(ended),
        }
    }
}

impl RoomWork<'_> {
    fn terms(&self) -> CallTerms<'_> {
        CallTerms {
            caller: RestCaller::Command(self.caller),
            deadline: now() + self.context.call_time,
            longest_throttle: THROTTLE,
            reason: Some(&self.reason),
        }
    }

    fn step<T>(&self, result: Result<T, RestError>) -> Result<T, StepError> {
        result.map_err(|error| match error {
            RestError::Unauthorised => StepError::Ended(Ended::TokenRefused),
            RestError::Throttled { until } => {
                let wait = until.saturating_duration_since(now());
                StepError::Throttled(self.context.clock.now() + millis(wait))
            }
            RestError::Unknown(_) => StepError::Lost,
            error => StepError::Failed(discord_error::of_room(&error, self.needs, now())),
        })
    }

    /// A step that leads to the same however often it is taken: once more where nobody answers.
    async fn repeated<T, F: Future<Output = Result<T, RestError>>>(
        &self,
        step: impl Fn() -> F,
    ) -> Result<T, StepError> {
        match self.step(step().await) {
            Err(StepError::Lost) => {
                sleep(AGAIN).await;
                self.step(step().await)
            }
            result => result,
        }
    }

    /// Makes a room's role. Not answered, it is looked for.
    pub(super) async fn make_role(&self, room: &RoomRecord) -> Result<RoleId, StepError> {
        let (rest, terms) = (&self.context.rest, self.terms());
        let name = role_name(room);
        match self.step(rest.create_role(&terms, self.guild_id, &name).await) {
            Err(StepError::Lost) => self.role_of(room).await?.ok_or(StepError::Lost),
            result => result,
        }
    }

    /// Makes a room's channel as its record says. `Ok(None)`: its category is full, or gone. Not
    /// answered, it is looked for.
    pub(super) async fn make_channel(
        &self,
        room: &RoomRecord,
    ) -> Result<Option<ChannelId>, StepError> {
        if let Some(draft) = RoomDraft::of(room) {
            self.tell_making(room, Making::Asked(Box::new(draft)))
                .await?;
        }
        let draft = VoiceChannelDraft {
            name: &room.name,
            user_limit: room.limit,
            parent_id: room.parent_id,
            overwrites: &room.overwrites,
        };
        let (rest, terms) = (&self.context.rest, self.terms());
        let made = rest
            .create_voice_channel(&terms, self.guild_id, draft)
            .await;
        if let Err(RestError::Refused(refusal)) = &made
            && has_no_place(refusal)
        {
            return Ok(None);
        }
        match self.step(made) {
            Err(StepError::Lost) => match self.channel_of(room).await? {
                Some(channel_id) => Ok(Some(channel_id)),
                None => Err(StepError::Lost),
            },
            result => result.map(Some),
        }
    }

    /// A room's role, found by its mark.
    pub(super) async fn role_of(&self, room: &RoomRecord) -> Result<Option<RoleId>, StepError> {
        let (rest, terms) = (&self.context.rest, self.terms());
        let roles = self.step(rest.roles(&terms, self.guild_id).await)?;
        let name = role_name(room);
        let role = roles.into_iter().find(|role| role.name == name);
        Ok(role.map(|role| role.role_id))
    }

    /// Whether Discord has a role.
    pub(super) async fn has_role(&self, role_id: RoleId) -> Result<bool, StepError> {
        let (rest, terms) = (&self.context.rest, self.terms());
        let roles = self.step(rest.roles(&terms, self.guild_id).await)?;
        Ok(roles.iter().any(|role| role.role_id == role_id))
    }

    /// Whether Discord has a channel; if in doubt it does.
    pub(super) async fn has_channel(&self, channel_id: ChannelId) -> Result<bool, StepError> {
        let (rest, terms) = (&self.context.rest, self.terms());
        match rest.channel(&terms, channel_id).await {
            Err(error) if error.code() == error_code::UNKNOWN_CHANNEL => Ok(false),
            Err(RestError::Unauthorised) => Err(StepError::Ended(Ended::TokenRefused)),
            _ => Ok(true),
        }
    }

    /// A room's channel, found by what it was asked for with: younger than the rooms that were there
    /// before, and like it to the last bit of its overwrites. One that we know is another room's; where
    /// two are like that, one of them is somebody's copy, and neither is touched.
    pub(super) async fn channel_of(
        &self,
        room: &RoomRecord,
    ) -> Result<Option<ChannelId>, StepError> {
        let Some(draft) = RoomDraft::of(room) else {
            return Ok(None);
        };
        let (rest, terms) = (&self.context.rest, self.terms());
        let channels = self.step(rest.channels(&terms, self.guild_id).await)?;
        let like = channels.into_iter().filter(|channel| {
            let seen = VoiceChannelSeen {
                channel_id: channel.channel_id,
                name: &channel.name,
                user_limit: channel.user_limit,
                parent_id: channel.parent_id,
                overwrites: &channel.overwrites,
            };
            channel.is_voice
                && draft.is(seen)
                && self.context.rooms.by_channel(channel.channel_id).is_none()
        });
        let like: Vec<ChannelId> = like.map(|channel| channel.channel_id).collect();
        Ok(match like[..] {
            [one] => Some(one),
            _ => None,
        })
    }

    pub(super) async fn give_role(&self, to: UserId, role_id: RoleId) -> Result<(), StepError> {
        let (rest, guild_id) = (&self.context.rest, self.guild_id);
        self.repeated(async || rest.give_role(&self.terms(), guild_id, to, role_id).await)
            .await?;
        self.context.tell_rights(guild_id, to).await;
        Ok(())
    }

    pub(super) async fn take_role(&self, of: UserId, role_id: RoleId) -> Result<(), StepError> {
        let (rest, guild_id) = (&self.context.rest, self.guild_id);
        self.repeated(async || rest.take_role(&self.terms(), guild_id, of, role_id).await)
            .await?;
        self.context.tell_rights(guild_id, of).await;
        Ok(())
    }

    pub(super) async fn change(
        &self,
        channel_id: ChannelId,
        change: OverwriteChange,
    ) -> Result<(), StepError> {
        let rest = &self.context.rest;
        self.repeated(async || match change {
            OverwriteChange::Put(overwrite) => {
                rest.put_overwrite(&self.terms(), channel_id, overwrite)
                    .await
            }
            OverwriteChange::Delete(target) => {
                rest.delete_overwrite(&self.terms(), channel_id, target)
                    .await
            }
        })
        .await
    }

    /// One after the other; where one is not done, those before it are taken back. `Err` with `true`:
    /// it could not be taken back either.
    pub(super) async fn change_all(
        &self,
        channel_id: ChannelId,
        before: &[Overwrite],
        changes: &[OverwriteChange],
    ) -> Result<(), (StepError, bool)> {
        for (at, change) in changes.iter().enumerate() {
            let Err(error) = self.change(channel_id, *change).await else {
                continue;
            };
            // What nobody answered may have been done.
            let done = if matches!(error, StepError::Lost) {
                at + 1
            } else {
                at
            };
            let kept = self.change_back(channel_id, before, &changes[..done]).await;
            return Err((error, kept));
        }
        Ok(())
    }

    /// Takes changes back, the last first. Answers with whether one is left.
    pub(super) async fn change_back(
        &self,
        channel_id: ChannelId,
        before: &[Overwrite],
        changes: &[OverwriteChange],
    ) -> bool {
        let mut left = false;
        for change in changes.iter().rev() {
            let back = back(before, change.target());
            left |= self.change(channel_id, back).await.is_err();
        }
        left
    }

    /// Moves somebody who is in voice; `None`: out of it. `Ok(false)`: they are not in voice.
    pub(super) async fn move_to(
        &self,
        user_id: UserId,
        to: Option<ChannelId>,
    ) -> Result<bool, StepError> {
        let (rest, guild_id) = (&self.context.rest, self.guild_id);
        let moved = rest.move_member(&self.terms(), guild_id, user_id, to).await;
        if moved
            .as_ref()
            .is_err_and(|error| error.code() == error_code::NOT_IN_VOICE)
        {
            return Ok(false);
        }
        match self.step(moved) {
            Err(StepError::Lost) => {
                // Where they are now tells.
                let there = rest.voice_state(&self.terms(), guild_id, user_id).await;
                if self.step(there)? == to {
                    return Ok(true);
                }
                Err(StepError::Lost)
            }
            result => result.map(|()| true),
        }
    }

    pub(super) async fn delete_channel(&self, channel_id: ChannelId) -> Result<(), StepError> {
        let rest = &self.context.rest;
        self.repeated(async || rest.delete_channel(&self.terms(), channel_id).await)
            .await
    }

    async fn delete_role(&self, role_id: RoleId) -> Result<(), StepError> {
        let (rest, guild_id) = (&self.context.rest, self.guild_id);
        self.repeated(async || rest.delete_role(&self.terms(), guild_id, role_id).await)
            .await
    }

    /// Writes into a room's chat. Nothing depends on it.
    pub(super) async fn write(&self, channel_id: ChannelId, content: &str, nonce: &str) {
        let (rest, terms) = (&self.context.rest, self.terms());
        let written = rest
            .create_message(&terms, channel_id, content, nonce)
            .await;
        if let Err(error) = written {
            tracing::info!("[Gateway] A room's message was not written: {error}");
        }
    }

    /// Takes away all that was made for a room whose record says that it is closing, and then the
    /// record. `lost`: something may be there that is not known. `Ok(false)`: something may still come
    /// to be, or is still to be heard of, and is looked for later.
    pub(super) async fn clear_away(
        &self,
        mut room: RoomRecord,
        lost: bool,
    ) -> Result<bool, StepError> {
        let rooms = &self.context.rooms;
        let RoomPhase::Closing { mut channel_id } = room.phase else {
            return Ok(true);
        };
        let (known, known_role) = (channel_id, room.role_id);
        if lost {
            if room.role_id.is_none() {
                room.role_id = self.role_of(&room).await?;
            }
            if channel_id.is_none() {
                channel_id = self.channel_of(&room).await?;
            }
            if (channel_id, room.role_id) != (known, known_role) {
                room.phase = RoomPhase::Closing { channel_id };
                rooms.put(room.clone()).await?;
            }
        }
        if let Some(channel_id) = channel_id {
            self.delete_channel(channel_id).await?;
        }
        let may_come = lost && known.is_none();
        self.clear_rest(room, may_come).await
    }

    /// The same, where the channel that its record names is deleted. `may_come`: another may still
    /// come to be.
    pub(super) async fn clear_rest(
        &self,
        mut room: RoomRecord,
        may_come: bool,
    ) -> Result<bool, StepError> {
        let rooms = &self.context.rooms;
        let channel_id = room.phase.channel_id();
        if let Some(channel_id) = channel_id {
            self.tell_management(channel_id, None).await?;
        }
        if let Some(role_id) = room.role_id {
            self.delete_role(role_id).await?;
        }
        if let Some(channel_id) = channel_id
            && !self.is_heard_gone(channel_id).await?
        {
            // Without a record it would be told as nobody's until it is.
            return Ok(false);
        }
        self.tell_making(&room, Making::NotMade).await?;
        let late = room.made_at.saturating_add(millis(LATE)) > self.context.clock.now();
        if may_come && late {
            room.phase = RoomPhase::Closing { channel_id: None };
            room.role_id = None;
            rooms.put(room).await?;
            return Ok(false);
        }
        rooms.forget(room.number).await?;
        Ok(true)
    }

    /// Whether the world has heard that a room is deleted, or does soon.
    async fn is_heard_gone(&self, channel_id: ChannelId) -> Result<bool, StepError> {
        let answer = self.ask(About::When {
            expectation: Expectation::RoomGone(channel_id),
            until: now() + EFFECT,
        });
        Ok(answer.await? == Some(QuestionAnswer::So))
    }

    /// Has the world say of a room what its record does; `None`: Discord has deleted it.
    pub(super) async fn tell_management(
        &self,
        channel_id: ChannelId,
        room: Option<&RoomRecord>,
    ) -> Result<(), StepError> {
        let about = About::Manage {
            channel_id,
            management: room.map(management_of),
        };
        self.ask(about).await.map(drop)
    }

    /// Tells the world how far a room's making is.
    pub(super) async fn tell_making(
        &self,
        room: &RoomRecord,
        making: Making,
    ) -> Result<(), StepError> {
        let room = room.number;
        self.ask(About::Making { room, making }).await.map(drop)
    }

    /// `Ok(None)`: nobody here serves the guild.
    async fn ask(&self, about: About) -> Result<Option<QuestionAnswer>, StepError> {
        let answered = self.context.worlds.ask(self.guild_id, about).await;
        let answered = answered.map_err(|stopped| StepError::Ended(stopped.into()))?;
        Ok(answered.map(|answered| answered.answer))
    }
}

/// What a channel's overwrites for somebody were before.
pub(super) fn back(before: &[Overwrite], target: OverwriteTarget) -> OverwriteChange {
    let was = before.iter().find(|one| one.target == target);
    was.map_or(OverwriteChange::Delete(target), |was| {
        OverwriteChange::Put(*was)
    })
}

/// Discord has no place for a channel in that category.
fn has_no_place(refusal: &DiscordRefusal) -> bool {
    let mut wrong = refusal.form.iter().map(|error| error.code.as_str());
    wrong.any(|code| code == FULL_CATEGORY || code == GONE_CATEGORY)
}

/// With the room's number and mark, by which it is known again.
fn role_name(room: &RoomRecord) -> String {
    let mark = format!(" #{:x}-{:x}", room.number.0, room.mark);
    let name: String = room.name.chars().take(100 - mark.len()).collect();
    name + &mark
}
