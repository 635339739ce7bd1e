/// A false Discord, as small as this crate's tests need it.
pub(crate) mod discord;
/// The shard under test.
mod harness;
/// Servers that do not keep to Discord's documentation, or to any.
mod odd_servers;

use serde_json::json;

use super::*;
use discord::Discord;
pub(super) use harness::shard_of;
use harness::{Harness, session_of};

#[tokio::test]
async fn identify_asks_for_guilds_and_voice_states_and_what_the_settings_name() {
    for (members, bits) in [(false, 129), (true, 131)] {
        let discord = Discord::new().await;
        let intents = Intents {
            members,
            ..Intents::default()
        };
        let mut harness = Harness::new(&discord, |shard| shard.intents = intents);
        let mut peer = discord.accept().await;
        let identify = peer.hello().await;
        assert_eq!(identify["op"], 2);
        assert_eq!(identify["d"]["intents"], bits);
        assert_eq!(identify["d"]["token"], "a-token");
        assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
    }
}

#[tokio::test]
async fn a_dropped_connection_is_resumed_after_the_last_dispatch_at_the_resume_address() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    peer.dispatch(2, "TYPING_START", &json!({"guild_id": "1"}))
        .await;
    assert_eq!(harness.dispatches(2).await, ["READY", "TYPING_START"]);
    drop(peer);
    let lost = harness.lost().await;
    assert!(lost.resumable && lost.tries == 1, "{lost:?}");

    let mut peer = discord.accept_resume().await;
    let resume = peer.hello().await;
    let expected = json!({"token": "a-token", "session_id": "a-session", "seq": 2});
    assert_eq!((&resume["op"], &resume["d"]), (&json!(6), &expected));
    peer.dispatch(3, "RESUMED", &json!({})).await;
    assert_eq!(harness.dispatches(1).await, ["RESUMED"]);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
    assert_eq!(discord.budget_questions(), 1, "a RESUME costs nothing");
}

#[tokio::test]
async fn discords_wish_to_reconnect_is_a_resume_too() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    peer.send(&json!({"op": 7, "d": null, "s": null, "t": null}))
        .await;
    assert_eq!(peer.close_code().await, Some(4000));
    let mut peer = discord.accept_resume().await;
    assert_eq!(peer.hello().await["op"], 6);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn a_session_that_discord_forgot_is_replaced_by_a_fresh_one_at_the_base_address() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    drop(peer);
    let mut peer = discord.accept_resume().await;
    assert_eq!(peer.hello().await["op"], 6);
    peer.send(&json!({"op": 9, "d": false, "s": null, "t": null}))
        .await;
    drop(peer);
    let mut peer = discord.accept().await;
    assert_eq!(peer.hello().await["op"], 2);
    assert_eq!(discord.budget_questions(), 2, "asked before each IDENTIFY");
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn discord_is_back_with_its_first_word_and_not_when_the_backoff_says_so() {
    let discord = Discord::new().await;
    let longest = Duration::from_hours(1);
    let mut harness = Harness::new(&discord, |shard| shard.limits.reconnect_longest = longest);
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready("ws://127.0.0.1:1").await;
    drop(peer);
    let mut peer = discord.accept().await;
    assert_eq!(peer.hello().await["op"], 6);
    peer.send(&json!({"op": 9, "d": false, "s": null, "t": null}))
        .await;
    drop(peer);
    let mut peer = discord.accept().await;
    assert_eq!(peer.hello().await["op"], 2);
    for tries in 1..=4 {
        let lost = harness.lost().await;
        assert_eq!(lost.tries, tries, "not reached: {}", lost.why);
    }
    let lost = harness.lost().await;
    assert_eq!((lost.tries, lost.resumable), (2, false), "{}", lost.why);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn what_discord_says_when_it_closes_is_shown_with_a_hint() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    peer.close_saying(4002, "Error while decoding\npayload.")
        .await;
    let lost = harness.lost().await;
    for text in ["4002: Error while decoding\\npayload.", "4,096 bytes"] {
        assert!(lost.why.contains(text), "{}", lost.why);
    }
    let mut peer = discord.accept_resume().await;
    assert_eq!(peer.hello().await["op"], 6);
    peer.close_saying(4014, "Disallowed intent(s).").await;
    let ShardExit::Misconfigured(sentence) = harness.exit().await else {
        panic!("retried for ever")
    };
    for text in ["Server Members Intent", "4014: Disallowed intent(s)."] {
        assert!(sentence.contains(text), "{sentence}");
    }
}

