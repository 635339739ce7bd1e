//! What a viewer was shown of a guild after a place, by the rights of *that* time: what a viewer
//! may see at a position is a pure function of the log up to it.

use guildhall_model::{Change, GuildId, Position, UnixMs, UserId};

use super::Run;
use crate::{
    replica::{GuildLog, Record},
    visible::{Access, Narrow, picture_broke, show},
};

/// What a viewer was shown of one guild after a place.
#[derive(Debug, Default)]
pub(super) struct Retraced {
    pub(super) shown: Run,
    /// Where what they see changed in a way that no record tells; nothing is shown after it.
    pub(super) broke: Option<Broke>,
}

/// What broke the picture of a guild.
#[derive(Debug)]
pub(super) struct Broke {
    pub(super) at: Position,
    pub(super) ts: UnixMs,
    /// What the viewer is to the guild after it.
    pub(super) access: Access,
    /// They are a member before and after, and see other rooms.
    pub(super) inside: bool,
    /// The record itself is shown, and says that the guild is no more.
    pub(super) told: bool,
}

/// The same for who was a member at that place. That all are looked up anew concerns every stream
/// of the guild at one moment, so it is told without going through what led there.
pub(super) fn of_member(
    id: GuildId,
    log: &GuildLog,
    user: UserId,
    narrow: &Narrow,
    after: u64,
) -> Retraced {
    match log.after(after).next() {
        Some(first) if matches!(first.event.change, Change::RightsReset) => Retraced {
            shown: Run::new(),
            broke: Some(Broke {
                at: first.at,
                ts: first.event.ts,
                access: Access::Unknown,
                inside: false,
                told: false,
            }),
        },
        _ => retrace(id, log, user, narrow, after),
    }
}

/// Goes through the records after a place.
pub(super) fn retrace(
    id: GuildId,
    log: &GuildLog,
    user: UserId,
    narrow: &Narrow,
    after: u64,
) -> Retraced {
    let mut shown = Run::new();
    if !log.after(after).any(|record| record.touches_viewer(user)) {
        let now = Access::of(log.guild(), id, user);
        let records = log.after(after);
        shown.extend(records.filter_map(|record| show(record, now.sight(), now.sight(), narrow)));
        return Retraced { shown, broke: None };
    }
    let mut world = log.base_for(user);
    let kept = log.after(log.floor());
    for record in kept.take_while(|record| record.at.seq <= after) {
        if record.touches_viewer(user) {
            world.apply(&record.event);
        }
    }
    let mut access = Access::of(world.guilds.get(&id), id, user);
    for record in log.after(after) {
        if !record.touches_viewer(user) {
            shown.extend(show(record, access.sight(), access.sight(), narrow));
            continue;
        }
        world.apply(&record.event);
        let next = Access::of(world.guilds.get(&id), id, user);
        let broke = breaks(record, &access, &next);
        // The breaking record itself fits the old picture only as far as it tells of an end.
        let seen = next.sight().filter(|_| !broke);
        let visible = show(record, access.sight(), seen, narrow);
        let told = visible.is_some() && matches!(record.event.change, Change::GuildRemoved);
        shown.extend(visible);
        if broke {
            let whole = matches!(record.event.change, Change::GuildAvailable(Some(_)));
            let member = access.sight().is_some() && next.sight().is_some();
            let broke = Broke {
                at: record.at,
                ts: record.event.ts,
                access: next,
                inside: member && !whole,
                told,
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
    awaited || picture_broke(record, before.sight(), after.sight())
}
