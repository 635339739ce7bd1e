//! Paths and queries, read as Discord reads them.

use std::{collections::HashMap, ops::RangeInclusive};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use super::{ApiError, form::out_of};
use crate::snowflake::Snowflake;

/// The ids of a path, in their order.
pub(super) struct Ids<const N: usize>(pub(super) [Snowflake; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for Ids<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::NOT_FOUND)?;
        let ids: Vec<_> = params
            .iter()
            .map(|(name, text)| id_in(name, text))
            .collect::<Result<_, _>>()?;
        ids.try_into().map(Self).map_err(|_| ApiError::NOT_FOUND)
    }
}

/// The parts of a path as they are, in their order; 404 where one is no UTF-8.
pub(super) struct Texts<const N: usize>(pub(super) [String; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for Texts<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::NOT_FOUND)?;
        let texts: Vec<_> = params.iter().map(|(_, text)| text.to_owned()).collect();
        texts.try_into().map(Self).map_err(|_| ApiError::NOT_FOUND)
    }
}

/// An id in a path or query.
pub(super) fn id_in(field: &str, text: &str) -> Result<Snowflake, ApiError> {
    text.parse().map_err(|_| {
        ApiError::field(
            field,
            "NUMBER_TYPE_COERCE",
            format!("Value \"{text}\" is not snowflake."),
        )
    })
}

/// The query. What Discord does not know it ignores.
pub(super) struct Query(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        ))
    }
}

impl Query {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), Some("true" | "True" | "1"))
    }

    /// An id, or nothing: `0`, before which and after which nothing is, says no more.
    pub(super) fn id(&self, name: &str) -> Result<Option<Snowflake>, ApiError> {
        let named = self.text(name).filter(|text| *text != "0");
        named.map(|text| id_in(name, text)).transpose()
    }

    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<usize>,
        absent: usize,
    ) -> Result<usize, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(absent);
        };
        let number: usize = text.parse().map_err(|_| {
            let message = format!("Value \"{text}\" is not int.");
            ApiError::field(name, "NUMBER_TYPE_COERCE", message)
        })?;
        match out_of(number, &range) {
            None => Ok(number),
            Some((code, message)) => Err(ApiError::field(name, code, message)),
        }
    }
}
