//! twilight, as it is published, with zstd-stream: only addresses are set.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use twilight_gateway::{CloseFrame, ConfigBuilder, Intents, Shard, ShardId};
use twilight_http::Client;
use twilight_model::{
    channel::{
        ChannelType,
        permission_overwrite::{PermissionOverwrite, PermissionOverwriteType},
    },
    gateway::payload::outgoing::RequestGuildMembers,
    guild::Permissions,
    id::Id,
};

use crate::{
    house::{Failure, House, Outcome},
    witness::{Told, Witness},
};

/// The name Discord gives a channel that the bot may not view.
const HIDDEN: &str = "___hidden___";

/// A shard, a REST client, and the names of the first guild's things.
struct Scene {
    house: House,
    witness: Witness,
    rest: Client,
    guild: String,
    member: String,
}

impl Scene {
    async fn open() -> Result<Self, Failure> {
        let house = House::open(|_| {}).await?;
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
        })
    }

    /// READY and its guilds, in the order of the world.
    async fn comes_up(&mut self) -> Outcome {
        let state = self.house.state().await?;
        let mut lines = vec![format!("ready as {}", self.house.application.id)];
        for guild in list(&state, "guilds") {
            lines.push(format!("guild {}", text(guild, "id")));
        }
        self.witness.hears(&lines).await
    }

    /// What the events added up to is what `/sim/state` says.
    async fn agrees(&self) -> Outcome {
        let told = of_state(&self.house.state().await?);
        assert_eq!(self.witness.guilds, told);
        Ok(())
    }

    async fn channel(&self, name: &str) -> Result<String, Failure> {
        let state = self.house.state().await?;
        let all = list(&state["guilds"][0], "channels");
        let found = all.iter().find(|channel| channel["name"] == name);
        let channel = found.ok_or_else(|| format!("no channel is called {name}"))?;
        Ok(text(channel, "id"))
    }

    async fn act(&self, method: &str, path: &str, body: Value) -> Result<String, Failure> {
        Ok(text(&self.house.act(method, path, &body).await?, "id"))
    }

    async fn voice(&self, mut body: Value) -> Outcome {
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

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value, name: &str) -> u64 {
    text(value, name).parse().unwrap_or_default()
}

fn of_state(state: &Value) -> BTreeMap<u64, Told> {
    let named = |things: &[Value]| -> BTreeMap<u64, String> {
        let name = |thing: &Value| {
            if thing["botSees"] == false {
                HIDDEN.to_owned()
            } else {
                text(thing, "name")
            }
        };
        let pairs = things
            .iter()
            .map(|thing| (number(thing, "id"), name(thing)));
        pairs.collect()
    };
    list(state, "guilds")
        .iter()
        .map(|guild| {
            let voice = list(guild, "voiceStates").iter();
            let told = Told {
                name: text(guild, "name"),
                channels: named(list(guild, "channels")),
                roles: named(list(guild, "roles")),
                voice: voice
                    .map(|state| (number(state, "userId"), number(state, "channelId")))
                    .collect(),
            };
            (number(guild, "id"), told)
        })
        .collect()
}

#[tokio::test]
async fn twilight_is_told_everything_once_and_in_order() -> Outcome {
    let mut scene = Scene::open().await?;
    scene.comes_up().await?;
    scene.agrees().await?;
    members(&mut scene).await?;
    voices(&mut scene).await?;
    house(&mut scene).await?;
    messages(&mut scene).await?;
    rest(&mut scene).await?;
    limits(&mut scene).await?;
    resumes(&mut scene, json!({"kind": "drop"})).await?;
    resumes(&mut scene, json!({"kind": "reconnect"})).await?;
    replay(&mut scene).await?;
    anew(&mut scene).await?;
    scene.witness.shard().close(CloseFrame::NORMAL);
    Ok(())
}

