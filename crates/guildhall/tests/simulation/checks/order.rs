//! The public events against what was done: all of them in order, or where a session was lost,
//! some of them in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use guildhall_model::{ChannelId, GuildId, UserId};

use super::Evidence;
use crate::expectations::{PublicEvent, public_event};

/// What is wrong with the order and number of what was told.
pub(crate) fn told_as_done(evidence: &Evidence<'_>, lost: bool) -> Vec<String> {
    let in_log = evidence.log.iter().map(|envelope| envelope.event.guild_id);
    let due = evidence.expectations.guilds();
    let due = due.filter(|guild_id| evidence.shard.has(*guild_id));
    let guilds: BTreeSet<GuildId> = in_log.chain(due).collect();
    let mut wrong = Vec::new();
    for guild_id in guilds {
        let complaint = of_guild(evidence, guild_id, lost);
        wrong.extend(complaint.map(|complaint| format!("guild {guild_id}: {complaint}")));
    }
    wrong
}

fn of_guild(evidence: &Evidence<'_>, guild_id: GuildId, lost: bool) -> Option<String> {
    let heads = evidence.baseline.map(|baseline| &baseline.heads);
    let baseline = heads.and_then(|heads| heads.get(&evidence.shard.log()).copied());
    let baseline = baseline.unwrap_or(0);
    let events = evidence.log.iter().filter(|envelope| {
        let event = &envelope.event;
        envelope.at.seq > baseline && event.guild_id == guild_id && !event.synthetic
    });
    let told: Vec<PublicEvent> = events
        .filter_map(|envelope| public_event(guild_id, envelope.event.change.clone()))
        .collect();
    let bridged = evidence.guilds.as_ref();
    if bridged.is_some_and(|guilds| !guilds.contains(&guild_id)) && !lost {
        return (!told.is_empty()).then(|| "it is not bridged".to_owned());
    }
    let due = evidence.expectations.due(guild_id);
    if lost {
        return some_in_order(&told, due, &evidence.expectations.hidden);
    }
    let due: Vec<&PublicEvent> = due
        .iter()
        .filter(|event| evidence.members || !event.needs_members)
        .collect();
    let (told, due) = if evidence.reordered {
        (by_person(told.iter()), by_person(due.into_iter()))
    } else {
        (vec![texts(told.iter())], vec![texts(due.into_iter())])
    };
    let pairs = told.iter().zip(&due);
    let mut differing = pairs.filter(|(told, due)| told != due);
    if let Some((told, due)) = differing.next() {
        return Some(first_difference(told, due));
    }
    (told.len() != due.len()).then(|| format!("told {told:#?}, and due was {due:#?}"))
}

fn texts<'a>(events: impl Iterator<Item = &'a PublicEvent>) -> Vec<&'a str> {
    events.map(|event| event.text.as_str()).collect()
}

/// Independent events are voice states of two people, and a voice state and the room that it may
/// come before: who moves has left the old room then before the new one is there.
fn by_person<'a>(events: impl Iterator<Item = &'a PublicEvent>) -> Vec<Vec<&'a str>> {
    let (mut others, mut people) = (Vec::new(), BTreeMap::<UserId, Vec<&str>>::new());
    for event in events {
        match event.person {
            Some(person) => people.entry(person).or_default().push(&event.text),
            None => others.push(event.text.as_str()),
        }
    }
    let mut parts = vec![others];
    parts.extend(people.into_values());
    parts
}

fn first_difference(told: &[&str], due: &[&str]) -> String {
    let same = told.iter().zip(due).take_while(|(told, due)| told == due);
    let at = same.count();
    let shown = |all: &[&str]| {
        let few: Vec<_> = all.iter().skip(at).take(4).copied().collect();
        format!("[\n    {}\n  ]", few.join("\n    "))
    };
    format!(
        "after {at} events as they were due\n  told {}\n  due {}",
        shown(told),
        shown(due)
    )
}

/// What was told after a session was lost is a part of what was due, in its order: of each
/// person, and of the rest.
fn some_in_order(
    told: &[PublicEvent],
    due: &[PublicEvent],
    hidden: &BTreeSet<ChannelId>,
) -> Option<String> {
    let mut waiting = BTreeMap::<Option<UserId>, VecDeque<&PublicEvent>>::new();
    for event in due {
        waiting.entry(event.person).or_default().push_back(event);
    }
    for event in told {
        // A new session tells of whole guilds. What of a hidden room is news depends on what was
        // known of it.
        let of_hidden = event.room.is_some_and(|room| hidden.contains(&room));
        if event.whole_guild || of_hidden {
            continue;
        }
        let queue = waiting.entry(event.person).or_default();
        loop {
            match queue.pop_front() {
                Some(due) if due.loose == event.loose => break,
                Some(_) => {}
                None => return Some(format!("told, and not due then: {}", event.text)),
            }
        }
    }
    None
}
