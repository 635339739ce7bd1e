use guildhall_model::{
    Change, ChannelId, GuildId, UserId,
    world::{Occupant, VoiceFlags},
};
use serde::Deserialize;

use super::{
    Context, Read, lenient,
    member::{Look, Member},
};

/// What we keep of a voice state object. Without `guild_id` and mostly without `member` in a
/// GUILD_CREATE.
#[derive(Debug, Deserialize)]
pub(super) struct VoiceState {
    #[serde(default)]
    guild_id: Option<GuildId>,
    pub(super) user_id: UserId,
    pub(super) channel_id: Option<ChannelId>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    pub(super) member: Option<Member>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    mute: Option<bool>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    deaf: Option<bool>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    self_mute: Option<bool>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    self_deaf: Option<bool>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    self_stream: Option<bool>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    self_video: Option<bool>,
    #[serde(default, deserialize_with = "lenient::odd_is_none")]
    suppress: Option<bool>,
}

/// VOICE_STATE_UPDATE: one kind for joins, moves, leaves and flags; which one it is only the
/// state before it tells.
pub(super) fn state_updated(data: &str, context: &Context<'_>) -> Read {
    let state: VoiceState = serde_json::from_str(data)?;
    let known = |guild_id| Some((guild_id, context.guild(guild_id)?));
    let Some((guild_id, guild)) = state.guild_id.and_then(known) else {
        return Ok(None);
    };
    let known = guild.voice.get(&state.user_id);
    // Nobody is in a room that is not there.
    let room = state
        .channel_id
        .filter(|room| guild.rooms.contains_key(room));
    let now = room.map(|room| {
        let look = Look::of(
            guild_id,
            state.user_id,
            state.member.as_ref(),
            known,
            context.cdn,
        );
        state.occupant(room, look, known, context.now)
    });
    let seen = state
        .member
        .as_ref()
        .and_then(|member| member.seen(state.user_id));
    let told = context.told(guild_id, changes(known, now.as_ref()));
    Ok(Some(told.with_members(seen)))
}

impl VoiceState {
    /// The person as an occupant of a room; `since` goes on while they stay.
    pub(super) fn occupant(
        &self,
        channel_id: ChannelId,
        look: Look,
        known: Option<&Occupant>,
        now: u64,
    ) -> Occupant {
        let stayed = known.filter(|known| known.channel_id == channel_id);
        Occupant {
            channel_id,
            user_id: self.user_id,
            username: look.username,
            display_name: look.display_name,
            avatar: look.avatar.hash,
            avatar_url: look.avatar.url,
            bot: look.bot,
            since: stayed.map_or(now, |known| known.since),
            flags: self.flags(),
        }
    }

    fn flags(&self) -> VoiceFlags {
        VoiceFlags {
            mute: self.mute.unwrap_or_default(),
            deaf: self.deaf.unwrap_or_default(),
            self_mute: self.self_mute.unwrap_or_default(),
            self_deaf: self.self_deaf.unwrap_or_default(),
            streaming: self.self_stream.unwrap_or_default(),
            video: self.self_video.unwrap_or_default(),
            suppressed: self.suppress.unwrap_or_default(),
        }
    }
}

/// What lies between two states of one person. A move is two changes of one cause, adjacent.
pub(super) fn changes(known: Option<&Occupant>, now: Option<&Occupant>) -> Vec<Change> {
    let left = |known: &Occupant| Change::VoiceLeft {
        previous_channel_id: known.channel_id,
        user_id: known.user_id,
    };
    match (known, now) {
        (None, Some(now)) => vec![Change::VoiceJoined(now.clone())],
        (Some(known), None) => vec![left(known)],
        (Some(known), Some(now)) if known.channel_id != now.channel_id => {
            vec![left(known), Change::VoiceJoined(now.clone())]
        }
        (Some(known), Some(now)) if known != now => vec![Change::VoiceUpdated(now.clone())],
        (None, None) | (Some(_), Some(_)) => Vec::new(),
    }
}
