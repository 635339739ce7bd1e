//! To whom a record goes: who is here, in which class of which guild, and how their streams wake.
//!
//! A stream that waits holds no lock and no queue: it has a place in the log, and a class that
//! knows what came after it.

/// Whom to wake.
mod wake_list;
/// What was answered about one person.
mod lookups;
/// One person on this instance.
mod viewer;
/// One open stream among those of its viewer.
mod registration;
/// What one class of viewers is shown of a guild.
mod class_buffer;
/// Whose class an event may change.
mod affected;
/// Who listens to a guild, and what their classes are shown.
mod subscribers;
/// Guilds that have just come.
mod arrivals;
/// The one writer.
mod publisher;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use guildhall_model::{GuildId, UserId};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

pub(crate) use arrivals::Arrived;
pub(crate) use class_buffer::Behind;
pub(crate) use lookups::{GoodFor, Noted};
pub(crate) use publisher::Publisher;
pub(crate) use registration::Attendance;
pub(crate) use subscribers::Seat;
pub(crate) use viewer::Viewer;

use arrivals::Arrivals;
use subscribers::Audience;

use crate::{
    replica::{self, GuildLog, GuildLogs, Replica},
    visible::{Narrow, Sight},
};

/// Everybody who is here, and the replica that their streams read. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Fanout(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    replica: Replica,
    /// The last number that every class has heard; streams look here before they look anywhere.
    published: AtomicU64,
    audiences: Mutex<HashMap<GuildId, Arc<Audience>>>,
    viewers: Mutex<HashMap<UserId, Arc<Viewer>>>,
    draining: AtomicBool,
    arrivals: Arrivals,
}

/// An empty replica that keeps `window` records per guild, with nobody who reads it: its one
/// writer, and the handle for everybody else.
pub(crate) fn new(window: usize) -> (Publisher, Fanout) {
    let writer = replica::new(window);
    let fanout = Fanout(Arc::new(Shared {
        replica: writer.replica().clone(),
        published: AtomicU64::new(0),
        audiences: Mutex::default(),
        viewers: Mutex::default(),
        draining: AtomicBool::new(false),
        arrivals: Arrivals::default(),
    }));
    (Publisher::new(writer, fanout.clone()), fanout)
}

impl Fanout {
    /// What is read.
    pub(crate) fn replica(&self) -> &Replica {
        &self.0.replica
    }

    /// The last number that every class has heard. Acquire it before [`Viewer::turn`].
    pub(crate) fn published(&self) -> u64 {
        self.0.published.load(Ordering::Acquire)
    }

    /// Every class has heard this number.
    pub(crate) fn publish(&self, seq: u64) {
        self.0.published.store(seq, Ordering::Release);
    }

    /// Seats a stream at a guild; `held` proves that the replica stands still meanwhile.
    pub(crate) fn seat(
        &self,
        held: &GuildLogs,
        guild: GuildId,
        attendance: &Attendance,
        sight: Option<&Sight>,
        narrow: &Narrow,
    ) -> Seat {
        let now = held.position().map_or(0, |position| position.seq);
        let looked_up = held.guild(guild).and_then(GuildLog::guild);
        let user = attendance.viewer().id();
        let looked_up = looked_up.map(|guild| guild.memberships.contains_key(&user));
        // Entered under the lock of the list, so that the writer's sweep cannot come between.
        let mut audiences = self.audiences();
        let audience = audiences
            .entry(guild)
            .or_insert_with(|| Arc::new(Audience::new(guild)));
        let (viewer, signal) = (attendance.viewer(), attendance.signal());
        audience.enter(viewer, signal, (sight, looked_up), narrow, now)
    }

    /// The person, as known on this instance.
    pub(crate) fn viewer(&self, user: UserId) -> Arc<Viewer> {
        let mut viewers = self.viewers();
        let viewer = viewers
            .entry(user)
            .or_insert_with(|| Arc::new(Viewer::new(user)));
        Arc::clone(viewer)
    }

    /// Everybody who has a stream open.
    pub(crate) fn present(&self) -> Vec<Arc<Viewer>> {
        let viewers = self.viewers();
        let present = viewers.values().filter(|viewer| !viewer.is_idle());
        present.cloned().collect()
    }

    /// Waits for guilds that have come since the last call.
    pub(crate) async fn arrived(&self) -> Arrived {
        self.0.arrivals.next().await
    }

    /// Where guilds that come are noted.
    pub(crate) fn arrivals(&self) -> &Arrivals {
        &self.0.arrivals
    }

    /// Everybody who has a stream open that is about a guild.
    pub(crate) fn wanting(&self, guild: GuildId) -> Vec<Arc<Viewer>> {
        let mut present = self.present();
        present.retain(|viewer| viewer.wants_guild(guild));
        present
    }

    /// Forgets people, guilds and answers that nobody needs any more.
    pub(crate) fn sweep(&self, now: Instant, idle_for: Duration) {
        self.viewers().retain(|_, viewer| {
            // Whoever else holds it is about to open a stream.
            let held = Arc::strong_count(viewer) > 1 || !viewer.is_idle();
            let recent = viewer.sweep(idle_for, now);
            held || recent
        });
        self.audiences().retain(|_, audience| !audience.is_empty());
    }

    /// Asks every stream to say `bye` and end; new ones do so at once.
    pub(crate) fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
        self.ring_all();
    }

    /// Whether streams are to end.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Wakes everybody's streams.
    pub(crate) fn ring_all(&self) {
        for viewer in self.present() {
            viewer.ring();
        }
    }

    /// Who listens to a guild. `None`: nobody.
    pub(crate) fn audience(&self, guild: GuildId) -> Option<Arc<Audience>> {
        self.audiences().get(&guild).cloned()
    }

    /// The replica was replaced: what every class has heard so far is void.
    pub(crate) fn reset(&self) {
        for audience in self.audiences().values() {
            audience.reset();
        }
    }

    fn audiences(&self) -> MutexGuard<'_, HashMap<GuildId, Arc<Audience>>> {
        self.0.audiences.lock()
    }

    fn viewers(&self) -> MutexGuard<'_, HashMap<UserId, Arc<Viewer>>> {
        self.0.viewers.lock()
    }
}

#[cfg(test)]
mod tests;
