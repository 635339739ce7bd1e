//! `guildhall init`: a `.env` by which a house starts, and what is still to be done in Discord.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use reqwest::StatusCode;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};
use url::Url;

use crate::house::{
    Discord, Folder, Process, SOON, Stream, client, cookie_of, free_port, location_of, until,
};

/// A simulated Discord, and a folder to begin in.
struct Beginning {
    discord: Discord,
    folder: Folder,
    _simulator: Process,
}

impl Beginning {
    async fn at() -> Self {
        let folder = Folder::new();
        let words = ["--listen", "127.0.0.1:0"];
        let simulator = Process::start("simulator", &words, &[], &folder.0);
        let address = simulator.line_after("Discord side").await;
        Self {
            discord: Discord::at(address.trim_end_matches('/')).await,
            folder,
            _simulator: simulator,
        }
    }

    fn secrets(&self) -> [(&'static str, String); 2] {
        [
            ("DISCORD_BOT_TOKEN", self.discord.bot_token.clone()),
            ("DISCORD_CLIENT_SECRET", self.discord.client_secret.clone()),
        ]
    }

    /// Runs it to its end; its exit code, and all that it says.
    async fn init(&self, flags: &[&str], settings: &[(&str, String)]) -> (Option<i32>, String) {
        let discord = ["--discord-url", &self.discord.url];
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let flags = [flags, &discord].concat();
        let mut process = Process::start("init", &flags, &settings, &self.folder.0);
        let code = process.ended().await.code();
        (code, process.printed() + &process.log())
    }

    fn file(&self) -> PathBuf {
        self.folder.0.join(".env")
    }

    fn settings(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.file()).expect("a file");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.split_once('=').expect("NAME=value"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn setting(&self, wanted: &str) -> String {
        let mut settings = self.settings().into_iter();
        let found = settings.find(|(name, _)| name == wanted);
        found.unwrap_or_else(|| panic!("no {wanted}")).1
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_writes_is_for_its_owner_alone_and_starts_a_house() {
    let begin = Beginning::at().await;
    let web = free_port().to_string();
    let cdn = ["--discord-cdn-url", &begin.discord.url];
    let flags = [&["--web-port", &web, "-o", "json"][..], &cdn].concat();
    let (code, said) = begin.init(&flags, &begin.secrets()).await;
    assert_eq!(code, Some(0), "{said}");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let mode = fs::metadata(begin.file()).expect("a file").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let (link, session) = (begin.setting("LINK_TOKEN"), begin.setting("SESSION_SECRET"));
    assert!(link.len() >= 32 && session.len() >= 32 && link != session);
    assert_eq!(
        begin.setting("DISCORD_PUBLIC_KEY"),
        begin.discord.public_key
    );
    let base = format!("http://localhost:{web}");
    assert_eq!(said["redirectUri"], format!("{base}/auth/callback"));
    let invite = Url::parse(said["inviteUrl"].as_str().expect("a URL")).expect("a URL");
    assert!(invite.as_str().starts_with(&begin.discord.url), "{invite}");
    let asks: Vec<(String, String)> = invite.query_pairs().into_owned().collect();
    let permissions = said["permissions"].as_str().expect("bits");
    for (name, value) in [
        ("client_id", begin.discord.application_id.as_str()),
        ("scope", "bot"),
        ("permissions", permissions),
    ] {
        assert!(
            asks.contains(&(name.to_owned(), value.to_owned())),
            "{invite}"
        );
    }

    let ops = free_port().to_string();
    let link = free_port().to_string();
    let flags = ["--ops-port", &ops, "--gateway-ws-port", &link];
    let _house = Process::start("all", &flags, &[], &begin.folder.0);
    let http = client();
    let ready = format!("http://127.0.0.1:{ops}/readyz");
    until("the house is ready", async || {
        let Ok(answer) = http.get(&ready).send().await else {
            return false;
        };
        let is_good = answer.status() == StatusCode::OK;
        is_good && !answer.text().await.unwrap_or_default().contains("degraded")
    })
    .await;
    let get = async |url: String, cookie: &str| {
        let sent = http.get(url).header("cookie", cookie).send().await;
        sent.expect("it answers")
    };
    let login = get(format!("{base}/auth/login"), "").await;
    let attempt = cookie_of(&login).expect("a cookie");
    let authorize = format!("{}&sim_user={}", location_of(&login), begin.discord.visitor);
    let callback = location_of(&get(authorize, "").await);
    let session = cookie_of(&get(callback, &attempt).await).expect("a session");
    let mut stream = Stream::open(&http, &format!("{base}/api/stream"), &session, None).await;
    stream.until("snapshot").await;
    assert!(
        stream.raw.contains(&begin.discord.rooms[0]),
        "{}",
        stream.raw
    );
}

/// The numbers that the README prints for whoever writes the link by hand.
#[tokio::test(flavor = "multi_thread")]
async fn the_bot_asks_for_what_the_readme_says_of_each_use() {
    let begin = Beginning::at().await;
    let readme = include_str!("../../../../README.md");
    let mut printed = readme.split("permissions=").skip(1);
    for used_for in ["show", "command", "rooms"] {
        let after = printed.next().expect("a number for each use");
        let digits = after.split(|c: char| !c.is_ascii_digit()).next();
        let flags = ["--overwrite", "-o", "json", "--use", used_for];
        let (code, said) = begin.init(&flags, &begin.secrets()).await;
        assert_eq!(code, Some(0), "{said}");
        let json = said
            .lines()
            .find(|line| line.starts_with('{'))
            .expect("JSON");
        let said: Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(said["permissions"].as_str(), digits, "{used_for}");
    }
    let more = ["--guilds-join", "1", "--discord-intents", "moderation"];
    let flags = [&["--overwrite", "--use", "show"][..], &more].concat();
    let (code, said) = begin.init(&flags, &begin.secrets()).await;
    assert_eq!(code, Some(0), "{said}");
    let asks = "It asks for VIEW_CHANNEL, CREATE_INSTANT_INVITE, VIEW_AUDIT_LOG.";
    assert!(
        said.contains(asks) && said.contains("permissions=1153"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_is_kept() {
    let begin = Beginning::at().await;
    fs::write(begin.file(), "SOMEBODYS=value\n").expect("a file");
    let (code, said) = begin.init(&[], &begin.secrets()).await;
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("--overwrite"), "{said}");
    let kept = fs::read_to_string(begin.file()).expect("a file");
    assert_eq!(kept, "SOMEBODYS=value\n");
    let (code, said) = begin.init(&["--overwrite"], &begin.secrets()).await;
    assert_eq!(code, Some(0), "{said}");
    let first = begin.setting("LINK_TOKEN");
    let kept = |said: &str| -> PathBuf {
        let (_, name) = said.split_once("is kept as ").expect("where");
        begin.folder.0.join(name.lines().next().expect("a name"))
    };
    let old = fs::read_to_string(kept(&said)).expect("a file");
    assert_eq!(old, "SOMEBODYS=value\n");
    // What it has is known, and its secrets are made anew.
    let (code, said) = begin.init(&["--overwrite"], &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_ne!(begin.setting("LINK_TOKEN"), first);
    assert_eq!(begin.setting("DISCORD_BOT_TOKEN"), begin.discord.bot_token);
    assert!(
        nothing_aside(&begin.folder.0),
        "what was written aside is gone"
    );
}

/// Files that were on their way to their name.
fn nothing_aside(folder: &Path) -> bool {
    let mut names = fs::read_dir(folder).expect("a folder");
    names.all(|entry| {
        let name = entry.expect("an entry").file_name();
        !name.to_string_lossy().starts_with(".env.env")
    })
}

/// It ends with 78 and these sentences, says no secret, and leaves nothing.
async fn is_refused(
    begin: &Beginning,
    flags: &[&str],
    settings: &[(&str, String)],
    sentences: &[&str],
) {
    let (code, said) = begin.init(flags, settings).await;
    assert_eq!(code, Some(78), "{said}");
    for sentence in sentences {
        assert!(said.contains(sentence), "{sentence} is not in: {said}");
    }
    for (name, value) in begin.secrets() {
        assert!(!said.contains(&value), "{name} is in: {said}");
    }
    let is_empty = !begin.file().exists() && nothing_aside(&begin.folder.0);
    assert!(is_empty, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_secrets_are_refused_with_a_sentence_and_nothing_is_written() {
    let begin = Beginning::at().await;
    let [token, secret] = begin.secrets();
    let with = |name: &'static str, value: &str| (name, value.to_owned());
    let unset = [
        "DISCORD_BOT_TOKEN is not set",
        "DISCORD_CLIENT_SECRET is not set",
    ];
    is_refused(&begin, &[], &[], &unset).await;
    let of_another = token.1.replace('.', ".X");
    for (wrong, sentence) in [
        ("MTIz.abc", "DISCORD_BOT_TOKEN is no bot token"),
        (&of_another, "DISCORD_BOT_TOKEN is refused by Discord"),
    ] {
        let said = [with("DISCORD_BOT_TOKEN", wrong), secret.clone()];
        is_refused(&begin, &[], &said, &[sentence]).await;
    }
    let wrong = with("DISCORD_CLIENT_SECRET", "not-this-applications-9f2c7");
    let sentence = ["DISCORD_CLIENT_SECRET is refused by Discord"];
    is_refused(&begin, &[], &[token, wrong], &sentence).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_wrong_input_is_refused_with_a_sentence_and_nothing_is_written() {
    let begin = Beginning::at().await;
    let [token, secret] = begin.secrets();
    let said = [token.clone(), secret.clone()];
    for (flag, value, setting) in [
        ("--base-url", "http://hall.example", "BASE_URL"),
        ("--web-port", "70000", "WEB_PORT"),
        ("--discord-intents", "members,everything", "DISCORD_INTENTS"),
    ] {
        is_refused(&begin, &[flag, value], &said, &[setting]).await;
    }
    let another = ("DISCORD_CLIENT_ID", "80351110224678912".to_owned());
    let id = begin.discord.application_id.as_str();
    let sentence = ["DISCORD_CLIENT_ID is \"80351110224678912\"", id];
    let with_id = [token.clone(), secret.clone(), another];
    is_refused(&begin, &[], &with_id, &sentence).await;

    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let mut process = Process::start(
        "init",
        &["--discord-url", &nowhere],
        &said.map(|(name, value)| (name.to_owned(), value)),
        &begin.folder.0,
    );
    assert_eq!(process.ended().await.code(), Some(1));
    let said = process.log();
    assert!(said.contains("does not answer"), "{said}");
    assert!(!begin.file().exists());
}

/// A terminal, which the `script` of every Debian makes.
struct Terminal {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    said: String,
}

impl Terminal {
    fn start(begin: &Beginning) -> Self {
        let binary = env!("CARGO_BIN_EXE_guildhall");
        let command = format!("{binary} init --discord-url {}", begin.discord.url);
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env_clear()
            .env("SHELL", "/bin/sh")
            .current_dir(&begin.folder.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("script runs");
        Self {
            input: child.stdin.take().expect("piped"),
            output: child.stdout.take().expect("piped"),
            child,
            said: String::new(),
        }
    }

    /// Waits for a question behind what was said so far, and answers it.
    async fn answers(&mut self, question: &str, answer: &str) {
        let from = self.said.len();
        let asked = timeout(SOON, async {
            let mut bytes = [0; 4096];
            while !self.said[from..].contains(question) {
                let length = self.output.read(&mut bytes).await.expect("a terminal");
                assert_ne!(length, 0, "it ended: {}", self.said);
                self.said += &String::from_utf8_lossy(&bytes[..length]);
            }
        });
        let asked = asked.await;
        asked.unwrap_or_else(|_| panic!("it never asks {question}: {}", self.said));
        let line = format!("{answer}\n");
        self.input
            .write_all(line.as_bytes())
            .await
            .expect("it reads");
    }

    async fn ended(mut self) -> (Option<i32>, String) {
        let rest = timeout(SOON, async {
            let mut rest = Vec::new();
            self.output.read_to_end(&mut rest).await.expect("it ends");
            self.said += &String::from_utf8_lossy(&rest);
            self.child.wait().await.expect("our own child")
        });
        let status = rest.await.expect("it ends");
        (status.code(), self.said)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_it_asks_again_until_the_answer_is_one_and_shows_no_secret() {
    let begin = Beginning::at().await;
    let [(_, token), (_, secret)] = begin.secrets();
    let mut terminal = Terminal::start(&begin);
    terminal.answers("not shown): ", "a-token-of-nobody").await;
    terminal
        .answers("not shown): ", &token.replace('.', ".X"))
        .await;
    terminal.answers("not shown): ", &token).await;
    terminal
        .answers("not shown): ", "not-this-applications-9f2c7")
        .await;
    terminal.answers("not shown): ", &secret).await;
    terminal
        .answers("[http://localhost:3000]: ", "http://hall.example")
        .await;
    terminal
        .answers("reach it: ", "https://hall.example/live")
        .await;
    terminal.answers("[rooms]: ", "everything").await;
    terminal.answers("[rooms]: ", "").await;
    let (code, said) = terminal.ended().await;
    assert_eq!(code, Some(0), "{said}");
    for sentence in [
        "DISCORD_BOT_TOKEN is no bot token",
        "DISCORD_BOT_TOKEN is refused by Discord",
        "DISCORD_CLIENT_SECRET is refused by Discord",
        "BASE_URL",
        "none of the three words",
        "https://hall.example/live/auth/callback",
    ] {
        assert!(said.contains(sentence), "{sentence} is not in: {said}");
    }
    for hidden in [&token, &secret, &"not-this-applications-9f2c7".to_owned()] {
        assert!(!said.contains(hidden.as_str()), "it is shown: {said}");
    }
    assert_eq!(begin.setting("BASE_URL"), "https://hall.example/live");

    fs::remove_file(begin.file()).expect("it was written");
    let mut terminal = Terminal::start(&begin);
    // Whoever is asked leaves.
    terminal.answers("not shown): ", "\u{4}").await;
    let (code, said) = terminal.ended().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("nobody answers") && !begin.file().exists(),
        "{said}"
    );
}
