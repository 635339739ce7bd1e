//! The world, its sessions and the faults, behind one lock.
//!
//! One short, await-free critical section changes the world and hands the events
//! to every session, so that all sessions see one order, and a session that
//! starts in between sees the world either before or after, never half.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::watch, time::Instant};

use crate::{
    clock,
    config::Config,
    delivery::Delivery,
    faults::GatewayFaults,
    sessions::{CloseCode, ConnectionHandle, Denied, Granted, Identify, Sessions},
    world::{Changed, Edit, Event, Presence, Refusal, VoiceEdit, World},
};

/// The one Discord that all routes and connections act on.
pub(crate) struct Discord {
    core: Mutex<Core>,
    connections: AtomicU64,
    changes: watch::Sender<u64>,
}

/// What changes together.
pub(crate) struct Core {
    pub(crate) world: World,
    pub(crate) sessions: Sessions,
    pub(crate) faults: GatewayFaults,
    pub(crate) delivery: Delivery,
}

impl Core {
    /// Begins a session, if IDENTIFY is granted; from then on the bot is shown as it says.
    pub(crate) fn begin_session(
        &mut self,
        identify: &Identify,
        connection: ConnectionHandle,
        now: Instant,
    ) -> Result<Granted, Denied> {
        let Self {
            world, sessions, ..
        } = self;
        let granted = sessions.identify(world, identify, connection, now)?;
        let bot = world.bot_id();
        if let Ok(((), events)) = world.set_presence(bot, identify.presence()) {
            sessions.deliver(world, &events, now);
        }
        Ok(granted)
    }
}

impl Discord {
    pub(crate) fn new(config: &Config, world: World) -> Self {
        let world = begun(config, world);
        let core = Core {
            world,
            sessions: Sessions::new(config),
            faults: GatewayFaults::default(),
            delivery: Delivery::default(),
        };
        Self {
            core: Mutex::new(core),
            connections: AtomicU64::new(0),
            changes: watch::Sender::new(0),
        }
    }

    /// Begins again with the world of the seed. Every session ends. The bot token that
    /// holds now.
    pub(crate) fn reset(&self, config: &Config) -> String {
        let mut core = self.core();
        let world = begun(config, config.world());
        core.world.become_again(world);
        core.faults = GatewayFaults::default();
        core.delivery = Delivery::default();
        core.sessions.end_all(CloseCode::asked(4000));
        core.sessions.restore_starts();
        self.leave_voice_of_ended_sessions(&mut core);
        core.world.application.bot_token.clone()
    }

    /// Reads or changes anything in one critical section. Never await inside.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core();
        let answer = act(&mut core);
        self.leave_voice_of_ended_sessions(&mut core);
        answer
    }

    /// The one section, told what time it is.
    fn core(&self) -> MutexGuard<'_, Core> {
        let mut core = self.core.lock();
        core.world.set_now(clock::date());
        core
    }

    /// Where a session has ended, the bot hangs up; with the last one it goes offline.
    fn leave_voice_of_ended_sessions(&self, core: &mut Core) {
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
                    self.notify_changed();
                }
            }
            if sessions.is_empty() {
                // Nobody is there who could be told.
                let bot = world.bot_id();
                let _ = world.set_presence(bot, Presence::default());
                self.notify_changed();
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
        self.notify_changed();
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
        self.leave_voice_of_ended_sessions(&mut core);
        answer
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
    pub(crate) fn notify_changed(&self) {
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Counts the changes of the world; whoever shows it looks again at each.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// A world that is looked at for the first time.
fn begun(config: &Config, mut world: World) -> World {
    world.application.privileged_intents = config.privileged_intents;
    world.begin(clock::date());
    world
}
