//! What a query asks for: `?channel=` and `?events=`.

use guildhall_model::{
    ChannelId,
    event::{EVENTS, Family, FamilySet},
};

use crate::replica::Record;

/// The channels and event families that a query asks for. `channels`: sorted; `None` is all of
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Selector {
    pub(crate) channels: Option<Box<[ChannelId]>>,
    pub(crate) families: FamilySet,
}

impl Selector {
    /// Everything.
    pub(crate) const ALL: Self = Self {
        channels: None,
        families: EVENTS.all_families(),
    };

    pub(super) fn asks_for_room(&self, channel: ChannelId) -> bool {
        let listed = |channels: &[ChannelId]| channels.binary_search(&channel).is_ok();
        self.channels.as_deref().is_none_or(listed)
    }

    pub(super) fn asks_for(&self, record: &Record) -> bool {
        let change = &record.event.change;
        self.asks_for_event(change.definition().family, change.channel())
    }

    pub(super) fn asks_for_event(&self, family: Family, channel: Option<ChannelId>) -> bool {
        self.families.contains(family) && channel.is_none_or(|channel| self.asks_for_room(channel))
    }
}
