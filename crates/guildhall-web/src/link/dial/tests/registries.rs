use std::future::ready;

use guildhall_ports::PortFuture;

use super::*;

/// A registry that answers the same at all times, or never.
#[derive(Debug)]
enum FalseRegistry {
    Lists(Vec<LinkAddress>),
    Hangs,
}

impl GatewayRegistry for FalseRegistry {
    fn announce(&self, _gateway: LinkAddress) -> PortFuture<'_, Result<(), Unavailable>> {
        Box::pin(pending())
    }

    fn withdraw(&self, _gateway: LinkAddress) -> PortFuture<'_, Result<(), Unavailable>> {
        Box::pin(pending())
    }

    fn gateways(&self) -> PortFuture<'_, Result<Vec<LinkAddress>, Unavailable>> {
        match self {
            Self::Lists(listed) => Box::pin(ready(Ok(listed.clone()))),
            Self::Hangs => Box::pin(pending()),
        }
    }
}

fn link_of(listener: &TcpListener) -> LinkAddress {
    let address = listener.local_addr().expect("bound");
    LinkAddress::new(format!("ws://{address}/link"))
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_does_not_answer_is_named_as_unreachable_and_holds_up_no_stop() {
    let mut house = House::dial_by(Arc::new(FalseRegistry::Hangs), TOKEN);
    house.says("nobody said where the gateway is").await;
    let detail = house.link.check().detail;
    assert!(detail.contains("cannot be reached"), "{detail}");
    assert!(house.watch().await.is_err(), "who asks meanwhile is told");
    house.stop.cancel();
    let ended = timeout(PATIENCE, house.tasks.join_next()).await;
    let ended = ended.expect("in time").expect("a task");
    ended.expect("no panic");
}

#[tokio::test]
async fn a_dead_gateway_that_is_listed_first_does_not_hide_a_live_one() {
    let dead = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let live = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let listed = vec![link_of(&dead), link_of(&live)];
    drop(dead);
    let mut house = House::dial_by(Arc::new(FalseRegistry::Lists(listed)), TOKEN);
    house.listener = Some(live);
    let mut gateway = house.accept().await;
    gateway.greet(at(0));
    assert_eq!(gateway.next().await, joins(None));
    gateway.input(sender::Input::JoinedBases {
        bases: Vec::new(),
        backlog: Vec::new(),
        head: at(0),
    });
    gateway.run_until(house.reaches(at(0))).await;

    // One that was of use is the first to be dialled again.
    drop(gateway);
    let mut health = house.link.health.clone();
    let accepting = async { drop(house.accept().await) };
    let dead_one = health.wait_for(|health| matches!(health, LinkHealth::Unreachable(_)));
    select! {
        biased;
        () = accepting => {}
        _ = dead_one => panic!("the dead one was dialled before"),
    }
}

#[tokio::test]
async fn where_the_gateway_is_is_asked_before_each_dial() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let registry = Arc::new(SingleInstanceRegistry::default());
    let mut house = House::dial_by(Arc::clone(&registry) as _, TOKEN);
    house.listener = Some(listener);
    house.says("no gateway is announced").await;
    let unusable = LinkAddress::new("http://127.0.0.1:1");
    registry.announce(unusable).await.expect("kept");
    house.says("http://127.0.0.1:1: ").await;

    let right = LinkAddress::new(format!("ws://{address}/link"));
    registry.announce(right).await.expect("kept");
    let mut gateway = house.accept().await;
    gateway.greet(at(2));
    assert_eq!(gateway.next().await, joins(None));
}
