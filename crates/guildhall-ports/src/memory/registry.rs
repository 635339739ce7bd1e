//! The registry of one gateway.

use std::future::ready;

use parking_lot::Mutex;

use crate::{
    future::{PortFuture, Unavailable},
    registry::{GatewayRegistry, LinkAddress},
};

/// The registry where there is one gateway: it knows the address that was announced last, in this
/// process alone.
#[derive(Debug, Default)]
pub struct SingleInstanceRegistry(Mutex<Option<LinkAddress>>);

impl SingleInstanceRegistry {
    /// A registry in which a gateway of another process is announced already.
    #[must_use]
    pub fn at(gateway: LinkAddress) -> Self {
        Self(Mutex::new(Some(gateway)))
    }
}

impl GatewayRegistry for SingleInstanceRegistry {
    fn announce(&self, gateway: LinkAddress) -> PortFuture<'_, Result<(), Unavailable>> {
        *self.0.lock() = Some(gateway);
        Box::pin(ready(Ok(())))
    }

    fn withdraw(&self, gateway: LinkAddress) -> PortFuture<'_, Result<(), Unavailable>> {
        self.0.lock().take_if(|listed| *listed == gateway);
        Box::pin(ready(Ok(())))
    }

    fn gateways(&self) -> PortFuture<'_, Result<Vec<LinkAddress>, Unavailable>> {
        Box::pin(ready(Ok(self.0.lock().iter().cloned().collect())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance::{self, GatewaysAtOnce};

    #[tokio::test]
    async fn it_keeps_the_promises_for_one_gateway() {
        let fresh = async || Arc::new(SingleInstanceRegistry::default());
        conformance::gateway_registry(fresh, GatewaysAtOnce::One).await;
    }

    #[tokio::test]
    async fn one_of_another_process_is_known_from_the_start() {
        let address = LinkAddress::new("ws://10.0.0.7:8080/link");
        let registry = SingleInstanceRegistry::at(address.clone());
        assert_eq!(registry.gateways().await, Ok(vec![address]));
    }
}
