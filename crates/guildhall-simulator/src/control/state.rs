//! `GET /sim/state` and its live signal.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};

use crate::{
    cdn, clock,
    limits::Limiter,
    sessions::TransportCompression,
    snowflake::iso,
    state::{AppState, Core, Discord, RequestCounts, RunningScenario, Shared, Tasks},
    webhook::Webhook,
    world::{Channel, Guild, IncomingWebhook, Invite, Member, Thread, User, VoiceState},
};

/// Of each channel, the newest first.
const MESSAGES_SHOWN: usize = 50;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/state", get(state))
        .route("/events", get(events))
}

/// Everything, secrets included: they open nothing but the simulator.
async fn state(
    State(discord): State<Arc<Discord>>,
    State(limiter): State<Shared<Limiter>>,
    State(scenario): State<Shared<RunningScenario>>,
    State(counts): State<Shared<RequestCounts>>,
    State(webhook): State<Arc<Webhook>>,
) -> Json<Value> {
    let mut state = discord.with(show);
    state["application"]["publicKey"] = json!(webhook.public_key());
    state["application"]["webhookUrl"] = json!(webhook.url());
    state["invalidRequests"] = json!(limiter.lock().invalid());
    state["requests"] = json!(*counts.lock());
    state["scenario"] = json!(scenario.lock().scenario.name());
    Json(state)
}

/// Server-Sent Events named `changed`: whoever shows the state looks again.
/// Changes that come faster than they are read are told as one.
async fn events(
    State(discord): State<Arc<Discord>>,
    State(tasks): State<Arc<Tasks>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = discord.changes();
    // The first comes at once: what happened before the stream was open was not seen.
    changes.mark_changed();
    let told = stream::unfold(changes, async |mut changes| {
        changes.changed().await.ok()?;
        let count = *changes.borrow_and_update();
        Some((
            Ok(Event::default().event("changed").data(count.to_string())),
            changes,
        ))
    });
    let told = told.take_until(tasks.stop.clone().cancelled_owned());
    Sse::new(told).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

fn show(core: &mut Core) -> Value {
    let starts = core.sessions.start_limit(clock::now());
    let core = &*core;
    let world = &core.world;
    let users: Vec<_> = world.users.iter().map(show_user).collect();
    let guilds = world.guilds.iter().map(|guild| show_guild(core, guild));
    let guilds: Vec<_> = guilds.collect();
    let sessions: Vec<_> = core
        .sessions
        .iter()
        .map(|session| {
            json!({
                "id": session.id,
                "intents": session.intents.bits(),
                "shard": [session.shard.id, session.shard.count],
                "attached": session.is_attached(),
                "compress": session.query.compress.map(TransportCompression::name),
                "seq": session.last_seq(),
            })
        })
        .collect();
    json!({
        "application": {
            "id": world.application.id,
            "botToken": world.application.bot_token,
            "clientSecret": world.application.client_secret,
            "privilegedIntents": world.application.privileged_intents,
            "tokenResets": world.application.token_resets,
            "sessionStarts": {"total": starts.total, "remaining": starts.remaining},
        },
        "users": users,
        "guilds": guilds,
        "directMessages": world.directs.iter()
            .map(|direct| json!({"id": direct.id, "userId": direct.direct_with}))
            .collect::<Vec<_>>(),
        "sessions": sessions,
    })
}

fn show_user(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "globalName": user.global_name,
        "avatar": user.avatar,
        "avatarUrl": cdn::avatar_path(user),
        "bot": user.bot,
        "status": user.presence.status,
        "activities": user.presence.activities,
    })
}

fn show_guild(core: &Core, guild: &Guild) -> Value {
    let roles: Vec<_> = guild
        .roles
        .iter()
        .map(|role| {
            json!({
                "id": role.id,
                "name": role.name,
                "color": role.color,
                "position": role.position,
                "permissions": role.permissions,
                "managed": role.bot_id.is_some(),
            })
        })
        .collect();
    json!({
        "id": guild.id,
        "name": guild.name,
        "icon": guild.icon,
        "ownerId": guild.owner_id,
        "available": guild.available,
        "loadUserId": guild.load_user_id,
        "roles": roles,
        "channels": guild.channels.iter()
            .map(|channel| show_channel(core, guild, channel)).collect::<Vec<_>>(),
        "members": guild.members.iter().map(show_member).collect::<Vec<_>>(),
        "bans": guild.bans.iter()
            .map(|ban| json!({"userId": ban.user_id, "reason": ban.reason})).collect::<Vec<_>>(),
        "invites": guild.invites.iter()
            .map(show_invite).collect::<Vec<_>>(),
        "threads": guild.threads.iter().map(show_thread).collect::<Vec<_>>(),
        "webhooks": guild.webhooks.iter().map(show_webhook).collect::<Vec<_>>(),
        "auditLog": guild.audit_log.iter().collect::<Vec<_>>(),
        "voiceStates": guild.voice_states.iter()
            .map(|state| show_voice(guild, state)).collect::<Vec<_>>(),
    })
}

fn show_channel(core: &Core, guild: &Guild, channel: &Channel) -> Value {
    let messages: Vec<_> = guild
        .messages
        .of(channel.id)
        .take(MESSAGES_SHOWN)
        .map(|message| {
            json!({
                "id": message.id,
                "authorId": message.author_id,
                "content": message.content,
            })
        })
        .collect();
    json!({
        "id": channel.id,
        "type": channel.kind,
        "name": channel.name,
        "parentId": channel.parent_id,
        "position": channel.position,
        "userLimit": channel.user_limit,
        "voiceStatus": channel.voice_status,
        "voiceStartTime": channel.voice_started,
        "permissionOverwrites": channel.overwrites,
        "botSees": guild.shows(channel, core.world.bot_id()),
        "messages": messages,
    })
}

fn show_thread(thread: &Thread) -> Value {
    json!({
        "id": thread.channel.id,
        "type": thread.channel.kind,
        "name": thread.channel.name,
        "parentId": thread.channel.parent_id,
        "ownerId": thread.owner_id,
        "archived": thread.archived,
        "locked": thread.locked,
        "members": thread.members.iter().map(|member| member.user_id).collect::<Vec<_>>(),
    })
}

fn show_webhook(webhook: &IncomingWebhook) -> Value {
    json!({
        "id": webhook.id,
        "token": webhook.token,
        "name": webhook.name,
        "channelId": webhook.channel_id,
        "userId": webhook.user_id,
    })
}

fn show_invite(invite: &Invite) -> Value {
    json!({
        "code": invite.code,
        "channelId": invite.channel_id,
        "uses": invite.uses,
        "maxUses": invite.max_uses,
        "expiresAt": invite.expires_at.map(iso),
    })
}

fn show_member(member: &Member) -> Value {
    json!({
        "userId": member.user_id,
        "nick": member.nick,
        "roles": member.roles,
        "mute": member.mute,
        "deaf": member.deaf,
        "timeoutUntil": member.timeout.map(iso),
    })
}

/// A voice state, with the flags of the server that the member carries.
pub(super) fn show_voice(guild: &Guild, state: &VoiceState) -> Value {
    let member = guild.members.get(state.user_id);
    json!({
        "userId": state.user_id,
        "channelId": state.channel_id,
        "selfMute": state.self_mute,
        "selfDeaf": state.self_deaf,
        "selfStream": state.self_stream,
        "selfVideo": state.self_video,
        "suppress": state.suppress,
        "mute": member.is_some_and(|member| member.mute),
        "deaf": member.is_some_and(|member| member.deaf),
    })
}
