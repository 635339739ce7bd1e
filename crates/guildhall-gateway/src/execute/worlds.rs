//! What is asked about guilds: how they are, and what has happened in them.

use std::sync::Arc;

use guildhall_model::{Change, GuildId, Position, command::CommandRequest};

use crate::{
    ShardId,
    inbox::{About, Answered, Stopped},
    log::Log,
    sequencer::Sequencer,
};

/// So many events are looked through at once.
const EVENTS_PER_READ: usize = 256;

/// Whom to ask about a guild: one sequencer for each shard, and the log that it writes.
#[derive(Clone, Debug)]
pub(crate) struct GuildWorlds(Arc<[GuildWorld]>);

/// The guilds of one shard.
#[derive(Clone, Debug)]
pub(crate) struct GuildWorld {
    pub(crate) shard: ShardId,
    pub(crate) sequencer: Sequencer,
    pub(crate) log: Log,
}

impl GuildWorlds {
    pub(crate) fn new(worlds: impl IntoIterator<Item = GuildWorld>) -> Self {
        Self(worlds.into_iter().collect())
    }

    /// `Ok(None)`: no shard of this process has the guild.
    pub(crate) async fn ask(
        &self,
        guild_id: GuildId,
        about: About,
    ) -> Result<Option<Answered>, Stopped> {
        let Some(world) = self.of(guild_id) else {
            return Ok(None);
        };
        world.sequencer.ask(guild_id, about).await.map(Some)
    }

    /// Whether anything has happened after a position to the person or the room that a command is
    /// about. Where the log does not go back so far, it may have.
    pub(super) async fn touched_since(&self, at: Position, request: &CommandRequest) -> bool {
        let guild_id = request.command.guild_id();
        let Some(world) = self.of(guild_id) else {
            return true;
        };
        let mut after = at;
        loop {
            let Ok(events) = world.log.read(after, EVENTS_PER_READ).await else {
                return true;
            };
            let Some(last) = events.last() else {
                return false;
            };
            after = last.at;
            let mut here = events
                .iter()
                .filter(|sealed| sealed.event.guild_id == guild_id);
            if here.any(|sealed| touches(&sealed.event.change, request)) {
                return true;
            }
        }
    }

    /// The logs of all of them.
    pub(super) fn logs(&self) -> impl Iterator<Item = Log> {
        self.0.iter().map(|world| world.log.clone())
    }

    fn of(&self, guild_id: GuildId) -> Option<&GuildWorld> {
        self.0.iter().find(|world| world.shard.has(guild_id))
    }
}

/// Whether an event is about what a command changes.
fn touches(change: &Change, request: &CommandRequest) -> bool {
    let CommandRequest { actor, command, .. } = request;
    let person = command.moves(*actor);
    let room = command.channel_id().filter(|_| person.is_none());
    match change {
        Change::VoiceJoined(joined) => person == Some(joined.user_id),
        Change::VoiceLeft { user_id, .. } => person == Some(*user_id),
        Change::RoomCreated(created) => room == Some(created.info.channel_id),
        Change::RoomUpdated(info) => room == Some(info.channel_id),
        Change::RoomDeleted { channel_id } => room == Some(*channel_id),
        // All of it was compared anew.
        Change::GuildAvailable(Some(_)) | Change::GuildRemoved => true,
        _ => false,
    }
}
