use std::fs;

use flate2::{Compress, Compression, FlushCompress};
use tokio::io::AsyncWriteExt;

use super::*;

const HELLO: &str = r#"{"op":10,"d":{"heartbeat_interval":41250}}"#;

#[tokio::test]
async fn a_hello_with_an_odd_interval_is_redialled_at_first_and_later() {
    for odd in ["0", "1", "9e18", "\"text\"", "null", "-1", "4e1000"] {
        let discord = Discord::new().await;
        let mut harness = Harness::new(&discord, |_| {});
        let hello = format!(r#"{{"op":10,"d":{{"heartbeat_interval":{odd}}}}}"#);
        let mut peer = discord.accept().await;
        peer.send_text(&hello).await;
        assert_eq!(peer.close_code().await, Some(4000), "{odd}");
        let lost = harness.lost().await;
        assert!(lost.why.contains("heartbeat interval"), "{}", lost.why);

        let mut peer = discord.accept().await;
        assert_eq!(peer.hello().await["op"], 2, "{odd}");
        peer.ready(&discord.resume_url).await;
        harness.dispatches(1).await;
        peer.send_text(&hello).await;
        assert_eq!(peer.close_code().await, Some(4000), "{odd}");
        assert!(harness.lost().await.resumable, "{odd}");

        let mut peer = discord.accept_resume().await;
        assert_eq!(peer.hello().await["op"], 6, "{odd}");
        assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
    }
}

#[tokio::test]
async fn without_a_resume_address_the_session_is_resumed_at_the_base_address() {
    for url in [json!({}), json!({"resume_gateway_url": null})] {
        let discord = Discord::new().await;
        let mut harness = Harness::new(&discord, |_| {});
        let mut peer = discord.accept().await;
        peer.hello().await;
        let mut ready = json!({"v": 10, "guilds": [], "session_id": "a-session"});
        for (name, value) in url.as_object().expect("an object") {
            ready[name] = value.clone();
        }
        peer.dispatch(1, "READY", &ready).await;
        harness.dispatches(1).await;
        drop(peer);
        let mut peer = discord.accept().await;
        assert_eq!(peer.hello().await["op"], 6);
        assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
    }
}

#[tokio::test]
async fn op_9_instead_of_hello_is_no_riddle() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.send(&json!({"op": 9, "d": false})).await;
    assert_eq!(peer.close_code().await, Some(1000));
    let lost = harness.lost().await;
    assert!(lost.why.contains("does not know"), "{}", lost.why);
    let mut peer = discord.accept().await;
    assert_eq!(peer.hello().await["op"], 2);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn whatever_it_compresses_with_it_is_understood() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    assert_eq!(peer.query, "v=10&encoding=json&compress=zstd-stream");
    peer.send_binary(HELLO.as_bytes().to_vec()).await;
    assert_eq!(peer.asked().await["op"], 2);
    peer.ready(&discord.resume_url).await;
    let typing = json!({"op": 0, "t": "TYPING_START", "s": 2, "d": {}});
    peer.send_binary(typing.to_string().into_bytes()).await;
    assert_eq!(harness.dispatches(2).await, ["READY", "TYPING_START"]);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn entries_in_other_dialects_are_handed_on() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    let guilds = json!([null, 7, {"id": 1}, {"id": "2", "unavailable": "yes"}, []]);
    let ready = json!({
        "v": "10", "guilds": guilds, "session_id": "a-session", "shard": null,
        "resume_gateway_url": 7,
    });
    peer.dispatch(1, "READY", &ready).await;
    for (sequence, data) in (2..).zip([json!(null), json!([]), json!({"id": 1, "roles": {}})]) {
        peer.dispatch(sequence, "GUILD_CREATE", &data).await;
    }
    let names = harness.dispatches(4).await;
    assert_eq!(
        names,
        ["READY", "GUILD_CREATE", "GUILD_CREATE", "GUILD_CREATE"]
    );
    drop(peer);
    let mut peer = discord.accept().await;
    let resume = peer.hello().await;
    assert_eq!((&resume["op"], &resume["d"]["seq"]), (&json!(6), &json!(4)));
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn a_window_that_is_too_large_is_answered_by_zlib_from_then_on() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    let mut frame = bomb(1);
    frame[5] = (27 - 10) << 3;
    peer.send_binary(frame).await;
    let lost = harness.lost().await;
    assert!(lost.resumable && lost.why.contains("8 MiB"), "{lost:?}");
    for sequence in 2..4 {
        let mut peer = discord.accept_resume().await;
        assert!(
            peer.query.ends_with("compress=zlib-stream"),
            "{}",
            peer.query
        );
        let mut zlib = Zlib::new();
        let resumed = json!({"op": 0, "t": "RESUMED", "s": sequence, "d": {}});
        for message in [HELLO, &resumed.to_string()] {
            peer.send_binary(zlib.frame(message)).await;
        }
        assert_eq!(peer.asked().await["op"], 6);
        assert_eq!(harness.dispatches(1).await, ["RESUMED"]);
    }
    let mut peer = discord.accept_resume().await;
    peer.hello().await;
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn who_compresses_otherwise_than_asked_is_asked_for_the_other_next() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    for (asked, first) in [
        ("zstd-stream", Zlib::new().frame(HELLO)),
        ("zlib-stream", b"no zlib stream".to_vec()),
        ("zstd-stream", b"no zstd frame".to_vec()),
    ] {
        let mut peer = discord.accept().await;
        assert!(peer.query.ends_with(asked), "{}", peer.query);
        peer.send_binary(first).await;
        let lost = harness.lost().await;
        assert!(lost.why.contains("as was asked for"), "{}", lost.why);
    }
    let mut peer = discord.accept().await;
    assert!(peer.query.ends_with("zlib-stream"), "{}", peer.query);
    let mut zlib = Zlib::new();
    peer.send_binary(zlib.frame(HELLO)).await;
    assert_eq!(peer.asked().await["op"], 2);
    let ready = json!({
        "v": 10, "guilds": [], "session_id": "a-session",
        "resume_gateway_url": discord.resume_url,
    });
    let ready = json!({"op": 0, "t": "READY", "s": 1, "d": ready});
    peer.send_binary(zlib.frame(&ready.to_string())).await;
    assert_eq!(harness.dispatches(1).await, ["READY"]);
    // What breaks later was compressed as asked.
    peer.send_binary(b"no zlib stream".to_vec()).await;
    harness.lost().await;
    let mut peer = discord.accept_resume().await;
    assert!(peer.query.ends_with("zlib-stream"), "{}", peer.query);
    peer.hello().await;
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_connection_and_not_the_session() {
    // A WebSocket frame that announces 2^40 bytes, and one with a reserved bit.
    let endless = [0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0];
    for fault in 0..4 {
        let discord = Discord::new().await;
        let mut harness = Harness::new(&discord, |_| {});
        let mut peer = discord.accept().await;
        peer.hello().await;
        peer.ready(&discord.resume_url).await;
        match fault {
            0 => peer.send_binary(b"no zstd frame".to_vec()).await,
            1 => peer.send_raw(&endless).await,
            2 => peer.send_raw(&[0xf2, 0]).await,
            _ => peer.ping(20_000).await,
        }
        let lost = harness.lost().await;
        assert!(lost.resumable, "{fault}: {lost:?}");
        assert!(lost.why.contains("gone on with"), "{fault}: {}", lost.why);
        let mut peer = discord.accept_resume().await;
        assert_eq!(peer.hello().await["op"], 6, "{fault}");
        peer.dispatch(2, "RESUMED", &json!({})).await;
        assert_eq!(harness.dispatches(1).await, ["RESUMED"], "a fresh context");
        assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
    }
}

#[tokio::test]
async fn a_bomb_ends_the_connection_and_costs_no_memory() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    let bomb = bomb(2_000);
    let before = peak_memory();
    println!(
        "a bomb of {} bytes; before it {before} MiB at most",
        bomb.len()
    );
    peer.send_binary(bomb).await;
    let lost = harness.lost().await;
    assert!(
        lost.resumable && lost.why.contains("longer than"),
        "{lost:?}"
    );
    let after = peak_memory();
    println!("after it {after} MiB at most");
    assert!(after < 300, "{after} MiB");
    let mut peer = discord.accept_resume().await;
    assert_eq!(peer.hello().await["op"], 6);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

/// The most memory that this process ever had, in MiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kibibytes
        .expect("a figure")
        .parse::<u64>()
        .expect("a number")
        / 1_024
}

