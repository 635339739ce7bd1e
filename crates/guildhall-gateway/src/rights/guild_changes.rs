//! Guilds that come, go, or were out of hearing.

use guildhall_model::{GuildId, UserId};

use super::{Answer, LookUp, Pair, Rights, Scene, is_known, is_there, queue::Urgency};

impl Rights {
    /// A guild was out of hearing and has come again: what was known of its members is of before,
    /// and so is what was asked and not answered yet. Said before what came with it;
    /// [`Rights::guild_changed`] follows.
    pub(crate) fn out_of_date(&mut self, guild_id: GuildId, scene: Scene<'_>) {
        for pair in self.of_guild(guild_id) {
            if let Some(known) = self.pairs.get_mut(&pair) {
                known.true_at = None;
                known.failures = 0;
                known.not_before = scene.now;
                match &mut known.look_up {
                    LookUp::UnderWay { answer, .. } => *answer = Answer::AskAgain,
                    // In an outage it was to go alone.
                    LookUp::Queued => {
                        self.queue.remove(pair);
                        known.look_up = LookUp::None;
                    }
                    LookUp::None => {}
                }
            }
        }
    }

    /// A guild came or went: watches may have waited for that, and who is here and not known in it
    /// is looked up at once.
    pub(crate) fn guild_changed(&mut self, guild_id: GuildId, scene: Scene<'_>) {
        self.look_at_guild(guild_id, scene);
        self.send_out(scene);
    }

    /// The same of many guilds, and of those that may still come.
    pub(crate) fn guilds_changed(&mut self, scene: Scene<'_>) {
        let mut next = self
            .pairs
            .first_key_value()
            .map(|((guild_id, _), _)| *guild_id);
        while let Some(guild_id) = next {
            self.look_at_guild(guild_id, scene);
            let beyond = (guild_id, UserId(u64::MAX));
            let later = self.pairs.range((
                std::ops::Bound::Excluded(beyond),
                std::ops::Bound::Unbounded,
            ));
            next = later.map(|((guild_id, _), _)| *guild_id).next();
        }
        self.send_out(scene);
    }

    fn look_at_guild(&mut self, guild_id: GuildId, scene: Scene<'_>) {
        for pair in self.of_guild(guild_id) {
            let Some(known) = self.pairs.get_mut(&pair) else {
                continue;
            };
            // With a guild its rights leave the log.
            if !is_known(pair, scene.world) {
                known.true_at = None;
            }
            let waited_for = !known.waiting.is_empty();
            let unknown = known.is_here(scene.now)
                && known.true_at.is_none()
                && known.not_before <= scene.now;
            if !is_there(pair, scene.world) {
                if waited_for && scene.coming.may(guild_id) {
                    self.absent.insert(pair);
                } else if waited_for {
                    self.resolve(pair, false);
                    self.leave_if_absent(pair, scene);
                }
            } else if waited_for {
                self.absent.remove(&pair);
                self.ask(pair, Urgency::AtOnce, scene);
            } else if unknown {
                self.ask(pair, Urgency::Anew, scene);
            }
            self.set_alarm(pair, scene);
        }
    }

    /// What does not exist is not kept: a pair that was only waited for, in a guild that is not
    /// there.
    pub(super) fn leave_if_absent(&mut self, pair: Pair, scene: Scene<'_>) {
        let idle = self.pairs.get(&pair).is_some_and(super::Known::is_idle);
        if idle && !is_there(pair, scene.world) {
            self.forget(pair, scene);
        }
    }

    fn of_guild(&self, guild_id: GuildId) -> Vec<Pair> {
        let all = (guild_id, UserId(0))..=(guild_id, UserId(u64::MAX));
        self.pairs.range(all).map(|(pair, _)| *pair).collect()
    }
}
