//! `guildhall tail`: what happens in a running house, line by line, over every break.

use std::process::Stdio;

use reqwest::StatusCode;
use serde_json::Value;
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

use crate::house::{House, Process, SOON, free_port, until};

fn ops(house: &House) -> String {
    format!("http://127.0.0.1:{}", house.ports.web_ops)
}

/// Past its first line.
async fn tail(house: &House, flags: &[&str]) -> Process {
    let ops = ops(house);
    let flags = [&["--ops", &ops][..], flags].concat();
    let tail = Process::start("tail", &flags, &[], house.folder());
    says(&tail, "snapshot").await;
    tail
}

async fn says(tail: &Process, text: &str) {
    let said = async || tail.printed().contains(text);
    until(
        &format!("{text:?} in {} {}", tail.printed(), tail.log()),
        said,
    )
    .await;
}

fn lines_with(tail: &Process, text: &str) -> usize {
    tail.printed()
        .lines()
        .filter(|line| line.contains(text))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_s_tail_has_a_line_for_each_event_and_a_person_s_what_they_see() {
    let house = House::start().await;
    let discord = &house.discord;
    let [room, other] = &discord.rooms;
    let person = discord.people[0].as_str();
    let bots = tail(&house, &[]).await;
    let theirs = tail(&house, &["--as", &discord.visitor]).await;
    let of_room = tail(&house, &["--guild", &discord.guild, "--channel", room]).await;
    let of_rooms = tail(&house, &["--events", "room", "-o", "json"]).await;
    discord.voice(person, Some(&discord.gated)).await;
    discord.voice(person, Some(other)).await;
    discord.voice(person, Some(room)).await;
    for (tail, lines) in [(&bots, 5), (&theirs, 3), (&of_room, 1)] {
        let of_person = format!("({person})");
        says(tail, &format!("({room}): ")).await;
        until("all lines", async || lines_with(tail, &of_person) == lines).await;
    }
    assert!(
        bots.printed().contains(&discord.gated),
        "{}",
        bots.printed()
    );
    let seen = theirs.printed();
    assert!(!seen.contains(&discord.gated), "{seen}");
    let line = seen.lines().find(|line| line.contains("voice.joined"));
    let line = line.expect("somebody came");
    assert!(line.contains(&format!("({}) / ", discord.guild)), "{line}");

    let rename = serde_json::json!({ "name": "Renamed" });
    discord.edit_channel(room, &rename).await;
    says(&of_rooms, "room.updated").await;
    says(&bots, "Renamed").await;
    let printed = of_rooms.printed();
    assert!(!printed.contains("voice.joined"), "{printed}");
    for line in printed.lines() {
        let event: Value = serde_json::from_str(line).expect("JSON on each line");
        assert!(
            event["event"].is_string() && event["data"].is_object(),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_where_it_was_and_says_what_it_missed() {
    let mut house = House::with(&[("LOG_WINDOW", "8")]).await;
    let [room, _] = house.discord.rooms.clone();
    let person = house.discord.people[0].clone();
    let tail = tail(&house, &[]).await;
    house.web.signal("KILL");
    house.web.ended().await;
    house.discord.voice(&person, Some(&room)).await;
    house.restart_web().await;
    says(&tail, "resumed").await;
    until("the event", async || {
        lines_with(&tail, &format!("({person})")) == 1
    })
    .await;
    assert_eq!(lines_with(&tail, "missed "), 0, "{}", tail.printed());

    house.web.signal("KILL");
    house.web.ended().await;
    for number in 0..20 {
        house.discord.stamp(&format!("somebody {number}")).await;
    }
    house.restart_web().await;
    says(&tail, "can't be told (cursor_expired)").await;
    assert_eq!(lines_with(&tail, " snapshot "), 2, "{}", tail.printed());
    let log = tail.log();
    assert!(log.contains("trying again until it is back"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_name_gives_the_terminal_no_orders() {
    let house = House::start().await;
    let text = tail(&house, &[]).await;
    let json = tail(&house, &["-o", "json"]).await;
    let name = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}x\u{8}";
    let person = &house.discord.people[0];
    let edit = serde_json::json!({ "globalName": name });
    let path = format!("/sim/users/{person}");
    house.discord.patch(&path, &edit).await;
    let [room, _] = &house.discord.rooms;
    house.discord.voice(person, Some(room)).await;
    for tail in [&text, &json] {
        says(tail, "voice.joined").await;
        until("the line is whole", async || tail.printed().ends_with('\n')).await;
        let printed = tail.printed();
        let orders = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!printed.contains(orders), "{printed:?}");
        assert!(printed.contains("owned"), "{printed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_well_when_it_is_told_to_and_when_nobody_reads() {
    let house = House::start().await;
    for signal in ["INT", "TERM"] {
        let mut tail = tail(&house, &[]).await;
        tail.signal(signal);
        assert_eq!(tail.ended().await.code(), Some(0), "{}", tail.log());
        assert_eq!(tail.log(), "");
    }
    // Nothing happens here that it could write.
    let line = format!(
        "{} tail --ops {} | head -n 1",
        env!("CARGO_BIN_EXE_guildhall"),
        ops(&house)
    );
    let mut shell = Command::new("/bin/sh")
        .args(["-c", &line])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a shell");
    let mut printed = String::new();
    let mut out = shell.stdout.take().expect("piped");
    let ended = timeout(SOON, async {
        out.read_to_string(&mut printed).await.expect("text");
        shell.wait().await.expect("our own child")
    });
    let ended = ended.await.expect("both ends of the pipe end");
    assert!(ended.success() && printed.contains("snapshot"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_house_or_no_question_is_refused_with_a_sentence() {
    let house = House::start().await;
    let gateway = format!("http://127.0.0.1:{}", house.ports.gateway_ops);
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let web = ops(&house);
    for (flags, sentence) in [
        (&["--ops", &web, "--events", "nonsense"][..], "events"),
        (&["--ops", &web, "--guild", "1"], "guild"),
        (&["--ops", &gateway], "has no /admin"),
        (&["--ops", &nowhere], "--ops says where it is"),
    ] {
        let mut tail = Process::start("tail", flags, &[], house.folder());
        assert_eq!(tail.ended().await.code(), Some(1), "{}", tail.printed());
        let said = tail.log();
        assert!(said.contains(sentence), "{sentence} is not in: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_s_streams_leave_room_for_probes() {
    let house = House::start().await;
    let open = async || {
        let url = format!("{}/admin/stream", ops(&house));
        house.http.get(url).send().await.expect("it answers")
    };
    let mut streams = Vec::new();
    for _ in 0..8 {
        let stream = open().await;
        assert_eq!(stream.status(), StatusCode::OK);
        streams.push(stream);
    }
    let refused = open().await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let sentence = refused.text().await.expect("text");
    assert!(sentence.contains("Eight streams"), "{sentence}");
    assert!(
        house
            .metrics(house.ports.web_ops)
            .await
            .contains("guildhall_streams")
    );
    streams.pop();
    until("there is room again", async || {
        open().await.status() == StatusCode::OK
    })
    .await;
    let page = house.http.get(format!("{}/admin/stream", ops(&house)));
    let page = page.header("origin", "https://evil.example").send().await;
    assert_eq!(page.expect("it answers").status(), StatusCode::FORBIDDEN);
}
