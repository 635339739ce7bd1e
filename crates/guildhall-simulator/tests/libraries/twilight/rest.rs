//! The bot acts by REST, and the gateway tells of it.

use twilight_model::{
    channel::{
        ChannelType,
        permission_overwrite::{PermissionOverwrite, PermissionOverwriteType},
    },
    guild::Permissions,
    id::Id,
};

use super::Scene;
use crate::{
    house::Outcome,
    told::{list, text},
    witness::say,
};

/// What opens a room.
const RIGHTS: Permissions = Permissions::VIEW_CHANNEL.union(Permissions::CONNECT);

/// A role, a gated room, somebody moved into it, a message; and everything undone.
pub(super) async fn acts(scene: &mut Scene) -> Outcome {
    let (guild, user) = (scene.guild.parse()?, scene.member.parse()?);
    let member = scene.member.clone();
    let role = scene
        .rest
        .create_role(guild)
        .name("Table Three")
        .permissions(Permissions::empty());
    let role = role.await?.model().await?.id;
    let none = Permissions::empty();
    let own = scene.house.application.id.get();
    let overwrites = [
        overwrite(guild.get(), PermissionOverwriteType::Role, none, RIGHTS),
        overwrite(role.get(), PermissionOverwriteType::Role, RIGHTS, none),
        overwrite(own, PermissionOverwriteType::Member, RIGHTS, none),
    ];
    let room = scene
        .rest
        .create_guild_channel(guild, "Table Three")
        .kind(ChannelType::GuildVoice)
        .permission_overwrites(&overwrites);
    let room = room.await?.model().await?.id;
    let lines = [
        format!("role {role} made: Table Three"),
        format!("channel {room} made: Table Three"),
    ];
    let chapter = "a role and a channel with overwrites by REST";
    scene.witness.hears(chapter, &lines).await?;
    scene.agrees(chapter).await?;

    let state = scene.house.state().await?;
    let all = list(&state["guilds"][0], "members");
    let found = all.iter().find(|one| text(one, "userId") == member);
    let roles = found.map_or(0, |one| list(one, "roles").len()) + 1;
    scene.rest.add_guild_member_role(guild, user, role).await?;
    let lobby = scene.channel("The Hearth").await?;
    let joined = scene.voice(Some(&lobby)).await?;
    let moved = scene
        .rest
        .update_guild_member(guild, user)
        .channel_id(Some(room));
    moved.await?.model().await?;
    let lines = [
        format!("member {member} changed: no nick, {roles} roles"),
        joined,
        format!("voice {member} in {room}"),
    ];
    let chapter = "a role given and a move by REST";
    scene.witness.hears(chapter, &lines).await?;

    says(scene).await?;

    scene
        .rest
        .update_channel(room)
        .name("Table Four")
        .await?
        .model()
        .await?;
    scene
        .rest
        .update_role(guild, role)
        .name(Some("Table Four"))
        .await?
        .model()
        .await?;
    scene.rest.delete_channel(room).await?;
    scene.rest.delete_role(guild, role).await?;
    let lines = [
        format!("channel {room} changed: Table Four"),
        format!("role {role} changed: Table Four"),
        format!("voice {member} away"),
        format!("channel {room} gone"),
        format!("role {role} gone"),
        format!("member {member} changed: no nick, {} roles", roles - 1),
    ];
    let chapter = "a room changed and taken back by REST";
    scene.witness.hears(chapter, &lines).await?;
    scene.proved.proves("acting by REST");
    scene.agrees(chapter).await
}

/// A message is said, changed and taken back.
async fn says(scene: &mut Scene) -> Outcome {
    let channel = scene.channel("game-night").await?.parse()?;
    let said = scene
        .rest
        .create_message(channel)
        .content("Table Three is open.");
    let said = said.await?.model().await?.id;
    let edit = scene
        .rest
        .update_message(channel, said)
        .content(Some("Table Three is full."));
    edit.await?.model().await?;
    scene.rest.delete_message(channel, said).await?;
    let own = scene.house.application.id;
    let lines = [
        format!("message {said} by {own}: Table Three is open."),
        format!("message {said} now: Table Three is full."),
        format!("message {said} gone"),
    ];
    scene.witness.hears("a message by REST", &lines).await
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

/// Somebody else spends the bucket, so that the library meets a real 429, which
/// `invalidRequests` counts.
pub(super) async fn limits(scene: &mut Scene) -> Outcome {
    let path = format!("/guilds/{}/roles", scene.guild);
    scene.house.spend(&path).await?;
    let refused = scene.house.state().await?["invalidRequests"].clone();
    let roles = scene.rest.roles(scene.guild.parse()?);
    let roles = roles.await?.models().await?;
    let state = scene.house.state().await?;
    assert_eq!(roles.len(), list(&state["guilds"][0], "roles").len());
    assert!(
        state["invalidRequests"].as_u64() > refused.as_u64(),
        "no 429 was waited out: {refused} before, {} after",
        state["invalidRequests"]
    );
    say("== a 429, waited out");
    scene.proved.proves("a 429 waited out");
    Ok(())
}
