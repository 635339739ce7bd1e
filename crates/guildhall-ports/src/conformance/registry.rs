//! The suite of [`GatewayRegistry`].

use std::sync::Arc;

use crate::registry::{GatewayRegistry, LinkAddress};

/// How many gateways a registry has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewaysAtOnce {
    /// The one that was announced last.
    One,
    /// Any number.
    Many,
}

/// Every promise of [`GatewayRegistry`]. `fresh` opens one that knows nobody.
pub async fn gateway_registry<Registry: GatewayRegistry>(
    fresh: impl AsyncFn() -> Arc<Registry>,
    at_once: GatewaysAtOnce,
) {
    let registry = fresh().await;
    let [one, two] = ["ws://10.0.0.1:8080/link", "wss://b.example/link"].map(LinkAddress::new);
    assert_eq!(registry.gateways().await, Ok(vec![]));

    assert_eq!(registry.announce(one.clone()).await, Ok(()));
    assert_eq!(registry.announce(one.clone()).await, Ok(()));
    assert_eq!(registry.gateways().await, Ok(vec![one.clone()]));

    assert_eq!(
        registry.withdraw(two.clone()).await,
        Ok(()),
        "it was not listed"
    );
    assert_eq!(registry.announce(two.clone()).await, Ok(()));
    let mut listed = registry.gateways().await.expect("it answers");
    assert_eq!(
        registry.gateways().await.as_ref(),
        Ok(&listed),
        "in the same order"
    );
    listed.sort();
    let both = match at_once {
        GatewaysAtOnce::One => vec![two.clone()],
        GatewaysAtOnce::Many => vec![one.clone(), two.clone()],
    };
    assert_eq!(listed, both);

    assert_eq!(registry.withdraw(two.clone()).await, Ok(()));
    assert_eq!(registry.withdraw(two).await, Ok(()));
    assert_eq!(registry.withdraw(one).await, Ok(()));
    assert_eq!(registry.gateways().await, Ok(vec![]));
}
