//! A proxy that takes its time, with the request or with the answer.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Where it takes it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slowness {
    /// Nothing.
    None,
    /// The request is passed on so late.
    Late(Duration),
    /// What is behind the answer's head is passed on when all of it is there.
    Holds,
}

/// Listens as long as `running` is there.
pub(super) async fn listen(
    listen: u16,
    target: u16,
    slowness: Slowness,
    running: &mut JoinSet<()>,
) {
    let listener = TcpListener::bind(("127.0.0.1", listen)).await;
    let listener = listener.expect("the port is free");
    running.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (client, _) = listener.accept().await.expect("a connection");
            connections.spawn(async move {
                // Either end may close it.
                let _closed = pass_on(client, target, slowness).await;
            });
        }
    });
}

/// One request a connection: the answer is read to its end.
async fn pass_on(mut client: TcpStream, target: u16, slowness: Slowness) -> std::io::Result<()> {
    let mut web = TcpStream::connect(("127.0.0.1", target)).await?;
    let head = head_of(&mut client).await?;
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    if let Slowness::Late(late) = slowness {
        sleep_until(Instant::now() + late).await;
    }
    web.write_all(head.as_bytes()).await?;
    let answer = head_of(&mut web).await?;
    client.write_all(answer.as_bytes()).await?;
    if let Slowness::Holds = slowness {
        let mut rest = Vec::new();
        web.read_to_end(&mut rest).await?;
        client.write_all(&rest).await?;
    } else {
        tokio::io::copy(&mut web, &mut client).await?;
    }
    client.shutdown().await
}

/// Up to its blank line, and not a byte more.
async fn head_of(socket: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
