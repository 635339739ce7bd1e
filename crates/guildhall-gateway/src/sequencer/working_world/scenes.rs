//! What is so in a guild, for whoever carries out a command there.

use guildhall_model::{
    ChannelId, Guild, GuildId, Permissions, UnixMs, UserId,
    command::{Command, CommandError, judge_creation, missing_of_bot},
    guild::{Membership, Overwrite, OverwriteTarget},
    permission::{Member, in_guild},
};

use super::WorkingWorld;
use crate::inbox::{Scene, SceneCategory, SceneQuestion, SceneRoom};

impl WorkingWorld {
    /// `None`: there is no such guild.
    pub(super) fn scene(
        &self,
        guild_id: GuildId,
        question: &SceneQuestion,
        wall: UnixMs,
    ) -> Option<Scene> {
        let guild = self.world.guilds.get(&guild_id)?;
        let live = self.is_guild_live(guild_id);
        Some(scene_of((guild_id, guild), live, self.bot, question, wall))
    }
}

/// What is so in a guild. `bot`: `None` while it is not known who that is.
pub(crate) fn scene_of(
    (guild_id, guild): (GuildId, &Guild),
    live: bool,
    bot: Option<UserId>,
    question: &SceneQuestion,
    wall: UnixMs,
) -> Scene {
    let (actor, command) = (question.request.actor, &question.request.command);
    let there = guild.voice.get(&actor);
    let room = command.channel_id();
    let missing = bot.map(|bot| missing_of_bot(guild_id, guild, bot, command));
    Scene {
        live,
        bot,
        bot_may: bot.map_or(Permissions::NONE, |bot| may(guild_id, guild, bot)),
        missing: missing.unwrap_or_default(),
        roles: guild.roles.keys().copied().collect(),
        room: room.and_then(|room| room_of((guild_id, guild), room)),
        creation: creation(guild_id, guild, question, wall),
        needs_category: !question.parents.is_empty(),
        rooms: guild.rooms.keys().copied().collect(),
        actor_in: there.map(|there| there.channel_id),
        actor_name: there.map(|there| there.display_name.clone()),
    }
}

/// What somebody may in a guild; nothing while it is not known what they are.
fn may(guild_id: GuildId, guild: &Guild, user_id: UserId) -> Permissions {
    let Some(Membership::Member { roles, .. }) = guild.memberships.get(&user_id) else {
        return Permissions::NONE;
    };
    let member = Member {
        user_id,
        roles,
        timed_out: false,
    };
    in_guild(guild_id, guild, member)
}

fn room_of((guild_id, guild): (GuildId, &Guild), channel_id: ChannelId) -> Option<SceneRoom> {
    let room = guild.rooms.get(&channel_id)?;
    let parent = room.info.parent_id;
    Some(SceneRoom {
        overwrites: settable((guild_id, guild), &room.rights.overwrites),
        obfuscated: room.rights.obfuscated,
        parent_overwrites: parent
            .map_or_else(Vec::new, |parent| category((guild_id, guild), parent)),
        occupants: guild.occupants(channel_id).map(|it| it.user_id).collect(),
    })
}

/// The overwrites of a category; of one that the bot may not view none are known.
fn category((guild_id, guild): (GuildId, &Guild), channel_id: ChannelId) -> Vec<Overwrite> {
    let category = guild.categories.get(&channel_id);
    let readable = category.filter(|category| !category.rights.obfuscated);
    readable.map_or_else(Vec::new, |category| {
        settable((guild_id, guild), &category.rights.overwrites)
    })
}

/// Without those of roles that are gone: Discord lets none of them be set.
fn settable((guild_id, guild): (GuildId, &Guild), overwrites: &[Overwrite]) -> Vec<Overwrite> {
    let is_there = |one: &&Overwrite| match one.target {
        OverwriteTarget::Role(role) => {
            role == guild_id.everyone() || guild.roles.contains_key(&role)
        }
        OverwriteTarget::Member(_) => true,
    };
    overwrites.iter().filter(is_there).copied().collect()
}

fn creation(
    guild_id: GuildId,
    guild: &Guild,
    question: &SceneQuestion,
    wall: UnixMs,
) -> Result<Vec<SceneCategory>, CommandError> {
    let SceneQuestion {
        request,
        parents,
        creators,
    } = question;
    let parents: Vec<ChannelId> = if let Command::EnterLobby { .. } = request.command {
        // Who came into a lobby was let in there, and need not be known here.
        let there = |parent: &&ChannelId| guild.categories.contains_key(*parent);
        parents.iter().filter(there).copied().collect()
    } else {
        let rules = (&parents[..], &creators[..]);
        judge_creation(guild_id, guild, request.actor, rules, wall)?
    };
    let parents = parents.into_iter().map(|channel_id| SceneCategory {
        channel_id,
        overwrites: category((guild_id, guild), channel_id),
    });
    Ok(parents.collect())
}
