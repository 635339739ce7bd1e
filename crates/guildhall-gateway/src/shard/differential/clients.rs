//! The two clients: ours, and twilight-gateway as its documentation shows it.

use futures_util::StreamExt;
use guildhall_model::{GuildId, UserId};
use guildhall_ports::journal::{ResumeState, Terms};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;
use twilight_gateway::{ConfigBuilder, Intents as Bits, MessageSender, ShardId};

use super::server::Server;
use crate::{
    Limits,
    inbox::{Dispatch, Inbox, Input, MembersRequest, Nonce},
    shard::{REQUESTS, run, tests::shard_of},
};

const TOKEN: &str = "a-token";

/// Whose behaviour is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Ours,
    Twilight,
}

/// A client that runs, and what it may be told to ask.
pub(super) struct Running {
    /// One task: its end is the client's.
    pub(super) task: JoinSet<()>,
    pub(super) commands: Commands,
    /// Ends with it.
    _others: JoinSet<()>,
}

pub(super) struct Commands {
    to: CommandsTo,
    tasks: Mutex<JoinSet<()>>,
}

enum CommandsTo {
    Ours(mpsc::Sender<MembersRequest>),
    Twilight(MessageSender),
}

impl Client {
    pub(super) fn start(self, server: &Server) -> Running {
        match self {
            Self::Ours => ours(server),
            Self::Twilight => twilight(server),
        }
    }
}

fn ours(server: &Server) -> Running {
    let (inbox, inputs) = Inbox::new();
    let limits = Limits::default();
    let origin = server.rest().parse().expect("an origin");
    let shard = shard_of(origin, TOKEN, limits, inbox);
    let (requests, asked) = mpsc::channel(REQUESTS);
    let mut others = JoinSet::new();
    others.spawn(commit_at_once(inputs));
    let mut task = JoinSet::new();
    task.spawn(async move {
        let (_, no_infos) = mpsc::channel(1);
        run(shard, asked, no_infos, CancellationToken::new()).await;
    });
    Running {
        task,
        commands: Commands::new(CommandsTo::Ours(requests)),
        _others: others,
    }
}

/// A sequencer that commits at once what it takes.
async fn commit_at_once(mut inputs: mpsc::Receiver<Input>) {
    let mut resume = None;
    while let Some(input) = inputs.recv().await {
        match input {
            Input::Dispatch(dispatch, _permit) => {
                if dispatch.name == "READY" {
                    resume = session_of(&dispatch);
                }
                if let (Some(resume), Some(number)) = (&mut resume, dispatch.sequence) {
                    resume.sequence = number.get();
                }
            }
            Input::Lost(lost, reply) => {
                resume = resume.filter(|_| lost.resumable);
                let _stopped = reply.send(resume.clone());
            }
            Input::Watch(_) | Input::Ask(_) => panic!("nobody is attached"),
        }
    }
}

fn session_of(ready: &Dispatch) -> Option<ResumeState> {
    let ready: Value = serde_json::from_str(ready.data.get()).expect("JSON");
    let text = |name: &str| ready[name].as_str().map(str::to_owned);
    Some(ResumeState {
        session_id: text("session_id")?,
        sequence: 0,
        url: text("resume_gateway_url"),
        terms: Terms {
            shard: [0, 1],
            intents: 129,
            guilds: None,
            world_format: 1,
        },
    })
}

fn twilight(server: &Server) -> Running {
    let intents = Bits::GUILDS | Bits::GUILD_VOICE_STATES;
    let config = ConfigBuilder::new(TOKEN.to_owned(), intents).proxy_url(server.base());
    let mut shard = twilight_gateway::Shard::with_config(ShardId::ONE, config.build());
    let commands = Commands::new(CommandsTo::Twilight(shard.sender()));
    let mut task = JoinSet::new();
    // Errors are for its user to log and to go on after.
    task.spawn(async move { while shard.next().await.is_some() {} });
    Running {
        task,
        commands,
        _others: JoinSet::new(),
    }
}

impl Commands {
    fn new(to: CommandsTo) -> Self {
        Self {
            to,
            tasks: Mutex::new(JoinSet::new()),
        }
    }

    /// Tells the client to ask for members so many times, as fast as it may.
    pub(super) fn request_members(&self, count: u64) {
        match &self.to {
            CommandsTo::Ours(requests) => {
                let requests = requests.clone();
                self.tasks.lock().spawn(async move {
                    for nonce in 0..count {
                        let request = MembersRequest {
                            guild_id: GuildId(1),
                            user_ids: vec![UserId(7)],
                            nonce: Nonce(nonce),
                        };
                        if requests.send(request).await.is_err() {
                            return;
                        }
                    }
                });
            }
            CommandsTo::Twilight(sender) => {
                for nonce in 0..count {
                    let data = json!({
                        "guild_id": "1", "user_ids": ["7"], "nonce": nonce.to_string(),
                    });
                    let request = json!({"op": 8, "d": data});
                    sender.send(request.to_string()).expect("the client lives");
                }
            }
        }
    }
}
