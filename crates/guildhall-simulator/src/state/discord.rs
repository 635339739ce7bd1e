//! The world, its sessions and the faults, behind one lock.
//!
//! One short, await-free critical section changes the world and hands the events
//! to every session, so that all sessions see one order, and a session that
//! starts in between sees the world either before or after, never half.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock,
    config::Config,
    control::{Load, Script},
    delivery::Delivery,
    gateway_ws::{Faults, Sessions},
    oauth::Grants,
    rest::{Limiter, Nonces, RestFaults},
    scenario::Running,
    world::{Changed, Edit, Event, Refusal, VoiceEdit, World},
};

/// What every route and connection holds.
pub(crate) struct Discord {
    pub(crate) config: Config,
    /// Where the listener is bound.
    pub(crate) address: SocketAddr,
    /// Origin as browsers reach it, without a slash at the end.
    pub(crate) origin: String,
    core: Mutex<Core>,
    grants: Mutex<Grants>,
    limiter: Mutex<Limiter>,
    nonces: Mutex<Nonces>,
    rest_faults: Mutex<RestFaults>,
    load: Mutex<Load>,
    script: Mutex<Script>,
    scenario: Mutex<Running>,
    connections: AtomicU64,
    changes: watch::Sender<u64>,
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// What changes together.
pub(crate) struct Core {
    pub(crate) world: World,
    pub(crate) sessions: Sessions,
    pub(crate) faults: Faults,
    pub(crate) delivery: Delivery,
}

impl Discord {
    pub(crate) fn new(
        config: Config,
        address: SocketAddr,
        mut world: World,
        tracker: TaskTracker,
        stop: CancellationToken,
    ) -> Arc<Self> {
        let origin = config
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));
        world.application.privileged_intents = config.privileged_intents;
        world.begin(clock::date());
        let core = Core {
            world,
            sessions: Sessions::new(&config),
            faults: Faults::default(),
            delivery: Delivery::default(),
        };
        Arc::new(Self {
            origin,
            address,
            core: Mutex::new(core),
            grants: Mutex::new(Grants::new(config.seed, config.grants)),
            limiter: Mutex::new(Limiter::new(config.rate_limits)),
            nonces: Mutex::new(Nonces::new(config.nonce_memory)),
            rest_faults: Mutex::new(RestFaults::default()),
            load: Mutex::new(Load::default()),
            script: Mutex::new(Script::default()),
            scenario: Mutex::new(Running::default()),
            connections: AtomicU64::new(0),
            changes: watch::Sender::new(0),
            config,
            tracker,
            stop,
        })
    }

    /// Reads or changes anything in one critical section. Never await inside.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core();
        let answer = act(&mut core);
        self.settle(&mut core);
        answer
    }

    /// The one section, told what time it is.
    fn core(&self) -> MutexGuard<'_, Core> {
        let mut core = lock(&self.core);
        core.world.tell_time(clock::date());
        core
    }

    /// Where a session has ended, the bot hangs up.
    fn settle(&self, core: &mut Core) {
        while core.sessions.some_ended() {
            let Core {
                world, sessions, ..
            } = core;
            for guild_id in sessions.voices_to_leave(world) {
                let hangs_up = VoiceEdit {
                    channel_id: Edit::Clear,
                    ..VoiceEdit::default()
                };
                if let Ok(((), events)) = world.set_voice(guild_id, world.bot_id(), hangs_up) {
                    sessions.deliver(world, &events, clock::now());
                    self.tell_changed();
                }
            }
        }
    }

    /// Changes the world and tells every session.
    pub(crate) fn change<T>(
        &self,
        now: Instant,
        change: impl FnOnce(&mut World) -> Changed<T>,
    ) -> Result<T, Refusal> {
        let answer = self.perform(now, |world| match change(world) {
            Ok((answer, events)) => (Ok(answer), events),
            Err(refusal) => (Err(refusal), Vec::new()),
        })?;
        self.tell_changed();
        Ok(answer)
    }

    /// The same for whoever has more to answer than a refusal.
    pub(crate) fn perform<T>(
        &self,
        now: Instant,
        act: impl FnOnce(&mut World) -> (T, Vec<Event>),
    ) -> T {
        let mut core = self.core();
        let Core {
            world,
            sessions,
            delivery,
            ..
        } = &mut *core;
        let (answer, events) = act(world);
        sessions.deliver(world, &delivery.pass(events), now);
        self.settle(&mut core);
        answer
    }

    pub(crate) fn with_grants<T>(&self, act: impl FnOnce(&mut Grants) -> T) -> T {
        act(&mut lock(&self.grants))
    }

    pub(crate) fn with_limiter<T>(&self, act: impl FnOnce(&mut Limiter) -> T) -> T {
        act(&mut lock(&self.limiter))
    }

    /// May be taken inside the world's section, never the other way round.
    pub(crate) fn with_nonces<T>(&self, act: impl FnOnce(&mut Nonces) -> T) -> T {
        act(&mut lock(&self.nonces))
    }

    pub(crate) fn with_rest_faults<T>(&self, act: impl FnOnce(&mut RestFaults) -> T) -> T {
        act(&mut lock(&self.rest_faults))
    }

    pub(crate) fn with_load<T>(&self, act: impl FnOnce(&mut Load) -> T) -> T {
        act(&mut lock(&self.load))
    }

    pub(crate) fn with_script<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        act(&mut lock(&self.script))
    }

    pub(crate) fn with_scenario<T>(&self, act: impl FnOnce(&mut Running) -> T) -> T {
        act(&mut lock(&self.scenario))
    }

    /// Tells what a fault of delivery still holds back.
    pub(crate) fn release(&self, now: Instant) {
        let mut core = self.core();
        let Core {
            world,
            sessions,
            delivery,
            ..
        } = &mut *core;
        sessions.deliver(world, &delivery.release(), now);
    }

    /// A number for a new connection, never used before.
    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Says that something shown by `/sim/state` is different now.
    pub(crate) fn tell_changed(&self) {
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Counts the changes of the world; whoever shows it looks again at each.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// A lock whose holder panicked is taken over: each section leaves its data whole
/// or is a bug that tests find; a simulator that answers nothing any more helps nobody.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
