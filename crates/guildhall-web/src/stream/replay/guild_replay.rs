//! What a viewer was shown of a guild after a position, by the rights of *that* time: what a viewer
//! may see at a position is a pure function of the log up to it.

use guildhall_model::{Change, UnixMs, UserId};

use super::{GuildNow, VisibleRecords};
use crate::{
    replica::{GroupSpan, GuildLog, Record},
    visible::{Access, Selector, show, view_changed},
};

/// What a viewer was shown of one guild after a position.
#[derive(Debug, Default)]
pub(super) struct GuildReplay {
    pub(super) shown: VisibleRecords,
    /// Where what they see changed in a way that no record tells; nothing is shown after it.
    pub(super) view_change: Option<ViewChange>,
}

/// The record after which what the browser has of a guild is wrong.
#[derive(Debug)]
pub(super) struct ViewChange {
    /// The group it is of.
    pub(super) group: GroupSpan,
    pub(super) ts: UnixMs,
    /// What the viewer is to the guild after it.
    pub(super) access: Access,
    /// They are a member before and after, and see other rooms.
    pub(super) rooms_changed: bool,
    /// The record itself is shown, and says that the guild is no more.
    pub(super) announced: bool,
}

/// The same for a viewer who was a member at that position. That all are looked up again concerns
/// every stream of the guild at one moment, so it is answered without going through the records.
pub(super) fn replay_guild_of_member(
    guild: &GuildNow,
    log: &GuildLog,
    user: UserId,
    selector: &Selector,
    after: u64,
) -> GuildReplay {
    match log.records_after(after).next() {
        Some(first) if matches!(first.event.change, Change::RightsReset) => GuildReplay {
            shown: VisibleRecords::new(),
            view_change: Some(ViewChange {
                group: first.group,
                ts: first.event.ts,
                access: Access::Unknown,
                rooms_changed: false,
                announced: false,
            }),
        },
        _ => replay_guild(guild, log, user, selector, after),
    }
}

/// Goes through the records after a position. `guild`: as it is after them all.
pub(super) fn replay_guild(
    guild: &GuildNow,
    log: &GuildLog,
    user: UserId,
    selector: &Selector,
    after: u64,
) -> GuildReplay {
    let id = guild.id;
    let mut records = log.records_after(after);
    if !records.any(|record| record.may_affect(user)) {
        // Nothing changed what they see, so the rights of then are those of now.
        return replay(
            log,
            user,
            selector,
            after,
            guild.access.clone(),
            |_, access| access.clone(),
        );
    }
    if let Some(history) = guild.history.as_ref().filter(|was| was.covers(after)) {
        let then = history.after(after).clone();
        return replay(log, user, selector, after, then, |record, _| {
            history.after(record.at.seq).clone()
        });
    }
    let mut world = log.base_for(user);
    let kept = log.records_after(log.floor());
    for record in kept.take_while(|record| record.at.seq <= after) {
        if record.may_affect(user) {
            world.apply(&record.event);
        }
    }
    let then = Access::of(world.guilds.get(&id), id, user);
    replay(log, user, selector, after, then, |record, access| {
        world.apply(&record.event);
        access.after(record.affects, world.guilds.get(&id), id, user)
    })
}

/// The same. `access`: what the viewer was at the position; `next`: what they are after a record that
/// may have changed it.
fn replay(
    log: &GuildLog,
    user: UserId,
    selector: &Selector,
    after: u64,
    mut access: Access,
    mut next: impl FnMut(&Record, &Access) -> Access,
) -> GuildReplay {
    let mut shown = VisibleRecords::new();
    for record in log.records_after(after) {
        if !record.may_affect(user) {
            shown.extend(show(record, access.rooms(), access.rooms(), selector));
            continue;
        }
        let next = next(record, &access);
        let changed = changes_view(record, &access, &next);
        // That record itself fits the old snapshot only as far as it tells of an end.
        let seen = next.rooms().filter(|_| !changed);
        let visible = show(record, access.rooms(), seen, selector);
        let announced = visible.is_some() && matches!(record.event.change, Change::GuildRemoved);
        shown.extend(visible);
        if changed {
            let whole = matches!(record.event.change, Change::GuildAvailable(Some(_)));
            let member = access.rooms().is_some() && next.rooms().is_some();
            let view_change = ViewChange {
                group: record.group,
                ts: record.event.ts,
                access: next,
                rooms_changed: member && !whole,
                announced,
            };
            return GuildReplay {
                shown,
                view_change: Some(view_change),
            };
        }
        access = next;
    }
    GuildReplay {
        shown,
        view_change: None,
    }
}

/// Whether a record changed what the viewer has to be shown in a way that it does not tell.
/// Somebody whose guild was being looked up may still have its old snapshot when it turns out
/// that they are in it no more.
fn changes_view(record: &Record, before: &Access, after: &Access) -> bool {
    let gone = matches!(after, Access::Stranger | Access::Absent);
    let awaited = *before == Access::Unknown && gone;
    awaited || view_changed(record, before.rooms(), after.rooms())
}
