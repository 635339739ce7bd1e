//! Every step of every command about rooms with every fault, and a kill before and after it: what is
//! answered is true, nothing is left of what was not done, and nothing is done twice.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use serde_json::json;

use super::*;

/// Cases that are tried side by side.
const AT_ONCE: usize = 48;
/// Calls that are never answered end within this.
const SHORT: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scenario {
    Create,
    CreateWithRole,
    Lobby,
    LobbyWithRole,
    Close,
    CloseWithRole,
    Lock,
    Hide,
    Transfer,
    Claim,
    Block,
    Kick,
    Unblock,
    Join,
    JoinWithRole,
    JoinAndWait,
}

const SCENARIOS: [Scenario; 16] = [
    Scenario::Create,
    Scenario::CreateWithRole,
    Scenario::Lobby,
    Scenario::LobbyWithRole,
    Scenario::Close,
    Scenario::CloseWithRole,
    Scenario::Lock,
    Scenario::Hide,
    Scenario::Transfer,
    Scenario::Claim,
    Scenario::Block,
    Scenario::Kick,
    Scenario::Unblock,
    Scenario::Join,
    Scenario::JoinWithRole,
    Scenario::JoinAndWait,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Forbidden,
    NotFound,
    ShortThrottle,
    LongThrottle,
    Broken,
    BrokenAndDone,
    Hang,
    HangAndDone,
    KillBefore,
    KillAfter,
}

const FAULTS: [Fault; 10] = [
    Fault::Forbidden,
    Fault::NotFound,
    Fault::ShortThrottle,
    Fault::LongThrottle,
    Fault::Broken,
    Fault::BrokenAndDone,
    Fault::Hang,
    Fault::HangAndDone,
    Fault::KillBefore,
    Fault::KillAfter,
];

impl Fault {
    fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }

    fn reaction(self) -> Reaction {
        match self {
            Self::Forbidden => Reaction::answer(403, json!({"code": 50_013})),
            Self::NotFound => Reaction::answer(404, json!({"code": 0})),
            Self::ShortThrottle => Reaction::throttle(0.05),
            Self::LongThrottle => Reaction::throttle(3.0),
            Self::Broken => Reaction::broken(false),
            Self::BrokenAndDone => Reaction::broken(true),
            Self::Hang | Self::KillBefore => Reaction::Hang { done: false },
            Self::HangAndDone | Self::KillAfter => Reaction::Hang { done: true },
        }
    }
}

impl Scenario {
    fn mode(self) -> RoomMode {
        match self {
            Self::CreateWithRole
            | Self::LobbyWithRole
            | Self::CloseWithRole
            | Self::JoinWithRole => RoomMode::Role,
            _ => RoomMode::Overwrites,
        }
    }

    /// What is there before, and what is asked for.
    async fn prepare(self, house: &House) -> CommandRequest {
        if matches!(self, Self::Create | Self::CreateWithRole) {
            return by(ANNA, "k", create(true));
        }
        if matches!(self, Self::Lobby | Self::LobbyWithRole) {
            house.discord.puts(ANNA, LOBBY);
            let command = Command::EnterLobby {
                guild_id: GUILD,
                channel_id: LOBBY,
            };
            return by(ANNA, "", command);
        }
        let private = matches!(self, Self::Join | Self::JoinWithRole | Self::JoinAndWait);
        let room = house.room_of(ANNA, private).await;
        let (guild_id, channel_id) = (GUILD, room);
        let command = match self {
            Self::Close | Self::CloseWithRole => close(room),
            Self::Lock => lock(room, true),
            Self::Hide => Command::HideRoom {
                guild_id,
                channel_id,
                hidden: true,
            },
            Self::Transfer => Command::TransferRoom {
                guild_id,
                channel_id,
                user_id: BEN,
            },
            Self::Claim => {
                house.discord.puts(BEN, room);
                house.rooms.set_owner_left_at(room, Some(1));
                let claim = Command::ClaimRoom {
                    guild_id,
                    channel_id,
                };
                return by(BEN, "k", claim);
            }
            Self::Block | Self::Unblock | Self::Kick => {
                house.discord.puts(BEN, room);
                self.about_ben(house, room).await
            }
            _ => {
                if self != Self::JoinAndWait {
                    house.discord.puts(BEN, ROOM);
                }
                let token = house.invite(ANNA, room, Some(1)).await;
                return by(BEN, "k", join(room, token));
            }
        };
        by(ANNA, "k", command)
    }

