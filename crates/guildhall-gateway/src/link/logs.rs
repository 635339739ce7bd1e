//! The logs of the gateway, as an attachment needs them.

use std::{collections::BTreeMap, sync::Arc};

use guildhall_link::{
    frame::DiscordStatus,
    sender::{EVENTS_PER_READ, Input},
};
use guildhall_model::{Cursor, GuildId, LogId, Position};
use tokio::sync::watch;
use tracing::{error, info};

use crate::{
    ShardId,
    log::{Join, Log},
    sequencer::Sequencer,
};

/// One log, and whoever writes it.
#[derive(Clone, Debug)]
pub(crate) struct AttachedLog {
    /// Whose guilds are in it.
    pub(crate) shard: ShardId,
    pub(crate) log: Log,
    pub(crate) sequencer: Sequencer,
    pub(crate) status: watch::Receiver<DiscordStatus>,
}

/// How a log was joined.
pub(super) enum JoinOutcome {
    /// It goes on like this.
    As(Input),
    /// Not at all: the log does not go as far as this.
    Beyond(Position),
}

/// All of them, in ascending order of log; never none.
#[derive(Clone, Debug)]
pub(crate) struct AttachedLogs(Arc<[(LogId, AttachedLog)]>);

impl AttachedLogs {
    /// # Panics
    ///
    /// Without any, with two handles on one log, or with more than a cursor has room for.
    pub(crate) fn new(logs: Vec<AttachedLog>) -> Self {
        let named = |attached: AttachedLog| (attached.log.head().log, attached);
        let mut logs: Vec<(LogId, AttachedLog)> = logs.into_iter().map(named).collect();
        logs.sort_by_key(|(log, _)| *log);
        let logs = Self(logs.into());
        let _checked = Self::cursor(logs.iter().map(|attached| attached.log.head()));
        logs
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &AttachedLog> {
        self.0.iter().map(|(_, attached)| attached)
    }

    pub(super) fn at(&self, index: usize) -> &AttachedLog {
        &self.0[index].1
    }

    /// One position for each of them, or for some, as a cursor.
    pub(super) fn cursor(positions: impl Iterator<Item = Position>) -> Cursor {
        let cursor = Cursor::new(positions);
        cursor.expect("each log once, and no more than fit")
    }

    /// Which guilds of a list are of which log. An empty list is of the first.
    pub(super) fn split(&self, guild_ids: Vec<GuildId>) -> BTreeMap<usize, Vec<GuildId>> {
        if self.count() == 1 || guild_ids.is_empty() {
            return BTreeMap::from([(0, guild_ids)]);
        }
        let mut parts: BTreeMap<usize, Vec<GuildId>> = BTreeMap::new();
        for guild_id in guild_ids {
            parts
                .entry(self.of_guild(guild_id))
                .or_default()
                .push(guild_id);
        }
        parts
    }

    /// The log of a guild, whether or not the bot is in it. One whose shard is elsewhere is of the
    /// first, where nobody knows it.
    fn of_guild(&self, guild_id: GuildId) -> usize {
        let own = self
            .iter()
            .position(|attached| attached.shard.has(guild_id));
        own.unwrap_or(0)
    }

    /// Joins a log after a position, or from its bases.
    pub(super) fn join(&self, log: LogId, after: Option<Position>) -> Option<JoinOutcome> {
        let attached = self.get(log)?;
        Some(JoinOutcome::As(match attached.log.join(after) {
            Join::After(after) => {
                info!(link.after = %after, "the web role goes on after its position");
                Input::JoinedAfter {
                    after,
                    head: attached.log.head(),
                }
            }
            Join::Beyond(position) => return Some(JoinOutcome::Beyond(position)),
            Join::Bases {
                bases,
                backlog,
                head,
            } => {
                info!(link.head = %head, guilds = bases.len(), "the web role gets everything");
                Input::JoinedBases {
                    bases,
                    backlog,
                    head,
                }
            }
        }))
    }

    /// A web role is ahead of a log: its journal was brought back.
    pub(super) fn report_rollback(&self, position: Position) {
        error!(link.after = %position, "a web role is ahead of the log: the journal was brought back");
        if let Some(attached) = self.get(position.log) {
            attached.sequencer.report_rollback(position);
        }
    }

    /// Reads on after a position.
    pub(super) async fn read(&self, after: Position) -> Option<Input> {
        let attached = self.get(after.log)?;
        Some(match attached.log.read(after, EVENTS_PER_READ).await {
            Ok(events) => Input::EventsRead {
                log: after.log,
                events,
            },
            Err(_) => Input::LogExpired,
        })
    }

    fn get(&self, log: LogId) -> Option<&AttachedLog> {
        let found = self.0.binary_search_by_key(&log, |(log, _)| *log);
        Some(self.at(found.ok()?))
    }
}
