//! Why somebody is shown a room here, or is not.

use std::time::Duration;

use guildhall_model::{
    ChannelId, GuildId, UnixMs, UserId,
    permission::{self, RightsExplanation},
};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    fanout::{Fanout, LookupAge},
    replica::GuildLogs,
    stream::admission::RequestAdmission,
};

/// Why somebody is shown a room, or is not, as this instance decides it at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomExplanation {
    user_id: UserId,
    channel_id: ChannelId,
    channel_name: String,
    parent_id: Option<ChannelId>,
    parent_name: Option<String>,
    guild_id: GuildId,
    guild_name: String,
    /// False in an outage of the guild at Discord: all of this is as it was before.
    guild_available: bool,
    /// Whether the room is shown to them: they see it, and their rights are known.
    shown: bool,
    /// Whether the bot itself may view the room. If not, nobody is shown it.
    bot_sees: bool,
    rights: RightsKnown,
    #[serde(flatten)]
    explanation: RightsExplanation,
}

/// What is known of somebody's rights in a guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RightsKnown {
    /// The gateway answered, and knew.
    known: bool,
    /// So long ago; none: it never did.
    age_ms: Option<u64>,
}

/// Why nothing can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotExplained {
    /// The world has not come to this instance yet.
    NoWorld,
    /// No guild here has such a room.
    NoSuchRoom,
}

/// What has to be asked for an explanation.
#[derive(Clone, Debug)]
pub(crate) struct Explainer {
    fanout: Fanout,
    admission: RequestAdmission,
}

impl Explainer {
    pub(crate) fn new(fanout: Fanout, admission: RequestAdmission) -> Self {
        Self { fanout, admission }
    }

    pub(super) fn fanout(&self) -> &Fanout {
        &self.fanout
    }

    /// Has the user's rights looked up as for a stream of theirs, which takes 5 s at most, and says
    /// what follows. `now`: for timeouts.
    pub(super) async fn explain(
        &self,
        user_id: UserId,
        channel: ChannelId,
        now: UnixMs,
    ) -> Result<RoomExplanation, NotExplained> {
        let viewer = self.fanout.viewer(user_id);
        if !self.fanout.replica().has_world() {
            return Err(NotExplained::NoWorld);
        }
        let guild_id = guild_of(&self.fanout.replica().read(), channel);
        let guild_id = guild_id.ok_or(NotExplained::NoSuchRoom)?;
        // Without an answer it is explained all the same: that there is none is the reason.
        let _asked = self
            .admission
            .ensure_asked(&viewer, &[guild_id])
            .await
            .is_ok();
        let logs = self.fanout.replica().read();
        let age = viewer.lookup_age(&logs.located(&[guild_id]), Instant::now());
        let guild = logs.guild(guild_id).and_then(|log| log.guild());
        let guild = guild.ok_or(NotExplained::NoSuchRoom)?;
        let room = guild.rooms.get(&channel).ok_or(NotExplained::NoSuchRoom)?;
        let explanation = permission::explain(guild_id, guild, user_id, channel, now);
        let known = age.is_some_and(|age| !age.failed);
        Ok(RoomExplanation {
            user_id,
            channel_id: channel,
            channel_name: room.info.name.clone(),
            parent_id: room.info.parent_id,
            parent_name: room.info.parent_name.clone(),
            guild_id,
            guild_name: guild.info.name.clone(),
            guild_available: guild.available,
            shown: explanation.sees && known,
            bot_sees: !room.rights.obfuscated,
            rights: RightsKnown {
                known,
                age_ms: age.map(|age: LookupAge| millis(age.since)),
            },
            explanation,
        })
    }
}

fn millis(age: Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}

/// Where a room is.
pub(super) fn guild_of(logs: &GuildLogs, channel: ChannelId) -> Option<GuildId> {
    logs.guild_ids().find(|id| {
        let guild = logs.guild(*id).and_then(|log| log.guild());
        guild.is_some_and(|guild| guild.rooms.contains_key(&channel))
    })
}
