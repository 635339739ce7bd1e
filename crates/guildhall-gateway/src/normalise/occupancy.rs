//! Where in a guild somebody is, and the changes between two such locations.

use guildhall_model::{Change, ChannelId, Guild, UserId, guild::Occupant};

/// Where in a guild somebody is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Location<T> {
    /// In no channel.
    Nowhere,
    /// In a room.
    Room(T),
    /// In a channel that is not known as a room: it has not come yet, or is none for now.
    Pending(T),
}

impl<'a> Location<&'a Occupant> {
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

impl Location<Occupant> {
    /// Where an occupant is in a guild with these rooms.
    pub(super) fn in_guild(guild: &Guild, there: Occupant) -> Self {
        if guild.rooms.contains_key(&there.channel_id) {
            Self::Room(there)
        } else {
            Self::Pending(there)
        }
    }

    pub(super) fn as_ref(&self) -> Location<&Occupant> {
        match self {
            Self::Nowhere => Location::Nowhere,
            Self::Room(there) => Location::Room(there),
            Self::Pending(there) => Location::Pending(there),
        }
    }
}

/// The changes between two locations of one user. A move is two changes of one cause, adjacent.
///
/// Who goes where there is no room yet has left the old one all the same, and joins the new one
/// when it comes ([`waiting_join`]): so nobody is ever in two rooms.
pub(super) fn changes(known: Location<&Occupant>, now: Location<&Occupant>) -> Vec<Change> {
    let left = |known: &Occupant| Change::VoiceLeft {
        previous_channel_id: known.channel_id,
        user_id: known.user_id,
    };
    let joined = |now: &Occupant| Change::VoiceJoined(now.clone());
    let pending = |now: &Occupant| Change::VoicePending(now.clone());
    match (known, now) {
        (Location::Room(known), Location::Room(now)) if known.channel_id == now.channel_id => {
            let differs = known != now;
            let updated = differs.then(|| Change::VoiceUpdated(now.clone()));
            updated.into_iter().collect()
        }
        (Location::Room(known), Location::Room(now)) => vec![left(known), joined(now)],
        (Location::Room(known), Location::Pending(now)) => vec![left(known), pending(now)],
        (Location::Room(known), Location::Nowhere) => vec![left(known)],
        (Location::Pending(known), Location::Pending(now)) if known == now => Vec::new(),
        (Location::Pending(_) | Location::Nowhere, Location::Pending(now)) => vec![pending(now)],
        (Location::Pending(_) | Location::Nowhere, Location::Room(now)) => vec![joined(now)],
        (Location::Pending(known), Location::Nowhere) => vec![Change::VoicePendingRemoved {
            user_id: known.user_id,
        }],
        (Location::Nowhere, Location::Nowhere) => Vec::new(),
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
