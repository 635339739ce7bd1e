//! twilight, as it is published, with zstd-stream: only addresses are set.

/// Application commands.
mod commands;
/// The bot acts by REST.
mod rest;

use serde_json::{Value, json};
use twilight_gateway::{CloseFrame, ConfigBuilder, Intents, Shard, ShardId};
use twilight_http::Client;
use twilight_model::{
    gateway::payload::outgoing::{RequestGuildMembers, UpdateVoiceState},
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker},
    },
};

use crate::{
    capabilities::Column,
    house::{Failure, House, Outcome, repository},
    script::lists_may_be_asked_for_again,
    told::{list, of_state, text},
    witness::{Witness, say},
};

/// A shard, a REST client, and the names of the first guild's things.
struct Scene {
    house: House,
    witness: Witness,
    rest: Client,
    guild: String,
    member: String,
    /// What the table of libraries says of this one.
    proved: Column,
}

impl Scene {
    async fn open() -> Result<Self, Failure> {
        let house = House::open(lists_may_be_asked_for_again).await?;
        let address = house.origin.trim_start_matches("http://").to_owned();
        let token = house.application.bot_token.clone();
        let intents = Intents::GUILDS
            | Intents::GUILD_MEMBERS
            | Intents::GUILD_VOICE_STATES
            | Intents::GUILD_MESSAGES
            | Intents::MESSAGE_CONTENT;
        let config = ConfigBuilder::new(token.clone(), intents)
            .proxy_url(format!("ws://{address}/gateway"))
            .build();
        let rest = Client::builder().token(token).proxy(address, true).build();
        Ok(Self {
            guild: house.application.guild_id.to_string(),
            member: house.application.member_id.to_string(),
            witness: Witness::new(Shard::with_config(ShardId::ONE, config)),
            rest,
            house,
            proved: Column::default(),
        })
    }

    /// READY and its guilds, in the order of the world; then everybody in them, whom
    /// GUILD_CREATE leaves out (op 8).
    async fn comes_up(&mut self, chapter: &str) -> Outcome {
        let state = self.house.state().await?;
        let mut lines = vec![format!("ready as {}", self.house.application.id)];
        for guild in list(&state, "guilds") {
            lines.push(format!("guild {}", text(guild, "id")));
        }
        self.witness.hears(chapter, &lines).await?;
        for guild in list(&state, "guilds") {
            let id = text(guild, "id");
            let ask = RequestGuildMembers::builder(id.parse()?).query("", None);
            self.witness.shard().command(&ask);
            let count = list(guild, "members").len();
            let line = format!("{count} members of {id}");
            self.witness.hears(chapter, &[line]).await?;
        }
        self.agrees(chapter).await
    }

    /// What the events added up to is what `/sim/state` says.
    async fn agrees(&self, chapter: &str) -> Outcome {
        let told = of_state(&self.house.state().await?);
        assert_eq!(self.witness.guilds, told, "after {chapter}");
        say(&format!(
            "== {chapter}: what was told adds up to /sim/state"
        ));
        Ok(())
    }

    async fn channel(&self, name: &str) -> Result<String, Failure> {
        let state = self.house.state().await?;
        let all = list(&state["guilds"][0], "channels");
        let found = all.iter().find(|channel| channel["name"] == name);
        let channel = found.ok_or_else(|| format!("no channel is called {name}"))?;
        Ok(text(channel, "id"))
    }

    async fn tables(&self) -> Result<[String; 2], Failure> {
        Ok([
            self.channel("Table One").await?,
            self.channel("Table Two").await?,
        ])
    }

    async fn act(&self, method: &str, path: &str, body: Value) -> Result<String, Failure> {
        Ok(text(&self.house.act(method, path, &body).await?, "id"))
    }

    async fn fault(&self, body: Value) -> Outcome {
        self.act("POST", "/faults", body).await.map(|_| ())
    }

    /// Puts somebody into a channel, or out; answers with the line that tells of it.
    async fn voice(&self, channel: Option<&str>) -> Result<String, Failure> {
        self.set_voice(json!({"channelId": channel})).await?;
        let who = &self.member;
        Ok(channel.map_or_else(
            || format!("voice {who} away"),
            |id| format!("voice {who} in {id}"),
        ))
    }

