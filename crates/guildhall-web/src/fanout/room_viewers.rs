//! How many streams say that their person is on a room's page, so that nobody's room is taken away
//! under them.

use std::{collections::BTreeMap, sync::Arc};

use guildhall_model::ChannelId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The count of this instance: of each room the streams that view it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoomViewers(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    of_room: Mutex<BTreeMap<ChannelId, u32>>,
    changed: Notify,
}

impl RoomViewers {
    /// Of each room that somebody views how many do.
    pub(crate) fn counts(&self) -> BTreeMap<ChannelId, u32> {
        self.0.of_room.lock().clone()
    }

    /// Waits until the counts have changed since the last call. For one caller; may be dropped at
    /// any time, and nothing is lost.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn change(&self, room: ChannelId, counts: bool) {
        let mut of_room = self.0.of_room.lock();
        let count = of_room.entry(room).or_default();
        *count = if counts {
            count.saturating_add(1)
        } else {
            count.saturating_sub(1)
        };
        if *count == 0 {
            of_room.remove(&room);
        }
        drop(of_room);
        self.0.changed.notify_one();
    }
}

/// The rooms that one stream views. It counts for those that its viewer sees, and for none any more
/// once this is dropped.
#[derive(Debug)]
pub(crate) struct ViewedRooms {
    viewers: RoomViewers,
    /// Each once, and whether it counts now.
    rooms: Vec<(ChannelId, bool)>,
}

impl ViewedRooms {
    /// These, of which none counts yet.
    pub(crate) fn new(viewers: RoomViewers, rooms: &[ChannelId]) -> Self {
        let mut rooms: Vec<_> = rooms.iter().map(|room| (*room, false)).collect();
        rooms.sort_unstable();
        rooms.dedup();
        Self { viewers, rooms }
    }

    /// Whether there is none, as in nearly all streams.
    pub(crate) fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    /// Counts for those that the viewer sees now.
    pub(crate) fn update(&mut self, sees: impl Fn(ChannelId) -> bool) {
        for (room, counts) in &mut self.rooms {
            let visible = sees(*room);
            if visible != *counts {
                *counts = visible;
                self.viewers.change(*room, visible);
            }
        }
    }
}

impl Drop for ViewedRooms {
    fn drop(&mut self) {
        self.update(|_| false);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const TABLE: ChannelId = ChannelId(1);
    const CELLAR: ChannelId = ChannelId(2);

    #[test]
    fn a_stream_counts_once_for_each_room_that_is_seen_and_until_it_ends() {
        let viewers = RoomViewers::default();
        let mut one = ViewedRooms::new(viewers.clone(), &[CELLAR, TABLE, TABLE]);
        let mut other = ViewedRooms::new(viewers.clone(), &[TABLE]);
        assert_eq!(viewers.counts(), BTreeMap::new(), "nothing was seen yet");
        one.update(|room| room == TABLE);
        one.update(|room| room == TABLE);
        other.update(|_| true);
        assert_eq!(viewers.counts(), BTreeMap::from([(TABLE, 2)]));
        one.update(|room| room == CELLAR);
        assert_eq!(viewers.counts(), BTreeMap::from([(TABLE, 1), (CELLAR, 1)]));
        drop(one);
        assert_eq!(viewers.counts(), BTreeMap::from([(TABLE, 1)]));
        drop(other);
        assert_eq!(viewers.counts(), BTreeMap::new());
    }

    #[test]
    fn a_change_is_told_once_and_not_lost_while_nobody_waits() {
        let viewers = RoomViewers::default();
        assert_eq!(viewers.changed().now_or_never(), None);
        let mut viewed = ViewedRooms::new(viewers.clone(), &[TABLE]);
        viewed.update(|_| true);
        viewed.update(|_| true);
        drop(viewed);
        assert_eq!(viewers.changed().now_or_never(), Some(()));
        assert_eq!(viewers.changed().now_or_never(), None);
    }
}
