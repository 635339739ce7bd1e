//! Debian's Chromium, driven by `tests/browser/road.mjs`: sign in, see a join, a move, a leave;
//! see the web process die and come back.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::house::House;

/// The script, told what to do line by line.
pub(crate) struct Browser {
    says: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
    _script: Child,
}

impl Browser {
    pub(crate) async fn start(house: &House) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/browser/road.mjs");
        let told = json!({"pageUrl": house.url("/"), "simulatorUrl": house.discord.url});
        let mut child = Command::new("node")
            .args([script, &told.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node runs");
        let mut browser = Self {
            hears: child.stdin.take().expect("piped"),
            says: BufReader::new(child.stdout.take().expect("piped")).lines(),
            _script: child,
        };
        browser.answer("the start").await;
        browser
    }

    pub(crate) async fn step(&mut self, step: Value) -> Value {
        let line = format!("{step}\n");
        self.hears
            .write_all(line.as_bytes())
            .await
            .expect("the script reads");
        self.answer(&line).await
    }

    async fn answer(&mut self, to: &str) -> Value {
        let answer = self.says.next_line().await.expect("the script answers");
        let answer = answer.unwrap_or_else(|| panic!("the script ended at {to}"));
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["ok"], true, "{to}: {answer}");
        answer
    }

    pub(crate) async fn sees(&mut self, person: &str, room: Option<&str>) {
        self.step(json!({"step": "expect_person", "userId": person, "channelId": room, "withinMs": 10_000})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_sees_people_move_and_the_server_come_back() {
    let mut house = House::start().await;
    let mut browser = Browser::start(&house).await;
    browser.step(json!({"step": "open"})).await;
    browser
        .step(json!({"step": "sign_in", "userId": house.discord.visitor}))
        .await;
    browser.step(json!({"step": "expect_connection", "state": "live", "began": "snapshot", "snapshots": 1, "withinMs": 10_000})).await;

    let person = house.discord.people[0].clone();
    let rooms = house.discord.rooms.clone();
    house.discord.voice(&person, Some(&rooms[0])).await;
    browser.sees(&person, Some(&rooms[0])).await;
    house.discord.voice(&person, Some(&rooms[1])).await;
    browser.sees(&person, Some(&rooms[1])).await;
    house.discord.voice(&person, None).await;
    browser.sees(&person, None).await;

    house.web.signal("KILL");
    house.web.ended().await;
    browser
        .step(json!({"step": "expect_connection", "state": "reconnecting", "withinMs": 10_000}))
        .await;
    house.discord.voice(&person, Some(&rooms[0])).await;
    house.restart_web().await;
    browser.sees(&person, Some(&rooms[0])).await;
    browser.step(json!({"step": "expect_connection", "state": "live", "began": "resumed", "snapshots": 1, "withinMs": 10_000})).await;
    let errors = browser.step(json!({"step": "console_errors"})).await;
    let faults = errors["errors"].as_array().cloned().unwrap_or_default();
    // The stranger's 401 and the cut stream are said by Chromium itself.
    let ours = |fault: &&Value| !fault.to_string().contains("Failed to load resource");
    assert_eq!(faults.iter().filter(ours).count(), 0, "{faults:?}");
    browser.step(json!({"step": "close"})).await;
}
