//! `guildhall demo`: no setting, no account, and the printed `curl` lines work.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    commands::stage::room_of,
    house::{Discord, Folder, Process, Stream, client, free_port, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_prints_page_simulator_and_curl_lines_that_work() {
    let folder = Folder::new();
    let ports: Vec<String> = (0..4).map(|_| free_port().to_string()).collect();
    let listen = format!("127.0.0.1:{}", ports[1]);
    // What is outside is ignored: a real bot's settings must not leak into a demo.
    let outside = [
        ("DISCORD_BOT_TOKEN", "nonsense"),
        ("LINK_TOKEN", "short"),
        ("DISCORD_URL", "https://discord.com"),
    ];
    let outside = outside.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let flags = [
        "--web-port",
        &ports[0],
        "--simulator-listen",
        &listen,
        "--gateway-ws-port",
        &ports[2],
        "--ops-port",
        &ports[3],
    ];
    let began = Instant::now();
    let mut demo = Process::start("demo", &flags, &outside, &folder.0);
    let page = demo.line_after("page").await;
    let simulator = demo.line_after("simulator").await;
    let curl = demo.line_after("stream").await;
    let took = began.elapsed();
    assert_eq!(page, format!("http://localhost:{}", ports[0]));
    let simulator = simulator.split_whitespace().next().expect("a URL");

    let cookie = curl
        .split('\'')
        .nth(1)
        .and_then(|header| header.strip_prefix("Cookie: "));
    let cookie = cookie.unwrap_or_else(|| panic!("a cookie in {curl}"));
    let url = curl.split_whitespace().last().expect("a URL");
    let mut stream = Stream::open(&client(), url, cookie, None).await;
    stream.until("snapshot").await;
    let discord = Discord::at(simulator).await;
    discord
        .voice(&discord.people[0], Some(&discord.rooms[0]))
        .await;
    assert_eq!(
        stream.until("voice.joined").await.data["userId"],
        discord.people[0]
    );
    a_role_opens_and_closes_a_room(&mut stream, &discord).await;
    a_lobby_makes_a_room(&demo, &discord, &mut stream).await;
    let command = demo.line_after("command").await;
    discord
        .voice(&discord.visitor, Some(&discord.rooms[0]))
        .await;
    stream.until("voice.joined").await;
    let answer = std::process::Command::new("sh")
        .args(["-c", &command])
        .output();
    let answer = answer.expect("curl is there").stdout;
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    assert_eq!(answer["outcome"], "done");
    // Others have left for rooms of their own.
    while stream.until("voice.left").await.data["userId"] != discord.visitor.as_str() {}
    // A second is promised on a quiet machine; the tests' machine is not.
    assert!(took < Duration::from_secs(5), "{took:?}");

    demo.signal("TERM");
    assert!(demo.ended().await.success());
    let left: Vec<_> = std::fs::read_dir(&folder.0)
        .expect("the folder")
        .flatten()
        .collect();
    assert_eq!(
        left.len(),
        2,
        "only the two logs: a demo leaves nothing behind"
    );
}

/// The visitor is given a role and loses it: its room comes with whoever is in it, and goes.
async fn a_role_opens_and_closes_a_room(stream: &mut Stream, discord: &Discord) {
    let inside = &discord.people[2];
    discord.voice(inside, Some(&discord.gated)).await;
    let given = Instant::now();
    discord.roles(&discord.visitor, &[&discord.gate_role]).await;
    let shown = stream.until("room.shown").await.data;
    let room_shown = given.elapsed();
    assert_eq!(shown["channelId"], discord.gated.as_str());
    assert_eq!(shown["members"][0]["userId"], inside.as_str());
    let taken = Instant::now();
    discord.roles(&discord.visitor, &[]).await;
    let hidden = stream.until("room.hidden").await.data;
    let room_hidden = taken.elapsed();
    assert_eq!(hidden["channelId"], discord.gated.as_str());
    // Without the intents it would be up to a minute.
    for took in [room_shown, room_hidden] {
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

/// Somebody joins the channel that the greeting names, and is in a room of their own then, which is
/// told as theirs at once.
async fn a_lobby_makes_a_room(demo: &Process, discord: &Discord, stream: &mut Stream) {
    let lobby = demo.line_after("lobby").await;
    let name = lobby.split('"').nth(1).expect("its name");
    let channel = |truth: &Value, of: &str, is: &str| {
        let mut channels = truth["guilds"][0]["channels"]
            .as_array()
            .into_iter()
            .flatten();
        channels.find(|one| one[of] == is).cloned()
    };
    let before = discord.state().await;
    let lobby = channel(&before, "name", name).expect("it is there");
    let lobby = lobby["id"].as_str().expect("an id");
    let who = &discord.people[1];
    discord.voice(who, Some(lobby)).await;
    until("they are in a room of their own", async || {
        let truth = discord.state().await;
        let Some(room) = room_of(&truth, who).filter(|room| room != lobby) else {
            return false;
        };
        let old = channel(&before, "id", &room);
        assert_eq!(old, None, "a room that was there already");
        channel(&truth, "id", &room).is_some_and(|room| room["messages"][0].is_object())
    })
    .await;
    let truth = discord.state().await;
    let room = room_of(&truth, who).expect("they are there");
    let created = stream.until("room.created").await.data;
    assert_eq!(created["channelId"], room.as_str());
    assert_eq!(
        (&created["managed"], &created["ownerId"]),
        (&true.into(), &who.as_str().into()),
        "{created}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_that_somebody_asked_for_is_refused_by_its_name() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let free = format!("127.0.0.1:{}", free_port());
    let mut demo = Process::start(
        "demo",
        &["--web-port", &port, "--simulator-listen", &free],
        &[],
        &folder.0,
    );
    assert_eq!(demo.ended().await.code(), Some(78));
    assert!(demo.log().contains("WEB_PORT"), "{}", demo.log());
}