    async fn about_ben(self, house: &House, room: ChannelId) -> Command {
        let (guild_id, channel_id, user_id) = (GUILD, room, BEN);
        let block = Command::BlockFromRoom {
            guild_id,
            channel_id,
            user_id,
        };
        match self {
            Self::Kick => Command::KickFromRoom {
                guild_id,
                channel_id,
                user_id,
                allow_return: false,
            },
            Self::Unblock => {
                let blocked = house.give(by(ANNA, "", block)).await;
                assert_eq!(outcome(&blocked), Outcome::Done);
                Command::UnblockFromRoom {
                    guild_id,
                    channel_id,
                    user_id,
                }
            }
            _ => block,
        }
    }

    /// Whether all of it is so.
    fn is_done(self, house: &House, request: &CommandRequest) -> bool {
        let guild = house.discord.guild();
        let open: Vec<RoomRecord> = house.rooms.rooms().into_iter().filter(is_open).collect();
        let in_room = |user| guild.voice.get(&user).map(|there| there.channel_id);
        let room = request.command.channel_id();
        let there = room.and_then(|room| guild.rooms.get(&room));
        let denied = |target, right| {
            let mut overwrites = there.into_iter().flat_map(|it| &it.rights.overwrites);
            overwrites.any(|one| one.target == target && one.deny.contains(right))
        };
        let everyone = OverwriteTarget::Role(GUILD.everyone());
        let ben = OverwriteTarget::Member(BEN);
        match self {
            Self::Create | Self::CreateWithRole => open.len() == 1,
            Self::Lobby | Self::LobbyWithRole => {
                open.len() == 1
                    && in_room(ANNA) == open.first().and_then(|it| it.phase.channel_id())
            }
            Self::Close | Self::CloseWithRole => there.is_none(),
            Self::Lock => open[0].locked && denied(everyone, Permissions::CONNECT),
            Self::Hide => open[0].hidden && denied(everyone, Permissions::VIEW_CHANNEL),
            Self::Transfer | Self::Claim => open[0].owner_id == BEN,
            Self::Block | Self::Kick => denied(ben, Permissions::CONNECT) && in_room(BEN) != room,
            Self::Unblock => !denied(ben, Permissions::CONNECT),
            Self::Join | Self::JoinWithRole => in_room(BEN) == room,
            Self::JoinAndWait => there.is_some_and(|it| lets_in(&it.rights.overwrites, BEN)),
        }
    }

    /// Gives it, as the gateway itself where nobody else can.
    fn give(
        house: &House,
        request: &CommandRequest,
    ) -> impl Future<Output = CommandResult> + use<> {
        let answer: std::pin::Pin<Box<dyn Future<Output = CommandResult> + Send>> =
            match request.command {
                Command::EnterLobby {
                    guild_id,
                    channel_id,
                } => {
                    let command = OwnCommand::EnterLobby {
                        guild_id,
                        channel_id,
                        user_id: request.actor,
                    };
                    Box::pin(house.executor.execute_own(command, now() + PATIENCE))
                }
                _ => Box::pin(house.give(request.clone())),
            };
        async { timeout(PATIENCE, answer).await.expect("answered in time") }
    }

    async fn house(self, fault: Option<Fault>) -> House {
        let call_time = match fault {
            Some(Fault::Hang | Fault::HangAndDone) => SHORT,
            _ => CALL,
        };
        House::with_rooms_and(self.mode(), call_time).await
    }
}

/// How many requests of a scenario change something, where all goes well.
async fn steps(scenario: Scenario) -> Vec<String> {
    let house = scenario.house(None).await;
    let request = scenario.prepare(&house).await;
    let before = house.discord.acts().len();
    let result = Scenario::give(&house, &request).await;
    assert!(result.is_ok(), "{scenario:?}: {result:?}");
    assert!(scenario.is_done(&house, &request), "{scenario:?}");
    assert_eq!(house.orphans(), Vec::<String>::new(), "{scenario:?}");
    house.discord.acts().split_off(before)
}

