//! The role's lines of `/readyz`: from memory, at once.

use guildhall_link::frame::{Discord, DiscordStatus};
use guildhall_ports::{Check, Condition, Health};
use tokio::sync::watch;

use crate::{GatewaySettingNames, ShardId, sequencer::ReadinessReport};

/// Reads what the sequencers published last. Discord being down is *degraded*: what is known is still
/// served.
#[derive(Clone, Debug)]
pub(crate) struct GatewayHealth {
    /// At least one.
    pub shards: Vec<ShardHealth>,
    pub names: GatewaySettingNames,
}

/// What the sequencer of one shard publishes.
#[derive(Clone, Debug)]
pub(crate) struct ShardHealth {
    pub shard: ShardId,
    pub status: watch::Receiver<DiscordStatus>,
    pub report: watch::Receiver<ReadinessReport>,
    pub stalled: watch::Receiver<bool>,
}

impl Health for GatewayHealth {
    fn checks(&self) -> Vec<Check> {
        let mut lines: [Vec<Check>; 3] = [Vec::new(), Vec::new(), Vec::new()];
        for shard in &self.shards {
            for (line, check) in lines.iter_mut().zip(shard.checks(&self.names)) {
                line.push(check);
            }
        }
        let lines = lines.into_iter();
        lines
            .filter_map(|line| together(&self.shards, line))
            .collect()
    }
}

impl ShardHealth {
    fn checks(&self, names: &GatewaySettingNames) -> [Check; 3] {
        let status = self.status.borrow().clone();
        let report = self.report.borrow().clone();
        let stalled = *self.stalled.borrow();
        [
            discord(&status, &report, stalled),
            guilds(&status, &report, names),
            journal(stalled, names),
        ]
    }
}

/// Named in a line at most.
const SHARDS_NAMED: usize = 5;

/// One line for the same check of every shard: the worst, and whose it is.
fn together(shards: &[ShardHealth], checks: Vec<Check>) -> Option<Check> {
    if let [only] = checks.as_slice() {
        return Some(only.clone());
    }
    let troubled = checks.iter().zip(shards);
    let troubled = troubled.filter(|(check, _)| check.condition != Condition::Passing);
    let troubled: Vec<_> = troubled.collect();
    let worst = troubled
        .iter()
        .max_by_key(|(check, _)| check.condition == Condition::Failing);
    let Some((worst, _)) = worst else {
        return checks.into_iter().next();
    };
    let named = troubled.iter().take(SHARDS_NAMED);
    let named = named.map(|(check, of)| format!("shard {}: {}", of.shard.number, check.detail));
    let named = named.collect::<Vec<_>>().join("; ");
    let (count, all) = (troubled.len(), checks.len());
    Some(Check {
        name: worst.name,
        condition: worst.condition,
        detail: format!("{count} of {all} shards: {named}"),
    })
}

fn discord(status: &DiscordStatus, report: &ReadinessReport, stalled: bool) -> Check {
    let (condition, detail) = match (status.discord, &report.lost) {
        (Discord::Live, _) => (Condition::Passing, "connected".to_owned()),
        (_, Some(lost)) => {
            let tries = match lost.tries {
                0 | 1 => "trying again".to_owned(),
                tries => format!("{tries} tries in a row, trying on"),
            };
            (Condition::Degraded, format!("{}; {tries}", lost.why))
        }
        (_, None) if stalled => (Condition::Degraded, "waiting for the journal".to_owned()),
        (_, None) => (Condition::Degraded, "connecting".to_owned()),
    };
    Check {
        name: "discord",
        condition,
        detail,
    }
}

fn journal(stalled: bool, names: &GatewaySettingNames) -> Check {
    let (condition, detail) = if stalled {
        let data_dir = names.data_dir;
        let detail =
            format!("the disk of {data_dir} does not answer: nothing new is shown until it does");
        (Condition::Degraded, detail)
    } else {
        (Condition::Passing, "what is shown is kept".to_owned())
    };
    Check {
        name: "journal",
        condition,
        detail,
    }
}

