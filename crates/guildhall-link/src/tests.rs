//! Both ends joined by queues in memory, over a connection that is cut again and again: whatever
//! happens, the replica is the gateway's world at its position, and that is never inside a group.

/// The gateway's side: logs.
mod log;
/// The web role's side.
mod replica;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_model::{
    Change, ChannelId, Cursor, Envelope, Event, Guild, GuildId, LogId, Position, Revocation,
    SealedEvent, UserId, World,
    guild::{GuildInfo, Occupant, VoiceFlags},
};
use proptest::{collection::vec, prelude::*};

use crate::{
    End, Frame, Receiver, Sender, SocketInput,
    frame::{Base, Discord, DiscordStatus, ReplyBody, Watched},
    receiver, sender,
};
use log::Log;
use replica::Replica;

/// Small, so that guilds are evicted from at once and joins meet every floor.
const WINDOW: usize = 4;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_replica_is_the_gateways_world_whatever_happens_to_the_link(
        logs in prop::sample::select(vec![1_u16, 3]), steps in vec(steps(), 0..200)
    ) {
        let mut house = House::new(logs);
        for step in steps {
            house.take(step);
        }
        house.come_to_rest();
        for log in &house.logs {
            let replica = &house.replica.of[&log.head.log];
            prop_assert_eq!(replica.position, Some(log.head));
            prop_assert_eq!(&replica.world, &log.world);
        }
        prop_assert!(house.told.iter().copied().eq(1..=house.revoked));
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// One of the logs grows by one group.
    Append(usize, Vec<Event>),
    /// The web role dials, if there is no connection.
    Dial,
    /// So many messages cross, and so many outputs are taken, on each side.
    Cross(usize),
    /// The connection breaks; what is under way is lost.
    Cut,
    /// Somebody asks for a watch.
    Ask,
    /// The gateway has kept that somebody's sessions are over.
    Revoke,
    /// Discord has sent all guilds of one of the logs, or not.
    Complete(usize, bool),
    /// The gateway restarts without one of its logs: a new epoch.
    Restart(usize),
    /// Time passes.
    Pass(Duration),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_usize, groups()).prop_map(|(log, group)| Step::Append(log, group)),
        3 => Just(Step::Dial),
        8 => (0..6_usize).prop_map(Step::Cross),
        1 => Just(Step::Cut),
        1 => Just(Step::Ask),
        2 => Just(Step::Revoke),
        1 => (0..3_usize, any::<bool>()).prop_map(|(log, all)| Step::Complete(log, all)),
        1 => (0..3_usize).prop_map(Step::Restart),
        1 => (0..6_000_u64).prop_map(|millis| Step::Pass(Duration::from_millis(millis))),
    ]
}

fn groups() -> impl Strategy<Value = Vec<Event>> {
    let long = (1..4_u64, vec(changes(), 2..=5));
    prop_oneof![
        2 => (1..4_u64, changes()).prop_map(|(guild, change)| (guild, vec![change])),
        1 => long,
    ]
    .prop_map(|(guild, changes)| {
        let event = |change| Event {
            guild_id: GuildId(guild),
            ts: 1,
            synthetic: false,
            change,
        };
        changes.into_iter().map(event).collect()
    })
}

fn changes() -> impl Strategy<Value = Change> {
    (0..6_u8, 1..4_u64, 1..4_u64).prop_map(|(kind, user, channel)| match kind {
        0 => Change::GuildAvailable(Some(Box::new(new_guild()))),
        1 => Change::GuildRemoved,
        2 => Change::VoiceLeft {
            previous_channel_id: ChannelId(channel),
            user_id: UserId(user),
        },
        _ => Change::VoiceJoined(occupant(user, channel)),
    })
}

struct House {
    now: Instant,
    logs: Vec<Log>,
    /// For each log whether Discord has sent all of its guilds.
    complete: Vec<bool>,
    replica: Replica,
    /// What the dialling driver keeps between connections.
    afresh: bool,
    connection: Option<Connection>,
    asked: u64,
    answered: u64,
    /// So many users' sessions are over: those with ids from 1 on.
    revoked: u64,
    /// Of whom the web role was told.
    told: BTreeSet<u64>,
}

struct Connection {
    /// So many were over when it was made.
    revoked: u64,
    sender: Sender,
    receiver: Receiver<u64>,
    to_web: VecDeque<String>,
    to_gateway: VecDeque<String>,
}

