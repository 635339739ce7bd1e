use std::{
    convert::Infallible,
    future::ready,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    vec,
};

use hyper_util::client::legacy::connect::dns::Name;
use tokio::{
    net::{TcpListener, TcpSocket},
    time::timeout,
};
use tower::service_fn;

use super::*;

/// Longer than anything here may take, and far shorter than it has until HELLO.
const PATIENCE: Duration = Duration::from_secs(5);
/// Nobody on loopback is as slow.
const NO_ANSWER: Duration = Duration::from_millis(500);

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const OTHER_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

#[tokio::test]
async fn an_address_that_answers_nothing_does_not_keep_from_the_one_behind_it() {
    for (silent, answers) in [(V6, V4), (V4, V6), (OTHER_V4, V4)] {
        let (hole, listener) = pair(silent, answers).await;
        let real = listener.local_addr().expect("bound");
        let address = at_port(real.port());
        let dialled = dial_with(connector_to([hole.address, real]), &address);
        let dialled = timeout(PATIENCE, dialled).await;
        let stream = dialled.expect("a connection in time").expect("one");
        assert_eq!(stream.peer_addr().expect("connected"), real);
        assert!(stream.nodelay().expect("a socket"));
        drop(hole);
    }
}

#[tokio::test]
async fn why_nobody_was_reached_is_told() {
    let (hole, listener) = pair(V6, V4).await;
    let real = listener.local_addr().expect("bound");
    let address = at_port(real.port());
    drop(listener);
    let why = dial_with(connector_to([real]), &address).await;
    let why = why.expect_err("nobody listens");
    assert!(why.starts_with("Connection refused"), "{why}");
    let why = dial_with(connector_to([hole.address]), &address).await;
    assert_eq!(why.expect_err("no answer"), "it did not answer in time");
    let unknown = |_: Name| {
        ready(Err::<vec::IntoIter<SocketAddr>, _>(io::Error::other(
            "no name",
        )))
    };
    let nobody = connector(service_fn(unknown), NO_ANSWER);
    let why = dial_with(nobody, &address).await;
    assert_eq!(why.expect_err("no such host"), "no name");
}

#[test]
fn the_port_is_the_addresss_or_its_schemes() {
    for (address, dialled) in [
        (
            "wss://gateway.discord.gg/",
            "http://gateway.discord.gg:443/",
        ),
        ("ws://127.0.0.1/gateway/", "http://127.0.0.1:80/"),
        ("wss://[::1]:4000/", "http://[::1]:4000/"),
    ] {
        let uri = tcp_uri(&address.parse().expect("an address"));
        assert_eq!(uri.expect("one").to_string(), dialled);
    }
}

/// The host's name, which has whatever addresses the test says.
fn at_port(port: u16) -> Url {
    format!("ws://host.test:{port}/").parse().expect("a URL")
}

fn connector_to<const N: usize>(
    addresses: [SocketAddr; N],
) -> impl Service<Uri, Response = TokioIo<TcpStream>, Error: Error + 'static> {
    let resolver = service_fn(move |_: Name| ready(Ok::<_, Infallible>(addresses.into_iter())));
    connector(resolver, 2 * NO_ANSWER)
}

/// An address whose queue of connections is full: what dials it waits.
struct Hole {
    address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

/// An address that answers nothing, and a listener at another one with the same port.
async fn pair(silent: IpAddr, answers: IpAddr) -> (Hole, TcpListener) {
    for _ in 0..100 {
        let listener = TcpListener::bind((answers, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        // Somebody else may have it at the other address.
        if let Some(hole) = hole((silent, port).into()).await {
            return (hole, listener);
        }
    }
    panic!("no port is free at both addresses")
}

async fn hole(address: SocketAddr) -> Option<Hole> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let socket = socket.expect("a socket");
    socket.bind(address).ok()?;
    let listener = socket.listen(1).expect("bound");
    let mut queue = Vec::new();
    while let Ok(connected) = timeout(NO_ANSWER, TcpStream::connect(address)).await {
        queue.push(connected.expect("a connection"));
        assert!(queue.len() < 100, "the queue has an end");
    }
    Some(Hole {
        address,
        _listener: listener,
        _queue: queue,
    })
}
