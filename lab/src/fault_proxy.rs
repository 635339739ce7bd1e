//! A TCP proxy between two ends that it lets down: connections are cut, or get slow, silent, or deaf in
//! one direction.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What is wrong at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Everything goes through.
    None,
    /// So many bytes go through in a second, in each direction of each connection.
    Slow(u32),
    /// Connections are accepted, and nothing goes through; those that were open stay so, as after a
    /// pulled cable. What was sent arrives once it is over.
    Silent,
    /// Nothing goes through in this direction.
    Dead(Direction),
}

/// Of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// By whoever connected here.
    Up,
    /// By whom they are connected to.
    Down,
}

/// A proxy that runs until it is dropped, and takes its connections with it.
pub struct FaultProxy {
    at: SocketAddr,
    fault: watch::Sender<Fault>,
    cuts: watch::Sender<u64>,
    _tasks: JoinSet<()>,
}

/// Read at once. Little, so that what is slow is so from the first moment.
const PIECE: usize = 16 << 10;
/// How long a slow connection takes for a piece.
const SLOW_PIECE: Duration = Duration::from_millis(50);

impl FaultProxy {
    /// Listens on a free port, and passes everything on to `target`.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let at = listener.local_addr()?;
        let (fault, cuts) = (watch::Sender::new(Fault::None), watch::Sender::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(
            listener,
            target,
            fault.subscribe(),
            cuts.subscribe(),
        ));
        Ok(Self {
            at,
            fault,
            cuts,
            _tasks: tasks,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// What is wrong from now on.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Cuts all connections. Those that come next are passed on.
    pub fn cut(&self) {
        self.cuts.send_modify(|number| *number += 1);
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    fault: watch::Receiver<Fault>,
    cuts: watch::Receiver<u64>,
) {
    let mut connections = JoinSet::new();
    loop {
        select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    let mut cuts = cuts.clone();
                    cuts.mark_unchanged();
                    connections.spawn(pass(client, target, fault.clone(), cuts));
                }
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// One connection until either end closes or it is cut.
async fn pass(
    client: TcpStream,
    target: SocketAddr,
    fault: watch::Receiver<Fault>,
    mut cuts: watch::Receiver<u64>,
) {
    let passed = async {
        let server = TcpStream::connect(target).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = split(client);
        let (from_server, to_server) = split(server);
        // Where one end has closed the other is closed, too: both of ours close both ways at once.
        select! {
            ended = pump(from_client, to_server, Direction::Up, fault.clone()) => ended,
            ended = pump(from_server, to_client, Direction::Down, fault) => ended,
        }
    };
    select! {
        // Whoever has gone is told by the sockets.
        _ended = passed => {}
        _cut = cuts.changed() => {}
    }
}

async fn pump(
    mut from: ReadHalf<TcpStream>,
    mut to: WriteHalf<TcpStream>,
    direction: Direction,
    mut fault: watch::Receiver<Fault>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let most = match fault.wait_for(|fault| fault.lets_through(direction)).await {
            Ok(fault) => fault.most(),
            Err(_gone) => return Ok(()),
        };
        let length = select! {
            read = from.read(&mut piece[..most]) => read?,
            // Nothing was read; what is wrong now decides anew.
            _changed = fault.changed() => continue,
        };
        if length == 0 {
            return Ok(());
        }
        to.write_all(&piece[..length]).await?;
        if most < PIECE {
            sleep(SLOW_PIECE).await;
        }
    }
}

impl Fault {
    fn lets_through(self, direction: Direction) -> bool {
        match self {
            Self::None | Self::Slow(_) => true,
            Self::Silent => false,
            Self::Dead(dead) => dead != direction,
        }
    }

    /// Bytes to be read at once.
    fn most(self) -> usize {
        let Self::Slow(per_second) = self else {
            return PIECE;
        };
        let pieces = u32::try_from(1_000 / SLOW_PIECE.as_millis()).unwrap_or(1);
        usize::try_from(per_second / pieces).map_or(PIECE, |most| most.clamp(1, PIECE - 1))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    const AT_ONCE: Duration = Duration::from_millis(200);

    /// Two ends with a proxy between them: who connected, and who was connected to.
    async fn ends(listener: &TcpListener) -> io::Result<(FaultProxy, TcpStream, TcpStream)> {
        let proxy = FaultProxy::start(listener.local_addr()?).await?;
        let near = TcpStream::connect(proxy.at()).await?;
        let (far, _) = listener.accept().await?;
        Ok((proxy, near, far))
    }

    async fn listener() -> io::Result<TcpListener> {
        TcpListener::bind("127.0.0.1:0").await
    }

    async fn says(from: &mut TcpStream, to: &mut TcpStream, limit: Duration) -> io::Result<bool> {
        from.write_all(b"x").await?;
        let heard = timeout(limit, to.read_u8()).await;
        heard.map_or(Ok(false), |heard| heard.map(|_| true))
    }

    #[tokio::test]
    async fn a_dead_direction_is_silent_and_the_other_is_not() -> io::Result<()> {
        let listener = listener().await?;
        let (proxy, mut near, mut far) = ends(&listener).await?;
        assert!(says(&mut near, &mut far, SOON).await?);
        proxy.set(Fault::Dead(Direction::Up));
        assert!(!says(&mut near, &mut far, AT_ONCE).await?);
        assert!(says(&mut far, &mut near, SOON).await?);
        proxy.set(Fault::None);
        assert_eq!(timeout(SOON, far.read_u8()).await??, b'x', "it was held");
        Ok(())
    }

    #[tokio::test]
    async fn one_that_is_silent_accepts_and_says_nothing() -> io::Result<()> {
        let listener = listener().await?;
        let (proxy, mut near, mut far) = ends(&listener).await?;
        proxy.set(Fault::Silent);
        assert!(!says(&mut near, &mut far, AT_ONCE).await?);
        let mut newcomer = TcpStream::connect(proxy.at()).await?;
        newcomer.write_all(b"x").await?;
        assert!(timeout(AT_ONCE, newcomer.read_u8()).await.is_err());
        Ok(())
    }

    #[tokio::test]
    async fn a_cut_ends_what_is_open_and_what_comes_next_goes_through() -> io::Result<()> {
        let listener = listener().await?;
        let (proxy, mut near, mut far) = ends(&listener).await?;
        assert!(says(&mut far, &mut near, SOON).await?);
        proxy.cut();
        for end in [&mut near, &mut far] {
            let ended = timeout(SOON, end.read(&mut [0; 1])).await?;
            assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
        }
        let mut near = TcpStream::connect(proxy.at()).await?;
        let (mut far, _) = listener.accept().await?;
        assert!(says(&mut near, &mut far, SOON).await?);
        Ok(())
    }

    #[tokio::test]
    async fn what_is_slow_takes_its_time() -> io::Result<()> {
        let listener = listener().await?;
        let (proxy, mut near, mut far) = ends(&listener).await?;
        proxy.set(Fault::Slow(4_000));
        near.write_all(&[0; 2_000]).await?;
        let began = Instant::now();
        let mut heard = [0; 2_000];
        timeout(SOON, far.read_exact(&mut heard)).await??;
        assert!(began.elapsed() > Duration::from_millis(400));
        Ok(())
    }
}
