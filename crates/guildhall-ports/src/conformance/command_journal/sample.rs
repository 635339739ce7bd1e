//! What is kept: every command, in every state.

use guildhall_model::{
    ChannelId, Cursor, GuildId, LogId, Position, UserId,
    command::{
        Before, Command, CommandDone, CommandError, CommandErrorCode, CommandRequest,
        CommandResult, Outcome,
    },
};

use crate::command_journal::{CommandState, Intent, KeptCommand};

/// Texts that something on the way to a disk and back could trip over.
const TEXTS: [&str; 6] = [
    "",
    "a room",
    "\"quoted\" \\ and 'so'",
    "line\nbreak\r\n\ttab \u{0}\u{1}\u{7f}\u{2028}",
    "Ünë \u{1f3b2}\u{200d}\u{fffd}\u{ffff}",
    "{\"call\":\"disconnect\",\"guildId\":\"1\"}",
];

const GUILD: GuildId = GuildId(u64::MAX);

/// One command with this id, the same in each run.
pub(super) fn command(id: u64, state: CommandState) -> KeptCommand {
    let text = usize::try_from(id % 7).expect("is small");
    KeptCommand {
        id,
        request: CommandRequest {
            actor: UserId(id),
            key: TEXTS.get(text).map(|&key| key.to_owned()),
            command: Command::RenameRoom {
                guild_id: GuildId(1),
                channel_id: ChannelId(id),
                name: format!("room {id}"),
            },
        },
        asked_at: 1_700_000_000_000 + id % 1_000,
        state,
    }
}

pub(super) fn intended() -> CommandState {
    intended_before(Before::Name("a name of before".to_owned()))
}

fn intended_before(before: Before) -> CommandState {
    CommandState::Intended(Intent {
        before,
        at: Position::start(LogId(0), 1_700_000_000_000).at(7),
        since: 1_700_000_000_001,
        promised: true,
    })
}

pub(super) fn queued(due: u64) -> CommandState {
    CommandState::Queued { due }
}

/// Done, and told by the log at this number.
pub(super) fn settled(seq: u64) -> CommandState {
    let at = Position {
        log: LogId(0),
        epoch: 1_700_000_000_000,
        seq,
    };
    let done = CommandDone {
        outcome: Outcome::Done,
        at: Some(at.into()),
        made: None,
    };
    settled_as(Ok(done))
}

/// Every kind of command in every state, with every text and the largest numbers, by ascending id.
pub(super) fn commands() -> Vec<KeptCommand> {
    let states = states();
    let each = requests()
        .into_iter()
        .flat_map(|request| states.iter().map(move |state| (request.clone(), state)));
    let kept = (1..).zip(each).map(|(id, (request, state))| KeptCommand {
        id,
        request,
        asked_at: u64::MAX - id,
        state: state.clone(),
    });
    kept.collect()
}

fn requests() -> Vec<CommandRequest> {
    let texts = TEXTS.iter().copied();
    let long = "k".repeat(CommandRequest::KEY_BYTES);
    let keys = texts.chain([long.as_str()]).map(Some).chain([None]);
    let (guild_id, channel_id, user_id) = (GUILD, ChannelId(1 << 63), UserId(u64::MAX - 1));
    let commands = |text: &str| {
        [
            Command::ConnectUserToVoiceChannel {
                guild_id,
                channel_id,
                user_id,
            },
            Command::Disconnect { guild_id },
            Command::KickFromRoom {
                guild_id,
                channel_id,
                user_id,
                allow_return: false,
            },
            Command::RenameRoom {
                guild_id,
                channel_id,
                name: text.to_owned(),
            },
            Command::SetRoomStatus {
                guild_id,
                channel_id,
                status: None,
            },
            Command::SetRoomStatus {
                guild_id,
                channel_id,
                status: Some(text.to_owned()),
            },
            Command::SetRoomLimit {
                guild_id,
                channel_id,
                limit: u32::MAX,
            },
        ]
    };
    let requests = keys.flat_map(|key| {
        commands(key.unwrap_or_default()).map(|command| CommandRequest {
            actor: UserId(u64::MAX),
            key: key.map(str::to_owned),
            command,
        })
    });
    requests.collect()
}

fn states() -> Vec<CommandState> {
    let furthest = Position {
        log: LogId(u16::MAX),
        epoch: u64::MAX,
        seq: u64::MAX,
    };
    let two_logs = Cursor::new([Position::start(LogId(0), 1), furthest]);
    let two_logs = two_logs.expect("one of each log");
    let outcomes = [
        (Outcome::Done, None),
        (Outcome::Done, Some(Cursor::from(furthest))),
        (Outcome::Queued { done_at: u64::MAX }, Some(two_logs)),
        (Outcome::Waiting { until: 0 }, None),
    ];
    let done = outcomes.map(|(outcome, at)| {
        settled_as(Ok(CommandDone {
            outcome,
            at,
            made: None,
        }))
    });
    let failed = TEXTS.map(|text| {
        let error = CommandError::new(CommandErrorCode::BotForbidden, text);
        let error = error.missing(&["MOVE_MEMBERS", text]);
        settled_as(Err(error.retry_after_ms(u64::MAX)))
    });
    let refused = CommandError::new(CommandErrorCode::Other, "a word of a newer gateway");
    let before = [
        Before::Room(None),
        Before::Room(Some(ChannelId(u64::MAX))),
        Before::Limit(u32::MAX),
        Before::Unknown,
    ];
    let named = TEXTS.map(|text| Before::Name(text.to_owned()));
    let intended = before.into_iter().chain(named).map(intended_before);
    let unsettled = [
        queued(u64::MAX),
        CommandState::Waiting { until: u64::MAX },
        settled_as(Err(refused)),
    ];
    let others = unsettled.into_iter().chain(done).chain(failed);
    intended.chain(others).collect()
}

fn settled_as(result: CommandResult) -> CommandState {
    CommandState::Settled {
        at: u64::MAX,
        result: result.into(),
    }
}
