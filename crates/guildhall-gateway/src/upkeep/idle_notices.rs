//! What is said of idle rooms, one after the other: what is said last of a room is what is so. Pure.

use std::collections::VecDeque;

use guildhall_model::{ChannelId, GuildId, UnixMs};

/// Those that are still to be said.
#[derive(Debug, Default)]
pub(super) struct IdleNotices {
    waiting: VecDeque<IdleNotice>,
    under_way: bool,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IdleNotice {
    pub(super) guild_id: GuildId,
    pub(super) channel_id: ChannelId,
    /// `None`: it is not deleted any more.
    pub(super) deletes_at: Option<UnixMs>,
}

impl IdleNotices {
    /// What was to be said of the same room before, and was not, is not said any more.
    pub(super) fn say(&mut self, notice: IdleNotice) {
        self.waiting
            .retain(|waiting| waiting.channel_id != notice.channel_id);
        self.waiting.push_back(notice);
    }

    /// The next one, if none is being said.
    pub(super) fn begin(&mut self) -> Option<IdleNotice> {
        if self.under_way {
            return None;
        }
        let notice = self.waiting.pop_front()?;
        self.under_way = true;
        Some(notice)
    }

    /// It was said.
    pub(super) fn ended(&mut self) {
        self.under_way = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_about_a_room_is_said_last() {
        let mut notices = IdleNotices::default();
        let about = |channel_id, deletes_at| IdleNotice {
            guild_id: GuildId(1),
            channel_id: ChannelId(channel_id),
            deletes_at,
        };
        notices.say(about(1, Some(5)));
        assert_eq!(notices.begin(), Some(about(1, Some(5))));
        notices.say(about(1, None));
        notices.say(about(2, Some(6)));
        notices.say(about(1, Some(7)));
        assert_eq!(notices.begin(), None, "one is being said");
        notices.ended();
        assert_eq!(notices.begin(), Some(about(2, Some(6))));
        notices.ended();
        assert_eq!(notices.begin(), Some(about(1, Some(7))));
        notices.ended();
        assert_eq!(notices.begin(), None);
    }
}
