//! What a query asks for: `?channel=` and `?events=`.

use guildhall_model::ChannelId;

use crate::replica::{Family, Record};

/// The channels and event families that a query asks for. `channels`: sorted; `None` is all of
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Selector {
    pub(crate) channels: Option<Box<[ChannelId]>>,
    pub(crate) voice: bool,
    pub(crate) room: bool,
}

impl Selector {
    /// Everything.
    pub(crate) const ALL: Self = Self {
        channels: None,
        voice: true,
        room: true,
    };

    pub(super) fn asks_for_room(&self, channel: ChannelId) -> bool {
        let listed = |channels: &[ChannelId]| channels.binary_search(&channel).is_ok();
        self.channels.as_deref().is_none_or(listed)
    }

    pub(super) fn asks_for(&self, record: &Record) -> bool {
        let family = match record.family() {
            Family::Voice => self.voice,
            Family::Room => self.room,
            Family::Always => true,
        };
        let channel = record.event.change.channel();
        family && channel.is_none_or(|channel| self.asks_for_room(channel))
    }
}
