//! For whom an event may change what they see: nobody else has to be looked at.

use std::collections::BTreeSet;

use guildhall_model::{
    Change, ChannelId, Guild, UserId,
    guild::{OverwriteTarget, RoomRights},
};

use crate::replica::Affects;

/// The viewers whose class a record can change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AffectedViewers {
    Nobody,
    People(BTreeSet<UserId>),
    Everybody,
}

impl AffectedViewers {
    /// By an event about a guild that was `before` when it came.
    pub(crate) fn by(change: &Change, before: Option<&Guild>) -> Self {
        match (change, Affects::of(change)) {
            (_, Affects::Nobody) => Self::Nobody,
            (_, Affects::Person(user)) => Self::People(BTreeSet::from([user])),
            (Change::RoomCreated(room), _) => {
                Self::People(people(room.info.channel_id, Some(&room.rights), before))
            }
            (Change::RoomRights { channel_id, rights }, _) => {
                Self::People(people(*channel_id, Some(rights), before))
            }
            (Change::RoomDeleted { channel_id }, _) => {
                Self::People(people(*channel_id, None, before))
            }
            (_, Affects::Everybody) => Self::Everybody,
        }
    }
}

/// Who is of another class after a room's rights changed: whom its overwrites name or named, and
/// who is in it. All others keep their class, and what a class sees is computed for each record.
fn people(
    channel: ChannelId,
    rights: Option<&RoomRights>,
    before: Option<&Guild>,
) -> BTreeSet<UserId> {
    let was = before.and_then(|guild| guild.rooms.get(&channel));
    let was = was.map(|room| &room.rights);
    let overwrites = rights
        .into_iter()
        .chain(was)
        .flat_map(|rights| &rights.overwrites);
    let named = overwrites.filter_map(|overwrite| match overwrite.target {
        OverwriteTarget::Member(user) => Some(user),
        OverwriteTarget::Role(_) => None,
    });
    let inside = before
        .into_iter()
        .flat_map(|guild| guild.occupants(channel));
    named.chain(inside.map(|person| person.user_id)).collect()
}
