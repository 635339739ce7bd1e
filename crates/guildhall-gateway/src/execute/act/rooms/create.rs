//! Making a room: a place among those of its owner and guild, a role where rooms have one, the
//! channel with everything that decides who sees it, and only then a room.

use guildhall_model::{
    ChannelId, RoleId,
    command::{CommandError, CommandErrorCode, Made},
};
use guildhall_ports::room_store::{RoomPhase, RoomRecord};

use super::{Act, RoomFailure, RoomResult, Scene, StepError, made, overwrites::OverwriteTerms};
use crate::{
    inbox::{Expectation, Making, SceneCategory},
    rooms::{NotReserved, RoomMode, RoomPlan, management_of},
};

const NO_MORE_ROOMS: &str =
    "Discord lets no more rooms be made at the moment; nothing of this one is left.";

/// A room as it is asked for.
pub(super) struct RoomWish {
    pub(super) name: String,
    pub(super) limit: u32,
    pub(super) private: bool,
    pub(super) lobby: Option<ChannelId>,
}

impl Act {
    pub(super) async fn create_room(&mut self, wish: RoomWish) -> RoomResult {
        let (_, channel_id) = if let Some(before) = self.made_before().await? {
            before
        } else {
            self.judged().await?;
            self.make_room(wish).await?
        };
        let at = self.seen(Expectation::RoomIs(channel_id)).await?;
        Ok(made(at, Made::Room { channel_id }))
    }

    /// The room that this command was about to make before the process ended.
    fn begun_before(&self) -> Option<RoomRecord> {
        let accepted = &self.accepted;
        let rooms = &self.context.rooms;
        let room = rooms.by_command(accepted.id, accepted.asked_at)?;
        (room.owner_id == accepted.request.actor).then_some(room)
    }

    /// The room that it has made: found again, or else whatever there is of it is taken away.
    async fn made_before(&mut self) -> Result<Option<(RoomRecord, ChannelId)>, RoomFailure> {
        let Some(room) = self.begun_before() else {
            return Ok(None);
        };
        let channel_id = match room.phase {
            RoomPhase::Open { channel_id } => Some(channel_id),
            RoomPhase::Closing { .. } => None,
            RoomPhase::Making { .. } => {
                let found = self.work().channel_of(&room).await;
                found.map_err(|error| error.failure(NO_MORE_ROOMS, self.context.clock.now()))?
            }
        };
        if let Some(channel_id) = channel_id {
            let opened = self.opened(room, channel_id).await;
            let room =
                opened.map_err(|error| error.failure(NO_MORE_ROOMS, self.context.clock.now()))?;
            return Ok(Some((room, channel_id)));
        }
        self.take_away(room, true).await?;
        Ok(None)
    }

    /// Too old to be done now: what there is of it is taken away.
    pub(super) async fn unmake(&mut self) -> RoomResult {
        let Some(room) = self.begun_before() else {
            return Err(too_old().into());
        };
        if let RoomPhase::Open { channel_id } = room.phase {
            let at = self.seen(Expectation::RoomIs(channel_id)).await?;
            return Ok(made(at, Made::Room { channel_id }));
        }
        self.take_away(room, true).await?;
        Err(too_old().into())
    }

    /// A place, then its steps; where one fails, nothing is left.
    pub(super) async fn make_room(
        &mut self,
        wish: RoomWish,
    ) -> Result<(RoomRecord, ChannelId), RoomFailure> {
        let scene = self.scene().await?;
        let terms = self.overwrite_terms(&scene)?;
        let parents = scene.creation.clone()?;
        if parents.is_empty() && scene.needs_category {
            // Outside of all categories everybody might see it.
            return Err(CommandError::new(
                CommandErrorCode::NotFound,
                "The categories in which rooms are made are gone; whoever runs this can name others.",
            )
            .into());
        }
        let base = parents.first().map_or(&[][..], |it| &it.overwrites);
        let accepted = &self.accepted;
        let plan = RoomPlan {
            guild_id: accepted.request.command.guild_id(),
            owner_id: accepted.request.actor,
            name: wish.name,
            parent_id: parents.first().map(|parent| parent.channel_id),
            limit: wish.limit,
            private: wish.private,
            lobby: wish.lobby,
            now: self.context.clock.now(),
            // Whatever else is there later may be ours.
            before: scene.rooms,
            command: accepted.id,
        };
        let reserved = self
            .context
            .rooms
            .reserve(plan, |room| terms.of_new_room(room, base));
        let mut room = reserved.await.map_err(refused)?;
        match self.make_steps(&mut room, &terms, &parents).await {
            Ok(channel_id) => Ok((room, channel_id)),
            Err(StepError::Ended(ended)) => Err(ended.into()),
            Err(error) => {
                let lost = matches!(error, StepError::Lost);
                self.take_away(room, lost).await?;
                Err(error.failure(NO_MORE_ROOMS, self.context.clock.now()))
            }
        }
    }

    async fn make_steps(
        &self,
        room: &mut RoomRecord,
        terms: &OverwriteTerms,
        parents: &[SceneCategory],
    ) -> Result<ChannelId, StepError> {
        let (work, rooms) = (self.work(), &self.context.rooms);
        if rooms.settings().mode == RoomMode::Role {
            let role_id: RoleId = work.make_role(room).await?;
            room.role_id = Some(role_id);
            rooms.put(room.clone()).await?;
            work.give_role(room.owner_id, role_id).await?;
        }
        let mut tried: Vec<Option<&SceneCategory>> = parents.iter().map(Some).collect();
        if tried.is_empty() {
            tried.push(None);
        }
        for parent in tried {
            let parent_id = parent.map(|parent| parent.channel_id);
            let base = parent.map_or(&[][..], |parent| &parent.overwrites);
            let overwrites = terms.of_new_room(room, base);
            if (room.parent_id, &room.overwrites) != (parent_id, &overwrites) {
                room.parent_id = parent_id;
                room.overwrites = overwrites;
                rooms.put(room.clone()).await?;
            }
            if let Some(channel_id) = work.make_channel(room).await? {
                *room = self.opened(room.clone(), channel_id).await?;
                return Ok(channel_id);
            }
        }
        Err(StepError::Failed(CommandError::new(
            CommandErrorCode::TooManyRooms,
            "Every category in which rooms are made is full (Discord lets each hold 50 channels); \
             whoever runs this can name another one.",
        )))
    }

