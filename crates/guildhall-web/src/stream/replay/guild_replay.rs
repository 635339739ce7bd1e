//! What a viewer was shown of a guild after a position, by the rights of *that* time: what a viewer
//! may see at a position is a pure function of the log up to it.

use std::sync::Arc;

use guildhall_model::{Change, UnixMs};

use super::{GuildNow, VisibleFrames};
use crate::{
    replica::{GroupSpan, GuildLog, Record, Untold, ViewerId},
    visible::{
        Access, LogFrame, Selector, ViewDifference, Visible, show, show_with_rooms, view_difference,
    },
};

/// What a viewer was shown of one guild after a position.
#[derive(Debug, Default)]
pub(super) struct GuildReplay {
    pub(super) shown: VisibleFrames,
    /// Where what they see changed in a way that is not told; nothing is shown after it.
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
    /// They are a member before and after, and see other rooms, which are not told for this reason.
    pub(super) untold: Option<Untold>,
    /// The record itself is shown, and says that the guild is no more.
    pub(super) announced: bool,
}

/// Whose replay it is, and what of it.
#[derive(Clone, Copy)]
pub(super) struct ReplayReader<'a> {
    pub(super) viewer: ViewerId,
    pub(super) selector: &'a Selector,
    pub(super) rooms: RoomChanges,
}

/// What becomes of a replay where its viewer sees other rooms from some record on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoomChanges {
    /// Those rooms are told, as far as they are kept: it is an open stream's.
    Told,
    /// It ends there.
    EndReplay,
}

/// What a viewer was shown of a guild after a position at which they were a member. That all are looked up again concerns
/// every stream of the guild at one moment, so it is answered without going through the records.
pub(super) fn replay_guild_of_member(
    guild: &GuildNow<'_>,
    reader: ReplayReader<'_>,
    after: u64,
) -> GuildReplay {
    match guild.log.records_after(after).next() {
        Some(first)
            if matches!(first.event.change, Change::RightsReset)
                && reader.viewer != ViewerId::Bot =>
        {
            GuildReplay {
                shown: VisibleFrames::new(),
                view_change: Some(ViewChange {
                    group: first.group,
                    ts: first.event.ts,
                    access: Access::Unknown,
                    untold: None,
                    announced: false,
                }),
            }
        }
        _ => replay_guild(guild, reader, after),
    }
}

/// What a viewer was shown of a guild after a position, whatever they were then. `guild`: as it is after them all.
pub(super) fn replay_guild(
    guild: &GuildNow<'_>,
    reader: ReplayReader<'_>,
    after: u64,
) -> GuildReplay {
    let (id, log, viewer) = (guild.id, guild.log, reader.viewer);
    let mut records = log.records_after(after);
    if !records.any(|record| record.may_affect(viewer)) {
        // Nothing changed what they see, so the rights of then are those of now.
        return replay(log, reader, after, guild.access.clone(), |_, access| {
            access.clone()
        });
    }
    if let Some(history) = guild.history.as_ref().filter(|was| was.covers(after)) {
        let then = history.after(after).clone();
        return replay(log, reader, after, then, |record, _| {
            history.after(record.at.seq).clone()
        });
    }
    let mut world = log.base_for(viewer);
    let kept = log.records_after(log.floor());
    for record in kept.take_while(|record| record.at.seq <= after) {
        if record.may_affect(viewer) {
            world.apply(&record.event);
        }
    }
    let then = Access::of(world.guilds.get(&id), id, viewer);
    replay(log, reader, after, then, |record, access| {
        world.apply(&record.event);
        access.after(record.affects, world.guilds.get(&id), id, viewer)
    })
}

/// Goes through the records after a position with the rights of each. `access`: what the viewer was at the position; `next`: what they are after a record that
/// may have changed it.
fn replay(
    log: &GuildLog,
    reader: ReplayReader<'_>,
    after: u64,
    mut access: Access,
    mut next: impl FnMut(&Record, &Access) -> Access,
) -> GuildReplay {
    let ReplayReader {
        viewer, selector, ..
    } = reader;
    let mut shown = VisibleFrames::new();
    for record in log.records_after(after) {
        if !record.may_affect(viewer) {
            shown.extend(show(record, access.rooms(), access.rooms(), selector));
            continue;
        }
        let next = next(record, &access);
        let untold = match told(record, log, reader, &access, &next) {
            ToldChange::Frames(frames) => {
                shown.extend(frames);
                access = next;
                continue;
            }
            ToldChange::Untold(why) => Some(why),
            ToldChange::OfGuild => None,
        };
        // That record itself fits the old snapshot only as far as it tells of an end.
        let visible = show(record, access.rooms(), None, selector);
        let announced = visible.is_some() && matches!(record.event.change, Change::GuildRemoved);
        shown.extend(visible);
        let view_change = ViewChange {
            group: record.group,
            ts: record.event.ts,
            access: next,
            untold,
            announced,
        };
        return GuildReplay {
            shown,
            view_change: Some(view_change),
        };
    }
    GuildReplay {
        shown,
        view_change: None,
    }
}

/// What a viewer is shown of a record who was something else to the guild before it, perhaps.
enum ToldChange {
    /// All that it changed for them.
    Frames(Vec<Visible<LogFrame>>),
    /// They see other rooms, which would be told but for this.
    Untold(Untold),
    /// What changed is told by the guild as a whole, or ends the replay.
    OfGuild,
}

fn told(
    record: &Arc<Record>,
    log: &GuildLog,
    reader: ReplayReader<'_>,
    before: &Access,
    after: &Access,
) -> ToldChange {
    let ReplayReader {
        selector, rooms, ..
    } = reader;
    // Somebody whose guild was being looked up may still have its old snapshot when it turns out
    // that they are in it no more.
    let gone = matches!(after, Access::Stranger | Access::Absent);
    if *before == Access::Unknown && gone {
        return ToldChange::OfGuild;
    }
    let (before, after) = (before.rooms(), after.rooms());
    let difference = view_difference(record, before, after, selector);
    match (difference, before, after) {
        (ViewDifference::Nothing, ..) => {
            ToldChange::Frames(Vec::from_iter(show(record, before, after, selector)))
        }
        (ViewDifference::Rooms(around), Some(before), Some(after))
            if rooms == RoomChanges::Told =>
        {
            let told = log
                .transitions_at(record.at.seq)
                .and_then(|kept| show_with_rooms(record, kept, &around, [before, after], selector));
            told.map_or_else(ToldChange::Untold, ToldChange::Frames)
        }
        _ => ToldChange::OfGuild,
    }
}
