//! The end of a run: everything heals, nothing more is done, and then the log must agree with the
//! simulator's state.

use std::{collections::BTreeSet, time::Duration};

use guildhall_gateway::ShardId;
use guildhall_link::frame::{Base, Discord};
use guildhall_model::{GuildId, LogId, Position, UserId};
use guildhall_ports::journal::JournalContents;
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::{
    acts::{outage, request},
    checks::{Evidence, sessions, wrong},
    follower::Follower,
    journal::world_of,
    pauses::pause,
    run::{Run, Tally, WAIT_LIMIT, WATCH_BREAK},
    truth::{Scope, differences},
};

/// How long one look takes that is taken again and again.
const POLL_LIMIT: Duration = Duration::from_millis(50);
/// Users whose rights are compared.
const WATCHED: usize = 6;

/// Heals a run, waits until all of it has been told, and checks what came of it.
pub(crate) async fn settle_and_check(mut run: Run) -> Result<Tally, String> {
    let marker = heal(&mut run).await;
    until_told(&mut run, &marker).await?;
    let watched = look_up(&mut run).await?;
    let scope = Scope {
        guilds: run.config.guilds.clone(),
        watched,
    };
    let false_now = {
        let seen = run.follower.seen();
        differences(&seen.world(), &run.state, &scope)
    };
    if !false_now.is_empty() {
        return Err(run.why_not(&false_now.join("\n")));
    }
    late_comer(&run).await?;
    if run.rng.one_in(2) {
        run.kill().await?;
    } else {
        run.stop().await?;
    }
    let complaints = complaints(&mut run).await;
    let tally = run.tally;
    run.end().await?;
    if complaints.is_empty() {
        Ok(tally)
    } else {
        Err(complaints.join("\n"))
    }
}

/// Heals everything, and does last acts that all before them must have preceded. Returns the name
/// that every guild has by then.
async fn heal(run: &mut Run) -> String {
    run.note("quiet");
    run.discord.post("/faults", &json!({"kind": "heal"})).await;
    for guild in run.state.guilds.clone() {
        if !guild.available {
            run.perform(outage(&guild, true)).await;
        }
    }
    // Without GUILD_MEMBERS a new name is told when its bearer does something.
    for guild in run.state.bridged().cloned().collect::<Vec<_>>() {
        for voice_state in &guild.voice_states {
            let body =
                json!({"userId": voice_state.user_id, "selfMute": !voice_state.flags().self_mute});
            let path = format!("/guilds/{}/voice", guild.id);
            run.perform(request(Method::POST, path, body)).await;
        }
    }
    let marker = "The End".to_owned();
    for guild in run.state.bridged().cloned().collect::<Vec<_>>() {
        let path = format!("/guilds/{}", guild.id);
        run.perform(request(Method::PATCH, path, json!({"name": marker})))
            .await;
    }
    marker
}

async fn until_told(run: &mut Run, marker: &str) -> Result<(), String> {
    run.until_complete().await?;
    let guilds = run.state.bridged().map(|guild| guild.id);
    let bridged = run.config.guilds.clone();
    let awaited: BTreeSet<GuildId> = guilds
        .filter(|id| bridged.as_ref().is_none_or(|guilds| guilds.contains(id)))
        .collect();
    let logs = run.plan.shards().count();
    let told = run.follower.until(WAIT_LIMIT, |seen| {
        let world = seen.world();
        let known = |id: &GuildId| {
            let guild = world.guilds.get(id);
            guild.is_some_and(|guild| guild.info.name == marker)
        };
        let gone = world.guilds.keys().all(|id| awaited.contains(id));
        // Nor does it say of any log that it is not live.
        let well = seen.all_are(logs, |status| {
            status.discord == Discord::Live && status.complete && status.guild_ids.is_empty()
        });
        well && gone && awaited.iter().all(known)
    });
    if told.await {
        return Ok(());
    }
    Err(run.why_not("the last acts were not told"))
}

/// After a break everybody is looked up again, so what the log says of them is true.
async fn look_up(run: &mut Run) -> Result<BTreeSet<UserId>, String> {
    let people = run.state.users.iter().filter(|user| !user.bot);
    let mut people: Vec<UserId> = people.map(|user| user.id).collect();
    while people.len() > WATCHED {
        let left_out = run.rng.between(0, people.len() as u64 - 1);
        people.remove(usize::try_from(left_out).expect("an index"));
    }
    let guilds: Vec<GuildId> = {
        let seen = run.follower.seen();
        seen.world().guilds.keys().copied().collect()
    };
    let rested = run.watched_at + WATCH_BREAK + Duration::from_millis(50);
    pause(rested.saturating_duration_since(Instant::now())).await;
    for user_id in &people {
        let answered = async {
            loop {
                let answer = run.follower.watch(*user_id, guilds.clone()).await;
                match answer {
                    Some(ack) if ack.failed.is_empty() => return ack.at,
                    _ => pause(Duration::from_millis(20)).await,
                }
            }
        };
        let Ok(at) = timeout(WAIT_LIMIT, answered).await else {
            return Err(run.why_not(&format!("{user_id} was not looked up")));
        };
        let there = run.follower.until(WAIT_LIMIT, |seen| {
            let now = seen.cursor();
            let reached = |at: &Position| {
                let now = now.as_ref().and_then(|now| now.in_log(at.log));
                now.is_some_and(|now| now.comparable(*at) && now.seq >= at.seq)
            };
            at.positions().iter().all(reached)
        });
        if !there.await {
            return Err(run.why_not(&format!("the log never came to {at}")));
        }
    }
    Ok(people.into_iter().collect())
}