/// Op 8: everybody, whom GUILD_CREATE leaves out.
async fn members(scene: &mut Scene) -> Outcome {
    let state = scene.house.state().await?;
    let count = list(&state["guilds"][0], "members").len();
    let ask = RequestGuildMembers::builder(scene.guild.parse()?).query("", None);
    scene.witness.shard().command(&ask);
    let line = format!("{count} members of {}", scene.guild);
    scene.witness.hears(&[line]).await
}

/// Somebody joins, moves, mutes and leaves.
async fn voices(scene: &mut Scene) -> Outcome {
    let (one, two) = (
        scene.channel("Table One").await?,
        scene.channel("Table Two").await?,
    );
    scene.voice(json!({"channelId": one})).await?;
    scene.voice(json!({"channelId": two})).await?;
    scene.voice(json!({"selfMute": true})).await?;
    scene.voice(json!({"channelId": null})).await?;
    let who = scene.member.clone();
    let lines = [
        format!("voice {who} in {one}"),
        format!("voice {who} in {two}"),
        format!("voice {who} in {two} muted"),
        format!("voice {who} away"),
    ];
    scene.witness.hears(&lines).await
}

/// Channels, roles and members come, change and go.
async fn house(scene: &mut Scene) -> Outcome {
    let at = format!("/guilds/{}", scene.guild);
    let role = scene
        .act("POST", &format!("{at}/roles"), json!({"name": "Visitor"}))
        .await?;
    let overwrites = json!([{"id": role, "type": 0, "allow": "1024", "deny": "0"}]);
    let room = json!({"name": "Guest Room", "permissionOverwrites": overwrites});
    let room = scene.act("POST", &format!("{at}/channels"), room).await?;
    let user = scene
        .act("POST", "/users", json!({"username": "wanda.new"}))
        .await?;
    let member = format!("{at}/members/{user}");
    scene
        .act("POST", &format!("{at}/members"), json!({"userId": user}))
        .await?;
    scene
        .act("PUT", &format!("{member}/roles/{role}"), json!({}))
        .await?;
    scene
        .act("PATCH", &format!("/roles/{role}"), json!({"name": "Guest"}))
        .await?;
    scene
        .act(
            "PATCH",
            &format!("/channels/{room}"),
            json!({"name": "Guest Hall"}),
        )
        .await?;
    let lines = [
        format!("role {role} made: Visitor"),
        format!("channel {room} made: Guest Room"),
        format!("member {user} came"),
        format!("member {user}: 1 roles"),
        format!("role {role} changed: Guest"),
        format!("channel {room} changed: Guest Hall"),
    ];
    scene.witness.hears(&lines).await?;
    scene.agrees().await?;

    scene
        .act("DELETE", &format!("/channels/{room}"), json!({}))
        .await?;
    scene.act("DELETE", &member, json!({})).await?;
    scene
        .act("DELETE", &format!("/roles/{role}"), json!({}))
        .await?;
    let lines = [
        format!("channel {room} gone"),
        format!("member {user} went"),
        format!("role {role} gone"),
    ];
    scene.witness.hears(&lines).await?;
    scene.agrees().await
}

/// A message of a person, with its content.
async fn messages(scene: &mut Scene) -> Outcome {
    let channel = scene.channel("game-night").await?;
    let said =
        json!({"channelId": channel, "authorId": scene.member, "content": "Who brings the dice?"});
    let id = scene.act("POST", "/messages", said).await?;
    let line = format!("message {id} by {}: Who brings the dice?", scene.member);
    scene.witness.hears(&[line]).await
}

