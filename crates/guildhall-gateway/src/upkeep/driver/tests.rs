use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_link::frame::{Discord, DiscordStatus, ViewerTable};
use guildhall_model::{
    Event, LogId, Position, RoleId,
    command::{Command, CommandDone, Outcome},
    guild::{Occupant, VoiceFlags},
};
use guildhall_ports::{
    ManualClock, RoomStore,
    memory::MemoryRoomStore,
    room_store::{RoomChange, RoomNumber, SigningKey},
};
use parking_lot::Mutex;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::*;
use crate::{
    Lobby, RoomSettings, ShardId,
    execute::{GuildWorld, GuildWorlds, Submission, tests::unused_context},
    inbox::{About, Answered, Input, QuestionAnswer},
    log::{
        Log, Retention,
        tests::{log, write},
    },
    rooms::{AttachedViewers, RoomTable, ViewerTables},
    sequencer::Sequencer,
};

const GUILD: GuildId = GuildId(1);
const ROOM: ChannelId = ChannelId(7);
const LOBBY: ChannelId = ChannelId(4);
const OWNER: UserId = UserId(5);
const WALL: u64 = 1_700_000_000_000;
const HOUR: Duration = Duration::from_hours(1);
/// Longer than anything here takes.
const LONG: Duration = Duration::from_hours(48);

#[tokio::test(start_paused = true)]
async fn a_room_that_is_empty_for_long_enough_is_said_to_be_idle_and_deleted_once() {
    let mut house = House::start(&[]).await;
    let viewers = house.attach();
    let began = now();
    let (guild_id, channel_id) = house.deleted().await;
    assert_eq!((guild_id, channel_id), (GUILD, ROOM));
    assert_eq!(now() - began, HOUR);
    assert_eq!(house.world.lock().idle, [(ROOM, Some(WALL + 30_000))]);
    assert_eq!(house.table.owner_left_at(ROOM), Some(WALL));
    house.nothing_for(LONG).await;
    drop(viewers);
}

#[tokio::test(start_paused = true)]
async fn while_no_web_role_is_there_nothing_is_deleted() {
    let mut house = House::start(&[]).await;
    house.nothing_for(LONG).await;
    let viewers = house.attach();
    let began = now();
    house.deleted().await;
    assert_eq!(now() - began, HOUR);
    drop(viewers);
}

#[tokio::test(start_paused = true)]
async fn somebody_who_comes_takes_it_back_and_the_clock_begins_anew_when_they_go() {
    let mut house = House::start(&[]).await;
    let _viewers = house.attach();
    house
        .nothing_for(HOUR.saturating_sub(Duration::from_secs(10)))
        .await;
    assert_eq!(house.world.lock().idle, [(ROOM, Some(WALL + 30_000))]);
    house.moves(ROOM, UserId(9), true);
    house.nothing_for(LONG).await;
    assert_eq!(house.world.lock().idle[1..], [(ROOM, None)]);
    house.moves(ROOM, UserId(9), false);
    let began = now();
    house.deleted().await;
    assert_eq!(now() - began, HOUR);
}

/// Two looks find it empty, and somebody was there in between.
#[tokio::test(start_paused = true)]
async fn somebody_who_was_there_for_a_moment_counts() {
    let mut house = House::start(&[]).await;
    let _viewers = house.attach();
    house.nothing_for(HOUR / 2).await;
    house.says(Change::VoiceJoined(occupant(ROOM, UserId(9), false)));
    house.says(left(ROOM, UserId(9)));
    let began = now();
    house.deleted().await;
    assert_eq!(now() - began, HOUR);
}

