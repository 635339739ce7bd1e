//! What a room is like: open or locked, shown or hidden, whose. Its record says so first, then
//! Discord is made to be so, then the world is told.

use std::time::Duration;

use guildhall_http::driver_time::now;
use guildhall_model::{
    ChannelId, UserId,
    command::{CommandError, CommandErrorCode},
    guild::Membership,
};
use guildhall_ports::{millis, room_store::RoomRecord};

use super::{
    Act, RoomFailure, RoomResult, RoomWork, Scene, StepError,
    overwrites::{OverwriteChange, given_back},
};
use crate::{
    execute::{act::done, discord_error},
    inbox::Expectation,
    rooms::NotReserved,
};

/// So long is an owner gone before somebody else may have the room.
const OWNER_GONE: Duration = Duration::from_mins(5);

impl Act {
    /// `waits`: where Discord makes it wait, it is done later.
    pub(super) async fn set_state(
        &mut self,
        change: impl FnOnce(&mut RoomRecord),
        waits: bool,
    ) -> RoomResult {
        let before = self.context.rooms.by_channel(self.channel_id());
        let wished = before.map(|mut room| {
            let was = room.clone();
            change(&mut room);
            (was, room)
        });
        // What was begun before is gone on with: whose room it was then may not be theirs any more.
        let is_begun = wished.as_ref().is_some_and(|(was, room)| was == room) && self.kept;
        let is_so = !is_begun && self.judged().await?.is_none();
        self.room()?;
        let Some((before, mut room)) = wished else {
            return Err(CommandError::nowhere().into());
        };
        let scene = self.scene().await?;
        // By hand it may have been made something else.
        if is_so && !before.unsettled && self.is_as_kept(&room, &scene) {
            return Ok(done(None));
        }
        room.unsettled = true;
        if let (Some(there), Ok(terms)) = (&scene.room, self.overwrite_terms(&scene)) {
            terms.set_aside(&mut room, &there.overwrites, &there.parent_overwrites);
        }
        if room.owner_id != before.owner_id && !is_begun {
            self.may_own(&room, &scene).await?;
            let handed_over = self.context.rooms.hand_over(room.clone()).await;
            handed_over.map_err(not_handed_over)?;
        } else {
            self.context.rooms.put(room.clone()).await?;
        }
        let work = self.work();
        match self.make_it_so(&work, &room, &scene).await {
            Ok(()) => {}
            Err((StepError::Ended(ended), _)) => return Err(ended.into()),
            Err((StepError::Throttled(until), _)) if waits => {
                return Err(RoomFailure::Queued(until));
            }
            Err((error, kept)) => {
                let unsettled = before.unsettled || kept;
                let mut before = RoomRecord {
                    unsettled,
                    ..before
                };
                work.expect_late(&mut before);
                self.context.rooms.put(before).await?;
                return Err(self.failed(error));
            }
        }
        room.unsettled = false;
        given_back(&mut room);
        work.expect_late(&mut room);
        self.context.rooms.put(room.clone()).await?;
        if let Some(channel_id) = room.phase.channel_id() {
            let told = work.tell_management(channel_id, Some(&room)).await;
            told.map_err(|error| self.failed(error))?;
        }
        let request = &self.accepted.request;
        let expected = Expectation::Done(request.actor, request.command.clone());
        Ok(done(self.seen(expected).await?))
    }

    /// Whether a room may be somebody's: a member's, and not the bot's.
    async fn may_own(&self, room: &RoomRecord, scene: &Scene) -> Result<(), RoomFailure> {
        let refused = |code, sentence: &str| Err(CommandError::new(code, sentence).into());
        if scene.bot == Some(room.owner_id) {
            return refused(CommandErrorCode::Invalid, "A room is a person's.");
        }
        let rest = &self.context.rest;
        match rest.membership(room.guild_id, room.owner_id).await {
            Ok(Membership::Member { .. }) => Ok(()),
            Ok(Membership::Stranger) => refused(
                CommandErrorCode::NotFound,
                "That person is no member of the guild.",
            ),
            Err(error) => Err(discord_error::of_room(&error, &[], now()).into()),
        }
    }

    /// Whether a room's overwrites say what its record does.
    fn is_as_kept(&self, room: &RoomRecord, scene: &Scene) -> bool {
        let (Some(there), Ok(terms)) = (&scene.room, self.overwrite_terms(scene)) else {
            return true;
        };
        let (now, base) = (&there.overwrites, &there.parent_overwrites);
        terms.of_state(room, now, base).is_empty()
    }

    /// Has Discord be as a record says. `Err` with `true`: something of it is done and could not be
    /// taken back.
    async fn make_it_so(
        &self,
        work: &RoomWork<'_>,
        room: &RoomRecord,
        scene: &Scene,
    ) -> Result<(), (StepError, bool)> {
        let (Some(channel_id), Some(there)) = (room.phase.channel_id(), &scene.room) else {
            return Err((StepError::Failed(CommandError::nowhere()), false));
        };
        let terms = self.overwrite_terms(scene);
        let terms = terms.map_err(|error| (StepError::Failed(error), false))?;
        let (now, base) = (&there.overwrites, &there.parent_overwrites);
        let mut changes: Vec<OverwriteChange> = terms.of_state(room, now, base);
        changes.extend(terms.owner_in(room, now));
        work.change_all(channel_id, now, &changes).await?;
        if let Some(role_id) = room.role_id
            && let Err(error) = work.give_role(room.owner_id, role_id).await
        {
            let kept = work.change_back(channel_id, now, &changes).await;
            return Err((error, kept));
        }
        Ok(())
    }

    /// It is the actor's, if its owner has been gone for long enough.
    pub(super) async fn claim_room(&mut self, channel_id: ChannelId) -> RoomResult {
        let now = self.context.clock.now();
        let room = self.context.rooms.by_channel(channel_id);
        let actor = self.accepted.request.actor;
        // Where it is theirs already this is the end of what was begun before.
        if room.is_some_and(|room| room.owner_id != actor) {
            self.judged().await?;
            let left = self.context.rooms.owner_left_at(channel_id);
            let gone_for = left.map_or(0, |left| now.saturating_sub(left));
            let wait = millis(OWNER_GONE).saturating_sub(gone_for);
            if wait > 0 {
                return Err(CommandError::new(
                    CommandErrorCode::OwnerPresent,
                    "The room's owner left it a moment ago, and may come back.",
                )
                .retry_after_ms(wait)
                .into());
            }
        }
        self.set_state(|room| room.owner_id = actor, false).await
    }
}

/// It is somebody's who did not ask for it.
pub(super) fn give(room: &mut RoomRecord, to: UserId) {
    if room.owner_id != to {
        room.owner_id = to;
        room.command = None;
    }
}

fn not_handed_over(why: NotReserved) -> RoomFailure {
    match why {
        NotReserved::NotKept(error) => error.into(),
        NotReserved::OfPerson(_) | NotReserved::OfGuild(_) => CommandError::new(
            CommandErrorCode::TooManyRooms,
            "Whoever is to have this room has as many as one may have.",
        )
        .into(),
    }
}
