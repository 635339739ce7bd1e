//! Webhooks.

use crate::snowflake::Snowflake;

/// An incoming webhook: whoever has its token says things in its channel.
#[derive(Clone, Debug)]
pub(crate) struct IncomingWebhook {
    pub(crate) id: Snowflake,
    pub(crate) channel_id: Snowflake,
    /// Who made it.
    pub(crate) user_id: Snowflake,
    /// The application, if its bot made it.
    pub(crate) application_id: Option<Snowflake>,
    pub(crate) name: String,
    /// Hash of a picture, which is not kept.
    pub(crate) avatar: Option<String>,
    pub(crate) token: String,
}
