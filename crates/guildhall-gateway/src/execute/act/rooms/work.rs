//! What is done at Discord for one room, step by step: each may be done again, or what it has made
//! can be found.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

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
    /// Nobody has answered one of the steps, or an earlier process may have taken them: it may be done
    /// behind what comes after it.
    pub(super) may_be_late: AtomicBool,
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

/// What is left of a room that was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoomRest {
    /// Nothing; its record neither.
    Nothing,
    /// The world has not heard yet that its channel is gone.
    Unheard,
    /// Discord may still make what it was asked for.
    MayCome,
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

    /// A step that leads to the same however often it is taken: once more where nobody answers. What
    /// is refused then may have been done by the first.
    async fn repeated<T, F: Future<Output = Result<T, RestError>>>(
        &self,
        step: impl Fn() -> F,
    ) -> Result<T, StepError> {
        match self.step(step().await) {
            Err(StepError::Lost) => {
                self.may_be_late.store(true, Ordering::Relaxed);
                sleep(AGAIN).await;
                unseen_is_lost(self.step(step().await))
            }
            result => result,
        }
    }

    /// Makes a room's role. Not answered, it is looked for.
    pub(super) async fn make_role(&self, room: &RoomRecord) -> Result<RoleId, StepError> {
        let (rest, terms) = (&self.context.rest, self.terms());
        let name = role_name(room);
        match self.step(rest.create_role(&terms, self.guild_id, &name).await) {
            Err(StepError::Lost) => {
                let found = unseen_is_lost(self.role_of(room).await)?;
                found.ok_or(StepError::Lost)
            }
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
            Err(StepError::Lost) => match unseen_is_lost(self.channel_of(room).await)? {
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

    /// A room's channel, found by what it was asked for with: none of the rooms that were there before,
    /// and like it to the last bit of its overwrites. One that we know is another room's. Each
    /// of our records accounts for one; where more are like that, one of them is somebody's copy, and
    /// none is touched.
    pub(super) async fn channel_of(
        &self,
        room: &RoomRecord,
    ) -> Result<Option<ChannelId>, StepError> {
        let Some(draft) = RoomDraft::of(room) else {
            return Ok(None);
        };
        let (rest, terms) = (&self.context.rest, self.terms());
        let mut channels = self.step(rest.channels(&terms, self.guild_id).await)?;
        let roles = if draft.names_roles(self.guild_id) {
            self.step(rest.roles(&terms, self.guild_id).await)?
        } else {
            Vec::new()
        };
        // What named a role may name it no longer when that is gone.
        let is_gone = |role_id| roles.iter().all(|role| role.role_id != role_id);
        let rooms = &self.context.rooms;
        channels.retain(|it| it.is_voice && rooms.by_channel(it.channel_id).is_none());
        let seen = channels.iter().map(|channel| VoiceChannelSeen {
            channel_id: channel.channel_id,
            name: &channel.name,
            user_limit: channel.user_limit,
            parent_id: channel.parent_id,
            overwrites: &channel.overwrites,
        });
        let asked_for = rooms.being_made();
        let drafts = asked_for.iter().filter(|(of, ..)| *of == self.guild_id);
        let drafts: Vec<&RoomDraft> = drafts.map(|(_, _, draft)| draft).collect();
        let accounting = |seen: VoiceChannelSeen<'_>| {
            let of_it = drafts.iter().filter(|draft| draft.is(seen, is_gone));
            (of_it.count(), seen.channel_id)
        };
        let like = seen.filter(|seen| draft.is(*seen, is_gone));
        let mut like: Vec<(usize, ChannelId)> = like.map(accounting).collect();
        // From the one that was there first on: a record accounts for none that was there before it.
        like.sort_unstable();
        let mut others = like.iter().enumerate();
        let accounted_for = others.all(|(earlier, (records, _))| *records > earlier);
        let first = like.first().map(|(_, channel_id)| *channel_id);
        Ok(first.filter(|_| accounted_for))
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
                if unseen_is_lost(self.step(there))? == to {
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

    /// A record says that its room is closing, and that nobody asks Discord for it any more: what it
    /// was asked for and did not answer it does within a minute of now.
    pub(super) async fn begin_to_close(
        &self,
        room: &mut RoomRecord,
        channel_id: Option<ChannelId>,
    ) -> Result<(), JournalError> {
        room.phase = RoomPhase::Closing { channel_id };
        room.unsettled = true;
        room.late_until = Some(self.late_until());
        self.context.rooms.put(room.clone()).await
    }

    /// Until when what was asked for by now may be done.
    fn late_until(&self) -> UnixMs {
        self.context.clock.now().saturating_add(millis(LATE))
    }

    /// What Discord may still make of an open room is looked at for a minute more.
    pub(super) fn expect_late(&self, room: &mut RoomRecord) {
        if self.may_be_late.load(Ordering::Relaxed) {
            room.late_until = Some(self.late_until());
        }
    }

    /// Takes away all that was made for a room whose record says that it is closing, and then the
    /// record. `lost`: something may be there that is not known.
    pub(super) async fn clear_away(
        &self,
        mut room: RoomRecord,
        lost: bool,
    ) -> Result<RoomRest, StepError> {
        let rooms = &self.context.rooms;
        let RoomPhase::Closing { mut channel_id } = room.phase else {
            return Ok(RoomRest::Nothing);
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
        room: RoomRecord,
        may_come: bool,
    ) -> Result<RoomRest, StepError> {
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
            return Ok(RoomRest::Unheard);
        }
        self.tell_making(&room, Making::NotMade).await?;
        let until = room.late_until;
        let until = until.unwrap_or_else(|| room.made_at.saturating_add(millis(LATE)));
        if may_come && until > self.context.clock.now() {
            let waits = RoomRecord {
                phase: RoomPhase::Closing { channel_id: None },
                role_id: None,
                ..room.clone()
            };
            if waits != room {
                rooms.put(waits).await?;
            }
            return Ok(RoomRest::MayCome);
        }
        rooms.forget(room.number).await?;
        Ok(RoomRest::Nothing)
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

/// What nobody answered may have been done, where what there is can't be seen.
fn unseen_is_lost<T>(seen: Result<T, StepError>) -> Result<T, StepError> {
    match seen {
        Err(StepError::Failed(_) | StepError::Throttled(_)) => Err(StepError::Lost),
        seen => seen,
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
