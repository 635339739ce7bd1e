//! Both ends joined by queues in memory, over a connection that is cut again and again: whatever
//! happens, the replica is the gateway's world at its position, and that is never inside a group.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_model::{
    Change, ChannelId, Envelope, Event, Guild, GuildId, LogId, Position, SealedEvent, UserId,
    World,
    guild::{GuildInfo, Occupant, VoiceFlags},
};
use proptest::{collection::vec, prelude::*};

use crate::{
    End, Frame, Receiver, Sender,
    frame::{Ack, Base, Discord, DiscordStatus, encode_event},
    receiver, sender,
};

/// Small, so that guilds are evicted from at once and joins meet every floor.
const WINDOW: usize = 4;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_replica_is_the_gateways_world_whatever_happens_to_the_link(
        steps in vec(steps(), 0..200)
    ) {
        let mut house = House::new();
        for step in steps {
            house.take(step);
        }
        house.come_to_rest();
        prop_assert_eq!(house.replica.position, Some(house.log.head));
        prop_assert_eq!(&house.replica.world, &house.log.world);
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// The log grows by one group.
    Append(Vec<Event>),
    /// The web role dials, if there is no connection.
    Dial,
    /// So many messages cross, and so many outputs are taken, on each side.
    Cross(usize),
    /// The connection breaks; what is under way is lost.
    Cut,
    /// Somebody asks for a watch.
    Ask,
    /// Discord has sent all guilds, or not.
    Complete(bool),
    /// The gateway restarts without its log: a new epoch.
    Restart,
    /// Time passes.
    Pass(Duration),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => groups().prop_map(Step::Append),
        3 => Just(Step::Dial),
        8 => (0..6_usize).prop_map(Step::Cross),
        1 => Just(Step::Cut),
        1 => Just(Step::Ask),
        1 => any::<bool>().prop_map(Step::Complete),
        1 => Just(Step::Restart),
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
    log: Log,
    status: DiscordStatus,
    replica: Replica,
    /// What the dialling driver keeps between connections.
    afresh: bool,
    connection: Option<Connection>,
    asked: u64,
    answered: u64,
}

struct Connection {
    sender: Sender,
    receiver: Receiver<u64>,
    to_web: VecDeque<String>,
    to_gateway: VecDeque<String>,
}

impl House {
    #[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
    fn new() -> Self {
        Self {
            now: Instant::now(),
            log: Log::new(1_000),
            status: status(false),
            replica: Replica::default(),
            afresh: false,
            connection: None,
            asked: 0,
            answered: 0,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Append(group) => {
                self.log.append(group);
                self.tell_sender(sender::Input::HeadMoved(self.log.head));
            }
            Step::Dial => self.dial(),
            Step::Cross(most) => self.cross(most),
            Step::Cut => self.cut(),
            Step::Ask => self.ask(),
            Step::Complete(complete) => {
                self.status = status(complete);
                self.tell_sender(sender::Input::StatusChanged {
                    status: self.status.clone(),
                    head: self.log.head,
                });
            }
            Step::Restart => {
                self.cut();
                self.log.restart();
            }
            Step::Pass(time) => self.pass(time),
        }
    }

    /// No more faults; one more event, since a hole shows at the next one.
    fn come_to_rest(&mut self) {
        self.take(Step::Append(vec![Event {
            guild_id: GuildId(1),
            ts: 1,
            synthetic: false,
            change: Change::GuildAvailable(Some(Box::new(new_guild()))),
        }]));
        self.take(Step::Complete(true));
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
                self.replica.position
            };
            self.connection = Some(Connection {
                sender: Sender::new(self.log.head, self.status.clone(), self.now),
                receiver: Receiver::new(after, self.now),
                to_web: VecDeque::new(),
                to_gateway: VecDeque::new(),
            });
        }
    }

    fn ask(&mut self) {
        if let Some(connection) = &mut self.connection {
            let ask = receiver::Input::WatchAsked {
                user_id: UserId(1),
                guild_ids: vec![GuildId(1)],
                reply: self.asked,
            };
            self.asked += 1;
            connection.receiver.handle(ask, self.now);
            self.run_receiver();
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.tell_sender(sender::Input::TimePassed);
        if let Some(connection) = &mut self.connection {
            connection
                .receiver
                .handle(receiver::Input::TimePassed, self.now);
            self.run_receiver();
        }
    }

    fn tell_sender(&mut self, input: sender::Input) {
        if let Some(connection) = &mut self.connection {
            connection.sender.handle(input, self.now);
        }
    }

    fn cut(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection
                .receiver
                .handle(receiver::Input::ConnectionLost, self.now);
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
            let came = receiver::Input::FrameCame(Frame::decode(&text));
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
            let came = sender::Input::FrameCame(Frame::decode(&text));
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
                sender::Output::Relay(envelope) => to_web.push_back(encode_event(&envelope)),
                sender::Output::Ping => {}
                sender::Output::Join(after) => sender.handle(self.log.join(after), self.now),
                sender::Output::Read(after) => sender.handle(self.log.read(after), self.now),
                sender::Output::Watch { request_id, .. } => {
                    let ack = Ack {
                        request_id,
                        at: self.log.head,
                        failed: Vec::new(),
                    };
                    sender.handle(sender::Input::Watched(ack), self.now);
                }
                sender::Output::Report(violation) => panic!("the web role: {violation}"),
                sender::Output::PeerFailed { code, .. } => panic!("the web role: {code}"),
                sender::Output::End(_) => return self.cut(),
            }
        }
    }

    /// As its driver does: all there is, after every input.
    fn run_receiver(&mut self) {
        loop {
            let Some(Connection {
                receiver,
                to_gateway,
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
                | receiver::Output::Status(_)
                | receiver::Output::Live(_) => {}
                receiver::Output::Begin => self.replica.building = Some(World::default()),
                receiver::Output::Base(base) => self.replica.base(*base),
                receiver::Output::Apply(group) => self.replica.apply(&group, &self.log),
                receiver::Output::Complete(at) => self.replica.complete(at, &self.log),
                receiver::Output::Answer { ack, .. } => {
                    self.answered += 1;
                    assert!(ack.is_none_or(|ack| ack.at.seq <= self.log.head.seq));
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
                    self.replica.building = None;
                    self.connection = None;
                    return;
                }
            }
        }
    }
}

