//! More commands than Discord takes: they are bounded, shared, done once each, and who comes to look
//! meanwhile does not wait for them.
//!
//! RPC lets one person give five commands in five seconds, which would hide all of this: so it is
//! measured beneath RPC, over the link, where a web role hands commands over.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use super::answer::{CommandAnswer, Difference, last_entry, limits_given};
use super::link::Link;
use super::people::{CommandGiver, Viewer};
use super::shares::{fair_shares, float, least_middle_most};
use super::{Stage, row};
use crate::bench::clock::now;
use crate::bench::histogram::Histogram;
use crate::bench::http::Client;
use crate::bench::procfs;
use crate::bench::table::{Budget, Row};

/// Who give commands.
const GIVERS: usize = 40;
/// What they give in a second, all together. The first of them gives half of it.
const OFFERED: u64 = 200;
const GREEDY: usize = 0;
/// Who come to look, in a second. Each of them is a request of the gateway's to Discord.
const VIEWERS_PER_SECOND: u64 = 5;
/// At first nobody waits: what Discord takes in a second is unspent, and goes to who asks most. Who
/// gets how much is counted from then on.
const SHARED_FROM: Duration = Duration::from_secs(2);
/// By then the last that was taken is answered, or it never is.
const DRAINED_WITHIN: Duration = Duration::from_secs(70);
const LOOK_AT_MEMORY: Duration = Duration::from_millis(100);

/// Times the fair share.
const GREEDY_AT_MOST: f64 = 1.25;
const OTHERS_AT_LEAST: f64 = 0.75;
/// From the question about somebody to their rights.
const RIGHTS_P95_MS: f64 = 250.0;
const MEMORY_MIB: f64 = 16.0;

/// How many come to look: as many before as meanwhile.
pub(super) fn viewers(seconds: u64) -> usize {
    usize::try_from(2 * seconds * VIEWERS_PER_SECOND).unwrap_or(usize::MAX)
}

/// What came of one command.
struct Outcome {
    /// Which one it was of all.
    number: u64,
    giver: usize,
    limit: u64,
    /// How long after the first was given it was answered.
    after: Duration,
    answer: CommandAnswer,
}

/// The gateway's memory in bytes.
struct Memory {
    before: u64,
    most: u64,
    after: u64,
}

pub(super) fn rows(seconds: u64, stage: &Stage) -> anyhow::Result<Vec<Row>> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (before, meanwhile) = stage.people.viewers.split_at(viewers(seconds) / 2);
    let givers = &stage.people.signed_in()[..GIVERS];
    let state_before = State::read(stage)?;
    let gateway = stage.gateway.id()?;

    let (quiet, loaded, outcomes, memory) = runtime.block_on(async {
        let link_at = SocketAddr::from(([127, 0, 0, 1], stage.gateway.link_port));
        let link = Link::open(link_at, &stage.gateway.link_token).await?;
        for giver in givers {
            link.watch(&giver.user_id, &giver.guild_id).await?;
        }
        // Those who look have an attachment of their own, as on another instance.
        let viewers = Link::open(link_at, &stage.gateway.link_token).await?;
        let quiet = come_to_look(&viewers, before).await?;
        let resident = procfs::resident_bytes(gateway)?;
        let (loaded, given, most) = tokio::try_join!(
            come_to_look(&viewers, meanwhile),
            give(&link, givers, seconds),
            most_memory(gateway, seconds),
        )?;
        let outcomes = answered(given).await?;
        let memory = Memory {
            before: resident,
            most,
            after: procfs::resident_bytes(gateway)?,
        };
        anyhow::Ok((quiet, loaded, outcomes, memory))
    })?;
    let difference = compared(&outcomes, givers, &state_before, &State::read(stage)?)?;
    let offered_for = Duration::from_secs(seconds);
    let mut rows = rows_of_shares(&outcomes, offered_for)?;
    rows.extend(rows_of_bounds(&outcomes, &memory)?);
    rows.extend(rows_of_rights(&quiet, &loaded));
    for (what, count) in [
        ("lost", difference.lost),
        ("doubled", difference.doubled),
        ("rooms out of order", difference.reordered),
    ] {
        let none = Some(Budget::AtMost(0.0));
        rows.push(of_overload(what, "in all", float(count), none));
    }
    if difference != Difference::default() {
        bail!("what was answered is not what Discord did: {difference:?}");
    }
    Ok(rows)
}

