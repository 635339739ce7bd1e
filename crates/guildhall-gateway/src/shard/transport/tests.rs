use futures_util::SinkExt;
use tokio::{io::AsyncWriteExt, net::TcpListener, time::timeout};
use tokio_tungstenite::accept_async;

use super::*;
use crate::shard::tests::bomb;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_peer_that_does_not_read_is_heard_all_the_same_and_given_up_in_time() {
    let (mut transport, mut peer) = connected().await;
    assert_eq!(transport.write_deadline(), None);
    // Each round fills what the buffers of the system have still taken.
    for round in 0..1_000 {
        let now = Instant::now();
        let full = (0..1_000).find_map(|_| transport.send("x".repeat(4_096), now).err());
        assert!(full.is_some(), "it has a bound");
        peer.send(Message::text("still here"))
            .await
            .expect("we read");
        let arrival = timeout(PATIENCE, transport.next()).await;
        assert!(matches!(arrival, Ok(Arrival::Message)), "{arrival:?}");
        assert_eq!(transport.message(), "still here");
        if let Some(given_up) = transport.write_deadline() {
            assert!(given_up <= now + WRITE_TIME, "{round}");
            return;
        }
    }
    panic!("it takes all without reading");
}

#[tokio::test]
async fn what_came_before_the_connection_broke_is_read_although_nothing_can_be_sent() {
    let (mut transport, mut peer) = connected().await;
    peer.send(Message::text("the last")).await.expect("we read");
    let frame = CloseFrame {
        code: 4004.into(),
        reason: Utf8Bytes::default(),
    };
    peer.send(Message::Close(Some(frame)))
        .await
        .expect("we read");
    // A reset, so that the first write fails already.
    peer.get_ref().set_zero_linger().expect("a socket");
    drop(peer);
    assert_eq!(transport.send("x".to_owned(), Instant::now()), Ok(()));
    let arrival = timeout(PATIENCE, transport.next()).await;
    assert!(matches!(arrival, Ok(Arrival::Message)), "{arrival:?}");
    assert_eq!(transport.message(), "the last");
    let arrival = timeout(PATIENCE, transport.next()).await;
    let Ok(Arrival::Closed(Some(close))) = arrival else {
        panic!("{arrival:?}")
    };
    assert_eq!(close.code, 4004);
}

#[tokio::test]
async fn a_peer_that_is_given_up_is_told_why_with_a_code_that_keeps_the_session() {
    let mut window = bomb(1);
    window[5] = (27 - 10) << 3;
    let binary = |payload: Vec<u8>| Message::binary(payload);
    let pings = (0..101).map(|_| Message::Ping(Bytes::new())).collect();
    for (name, raw, messages, code) in [
        ("a reserved bit", &[0xf2, 0][..], vec![], 1002),
        (
            "a masked frame",
            &[0x81, 0x82, 1, 2, 3, 4, 0, 0],
            vec![],
            1002,
        ),
        ("no UTF-8", &[0x81, 1, 0xff], vec![], 1007),
        (
            "a frame of 2^40 bytes",
            &[0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0],
            vec![],
            1009,
        ),
        (
            "no zstd",
            &[],
            vec![binary(b"no zstd frame".to_vec())],
            1007,
        ),
        ("a bomb", &[], vec![binary(bomb(80))], 1009),
        ("a large window", &[], vec![binary(window)], 1009),
        ("pings without end", &[], pings, 1008),
    ] {
        let (mut transport, mut peer) = connected().await;
        peer.get_mut().write_all(raw).await.expect("we read");
        for message in messages {
            peer.send(message).await.expect("we read");
        }
        let arrival = timeout(PATIENCE, transport.next()).await;
        assert!(
            matches!(arrival, Ok(Arrival::Failed(_))),
            "{name}: {arrival:?}"
        );
        drop(transport);
        let told = async {
            loop {
                match peer.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return Some(u16::from(frame.code)),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        let told = timeout(PATIENCE, told).await.expect("an end in time");
        assert_eq!(told, Some(code), "{name}");
    }
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_given_up_without_waiting() {
    let (mut transport, mut peer) = connected().await;
    let now = Instant::now();
    let full = (0..1_000).find_map(|_| transport.send("x".repeat(4_096), now).err());
    assert!(full.is_some(), "it has a bound");
    peer.get_mut().write_all(&[0xf2, 0]).await.expect("we read");
    let arrival = timeout(PATIENCE, transport.next()).await;
    assert!(matches!(arrival, Ok(Arrival::Failed(_))), "{arrival:?}");
}

/// Both ends of a connection.
async fn connected() -> (Transport, WebSocketStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("ws://{}", listener.local_addr().expect("bound"));
    let address = dialable(&address, false).expect("an address");
    let tls = guildhall_http::tls::client_config(None);
    tokio::join!(
        async {
            let connected = connect(address, Compression::Zstd, tls, "THE_ROOTS").await;
            connected.expect("a connection")
        },
        async {
            let (stream, _) = listener.accept().await.expect("a connection");
            accept_async(stream).await.expect("a handshake")
        },
    )
}
