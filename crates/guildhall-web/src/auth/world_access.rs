//! What the login needs of the world and of the gateway.

use futures_util::future::BoxFuture;
use guildhall_link::{
    frame::{AdmitRequestBody, Admitted},
    receiver::Unanswered,
};
use guildhall_model::{GuildId, Position, Revocation, UserId, command::CommandError};

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

    /// Has a gateway keep something that is good once. Resolves within some seconds: whether nobody had
    /// it kept before.
    fn keep_once(&self, revocation: Revocation) -> BoxFuture<'_, Result<bool, Unanswered>>;

    /// Has the gateway look at an invite, and let somebody in by it. Resolves within some seconds.
    fn admit(&self, request: AdmitRequestBody) -> BoxFuture<'_, Result<Admitted, NotAdmitted>>;
}

/// Why an invite lets nobody in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAdmitted {
    /// The gateway said so.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// It did not say anything, or does not know what an invite is.
    #[error("the gateway did not answer ({0:?})")]
    Unanswered(Unanswered),
}

impl NotAdmitted {
    /// In a word, for programs.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Refused(error) => error.code.to_string(),
            Self::Unanswered(_) => "unavailable".to_owned(),
        }
    }
}
