use guildhall_model::{
    Change, ChannelId, Guild, GuildId, UserId,
    world::{Occupant, VoiceFlags},
};
use serde::Deserialize;

use super::{
    Context, Read,
    lenient::{self, Checked, Field, Oddities},
    member::{Look, Member},
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
    pub(super) member: Field<Member>,
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

/// Where in a guild somebody is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<T> {
    /// In no channel.
    Nowhere,
    /// In a room.
    Room(T),
    /// In a channel that is not known as a room: it has not come yet, or is none at the moment.
    Pending(T),
}

impl<'a> Place<&'a Occupant> {
    pub(super) fn of(user_id: UserId, guild: &'a Guild) -> Self {
        match (guild.voice.get(&user_id), guild.pending_voice.get(&user_id)) {
            (Some(there), _) => Self::Room(there),
            (None, Some(there)) => Self::Pending(there),
            (None, None) => Self::Nowhere,
        }
    }

    pub(super) fn occupant(self) -> Option<&'a Occupant> {
        match self {
            Self::Room(there) | Self::Pending(there) => Some(there),
            Self::Nowhere => None,
        }
    }
}

impl Place<Occupant> {
    /// Where a guild with these rooms has somebody.
    pub(super) fn in_guild(guild: &Guild, there: Occupant) -> Self {
        if guild.rooms.contains_key(&there.channel_id) {
            Self::Room(there)
        } else {
            Self::Pending(there)
        }
    }

    pub(super) fn as_ref(&self) -> Place<&Occupant> {
        match self {
            Self::Nowhere => Place::Nowhere,
            Self::Room(there) => Place::Room(there),
            Self::Pending(there) => Place::Pending(there),
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
    let known = Place::of(state.user_id, guild);
    let now = state.channel_id.map_or(Place::Nowhere, |channel_id| {
        let look = Look::of(
            guild_id,
            state.user_id,
            state.member.get(),
            known.occupant(),
            context.cdn,
        );
        Place::in_guild(
            guild,
            state.occupant(channel_id, look, known.occupant(), context.now),
        )
    });
    let told = context.told(guild_id, changes(known, now.as_ref()));
    let told = told.with_members(state.member.get().map(|member| (state.user_id, member)));
    Ok(Some(told.with_oddities(Oddities::of(&state))))
}

impl VoiceState {
    /// The person as an occupant of a channel; `since` goes on while they stay.
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

/// What lies between two states of one person. A move is two changes of one cause, adjacent.
///
/// Who goes where there is no room yet has left the old one all the same, and joins the new one
/// when it comes ([`waiting_join`]): so nobody is ever in two rooms.
pub(super) fn changes(known: Place<&Occupant>, now: Place<&Occupant>) -> Vec<Change> {
    let left = |known: &Occupant| Change::VoiceLeft {
        previous_channel_id: known.channel_id,
        user_id: known.user_id,
    };
    let joined = |now: &Occupant| Change::VoiceJoined(now.clone());
    let pending = |now: &Occupant| Change::VoicePending(now.clone());
    match (known, now) {
        (Place::Room(known), Place::Room(now)) if known.channel_id == now.channel_id => {
            let differs = known != now;
            let updated = differs.then(|| Change::VoiceUpdated(now.clone()));
            updated.into_iter().collect()
        }
        (Place::Room(known), Place::Room(now)) => vec![left(known), joined(now)],
        (Place::Room(known), Place::Pending(now)) => vec![left(known), pending(now)],
        (Place::Room(known), Place::Nowhere) => vec![left(known)],
        (Place::Pending(known), Place::Pending(now)) if known == now => Vec::new(),
        (Place::Pending(_) | Place::Nowhere, Place::Pending(now)) => vec![pending(now)],
        (Place::Pending(_) | Place::Nowhere, Place::Room(now)) => vec![joined(now)],
        (Place::Pending(known), Place::Nowhere) => vec![Change::VoicePendingRemoved {
            user_id: known.user_id,
        }],
        (Place::Nowhere, Place::Nowhere) => Vec::new(),
    }
}

/// The room has come: whoever waits for it is in it.
pub(super) fn waiting_join(guild: &Guild, room: ChannelId) -> impl Iterator<Item = Change> {
    let waiting = guild.pending(room);
    waiting.map(|there| Change::VoiceJoined(there.clone()))
}

/// The channel is no room any more, and whoever was in it is in it still.
pub(super) fn wait_again(guild: &Guild, room: ChannelId) -> impl Iterator<Item = Change> {
    let inside = guild.occupants(room);
    inside.map(|there| Change::VoicePending(there.clone()))
}

/// The channel will never be a room.
pub(super) fn wait_no_more(guild: &Guild, channel: ChannelId) -> impl Iterator<Item = Change> {
    let waiting = guild.pending(channel);
    waiting.map(|there| Change::VoicePendingRemoved {
        user_id: there.user_id,
    })
}
