//! What a viewer was shown of a guild after a position, by the rights of *that* time: what a viewer
//! may see at a position is a pure function of the log up to it.

use guildhall_model::{Change, GuildId, Position, UnixMs, UserId};

use super::VisibleRecords;
use crate::{
    replica::{GuildLog, Record},
    visible::{Access, Selector, show, view_changed},
};

/// What a viewer was shown of one guild after a position.
#[derive(Debug, Default)]
pub(super) struct Retraced {
    pub(super) shown: VisibleRecords,
    /// Where what they see changed in a way that no record tells; nothing is shown after it.
    pub(super) broke: Option<ViewBreak>,
}

/// The record after which the browser's picture of a guild is wrong.
#[derive(Debug)]
pub(super) struct ViewBreak {
    pub(super) at: Position,
    pub(super) ts: UnixMs,
    /// What the viewer is to the guild after it.
    pub(super) access: Access,
    /// They are a member before and after, and see other rooms.
    pub(super) inside: bool,
    /// The record itself is shown, and says that the guild is no more.
    pub(super) announced: bool,
}

/// The same for a viewer who was a member at that position. That all are looked up again concerns
/// every stream of the guild at one moment, so it is answered without going through the records.
pub(super) fn retrace_member(
    id: GuildId,
    log: &GuildLog,
    user: UserId,
    selector: &Selector,
    after: u64,
) -> Retraced {
    match log.after(after).next() {
        Some(first) if matches!(first.event.change, Change::RightsReset) => Retraced {
            shown: VisibleRecords::new(),
            broke: Some(ViewBreak {
                at: first.at,
                ts: first.event.ts,
                access: Access::Unknown,
                inside: false,
                announced: false,
            }),
        },
        _ => retrace(id, log, user, selector, after),
    }
}

/// Goes through the records after a position.
pub(super) fn retrace(
    id: GuildId,
    log: &GuildLog,
    user: UserId,
    selector: &Selector,
    after: u64,
) -> Retraced {
    let mut shown = VisibleRecords::new();
    if !log.after(after).any(|record| record.may_affect(user)) {
        let now = Access::of(log.guild(), id, user);
        let records = log.after(after);
        shown.extend(records.filter_map(|record| show(record, now.rooms(), now.rooms(), selector)));
        return Retraced { shown, broke: None };
    }
    let mut world = log.base_for(user);
    let kept = log.after(log.floor());
    for record in kept.take_while(|record| record.at.seq <= after) {
        if record.may_affect(user) {
            world.apply(&record.event);
        }
    }
    let mut access = Access::of(world.guilds.get(&id), id, user);
    for record in log.after(after) {
        if !record.may_affect(user) {
            shown.extend(show(record, access.rooms(), access.rooms(), selector));
            continue;
        }
        world.apply(&record.event);
        let next = Access::of(world.guilds.get(&id), id, user);
        let broke = breaks(record, &access, &next);
        // The breaking record itself fits the old picture only as far as it tells of an end.
        let seen = next.rooms().filter(|_| !broke);
        let visible = show(record, access.rooms(), seen, selector);
        let announced = visible.is_some() && matches!(record.event.change, Change::GuildRemoved);
        shown.extend(visible);
        if broke {
            let whole = matches!(record.event.change, Change::GuildAvailable(Some(_)));
            let member = access.rooms().is_some() && next.rooms().is_some();
            let broke = ViewBreak {
                at: record.at,
                ts: record.event.ts,
                access: next,
                inside: member && !whole,
                announced,
            };
            return Retraced {
                shown,
                broke: Some(broke),
            };
        }
        access = next;
    }
    Retraced { shown, broke: None }
}

/// Whether a record changed what the viewer has to be shown in a way that it does not tell.
/// Somebody whose guild was being looked up may still have its old picture when it turns out that
/// they are in it no more.
fn breaks(record: &Record, before: &Access, after: &Access) -> bool {
    let gone = matches!(after, Access::Stranger | Access::Absent);
    let awaited = *before == Access::Unknown && gone;
    awaited || view_changed(record, before.rooms(), after.rooms())
}
