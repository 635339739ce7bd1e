//! How many may wait for their room: voice states that name a channel which is none (yet) are
//! kept in the world, in memory and in the journal, and another company decides how many come.

use std::{borrow::Borrow, collections::BTreeMap};

use guildhall_model::{Change, Guild, UserId, guild::Occupant};

/// All that are in one stage, Discord's largest room: they wait while its type is another.
const STAGE: usize = 10_000;
/// Of one guild. Normally it is a handful, for the time between a voice state and its
/// CHANNEL_CREATE, and on top of it whoever was in a room whose type changes: they were known to be
/// there, and must not be lost.
pub(super) const PENDING_PER_GUILD: usize = STAGE + 1_024;
/// Of one guild, as they cost in memory: an occupant with names and an avatar is about 400 bytes, and
/// with the longest names that Discord allows below 800.
pub(super) const PENDING_BYTES: usize = 9 << 20;

/// Adds what is needed so that the guild keeps to the bounds after these changes. Returns how many
/// had to go.
pub(super) fn bounded(guild: Option<&Guild>, mut changes: Vec<Change>) -> (Vec<Change>, usize) {
    let adds = |change: &Change| matches!(change, Change::VoicePending(_));
    let Some(guild) = guild.filter(|_| changes.iter().any(adds)) else {
        return (changes, 0);
    };
    let held = guild.pending_voice.iter();
    let mut pending: BTreeMap<UserId, &Occupant> =
        held.map(|(user_id, there)| (*user_id, there)).collect();
    for change in &changes {
        match change {
            Change::VoicePending(now) => {
                pending.insert(now.user_id, now);
            }
            Change::VoiceJoined(Occupant { user_id, .. })
            | Change::VoicePendingRemoved { user_id } => {
                pending.remove(user_id);
            }
            _ => {}
        }
    }
    let dropped = shorten(&mut pending);
    let many = dropped.len();
    let removed = |user_id| Change::VoicePendingRemoved { user_id };
    changes.extend(dropped.into_iter().map(removed));
    (changes, many)
}

/// Takes out whoever is too many: those who have waited longest, since their room is the least
/// likely to come.
pub(super) fn shorten<Person: Borrow<Occupant>>(
    pending: &mut BTreeMap<UserId, Person>,
) -> Vec<UserId> {
    let weight = |person: &Person| weight(person.borrow());
    let mut bytes: usize = pending.values().map(weight).sum();
    if pending.len() <= PENDING_PER_GUILD && bytes <= PENDING_BYTES {
        return Vec::new();
    }
    let mut oldest: Vec<(u64, UserId)> = pending
        .values()
        .map(Borrow::borrow)
        .map(|person: &Occupant| (person.since, person.user_id))
        .collect();
    oldest.sort_unstable();
    let mut dropped = Vec::new();
    for (_, user_id) in oldest {
        if pending.len() <= PENDING_PER_GUILD && bytes <= PENDING_BYTES {
            break;
        }
        bytes -= pending.remove(&user_id).as_ref().map_or(0, weight);
        dropped.push(user_id);
    }
    dropped
}

fn weight(person: &Occupant) -> usize {
    size_of::<Occupant>()
        + person.username.len()
        + person.display_name.len()
        + person.avatar.as_ref().map_or(0, String::len)
        + person.avatar_url.len()
}
