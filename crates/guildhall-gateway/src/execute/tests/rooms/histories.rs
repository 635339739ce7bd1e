//! Random histories of rooms, with people who come, go and move by themselves meanwhile, with faults
//! and kills: nothing is left that no record knows, nobody has two rooms, no seat is taken twice, and
//! what was answered stays so.

use std::collections::BTreeMap;

use guildhall_model::command::InviteClaims;
use guildhall_ports::room_store::{InviteId, InviteRecord};
use proptest::prelude::*;

use super::{
    super::discord::{Fault, faults},
    *,
};

const PEOPLE: [UserId; 3] = [OWNER, ANNA, BEN];

#[derive(Clone, Debug)]
enum Step {
    /// Somebody asks for something, about their own room or another's.
    Give {
        actor: usize,
        whose: usize,
        what: What,
    },
    /// Somebody goes where they like, by themselves: into whose room, or out of voice.
    Goes(usize, Option<usize>),
    /// Somebody with the rights deletes a room in Discord.
    DeletesByHand(usize),
    /// The next request that changes something is met so, after some that are not.
    React(usize, Fault),
    Kill,
    /// Wait for an answer.
    Answer,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Create(bool),
    Lock(bool),
    Hide(bool),
    Rename(u8),
    Transfer(usize),
    Block(usize),
    Unblock(usize),
    Kick(usize, bool),
    Connect,
    Disconnect,
    Join(bool),
    Close,
    Lobby,
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn whatever_people_do_with_rooms_nothing_is_left_and_what_was_answered_stays_so(
        steps in prop::collection::vec(steps(), 1..40),
        role in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let mode = if role { RoomMode::Role } else { RoomMode::Overwrites };
        runtime.expect("a runtime").block_on(Box::pin(live(steps, mode)));
    }
}

async fn live(steps: Vec<Step>, mode: RoomMode) {
    let mut house = House::with_rooms_and(mode, Duration::from_secs(1)).await;
    // The owner of a guild may do everything; here nobody of them does.
    house.discord.change(|guild| guild.owner_id = UserId(5));
    let mut given: BTreeMap<usize, CommandRequest> = BTreeMap::new();
    let mut told = Told::default();
    let mut open = JoinSet::new();
    for step in steps {
        match step {
            Step::Give { actor, whose, what } => {
                let number = given.len() + 1;
                let Some(command) = a_command(&house, PEOPLE[whose], what) else {
                    continue;
                };
                let request = by(PEOPLE[actor], &format!("key {number}"), command);
                if let Command::EnterLobby { .. } = request.command {
                    enter(&house, &request, &mut open);
                    continue;
                }
                given.insert(number, request.clone());
                let answer = house.give(request);
                open.spawn(async move { (number, answer.await) });
            }
            Step::Goes(who, whose) => {
                let room = whose.map(|whose| room_of(&house, PEOPLE[whose]).unwrap_or(ROOM));
                house.discord.change(|guild| {
                    guild.voice.remove(&PEOPLE[who]);
                });
                if let Some(room) =
                    room.filter(|room| house.discord.guild().rooms.contains_key(room))
                {
                    house.discord.puts(PEOPLE[who], room);
                }
            }
            Step::DeletesByHand(whose) => {
                if let Some(room) = room_of(&house, PEOPLE[whose]) {
                    house.discord.deletes(room);
                    if let Some(record) = house.rooms.by_channel(room) {
                        house.executor.repair(record.number);
                    }
                }
            }
            Step::React(after, fault) => {
                house.discord.react(vec![Reaction::Pass; after]);
                house.discord.react([fault.reaction()]);
            }
            Step::Answer => {
                let next = timeout(Duration::from_millis(20), told.take_next(&mut open));
                let _whether = next.await;
            }
            Step::Kill => {
                house.kill().await;
                told.take_all(&mut open).await;
            }
        }
    }
    house.discord.heal();
    house.kill().await;
    told.take_all(&mut open).await;
    assert_eq!(house.settles().await, Ok(()), "{given:?}");
    for (number, request) in &given {
        if let Some(Ok(first)) = told.0.get(number)
            && first.outcome == Outcome::Done
        {
            let again = house.give(request.clone()).await;
            assert_eq!(again.as_ref(), Ok(first), "{request:?}");
        }
    }
    assert_eq!(house.settles().await, Ok(()), "{given:?}");
}

