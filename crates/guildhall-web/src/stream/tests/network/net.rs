//! A network in memory: connections between named hosts, each direction of which is slow, dead or
//! alive, and that end in an orderly way, with a reset, or without anybody being told.
//!
//! Time is tokio's. A direction that is dead keeps what is sent until it is alive again, as TCP does
//! by sending it again; so nothing is lost within a connection, and whoever gives up first decides.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use guildhall_http::Accept;
use parking_lot::{Mutex, MutexGuard};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};

use super::{
    pass,
    pipe::{Pipe, SimulatedConnection, pipes},
};

/// Who is on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Host {
    Gateway,
    Web(u8),
    Browser(u8),
}

/// How one host reaches another at the moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) alive: bool,
    pub(super) delay: Duration,
    pub(super) bytes_per_second: u32,
}

impl Way {
    pub(super) const GOOD: Self = Self {
        alive: true,
        delay: Duration::from_millis(2),
        bytes_per_second: 10_000_000,
    };
}

/// Of connections that wait to be accepted.
const BACKLOG: usize = 64;

/// The network. Cheap to clone.
#[derive(Clone)]
pub(super) struct Net {
    state: Arc<Mutex<State>>,
    /// Rises when a way changes.
    changes: watch::Sender<u64>,
}

struct State {
    rng: StdRng,
    ways: BTreeMap<(Host, Host), Way>,
    listeners: BTreeMap<Host, mpsc::Sender<(SimulatedConnection, SocketAddr)>>,
    open: Vec<Open>,
}

/// One connection that may still be there.
struct Open {
    /// Who opened it, and to whom.
    ends: (Host, Host),
    /// What the opener says, and what it is answered.
    pipes: [Arc<Mutex<Pipe>>; 2],
}

impl Net {
    pub(super) fn new(seed: u64) -> Self {
        let state = State {
            rng: StdRng::seed_from_u64(seed),
            ways: BTreeMap::new(),
            listeners: BTreeMap::new(),
            open: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            changes: watch::Sender::new(0),
        }
    }

    /// Listens at a host, instead of whoever did before.
    pub(super) fn listen(&self, host: Host) -> SimulatedListener {
        let (sender, inbox) = mpsc::channel(BACKLOG);
        self.lock().listeners.insert(host, sender);
        SimulatedListener(AsyncMutex::new(inbox))
    }

    /// Waits until both ways are alive, and refuses where nobody listens.
    pub(super) async fn connect(&self, from: Host, to: Host) -> io::Result<SimulatedConnection> {
        let mut changes = self.changes.subscribe();
        loop {
            let (there, back) = (self.way(from, to), self.way(to, from));
            if there.alive && back.alive {
                pass(there.delay + back.delay).await;
                break;
            }
            // Whoever changes it lives as long as this.
            let _changed = changes.changed().await;
        }
        let mut state = self.lock();
        let seeds = [state.rng.random(), state.rng.random()];
        let ways = [state.way(from, to), state.way(to, from)];
        let listener = state.listeners.get(&to);
        let listener = listener.ok_or(io::ErrorKind::ConnectionRefused)?;
        let ([near, far], pipes) = pipes(ways, seeds);
        // The port tells connections apart; nothing else is read of it.
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let refused = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
        listener.try_send((far, peer)).map_err(refused)?;
        let ends = (from, to);
        state.open.push(Open { ends, pipes });
        Ok(near)
    }

    /// From now on one host reaches another so.
    pub(super) fn set(&self, from: Host, to: Host, way: Way) {
        let mut state = self.lock();
        state.ways.insert((from, to), way);
        for open in &state.open {
            for (pipe, ends) in open.directed() {
                if ends == (from, to) {
                    pipe.lock().go(way);
                }
            }
        }
        drop(state);
        self.changes.send_modify(|number| *number += 1);
    }

    /// Every way is good again.
    pub(super) fn heal(&self) {
        let ways: Vec<_> = self.lock().ways.keys().copied().collect();
        for (from, to) in ways {
            self.set(from, to, Way::GOOD);
        }
    }

    /// Something on the way resets all connections between two hosts.
    pub(super) fn cut(&self, one: Host, other: Host) {
        self.each_between(one, other, |pipe| pipe.lock().reset());
    }

    /// Something on the way forgets all connections between two hosts: neither end is told, and
    /// nothing comes through any more.
    pub(super) fn forget(&self, one: Host, other: Host) {
        self.each_between(one, other, |pipe| pipe.lock().forget());
    }

    /// The process is gone, and the machine says so: the others are reset.
    pub(super) fn kill(&self, host: Host) {
        self.crash(host, Pipe::reset);
    }

    /// The machine is gone: nobody is told.
    pub(super) fn unplug(&self, host: Host) {
        self.crash(host, Pipe::forget);
    }

    fn crash(&self, host: Host, others: fn(&mut Pipe)) {
        let mut state = self.lock();
        state.listeners.remove(&host);
        for open in state.open.extract_if(.., |open| open.has(host)) {
            for (pipe, (from, _)) in open.directed() {
                let mut pipe = pipe.lock();
                others(&mut pipe);
                // What it still writes or reads is nobody's.
                pipe.abandon(from == host);
            }
        }
    }

    fn each_between(&self, one: Host, other: Host, change: impl Fn(&Mutex<Pipe>)) {
        let mut state = self.lock();
        let between = |open: &mut Open| open.has(one) && open.has(other);
        for open in state.open.extract_if(.., between) {
            open.pipes.iter().for_each(|pipe| change(pipe));
        }
    }

    fn way(&self, from: Host, to: Host) -> Way {
        self.lock().way(from, to)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    fn way(&self, from: Host, to: Host) -> Way {
        self.ways.get(&(from, to)).copied().unwrap_or(Way::GOOD)
    }
}

impl Open {
    fn has(&self, host: Host) -> bool {
        self.ends.0 == host || self.ends.1 == host
    }

    /// Each direction, and from where to where it goes.
    fn directed(&self) -> [(&Mutex<Pipe>, (Host, Host)); 2] {
        let (opener, listener) = self.ends;
        let [there, back] = &self.pipes;
        [(there, (opener, listener)), (back, (listener, opener))]
    }
}

/// Where connections to a host come in.
pub(super) struct SimulatedListener(AsyncMutex<mpsc::Receiver<(SimulatedConnection, SocketAddr)>>);

impl Accept for SimulatedListener {
    type Connection = SimulatedConnection;

    async fn accept(&self) -> io::Result<(SimulatedConnection, SocketAddr)> {
        let came = self.0.lock().await.recv().await;
        match came {
            Some(came) => Ok(came),
            // The host is gone, and this is what is left of it.
            None => std::future::pending().await,
        }
    }
}
