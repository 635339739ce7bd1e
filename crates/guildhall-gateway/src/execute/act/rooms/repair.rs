//! What an earlier process left of rooms, or what this one could not take back: Discord is made to be
//! as the record says, or nothing of it is left.

use std::sync::atomic::AtomicBool;

use guildhall_model::{
    ChannelId,
    command::{Command, CommandRequest},
};
use guildhall_ports::room_store::{RoomNumber, RoomPhase, RoomRecord};

use super::{
    Ended,
    overwrites::{OverwriteChange, OverwriteTerms, given_back},
    work::{RoomRest, RoomWork, StepError},
};
use crate::{
    execute::{GATEWAY_ITSELF, act::CommandContext},
    inbox::{About, QuestionAnswer, Scene, SceneQuestion, SceneRoom},
};

/// How the repair of a room ended.
#[derive(Debug)]
pub(in crate::execute) enum RepairExit {
    /// Discord and its record agree, or nothing of it is left.
    Repaired,
    /// It is to be tried again.
    Later,
    /// Discord may still do what it did not answer: it is looked at again soon.
    Awaited,
    /// Discord is not live in its guild: nothing could be tried.
    NotLive,
    /// The process ends.
    Ended(Ended),
}

/// Repairs one room, if there is anything to repair.
pub(in crate::execute) async fn repair(context: &CommandContext, number: RoomNumber) -> RepairExit {
    let Some(room) = context.rooms.by_number(number) else {
        return RepairExit::Repaired;
    };
    match repaired(context, room).await {
        Ok(exit) => exit,
        Err(StepError::Failed(_) | StepError::Throttled(_) | StepError::Lost) => RepairExit::Later,
        Err(StepError::Ended(ended)) => RepairExit::Ended(ended),
    }
}

async fn repaired(context: &CommandContext, mut room: RoomRecord) -> Result<RepairExit, StepError> {
    let work = RoomWork {
        context,
        guild_id: room.guild_id,
        caller: GATEWAY_ITSELF,
        reason: "a room's repair".to_owned(),
        needs: &["MANAGE_CHANNELS", "MANAGE_ROLES"],
        may_be_late: AtomicBool::new(room.unsettled),
    };
    let Some(scene) = look(context, &room).await?.filter(|scene| scene.live) else {
        return Ok(RepairExit::NotLive);
    };
    let rest = match room.phase {
        // Nobody makes it any more.
        RoomPhase::Making { .. } => {
            work.begin_to_close(&mut room, None).await?;
            work.clear_away(room, true).await?
        }
        RoomPhase::Closing { channel_id } => {
            let lost = channel_id.is_none();
            work.clear_away(room, lost).await?
        }
        RoomPhase::Open { channel_id } => {
            if let Some(there) = &scene.room {
                return open_one(&work, room, channel_id, (&scene, there)).await;
            }
            if work.has_channel(channel_id).await? {
                return Ok(RepairExit::Later);
            }
            // Somebody has deleted it at Discord.
            work.begin_to_close(&mut room, Some(channel_id)).await?;
            work.clear_away(room, false).await?
        }
    };
    Ok(match rest {
        RoomRest::Nothing => RepairExit::Repaired,
        RoomRest::Unheard => RepairExit::Later,
        RoomRest::MayCome => RepairExit::Awaited,
    })
}

/// One that is there: Discord is made to be as its record says, if it may not be, and the world told.
async fn open_one(
    work: &RoomWork<'_>,
    mut room: RoomRecord,
    channel_id: ChannelId,
    (scene, there): (&Scene, &SceneRoom),
) -> Result<RepairExit, StepError> {
    if let Some(role_id) = room.role_id
        && !scene.roles.contains(&role_id)
        // Of one that was just made the world may not have heard.
        && !work.has_role(role_id).await?
    {
        // Somebody has deleted it at Discord: from now on people are let in by name, its owner first.
        room.role_id = None;
        room.unsettled = true;
        work.context.rooms.put(room.clone()).await?;
    }
    if room.unsettled || room.late_until.is_some() {
        let Some(bot) = scene.bot.filter(|_| !there.obfuscated) else {
            return Ok(RepairExit::Later);
        };
        let terms = OverwriteTerms {
            everyone: room.guild_id.everyone(),
            bot,
            bot_may: scene.bot_may,
        };
        let (now, base) = (&there.overwrites, &there.parent_overwrites);
        let kept = room.set_aside.clone();
        terms.set_aside(&mut room, now, base);
        if room.set_aside != kept {
            work.context.rooms.put(room.clone()).await?;
        }
        let mut changes: Vec<OverwriteChange> = terms.of_state(&room, now, base);
        changes.extend(terms.owner_in(&room, now));
        for change in changes {
            work.change(channel_id, change).await?;
        }
        if let Some(role_id) = room.role_id {
            work.give_role(room.owner_id, role_id).await?;
        }
        let before = room.clone();
        room.unsettled = false;
        given_back(&mut room);
        work.expect_late(&mut room);
        let now = work.context.clock.now();
        room.late_until = room.late_until.filter(|until| *until > now);
        if room != before {
            work.context.rooms.put(room.clone()).await?;
        }
    }
    work.tell_management(channel_id, Some(&room)).await?;
    Ok(match room.late_until {
        Some(_) => RepairExit::Awaited,
        None => RepairExit::Repaired,
    })
}

/// What is so in the room's guild. `None`: nobody knows.
async fn look(context: &CommandContext, room: &RoomRecord) -> Result<Option<Scene>, StepError> {
    let guild_id = room.guild_id;
    // Of the questions about a room any will do.
    let channel_id = room.phase.channel_id();
    let command = match channel_id {
        Some(channel_id) => Command::CloseRoom {
            guild_id,
            channel_id,
        },
        None => Command::Disconnect { guild_id },
    };
    let question = SceneQuestion {
        request: CommandRequest {
            actor: room.owner_id,
            key: None,
            command,
        },
        parents: Vec::new(),
        creators: Vec::new(),
    };
    let about = About::Scene(Box::new(question));
    let answered = context.worlds.ask(guild_id, about).await;
    match answered.map_err(|stopped| StepError::Ended(stopped.into()))? {
        Some(answered) => match answered.answer {
            QuestionAnswer::Scene(scene) => Ok(scene.map(|scene| *scene)),
            _ => Ok(None),
        },
        None => Ok(None),
    }
}
