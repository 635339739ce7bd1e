//! Bodies and ids of requests, read strictly.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use serde::de::DeserializeOwned;

use super::error::ControlError;
use crate::{snowflake::Snowflake, world::Refusal};

/// A JSON body of a known shape; a field nobody knows is an error, because a
/// misspelt one would be ignored.
pub(super) struct StrictJson<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ControlError> {
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| ControlError::Invalid(rejection.body_text()))?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| ControlError::Invalid(error.to_string()))
    }
}

/// An id in a path.
pub(super) fn id(text: &str) -> Result<Snowflake, ControlError> {
    text.parse()
        .map_err(|_| ControlError::Invalid(format!("{text:?} is not an id")))
}

/// The guild that a body names, where the path names none.
pub(super) fn guild_named(guild_id: Option<Snowflake>) -> Result<Snowflake, Refusal> {
    guild_id.ok_or_else(|| Refusal::invalid("guildId is missing"))
}

/// A name of 1 to 100 characters.
pub(super) fn name(text: String) -> Result<String, Refusal> {
    if (1..=100).contains(&text.chars().count()) {
        Ok(text)
    } else {
        Err(Refusal::invalid("a name has 1 to 100 characters"))
    }
}
