//! The judge of what was shown.

/// Of a stream.
mod stream;
/// Of an answer.
mod answer;

use std::{collections::BTreeMap, time::Duration};

use guildhall_model::GuildId;
use tokio::time::Instant;

use crate::oracle::{
    asker::Asked,
    observer::{Heard, Manner, Query},
    promise::Excuses,
    rig::Told,
    scene::Scene,
    tally::Tally,
    timeline::{Moment, Timeline},
    walk::{Settled, View},
};

/// After a guild came whole, its people are looked up again: so long nothing may be said of it.
const LOOK_UP: Duration = Duration::from_secs(5);

/// What is judged by.
pub(crate) struct Judge<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) told: Told,
    pub(crate) timeline: &'a Timeline,
    pub(crate) excuses: &'a BTreeMap<GuildId, Excuses>,
    /// When all was over.
    pub(crate) end: Instant,
    pub(crate) tally: Tally,
}

impl<'a> Judge<'a> {
    /// Judges all that somebody heard.
    pub(crate) fn stream(&mut self, manner: &'a Manner, heard: &[(Instant, Heard)]) {
        stream::judge(self, manner, heard);
    }

    /// Judges an answer.
    pub(crate) fn answer(&mut self, asked: &Asked) {
        answer::judge(self, asked);
    }

    fn view<'b>(&self, guild: GuildId, viewer: usize, query: &'b Query) -> View<'b>
    where
        'a: 'b,
    {
        let viewer = (viewer, self.scene.viewers[viewer]);
        let moments = &self.timeline[&guild];
        View::new(moments, viewer, query, self.told, &self.excuses[&guild])
    }

    /// The guilds that a query is about.
    fn guilds(&self, query: &Query) -> Vec<GuildId> {
        let guilds = self.scene.guilds.iter().copied();
        guilds
            .filter(|guild| query.asks_for_guild(*guild))
            .collect()
    }

    fn settled(&mut self, settled: Settled, whose: &str) {
        if settled.counts > settled.within {
            self.tally
                .leaks
                .push(format!("{whose}: {settled:?}, which is too late"));
        }
        self.tally.settled.push(settled);
    }
}

/// Whether a guild may have come whole just before or in this time.
fn is_looked_up(view: &View<'_>, from: Instant, to: Instant) -> bool {
    let from = from.checked_sub(LOOK_UP).unwrap_or(from);
    let came =
        |moment: &&Moment| moment.name == "GUILD_CREATE" && moment.at >= from && moment.at <= to;
    view.moments.iter().any(|moment| came(&moment)) || view.excuses.trouble(from, to)
}