    async fn set_voice(&self, mut body: Value) -> Outcome {
        body["userId"] = json!(self.member);
        let path = format!("/guilds/{}/voice", self.guild);
        self.act("POST", &path, body).await.map(|_| ())
    }

    async fn attached(&self) -> Result<Vec<String>, Failure> {
        let state = self.house.state().await?;
        Ok(list(&state, "sessions")
            .iter()
            .filter(|session| session["attached"] == true)
            .map(|session| text(session, "id"))
            .collect())
    }
}

#[tokio::test]
async fn twilight_is_told_everything_once_and_in_order() -> Outcome {
    let mut scene = Scene::open().await?;
    scene.comes_up("login").await?;
    scene.proved.proves("the whole state");
    voices(&mut scene).await?;
    own_voice(&mut scene).await?;
    house(&mut scene).await?;
    messages(&mut scene).await?;
    rest::acts(&mut scene).await?;
    Box::pin(commands::answers(&mut scene)).await?;
    rest::limits(&mut scene).await?;
    resumes(&mut scene, "a drop", json!({"kind": "drop"})).await?;
    resumes(&mut scene, "op 7", json!({"kind": "reconnect"})).await?;
    replay(&mut scene).await?;
    anew(&mut scene).await?;
    scene.witness.shard().close(CloseFrame::NORMAL);
    scene.proved.is_of_version(&version()?);
    scene.proved.must_stand_under("twilight")?;
    say("twilight: everything was told once, in order, and adds up to /sim/state.");
    Ok(())
}

/// Somebody joins, moves, mutes and leaves.
async fn voices(scene: &mut Scene) -> Outcome {
    let [one, two] = scene.tables().await?;
    let mut lines = vec![
        scene.voice(Some(&one)).await?,
        scene.voice(Some(&two)).await?,
    ];
    scene.set_voice(json!({"selfMute": true})).await?;
    lines.push(format!("voice {} in {two} muted", scene.member));
    lines.push(scene.voice(None).await?);
    scene.witness.hears("voices", &lines).await?;
    scene.proved.proves("voice states");
    Ok(())
}

/// The bot itself joins and leaves (op 4).
async fn own_voice(scene: &mut Scene) -> Outcome {
    let hearth = scene.channel("The Hearth").await?;
    let own = scene.house.application.id;
    let guild = scene.guild.parse::<Id<GuildMarker>>()?;
    let inside = hearth.parse::<Id<ChannelMarker>>()?;
    for (channel, line) in [
        (Some(inside), format!("voice {own} in {hearth}")),
        (None, format!("voice {own} away")),
    ] {
        let update = UpdateVoiceState::new(guild, channel, false, false);
        scene.witness.shard().command(&update);
        scene.witness.hears("the bot in voice", &[line]).await?;
    }
    scene.proved.proves("its own voice state (op 4)");
    Ok(())
}

/// The version that Cargo's lock file names.
fn version() -> Result<String, Failure> {
    let lock = std::fs::read_to_string(repository().join("Cargo.lock"))?;
    let package = lock
        .split("name = \"twilight-gateway\"\nversion = \"")
        .nth(1);
    let version = package.and_then(|rest| rest.split('"').next());
    Ok(version.ok_or("twilight is not locked")?.to_owned())
}