#[tokio::test]
async fn a_close_without_a_code_is_a_broken_connection() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    peer.close_silently().await;
    let lost = harness.lost().await;
    assert!(lost.resumable && lost.why.contains("broke off"), "{lost:?}");
    let mut peer = discord.accept_resume().await;
    assert_eq!(peer.hello().await["op"], 6);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn what_is_no_gateway_is_named_by_what_it_answers() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut stream = discord.accept_raw().await;
    let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    stream
        .write_all(answer)
        .await
        .expect("the other side reads");
    let lost = harness.lost().await;
    assert!(lost.why.contains("503"), "{}", lost.why);
    let mut peer = discord.accept().await;
    assert_eq!(peer.hello().await["op"], 2);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn a_plain_port_behind_an_address_with_tls_is_named_too() {
    let discord = Discord::new().await;
    let url = discord.base_url("wss");
    let mut harness = Harness::new(&discord, |shard| shard.gateway_url = Some(url));
    let mut stream = discord.accept_raw().await;
    let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    stream
        .write_all(answer)
        .await
        .expect("the other side reads");
    let lost = harness.lost().await;
    assert!(lost.why.contains("does not speak TLS"), "{}", lost.why);
    harness.stop.cancel();
    assert_eq!(harness.exit().await, ShardExit::Stopped);
}

/// Discord's end of zlib-stream.
struct Zlib(Compress);

impl Zlib {
    fn new() -> Self {
        Self(Compress::new(Compression::fast(), true))
    }

    fn frame(&mut self, message: &str) -> Vec<u8> {
        let mut frame = Vec::with_capacity(1_024);
        let context = &mut self.0;
        let sent = context.compress_vec(message.as_bytes(), &mut frame, FlushCompress::Sync);
        sent.expect("room for it");
        frame
    }
}
