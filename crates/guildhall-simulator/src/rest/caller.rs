//! Who calls: the bot or a signed-in user.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use super::{ApiError, call::Call};
use crate::{
    clock,
    grants::{Access, Grants},
    snowflake::Snowflake,
    state::{AppState, Discord},
    world::Cause,
};

/// Longest reason that the audit log takes.
const LONGEST_REASON: usize = 512;

/// Whoever an `Authorization` header proves.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    Bot,
    User(Access),
}

/// The bot, and nobody else, with the reason it gives for what it does.
pub(crate) struct Bot {
    discord: Arc<Discord>,
    reason: Option<String>,
}

/// Whoever knows what is in the path: a token there is all that such a call asks for, and
/// what it does is the bot's doing.
pub(super) struct Anybody(pub(super) Bot);

/// Anybody at all; but who says who they are has to prove it.
pub(super) struct Whoever;

/// A person who signed in, and nobody else.
pub(crate) struct Person(pub(crate) Access);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        identify(&parts.headers, &state.discord, &state.grants).ok_or(ApiError::UNAUTHORIZED)
    }
}

impl FromRequestParts<AppState> for Bot {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match identify(&parts.headers, &state.discord, &state.grants) {
            Some(Caller::Bot) => Ok(Self {
                discord: state.discord.clone(),
                reason: reason(&parts.headers)?,
            }),
            _ => Err(ApiError::UNAUTHORIZED),
        }
    }
}

impl FromRequestParts<AppState> for Anybody {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(Self(Bot {
            discord: state.discord.clone(),
            reason: None,
        }))
    }
}

impl FromRequestParts<AppState> for Whoever {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let says = parts.headers.contains_key(header::AUTHORIZATION);
        if says && identify(&parts.headers, &state.discord, &state.grants).is_none() {
            return Err(ApiError::UNAUTHORIZED);
        }
        Ok(Self)
    }
}

impl FromRequestParts<AppState> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match identify(&parts.headers, &state.discord, &state.grants) {
            Some(Caller::User(access)) => Ok(Self(access)),
            _ => Err(ApiError::UNAUTHORIZED),
        }
    }
}

impl Bot {
    /// The bot's own id, which is the application's.
    pub(super) fn id(&self) -> Snowflake {
        self.discord.with(|core| core.world.bot_id())
    }

    /// Looks at the world and changes it in one critical section. What was
    /// changed before a refusal stays changed, and is told.
    pub(super) fn act<T>(
        &self,
        act: impl FnOnce(&mut Call<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let (answer, told) = self.discord.perform(clock::now(), |world| {
            let cause = Cause {
                actor: world.bot_id(),
                reason: self.reason.clone(),
            };
            let mut call = Call::new(world, cause, clock::date());
            let answer = act(&mut call);
            let events = call.into_events();
            ((answer, !events.is_empty()), events)
        });
        if told {
            self.discord.notify_changed();
        }
        answer
    }
}

pub(super) fn identify(
    headers: &HeaderMap,
    discord: &Discord,
    grants: &Mutex<Grants>,
) -> Option<Caller> {
    let (scheme, token) = authorization(headers)?;
    if scheme == "Bot" {
        let right: bool = discord.with(|core| {
            core.world
                .application
                .bot_token
                .as_bytes()
                .ct_eq(token.as_bytes())
                .into()
        });
        right.then_some(Caller::Bot)
    } else if scheme == "Bearer" {
        let access = grants.lock().access(token, clock::now());
        access.map(Caller::User)
    } else {
        None
    }
}

/// Scheme and token of the `Authorization` header.
pub(super) fn authorization(headers: &HeaderMap) -> Option<(&str, &str)> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')
}

/// `X-Audit-Log-Reason`: URL-encoded UTF-8.
fn reason(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    const HEADER: HeaderName = HeaderName::from_static("x-audit-log-reason");
    let Some(given) = headers.get(HEADER) else {
        return Ok(None);
    };
    let reason = String::from_utf8_lossy(&decode(given.as_bytes())).into_owned();
    if reason.chars().count() > LONGEST_REASON {
        return Err(ApiError::field(
            "X-Audit-Log-Reason",
            "BASE_TYPE_MAX_LENGTH",
            format!("Must be {LONGEST_REASON} or fewer in length."),
        ));
    }
    Ok((!reason.is_empty()).then_some(reason))
}

/// Percent-decoding; what is no escape stands for itself.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escaped {
            decoded.push(byte);
            rest = &tail[2..];
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    decoded
}
