//! The end of a life: everything heals, everybody stands still, and then it must be as in truth.

use std::{collections::BTreeSet, time::Duration};

use guildhall_link::frame::{Base, Discord};
use guildhall_model::{GuildId, UserId};
use guildhall_ports::journal::Saved;
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::{
    acts::{outage, request},
    checks::{Evidence, wrong},
    follower::Follower,
    journal::world_of,
    life::{Life, PATIENCE, Tally, WATCH_BREAK},
    tempo::pause,
    truth::{Scope, differences},
};

/// How long one look takes that is taken again and again.
const GLANCE: Duration = Duration::from_millis(50);
/// Users whose rights are compared.
const WATCHED: usize = 6;

/// Lets a life become quiet, and looks at all that came of it.
pub(crate) async fn judge(mut life: Life) -> Result<Tally, String> {
    let marker = settle(&mut life).await;
    until_told(&mut life, &marker).await?;
    let watched = look_up(&mut life).await?;
    let scope = Scope {
        guilds: life.config.guilds.clone(),
        watched,
    };
    let false_now = {
        let seen = life.follower.seen();
        differences(&seen.world, &life.sight, &scope)
    };
    if !false_now.is_empty() {
        return Err(life.why_not(&false_now.join("\n")));
    }
    late_comer(&life).await?;
    if life.chance.one_in(2) {
        life.kill().await?;
    } else {
        life.stop().await?;
    }
    let complaints = complaints(&mut life).await;
    let tally = life.tally;
    life.end().await?;
    if complaints.is_empty() {
        Ok(tally)
    } else {
        Err(complaints.join("\n"))
    }
}

/// Heals everything, and does last acts that all before them must have preceded. Answers the name
/// that every guild has by then.
async fn settle(life: &mut Life) -> String {
    life.note("quiet");
    life.discord.post("/faults", &json!({"kind": "heal"})).await;
    for guild in life.sight.guilds.clone() {
        if !guild.available {
            life.perform(outage(&guild, true)).await;
        }
    }
    // Without GUILD_MEMBERS a new name is told when its bearer does something.
    for guild in life.sight.bridged().cloned().collect::<Vec<_>>() {
        for seat in &guild.voice_states {
            let body = json!({"userId": seat.user_id, "selfMute": !seat.flags().self_mute});
            let path = format!("/guilds/{}/voice", guild.id);
            life.perform(request(Method::POST, path, body)).await;
        }
    }
    let marker = "The End".to_owned();
    for guild in life.sight.bridged().cloned().collect::<Vec<_>>() {
        let path = format!("/guilds/{}", guild.id);
        life.perform(request(Method::PATCH, path, json!({"name": marker})))
            .await;
    }
    marker
}

async fn until_told(life: &mut Life, marker: &str) -> Result<(), String> {
    life.until_complete().await?;
    let guilds = life.sight.bridged().map(|guild| guild.id);
    let bridged = life.config.guilds.clone();
    let awaited: BTreeSet<GuildId> = guilds
        .filter(|id| bridged.as_ref().is_none_or(|guilds| guilds.contains(id)))
        .collect();
    let told = life.follower.until(PATIENCE, |seen| {
        let known = |id: &GuildId| {
            let guild = seen.world.guilds.get(id);
            guild.is_some_and(|guild| guild.info.name == marker)
        };
        let gone = seen.world.guilds.keys().all(|id| awaited.contains(id));
        let status = seen.status.as_ref();
        // Nor does it say that it is not live.
        let well = status.is_some_and(|status| {
            status.discord == Discord::Live && status.complete && status.guild_ids.is_empty()
        });
        seen.live && well && gone && awaited.iter().all(known)
    });
    if told.await {
        return Ok(());
    }
    Err(life.why_not("the last acts were not told"))
}

