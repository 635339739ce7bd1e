//! Who may do what in a room of ours, as overwrites of its channel. Pure.

use guildhall_model::{
    Permissions, RoleId, UserId,
    guild::{Overwrite, OverwriteTarget},
};
use guildhall_ports::room_store::RoomRecord;

/// What lets somebody in.
const ENTRY: Permissions = Permissions(Permissions::VIEW_CHANNEL.0 | Permissions::CONNECT.0);

/// Whose doing overwrites are, and what they may say.
#[derive(Clone, Copy, Debug)]
pub(super) struct OverwriteTerms {
    pub(super) everyone: RoleId,
    pub(super) bot: UserId,
    /// What the bot may in the guild: Discord lets it set nothing else.
    pub(super) bot_may: Permissions,
}

/// What is to be done to a channel's overwrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OverwriteChange {
    Put(Overwrite),
    Delete(OverwriteTarget),
}

impl OverwriteChange {
    pub(super) fn target(self) -> OverwriteTarget {
        match self {
            Self::Put(overwrite) => overwrite.target,
            Self::Delete(target) => target,
        }
    }
}

impl OverwriteTerms {
    /// Of a channel that is to be made. `base`: those of its category, which a public room takes over
    /// as far as the bot may set them.
    pub(super) fn of_new_room(&self, room: &RoomRecord, base: &[Overwrite]) -> Vec<Overwrite> {
        let base: Vec<Overwrite> = base.iter().map(|one| self.settable(*one)).collect();
        let mut overwrites = if room.private {
            Vec::new()
        } else {
            base.clone()
        };
        for change in self.of_state(room, &overwrites, &base) {
            apply(&mut overwrites, change);
        }
        let owner = match room.role_id {
            Some(role_id) => OverwriteTarget::Role(role_id),
            None => OverwriteTarget::Member(room.owner_id),
        };
        for target in [OverwriteTarget::Member(self.bot), owner] {
            if let Some(change) = self.let_in(&overwrites, target) {
                apply(&mut overwrites, change);
            }
        }
        overwrites.retain(|one| one.allow.0 | one.deny.0 != 0);
        overwrites
    }

    /// What is to be changed for a room to be locked and hidden as its record says. `base`: those of
    /// its category, by which it is open and shown again.
    pub(super) fn of_state(
        &self,
        room: &RoomRecord,
        now: &[Overwrite],
        base: &[Overwrite],
    ) -> Vec<OverwriteChange> {
        let everyone = OverwriteTarget::Role(self.everyone);
        // Of a private room those whom its category names are named nowhere as yet.
        let named = now.iter().chain(base).map(|one| one.target);
        let mut roles: Vec<OverwriteTarget> = Vec::new();
        for target in named.chain([everyone]) {
            let is_others = target == everyone || self.is_others_role(room, target);
            if is_others && !roles.contains(&target) {
                roles.push(target);
            }
        }
        let closed = closed_rights(room);
        let changes = roles.into_iter().filter_map(|target| {
            let before = of(now, target);
            let by_category = self.settable(of(base, target));
            let mut after = before;
            for (right, is_closed) in closed {
                let (allow, deny) = match (is_closed, target == everyone) {
                    (true, is_everyone) => (Permissions::NONE, only(is_everyone, right)),
                    // Whom a category names it decides about, and nobody else of those who were
                    // named by hand: they have back what they had, but where somebody has decided
                    // meanwhile.
                    (false, false) if !is_named(base, target) => {
                        let kept = of(&room.set_aside, target);
                        if (before.allow.0 | before.deny.0) & right.0 != 0 {
                            continue;
                        }
                        (
                            Permissions(kept.allow.0 & right.0),
                            Permissions(kept.deny.0 & right.0),
                        )
                    }
                    (false, _) => (
                        Permissions(by_category.allow.0 & right.0),
                        Permissions(by_category.deny.0 & right.0),
                    ),
                };
                after.allow = after.allow.without(right) | allow;
                after.deny = after.deny.without(right) | deny;
            }
            if target == everyone {
                return put_or_delete(before, after);
            }
            // A role's stays, for its category to decide about when the room is open again.
            (after != before).then_some(OverwriteChange::Put(after))
        });
        changes.collect()
    }

    /// Before a room is closed or hidden as its record says: the record keeps what that takes from roles
    /// that somebody named by hand.
    pub(super) fn set_aside(&self, room: &mut RoomRecord, now: &[Overwrite], base: &[Overwrite]) {
        let taken = taken_rights(room);
        for one in now {
            let rights = Permissions((one.allow.0 | one.deny.0) & taken.0);
            let by_hand = self.is_others_role(room, one.target) && !is_named(base, one.target);
            if !by_hand || rights.0 == 0 {
                continue;
            }
            let before = of(&room.set_aside, one.target);
            room.set_aside.retain(|it| it.target != one.target);
            room.set_aside.push(Overwrite {
                allow: before.allow.without(rights) | Permissions(one.allow.0 & rights.0),
                deny: before.deny.without(rights) | Permissions(one.deny.0 & rights.0),
                ..before
            });
        }
    }

    /// Whether it is a role, and neither @everyone nor the room's own.
    fn is_others_role(&self, room: &RoomRecord, target: OverwriteTarget) -> bool {
        let OverwriteTarget::Role(role_id) = target else {
            return false;
        };
        role_id != self.everyone && Some(role_id) != room.role_id
    }

