//! The start: what the journal holds becomes the log, the world, and the way to go on with
//! Discord.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use guildhall_http::Secret;
use guildhall_model::{LogId, Position, UnixMs, UserId, World};
use guildhall_ports::{
    Journal, JournalError,
    journal::{JournalContents, JournalState, NewEpoch, Terms},
};
use tracing::info;

use crate::{
    GatewayBuildError, GatewaySettingNames,
    log::{Log, Retention},
    sequencer::Restored,
};

/// One shard so far, so one log.
const LOG: LogId = LogId(0);

/// Loads the journal, or begins it.
pub(crate) async fn restore(
    journal: &dyn Journal,
    terms: Terms,
    bot: Option<UserId>,
    retention: Retention,
    now: UnixMs,
    names: &GatewaySettingNames,
) -> Result<(Log, Restored), GatewayBuildError> {
    match journal.load().await.map_err(refused)? {
        Some(saved) => go_on(saved, terms, bot, retention, names),
        None => begin(journal, terms, retention, now).await,
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
    terms: Terms,
    retention: Retention,
    now: UnixMs,
) -> Result<(Log, Restored), GatewayBuildError> {
    let start = Position::start(LOG, now);
    let state = JournalState::default();
    let new_epoch = NewEpoch {
        start,
        guilds: Vec::new(),
        state: state.clone(),
    };
    journal.begin(new_epoch).await.map_err(refused)?;
    info!(epoch = now, "[Gateway] A new log begins");
    let restored = Restored {
        world: World::default(),
        state: Arc::new(state),
        terms,
    };
    Ok((Log::new(start, retention), restored))
}

fn go_on(
    saved: JournalContents,
    terms: Terms,
    bot: Option<UserId>,
    retention: Retention,
    names: &GatewaySettingNames,
) -> Result<(Log, Restored), GatewayBuildError> {
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
    let log = Log::restored(head, bases, events, retention);
    let world = log.world();
    info!(log.head = %head, guilds = world.guilds.len(), "[Gateway] The log goes on");
    let restored = Restored {
        world,
        state: Arc::new(state),
        terms,
    };
    Ok((log, restored))
}

fn refused(error: JournalError) -> GatewayBuildError {
    match error {
        JournalError::Refused(sentence) => GatewayBuildError::Misconfigured(sentence),
        // A restart may help.
        JournalError::InUse(why) | JournalError::Failed(why) => GatewayBuildError::Failed(why),
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::GuildId;
    use guildhall_ports::journal::{JournalBase, ResumeState};

    use super::*;
    use crate::config::tests::NAMES;

    #[test]
    fn a_world_of_the_format_before_goes_on_and_is_compared_with_a_fresh_picture() {
        let terms = |world_format| Terms {
            shard: [0, 1],
            intents: 129,
            guilds: None,
            world_format,
        };
        let retention = Retention {
            records_per_guild: 10,
            bytes: 1 << 20,
            evicted_in_journal: 10,
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
                head: Position::start(LOG, 1_000).at(3),
                bases: vec![base],
                events: Vec::new(),
                state,
            };
            let went_on = go_on(saved, terms(World::FORMAT), None, retention, &NAMES);
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
