//! Our own accept loop. `axum::serve` sets no timer, which leaves hyper's limit on request heads
//! without effect, and it has no bound on connections.

use std::{io, net::IpAddr, time::Duration};

use axum::Router;
use metrics::{counter, gauge};
use tokio::time::{Instant, sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Accept, AcceptFailure, ClientAddress, Config, Occurrences, Persistence,
    connection::Accepted,
    connections::{AddressBound, ConnectionLimit, ConnectionPermit, Connections},
    keep_alive::KeepAlive,
    one_request,
};

/// After `accept` failed for want of descriptors or memory, before the next try. Long enough for
/// what was told to close to have closed.
const ACCEPT_REST: Duration = Duration::from_millis(20);

/// Serves a router on a listener until `stop`; then accepts nothing more and returns, while
/// the connections, which `tracker` has, finish their answers.
pub async fn serve(
    listener: impl Accept,
    router: Router,
    config: Config,
    tracker: &TaskTracker,
    stop: CancellationToken,
) {
    let admission = ConnectionAdmission::new(config);
    loop {
        let accepted = async {
            admission.connections.closing_done().await;
            let (socket, peer) = listener.accept().await?;
            io::Result::Ok((socket, peer, admission.admit(peer.ip()).await))
        };
        match stop.run_until_cancelled(accepted).await {
            None => return,
            Some(Ok((socket, peer, Ok(permit)))) => {
                let accepted = Accepted {
                    socket,
                    peer,
                    permit,
                    head_limit: admission.config.head_limit,
                    shutdown_grace: admission.config.shutdown_grace,
                    stop: stop.clone(),
                };
                match &admission.kind {
                    ConnectionKind::KeepAlive(kept) => {
                        tracker.spawn(kept.serve_connection(accepted, router.clone()))
                    }
                    ConnectionKind::OneRequest => {
                        let listener = admission.config.listener;
                        tracker.spawn(one_request::serve_connection(
                            accepted,
                            router.clone(),
                            listener,
                        ))
                    }
                };
            }
            Some(Ok((socket, _, Err(full)))) => {
                if let ConnectionKind::KeepAlive(kept) = &admission.kind
                    && let Some(refusal) = kept.refuse(socket, full)
                {
                    tracker.spawn(refusal);
                }
            }
            Some(Err(error)) if concerns_one_connection(&error) => {}
            Some(Err(error)) => {
                admission.failed(&error);
                sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// Who is let in.
struct ConnectionAdmission {
    config: Config,
    connections: Connections,
    kind: ConnectionKind,
    failures: Occurrences,
}

enum ConnectionKind {
    KeepAlive(KeepAlive),
    OneRequest,
}

impl ConnectionAdmission {
    fn new(config: Config) -> Self {
        let listener = config.listener;
        #[expect(clippy::cast_precision_loss, reason = "a number of connections")]
        gauge!("guildhall_connections_max", "listener" => listener).set(config.connections as f64);
        let failures = counter!("guildhall_accept_failures_total", "listener" => listener);
        Self {
            connections: Connections::new(
                listener,
                config.connections,
                config.connections_per_address,
            ),
            kind: match &config.persistence {
                Persistence::KeepAlive {
                    trusted_proxies,
                    trusted_proxies_setting,
                } => ConnectionKind::KeepAlive(KeepAlive::new(
                    &config,
                    trusted_proxies.clone(),
                    *trusted_proxies_setting,
                )),
                Persistence::OneRequest => ConnectionKind::OneRequest,
            },
            failures: Occurrences::new(failures),
            config,
        }
    }

    async fn admit(&self, peer: IpAddr) -> Result<ConnectionPermit, ConnectionLimit> {
        let peer = peer.to_canonical();
        if let ConnectionKind::KeepAlive(kept) = &self.kind {
            let exempt = peer.is_loopback() || kept.is_trusted(peer);
            let address = ClientAddress::of(peer).0;
            return self
                .connections
                .admit(address, AddressBound::unless(exempt));
        }
        let bound = AddressBound::unless(peer.is_loopback());
        loop {
            match self.connections.admit(peer, bound) {
                Ok(permit) => return Ok(permit),
                // All of them have just come, or are being answered: neither lasts.
                Err(_) => self.connections.changed().await,
            }
        }
    }

    fn failed(&self, error: &io::Error) {
        let closing = self.connections.close_idle();
        if let Some(times) = self.failures.happened(Instant::now()) {
            (self.config.log_accept_failure)(&AcceptFailure {
                listener: self.config.listener,
                times,
                error,
                closing,
            });
        }
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests;
