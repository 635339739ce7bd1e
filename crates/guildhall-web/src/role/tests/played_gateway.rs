//! The gateway as the test plays it.

use futures_util::{SinkExt, StreamExt};
use guildhall_link::frame::{
    Base, Discord, DiscordStatus, Frame, LogStatus, Reply, ReplyBody, RequestBody, Tell, Watched,
};
use guildhall_model::{
    Change, Envelope, Event, GuildId, LogId, Position, UserId, guild::Membership,
};
use tokio::{net::TcpStream, select, sync::mpsc, task::JoinSet};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

use super::{SOON, empty_hall};
use crate::stream::tests::harness::{EPOCH, HALL};

/// Messages that wait on either way.
const MESSAGES: usize = 1_000;

/// A gateway as the test plays it.
///
/// It is heard whatever the test does meanwhile: a link is given up whose other end says nothing for ten
/// seconds, not even to a ping, and a test may take longer than that for something else.
pub(super) struct Gateway {
    says: mpsc::Sender<Message>,
    hears: mpsc::Receiver<Message>,
    /// Ends with this.
    _socket: JoinSet<()>,
}

impl Gateway {
    pub(super) async fn accept(socket: TcpStream) -> Self {
        let socket = accept_async(socket).await.expect("a WebSocket");
        let (says, to_say) = mpsc::channel(MESSAGES);
        let (came, hears) = mpsc::channel(MESSAGES);
        let mut task = JoinSet::new();
        task.spawn(pass_on(socket, to_say, came));
        Self {
            says,
            hears,
            _socket: task,
        }
    }

    pub(super) async fn say(&mut self, frame: Frame) {
        let message = Message::text(frame.encode(EPOCH));
        self.says.send(message).await.expect("it listens");
    }

    pub(super) async fn hear(&mut self) -> Frame {
        let hearing = async {
            loop {
                let message = self.hears.recv().await.expect("it is there");
                if let Message::Text(text) = message {
                    return Frame::decode(&text).expect("a frame");
                }
            }
        };
        tokio::time::timeout(SOON, hearing)
            .await
            .expect("it speaks")
    }

    pub(super) async fn attach(&mut self, head: Position) -> Option<Position> {
        let heads = head.into();
        self.say(Frame::Hello { heads }).await;
        let (subscribed, told) = (self.hear().await, self.hear().await);
        let Frame::Tell(Tell::Viewers { .. }) = told else {
            panic!("no table of viewers: {told:?}");
        };
        let revocations = Vec::new();
        let more = false;
        self.say(Frame::Tell(Tell::Revoked { revocations, more }))
            .await;
        match subscribed {
            Frame::Subscribe { after } => after.and_then(|after| after.in_log(head.log)),
            other => panic!("no subscribe: {other:?}"),
        }
    }

    /// The hall, with nobody looked up.
    pub(super) async fn snapshot(&mut self, position: Position) {
        self.snapshot_of(&[HALL], &[], position).await;
    }

    /// These guilds, with nobody looked up, and others that are in an outage.
    pub(super) async fn snapshot_of(
        &mut self,
        guilds: &[GuildId],
        out: &[GuildId],
        position: Position,
    ) {
        // An empty snapshot begins with a guild that is no more.
        let none = [(GuildId(1), None)].into_iter();
        let these = guilds.iter().map(|id| (*id, Some(empty_hall())));
        for (guild_id, guild) in none.chain(these) {
            self.say(Frame::Snapshot(Box::new(Base {
                guild_id,
                floor: position,
                guild,
            })))
            .await;
        }
        self.status(out).await;
        let at = position.into();
        self.say(Frame::SnapshotEnd { at }).await;
    }

    /// All guilds have come but for these, which are in an outage.
    pub(super) async fn status(&mut self, out: &[GuildId]) {
        let status = DiscordStatus {
            discord: Discord::Live,
            since: EPOCH,
            guild_ids: out.to_vec(),
            complete: true,
        };
        let at = Position::start(LogId(0), EPOCH);
        self.say(Frame::Status(LogStatus { at, status })).await;
    }

    /// Waits for a watch and answers it: a member without roles.
    pub(super) async fn look_up(&mut self, at: Position) {
        let (request_id, user_id, guild_ids) = self.asked().await;
        assert_eq!(guild_ids, [HALL]);
        let membership = Some(Membership::member(Vec::new()));
        self.append(
            at,
            Change::Rights {
                user_id,
                membership,
            },
        )
        .await;
        self.answer(request_id, at, &[]).await;
    }

    /// Waits for a watch.
    pub(super) async fn asked(&mut self) -> (u64, UserId, Vec<GuildId>) {
        match self.hear().await {
            Frame::Request(request) => match request.body {
                RequestBody::Watch(watch) => (request.id, watch.user_id, watch.guild_ids),
                other => panic!("no watch: {other:?}"),
            },
            other => panic!("no watch: {other:?}"),
        }
    }

    pub(super) async fn answer(&mut self, request_id: u64, at: Position, failed: &[GuildId]) {
        let failed = failed.to_vec();
        let at = at.into();
        let result = Ok(ReplyBody::Watched(Watched { at, failed }));
        let id = request_id;
        self.say(Frame::Reply(Reply { id, result })).await;
    }

    pub(super) async fn append(&mut self, at: Position, change: Change) {
        let event = Event {
            guild_id: HALL,
            ts: EPOCH,
            synthetic: false,
            change,
        };
        self.say(Frame::Event(Envelope {
            at,
            more: false,
            event,
        }))
        .await;
    }

    /// Whether what the web role sent so far is only its heartbeat.
    pub(super) async fn has_said_nothing(&mut self) -> bool {
        self.said().await.is_empty()
    }

    /// The frames that the web role sent so far: a ping of ours comes back behind them.
    pub(super) async fn said(&mut self) -> Vec<String> {
        let ping = Message::Ping("anything else?".into());
        self.says.send(ping).await.expect("it listens");
        let mut said = Vec::new();
        loop {
            match self.hears.recv().await.expect("it is there") {
                Message::Text(text) => said.push(text.to_string()),
                Message::Pong(payload) if payload == "anything else?" => return said,
                _ => {}
            }
        }
    }
}

/// The answer to a revocation, which this gateway keeps: no test has to care.
fn revocation_kept(message: &Message) -> Option<Message> {
    let Message::Text(text) = message else {
        return None;
    };
    let Ok(Frame::Request(request)) = Frame::decode(text) else {
        return None;
    };
    let RequestBody::Revoke(_) = request.body else {
        return None;
    };
    let reply = Reply {
        id: request.id,
        result: Ok(ReplyBody::Revoked { known: false }),
    };
    Some(Message::text(Frame::Reply(reply).encode(EPOCH)))
}

/// Between the socket and the test. Reading it answers pings.
async fn pass_on(
    mut socket: WebSocketStream<TcpStream>,
    mut to_say: mpsc::Receiver<Message>,
    came: mpsc::Sender<Message>,
) {
    loop {
        select! {
            Some(message) = to_say.recv() => {
                if socket.send(message).await.is_err() {
                    return;
                }
            }
            message = socket.next() => {
                let Some(Ok(message)) = message else {
                    return;
                };
                if let Some(kept) = revocation_kept(&message) {
                    if socket.send(kept).await.is_err() {
                        return;
                    }
                    continue;
                }
                // The test may not care any more.
                let _whether = came.send(message).await;
            }
        }
    }
}
