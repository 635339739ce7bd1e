//! A house that nothing is wrong with, and the command that looks at it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::house::{House, Process, until};

/// As few that a shell's open files are enough for them anywhere.
const STREAMS_MAX: (&str, &str) = ("STREAMS_MAX", "500");

/// What the command said.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) code: i32,
    all: Value,
}

/// A house with whatever Discord's side needs for it.
pub(super) async fn healthy(more: &[(&str, &str)]) -> House {
    let house = House::with(&[&[STREAMS_MAX], more].concat()).await;
    make_healthy(&house).await;
    house
}

/// Has Discord's side be as it should.
pub(super) async fn make_healthy(house: &House) {
    let base = setting(house, "BASE_URL");
    let callback = format!("{base}/auth/callback");
    register(house, &[&callback]).await;
    // The world begins with a room that the bot may not view.
    let bot = house.discord.application_id.as_str();
    let seen = json!({"id": bot, "type": 1, "allow": "1024", "deny": "0"});
    let blind = blind_channels(house).await;
    let state = house.discord.state().await;
    let guilds = state["guilds"].as_array().into_iter().flatten();
    let channels = guilds.flat_map(|guild| guild["channels"].as_array().into_iter().flatten());
    for channel in channels.filter(|channel| blind.contains(&channel["id"])) {
        let mut overwrites = channel["permissionOverwrites"].clone();
        overwrites
            .as_array_mut()
            .expect("a list")
            .push(seen.clone());
        let room = channel["id"].as_str().expect("an id");
        overwrite(house, room, overwrites).await;
    }
    until_blind(house, 0).await;
}

/// Sets who may do what in a room.
pub(super) async fn overwrite(house: &House, room: &str, overwrites: Value) {
    let edit = json!({ "permissionOverwrites": overwrites });
    house.discord.edit_channel(room, &edit).await;
}

/// Waits until web was told of so many rooms that the bot may not view.
pub(super) async fn until_blind(house: &House, count: usize) {
    until("it is known which rooms the bot may view", async || {
        blind_channels(house).await.len() == count
    })
    .await;
}

/// Their ids.
async fn blind_channels(house: &House) -> Vec<Value> {
    let ops = house.ports.web_ops;
    let url = format!("http://127.0.0.1:{ops}/admin/blind-channels");
    let answer = house.http.get(&url).send().await.expect("ops answers");
    let list: Value = answer.json().await.expect("JSON");
    let list = list.as_array().cloned().unwrap_or_default();
    list.iter().map(|room| room["channelId"].clone()).collect()
}

/// Has the application have exactly these redirects.
pub(super) async fn register(house: &House, uris: &[&str]) {
    let edit = json!({ "redirectUris": uris });
    house.discord.patch("/sim/application", &edit).await;
}

pub(super) fn setting(house: &House, name: &str) -> String {
    let mut settings = house.settings().iter();
    let found = settings.find(|(known, _)| known == name);
    found.map(|(_, value)| value.clone()).expect("it is set")
}

/// Looks at a house with its own settings and these, which come before them.
pub(super) async fn look(house: &House, more: &[(&str, &str)]) -> Report {
    look_with(house, more, &["--idle", "1s"]).await
}

/// The same with these flags.
pub(super) async fn look_with(house: &House, more: &[(&str, &str)], flags: &[&str]) -> Report {
    let (printed, code) = doctor(house, more, &[flags, &["-o", "json"]].concat()).await;
    let all = serde_json::from_str(&printed);
    let all = all.unwrap_or_else(|error| panic!("{error}: {printed}"));
    Report { code, all }
}

/// What the command prints, and its exit code.
pub(super) async fn doctor(house: &House, more: &[(&str, &str)], flags: &[&str]) -> (String, i32) {
    let [gateway, web] = [house.ports.gateway_ops, house.ports.web_ops]
        .map(|port| format!("http://127.0.0.1:{port}"));
    let ops = ["--ops", gateway.as_str(), "--ops", web.as_str()];
    let mut settings = house.settings().to_vec();
    for (name, value) in more {
        settings.retain(|(known, _)| known != name);
        settings.push(((*name).to_owned(), (*value).to_owned()));
    }
    let flags = [&ops, flags].concat();
    let mut process = Process::start("doctor", &flags, &settings, house.folder());
    let code = process.ended().await.code().expect("an exit code");
    (process.printed() + &process.log(), code)
}

impl Report {
    fn checks(&self) -> &[Value] {
        self.all["checks"].as_array().expect("checks")
    }

    fn check(&self, name: &str) -> &Value {
        let check = self.checks().iter().find(|check| check["name"] == name);
        check.unwrap_or_else(|| panic!("no check {name}: {self:?}"))
    }

    /// The names of the checks that found something.
    fn found(&self) -> BTreeSet<&str> {
        let found = self.checks().iter();
        let found = found.filter(|check| check["outcome"] == "found");
        found.filter_map(|check| check["name"].as_str()).collect()
    }

    fn texts(&self, name: &str, which: &str) -> Vec<String> {
        let texts = self.check(name)[which].as_array();
        let texts = texts.unwrap_or_else(|| panic!("{name}: {self:?}"));
        let texts = texts.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// The lines of a check's cure.
    pub(super) fn cure(&self, name: &str) -> Vec<String> {
        self.texts(name, "cure")
    }

    /// nginx's lines in a check's cure.
    pub(super) fn nginx_lines(&self, name: &str) -> String {
        let cure = self.cure(name);
        let line = cure.iter().find_map(|line| line.strip_prefix("nginx: "));
        let line = line.unwrap_or_else(|| panic!("{name}: {cure:?}"));
        // Behind the last semicolon are words, and so is what joins two lines.
        let lines = line.rsplit_once(';').map_or(line, |(lines, _)| lines);
        format!("{};", lines.replace("; and ", "; "))
    }

    /// Exactly these found something; the exit code says whether one is fatal. What was found has this text.
    pub(super) fn assert_found(&self, names: &[&str], text: &str) {
        assert_eq!(self.found(), names.iter().copied().collect(), "{self:#?}");
        let fatal = names
            .iter()
            .any(|name| self.check(name)["severity"] == "fatal");
        assert_eq!(self.code, i32::from(fatal), "{self:?}");
        let found = self.texts(names[0], "found").join("\n");
        assert!(found.contains(text), "{text:?}: {found}");
    }

    /// Nothing was found.
    pub(super) fn assert_healthy(&self) {
        assert_eq!(self.found(), BTreeSet::new(), "{self:#?}");
        assert_eq!((self.code, &self.all["healthy"]), (0, &json!(true)));
    }

    /// A check was looked at and found nothing.
    pub(super) fn assert_passed(&self, name: &str) {
        assert_eq!(
            self.check(name)["outcome"],
            "passed",
            "{:?}",
            self.check(name)
        );
    }

    /// A check could not be looked at, for this reason.
    pub(super) fn assert_skipped(&self, name: &str, why: &str) {
        let said = self.check(name)["why"].as_str().unwrap_or_default();
        assert!(said.contains(why), "{name}: {:?}", self.check(name));
    }
}