    /// A channel that was made for it is there: it is a room.
    async fn opened(
        &self,
        mut room: RoomRecord,
        channel_id: ChannelId,
    ) -> Result<RoomRecord, StepError> {
        if room.phase != (RoomPhase::Open { channel_id }) || room.unsettled {
            room.phase = RoomPhase::Open { channel_id };
            room.unsettled = false;
            room.overwrites = Vec::new();
            room.before = Vec::new();
            self.context.rooms.put(room.clone()).await?;
        }
        let made = Making::Made(channel_id, management_of(&room));
        self.work().tell_making(&room, made).await?;
        Ok(room)
    }

    /// Nothing of it is to be left. What can't be taken away now is later. `lost`: something may be
    /// there that is not known.
    pub(super) async fn take_away(
        &self,
        mut room: RoomRecord,
        lost: bool,
    ) -> Result<(), RoomFailure> {
        let (work, channel_id) = (self.work(), room.phase.channel_id());
        work.begin_to_close(&mut room, channel_id).await?;
        match work.clear_away(room, lost).await {
            Err(StepError::Ended(ended)) => Err(ended.into()),
            // It is tried again while the record says that it is closing.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Makes the actor's own room, or finds it, and moves them there.
    pub(super) async fn enter_lobby(&mut self, channel_id: ChannelId) -> RoomResult {
        let actor = self.accepted.request.actor;
        let guild_id = self.accepted.request.command.guild_id();
        let before = self.made_before().await?;
        if let Err(failure) = self.judged().await {
            let Some((_, own)) = before else {
                return Err(failure);
            };
            // Moved before the process ended, or gone elsewhere: then the room is idle, and ends as
            // such rooms do.
            if self.look().await?.actor_in != Some(own) {
                return Err(failure);
            }
            self.greet(own).await;
            let at = self.seen(Expectation::RoomIs(own)).await?;
            return Ok(made(at, Made::Room { channel_id: own }));
        }
        let open = self.context.rooms.wished_for(guild_id, actor);
        let is_new = open.is_none() || before.is_some();
        let (room, own) = if let Some(there) = open {
            there
        } else {
            let scene = self.scene().await?;
            let wish = self.lobby_wish(channel_id, scene)?;
            self.make_room(wish).await?
        };
        let moved = self.work().move_to(actor, Some(own)).await;
        let failure = match moved {
            Ok(true) => {
                if is_new {
                    self.greet(own).await;
                }
                let at = self.seen(Expectation::RoomIs(own)).await?;
                return Ok(made(at, Made::Room { channel_id: own }));
            }
            Ok(false) => RoomFailure::Refused(CommandError::new(
                CommandErrorCode::NotInRoom,
                "That person is not in the lobby any more.",
            )),
            Err(StepError::Ended(ended)) => return Err(ended.into()),
            Err(error) => error.failure(NO_MORE_ROOMS, self.context.clock.now()),
        };
        if is_new {
            self.take_away(room, false).await?;
        }
        Err(failure)
    }

    fn lobby_wish(&self, lobby: ChannelId, scene: Scene) -> Result<RoomWish, CommandError> {
        let rooms = &self.context.rooms;
        let mut lobbies = rooms.settings().lobbies.iter();
        let setting = lobbies.find(|it| it.channel == lobby);
        let setting = setting.ok_or_else(CommandError::nowhere)?;
        let habit = rooms.habit(lobby, self.accepted.request.actor);
        let (name, limit) = habit.map_or((None, None), |habit| (habit.name, habit.limit));
        let person = scene.actor_name.unwrap_or_else(|| "somebody".to_owned());
        let name = name.unwrap_or_else(|| setting.template.replace("{name}", &person));
        Ok(RoomWish {
            name: name.chars().take(100).collect(),
            limit: limit.unwrap_or(setting.limit),
            private: false,
            lobby: Some(lobby),
        })
    }

    /// One message in a new room's chat.
    async fn greet(&self, channel_id: ChannelId) {
        let Some(page) = &self.context.rooms.settings().page else {
            return;
        };
        let nonce = format!("room {}", channel_id.0);
        let says = format!("This room is yours. It can be seen to at {page}/?room={channel_id}");
        self.work()
            .write(channel_id, &says, &nonce[..nonce.len().min(25)])
            .await;
    }
}

fn refused(why: NotReserved) -> RoomFailure {
    let sentence = match why {
        NotReserved::OfPerson(1) => {
            "You have a room here already; close that one first.".to_owned()
        }
        NotReserved::OfPerson(most) => {
            format!("You have {most} rooms here already; close one of them first.")
        }
        NotReserved::OfGuild(most) => {
            format!("There are {most} rooms already, which is as many as may be made here.")
        }
        NotReserved::NotKept(error) => return error.into(),
    };
    CommandError::new(CommandErrorCode::TooManyRooms, sentence).into()
}

/// Not done any more, though it was asked for.
pub(super) fn too_old() -> CommandError {
    CommandError::new(
        CommandErrorCode::DiscordFailed,
        "It was not done: the gateway was restarted, and was away for too long.",
    )
}