#[tokio::test(start_paused = true)]
async fn a_word_about_discord_or_the_guild_makes_the_clock_begin_anew() {
    let mut house = House::start(&[]).await;
    let _viewers = house.attach();
    house.nothing_for(HOUR / 2).await;
    house.world.lock().live = false;
    house.status.send_modify(|status| status.since += 1);
    house.nothing_for(LONG).await;
    house.world.lock().live = true;
    house.status.send_modify(|status| status.since += 1);
    house.nothing_for(HOUR / 2).await;
    house.says(Change::GuildAvailable(None));
    let began = now();
    house.deleted().await;
    assert_eq!(now() - began, HOUR);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_was_not_deleted_is_tried_again() {
    let mut house = House::start(&[]).await;
    let _viewers = house.attach();
    let began = now();
    house.refused().await;
    house.deleted().await;
    assert_eq!(now() - began, HOUR * 2);
    let said = [Some(WALL + 30_000), None, Some(WALL + 30_000)];
    assert_eq!(house.world.lock().idle, said.map(|at| (ROOM, at)));
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_said_is_taken_back() {
    let mut house = House::start(&[Change::RoomIdle {
        channel_id: ROOM,
        deletes_at: Some(WALL),
    }])
    .await;
    house.nothing_for(HOUR).await;
    assert_eq!(house.world.lock().idle, [(ROOM, None)]);
}

/// Discord's answer to whoever makes a room, and what is kept then, may come before its event.
#[tokio::test(start_paused = true)]
async fn a_room_that_comes_after_the_first_look_has_a_clock_too() {
    let mut house = House::start(&[]).await;
    let _viewers = house.attach();
    house.nothing_for(HOUR / 2).await;
    house.world.lock().gone.insert(ROOM);
    house.status.send_modify(|status| status.since += 1);
    assert_eq!(house.repaired().await, RoomNumber(1));
    house.nothing_for(LONG).await;
    house.world.lock().gone.clear();
    house.says(Change::RoomCreated(room_called(ROOM)));
    let began = now();
    house.deleted().await;
    assert_eq!(now() - began, HOUR);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_gone_is_repaired_however_that_becomes_known() {
    let mut house = House::start(&[]).await;
    house.nothing_for(HOUR).await;
    house.says(Change::RoomDeleted { channel_id: ROOM });
    assert_eq!(house.repaired().await, RoomNumber(1));
    // A channel of somebody else's.
    house.says(Change::RoomDeleted {
        channel_id: ChannelId(99),
    });
    house.nothing_for(HOUR).await;
    for role_id in [RoleId(61), RoleId(60)] {
        house.says(Change::RoleRemoved { role_id });
    }
    assert_eq!(house.repaired().await, RoomNumber(1));
    house.nothing_for(HOUR).await;
    house.world.lock().gone.insert(ROOM);
    house.status.send_modify(|status| status.since += 1);
    assert_eq!(house.repaired().await, RoomNumber(1));
    house.says(Change::Gap { from: 1, to: 2 });
    assert_eq!(house.repaired().await, RoomNumber(1));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_in_a_lobby_is_given_a_room_and_bots_are_not() {
    let found = UserId(20);
    let mut house = House::start_in_lobby(found).await;
    assert_eq!(house.served().await, found);
    house.says(Change::VoiceJoined(occupant(LOBBY, UserId(21), true)));
    house.moves(LOBBY, UserId(22), true);
    assert_eq!(house.served().await, UserId(22));
    house.nothing_for(HOUR).await;
}

/// A gateway's part of the house: what it asks of the world and of the executor is answered here.
struct House {
    log: Log,
    table: RoomTable,
    viewers: ViewerTables,
    status: watch::Sender<DiscordStatus>,
    world: Arc<Mutex<FalseWorld>>,
    submissions: mpsc::Receiver<Submission>,
    /// Dropped, they end.
    tasks: JoinSet<()>,
}

struct FalseWorld {
    live: bool,
    voice: BTreeSet<(ChannelId, UserId)>,
    gone: BTreeSet<ChannelId>,
    /// What was said of idle rooms.
    idle: Vec<(ChannelId, Option<u64>)>,
}

impl House {
    /// After these events.
    async fn start(before: &[Change]) -> Self {
        Self::start_with(before, BTreeSet::new()).await
    }

    async fn start_in_lobby(user_id: UserId) -> Self {
        let made = Change::RoomCreated(room_called(LOBBY));
        Self::start_with(&[made], BTreeSet::from([(LOBBY, user_id)])).await
    }

    async fn start_with(before: &[Change], voice: BTreeSet<(ChannelId, UserId)>) -> Self {
        let store = MemoryRoomStore::default();
        let saved = store.save(vec![RoomChange::Room(room())]).await;
        saved.expect("in memory");
        let settings = RoomSettings {
            lobbies: vec![Lobby {
                channel: LOBBY,
                template: "{name}".to_owned(),
                limit: 4,
                parent: None,
                idle: Duration::from_mins(1),
            }],
            ..RoomSettings::default()
        };
        let table = RoomTable::load(settings, Arc::new(store), SigningKey([1; 32])).await;
        let table = table.expect("in memory");
        let retention = Retention {
            records_per_guild: 64,
            bytes_per_guild: 1 << 20,
            bytes: 1 << 20,
        };
        let log = log(Position::start(LogId(0), 1), retention);
        let world = Arc::new(Mutex::new(FalseWorld {
            live: true,
            voice,
            gone: BTreeSet::new(),
            idle: Vec::new(),
        }));
        let (sequencer, inbox) = Sequencer::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(answer(inbox, Arc::clone(&world)));
        let (executor, submissions) = Executor::new();
        let status = watch::Sender::new(DiscordStatus {
            discord: Discord::Live,
            since: 1,
            guild_ids: Vec::new(),
            complete: true,
        });
        let viewers = ViewerTables::new();
        let mut house = Self {
            log: log.clone(),
            table: table.clone(),
            viewers: viewers.clone(),
            status,
            world,
            submissions,
            tasks,
        };
        for change in before {
            house.says(change.clone());
        }
        let setup = UpkeepSetup {
            context: CommandContext {
                worlds: GuildWorlds::new([GuildWorld {
                    shard: ShardId::ONLY,
                    sequencer,
                    log: log.clone(),
                }]),
                rooms: table,
                viewers,
                clock: Arc::new(ManualClock::at(WALL)),
                ..unused_context()
            },
            executor,
            shards: vec![UpkeepShard {
                shard: ShardId::ONLY,
                log,
                status: house.status.subscribe(),
            }],
        };
        house.tasks.spawn(run(setup, CancellationToken::new()));
        house
    }

    /// A web role that nobody looks at rooms on.
    fn attach(&self) -> AttachedViewers {
        let attached = self.viewers.attach();
        attached.told(ViewerTable {
            instance: "web".parse().expect("a name"),
            rooms: BTreeMap::new(),
        });
        attached
    }

    fn says(&self, change: Change) {
        let event = Event {
            guild_id: GUILD,
            ts: 1,
            synthetic: false,
            change,
        };
        write(&self.log, self.log.head(), vec![event]).expect("the only writer");
    }

    fn moves(&self, channel_id: ChannelId, user_id: UserId, comes: bool) {
        let voice = &mut self.world.lock().voice;
        if comes {
            voice.insert((channel_id, user_id));
            self.says(Change::VoiceJoined(occupant(channel_id, user_id, false)));
        } else {
            voice.remove(&(channel_id, user_id));
            self.says(left(channel_id, user_id));
        }
    }

    async fn submitted(&mut self) -> Submission {
        let submitted = timeout(LONG, self.submissions.recv()).await;
        submitted.expect("in time").expect("it runs")
    }

    async fn deleted(&mut self) -> (GuildId, ChannelId) {
        match self.answered(Ok(done())).await {
            Command::CloseRoom {
                guild_id,
                channel_id,
            } => (guild_id, channel_id),
            other => panic!("{other:?}"),
        }
    }

    async fn refused(&mut self) {
        use guildhall_model::command::{CommandError, CommandErrorCode};
        let error = CommandError::new(CommandErrorCode::DiscordFailed, "Discord failed.");
        let command = self.answered(Err(error)).await;
        assert!(matches!(command, Command::CloseRoom { .. }), "{command:?}");
    }

    /// Who is given a room; they are moved into it a moment later.
    async fn served(&mut self) -> UserId {
        let Submission::Command { request, reply, .. } = self.submitted().await else {
            panic!("nothing is to be repaired");
        };
        let expected = Command::EnterLobby {
            guild_id: GUILD,
            channel_id: LOBBY,
        };
        assert_eq!(request.command, expected);
        reply.send(Ok(done())).expect("it waits");
        request.actor
    }

    async fn answered(&mut self, result: guildhall_model::command::CommandResult) -> Command {
        match self.submitted().await {
            Submission::Command { request, reply, .. } => {
                reply.send(result).expect("it waits");
                request.command
            }
            other => panic!("{other:?}"),
        }
    }

    async fn repaired(&mut self) -> RoomNumber {
        match self.submitted().await {
            Submission::Repair(number) => number,
            other => panic!("{other:?}"),
        }
    }

    async fn nothing_for(&mut self, time: Duration) {
        let submitted = timeout(time, self.submissions.recv()).await;
        assert!(submitted.is_err(), "{submitted:?}");
    }
}

fn done() -> CommandDone {
    CommandDone {
        outcome: Outcome::Done,
        at: None,
        made: None,
    }
}

async fn answer(mut inbox: mpsc::Receiver<Input>, world: Arc<Mutex<FalseWorld>>) {
    while let Some(input) = inbox.recv().await {
        let Input::Ask(question) = input else {
            continue;
        };
        assert_eq!(question.guild_id, GUILD);
        let answer = world.lock().answer(question.about);
        let answered = Answered {
            answer,
            at: Position::start(LogId(0), 1),
        };
        // Whoever asked may have been dropped.
        drop(question.reply.send(answered));
    }
}

impl FalseWorld {
    fn answer(&mut self, about: About) -> QuestionAnswer {
        match about {
            About::Occupants { channels } => QuestionAnswer::Occupants(GuildSeen {
                live: self.live,
                rooms: channels.into_iter().map(|it| self.occupancy(it)).collect(),
            }),
            About::Idle {
                channel_id,
                deletes_at,
            } => {
                self.idle.push((channel_id, deletes_at));
                QuestionAnswer::So
            }
            other => panic!("{other:?}"),
        }
    }

    fn occupancy(&self, channel_id: ChannelId) -> RoomOccupancy {
        let there = self.voice.iter().filter(|(room, _)| *room == channel_id);
        RoomOccupancy {
            channel_id,
            exists: !self.gone.contains(&channel_id),
            readable: true,
            users: there.map(|(_, user_id)| *user_id).collect(),
        }
    }
}

fn room() -> RoomRecord {
    RoomRecord {
        number: RoomNumber(1),
        guild_id: GUILD,
        owner_id: OWNER,
        phase: RoomPhase::Open { channel_id: ROOM },
        name: "a table".to_owned(),
        parent_id: None,
        limit: 4,
        private: true,
        locked: false,
        hidden: false,
        role_id: Some(RoleId(60)),
        mark: 1,
        overwrites: Vec::new(),
        before: Vec::new(),
        set_aside: Vec::new(),
        lobby: None,
        made_at: 1,
        command: None,
        unsettled: false,
        late_until: None,
    }
}

fn room_called(channel_id: ChannelId) -> guildhall_model::guild::Room {
    use guildhall_model::guild::{Room, RoomInfo, RoomKind, RoomRights};
    Room {
        info: RoomInfo {
            channel_id,
            name: "new table".to_owned(),
            kind: RoomKind::Voice,
            parent_id: None,
            parent_name: None,
            position: 0,
            user_limit: 0,
            managed: None,
            status: None,
        },
        rights: RoomRights::default(),
    }
}

fn occupant(channel_id: ChannelId, user_id: UserId, bot: bool) -> Occupant {
    Occupant {
        channel_id,
        user_id,
        username: format!("person-{user_id}"),
        display_name: "A person".to_owned(),
        avatar: None,
        avatar_url: "https://cdn.discordapp.com/embed/avatars/0.png".to_owned(),
        bot,
        since: 1,
        flags: VoiceFlags::default(),
    }
}

fn left(previous_channel_id: ChannelId, user_id: UserId) -> Change {
    Change::VoiceLeft {
        previous_channel_id,
        user_id,
    }
}

fn now() -> Instant {
    guildhall_http::driver_time::now()
}
