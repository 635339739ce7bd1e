//! Direct messages: opened, read, closed. What is said in them comes as in other channels.

use axum::Json;

use super::{ApiError, ApiResult, call::Call, caller::Bot, form::Form};
use crate::{
    snowflake::Snowflake,
    world::{Edit, direct_object},
};

/// `POST /users/@me/channels`
pub(super) async fn open(bot: Bot, mut form: Form) -> ApiResult {
    form.must_have("recipient_id");
    let recipient = form.id("recipient_id");
    form.done()?;
    let Edit::Set(user_id) = recipient else {
        return Err(ApiError::BAD_JSON);
    };
    bot.act(|call| {
        let user = call.world.users.get(user_id);
        let user = user.ok_or(ApiError::UNKNOWN_USER)?;
        if user.id == call.bot {
            return Err(ApiError::INVALID_RECIPIENT);
        }
        if user.bot {
            return Err(ApiError::CANNOT_WRITE_TO);
        }
        let id = call.world.direct_channel(user_id)?;
        shape(call, id)
    })
}

/// The channel as it is now.
pub(super) fn shape(call: &Call<'_>, id: Snowflake) -> ApiResult {
    let direct = call.world.directs.get(id);
    let direct = direct.ok_or(ApiError::UNKNOWN_CHANNEL)?;
    Ok(Json(direct_object(direct, &call.world.users)))
}
