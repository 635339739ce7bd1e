//! How many dispatches per second one shard gets, uncompressed:
//! `cargo run --release -p guildhall-simulator --example throughput [per second] [seconds]`.
//!
//! The simulator runs on one thread of its own, so what it sustains it sustains on
//! one core; the client, on another, only counts frames and looks at their numbers.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use guildhall_simulator::{Application, Config};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Builder,
    sync::oneshot,
    time::Instant,
};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[expect(clippy::print_stdout, reason = "the figure is what it is for")]
fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let rate: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;

    let stop = CancellationToken::new();
    let (tell, told) = oneshot::channel();
    let stopped = stop.clone();
    let simulator = std::thread::spawn(move || -> Result<(), Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move {
            let config = Config {
                listen: ([127, 0, 0, 1], 0).into(),
                ..Config::default()
            };
            let simulator = config.build().await?;
            let here = (simulator.local_addr().to_string(), simulator.application());
            let tracker = TaskTracker::new();
            if tell.send(here).is_ok() {
                simulator.run(&tracker, stopped).await?;
            }
            tracker.close();
            tracker.wait().await;
            Ok(())
        })
    });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let counted = runtime.block_on(async {
        let (address, application) = told.await?;
        count(&address, &application, rate, seconds).await
    });
    stop.cancel();
    simulator.join().map_err(|_| "the simulator panicked")??;
    let (events, took) = counted?;
    let millis = u64::try_from(took.as_millis())?.max(1);
    let reached = events * 1000 / millis;
    println!("{events} dispatches in {millis} ms: {reached} dispatches/s");
    Ok(())
}

/// Identifies, asks for a load, and counts until its last dispatch.
async fn count(
    address: &str,
    application: &Application,
    rate: u64,
    seconds: u64,
) -> Result<(u64, Duration), Failure> {
    let (mut socket, _) = connect_async(format!("ws://{address}/gateway/?v=10")).await?;
    let identify = json!({"op": 2, "d": {
        "token": application.bot_token, "intents": 129, "properties": {},
    }});
    socket.send(Message::text(identify.to_string())).await?;
    let mut guilds = 0;
    while guilds < 3 {
        let message = socket.next().await.ok_or("closed")??;
        guilds += u32::from(message.to_text()?.starts_with("{\"t\":\"GUILD_CREATE\""));
    }
    start_load(address, rate, seconds).await?;
    let (events, began) = (rate * seconds, Instant::now());
    let mut counted = 0;
    while counted < events {
        let message = socket.next().await.ok_or("closed")??;
        if message
            .to_text()?
            .starts_with("{\"t\":\"VOICE_STATE_UPDATE\"")
        {
            counted += 1;
        }
    }
    Ok((counted, began.elapsed()))
}

async fn start_load(address: &str, rate: u64, seconds: u64) -> Result<(), Failure> {
    let body = json!({"eventsPerSecond": rate, "seconds": seconds}).to_string();
    let request = format!(
        "POST /sim/load HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    if &head != b"HTTP/1.1 202" {
        return Err(String::from_utf8_lossy(&head).into());
    }
    Ok(())
}
