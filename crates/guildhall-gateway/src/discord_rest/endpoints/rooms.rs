//! What rooms are made of: channels, overwrites, roles and a message.

use guildhall_model::{
    ChannelId, GuildId, Permissions, RoleId, UserId,
    guild::{Overwrite, OverwriteTarget},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{CallTerms, DiscordRest, RestAnswer, RestError, RestRoute};
use crate::discord_rest::error_code::{
    UNKNOWN_CHANNEL, UNKNOWN_MEMBER, UNKNOWN_OVERWRITE, UNKNOWN_ROLE,
};

/// Discord's type of a voice channel.
const VOICE: u8 = 2;

/// A voice channel that is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VoiceChannelDraft<'a> {
    /// 1 to 100 characters.
    pub name: &'a str,
    /// How many may be in it, 0: as many as like to.
    pub user_limit: u32,
    /// The category it is in.
    pub parent_id: Option<ChannelId>,
    /// Who may do what in it.
    pub overwrites: &'a [Overwrite],
}

/// A channel as a guild's list has it, with what identifies one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedChannel {
    /// The channel.
    pub channel_id: ChannelId,
    /// Its name; of a direct message channel, which no guild has, it is empty.
    pub name: String,
    /// Whether it is a voice channel.
    pub is_voice: bool,
    /// How many may be in it, 0: as many as like to.
    pub user_limit: u32,
    /// The category it is in.
    pub parent_id: Option<ChannelId>,
    /// Who may do what in it.
    pub overwrites: Vec<Overwrite>,
}

/// A role as a guild's list has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ListedRole {
    /// The role.
    #[serde(rename = "id")]
    pub role_id: RoleId,
    /// Its name.
    pub name: String,
}

/// An overwrite in Discord's words.
#[derive(Serialize, Deserialize)]
struct OverwriteBody {
    id: RoleId,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    allow: Permissions,
    #[serde(default)]
    deny: Permissions,
}

#[derive(Deserialize)]
struct ChannelBody {
    id: ChannelId,
    #[serde(default)]
    name: Option<String>,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    user_limit: Option<u32>,
    #[serde(default)]
    parent_id: Option<ChannelId>,
    #[serde(default)]
    permission_overwrites: Vec<OverwriteBody>,
}

impl DiscordRest {
    /// Makes a voice channel.
    pub(crate) async fn create_voice_channel(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
        draft: VoiceChannelDraft<'_>,
    ) -> Result<ChannelId, RestError> {
        let overwrites = draft.overwrites.iter().copied();
        let overwrites: Vec<OverwriteBody> = overwrites.map(OverwriteBody::from).collect();
        let mut body = json!({
            "name": draft.name,
            "type": VOICE,
            "user_limit": draft.user_limit,
            "permission_overwrites": overwrites,
        });
        if let Some(parent_id) = draft.parent_id {
            body["parent_id"] = parent_id.to_string().into();
        }
        let route = RestRoute::CreateChannel(guild_id);
        let answer = self.act(terms, route, body).await?;
        Ok(made::<ChannelBody>(&answer)?.id)
    }

    /// Deletes a channel; one that is gone is deleted.
    pub(crate) async fn delete_channel(
        &self,
        terms: &CallTerms<'_>,
        channel_id: ChannelId,
    ) -> Result<(), RestError> {
        let route = RestRoute::DeleteChannel(channel_id);
        unless(self.ask(terms, route).await, &[UNKNOWN_CHANNEL])
    }

    /// A guild's channels, without those that the bot may not view.
    pub(crate) async fn channels(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
    ) -> Result<Vec<ListedChannel>, RestError> {
        let answer = self.ask(terms, RestRoute::ListChannels(guild_id)).await?;
        let channels = answer.read::<Vec<ChannelBody>>()?.into_iter();
        Ok(channels.map(ListedChannel::from).collect())
    }

    /// Sets what one role or member may in a channel, whatever was set before.
    pub(crate) async fn put_overwrite(
        &self,
        terms: &CallTerms<'_>,
        channel_id: ChannelId,
        overwrite: Overwrite,
    ) -> Result<(), RestError> {
        let route = RestRoute::PutOverwrite(channel_id, overwrite.target);
        let body = OverwriteBody::from(overwrite);
        let body = json!({"type": body.kind, "allow": body.allow, "deny": body.deny});
        self.act(terms, route, body).await.map(drop)
    }