/// Channels and roles come, change and go, and a newcomer is given one.
async fn house(scene: &mut Scene) -> Outcome {
    let at = format!("/guilds/{}", scene.guild);
    let role = json!({"name": "Visitor", "color": 0x3f_8f6b});
    let role = scene.act("POST", &format!("{at}/roles"), role).await?;
    let overwrites = json!([{"id": role, "type": 0, "allow": "1024", "deny": "0"}]);
    let room = json!({"name": "Guest Room", "permissionOverwrites": overwrites});
    let room = scene.act("POST", &format!("{at}/channels"), room).await?;
    let user = json!({"username": "wanda.new", "globalName": "Wanda"});
    let user = scene.act("POST", "/users", user).await?;
    let member = format!("{at}/members/{user}");
    let came = json!({"userId": user});
    let none = json!({});
    for (method, path, body) in [
        ("POST", &format!("{at}/members"), came),
        ("PUT", &format!("{member}/roles/{role}"), none.clone()),
        ("PATCH", &member, json!({"nick": "The Newcomer"})),
        ("PATCH", &format!("/roles/{role}"), json!({"name": "Guest"})),
        (
            "PATCH",
            &format!("/channels/{room}"),
            json!({"name": "Guest Hall"}),
        ),
    ] {
        scene.act(method, path, body).await?;
    }
    let lines = [
        format!("role {role} made: Visitor"),
        format!("channel {room} made: Guest Room"),
        format!("member {user} came"),
        format!("member {user} changed: no nick, 1 roles"),
        format!("member {user} changed: The Newcomer, 1 roles"),
        format!("role {role} changed: Guest"),
        format!("channel {room} changed: Guest Hall"),
    ];
    scene.witness.hears("a newcomer", &lines).await?;
    scene.agrees("a newcomer").await?;

    for path in [
        format!("/channels/{room}"),
        member,
        format!("/roles/{role}"),
    ] {
        scene.act("DELETE", &path, none.clone()).await?;
    }
    let lines = [
        format!("channel {room} gone"),
        format!("member {user} went"),
        format!("role {role} gone"),
    ];
    scene.witness.hears("everything taken back", &lines).await?;
    scene.agrees("everything taken back").await?;
    scene.proved.proves("channels, roles and members");
    Ok(())
}

/// Messages of a person, with their content.
async fn messages(scene: &mut Scene) -> Outcome {
    let channel = scene.channel("game-night").await?;
    let said =
        json!({"channelId": channel, "authorId": scene.member, "content": "Who brings the dice?"});
    let id = scene.act("POST", "/messages", said).await?;
    let path = format!("/channels/{channel}/messages/{id}");
    let edit = json!({"content": "Who brings the cards?"});
    scene.act("PATCH", &path, edit).await?;
    scene.act("DELETE", &path, json!({})).await?;
    let lines = [
        format!("message {id} by {}: Who brings the dice?", scene.member),
        format!("message {id} now: Who brings the cards?"),
        format!("message {id} gone"),
    ];
    scene.witness.hears("a message", &lines).await?;
    scene.proved.proves("messages");
    Ok(())
}

/// The connection ends so that the session goes on.
async fn resumes(scene: &mut Scene, chapter: &str, fault: Value) -> Outcome {
    let [one, two] = scene.tables().await?;
    let before = scene.attached().await?;
    scene.fault(fault).await?;
    scene.witness.hears(chapter, &["resumed"]).await?;
    let lines = [
        scene.voice(Some(&one)).await?,
        scene.voice(Some(&two)).await?,
    ];
    scene.witness.hears(chapter, &lines).await?;
    assert_eq!(
        scene.attached().await?,
        before,
        "{chapter} cost the session"
    );
    scene.proved.proves(&format!("resuming after {chapter}"));
    scene.agrees(chapter).await
}

/// A drop while people move: the replay brings each step, in order, then RESUMED.
async fn replay(scene: &mut Scene) -> Outcome {
    let chapter = "a drop while people move, and a resume host that answers 503 once";
    let [one, two] = scene.tables().await?;
    scene
        .fault(json!({"kind": "resume_503", "times": 1}))
        .await?;
    scene.fault(json!({"kind": "drop"})).await?;
    let mut lines = Vec::new();
    for channel in [&one, &two, &one] {
        lines.push(scene.voice(Some(channel)).await?);
    }
    lines.push("resumed".to_owned());
    scene.witness.hears(chapter, &lines).await?;
    scene.proved.proves("a replay");
    scene.agrees(chapter).await
}

/// Op 9 with false: a new session shows the world as it is now.
async fn anew(scene: &mut Scene) -> Outcome {
    let before = scene.attached().await?;
    let fault = json!({"kind": "invalid_session", "resumable": false});
    scene.fault(fault).await?;
    scene.voice(None).await?;
    scene.comes_up("op 9 with false").await?;
    assert_ne!(scene.attached().await?, before, "the session went on");
    scene.proved.proves("a new session after op 9");
    Ok(())
}
