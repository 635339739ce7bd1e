//! The web role on the simulated network: as it is, but for its sockets.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    sync::{Arc, LazyLock},
};

use futures_util::future::BoxFuture;
use guildhall_http::ByteStream;
use guildhall_ports::{Clock, LinkAddress, memory::SingleInstanceRegistry};
use rustls::ClientConfig;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    super::harness::config,
    net::{Host, Net},
};
use crate::{Config, Web, config::tests::ports, link::Connect, replica::Bounds};

/// As many instances as there are.
pub(super) const WEBS: u8 = 2;

/// Made once: it reads all root certificates.
static TLS: LazyLock<Arc<ClientConfig>> =
    LazyLock::new(|| guildhall_http::tls::client_config(None));

/// An instance, over all of its processes.
pub(super) struct WebRole {
    host: Host,
    bounds: Bounds,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

/// Dials from a host, always the gateway.
struct Dial {
    net: Net,
    from: Host,
}

impl WebRole {
    /// One that does not run yet.
    pub(super) fn new(host: Host, bounds: Bounds, clock: Arc<dyn Clock>) -> Self {
        Self {
            host,
            bounds,
            clock,
            stop: CancellationToken::new(),
        }
    }

    pub(super) fn start(&mut self, net: &Net) {
        let config = Config {
            log_window: NonZeroUsize::new(self.bounds.window).expect("some"),
            tls: Arc::clone(&TLS),
            ..config()
        };
        let mut ports = ports(Arc::clone(&self.clock));
        let gateway = LinkAddress::new("ws://gateway.test:8080/link");
        ports.gateways = Arc::new(SingleInstanceRegistry::at(gateway));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 3_000));
        let dial = Dial {
            net: net.clone(),
            from: self.host,
        };
        let listener = (address, net.listen(self.host));
        let web = Web::on(&config, &ports, listener, Arc::new(dial), self.bounds);
        let web = web.expect("good settings");
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        self.stop = stop.clone();
        let tasks = tracker.clone();
        tracker.spawn(async move {
            web.run(&tasks, stop)
                .await
                .expect("it ends when it is stopped");
        });
    }

    /// Asks the process to end. One whose host is gone is heard by nobody.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }
}

impl Connect for Dial {
    fn connect<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Box<dyn ByteStream>>> {
        assert_eq!((host, port), ("gateway.test", 8080));
        Box::pin(async move {
            let connection = self.net.connect(self.from, Host::Gateway).await?;
            Ok(Box::new(connection) as Box<dyn ByteStream>)
        })
    }
}