    /// Takes that away; where there is none it is taken away.
    pub(crate) async fn delete_overwrite(
        &self,
        terms: &CallTerms<'_>,
        channel_id: ChannelId,
        target: OverwriteTarget,
    ) -> Result<(), RestError> {
        let route = RestRoute::DeleteOverwrite(channel_id, target);
        unless(self.ask(terms, route).await, &[UNKNOWN_OVERWRITE])
    }

    /// Makes a role that gives nothing by itself.
    pub(crate) async fn create_role(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
        name: &str,
    ) -> Result<RoleId, RestError> {
        // Without permissions Discord gives it those of @everyone.
        let body = json!({"name": name, "permissions": "0"});
        let route = RestRoute::CreateRole(guild_id);
        let answer = self.act(terms, route, body).await?;
        Ok(made::<ListedRole>(&answer)?.role_id)
    }

    /// Deletes a role, from all who have it too; one that is gone is deleted.
    pub(crate) async fn delete_role(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
        role_id: RoleId,
    ) -> Result<(), RestError> {
        let route = RestRoute::DeleteRole(guild_id, role_id);
        unless(self.ask(terms, route).await, &[UNKNOWN_ROLE])
    }

    /// A guild's roles.
    pub(crate) async fn roles(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
    ) -> Result<Vec<ListedRole>, RestError> {
        self.ask(terms, RestRoute::ListRoles(guild_id))
            .await?
            .read()
    }

    /// Gives a member a role, which they may have already.
    pub(crate) async fn give_role(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
        user_id: UserId,
        role_id: RoleId,
    ) -> Result<(), RestError> {
        let route = RestRoute::PutMemberRole(guild_id, user_id, role_id);
        self.ask(terms, route).await.map(drop)
    }

    /// Takes a role from a member, who need not have it, or be there.
    pub(crate) async fn take_role(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
        user_id: UserId,
        role_id: RoleId,
    ) -> Result<(), RestError> {
        let route = RestRoute::DeleteMemberRole(guild_id, user_id, role_id);
        let taken = self.ask(terms, route).await;
        unless(taken, &[UNKNOWN_ROLE, UNKNOWN_MEMBER])
    }

    /// Writes a message that calls nobody. `nonce`: up to 25 characters; for some minutes Discord
    /// writes no second one with the same.
    pub(crate) async fn create_message(
        &self,
        terms: &CallTerms<'_>,
        channel_id: ChannelId,
        content: &str,
        nonce: &str,
    ) -> Result<(), RestError> {
        let body = json!({
            "content": content,
            "nonce": nonce,
            "enforce_nonce": true,
            "allowed_mentions": {"parse": []},
        });
        let route = RestRoute::CreateMessage(channel_id);
        self.act(terms, route, body).await.map(drop)
    }
}

/// What was made. Whatever of the answer can't be read, it was made.
fn made<T: DeserializeOwned>(answer: &RestAnswer) -> Result<T, RestError> {
    answer.read().map_err(|error| match error {
        RestError::Unreachable(why) => RestError::Unknown(why),
        error => error,
    })
}

/// These refusals say that it is so already.
fn unless(answer: Result<RestAnswer, RestError>, already: &[u64]) -> Result<(), RestError> {
    match answer {
        Err(error) if already.contains(&error.code()) => Ok(()),
        answer => answer.map(drop),
    }
}

impl From<Overwrite> for OverwriteBody {
    fn from(overwrite: Overwrite) -> Self {
        let (id, kind) = match overwrite.target {
            OverwriteTarget::Role(role_id) => (role_id, 0),
            OverwriteTarget::Member(UserId(id)) => (RoleId(id), 1),
        };
        Self {
            id,
            kind,
            allow: overwrite.allow,
            deny: overwrite.deny,
        }
    }
}

impl From<OverwriteBody> for Overwrite {
    fn from(body: OverwriteBody) -> Self {
        Self {
            target: match body.kind {
                0 => OverwriteTarget::Role(body.id),
                _ => OverwriteTarget::Member(UserId(body.id.0)),
            },
            allow: body.allow,
            deny: body.deny,
        }
    }
}

impl From<ChannelBody> for ListedChannel {
    fn from(body: ChannelBody) -> Self {
        let overwrites = body.permission_overwrites.into_iter();
        Self {
            channel_id: body.id,
            name: body.name.unwrap_or_default(),
            is_voice: body.kind == VOICE,
            user_limit: body.user_limit.unwrap_or_default(),
            parent_id: body.parent_id,
            overwrites: overwrites.map(Overwrite::from).collect(),
        }
    }
}