impl House {
    #[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
    fn new(logs: u16) -> Self {
        Self {
            now: Instant::now(),
            logs: (0..logs).map(|log| Log::new(LogId(log), 1_000)).collect(),
            complete: vec![false; logs.into()],
            replica: Replica::default(),
            afresh: false,
            connection: None,
            asked: 0,
            answered: 0,
            revoked: 0,
            told: BTreeSet::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Append(log, group) => {
                let log = self.log(log);
                log.append(group);
                let head = log.head;
                self.tell_sender(sender::Input::HeadMoved(head));
            }
            Step::Dial => self.dial(),
            Step::Cross(most) => self.cross(most),
            Step::Cut => self.cut(),
            Step::Ask => self.ask(),
            Step::Revoke => {
                self.revoked += 1;
                self.tell_sender(sender::Input::RevokedMoved(self.revoked));
            }
            Step::Complete(log, complete) => {
                let log = log % self.logs.len();
                self.complete[log] = complete;
                self.tell_sender(sender::Input::StatusChanged {
                    status: status(complete),
                    head: self.logs[log].head,
                });
            }
            Step::Restart(log) => {
                self.cut();
                self.log(log).restart();
            }
            Step::Pass(time) => self.pass(time),
        }
    }

    fn log(&mut self, index: usize) -> &mut Log {
        let count = self.logs.len();
        &mut self.logs[index % count]
    }

    /// No more faults; one more event of each log, since a hole shows at the next one.
    fn come_to_rest(&mut self) {
        for log in 0..self.logs.len() {
            let arrival = Event {
                guild_id: GuildId(1),
                ts: 1,
                synthetic: false,
                change: Change::GuildAvailable(Some(Box::new(new_guild()))),
            };
            self.take(Step::Append(log, vec![arrival]));
            self.take(Step::Complete(log, true));
        }
        for _ in 0..100 {
            self.dial();
            self.cross(1_000);
        }
        assert_eq!(self.answered, self.asked, "every ask has its answer");
    }

    fn dial(&mut self) {
        if self.connection.is_none() {
            let after = if self.afresh {
                None
            } else {
                self.replica.cursor()
            };
            self.connection = Some(Connection {
                revoked: self.revoked,
                sender: self.sender(),
                receiver: Receiver::new(after, self.now),
                to_web: VecDeque::new(),
                to_gateway: VecDeque::new(),
            });
        }
    }

    fn sender(&self) -> Sender {
        let heads = Cursor::new(self.logs.iter().map(|log| log.head)).expect("few");
        let mut sender = Sender::new(heads, self.now);
        for (log, complete) in self.logs.iter().zip(&self.complete) {
            let said = sender::Input::StatusChanged {
                status: status(*complete),
                head: log.head,
            };
            sender.handle(said, self.now);
        }
        sender
    }

    fn ask(&mut self) {
        if let Some(connection) = &mut self.connection {
            let ask = receiver::Input::WatchAsked {
                user_id: UserId(1),
                guild_ids: vec![GuildId(1)],
                due: self.now + Duration::from_secs(5),
                reply: self.asked,
            };
            self.asked += 1;
            connection.receiver.handle(ask, self.now);
            self.run_receiver();
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.tell_sender(SocketInput::TimePassed);
        if let Some(connection) = &mut self.connection {
            connection
                .receiver
                .handle(SocketInput::TimePassed, self.now);
            self.run_receiver();
        }
    }

    fn tell_sender(&mut self, input: impl Into<sender::Input>) {
        if let Some(connection) = &mut self.connection {
            connection.sender.handle(input, self.now);
        }
    }

    fn cut(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection
                .receiver
                .handle(SocketInput::ConnectionLost, self.now);
            self.run_receiver();
        }
    }

    fn cross(&mut self, most: usize) {
        self.run_sender(most);
        for _ in 0..most {
            let Some(connection) = &mut self.connection else {
                return;
            };
            let Some(text) = connection.to_web.pop_front() else {
                break;
            };
            let came = SocketInput::FrameCame(Frame::decode(&text));
            connection.receiver.handle(came, self.now);
            self.run_receiver();
        }
        for _ in 0..most {
            let Some(connection) = &mut self.connection else {
                return;
            };
            let Some(text) = connection.to_gateway.pop_front() else {
                break;
            };
            let came = SocketInput::FrameCame(Frame::decode(&text));
            connection.sender.handle(came, self.now);
        }
    }

