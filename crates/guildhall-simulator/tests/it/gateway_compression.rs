use flate2::{Decompress, FlushDecompress, Status};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use crate::house::{Failure, House, Outcome};

/// Larger than any payload here.
const ROOM: usize = 1 << 20;

fn inflated(stream: &mut Decompress, frame: &[u8]) -> Result<(Value, Status), Failure> {
    let mut out = Vec::with_capacity(ROOM);
    let status = stream.decompress_vec(frame, &mut out, FlushDecompress::Sync)?;
    Ok((serde_json::from_slice(&out)?, status))
}

fn unzstd(stream: &mut DCtx<'_>, frame: &[u8]) -> Result<Value, Failure> {
    let mut out = Vec::with_capacity(ROOM);
    let mut input = InBuffer::around(frame);
    while input.pos() < frame.len() {
        let written = out.len();
        stream
            .decompress_stream(&mut OutBuffer::around_pos(&mut out, written), &mut input)
            .map_err(zstd_safe::get_error_name)?;
    }
    Ok(serde_json::from_slice(&out)?)
}

/// Identifies over a URL and hands every payload up to the third GUILD_CREATE to
/// `read`, which decodes it; answers with the names in order.
async fn names(
    house: &House,
    query: &str,
    compress: bool,
    mut read: impl FnMut(Message) -> Result<Value, Failure>,
) -> Result<Vec<String>, Failure> {
    let (mut socket, _) = connect_async(format!("ws://{}/gateway/?{query}", house.address)).await?;
    let token = &house.application.bot_token;
    let identify = json!({"op": 2, "d": {
        "token": token, "intents": 129, "properties": {}, "compress": compress,
    }});
    socket.send(Message::text(identify.to_string())).await?;
    let mut names = Vec::new();
    while names.iter().filter(|name| *name == "GUILD_CREATE").count() < 3 {
        let message = socket.next().await.ok_or("closed early")??;
        let payload = read(message)?;
        names.push(match payload["t"].as_str() {
            Some(name) => name.to_owned(),
            None => format!("op {}", payload["op"]),
        });
    }
    Ok(names)
}

const START: [&str; 5] = [
    "op 10",
    "READY",
    "GUILD_CREATE",
    "GUILD_CREATE",
    "GUILD_CREATE",
];

#[tokio::test]
async fn zlib_stream_is_one_context_flushed_at_every_message() -> Outcome {
    let house = House::open().await?;
    let mut stream = Decompress::new(true);
    let heard = names(
        &house,
        "v=10&encoding=json&compress=zlib-stream",
        false,
        |message| {
            let frame = message.into_data();
            assert!(frame.ends_with(&[0, 0, 0xff, 0xff]));
            Ok(inflated(&mut stream, &frame)?.0)
        },
    )
    .await?;
    assert_eq!(heard, START);
    Ok(())
}

#[tokio::test]
async fn zstd_stream_is_one_context_too() -> Outcome {
    let house = House::open().await?;
    let mut stream = DCtx::create();
    let heard = names(
        &house,
        "v=10&encoding=json&compress=zstd-stream",
        false,
        |message| {
            assert!(message.is_binary());
            unzstd(&mut stream, &message.into_data())
        },
    )
    .await?;
    assert_eq!(heard, START);
    Ok(())
}

#[tokio::test]
async fn payload_compression_makes_whole_streams_of_some_messages() -> Outcome {
    let house = House::open().await?;
    let (mut plain, mut compressed) = (0, 0);
    let heard = names(
        &house,
        "v=10&encoding=json",
        true,
        |message| match message {
            Message::Text(text) => {
                plain += 1;
                Ok(serde_json::from_str(&text)?)
            }
            message => {
                compressed += 1;
                let (payload, status) = inflated(&mut Decompress::new(true), &message.into_data())?;
                assert_eq!(status, Status::StreamEnd);
                Ok(payload)
            }
        },
    )
    .await?;
    assert_eq!(heard, START);
    assert!(
        plain > 0 && compressed > 0,
        "{plain} plain, {compressed} compressed"
    );
    Ok(())
}

