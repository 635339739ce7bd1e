//! What the gateway has to know of the rooms that it made, of their invites and of what people want
//! theirs to be like, after its process is gone.

use std::{
    fmt::{self, Debug},
    num::ParseIntError,
    str::FromStr,
};

use guildhall_model::{ChannelId, GuildId, RoleId, UnixMs, UserId, guild::Overwrite};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::journal::JournalFuture;

/// Keeps rooms from before the first request that makes one until nothing of it is left at Discord.
///
/// Promises:
///
/// - **Durable.** What is answered is there after `kill -9` and after a power cut.
/// - **All or nothing.** The changes of one [`RoomStore::save`] are there together or not at all.
/// - **In order.** Calls take effect in the order in which they were called, awaited or not.
/// - **One key.** What the first [`RoomStore::load`] was handed is answered by every later one.
/// - **No number twice.** [`KeptRooms::last_number`] only rises, whatever is taken out.
/// - **Never guessed.** A store that is damaged is refused, and left as it is.
pub trait RoomStore: Debug + Send + Sync {
    /// Everything that is kept. `fresh_key` becomes the key that invites are signed with where none
    /// is kept yet: it is durable when this is answered.
    fn load(&self, fresh_key: SigningKey) -> JournalFuture<KeptRooms>;

    /// Changes, in their order.
    fn save(&self, changes: Vec<RoomChange>) -> JournalFuture<()>;
}

/// Everything that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRooms {
    /// What invites are signed with.
    pub signing_key: SigningKey,
    /// The highest number that a room ever had; 0: none had one.
    pub last_number: RoomNumber,
    /// By ascending number.
    pub rooms: Vec<RoomRecord>,
    /// By ascending id.
    pub invites: Vec<InviteRecord>,
    /// By ascending lobby and person.
    pub habits: Vec<LobbyHabit>,
}

/// What happens to what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomChange {
    /// A room is like this from now on.
    Room(RoomRecord),
    /// Nothing is left of a room. Its invites are gone with it.
    RoomGone(RoomNumber),
    /// An invite is like this from now on.
    Invite(InviteRecord),
    /// An invite is not kept any more.
    InviteGone(InviteId),
    /// What a person wants their rooms of a lobby to be like.
    Habit(LobbyHabit),
    /// That is not kept any more.
    HabitGone {
        /// The lobby.
        lobby: ChannelId,
        /// The person.
        user_id: UserId,
    },
}

/// A room's own number, never given twice: a channel's id says nothing of whose doing it is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RoomNumber(pub u64);

/// One room, from before Discord is asked for it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each may be so whatever the others are"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomRecord {
    /// Its own.
    pub number: RoomNumber,
    /// Where it is.
    pub guild_id: GuildId,
    /// Whose it is.
    pub owner_id: UserId,
    /// How far it is.
    pub phase: RoomPhase,
    /// What its channel was named when it was made.
    pub name: String,
    /// The category that it was put into.
    pub parent_id: Option<ChannelId>,
    /// How many people it had room for when it was made; 0: any number.
    pub limit: u32,
    /// Whether it was made for those alone whom its owner lets in.
    pub private: bool,
    /// Whether nobody new gets in.
    pub locked: bool,
    /// Whether only those see it who are let in.
    pub hidden: bool,
    /// The role that lets people in, where a room has one.
    pub role_id: Option<RoleId>,
    /// In its role's name, by which that is known again at Discord: tells it from what another store
    /// gave the same number.
    pub mark: u64,
    /// By these its channel is: what it was last asked for with. None: it was not yet, or it is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overwrites: Vec<Overwrite>,
    /// And it is none of these: what the guild had before it was asked for. None: it is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<ChannelId>,
    /// What roles that were let in, or kept out, by hand had of the rights that hiding and locking it
    /// took from them: they have it back once it is shown and open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<Overwrite>,
    /// The lobby that somebody joined for it.
    pub lobby: Option<ChannelId>,
    /// When it was asked for.
    pub made_at: UnixMs,
    /// The command that makes it, as the journal of commands numbers it. `None`: whose it is now did
    /// not wish for it, but was given it.
    pub command: Option<u64>,
    /// Discord may not be as this says: a request may have been sent of which nothing is known.
    pub unsettled: bool,
    /// What Discord was asked for and did not answer may still be done until then. `None`: it was
    /// never given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_until: Option<UnixMs>,
}

/// How far a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RoomPhase {
    /// Discord was asked for it, or is about to be.
    Making {
        /// Since then: what was made for it is not older.
        since: UnixMs,
    },
    /// It is there.
    Open {
        /// Its channel.
        channel_id: ChannelId,
    },
    /// Discord was asked to delete what was made for it, or is about to be.
    Closing {
        /// Its channel, if one is known.
        channel_id: Option<ChannelId>,
    },
}

impl RoomPhase {
    /// The room's channel, if one is known.
    #[must_use]
    pub fn channel_id(&self) -> Option<ChannelId> {
        match self {
            Self::Making { .. } => None,
            Self::Open { channel_id } => Some(*channel_id),
            Self::Closing { channel_id } => *channel_id,
        }
    }
}

/// An invite to a room. What it says is in its token; here is what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteRecord {
    /// Its own.
    pub id: InviteId,
    /// The room.
    pub room: RoomNumber,
    /// It lets nobody in from then on.
    pub expires_at: UnixMs,
    /// How many people it lets in; none: any number.
    pub seats: Option<u32>,
    /// Whom it has let in, in that order.
    pub taken: Vec<UserId>,
    /// Whether it was called back.
    pub revoked: bool,
}

/// What a person made of their last room of a lobby: the next one begins like it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LobbyHabit {
    /// Where the lobby is.
    pub guild_id: GuildId,
    /// Its channel.
    pub lobby: ChannelId,
    /// The person.
    pub user_id: UserId,
    /// The name that they gave it.
    pub name: Option<String>,
    /// The limit that they set.
    pub limit: Option<u32>,
    /// When that was last so.
    pub at: UnixMs,
}

/// Names an invite. Whoever knows it is let in nowhere: that takes the signed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InviteId(pub [u8; 16]);

impl fmt::Display for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl FromStr for InviteId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u128::from_str_radix(text, 16).map(|id| Self(id.to_be_bytes()))
    }
}

impl Serialize for InviteId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InviteId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// What invites are signed with. Whoever has it lets anybody in: it is in no log line.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(pub [u8; 32]);

impl Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_invites_is_in_no_log_line() {
        let kept = KeptRooms {
            signing_key: SigningKey([0xab; 32]),
            last_number: RoomNumber(3),
            rooms: Vec::new(),
            invites: Vec::new(),
            habits: Vec::new(),
        };
        let told = format!("{kept:?}");
        assert!(told.contains("[REDACTED]"), "{told}");
        assert!(!told.contains("171") && !told.contains("ab, "), "{told}");
    }

    #[test]
    fn the_id_of_an_invite_is_text_of_one_length() {
        for id in [InviteId([0; 16]), InviteId([0xff; 16]), InviteId([7; 16])] {
            let text = id.to_string();
            assert_eq!((text.len(), text.parse()), (32, Ok(id)));
        }
    }
}
