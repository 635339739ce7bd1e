//! A bad day: each guild in turn goes out of service and comes back; connections
//! tear while it is away, and the resume host with them.

use crate::{clock, faults::ResumeFault, sessions::Order, state::Discord};

/// Four turns make one outage.
pub(super) fn turn(discord: &Discord, turn: u64) {
    let guilds = discord.with(|core| {
        let all = core.world.bot_guilds();
        all.map(|guild| guild.id).collect::<Vec<_>>()
    });
    let count = u64::try_from(guilds.len().max(1)).unwrap_or(1);
    let place = usize::try_from(turn / 4 % count).unwrap_or(0);
    let Some(guild_id) = guilds.get(place).copied() else {
        return;
    };
    let set = |available| {
        // A guild that somebody deleted meanwhile has no outage.
        let _ = discord.change(clock::now(), |world| {
            world.set_available(guild_id, available)
        });
    };
    match turn % 4 {
        0 => set(false),
        1 => {
            discord.with(|core| {
                core.faults.fail_resumes(ResumeFault::Unavailable, 1);
                core.sessions.order(None, Order::Drop)
            });
        }
        2 => set(true),
        _ => {}
    }
}

/// Everything is in service again.
pub(super) fn end(discord: &Discord) {
    let guilds = discord.with(|core| {
        core.faults.fail_resumes(ResumeFault::Unavailable, 0);
        let all = core.world.bot_guilds();
        all.map(|guild| guild.id).collect::<Vec<_>>()
    });
    for guild_id in guilds {
        let _ = discord.change(clock::now(), |world| world.set_available(guild_id, true));
    }
}
