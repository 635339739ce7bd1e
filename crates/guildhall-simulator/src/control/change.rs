//! Create, edit and delete, once for all that `/sim` moves: a request is the ids of its
//! path and a body; it becomes one change of the world, which every session is told.
//!
//! The files of channels, roles, members and so on say which bodies there are, and which
//! change of the world each means.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    routing::{MethodFilter, MethodRouter, on},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    error::{ControlError, ControlResult},
    read::{StrictJson, id},
};
use crate::{
    clock,
    snowflake::Snowflake,
    state::{AppState, Discord},
    world::{Changed, World},
};

/// `POST` that answers with what it made.
pub(super) fn create<const N: usize, B>(
    make: fn(&mut World, [Snowflake; N], B) -> Changed<Value>,
) -> MethodRouter<AppState>
where
    B: DeserializeOwned + Send + 'static,
{
    on(
        MethodFilter::POST,
        async move |State(discord): State<Arc<Discord>>,
                    Path(path): Path<Vec<String>>,
                    StrictJson(body): StrictJson<B>| {
            let ids = ids(&path)?;
            let answer = discord.change(clock::now(), |world| make(world, ids, body))?;
            ControlResult::Ok(Json(answer))
        },
    )
}

/// `PATCH` that answers `{}`.
pub(super) fn edit<const N: usize, B>(
    change: fn(&mut World, [Snowflake; N], B) -> Changed<()>,
) -> MethodRouter<AppState>
where
    B: DeserializeOwned + Send + 'static,
{
    with_body(MethodFilter::PATCH, change)
}

/// `DELETE` that answers `{}` and reads no body.
pub(super) fn delete<const N: usize>(
    remove: fn(&mut World, [Snowflake; N]) -> Changed<()>,
) -> MethodRouter<AppState> {
    without_body(MethodFilter::DELETE, remove)
}

/// Any method that answers `{}`.
pub(super) fn with_body<const N: usize, B>(
    method: MethodFilter,
    change: fn(&mut World, [Snowflake; N], B) -> Changed<()>,
) -> MethodRouter<AppState>
where
    B: DeserializeOwned + Send + 'static,
{
    on(
        method,
        async move |State(discord): State<Arc<Discord>>,
                    Path(path): Path<Vec<String>>,
                    StrictJson(body): StrictJson<B>| {
            let ids = ids(&path)?;
            discord.change(clock::now(), |world| change(world, ids, body))?;
            ControlResult::Ok(Json(json!({})))
        },
    )
}

/// Any method that answers `{}` and reads no body.
pub(super) fn without_body<const N: usize>(
    method: MethodFilter,
    change: fn(&mut World, [Snowflake; N]) -> Changed<()>,
) -> MethodRouter<AppState> {
    on(
        method,
        async move |State(discord): State<Arc<Discord>>, Path(path): Path<Vec<String>>| {
            let ids = ids(&path)?;
            discord.change(clock::now(), |world| change(world, ids))?;
            ControlResult::Ok(Json(json!({})))
        },
    )
}

/// The ids of a path, in their order. They are looked at after the body: of two mistakes
/// the body's is told.
fn ids<const N: usize>(path: &[String]) -> Result<[Snowflake; N], ControlError> {
    let ids: Vec<_> = path.iter().map(|text| id(text)).collect::<Result<_, _>>()?;
    ids.try_into()
        .map_err(|_| ControlError::Unknown("no such path under /sim".to_owned()))
}
