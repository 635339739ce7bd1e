//! What this role asks of Discord and does there, one function for each.

/// What rooms are made of.
mod rooms;

use std::time::Duration;

use guildhall_http::driver_time::now;
use guildhall_model::{ChannelId, GuildId, RoleId, UserId, guild::Membership};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::timestamp::Timestamp;

#[cfg(test)]
pub(super) use rooms::ListedChannel;
pub(crate) use rooms::VoiceChannelDraft;

use super::{
    CallTerms, DiscordRest, RestAnswer, RestCall, RestError,
    error_code::{UNKNOWN_MEMBER, UNKNOWN_USER, UNKNOWN_VOICE_STATE},
    limiter::RestCaller,
    route::RestRoute,
};

/// One look-up, its waits for the limiter included.
const LOOK_UP_TIME: Duration = Duration::from_secs(30);
/// Member flag IS_GUEST: invited to one voice channel only.
const IS_GUEST: u64 = 1 << 4;

#[derive(Deserialize)]
struct MemberBody {
    roles: Vec<RoleId>,
    #[serde(default)]
    flags: u64,
    #[serde(default)]
    communication_disabled_until: Option<Timestamp>,
}

impl MemberBody {
    /// All of it is here: without a timeout there is none.
    fn membership(self) -> Membership {
        let is = if self.flags & IS_GUEST == 0 {
            Membership::member(self.roles)
        } else {
            Membership::guest(self.roles)
        };
        let until = self.communication_disabled_until;
        is.timed_out_until(until.map(|Timestamp(until)| until))
    }
}

/// What `/gateway/bot` answers.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GatewayBot {
    /// Where to connect, for a fresh session.
    pub url: String,
    /// How many fresh sessions are left.
    pub session_start_limit: SessionStartLimit,
}

/// The budget of IDENTIFYs, over all of the bot's processes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct SessionStartLimit {
    /// So many are left.
    pub remaining: u32,
    /// Until there are as many as ever again, in ms.
    pub reset_after: u64,
    /// So many shards may IDENTIFY together.
    #[serde(default)]
    pub max_concurrency: u32,
}

/// What is to be changed of a channel; `None`: nothing. A name is limited by Discord more than the
/// rest: a change without one does not wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChannelChange<'a> {
    /// 1 to 100 characters.
    pub name: Option<&'a str>,
    /// How many may be in it, 0: as many as like to.
    pub user_limit: Option<u32>,
}

/// A voice channel as Discord has it now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ChannelState {
    /// Its name.
    pub name: String,
    /// How many may be in it, 0: as many as like to.
    #[serde(default)]
    pub user_limit: u32,
}

/// What became of somebody who was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberAdded {
    /// They are a member now.
    Added,
    /// They were one before.
    AlreadyMember,
}

impl DiscordRest {
    /// Where the Gateway is, and how many sessions may still be started.
    pub(crate) async fn gateway_bot(&self) -> Result<GatewayBot, RestError> {
        self.look_up(RestRoute::GatewayBot).await?.read()
    }

    /// What a user is in a guild, as Discord sees it now.
    pub(crate) async fn membership(
        &self,
        guild_id: GuildId,
        user_id: UserId,
    ) -> Result<Membership, RestError> {
        match self.look_up(RestRoute::GetMember(guild_id, user_id)).await {
            Ok(answer) => Ok(answer.read::<MemberBody>()?.membership()),
            Err(error) if [UNKNOWN_MEMBER, UNKNOWN_USER].contains(&error.code()) => {
                Ok(Membership::Stranger)
            }
            Err(error) => Err(error),
        }
    }

    /// Moves a member who is in voice to another voice channel of the guild; `None`: out of voice.
    /// Refused by 40032 where they are not in voice.
    pub(crate) async fn move_member(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
        user_id: UserId,
        to: Option<ChannelId>,
    ) -> Result<(), RestError> {
        let body = json!({ "channel_id": to.map(|id| id.to_string()) });
        let route = RestRoute::ModifyMember(guild_id, user_id);
        self.act(terms, route, body).await.map(drop)
    }

    /// Changes a channel.
    pub(crate) async fn modify_channel(
        &self,
        terms: &CallTerms<'_>,
        channel_id: ChannelId,
        change: ChannelChange<'_>,
    ) -> Result<(), RestError> {
        let mut body = Map::new();
        if let Some(name) = change.name {
            body.insert("name".into(), name.into());
        }
        if let Some(user_limit) = change.user_limit {
            body.insert("user_limit".into(), user_limit.into());
        }
        let route = match change.name {
            Some(_) => RestRoute::RenameChannel(channel_id),
            None => RestRoute::ModifyChannel(channel_id),
        };
        self.act(terms, route, body.into()).await.map(drop)
    }

    /// Sets the status of a voice channel, at most 500 characters; none clears it.
    pub(crate) async fn set_voice_status(
        &self,
        terms: &CallTerms<'_>,
        channel_id: ChannelId,
        status: &str,
    ) -> Result<(), RestError> {
        let route = RestRoute::SetVoiceStatus(channel_id);
        let body = json!({ "status": status });
        self.act(terms, route, body).await.map(drop)
    }

    /// Where a member is in voice; `None`: nowhere in that guild.
    pub(crate) async fn voice_state(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
        user_id: UserId,
    ) -> Result<Option<ChannelId>, RestError> {
        #[derive(Deserialize)]
        struct VoiceState {
            channel_id: Option<ChannelId>,
        }
        let route = RestRoute::GetVoiceState(guild_id, user_id);
        match self.ask(terms, route).await {
            Ok(answer) => Ok(answer.read::<VoiceState>()?.channel_id),
            Err(error) if error.code() == UNKNOWN_VOICE_STATE => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A channel as it is now. Refused by 10003 where there is none.
    pub(crate) async fn channel(
        &self,
        terms: &CallTerms<'_>,
        channel_id: ChannelId,
    ) -> Result<ChannelState, RestError> {
        let route = RestRoute::GetChannel(channel_id);
        self.ask(terms, route).await?.read()
    }

    /// Adds somebody to a guild who has granted `guilds.join`; `access_token`: theirs.
    pub(crate) async fn add_member(
        &self,
        terms: &CallTerms<'_>,
        guild_id: GuildId,
        user_id: UserId,
        access_token: &str,
    ) -> Result<MemberAdded, RestError> {
        const CREATED: u16 = 201;
        let route = RestRoute::AddMember(guild_id, user_id);
        let body = json!({ "access_token": access_token });
        let answer = self.act(terms, route, body).await?;
        Ok(match answer.status {
            CREATED => MemberAdded::Added,
            _ => MemberAdded::AlreadyMember,
        })
    }

    async fn look_up(&self, route: RestRoute) -> Result<RestAnswer, RestError> {
        let terms = CallTerms {
            caller: RestCaller::LookUps,
            deadline: now() + LOOK_UP_TIME,
            longest_throttle: LOOK_UP_TIME,
            reason: None,
        };
        self.ask(&terms, route).await
    }

    async fn ask(&self, terms: &CallTerms<'_>, route: RestRoute) -> Result<RestAnswer, RestError> {
        let (body, terms) = (None, *terms);
        self.call(RestCall { route, body, terms }).await
    }

    async fn act(
        &self,
        terms: &CallTerms<'_>,
        route: RestRoute,
        body: Value,
    ) -> Result<RestAnswer, RestError> {
        let (body, terms) = (Some(body), *terms);
        self.call(RestCall { route, body, terms }).await
    }
}