/// In a word for the table, or what is wrong.
async fn case(scenario: Scenario, step: usize, fault: Fault) -> Result<String, String> {
    let mut house = scenario.house(Some(fault)).await;
    let request = scenario.prepare(&house).await;
    let before = house.discord.acts().len();
    house.discord.react(vec![Reaction::Pass; step]);
    house.discord.react([fault.reaction()]);
    let answer = Scenario::give(&house, &request);
    let result = if fault.kills() {
        house.discord.has_got_acts(before + step + 1).await;
        house.kill().await;
        drop(answer);
        match request.key {
            Some(_) => Some(Scenario::give(&house, &request).await),
            None => None,
        }
    } else {
        Some(answer.await)
    };
    house.discord.heal();
    if let Err(found) = house.settles().await {
        return Err(format!(
            "{scenario:?} {step} {fault:?}: {result:?}, and {found:?}"
        ));
    }
    let is_done = scenario.is_done(&house, &request);
    let (word, told) = match &result {
        None => ("-".to_owned(), None),
        Some(Ok(done)) => match done.outcome {
            Outcome::Done => ("done".to_owned(), Some(true)),
            // It goes on later, or waits for somebody.
            Outcome::Queued { .. } => ("queued".to_owned(), None),
            Outcome::Waiting { .. } => ("waiting".to_owned(), Some(true)),
        },
        Some(Err(error)) if error.code == CommandErrorCode::Unknown => ("unknown".to_owned(), None),
        Some(Err(error)) => (error.code.to_string(), Some(false)),
    };
    match told {
        Some(told) if told != is_done => Err(format!(
            "{scenario:?} {step} {fault:?}: told {word}, and it is done: {is_done}"
        )),
        _ => Ok(word),
    }
}

#[tokio::test]
async fn what_is_refused_in_the_middle_is_taken_back_before_it_is_answered() {
    let house = House::with_rooms(RoomMode::Overwrites).await;
    let mods = guildhall_model::RoleId(60);
    house.discord.change(|guild| {
        guild.roles.insert(mods, Permissions::NONE);
        let category = guild.categories.get_mut(&CATEGORIES[0]).expect("there");
        category.rights.overwrites = vec![Overwrite {
            target: OverwriteTarget::Role(mods),
            allow: Permissions::CONNECT,
            deny: Permissions::NONE,
        }];
    });
    let room = house.room_of(ANNA, false).await;
    let overwrites = || house.discord.guild().rooms[&room].rights.overwrites.clone();
    let before = overwrites();
    let refusal = Fault::Forbidden.reaction();
    house.discord.react([Reaction::Pass, refusal]);
    let acts = house.discord.acts().len();
    let locked = house.give(by(ANNA, "k", lock(room, true))).await;
    assert_eq!(code(&locked), CommandErrorCode::BotForbidden);
    let after = overwrites();
    assert!(house.discord.acts().len() >= acts + 2, "one was done");
    assert_eq!(after.len(), before.len(), "{after:?}");
    assert!(after.iter().all(|one| before.contains(one)), "{after:?}");
    assert!(!house.record(room).locked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_at_whichever_step_nothing_is_left_and_what_is_answered_is_true() {
    let counted = stream::iter(SCENARIOS).then(async |it| (it, steps(it).await));
    let counted: Vec<(Scenario, Vec<String>)> = Box::pin(counted.collect()).await;
    let mut cases = Vec::new();
    for (scenario, acts) in &counted {
        for step in 0..acts.len() {
            cases.extend(FAULTS.map(|fault| (*scenario, step, fault)));
        }
    }
    let tried = stream::iter(cases).map(|(scenario, step, fault)| async move {
        let result = Box::pin(case(scenario, step, fault)).await;
        ((scenario, step, fault), result)
    });
    let results: BTreeMap<_, _> = Box::pin(tried.buffer_unordered(AT_ONCE).collect()).await;
    print(&counted, &results);
    let wrong: Vec<&String> = results
        .values()
        .filter_map(|it| it.as_ref().err())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn print(
    counted: &[(Scenario, Vec<String>)],
    results: &BTreeMap<(Scenario, usize, Fault), Result<String, String>>,
) {
    let faults = FAULTS.map(|fault| format!("{fault:?}")).join(" | ");
    println!("| command | step | {faults} |");
    for (scenario, acts) in counted {
        for (step, act) in acts.iter().enumerate() {
            let cell = |fault| match &results[&(*scenario, step, fault)] {
                Ok(word) => word.clone(),
                Err(_) => "WRONG".to_owned(),
            };
            let cells = FAULTS.map(cell).join(" | ");
            let act: String = act
                .split('/')
                .map(|part| {
                    if part.parse::<u64>().is_ok() {
                        "*"
                    } else {
                        part
                    }
                })
                .collect::<Vec<_>>()
                .join("/");
            println!("| {scenario:?} | {act} | {cells} |");
        }
    }
    println!("{} cases", results.len());
}