/// Replies that are on their way.
type Given = JoinSet<anyhow::Result<Outcome>>;

async fn give(link: &Link, givers: &[CommandGiver], seconds: u64) -> anyhow::Result<Given> {
    let mut turns = interval(Duration::from_secs(1) / u32::try_from(OFFERED)?);
    let begun = now();
    let (mut replies, mut counts) = (Given::new(), [0; GIVERS]);
    for number in 0..seconds * OFFERED {
        turns.tick().await;
        let giver = whose_turn(usize::try_from(number)?);
        let limit = 1 + counts[giver] % 99;
        counts[giver] += 1;
        let person = &givers[giver];
        let command = json!({
            "call": "setRoomLimit",
            "guildId": person.guild_id,
            "channelId": person.own_room,
            "limit": limit,
        });
        let key = format!("overload-{number}");
        let reply = link.command(&person.user_id, &key, &command)?;
        replies.spawn(async move {
            let reply = reply.await.context("the link ended")?;
            Ok(Outcome {
                number,
                giver,
                limit,
                after: begun.elapsed(),
                answer: CommandAnswer::of(&reply),
            })
        });
    }
    Ok(replies)
}

/// Every other command is the greedy one's.
fn whose_turn(number: usize) -> usize {
    if number.is_multiple_of(2) {
        GREEDY
    } else {
        1 + (number / 2) % (GIVERS - 1)
    }
}

/// In the order in which they were given.
async fn answered(given: Given) -> anyhow::Result<Vec<Outcome>> {
    let all = timeout(DRAINED_WITHIN, given.join_all()).await;
    let all = all.with_context(|| format!("some are not answered after {DRAINED_WITHIN:?}"))?;
    let mut outcomes = all.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    outcomes.sort_by_key(|outcome| outcome.number);
    Ok(outcomes)
}

/// In what time the rights of each are known.
async fn come_to_look(link: &Link, viewers: &[Viewer]) -> anyhow::Result<Histogram> {
    let apart = Duration::from_secs(1) / u32::try_from(VIEWERS_PER_SECOND)?;
    let coming = (0..).zip(viewers).map(async |(number, viewer)| {
        sleep(apart * number).await;
        let asked = now();
        link.watch(&viewer.user_id, &viewer.guild_id).await?;
        anyhow::Ok(u64::try_from(asked.elapsed().as_micros())?)
    });
    let mut histogram = Histogram::new();
    for micros in try_join_all(coming).await? {
        histogram.record(micros);
    }
    Ok(histogram)
}

async fn most_memory(process: u32, seconds: u64) -> anyhow::Result<u64> {
    let mut turns = interval(LOOK_AT_MEMORY);
    let (begun, mut most) = (now(), 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        turns.tick().await;
        most = most.max(procfs::resident_bytes(process)?);
    }
    Ok(most)
}

/// `GET /sim/state`.
struct State(Value);

impl State {
    fn read(stage: &Stage) -> anyhow::Result<Self> {
        let answer = Client::new(stage.simulator_at).get("/sim/state", &[])?;
        Ok(Self(serde_json::from_str(&answer.body)?))
    }

    fn guild(&self, id: &str) -> anyhow::Result<&Value> {
        named(&self.0["guilds"], id)
    }
}

fn named<'a>(list: &'a Value, id: &str) -> anyhow::Result<&'a Value> {
    let found = list
        .as_array()
        .and_then(|list| list.iter().find(|one| one["id"] == id));
    found.with_context(|| format!("{id} is gone"))
}

/// Whether Discord did what was answered, room by room.
fn compared(
    outcomes: &[Outcome],
    givers: &[CommandGiver],
    before: &State,
    after: &State,
) -> anyhow::Result<Difference> {
    let mut all = Difference::default();
    for (number, giver) in givers.iter().enumerate() {
        let room = &giver.own_room;
        let [was, is] = [
            before.guild(&giver.guild_id)?,
            after.guild(&giver.guild_id)?,
        ];
        let limit = named(&was["channels"], room)?["userLimit"].as_u64();
        let seen = limits_given(is, room, last_entry(was));
        let own = outcomes.iter().filter(|outcome| outcome.giver == number);
        let done = own.filter(|outcome| outcome.answer == CommandAnswer::Done);
        let answered: Vec<u64> = done.map(|outcome| outcome.limit).collect();
        let limit = limit.context("a room has no limit")?;
        all = all.plus(Difference::between(limit, &answered, &seen));
    }
    Ok(all)
}