#[tokio::test]
async fn transport_compression_makes_the_flag_of_identify_moot() -> Outcome {
    let house = House::open().await?;
    let mut stream = Decompress::new(true);
    let heard = names(&house, "v=10&compress=zlib-stream", true, |message| {
        Ok(inflated(&mut stream, &message.into_data())?.0)
    })
    .await?;
    assert_eq!(heard, START);
    Ok(())
}

#[tokio::test]
async fn what_a_url_may_ask_for_is_what_discord_documents() -> Outcome {
    let house = House::open().await?;
    for (query, code) in [
        ("v=8", 4012),
        ("v=11", 4012),
        ("v=10&encoding=etf", 4002),
        ("v=10&compress=gzip", 4002),
    ] {
        let (mut socket, _) =
            connect_async(format!("ws://{}/gateway/?{query}", house.address)).await?;
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => {
                assert_eq!(u16::from(frame.code), code, "{query}");
            }
            other => return Err(format!("{query}: {other:?}").into()),
        }
    }
    let mut client = house.dial("/gateway/?v=9&encoding=json").await?;
    client.identify(129).await?;
    assert_eq!(client.dispatch("READY").await?["v"], 9);
    Ok(())
}

#[tokio::test]
async fn a_resumed_connection_begins_a_fresh_context() -> Outcome {
    let house = House::open().await?;
    let token = house.application.bot_token.clone();
    let mut session = None;
    for turn in 0..3 {
        let url = format!("ws://{}/gateway/?v=10&compress=zlib-stream", house.address);
        let (mut socket, _) = connect_async(url).await?;
        let mut stream = Decompress::new(true);
        let hello = socket.next().await.ok_or("closed")??.into_data();
        assert_eq!(inflated(&mut stream, &hello)?.0["op"], 10);
        let (start, wanted) = match &session {
            None => (
                json!({"op": 2, "d": {"token": token, "intents": 0, "properties": {}}}),
                "READY",
            ),
            Some(id) => (
                json!({"op": 6, "d": {"token": token, "session_id": id, "seq": turn}}),
                "RESUMED",
            ),
        };
        socket.send(Message::text(start.to_string())).await?;
        let frame = socket.next().await.ok_or("closed")??.into_data();
        let payload = inflated(&mut stream, &frame)?.0;
        assert_eq!(payload["t"], wanted, "turn {turn}");
        session.get_or_insert_with(|| payload["d"]["session_id"].clone());
    }
    Ok(())
}

#[tokio::test]
async fn compression_can_be_missing_and_zstd_can_need_a_large_window() -> Outcome {
    let house = House::open().await?;
    let fault = |body| house.act("POST", "/sim/faults", body);
    let query = "v=10&encoding=json&compress=zstd-stream";
    fault(json!({"kind": "no_compression"})).await?;
    let plain = names(&house, query, false, |message| match message {
        Message::Text(text) => Ok(serde_json::from_str(&text)?),
        other => Err(format!("no text: {other:?}").into()),
    });
    assert_eq!(plain.await?, START);

    let first = async |window: Option<u8>| {
        if let Some(log) = window {
            fault(json!({"kind": "zstd_window", "log": log})).await?;
        }
        let url = format!("ws://{}/gateway/?{query}", house.address);
        let (mut socket, _) = connect_async(url).await?;
        let frame = socket.next().await.ok_or("closed early")??.into_data();
        let mut careful = DCtx::create();
        careful
            .set_parameter(DParameter::WindowLogMax(23))
            .map_err(zstd_safe::get_error_name)?;
        Ok::<_, Failure>(unzstd(&mut careful, &frame).map_err(|error| error.to_string()))
    };
    let refused = first(Some(24)).await?.expect_err("2^24 bytes");
    assert!(refused.contains("too much memory"), "{refused}");
    assert_eq!(first(Some(23)).await??["op"], 10);
    assert_eq!(first(None).await??["op"], 10);
    let none = json!({"kind": "zstd_window", "log": 32});
    assert_eq!(house.try_act("POST", "/sim/faults", none).await?.0, 400);
    Ok(())
}
