//! A naive web replica, checked against the gateway's history at every step.

use super::*;

/// A naive web replica.
#[derive(Default)]
pub(super) struct Replica {
    pub(super) of: BTreeMap<LogId, LogReplica>,
}

impl Replica {
    pub(super) fn log(&mut self, log: LogId) -> &mut LogReplica {
        self.of.entry(log).or_default()
    }

    /// Where it stands in those logs that it has something of.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        Cursor::new(self.of.values().filter_map(|log| log.position)).ok()
    }
}

/// What it has of one log, checked against the gateway's history at every step.
#[derive(Default)]
pub(super) struct LogReplica {
    pub(super) position: Option<Position>,
    pub(super) world: World,
    pub(super) building: Option<World>,
}

impl LogReplica {
    pub(super) fn base(&mut self, base: Base) {
        let building = self.building.as_mut().expect("begun");
        if let Some(guild) = base.guild {
            building.guilds.insert(base.guild_id, guild);
        }
    }

    pub(super) fn apply(&mut self, group: &[Envelope], log: &Log) {
        let world = self.building.as_mut().unwrap_or(&mut self.world);
        for envelope in group {
            world.apply(&envelope.event);
        }
        if self.building.is_none() {
            let at = group.last().expect("never empty").at;
            self.position = Some(at);
            assert_eq!(&self.world, log.world_at(at), "at {at}");
        }
    }

    pub(super) fn complete(&mut self, at: Position, log: &Log) {
        if let Some(built) = self.building.take() {
            self.world = built;
            self.position = Some(at);
        }
        assert_eq!(self.position, Some(at));
        assert_eq!(&self.world, log.world_at(at), "complete at {at}");
    }
}
