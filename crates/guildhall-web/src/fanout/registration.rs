//! One open stream, as it is registered with its viewer.

use std::sync::Arc;

use guildhall_model::GuildId;

use super::{
    viewer::{GuildInterest, Viewer},
    wake_list::{Slot, StreamWaker},
    wanted_guilds::WantedGuilds,
};

/// One open stream of a viewer. Removed when dropped.
#[derive(Debug)]
pub(crate) struct StreamRegistration {
    viewer: Arc<Viewer>,
    waker: Arc<StreamWaker>,
    slot: Slot,
}

impl StreamRegistration {
    /// A new stream of this viewer.
    pub(crate) fn new(viewer: Arc<Viewer>) -> Self {
        let waker = Arc::new(StreamWaker::default());
        let slot = viewer.streams.add(&waker);
        Self {
            viewer,
            waker,
            slot,
        }
    }

    /// Says which guilds the stream is about, in ascending order: the viewer is looked up in those
    /// that come, and the stream wakes. Returns the list as the viewer's streams share it.
    pub(crate) fn set_guilds(&self, guilds: Vec<GuildId>) -> Arc<[GuildId]> {
        let mut interests = self.viewer.interests();
        let mut listed = interests
            .iter()
            .filter_map(|interest| match &interest.guilds {
                WantedGuilds::Listed(listed) => Some(listed),
                WantedGuilds::All => None,
            });
        let same = listed.find(|listed| ***listed == *guilds);
        let guilds = same.map_or_else(|| Arc::from(guilds), Arc::clone);
        interests.push(GuildInterest {
            stream: Arc::clone(&self.waker),
            guilds: WantedGuilds::Listed(Arc::clone(&guilds)),
        });
        guilds
    }

    /// Says that the stream is about all guilds, those that come later, too.
    pub(crate) fn set_all_guilds(&self) {
        self.viewer.interests().push(GuildInterest {
            stream: Arc::clone(&self.waker),
            guilds: WantedGuilds::All,
        });
    }

    /// Whose stream it is.
    pub(crate) fn viewer(&self) -> &Arc<Viewer> {
        &self.viewer
    }

    /// What wakes the stream.
    pub(crate) fn waker(&self) -> &Arc<StreamWaker> {
        &self.waker
    }
}

impl Drop for StreamRegistration {
    fn drop(&mut self) {
        let mine = |interest: &GuildInterest| Arc::ptr_eq(&interest.stream, &self.waker);
        self.viewer.interests().retain(|interest| !mine(interest));
        self.viewer.streams.remove(&self.slot);
    }
}
