//! Voice states: joins, moves, leaves and flags.

use guildhall_model::{
    ChannelId, GuildId, UserId,
    guild::{Occupant, VoiceFlags},
};
use serde::Deserialize;

use super::{
    Context, Read,
    lenient::{self, Checked, Field, Oddities},
    member::{GuildProfile, MemberObject},
    occupancy::{Location, changes},
};

/// What we keep of a voice state object. Without `guild_id` and mostly without `member` in a
/// GUILD_CREATE. Where they are is not read leniently: without it nothing is said.
#[derive(Debug, Deserialize)]
pub(super) struct VoiceState {
    #[serde(default)]
    guild_id: Option<GuildId>,
    pub(super) user_id: UserId,
    pub(super) channel_id: Option<ChannelId>,
    #[serde(default, deserialize_with = "lenient::object")]
    pub(super) member: Field<MemberObject>,
    #[serde(default)]
    mute: Field<bool>,
    #[serde(default)]
    deaf: Field<bool>,
    #[serde(default)]
    self_mute: Field<bool>,
    #[serde(default)]
    self_deaf: Field<bool>,
    #[serde(default)]
    self_stream: Field<bool>,
    #[serde(default)]
    self_video: Field<bool>,
    #[serde(default)]
    suppress: Field<bool>,
}

impl Checked for VoiceState {
    fn check(&self, oddities: &mut Oddities) {
        let Self {
            guild_id: _,
            user_id: _,
            channel_id: _,
            member,
            mute,
            deaf,
            self_mute,
            self_deaf,
            self_stream,
            self_video,
            suppress,
        } = self;
        oddities.stale_if(member.is_odd(), "member");
        oddities.within(member.get());
        for (flag, name) in [
            (mute, "mute"),
            (deaf, "deaf"),
            (self_mute, "self_mute"),
            (self_deaf, "self_deaf"),
            (self_stream, "self_stream"),
            (self_video, "self_video"),
            (suppress, "suppress"),
        ] {
            oddities.stale_if(flag.is_odd_or_null(), name);
        }
    }
}

/// VOICE_STATE_UPDATE: one kind for joins, moves, leaves and flags; which one it is only the
/// state before it tells.
pub(super) fn state_updated(data: &str, context: &Context<'_>) -> Read {
    let state: VoiceState = serde_json::from_str(data)?;
    let known = |guild_id| Some((guild_id, context.guild(guild_id)?));
    let Some((guild_id, guild)) = state.guild_id.and_then(known) else {
        return Ok(None);
    };
    let known = Location::of(state.user_id, guild);
    let now = state.channel_id.map_or(Location::Nowhere, |channel_id| {
        let profile = GuildProfile::of(
            guild_id,
            state.user_id,
            state.member.get(),
            known.occupant(),
            context.cdn,
        );
        Location::in_guild(
            guild,
            state.occupant(channel_id, profile, known.occupant(), context.now),
        )
    });
    let delta = context.delta(guild_id, changes(known, now.as_ref()));
    let delta = delta.with_members(
        context,
        state.member.get().map(|member| (state.user_id, member)),
    );
    Ok(Some(delta.with_oddities(Oddities::of(&state))))
}

impl VoiceState {
    /// The user as an occupant of a channel; `since` goes on while they stay.
    pub(super) fn occupant(
        &self,
        channel_id: ChannelId,
        profile: GuildProfile,
        known: Option<&Occupant>,
        now: u64,
    ) -> Occupant {
        let stayed = known.filter(|known| known.channel_id == channel_id);
        Occupant {
            channel_id,
            user_id: self.user_id,
            username: profile.username,
            display_name: profile.display_name,
            avatar: profile.avatar.hash,
            avatar_url: profile.avatar.url,
            bot: profile.bot,
            since: stayed.map_or(now, |known| known.since),
            flags: self.flags(),
        }
    }

    fn flags(&self) -> VoiceFlags {
        let on = |flag: &Field<bool>| flag.get().copied().unwrap_or_default();
        VoiceFlags {
            mute: on(&self.mute),
            deaf: on(&self.deaf),
            self_mute: on(&self.self_mute),
            self_deaf: on(&self.self_deaf),
            streaming: on(&self.self_stream),
            video: on(&self.self_video),
            suppressed: on(&self.suppress),
        }
    }
}
