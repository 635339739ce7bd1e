//! The house that is judged: with one log as users run it, or with three.

use guildhall_gateway::Intents;
use reqwest::Client;

use crate::house::{Discord, House, ShardedHouse};

/// How a house is told who may see what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// GUILD_MEMBERS: of every change of a member.
    Members,
    /// GUILD_MODERATION: of bans, and of what the audit log says.
    Moderation,
    /// Of nothing: it looks people up.
    Nothing,
}

pub(crate) enum Rig {
    OneLog(House),
    ThreeLogs(ShardedHouse),
}

/// Sessions of the bot begin side by side, and REST has no limits here: those are other tests'.
const FLAGS: [&str; 8] = [
    "--interval",
    "identify=5ms",
    "--interval",
    "bucket=50ms",
    "--interval",
    "global=50ms",
    "--interval",
    "guild-create=1ms",
];

impl Rig {
    /// A house to whose Discord something happens before it starts.
    pub(crate) async fn start(logs: u16, told: Told, happens: impl AsyncFnOnce(&Discord)) -> Self {
        if logs > 1 {
            let intents = Intents {
                members: told == Told::Members,
                moderation: told == Told::Moderation,
            };
            let house = ShardedHouse::simulated(&FLAGS, logs, intents, happens);
            return Self::ThreeLogs(house.await);
        }
        let intents = match told {
            Told::Members => "members",
            Told::Moderation => "moderation",
            Told::Nothing => "",
        };
        let settings = [("DISCORD_INTENTS", intents)];
        let settings = &settings[usize::from(intents.is_empty())..];
        Self::OneLog(House::simulated(&FLAGS, settings, happens).await)
    }

    pub(crate) fn discord(&self) -> &Discord {
        match self {
            Self::OneLog(house) => &house.discord,
            Self::ThreeLogs(house) => &house.discord,
        }
    }

    pub(crate) fn http(&self) -> &Client {
        match self {
            Self::OneLog(house) => &house.http,
            Self::ThreeLogs(house) => &house.http,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        match self {
            Self::OneLog(house) => house.url(path),
            Self::ThreeLogs(house) => house.url(path),
        }
    }

    /// Signs a simulated user in; answers with the `Cookie` header.
    pub(crate) async fn sign_in(&self, user_id: &str) -> String {
        match self {
            Self::OneLog(house) => house.sign_in(user_id).await,
            Self::ThreeLogs(house) => house.sign_in(user_id).await,
        }
    }

    /// Waits until Discord is live for all of its logs.
    pub(crate) async fn until_live(&self) {
        match self {
            Self::OneLog(house) => house.until_ready(house.ports.web_ops).await,
            Self::ThreeLogs(house) => house.until_ready().await,
        }
    }
}
