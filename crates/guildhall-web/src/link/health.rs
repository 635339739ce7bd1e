//! How the link is, in words for an operator.

use guildhall_link::End;
use guildhall_ports::{Check, Condition};

use crate::WebSettingNames;

/// How the link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkHealth {
    /// Never tried yet.
    Starting,
    /// Connected; the replica is not yet where the log is.
    CatchingUp,
    /// The replica follows the log.
    Up,
    /// Nobody answers at the gateway's address.
    Unreachable(String),
    /// The gateway refused our token.
    Unauthorized,
    /// Something answers that is no gateway of ours, with this HTTP status.
    NoGateway(u16),
    /// The last connection ended.
    Ended(End),
}

impl LinkHealth {
    /// The link's line of `/readyz`. Never failing: without the link the role serves on what it
    /// has, and whether that is enough is the replica's line.
    pub(crate) fn check(&self, names: &WebSettingNames) -> Check {
        let condition = match self {
            Self::Up => Condition::Passing,
            _ => Condition::Degraded,
        };
        Check {
            name: "link",
            condition,
            detail: self.detail(names),
        }
    }

    /// One sentence: what is so, and what to do about it.
    pub(crate) fn detail(&self, names: &WebSettingNames) -> String {
        let WebSettingNames {
            gateway_url,
            link_token,
            ..
        } = names;
        match self {
            Self::Starting => "The gateway has not been dialled yet.".to_owned(),
            Self::CatchingUp => "Connected to the gateway, catching up with its log.".to_owned(),
            Self::Up => "Connected to the gateway.".to_owned(),
            Self::Unreachable(why) => format!(
                "The gateway cannot be reached ({why}): check that it runs and that {gateway_url} \
                 is its address."
            ),
            Self::Unauthorized => {
                format!("The gateway refused {link_token}: give both roles the same {link_token}.")
            }
            Self::NoGateway(status) => format!(
                "What answers at {gateway_url} is not a Guildhall gateway (HTTP status {status}): \
                 check the address and its path, /link."
            ),
            Self::Ended(end) => {
                format!("The connection to the gateway ended ({end}); dialling again.")
            }
        }
    }

    /// Whether only an operator can cure it.
    pub(crate) fn needs_operator(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized | Self::NoGateway(_) | Self::Ended(End::Version { .. })
        )
    }
}