    /// Lets somebody in. `None`: they are.
    pub(super) fn let_in(
        &self,
        now: &[Overwrite],
        target: OverwriteTarget,
    ) -> Option<OverwriteChange> {
        let before = of(now, target);
        let mut given = ENTRY | Permissions(Permissions::SPEAK.0 & self.bot_may.0);
        if target == OverwriteTarget::Member(self.bot) {
            // What its roles give it in the guild a category may take from it.
            let needed = Permissions::MANAGE_CHANNELS | Permissions::MOVE_MEMBERS;
            given = given | Permissions(needed.0 & self.bot_may.0);
        }
        let after = Overwrite {
            allow: before.allow | given,
            deny: before.deny.without(given),
            ..before
        };
        (after != before).then_some(OverwriteChange::Put(after))
    }

    /// Lets a room's owner in by name, where its role does not.
    pub(super) fn owner_in(&self, room: &RoomRecord, now: &[Overwrite]) -> Option<OverwriteChange> {
        if room.role_id.is_some() {
            return None;
        }
        self.let_in(now, OverwriteTarget::Member(room.owner_id))
    }

    /// As far as Discord lets the bot set it.
    fn settable(&self, overwrite: Overwrite) -> Overwrite {
        let may = if self.bot_may == Permissions::ALL {
            Permissions::ALL
        } else {
            // Which only an administrator may give by an overwrite.
            (self.bot_may | ENTRY).without(Permissions::MANAGE_ROLES)
        };
        Overwrite {
            allow: Permissions(overwrite.allow.0 & may.0),
            deny: Permissions(overwrite.deny.0 & may.0),
            ..overwrite
        }
    }
}

/// Once a room is as its record says: what was given back is not kept any more.
pub(super) fn given_back(room: &mut RoomRecord) {
    let taken = taken_rights(room);
    for one in &mut room.set_aside {
        one.allow = Permissions(one.allow.0 & taken.0);
        one.deny = Permissions(one.deny.0 & taken.0);
    }
    room.set_aside.retain(|one| one.allow.0 | one.deny.0 != 0);
}

/// The rights that a room's state decides about, and whether it takes them.
fn closed_rights(room: &RoomRecord) -> [(Permissions, bool); 2] {
    [
        (Permissions::VIEW_CHANNEL, room.hidden),
        (Permissions::CONNECT, room.locked || room.private),
    ]
}

/// Those that it takes.
fn taken_rights(room: &RoomRecord) -> Permissions {
    let taken = closed_rights(room).into_iter().filter(|(_, taken)| *taken);
    taken.fold(Permissions::NONE, |all, (right, _)| all | right)
}

/// Keeps somebody out by name. `None`: they are kept out.
pub(super) fn keep_out(now: &[Overwrite], user_id: UserId) -> Option<OverwriteChange> {
    let before = of(now, OverwriteTarget::Member(user_id));
    let entry = ENTRY | Permissions::SPEAK;
    let after = Overwrite {
        allow: before.allow.without(entry),
        deny: before.deny | Permissions::CONNECT,
        ..before
    };
    (after != before).then_some(OverwriteChange::Put(after))
}

/// Takes back what keeps somebody out, or lets them in, by name. `None`: nothing does.
pub(super) fn forget(now: &[Overwrite], user_id: UserId) -> Option<OverwriteChange> {
    let target = OverwriteTarget::Member(user_id);
    let before = *now.iter().find(|one| one.target == target)?;
    let entry = ENTRY | Permissions::SPEAK;
    let after = Overwrite {
        allow: before.allow.without(entry),
        deny: before.deny.without(entry),
        ..before
    };
    put_or_delete(before, after)
}

/// Whether somebody is let in by name.
pub(super) fn is_let_in(now: &[Overwrite], user_id: UserId) -> bool {
    of(now, OverwriteTarget::Member(user_id))
        .allow
        .contains(Permissions::CONNECT)
}

fn put_or_delete(before: Overwrite, after: Overwrite) -> Option<OverwriteChange> {
    if after == before {
        return None;
    }
    Some(if after.allow.0 | after.deny.0 == 0 {
        OverwriteChange::Delete(after.target)
    } else {
        OverwriteChange::Put(after)
    })
}

fn apply(overwrites: &mut Vec<Overwrite>, change: OverwriteChange) {
    overwrites.retain(|one| one.target != change.target());
    if let OverwriteChange::Put(overwrite) = change {
        overwrites.push(overwrite);
    }
}

fn is_named(overwrites: &[Overwrite], target: OverwriteTarget) -> bool {
    overwrites.iter().any(|one| one.target == target)
}

fn of(overwrites: &[Overwrite], target: OverwriteTarget) -> Overwrite {
    let one = overwrites.iter().find(|one| one.target == target);
    one.copied().unwrap_or(nothing(target))
}

fn nothing(target: OverwriteTarget) -> Overwrite {
    Overwrite {
        target,
        allow: Permissions::NONE,
        deny: Permissions::NONE,
    }
}

fn only(condition: bool, right: Permissions) -> Permissions {
    if condition { right } else { Permissions::NONE }
}

#[cfg(test)]
mod tests;