fn enter(house: &House, request: &CommandRequest, open: &mut JoinSet<(usize, CommandResult)>) {
    let user_id = request.actor;
    house.discord.puts(user_id, LOBBY);
    let command = OwnCommand::EnterLobby {
        guild_id: GUILD,
        channel_id: LOBBY,
        user_id,
    };
    let answer = house.executor.execute_own(command, now() + PATIENCE);
    open.spawn(async move { (0, answer.await) });
}

fn room_of(house: &House, owner: UserId) -> Option<ChannelId> {
    let rooms = house.rooms.of_owner(GUILD, owner);
    rooms.iter().find(|room| is_open(room))?.phase.channel_id()
}

fn a_command(house: &House, whose: UserId, what: What) -> Option<Command> {
    let guild_id = GUILD;
    let room = || room_of(house, whose);
    Some(match what {
        What::Create(private) => create(private),
        What::Lock(locked) => lock(room()?, locked),
        What::Hide(hidden) => Command::HideRoom {
            guild_id,
            channel_id: room()?,
            hidden,
        },
        What::Rename(name) => Command::RenameRoom {
            guild_id,
            channel_id: room()?,
            name: format!("name {name}"),
        },
        What::Transfer(to) => Command::TransferRoom {
            guild_id,
            channel_id: room()?,
            user_id: PEOPLE[to],
        },
        What::Block(who) => Command::BlockFromRoom {
            guild_id,
            channel_id: room()?,
            user_id: PEOPLE[who],
        },
        What::Unblock(who) => Command::UnblockFromRoom {
            guild_id,
            channel_id: room()?,
            user_id: PEOPLE[who],
        },
        What::Kick(who, allow_return) => Command::KickFromRoom {
            guild_id,
            channel_id: room()?,
            user_id: PEOPLE[who],
            allow_return,
        },
        What::Connect => Command::ConnectUserToVoiceChannel {
            guild_id,
            channel_id: room().unwrap_or(OTHER_ROOM),
            user_id: whose,
        },
        What::Disconnect => Command::Disconnect { guild_id },
        What::Join(last) => {
            let room = room()?;
            let token = house.signed_invite(room, last)?;
            join(room, token)
        }
        What::Close => close(room()?),
        What::Lobby => Command::EnterLobby {
            guild_id,
            channel_id: LOBBY,
        },
    })
}

impl House {
    /// A token of an invite that is put into the store as it is, with one seat or any number.
    fn signed_invite(&self, room: ChannelId, one_seat: bool) -> Option<InviteToken> {
        let record = self.rooms.by_channel(room)?;
        let id = [u8::from(one_seat) + 1; 16];
        let mut apart = id;
        apart[0] = u8::try_from(record.number.0 % 256).ok()?;
        let invite = InviteRecord {
            id: InviteId(apart),
            room: record.number,
            expires_at: u64::MAX >> 8,
            seats: one_seat.then_some(1),
            taken: Vec::new(),
            revoked: false,
        };
        self.rooms.add_invite_once(&invite);
        Some(self.rooms.signer().sign(InviteClaims {
            guild_id: GUILD,
            channel_id: room,
            room: record.number.0,
            expires_at: invite.expires_at,
            id: apart,
        }))
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE.len();
    let what = prop_oneof![
        4 => any::<bool>().prop_map(What::Create),
        2 => any::<bool>().prop_map(What::Lock),
        1 => any::<bool>().prop_map(What::Hide),
        1 => any::<u8>().prop_map(What::Rename),
        1 => who.clone().prop_map(What::Transfer),
        2 => who.clone().prop_map(What::Block),
        1 => who.clone().prop_map(What::Unblock),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, back)| What::Kick(who, back)),
        1 => Just(What::Connect),
        1 => Just(What::Disconnect),
        4 => any::<bool>().prop_map(What::Join),
        2 => Just(What::Close),
        2 => Just(What::Lobby),
    ];
    prop_oneof![
        8 => (who.clone(), who.clone(), what)
            .prop_map(|(actor, whose, what)| Step::Give { actor, whose, what }),
        2 => (who.clone(), prop::option::of(who.clone())).prop_map(|(who, whose)| Step::Goes(who, whose)),
        1 => who.prop_map(Step::DeletesByHand),
        3 => (0..3_usize, faults()).prop_map(|(after, fault)| Step::React(after, fault)),
        4 => Just(Step::Answer),
        1 => Just(Step::Kill),
    ]
}
