//! Threads, and who is in them.

use time::OffsetDateTime;

use crate::{
    snowflake::Snowflake,
    world::{Channel, Guild, Permissions, Table},
};

/// A thread below a channel.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    /// What it has in common with channels. `parent_id` is the channel that it is below,
    /// whose overwrites are its own.
    pub(crate) channel: Channel,
    pub(crate) owner_id: Snowflake,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) archived: bool,
    /// When it was archived or came back last.
    pub(crate) archive_timestamp: OffsetDateTime,
    /// Minutes.
    pub(crate) auto_archive_duration: u32,
    pub(crate) locked: bool,
    /// Whether who does not moderate it may bring others into it, if it is private.
    pub(crate) invitable: bool,
    /// Without the message that it began with, and without those deleted.
    pub(crate) message_count: u32,
    pub(crate) total_message_sent: u32,
    pub(crate) flags: u64,
    pub(crate) applied_tags: Vec<Snowflake>,
    pub(crate) members: Table<ThreadMember>,
}

/// Somebody who is in a thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadMember {
    pub(crate) user_id: Snowflake,
    pub(crate) joined_at: OffsetDateTime,
}

impl Thread {
    /// The channel that it is below.
    pub(crate) fn parent_id(&self) -> Option<Snowflake> {
        self.channel.parent_id
    }
}

impl Guild {
    pub(crate) fn channel_or_thread(&self, id: Snowflake) -> Option<&Channel> {
        let thread = || self.threads.get(id).map(|thread| &thread.channel);
        self.channels.get(id).or_else(thread)
    }

    pub(crate) fn channel_or_thread_mut(&mut self, id: Snowflake) -> Option<&mut Channel> {
        if self.channels.contains(id) {
            return self.channels.get_mut(id);
        }
        self.threads.get_mut(id).map(|thread| &mut thread.channel)
    }

    /// The channel whose overwrites hold: a thread has those of its parent.
    pub(crate) fn ruling<'a>(&'a self, channel: &'a Channel) -> &'a Channel {
        let parent = || self.channels.get(channel.parent_id?);
        if channel.kind.is_thread() {
            parent().unwrap_or(channel)
        } else {
            channel
        }
    }

    /// The threads below a channel, in the order they were made.
    pub(crate) fn threads_of(&self, channel_id: Snowflake) -> impl Iterator<Item = &Thread> {
        let all = self.threads.iter();
        all.filter(move |thread| thread.parent_id() == Some(channel_id))
    }

    /// Whether a member is let into a thread, if it is private: who is in it is, and who
    /// moderates threads.
    pub(crate) fn admits(&self, channel: &Channel, user_id: Snowflake) -> bool {
        let Some(thread) = self.threads.get(channel.id) else {
            return true;
        };
        !thread.is_private()
            || thread.members.contains(user_id)
            || self
                .permissions_in(user_id, channel)
                .has(Permissions::MANAGE_THREADS)
    }
}

impl Thread {
    pub(crate) fn is_private(&self) -> bool {
        self.channel.kind == crate::world::ChannelKind::PrivateThread
    }
}
