//! Invites.

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::snowflake::Snowflake;

/// A way into a guild, through one of its channels.
#[derive(Clone, Debug)]
pub(crate) struct Invite {
    pub(crate) code: String,
    pub(crate) channel_id: Snowflake,
    pub(crate) inviter_id: Snowflake,
    /// Seconds; 0 never ends.
    pub(crate) max_age: u32,
    /// 0 is any number.
    pub(crate) max_uses: u32,
    pub(crate) temporary: bool,
    pub(crate) uses: u32,
    pub(crate) created_at: OffsetDateTime,
    /// It is gone then, and nobody is told.
    pub(crate) expires_at: Option<OffsetDateTime>,
}

impl Invite {
    /// Whether its time has passed.
    pub(crate) fn is_over(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// What the audit log tells of it.
    pub(crate) fn facts(&self) -> Value {
        json!({
            "code": self.code,
            "channel_id": self.channel_id,
            "inviter_id": self.inviter_id,
            "uses": self.uses,
            "max_uses": self.max_uses,
            "max_age": self.max_age,
            "temporary": self.temporary,
        })
    }
}