/// While all give more than Discord takes.
fn rows_of_shares(outcomes: &[Outcome], offered_for: Duration) -> anyhow::Result<Vec<Row>> {
    let (mut asked, mut got) = ([0; GIVERS], [0; GIVERS]);
    for outcome in outcomes {
        asked[outcome.giver] += 1;
        let in_time = (SHARED_FROM..offered_for).contains(&outcome.after);
        got[outcome.giver] += u64::from(in_time && outcome.answer == CommandAnswer::Done);
    }
    let all: u64 = got.iter().sum();
    let shares = fair_shares(&asked, all);
    let parts = got.iter().zip(&shares);
    let parts: Vec<f64> = parts.map(|(got, share)| float(*got) / share).collect();
    let least = parts[GREEDY + 1..]
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let others = least_middle_most(&got[GREEDY + 1..]).context("nobody gave commands")?;
    let counted_for = offered_for.saturating_sub(SHARED_FROM);
    let per_second = float(all) / counted_for.as_secs_f64();
    let mut rows = vec![of_overload("done", "1/s", per_second, None)];
    for (what, count) in ["least", "median", "most"].into_iter().zip(others) {
        rows.push(of_overload(
            &format!("done for one of {} who give 2.6/s, {what}", GIVERS - 1),
            "commands",
            float(count),
            None,
        ));
    }
    rows.extend([
        of_overload(
            "done for who gives 100/s",
            "commands",
            float(got[GREEDY]),
            None,
        ),
        of_overload(
            "what they got of their fair share",
            "x",
            parts[GREEDY],
            Some(Budget::AtMost(GREEDY_AT_MOST)),
        ),
        of_overload(
            "the least that another got of theirs",
            "x",
            least,
            Some(Budget::AtLeast(OTHERS_AT_LEAST)),
        ),
    ]);
    Ok(rows)
}

/// What was not taken is said at once, and with a time.
fn rows_of_bounds(outcomes: &[Outcome], memory: &Memory) -> anyhow::Result<Vec<Row>> {
    let (mut done, mut refused) = (0, 0);
    for outcome in outcomes {
        match &outcome.answer {
            CommandAnswer::Done => done += 1,
            CommandAnswer::Refused { later: true, .. } => refused += 1,
            CommandAnswer::Refused { code, .. } => bail!("refused without a time: {code}"),
            CommandAnswer::Unclear(why) => bail!("nobody knows what came of a command: {why}"),
        }
    }
    let last = outcomes.iter().map(|outcome| outcome.after).max();
    let last = last.unwrap_or_default().as_secs_f64();
    let more = |bytes: u64| float(bytes.saturating_sub(memory.before)) / float(1 << 20);
    let at_most = Some(Budget::AtMost(MEMORY_MIB));
    Ok(vec![
        of_overload("done in all", "commands", float(done), None),
        of_overload("refused with a time", "commands", float(refused), None),
        of_overload("the last is answered after", "s", last, None),
        of_overload(
            "RSS of the gateway before",
            "MiB",
            float(memory.before) / float(1 << 20),
            None,
        ),
        of_overload(
            "RSS more than before, at most",
            "MiB",
            more(memory.most),
            at_most,
        ),
        of_overload(
            "RSS more than before, afterwards",
            "MiB",
            more(memory.after),
            at_most,
        ),
    ])
}

fn rows_of_rights(quiet: &Histogram, loaded: &Histogram) -> Vec<Row> {
    let mut rows = Vec::new();
    for (when, histogram) in [("before", quiet), ("meanwhile", loaded)] {
        for (what, share) in [("p50", 0.50), ("p95", 0.95)] {
            let Some(micros) = histogram.quantile(share) else {
                continue;
            };
            let budget = (what == "p95").then_some(Budget::AtMost(RIGHTS_P95_MS));
            let what = format!("rights of who comes to look, {when}: {what}");
            rows.push(of_overload(&what, "ms", float(micros) / 1_000.0, budget));
        }
    }
    rows
}

fn of_overload(what: &str, unit: &'static str, value: f64, budget: Option<Budget>) -> Row {
    let what = format!("{OFFERED}/s by {GIVERS}: {what}");
    row(&what, unit, &[value], budget)
}