#[tokio::test]
async fn a_resume_address_that_is_dead_three_times_is_left_for_the_base_with_the_session() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready("ws://127.0.0.1:1").await;
    drop(peer);
    let mut peer = discord.accept().await;
    let resume = peer.hello().await;
    assert_eq!(
        (&resume["op"], &resume["d"]["session_id"]),
        (&json!(6), &json!("a-session"))
    );
    assert_eq!(harness.lost().await.tries, 1, "the cut");
    for tries in 2..=4 {
        let lost = harness.lost().await;
        assert_eq!(lost.tries, tries);
        assert!(lost.why.contains("THE_GATEWAY"), "{}", lost.why);
    }
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn a_resume_address_that_is_nonsense_harms_nobody() {
    for nonsense in [
        "",
        "resume",
        "https://x.example",
        "ws://h h/",
        "ws://x/?a=b",
    ] {
        let discord = Discord::new().await;
        let mut harness = Harness::new(&discord, |_| {});
        let mut peer = discord.accept().await;
        peer.hello().await;
        peer.ready(nonsense).await;
        drop(peer);
        let mut peer = discord.accept().await;
        assert_eq!(peer.hello().await["op"], 6, "{nonsense}");
        assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
    }
}

#[tokio::test]
async fn a_refused_token_is_a_sentence_that_names_the_setting() {
    let discord = Discord::new().await;
    discord.refuse_token();
    let mut harness = Harness::new(&discord, |_| {});
    let ShardExit::Misconfigured(sentence) = harness.exit().await else {
        panic!("tried on")
    };
    assert!(sentence.starts_with("THE_TOKEN"), "{sentence}");
}

#[tokio::test]
async fn close_codes_that_no_retry_cures_end_the_shard_with_a_sentence() {
    for (code, setting) in [(4004, "THE_TOKEN"), (4014, "Server Members Intent")] {
        let discord = Discord::new().await;
        let mut harness = Harness::new(&discord, |_| {});
        let mut peer = discord.accept().await;
        peer.hello().await;
        peer.close(code).await;
        let ShardExit::Misconfigured(sentence) = harness.exit().await else {
            panic!("tried on after {code}")
        };
        assert!(sentence.contains(setting), "{sentence}");
    }
}

#[tokio::test]
async fn with_few_sessions_left_none_is_begun_and_the_reason_said() {
    let discord = Discord::new().await;
    discord.set_remaining(49);
    let mut harness = Harness::new(&discord, |_| {});
    let lost = harness.lost().await;
    assert!(lost.why.contains("49"), "{}", lost.why);
    assert!(
        !lost.why.contains("THE_URL"),
        "no address is to blame: {}",
        lost.why
    );
    assert!(!discord.is_dialled().await);
    harness.stop.cancel();
    assert_eq!(harness.exit().await, ShardExit::Stopped);
}

