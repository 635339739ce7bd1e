//! The one sticker there is: everybody's, of the one pack that Discord offers here.

use axum::Json;
use serde_json::{Value, json};

use super::{ApiError, ApiResult, params::Ids};
use crate::snowflake::Snowflake;

const STICKER: &str = "749054660769218631";
const PACK: &str = "847199849233514549";
const NAME: &str = "Wave";

/// `GET /sticker-packs`, which asks for no token; neither do the others.
pub(super) async fn packs() -> Json<Value> {
    Json(json!({"sticker_packs": [pack()]}))
}

/// `GET /sticker-packs/{pack_id}`
pub(super) async fn read_pack(Ids([id]): Ids<1>) -> ApiResult {
    if id.to_string() == PACK {
        Ok(Json(pack()))
    } else {
        Err(ApiError::UNKNOWN_STICKER)
    }
}

/// `GET /stickers/{sticker_id}`
pub(super) async fn read(Ids([id]): Ids<1>) -> ApiResult {
    if id.to_string() == STICKER {
        Ok(Json(sticker()))
    } else {
        Err(ApiError::UNKNOWN_STICKER)
    }
}

/// Sticker Item object of one that a message shows.
pub(super) fn item(id: Snowflake) -> Option<Value> {
    (id.to_string() == STICKER).then(|| json!({"id": STICKER, "name": NAME, "format_type": 1}))
}

fn pack() -> Value {
    json!({
        "id": PACK,
        "name": "Greetings",
        "sku_id": "847199849233514547",
        "cover_sticker_id": STICKER,
        "description": "For saying hello.",
        "banner_asset_id": "761773777976819706",
        "stickers": [sticker()],
    })
}

fn sticker() -> Value {
    json!({
        "id": STICKER,
        "pack_id": PACK,
        "name": NAME,
        "description": "Somebody waves hello",
        "tags": "wave, hello",
        "type": 1,
        "format_type": 1,
        "sort_value": 1,
    })
}
