use std::num::NonZeroU64;

use guildhall_model::{GuildId, UserId};
use guildhall_ports::journal::Terms;
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{
    super::*,
    discord::{Discord, PATIENCE, Peer},
};
use crate::{
    config::tests::NAMES,
    discord_rest::RestBudget,
    inbox::{Input, Nonce},
};

/// A shard under test, and a sequencer that commits at once what it takes.
pub(super) struct Harness {
    requests: mpsc::Sender<MembersRequest>,
    seen: mpsc::Receiver<Seen>,
    /// Until then the sequencer takes nothing.
    pub(super) sequencer_wakes: CancellationToken,
    pub(super) stop: CancellationToken,
    pub(super) renew: Arc<Notify>,
    task: JoinHandle<ShardExit>,
}

impl Harness {
    pub(super) fn new(discord: &Discord, change: impl FnOnce(&mut ShardSetup)) -> Self {
        let harness = Self::with_inbox(discord, 64, change);
        harness.sequencer_wakes.cancel();
        harness
    }

    pub(super) fn with_inbox(
        discord: &Discord,
        inbox: usize,
        change: impl FnOnce(&mut ShardSetup),
    ) -> Self {
        // A second installation in this process is refused, which is fine.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let (inbox, inputs) = Inbox::of(inbox, 1 << 20);
        let (stop, renew) = (CancellationToken::new(), Arc::new(Notify::new()));
        let moment = Duration::from_millis(5);
        let limits = Limits {
            reconnect_first: moment,
            reconnect_longest: moment,
            identify_spacing: moment,
            identify_after_refusal: moment,
            close: Duration::from_millis(200),
            ..Limits::default()
        };
        let mut shard = shard_of(discord.origin(), "a-token", limits, inbox);
        shard.renew = Arc::clone(&renew);
        change(&mut shard);
        let (told, seen) = mpsc::channel(256);
        let sequencer_wakes = CancellationToken::new();
        let (requests, asked) = mpsc::channel(REQUESTS);
        let runtime = tokio::runtime::Handle::current();
        let resume = shard.resume.clone();
        runtime.spawn(keep(inputs, sequencer_wakes.clone(), resume, told));
        let (_, no_infos) = mpsc::channel(1);
        let task = runtime.spawn(run(shard, asked, no_infos, stop.clone()));
        Self {
            requests,
            seen,
            sequencer_wakes,
            stop,
            renew,
            task,
        }
    }

    pub(super) async fn request(&self, nonce: u64) {
        let request = MembersRequest {
            guild_id: GuildId(1),
            user_ids: vec![UserId(7)],
            nonce: Nonce(nonce),
        };
        self.requests.send(request).await.expect("the shard lives");
    }

    async fn seen(&mut self) -> Seen {
        let seen = timeout(PATIENCE, self.seen.recv())
            .await
            .expect("an input in time");
        seen.expect("the shard lives")
    }

    /// Names of the next dispatches, losses of the connection passed over.
    pub(super) async fn dispatches(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        while names.len() < count {
            if let Seen::Dispatch(name) = self.seen().await {
                names.push(name);
            }
        }
        names
    }

    /// The next loss, dispatches passed over.
    pub(super) async fn lost(&mut self) -> Lost {
        loop {
            if let Seen::Lost(lost) = self.seen().await {
                return lost;
            }
        }
    }

    pub(super) async fn stop_and_exit(&mut self, mut peer: Peer) -> ShardExit {
        self.stop.cancel();
        assert_eq!(peer.close_code().await, Some(4000));
        self.exit().await
    }

    pub(super) async fn exit(&mut self) -> ShardExit {
        let exit = timeout(PATIENCE, &mut self.task)
            .await
            .expect("an end in time");
        exit.expect("no panic")
    }
}

/// What the sequencer got.
enum Seen {
    Dispatch(String),
    Lost(Lost),
}

async fn keep(
    mut inputs: mpsc::Receiver<Input>,
    wakes: CancellationToken,
    mut resume: Option<ResumeState>,
    told: mpsc::Sender<Seen>,
) {
    wakes.cancelled().await;
    while let Some(input) = inputs.recv().await {
        let seen = match input {
            Input::Dispatch(dispatch, _permit) => {
                if dispatch.name == "READY" {
                    resume = Some(session_of(dispatch.data.get()));
                }
                if let Some(resume) = &mut resume {
                    resume.sequence = dispatch.sequence.map_or(0, NonZeroU64::get);
                }
                Seen::Dispatch(dispatch.name)
            }
            Input::Lost(lost, reply) => {
                resume = resume.filter(|_| lost.resumable);
                let _stopped = reply.send(resume.clone());
                Seen::Lost(lost)
            }
            Input::Watch(_) | Input::Ask(_) => panic!("nobody is attached"),
        };
        if told.send(seen).await.is_err() {
            return;
        }
    }
}

pub(super) fn session_of(ready: &str) -> ResumeState {
    let ready: Value = serde_json::from_str(ready).expect("JSON");
    let text = |name: &str| ready[name].as_str().map(str::to_owned);
    ResumeState {
        session_id: text("session_id").expect("a session"),
        sequence: 0,
        url: text("resume_gateway_url"),
        terms: Terms {
            shard: [0, 1],
            intents: 129,
            guilds: None,
            world_format: 1,
        },
    }
}

/// A shard that begins afresh, with all else as it mostly is.
pub(in crate::shard) fn shard_of(
    origin: Url,
    token: &str,
    limits: Limits,
    inbox: Inbox,
) -> ShardSetup {
    let tls = guildhall_http::tls::client_config(None);
    let token: Secret = token.parse().expect("a token");
    let budget = RestBudget {
        look_ups: 1_000,
        commands: 1_000,
    };
    let rest = DiscordRest::new(origin, &tls, &token, budget, NAMES.root_certificates);
    ShardSetup {
        id: ShardId::ONLY,
        rest: rest.expect("a client"),
        bot_token: token,
        intents: Intents::default(),
        gateway_url: None,
        require_tls: false,
        tls,
        names: NAMES,
        limits,
        identify_limiter: IdentifyLimiter::new(limits.identify_spacing),
        inbox,
        resume: None,
        renew: Arc::new(Notify::new()),
        clock: Arc::new(guildhall_ports::ManualClock::at(1)),
    }
}