#[tokio::test]
async fn a_full_inbox_closes_resumably_and_what_was_not_taken_comes_again() {
    let discord = Discord::new().await;
    let mut harness = Harness::with_inbox(&discord, 4, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    for sequence in 2..=10 {
        peer.dispatch(sequence, "TYPING_START", &json!({"n": sequence}))
            .await;
    }
    assert_eq!(peer.close_code().await, Some(4000));
    drop(peer);
    assert!(!discord.is_dialled().await, "not before all is committed");
    harness.sequencer_wakes.cancel();
    assert_eq!(
        harness.dispatches(4).await.len(),
        4,
        "READY and three more were taken"
    );
    let mut peer = discord.accept_resume().await;
    assert_eq!(peer.hello().await["d"]["seq"], 4);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn a_stop_closes_resumably_even_if_the_peer_says_nothing() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    harness.dispatches(1).await;
    harness.stop.cancel();
    // The peer does not read, so it can't answer; the close is bounded all the same.
    assert_eq!(harness.exit().await, ShardExit::Stopped);
    assert_eq!(peer.close_code().await, Some(4000));
}

#[tokio::test]
async fn a_session_of_the_process_before_is_resumed_without_asking_for_anything() {
    let discord = Discord::new().await;
    let resume = ResumeState {
        sequence: 41,
        ..session_of(
            &json!({"session_id": "older", "resume_gateway_url": discord.resume_url}).to_string(),
        )
    };
    let mut harness = Harness::new(&discord, |shard| shard.resume = Some(resume));
    let mut peer = discord.accept_resume().await;
    let first = peer.hello().await;
    assert_eq!(first["op"], 6);
    assert_eq!(
        (&first["d"]["session_id"], &first["d"]["seq"]),
        (&json!("older"), &json!(41))
    );
    assert_eq!(discord.budget_questions(), 0);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn a_session_without_an_address_is_resumed_where_discord_says_that_its_gateway_is() {
    let discord = Discord::new().await;
    let resume = session_of(&json!({"session_id": "older"}).to_string());
    let mut harness = Harness::new(&discord, |shard| shard.resume = Some(resume));
    let mut peer = discord.accept().await;
    assert_eq!(peer.hello().await["op"], 6);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn a_gateway_that_talks_and_does_not_listen_is_left_with_the_session() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello_every(Duration::from_millis(100)).await;
    peer.ready(&discord.resume_url).await;
    let code = peer.talk_until_closed().await;
    assert_eq!(code, Some(4000));
    let lost = harness.lost().await;
    assert!(
        lost.resumable && lost.why.contains("heartbeats"),
        "{lost:?}"
    );
    drop(peer);
    let mut peer = discord.accept_resume().await;
    assert_eq!(peer.hello().await["op"], 6);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn a_renewal_ends_the_session_and_identifies_anew() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    harness.dispatches(1).await;
    harness.renew.notify_one();
    assert_eq!(peer.close_code().await, Some(1000));
    drop(peer);
    let mut peer = discord.accept().await;
    assert_eq!(peer.hello().await["op"], 2);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn an_address_that_says_no_hello_is_left_in_time() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |shard| {
        shard.limits.hello = Duration::from_millis(200);
    });
    let _silent = discord.accept().await;
    let lost = harness.lost().await;
    assert!(!lost.resumable && lost.why.contains("no HELLO"), "{lost:?}");
    let mut peer = discord.accept().await;
    assert_eq!(peer.hello().await["op"], 2);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn messages_that_are_none_are_passed_over() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    peer.hello().await;
    peer.ready(&discord.resume_url).await;
    for garbage in ["", "{", "[]", "{\"op\":0}", "{\"op\":99}", "null", "\u{0}"] {
        peer.send_text(garbage).await;
    }
    peer.dispatch(2, "TYPING_START", &json!({})).await;
    assert_eq!(harness.dispatches(2).await, ["READY", "TYPING_START"]);
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

#[tokio::test]
async fn members_are_asked_for_once_the_session_stands_and_by_nobody_after_its_connection() {
    let discord = Discord::new().await;
    let mut harness = Harness::new(&discord, |_| {});
    let mut peer = discord.accept().await;
    let identify = peer.hello().await;
    harness.request(1).await;
    assert_eq!(identify["op"], 2, "not before the session stands");
    peer.ready(&discord.resume_url).await;
    let asked = peer.asked().await;
    let data = json!({"guild_id": "1", "user_ids": ["7"], "nonce": "1"});
    assert_eq!((&asked["op"], &asked["d"]), (&json!(8), &data));
    drop(peer);
    harness.lost().await;
    let mut peer = discord.accept_resume().await;
    assert_eq!(peer.hello().await["op"], 6);
    harness.request(2).await;
    drop(peer);
    harness.lost().await;
    let mut peer = discord.accept_resume().await;
    assert_eq!(peer.hello().await["op"], 6);
    peer.dispatch(2, "RESUMED", &json!({})).await;
    harness.dispatches(1).await;
    harness.request(3).await;
    assert_eq!(peer.asked().await["d"]["nonce"], "3");
    assert_eq!(harness.stop_and_exit(peer).await, ShardExit::Stopped);
}

/// A zstd frame that is so many MiB after decompression: 32 bytes for each.
pub(crate) fn bomb(mebibytes: usize) -> Vec<u8> {
    // Magic number; no size and no checksum; a window of 8 MiB.
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (23 - 10) << 3];
    // A block that is not the last one: 128 KiB of one repeated byte.
    let block = [0x02, 0x00, 0x10, b'0'];
    [&head[..], &block.repeat(8 * mebibytes)].concat()
}
