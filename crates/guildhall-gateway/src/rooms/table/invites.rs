//! Invites into rooms, and the seats that they have.

use guildhall_model::{UnixMs, UserId};
use guildhall_ports::{
    JournalError,
    room_store::{InviteId, InviteRecord, RoomChange, RoomNumber},
};

use super::RoomTable;

/// Invites into one room that are kept, the dead ones left out.
pub(super) const INVITES_PER_ROOM: usize = 100;

/// What became of a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeatTaken {
    /// It is theirs from now on.
    New,
    /// They had one.
    Had,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SeatRefused {
    /// It was never given, or its room is gone.
    #[error("there is no such invite")]
    Unknown,
    /// It was called back.
    #[error("it was revoked")]
    Revoked,
    /// All are taken.
    #[error("all seats are taken")]
    NoneLeft,
    /// It could not be kept.
    #[error(transparent)]
    NotKept(#[from] JournalError),
}

impl RoomTable {
    pub(crate) fn invite(&self, id: InviteId) -> Option<InviteRecord> {
        self.0.kept.lock().invites.get(&id).cloned()
    }

    /// Who has come into a room by invites, in no order.
    #[cfg(test)]
    pub(crate) fn invited_into(&self, room: RoomNumber) -> Vec<UserId> {
        let kept = self.0.kept.lock();
        let invites = kept.invites.values().filter(|it| it.room == room);
        invites.flat_map(|it| it.taken.clone()).collect()
    }

    /// One more invite, if it is not there.
    #[cfg(test)]
    pub(crate) fn add_invite_once(&self, invite: &InviteRecord) {
        let kept = &mut *self.0.kept.lock();
        if !kept.invites.contains_key(&invite.id) {
            // In memory at once.
            drop(self.changed(kept, RoomChange::Invite(invite.clone())));
        }
    }

    /// One more invite; the dead ones of its room are forgotten. `Ok(false)`: there are too many.
    pub(crate) async fn add_invite(
        &self,
        invite: InviteRecord,
        now: UnixMs,
    ) -> Result<bool, JournalError> {
        let saved = {
            let kept = &mut *self.0.kept.lock();
            let of_room = kept.invites.values().filter(|it| it.room == invite.room);
            let (dead, alive): (Vec<&InviteRecord>, Vec<&InviteRecord>) =
                of_room.partition(|it| it.revoked || it.expires_at <= now);
            if alive.len() >= INVITES_PER_ROOM {
                return Ok(false);
            }
            let gone: Vec<RoomChange> = dead
                .into_iter()
                .map(|it| RoomChange::InviteGone(it.id))
                .collect();
            let changes = gone.into_iter().chain([RoomChange::Invite(invite)]);
            self.all_changed(kept, changes.collect())
        };
        saved.await?;
        Ok(true)
    }

    /// Calls back one invite into a room, or all of them. Answers with how many it were.
    pub(crate) async fn revoke(
        &self,
        room: RoomNumber,
        id: Option<InviteId>,
    ) -> Result<usize, JournalError> {
        let (count, saved) = {
            let kept = &mut *self.0.kept.lock();
            let invites = kept.invites.values();
            let meant = invites
                .filter(|it| it.room == room && !it.revoked && id.is_none_or(|id| id == it.id));
            let revoked: Vec<RoomChange> = meant
                .map(|it| {
                    let revoked = InviteRecord {
                        revoked: true,
                        ..it.clone()
                    };
                    RoomChange::Invite(revoked)
                })
                .collect();
            (revoked.len(), self.all_changed(kept, revoked))
        };
        saved.await?;
        Ok(count)
    }

    /// Takes a seat for somebody. Of several who ask for the last one gets it, and nobody gets two.
    pub(crate) async fn take_seat(
        &self,
        id: InviteId,
        user_id: UserId,
    ) -> Result<SeatTaken, SeatRefused> {
        let saved = {
            let kept = &mut *self.0.kept.lock();
            let invite = kept.invites.get(&id).ok_or(SeatRefused::Unknown)?;
            if invite.revoked {
                return Err(SeatRefused::Revoked);
            }
            if invite.taken.contains(&user_id) {
                return Ok(SeatTaken::Had);
            }
            let seats = invite.seats.unwrap_or(u32::MAX) as usize;
            if invite.taken.len() >= seats {
                return Err(SeatRefused::NoneLeft);
            }
            let mut invite = invite.clone();
            invite.taken.push(user_id);
            self.changed(kept, RoomChange::Invite(invite))
        };
        saved.await?;
        Ok(SeatTaken::New)
    }

    /// Gives it back.
    pub(crate) async fn leave_seat(
        &self,
        id: InviteId,
        user_id: UserId,
    ) -> Result<(), JournalError> {
        let saved = {
            let kept = &mut *self.0.kept.lock();
            let Some(invite) = kept.invites.get(&id) else {
                return Ok(());
            };
            let mut invite = invite.clone();
            invite.taken.retain(|it| *it != user_id);
            self.changed(kept, RoomChange::Invite(invite))
        };
        saved.await
    }
}
