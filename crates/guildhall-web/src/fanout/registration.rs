//! One open stream among those of its viewer.

use std::sync::Arc;

use guildhall_model::GuildId;

use super::{
    viewer::{Viewer, Want},
    wake_list::{Signal, Slot},
};

/// One open stream of a viewer. Leaves when dropped.
#[derive(Debug)]
pub(crate) struct Attendance {
    viewer: Arc<Viewer>,
    signal: Arc<Signal>,
    slot: Slot,
}

impl Attendance {
    /// A new stream of this viewer.
    pub(crate) fn new(viewer: Arc<Viewer>) -> Self {
        let signal = Arc::new(Signal::default());
        let slot = viewer.streams.enter(&signal);
        Self {
            viewer,
            signal,
            slot,
        }
    }

    /// Says what the stream is about, in ascending order: guilds that come are looked up for it,
    /// and wake it. Answers the list as the viewer's streams share it.
    pub(crate) fn want(&self, guilds: Vec<GuildId>) -> Arc<[GuildId]> {
        let mut wants = self.viewer.wants();
        let same = wants.iter().find(|want| *want.guilds == *guilds);
        let guilds = same.map_or_else(|| Arc::from(guilds), |want| Arc::clone(&want.guilds));
        wants.push(Want {
            stream: Arc::clone(&self.signal),
            guilds: Arc::clone(&guilds),
        });
        guilds
    }

    /// Whose.
    pub(crate) fn viewer(&self) -> &Arc<Viewer> {
        &self.viewer
    }

    /// The stream's bell.
    pub(crate) fn signal(&self) -> &Arc<Signal> {
        &self.signal
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let mine = |want: &Want| Arc::ptr_eq(&want.stream, &self.signal);
        self.viewer.wants().retain(|want| !mine(want));
        self.viewer.streams.leave(&self.slot);
    }
}
