//! What the bot lacks for rooms, said once for each guild: whoever runs this learns of it at the
//! start, and not by the first room that can't be made.

use std::{collections::BTreeMap, time::Duration};

use guildhall_http::driver_time::now;
use guildhall_model::{
    Change, ChannelId, GuildId,
    command::{Command, CommandRequest},
};
use tracing::warn;

use super::{CommandContext, GATEWAY_ITSELF};
use crate::{
    inbox::{About, QuestionAnswer, SceneQuestion},
    log::Log,
};

/// So many events are looked through at once.
const EVENTS_PER_READ: usize = 256;
/// So long is Discord waited for to be live in one guild, before the next one is looked at.
const LIVE: Duration = Duration::from_mins(1);

/// Looks at each guild of a log at the start, and at each one that becomes available.
pub(super) async fn follow(context: CommandContext, log: Log) {
    let mut said = BotRights::default();
    let mut head = log.follow();
    let mut after = *head.borrow_and_update();
    said.look_at_all(&context, &log).await;
    loop {
        let Ok(events) = log.read(after, EVENTS_PER_READ).await else {
            after = log.head();
            said.look_at_all(&context, &log).await;
            continue;
        };
        let Some(last) = events.last() else {
            if head.changed().await.is_err() {
                return;
            }
            continue;
        };
        after = last.at;
        for sealed in &events {
            if let Change::GuildAvailable(_) = sealed.event.change {
                said.look_at(&context, sealed.event.guild_id).await;
            }
        }
    }
}

/// What was said.
#[derive(Debug, Default)]
struct BotRights(BTreeMap<GuildId, Vec<&'static str>>);

impl BotRights {
    async fn look_at_all(&mut self, context: &CommandContext, log: &Log) {
        let guilds: Vec<GuildId> = log.world().guilds.keys().copied().collect();
        for guild_id in guilds {
            self.look_at(context, guild_id).await;
        }
    }

    /// Says what is missing in a guild, where it is something else than was said before.
    async fn look_at(&mut self, context: &CommandContext, guild_id: GuildId) {
        let Some((place, missing)) = missing(context, guild_id).await else {
            return;
        };
        if self.is_news(guild_id, &missing) {
            warn!(
                guild.id = %guild_id,
                "[Gateway] The bot lacks {} {place}: no rooms can be made there until its role has \
                 them",
                missing.join(", "),
            );
        }
    }

    fn is_news(&mut self, guild_id: GuildId, missing: &[&'static str]) -> bool {
        let before = self.0.insert(guild_id, missing.to_vec());
        !missing.is_empty() && before.is_none_or(|before| before != missing)
    }
}

/// With where that is. `None`: it is not known.
async fn missing(
    context: &CommandContext,
    guild_id: GuildId,
) -> Option<(String, Vec<&'static str>)> {
    let about = About::Before {
        request: Box::new(creation(guild_id, None)),
        until: now() + LIVE,
    };
    context.worlds.ask(guild_id, about).await.ok()??;
    let parents = &context.rooms.settings().parents;
    let places = [None].into_iter().chain(parents.iter().copied().map(Some));
    for place in places {
        let question = SceneQuestion {
            request: creation(guild_id, place),
            parents: Vec::new(),
            creators: Vec::new(),
        };
        let about = About::Scene(Box::new(question));
        let answered = context.worlds.ask(guild_id, about).await.ok()??;
        let QuestionAnswer::Scene(Some(scene)) = answered.answer else {
            return None;
        };
        if !scene.live {
            return None;
        }
        if !scene.missing.is_empty() {
            let place = place.map_or("in this guild".to_owned(), |id| {
                format!("in the category {id}")
            });
            return Some((place, scene.missing));
        }
    }
    Some((String::new(), Vec::new()))
}

/// The making of a room, for what it takes of the bot.
fn creation(guild_id: GuildId, parent_id: Option<ChannelId>) -> CommandRequest {
    CommandRequest {
        actor: GATEWAY_ITSELF,
        key: None,
        command: Command::CreateRoom {
            guild_id,
            name: String::new(),
            limit: 0,
            parent_id,
            private: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_once_and_again_when_it_is_something_else() {
        let mut rights = BotRights::default();
        let guild = GuildId(1);
        assert!(rights.is_news(guild, &["CONNECT"]));
        assert!(!rights.is_news(guild, &["CONNECT"]));
        assert!(rights.is_news(GuildId(2), &["CONNECT"]), "of each guild");
        assert!(rights.is_news(guild, &["CONNECT", "MOVE_MEMBERS"]));
        assert!(!rights.is_news(guild, &[]));
        assert!(rights.is_news(guild, &["CONNECT"]));
    }
}
