//! Who calls: the bot or a signed-in user.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use subtle::ConstantTimeEq;

use super::ApiError;
use crate::{clock, discord::Discord, oauth::Access};

/// Whoever an `Authorization` header proves.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    Bot,
    User(Access),
}

/// The bot, and nobody else.
pub(crate) struct Bot;

impl FromRequestParts<Arc<Discord>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        discord: &Arc<Discord>,
    ) -> Result<Self, ApiError> {
        identify(&parts.headers, discord).ok_or(ApiError::Unauthorized)
    }
}

impl FromRequestParts<Arc<Discord>> for Bot {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        discord: &Arc<Discord>,
    ) -> Result<Self, ApiError> {
        match identify(&parts.headers, discord) {
            Some(Caller::Bot) => Ok(Self),
            _ => Err(ApiError::Unauthorized),
        }
    }
}

fn identify(headers: &HeaderMap, discord: &Discord) -> Option<Caller> {
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
        discord
            .with_grants(|grants| grants.access(token, clock::now()))
            .map(Caller::User)
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
