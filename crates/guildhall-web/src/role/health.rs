//! The role's lines of `/readyz`.

use guildhall_link::frame::Discord;
use guildhall_ports::{Check, Condition, Health};

use crate::{link::Link, replica::Replica};

/// Answers from memory.
pub(super) struct WebHealth {
    replica: Replica,
    link: Link,
}

impl WebHealth {
    pub(super) fn new(replica: Replica, link: Link) -> Self {
        Self { replica, link }
    }
}

impl Health for WebHealth {
    fn checks(&self) -> Vec<Check> {
        vec![self.link.check(), self.world(), self.discord()]
    }
}

impl WebHealth {
    fn world(&self) -> Check {
        let (condition, detail) = match self.replica.positions() {
            Some(positions) => {
                let positions: Vec<_> = positions.iter().map(|at| at.to_string()).collect();
                let positions = positions.join(", ");
                (
                    Condition::Passing,
                    format!("The world is complete at {positions}."),
                )
            }
            None => (
                Condition::Failing,
                "No world yet: it comes from the gateway, see the line about the link.".to_owned(),
            ),
        };
        Check {
            name: "world",
            condition,
            detail,
        }
    }

    fn discord(&self) -> Check {
        let (condition, detail) = match self.replica.freshness().discord() {
            Discord::Live => (
                Condition::Passing,
                "Discord's events arrive as they happen.",
            ),
            Discord::Resuming => (Condition::Degraded, "The gateway is resuming with Discord."),
            Discord::Down => (
                Condition::Degraded,
                "The gateway has no connection to Discord; its own /readyz says why.",
            ),
            Discord::Unknown => (
                Condition::Degraded,
                "Not known how Discord is while the link to the gateway is down.",
            ),
        };
        Check {
            name: "discord",
            condition,
            detail: detail.to_owned(),
        }
    }
}