/// After a break everybody is looked up anew, so what the log says of them is true.
async fn look_up(life: &mut Life) -> Result<BTreeSet<UserId>, String> {
    let people = life.sight.users.iter().filter(|user| !user.bot);
    let mut people: Vec<UserId> = people.map(|user| user.id).collect();
    while people.len() > WATCHED {
        let left_out = life.chance.between(0, people.len() as u64 - 1);
        people.remove(usize::try_from(left_out).expect("an index"));
    }
    let guilds: Vec<GuildId> = {
        let seen = life.follower.seen();
        seen.world.guilds.keys().copied().collect()
    };
    let rested = life.watched_at + WATCH_BREAK + Duration::from_millis(50);
    pause(rested.saturating_duration_since(Instant::now())).await;
    for user_id in &people {
        let answered = async {
            loop {
                let answer = life.follower.watch(*user_id, guilds.clone()).await;
                match answer {
                    Some(ack) if ack.failed.is_empty() => return ack.at,
                    _ => pause(Duration::from_millis(20)).await,
                }
            }
        };
        let Ok(at) = timeout(PATIENCE, answered).await else {
            return Err(life.why_not(&format!("{user_id} was not looked up")));
        };
        let there = life
            .follower
            .until(PATIENCE, |seen| seen.position.is_some_and(|now| now >= at));
        if !there.await {
            return Err(life.why_not(&format!("the log never came to {at}")));
        }
    }
    Ok(people.into_iter().collect())
}

/// Whoever comes now and has nothing gets the same world.
async fn late_comer(life: &Life) -> Result<(), String> {
    let late = Follower::start(
        life.dialled(),
        life.journal.clone(),
        life.link_token.clone(),
    );
    // Looked up again, somebody may have turned out to be something else meanwhile.
    let together = async {
        while !late
            .until(GLANCE, |late| late.live && late.position == life.position())
            .await
        {}
    };
    let together = timeout(PATIENCE, together).await.is_ok();
    let same = {
        let (mut early, mut late) = (life.follower.seen(), late.seen());
        // It has most of what there is: the other one came when there was nothing.
        early.bases.append(&mut late.bases);
        together && (early.position != late.position || early.world == late.world)
    };
    late.stop().await;
    same.then_some(())
        .ok_or_else(|| "a follower that begins now has another world".to_owned())
}

async fn complaints(life: &mut Life) -> Vec<String> {
    let saved = life.journal.saved().await;
    let kept = saved.bases.iter().map(|base| Base {
        guild_id: base.guild_id,
        floor: saved.head.at(base.floor),
        guild: base.guild.clone(),
    });
    life.follower.seen().bases.extend(kept);
    let mut complaints = journal_and_follower(life, saved);
    let sessions_begun = life.discord.sight().await.sessions_begun();
    let record = life.journal.record();
    let evidence = {
        let (seen, ledger) = (life.follower.seen(), life.lock_ledger());
        wrong(&Evidence {
            log: &record.log,
            sessions_begun,
            seen: &seen,
            ledger: &ledger,
            guilds: life.config.guilds.clone(),
            members: life.config.intents.members,
            calm: life.calm,
            may_lose: life.plan.may_lose(),
            reordered: life.plan.faults.reorder,
            seen_all: life.plan.keeps_all(),
        })
    };
    complaints.extend(evidence);
    complaints.extend(record.silent_losses.iter().cloned());
    let mut names = record.log.iter().map(|one| one.event.change.name());
    life.tally.replaced += usize::from(names.any(|name| name == "gap"));
    life.tally.events = record.log.len();
    life.tally.on_disk = usize::from(life.plan.disk);
    life.tally.unheard = record.unheard;
    if !complaints.is_empty() {
        for envelope in &record.log {
            life.note(format!("log    {} {:?}", envelope.at.seq, envelope.event));
        }
    }
    complaints
}

/// The follower's world and what it has not been told yet are the world that a next process would
/// begin with.
fn journal_and_follower(life: &Life, saved: Saved) -> Vec<String> {
    let head = saved.head;
    let (seen, record) = (life.follower.seen(), life.journal.record());
    let Some(position) = seen.position.filter(|position| position.seq <= head.seq) else {
        return vec![format!("{:?} was followed to, of {head}", seen.position)];
    };
    let untold = record.log.iter().filter(|one| one.at.seq > position.seq);
    let world = seen.world.clone().apply_all(untold.map(|one| &one.event));
    if world == world_of(saved) {
        Vec::new()
    } else {
        vec!["the journal holds another world than was followed".to_owned()]
    }
}