fn guilds(status: &DiscordStatus, report: &ReadinessReport, names: &GatewaySettingNames) -> Check {
    let list = |ids: &mut dyn Iterator<Item = String>| ids.take(10).collect::<Vec<_>>().join(", ");
    let (condition, detail) = if !report.missing.is_empty() {
        let missing = list(&mut report.missing.iter().map(ToString::to_string));
        let setting = names.guilds;
        let detail = format!(
            "{setting} names guilds that the bot is not in ({missing}): invite the bot \
             there, or correct the setting"
        );
        (Condition::Degraded, detail)
    } else if !report.stale.is_empty() {
        let stale = list(&mut report.stale.iter().map(ToString::to_string));
        let detail = format!(
            "something Discord said about {stale} could not be read; a fresh picture was asked \
             for. If this stays, update Guildhall"
        );
        (Condition::Degraded, detail)
    } else if !status.complete && status.guild_ids.is_empty() {
        (
            Condition::Degraded,
            "not all guilds have come yet".to_owned(),
        )
    } else if !status.complete {
        let away = list(&mut status.guild_ids.iter().map(ToString::to_string));
        let detail = format!("not all guilds have come yet; not live are {away}");
        (Condition::Degraded, detail)
    } else if status.guild_ids.is_empty() {
        (Condition::Passing, "all guilds are there".to_owned())
    } else {
        let out = list(&mut status.guild_ids.iter().map(ToString::to_string));
        let detail = format!("Discord has an outage of {out}; nothing to do here");
        (Condition::Degraded, detail)
    };
    Check {
        name: "guilds",
        condition,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::NAMES;
    use crate::inbox::Lost;
    use guildhall_model::GuildId;

    #[test]
    fn a_configured_guild_that_ready_did_not_name_is_a_sentence_with_the_setting() {
        let report = ReadinessReport {
            missing: [GuildId(7)].into(),
            ..ReadinessReport::default()
        };
        let line = guilds(&live(), &report, &NAMES);
        assert_eq!(line.condition, Condition::Degraded);
        assert!(line.detail.contains("THE_GUILDS") && line.detail.contains('7'));
    }

    #[test]
    fn each_line_is_of_all_shards_and_names_those_that_are_not_well() {
        let away = DiscordStatus {
            discord: Discord::Down,
            ..live()
        };
        let shard = |number: u16, status: &DiscordStatus, stalled: bool| ShardHealth {
            shard: ShardId { number, count: 17 },
            status: watch::Sender::new(status.clone()).subscribe(),
            report: watch::Sender::new(ReadinessReport::default()).subscribe(),
            stalled: watch::Sender::new(stalled).subscribe(),
        };
        let well = (0..17).map(|number| shard(number, &live(), false));
        let mut health = GatewayHealth {
            shards: well.collect(),
            names: NAMES,
        };
        let checks = health.checks();
        let names: Vec<&str> = checks.iter().map(|check| check.name).collect();
        assert_eq!(names, ["discord", "guilds", "journal"]);
        for check in checks {
            assert_eq!(check.condition, Condition::Passing, "{check:?}");
        }
        health.shards[3] = shard(3, &away, true);
        health.shards[16] = shard(16, &away, false);
        let [discord, guilds, journal] = health.checks().try_into().expect("three lines");
        assert_eq!(discord.condition, Condition::Degraded);
        assert!(
            discord.detail.starts_with("2 of 17 shards: shard 3: "),
            "{discord:?}"
        );
        assert!(discord.detail.contains("shard 16: "), "{discord:?}");
        assert_eq!(guilds.condition, Condition::Passing);
        assert!(
            journal.detail.starts_with("1 of 17 shards: shard 3: "),
            "{journal:?}"
        );
    }

    #[test]
    fn discord_being_down_is_degraded_and_says_why() {
        let lost = Lost {
            resumable: false,
            tries: 7,
            why: "it is gone".into(),
        };
        let report = ReadinessReport {
            lost: Some(lost),
            ..ReadinessReport::default()
        };
        let down = DiscordStatus {
            discord: Discord::Down,
            ..live()
        };
        let line = discord(&down, &report, false);
        assert_eq!(line.condition, Condition::Degraded);
        assert!(line.detail.contains("it is gone") && line.detail.contains('7'));
        assert_eq!(
            discord(&live(), &ReadinessReport::default(), false).condition,
            Condition::Passing
        );
    }

    #[test]
    fn guilds_pass_when_all_are_there() {
        assert_eq!(
            guilds(&live(), &ReadinessReport::default(), &NAMES).condition,
            Condition::Passing
        );
        let out = DiscordStatus {
            guild_ids: vec![GuildId(3)],
            ..live()
        };
        assert_eq!(
            guilds(&out, &ReadinessReport::default(), &NAMES).condition,
            Condition::Degraded
        );
    }

    #[test]
    fn a_guild_that_has_not_come_is_named() {
        let status = DiscordStatus {
            guild_ids: vec![GuildId(3)],
            complete: false,
            ..live()
        };
        let line = guilds(&status, &ReadinessReport::default(), &NAMES);
        assert_eq!(line.condition, Condition::Degraded);
        assert!(line.detail.contains('3'), "{}", line.detail);
    }

    fn live() -> DiscordStatus {
        DiscordStatus {
            discord: Discord::Live,
            since: 1,
            guild_ids: Vec::new(),
            complete: true,
        }
    }
}
