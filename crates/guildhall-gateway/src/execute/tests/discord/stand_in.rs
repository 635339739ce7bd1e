//! Answers the executor's questions from the world as Discord has it.

use guildhall_model::{
    command::{Before, Judgement, judge},
    guild::Room,
};
use tokio::time::timeout_at;

use super::*;
use crate::{
    inbox::{
        About, Answered, Expectation, GuildSeen, Input, Making, Question, QuestionAnswer, SeenRoom,
    },
    sequencer::scene_of,
};

pub(super) async fn run(
    mut inbox: mpsc::Receiver<Input>,
    state: Arc<Mutex<DiscordState>>,
    changed: watch::Sender<u64>,
) {
    let mut waiting = JoinSet::new();
    while let Some(input) = inbox.recv().await {
        let Input::Ask(question) = input else {
            continue;
        };
        let asked = (Arc::clone(&state), changed.clone());
        match question.about {
            // These wait for nothing, and are in the order in which they are asked.
            About::Command(_) | About::Scene(_) | About::Making { .. } | About::Manage { .. } => {
                answer(question, asked).await;
            }
            _ => _ = waiting.spawn(answer(question, asked)),
        }
        while waiting.try_join_next().is_some() {}
    }
}

fn judged(state: &DiscordState, request: &CommandRequest) -> Result<Judgement, CommandError> {
    if !state.live {
        return Err(CommandError::new(
            CommandErrorCode::GuildUnavailable,
            "The connection to Discord is being restored.",
        ));
    }
    judge(GUILD, &state.guild, request.actor, &request.command, 0)
}

async fn answer(question: Question, (state, discord): Discord) {
    let mut changed = discord.subscribe();
    state.lock().questions += 1;
    discord.send_modify(|_| {});
    let answer = match question.about {
        About::Command(request) => QuestionAnswer::Judged(judged(&state.lock(), &request)),
        About::Before { request, until } => {
            let is_live = |_: &u64| state.lock().live;
            match timeout_at(until.into(), changed.wait_for(is_live)).await {
                Ok(_) => {
                    let guild = &state.lock().guild;
                    QuestionAnswer::Before(Before::of(&request.command, request.actor, guild))
                }
                Err(_) => QuestionAnswer::NotInTime,
            }
        }
        About::When { expectation, until } => {
            let is_so = |_: &u64| is_so(&state.lock(), &expectation);
            match timeout_at(until.into(), changed.wait_for(is_so)).await {
                Ok(_) => QuestionAnswer::So,
                Err(_) => QuestionAnswer::NotInTime,
            }
        }
        About::Scene(question) => {
            let state = state.lock();
            let bot = state.guild.memberships.contains_key(&BOT).then_some(BOT);
            let scene = scene_of((GUILD, &state.guild), state.live, bot, &question, 0);
            QuestionAnswer::Scene(Some(Box::new(scene)))
        }
        about @ (About::Making { .. } | About::Manage { .. }) => {
            keep(&mut state.lock(), about);
            discord.send_modify(|seq| *seq += 1);
            QuestionAnswer::So
        }
        About::MemberIs { user_id, .. } => {
            state.lock().told_members.push(user_id);
            QuestionAnswer::So
        }
        About::Rooms => {
            let state = state.lock();
            let seen = |room: &Room| SeenRoom {
                channel_id: room.info.channel_id,
                name: room.info.name.clone(),
                parent_id: room.info.parent_id,
                overwrites: room.rights.overwrites.clone(),
                obfuscated: room.rights.obfuscated,
            };
            QuestionAnswer::Rooms(GuildSeen {
                live: state.live,
                rooms: state.guild.rooms.values().map(seen).collect(),
            })
        }
        About::Idle { .. } | About::Occupants { .. } => {
            unreachable!("the executor asks none of these")
        }
    };
    let at = state.lock().log.head();
    // Who asked may be gone.
    let _gone = question.reply.send(Answered { answer, at });
}

/// What is kept of rooms, or of one that is being made.
fn keep(state: &mut DiscordState, about: About) {
    let managed = &mut state.managed;
    match about {
        About::Making { room, making } => match making {
            Making::Asked(draft) => _ = managed.asked(GUILD, room, *draft),
            Making::Made(channel_id, management) => {
                managed.made((GUILD, room), channel_id, management);
            }
            Making::NotMade => _ = managed.not_made(GUILD, room),
        },
        About::Manage {
            channel_id,
            management: Some(management),
        } => managed.manage(GUILD, channel_id, management),
        About::Manage { channel_id, .. } => {
            let is_there = state.guild.rooms.contains_key(&channel_id);
            managed.deleted(GUILD, channel_id, is_there);
        }
        _ => {}
    }
    state.change(|_| {});
}

fn is_so(state: &DiscordState, expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Done(actor, command) => command.is_so(*actor, &state.guild) == Some(true),
        Expectation::Ready(request) => judged(state, request) != Ok(Judgement::NotInVoice),
        Expectation::RoomIs(room) => state.guild.rooms.contains_key(room),
        Expectation::RoomGone(room) => !state.guild.rooms.contains_key(room),
    }
}