/// The bot acts by REST: a role, a gated room, a move, a message.
async fn rest(scene: &mut Scene) -> Outcome {
    let (guild, member) = (scene.guild.parse()?, scene.member.parse()?);
    let lobby = scene.channel("The Hearth").await?;
    let role = scene
        .rest
        .create_role(guild)
        .name("Table Three")
        .permissions(Permissions::empty());
    let role = role.await?.model().await?.id;
    let rights = Permissions::VIEW_CHANNEL | Permissions::CONNECT;
    let overwrites = [
        overwrite(
            guild.get(),
            PermissionOverwriteType::Role,
            Permissions::empty(),
            rights,
        ),
        overwrite(
            role.get(),
            PermissionOverwriteType::Role,
            rights,
            Permissions::empty(),
        ),
        overwrite(
            scene.house.application.id.to_string().parse()?,
            PermissionOverwriteType::Member,
            rights,
            Permissions::empty(),
        ),
    ];
    let room = scene
        .rest
        .create_guild_channel(guild, "Table Three")
        .kind(ChannelType::GuildVoice)
        .permission_overwrites(&overwrites);
    let room = room.await?.model().await?.id;
    scene.voice(json!({"channelId": lobby})).await?;
    let moved = scene
        .rest
        .update_guild_member(guild, member)
        .channel_id(Some(room));
    moved.await?.model().await?;
    let channel = scene.channel("game-night").await?.parse()?;
    let said = scene
        .rest
        .create_message(channel)
        .content("Table Three is open.");
    let said = said.await?.model().await?.id;
    scene.rest.delete_message(channel, said).await?;
    let lines = [
        format!("role {role} made: Table Three"),
        format!("channel {room} made: Table Three"),
        format!("voice {member} in {lobby}"),
        format!("voice {member} in {room}"),
        format!(
            "message {said} by {}: Table Three is open.",
            scene.house.application.id
        ),
        format!("message {said} gone"),
    ];
    scene.witness.hears(&lines).await?;
    scene.agrees().await
}

fn overwrite(
    id: u64,
    kind: PermissionOverwriteType,
    allow: Permissions,
    deny: Permissions,
) -> PermissionOverwrite {
    PermissionOverwrite {
        id: Id::new(id),
        kind,
        allow,
        deny,
    }
}

/// Somebody else spends the bucket: a success can only be a 429 waited out.
async fn limits(scene: &mut Scene) -> Outcome {
    scene
        .house
        .spend(&format!("/guilds/{}/roles", scene.guild))
        .await?;
    let roles = scene
        .rest
        .roles(scene.guild.parse()?)
        .await?
        .models()
        .await?;
    let state = scene.house.state().await?;
    assert_eq!(roles.len(), list(&state["guilds"][0], "roles").len());
    Ok(())
}

/// The connection ends so that the session goes on.
async fn resumes(scene: &mut Scene, fault: Value) -> Outcome {
    let (one, two) = (
        scene.channel("Table One").await?,
        scene.channel("Table Two").await?,
    );
    let before = scene.attached().await?;
    scene.act("POST", "/faults", fault).await?;
    scene.witness.hears(&["resumed"]).await?;
    scene.voice(json!({"channelId": one})).await?;
    scene.voice(json!({"channelId": two})).await?;
    let who = scene.member.clone();
    let lines = [
        format!("voice {who} in {one}"),
        format!("voice {who} in {two}"),
    ];
    scene.witness.hears(&lines).await?;
    assert_eq!(scene.attached().await?, before);
    scene.agrees().await
}

/// A drop while people move: the replay brings each step, in order, then RESUMED.
async fn replay(scene: &mut Scene) -> Outcome {
    let (one, two) = (
        scene.channel("Table One").await?,
        scene.channel("Table Two").await?,
    );
    scene
        .act("POST", "/faults", json!({"kind": "resume_503", "times": 1}))
        .await?;
    scene
        .act("POST", "/faults", json!({"kind": "drop"}))
        .await?;
    let mut lines = Vec::new();
    for channel in [&one, &two, &one] {
        scene.voice(json!({"channelId": channel})).await?;
        lines.push(format!("voice {} in {channel}", scene.member));
    }
    lines.push("resumed".to_owned());
    scene.witness.hears(&lines).await?;
    scene.agrees().await
}

/// Op 9 with false: a new session shows the world as it is now.
async fn anew(scene: &mut Scene) -> Outcome {
    let fault = json!({"kind": "invalid_session", "resumable": false});
    scene.act("POST", "/faults", fault).await?;
    scene.voice(json!({"channelId": null})).await?;
    scene.comes_up().await?;
    scene.agrees().await
}