/// A naive web replica, checked against the gateway's history at every step.
#[derive(Default)]
struct Replica {
    position: Option<Position>,
    world: World,
    building: Option<World>,
}

impl Replica {
    fn base(&mut self, base: Base) {
        let building = self.building.as_mut().expect("begun");
        if let Some(guild) = base.guild {
            building.guilds.insert(base.guild_id, guild);
        }
    }

    fn apply(&mut self, group: &[Envelope], log: &Log) {
        let world = self.building.as_mut().unwrap_or(&mut self.world);
        for envelope in group {
            world.apply(&envelope.event);
        }
        if self.building.is_none() {
            let at = group.last().expect("never empty").at;
            self.position = Some(at);
            assert_eq!(&self.world, log.world_at(at), "at {at}");
        }
    }

    fn complete(&mut self, at: Position, log: &Log) {
        if let Some(built) = self.building.take() {
            self.world = built;
            self.position = Some(at);
        }
        assert_eq!(self.position, Some(at));
        assert_eq!(&self.world, log.world_at(at), "complete at {at}");
    }
}

/// A log with bases and floors, and the world at the end of every group there ever was.
struct Log {
    head: Position,
    kept: Vec<Arc<SealedEvent>>,
    floors: BTreeMap<GuildId, u64>,
    bases: World,
    world: World,
    history: BTreeMap<Position, World>,
}

impl Log {
    fn new(epoch: u64) -> Self {
        let head = Position::start(LogId(0), epoch);
        Self {
            head,
            kept: Vec::new(),
            floors: BTreeMap::new(),
            bases: World::default(),
            world: World::default(),
            history: BTreeMap::from([(head, World::default())]),
        }
    }

    fn restart(&mut self) {
        let history = std::mem::take(&mut self.history);
        *self = Self::new(self.head.epoch + 1);
        self.history.extend(history);
    }

    fn append(&mut self, group: Vec<Event>) {
        let guild_id = group[0].guild_id;
        self.floors.entry(guild_id).or_insert(0);
        let length = group.len();
        for (index, event) in group.into_iter().enumerate() {
            self.head = self.head.at(self.head.seq + 1);
            self.world.apply(&event);
            self.kept.push(Arc::new(SealedEvent::new(Envelope {
                at: self.head,
                more: index + 1 < length,
                event,
            })));
        }
        self.history.insert(self.head, self.world.clone());
        let of_guild = |kept: &&Arc<SealedEvent>| kept.event.guild_id == guild_id;
        while self.kept.iter().filter(of_guild).count() > WINDOW {
            self.evict_group(guild_id);
        }
    }

    fn evict_group(&mut self, guild_id: GuildId) {
        let of_guild = |kept: &Arc<SealedEvent>| kept.event.guild_id == guild_id;
        while let Some(oldest) = self.kept.iter().position(of_guild) {
            let evicted = self.kept.remove(oldest);
            self.bases.apply(&evicted.event);
            self.floors.insert(guild_id, evicted.at.seq);
            if !evicted.more {
                return;
            }
        }
    }

    fn join(&self, after: Option<Position>) -> sender::Input {
        match after {
            Some(after) if self.goes_back_to(after) => sender::Input::JoinedAfter {
                after,
                head: self.head,
            },
            _ => sender::Input::JoinedBases {
                bases: self
                    .floors
                    .iter()
                    .map(|(id, floor)| self.base(*id, *floor))
                    .collect(),
                backlog: self.kept.clone(),
                head: self.head,
            },
        }
    }

    fn read(&self, after: Position) -> sender::Input {
        if !self.goes_back_to(after) {
            return sender::Input::LogExpired;
        }
        let later = self.kept.iter().filter(|kept| kept.at.seq > after.seq);
        sender::Input::EventsRead(later.take(3).cloned().collect())
    }

    fn goes_back_to(&self, after: Position) -> bool {
        let floor = self.floors.values().max().copied().unwrap_or(0);
        after.comparable(self.head) && (floor..=self.head.seq).contains(&after.seq)
    }

    fn base(&self, guild_id: GuildId, floor: u64) -> Base {
        Base {
            guild_id,
            floor: self.head.at(floor),
            guild: self.bases.guilds.get(&guild_id).cloned(),
        }
    }

    fn world_at(&self, at: Position) -> &World {
        self.history.get(&at).expect("the end of a group")
    }
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