/// Whoever comes now and has nothing gets the same world.
async fn late_comer(run: &Run) -> Result<(), String> {
    let shards = run.plan.shards().collect();
    let (journals, token) = (run.journals.clone(), run.link_token.clone());
    let late = Follower::start(run.dialled(), journals, shards, token);
    // Looked up again, somebody may have turned out to be something else meanwhile.
    let together = async {
        while !late
            .until(POLL_LIMIT, |late| {
                late.live && late.cursor() == run.cursor()
            })
            .await
        {}
    };
    let together = timeout(WAIT_LIMIT, together).await.is_ok();
    let same = {
        let (mut early, mut late) = (run.follower.seen(), late.seen());
        // It has most of what there is: the other one came when there was nothing.
        for (log, late) in &mut late.logs {
            early.log(*log).bases.append(&mut late.bases);
        }
        together && (early.cursor() != late.cursor() || early.world() == late.world())
    };
    late.stop().await;
    same.then_some(())
        .ok_or_else(|| "a follower that begins now has another world".to_owned())
}

async fn complaints(run: &mut Run) -> Vec<String> {
    let sessions_begun = run.discord.state().await.sessions_begun();
    let (mut complaints, mut replaced) = (run.follower.seen().violations.clone(), 0);
    for shard in run.plan.shards() {
        let saved = run.journals.saved(shard.log()).await;
        let kept = saved.bases.iter().map(|base| Base {
            guild_id: base.guild_id,
            floor: saved.head.at(base.floor),
            guild: base.guild.clone(),
        });
        run.follower.seen().log(shard.log()).bases.extend(kept);
        let (wrong, its_replaced) = of_log(run, shard, saved, sessions_begun);
        complaints.extend(wrong);
        replaced += its_replaced;
    }
    let (baseline, may_lose) = (run.baseline.as_ref(), run.plan.may_lose());
    let begun_first = run.plan.shards().count();
    complaints.extend(sessions(
        sessions_begun,
        begun_first,
        replaced,
        baseline,
        may_lose,
    ));
    run.tally.on_disk = usize::from(run.plan.disk);
    run.tally.many_logs = usize::from(begun_first > 1);
    complaints
}

/// What is wrong with one log, and how many of its sessions were replaced.
fn of_log(
    run: &mut Run,
    shard: ShardId,
    saved: JournalContents,
    sessions_begun: u64,
) -> (Vec<String>, usize) {
    let mut complaints = journal_and_follower(run, shard.log(), saved);
    let history = run.journals.history(shard.log());
    let (wrong, replaced) = {
        let (mut seen, expectations) = (run.follower.seen(), run.expectations());
        wrong(&Evidence {
            shard,
            log: &history.log,
            sessions_begun,
            seen: seen.log(shard.log()),
            expectations: &expectations,
            guilds: run.config.guilds.clone(),
            members: run.config.intents.members,
            baseline: run.baseline.as_ref(),
            may_lose: run.plan.may_lose(),
            reordered: run.plan.faults.reorder,
            seen_all: run.plan.keeps_all(),
        })
    };
    complaints.extend(wrong);
    complaints.extend(history.silent_losses.iter().cloned());
    let mut names = history.log.iter().map(|one| one.event.change.name());
    run.tally.replaced += usize::from(names.any(|name| name == "gap"));
    run.tally.events += history.log.len();
    run.tally.unheard += history.unheard;
    if !complaints.is_empty() {
        let mut expectations = run.expectations.lock();
        for envelope in &history.log {
            expectations.note(format!("log    {} {:?}", envelope.at, envelope.event));
        }
    }
    (complaints, replaced)
}

/// The follower's world and what it has not been told yet are the world that a next process would
/// begin with.
fn journal_and_follower(run: &Run, log: LogId, saved: JournalContents) -> Vec<String> {
    let head = saved.head;
    let (mut seen, history) = (run.follower.seen(), run.journals.history(log));
    let seen = seen.log(log);
    let Some(position) = seen.position.filter(|position| position.seq <= head.seq) else {
        return vec![format!("{:?} was followed to, of {head}", seen.position)];
    };
    let untold = history.log.iter().filter(|one| one.at.seq > position.seq);
    let world = seen.world.clone().apply_all(untold.map(|one| &one.event));
    if world == world_of(saved) {
        Vec::new()
    } else {
        vec!["the journal holds another world than was followed".to_owned()]
    }
}