    fn run_sender(&mut self, most: usize) {
        for _ in 0..most {
            let Some(Connection { sender, to_web, .. }) = &mut self.connection else {
                return;
            };
            let Some(output) = sender.poll_output() else {
                return;
            };
            match output {
                sender::Output::Send(frame) => to_web.push_back(frame.encode(1)),
                sender::Output::Relay(envelope) => to_web.push_back(text(&envelope)),
                sender::Output::Ping => {}
                sender::Output::Join { log, after } => {
                    sender.handle(self.logs[usize::from(log.0)].join(after), self.now);
                }
                sender::Output::Read(after) => {
                    sender.handle(self.logs[usize::from(after.log.0)].read(after), self.now);
                }
                sender::Output::ReadRevoked(after) => {
                    sender.handle(read_revoked(after, self.revoked), self.now);
                }
                sender::Output::Watch { request_id, .. } => {
                    let at = self.logs.iter().map(|log| log.head);
                    let watched = Watched {
                        at: Cursor::new(at).expect("few"),
                        failed: Vec::new(),
                    };
                    let done = sender::Input::Watched {
                        request_id,
                        watched,
                    };
                    sender.handle(done, self.now);
                }
                sender::Output::End(_) => return self.cut(),
                unasked => panic!("the web role: {unasked:?}"),
            }
        }
    }

    /// As its driver does: all there is, after every input.
    fn run_receiver(&mut self) {
        loop {
            let Some(Connection {
                receiver,
                to_gateway,
                revoked,
                ..
            }) = &mut self.connection
            else {
                return;
            };
            let Some(output) = receiver.poll_output() else {
                return;
            };
            match output {
                receiver::Output::Send(frame) => to_gateway.push_back(frame.encode(1)),
                receiver::Output::Ping
                | receiver::Output::CountViewers
                | receiver::Output::Status(_)
                | receiver::Output::Heads(_)
                | receiver::Output::Live(_) => {}
                receiver::Output::Revoked(revocations) => {
                    let users = revocations.iter().map(|it| match it {
                        Revocation::User { user_id, .. } => user_id.0,
                        other => panic!("{other:?} was not revoked"),
                    });
                    self.told.extend(users);
                }
                receiver::Output::AllRevokedTold => {
                    assert!((1..=*revoked).all(|user| self.told.contains(&user)));
                }
                receiver::Output::Begin(log) => {
                    self.replica.log(log).building = Some(World::default());
                }
                receiver::Output::Base(base) => self.replica.log(base.floor.log).base(*base),
                receiver::Output::Apply(group) => {
                    let log = group.first().expect("never empty").at.log;
                    let written = &self.logs[usize::from(log.0)];
                    self.replica.log(log).apply(&group, written);
                }
                receiver::Output::Complete(at) => {
                    for log in &self.logs {
                        let at = at.in_log(log.head.log).expect("every log");
                        self.replica.log(at.log).complete(at, log);
                    }
                }
                receiver::Output::Answer { answer, .. } => {
                    self.answered += 1;
                    for at in answer
                        .iter()
                        .filter_map(ReplyBody::at)
                        .flat_map(Cursor::positions)
                    {
                        let head = self.logs[usize::from(at.log.0)].head;
                        assert!(at.seq <= head.seq);
                    }
                }
                receiver::Output::Report(violation) => panic!("the gateway: {violation}"),
                // Fallen behind the log, which is no fault.
                receiver::Output::PeerFailed { code, .. } => assert_eq!(code, "expired"),
                receiver::Output::End(end) => {
                    assert_ne!(
                        end,
                        End::OutOfOrder,
                        "nothing was ever lost within a connection"
                    );
                    self.afresh &= !receiver.caught_up();
                    self.replica
                        .of
                        .values_mut()
                        .for_each(|log| log.building = None);
                    self.connection = None;
                    return;
                }
            }
        }
    }
}

/// Two at most, so that all of them come in parts.
fn read_revoked(after: u64, revoked: u64) -> sender::Input {
    let end = revoked.min(after + 2);
    let revocation = |user| Revocation::User {
        user_id: UserId(user),
        not_before: 1,
    };
    sender::Input::RevokedRead {
        revocations: (after + 1..=end).map(revocation).collect(),
        end,
        more: end < revoked,
    }
}

fn text(sealed: &SealedEvent) -> String {
    String::from_utf8(sealed.frame().to_vec()).expect("JSON")
}

fn status(complete: bool) -> DiscordStatus {
    DiscordStatus {
        discord: Discord::Live,
        since: 1,
        guild_ids: Vec::new(),
        complete,
    }
}

fn new_guild() -> Guild {
    Guild {
        info: GuildInfo {
            name: "Game night".to_owned(),
            icon: None,
        },
        available: true,
        owner_id: UserId(1),
        roles: BTreeMap::new(),
        categories: BTreeMap::new(),
        rooms: BTreeMap::new(),
        voice: BTreeMap::new(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::new(),
    }
}

fn occupant(user: u64, channel: u64) -> Occupant {
    Occupant {
        channel_id: ChannelId(channel),
        user_id: UserId(user),
        username: "nelly".to_owned(),
        display_name: "Nelly".to_owned(),
        avatar: None,
        avatar_url: String::new(),
        bot: false,
        since: 1,
        flags: VoiceFlags::default(),
    }
}
