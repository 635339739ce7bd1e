//! What the login needs of the world and of the gateway.

use futures_util::future::BoxFuture;
use guildhall_model::{GuildId, Position, UserId};

/// The world and the gateway, as far as a login needs them.
pub(crate) trait WorldAccess: Send + Sync {
    /// Of these guilds, those the bot is in as far as it is known at this moment, in the same
    /// order. Good for an answer, never for what is kept: a guild may come later.
    fn shared(&self, guilds: Vec<GuildId>) -> Vec<GuildId>;

    /// The head of each log, those first that one of these guilds is in. None as long as the world
    /// has not come.
    fn heads(&self, guilds: &[GuildId]) -> Vec<Position>;

    /// Has the gateway begin to watch what rights a user has, so that the first stream need not
    /// wait. Resolves when it does so, or gave up.
    fn watch(&self, user: UserId, guilds: Vec<GuildId>) -> BoxFuture<'_, ()>;
}
