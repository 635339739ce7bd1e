//! The start: what the journal holds becomes the log, the world, and the way to go on with
//! Discord.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use guildhall_http::Secret;
use guildhall_model::{Position, UnixMs, UserId, World};
use guildhall_ports::{
    AppendError, Journal, JournalError,
    journal::{JournalContents, JournalState, NewEpoch, Terms},
};
use tracing::info;

use crate::{
    GatewayBuildError, GatewaySettingNames, ShardId,
    log::{Log, LogSetup},
    sequencer::{ManagedRooms, Restored},
};

/// Whose journal it is, and under which conditions.
pub(crate) struct Restoration<'a> {
    pub shard: ShardId,
    /// What is kept of the rooms that Guildhall made.
    pub managed: ManagedRooms,
    pub terms: Terms,
    /// The bot, if its token tells.
    pub bot: Option<UserId>,
    pub now: UnixMs,
    pub names: &'a GatewaySettingNames,
}

/// Loads the journal of a log, or begins it.
pub(crate) async fn restore(
    journal: &dyn Journal,
    setup: LogSetup,
    restoration: Restoration<'_>,
) -> Result<(Log, Restored), GatewayBuildError> {
    match journal.load().await.map_err(refused)? {
        Some(saved) => go_on(saved, setup, restoration).await,
        None => begin(journal, setup, restoration).await,
    }
}

/// The bot's user id, which a token of Discord's begins with in base64; `None`: it has another
/// shape, and only READY will tell.
pub(crate) fn bot_of(token: &Secret) -> Option<UserId> {
    let first = token.expose().split('.').next()?;
    let id = STANDARD_NO_PAD.decode(first.trim_end_matches('=')).ok()?;
    Some(UserId(String::from_utf8(id).ok()?.parse().ok()?))
}

/// The sentence about a journal of another bot.
pub(crate) fn another_bot(kept: UserId, is: UserId, names: &GatewaySettingNames) -> String {
    let GatewaySettingNames {
        bot_token,
        data_dir,
        ..
    } = names;
    format!(
        "{data_dir} holds the journal of the bot {kept}, and {bot_token} is the bot {is}'s: \
         choose another {data_dir}, or put in the other bot's token"
    )
}

async fn begin(
    journal: &dyn Journal,
    setup: LogSetup,
    Restoration {
        shard,
        managed,
        terms,
        now,
        ..
    }: Restoration<'_>,
) -> Result<(Log, Restored), GatewayBuildError> {
    let start = Position::start(shard.log(), now);
    let state = JournalState::default();
    let new_epoch = NewEpoch {
        start,
        guilds: Vec::new(),
        state: state.clone(),
    };
    journal.begin(new_epoch).await.map_err(refused)?;
    info!(log.start = %start, "[Gateway] A new log begins");
    let restored = Restored {
        world: World::default(),
        state: Arc::new(state),
        terms,
        shard,
        managed,
    };
    let log = Log::restored(setup, start, Vec::new(), Vec::new()).await;
    Ok((log.map_err(|error| not_begun(&error))?, restored))
}

async fn go_on(
    saved: JournalContents,
    setup: LogSetup,
    restoration: Restoration<'_>,
) -> Result<(Log, Restored), GatewayBuildError> {
    let Restoration {
        shard,
        managed,
        terms,
        bot,
        names,
        ..
    } = restoration;
    let JournalContents {
        head,
        bases,
        events,
        mut state,
    } = saved;
    if let (Some(kept), Some(is)) = (state.bot, bot)
        && kept != is
    {
        return Err(GatewayBuildError::Misconfigured(another_bot(
            kept, is, names,
        )));
    }
    // A session brings what it was begun for, and only what came after its world.
    if state
        .resume
        .as_ref()
        .is_some_and(|resume| resume.terms != terms)
    {
        info!("[Gateway] The settings or the build changed: Discord is asked for a fresh picture");
        state.resume = None;
    }
    let log = Log::restored(setup, head, bases, events).await;
    let log = log.map_err(|error| not_begun(&error))?;
    let world = log.world();
    info!(log.head = %head, guilds = world.guilds.len(), "[Gateway] The log goes on");
    let restored = Restored {
        world,
        state: Arc::new(state),
        terms,
        shard,
        managed,
    };
    Ok((log, restored))
}

fn not_begun(error: &AppendError) -> GatewayBuildError {
    GatewayBuildError::Failed(error.to_string())
}

fn refused(error: JournalError) -> GatewayBuildError {
    match error {
        JournalError::Refused(sentence) => GatewayBuildError::Misconfigured(sentence),
        // A restart may help.
        JournalError::InUse(why) | JournalError::Failed(why) => GatewayBuildError::Failed(why),
        JournalError::Fenced(fenced) => GatewayBuildError::Failed(fenced.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::{GuildId, LogId};
    use guildhall_ports::journal::{JournalBase, ResumeState};

    use super::*;
    use crate::{config::tests::NAMES, log::tests::setup};

    #[tokio::test]
    async fn a_world_of_the_format_before_goes_on_and_is_compared_with_a_fresh_picture() {
        let terms = |world_format| Terms {
            shard: [0, 1],
            intents: 129,
            guilds: None,
            world_format,
        };
        let before = r#"{"info":{"name":"x","icon":null},"available":true,"ownerId":"7","roles":{},
            "categories":{},"rooms":{},"voice":{},"memberships":{}}"#;
        for (kept, resumes) in [(World::FORMAT, true), (World::FORMAT - 1, false)] {
            let base = JournalBase {
                guild_id: GuildId(1),
                floor: 3,
                guild: serde_json::from_str(before).ok(),
            };
            let state = JournalState {
                resume: Some(ResumeState {
                    session_id: "s".to_owned(),
                    sequence: 4,
                    url: None,
                    terms: terms(kept),
                }),
                ..JournalState::default()
            };
            let saved = JournalContents {
                head: Position::start(LogId(0), 1_000).at(3),
                bases: vec![base],
                events: Vec::new(),
                state,
            };
            let restoration = Restoration {
                shard: ShardId::ONLY,
                managed: ManagedRooms::default(),
                terms: terms(World::FORMAT),
                bot: None,
                now: 1_000,
                names: &NAMES,
            };
            let went_on = go_on(saved, setup(10, 1 << 20), restoration).await;
            let (log, restored) = went_on.expect("it is read");
            assert_eq!(log.head().seq, 3);
            let guild = restored.world.guilds.get(&GuildId(1));
            assert!(guild.is_some_and(|guild| guild.pending_voice.is_empty()));
            assert_eq!(restored.state.resume.is_some(), resumes, "{kept}");
        }
    }

    #[test]
    fn a_token_names_its_bot() {
        // base64 of 1234567890123456789
        let token = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcdE.secret";
        assert_eq!(
            bot_of(&token.parse().expect("a token")),
            Some(UserId(1_234_567_890_123_456_789))
        );
        for odd in ["token", "....", "bm90IGFuIGlk.x.y"] {
            assert_eq!(bot_of(&odd.parse().expect("a token")), None, "{odd}");
        }
    }
}
