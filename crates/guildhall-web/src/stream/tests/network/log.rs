//! What a gateway keeps when it crashes: the log, each guild's base, and the truth as Discord has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use guildhall_link::{
    frame::{Base, Discord, DiscordStatus},
    sender::{EVENTS_PER_READ, Input},
};
use guildhall_model::{
    Change, Envelope, Event, Guild, GuildId, LogId, Position, RoleId, SealedEvent, UnixMs, UserId,
    World, guild::Membership,
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use super::super::harness::{BEN, EPOCH, HALL, VAULT_ROLE, hall_of};

/// A gateway's log. Cheap to clone.
#[derive(Clone)]
pub(super) struct Log {
    kept: Arc<Mutex<Kept>>,
    pub(super) head: watch::Sender<Position>,
    pub(super) status: watch::Sender<DiscordStatus>,
}

struct Kept {
    head: Position,
    world: World,
    /// Each guild at its floor.
    bases: World,
    floors: BTreeMap<GuildId, u64>,
    events: BTreeMap<u64, Arc<SealedEvent>>,
    /// Events kept of each guild.
    window: usize,
    /// What Discord answers about people.
    members: BTreeMap<(GuildId, UserId), Membership>,
    /// Everybody whom a web role asked about.
    watched: BTreeSet<UserId>,
}

impl Log {
    /// With a hall in it.
    pub(super) fn new(window: usize) -> Self {
        let head = Position::start(LogId(0), EPOCH);
        let mut hall = hall_of(HALL);
        hall.info.name = "0".to_owned();
        hall.memberships.clear();
        let world = World {
            guilds: BTreeMap::from([(HALL, hall)]),
        };
        let kept = Kept {
            head,
            bases: world.clone(),
            world,
            floors: BTreeMap::from([(HALL, 0)]),
            events: BTreeMap::new(),
            window,
            members: BTreeMap::new(),
            watched: BTreeSet::new(),
        };
        let live = DiscordStatus {
            discord: Discord::Live,
            since: EPOCH,
            guild_ids: Vec::new(),
            complete: true,
        };
        Self {
            kept: Arc::new(Mutex::new(kept)),
            head: watch::Sender::new(head),
            status: watch::Sender::new(live),
        }
    }

    /// The guilds as they are.
    pub(super) fn world(&self) -> World {
        self.lock().world.clone()
    }

    pub(super) fn guild(&self, guild_id: GuildId) -> Option<Guild> {
        self.lock().world.guilds.get(&guild_id).cloned()
    }

    /// Appends what one cause did.
    pub(super) fn append(&self, guild_id: GuildId, changes: Vec<Change>, ts: UnixMs) {
        let mut kept = self.lock();
        for change in &changes {
            if let Change::Rights {
                user_id,
                membership: Some(membership),
            } = change
            {
                kept.members
                    .insert((guild_id, *user_id), membership.clone());
            }
        }
        kept.append(guild_id, changes, ts);
        self.head.send_replace(kept.head);
    }

    /// A guild has another name, which is the next number.
    pub(super) fn rename(&self, guild_id: GuildId, ts: UnixMs) {
        let mut kept = self.lock();
        let Some(guild) = kept.world.guilds.get(&guild_id) else {
            return;
        };
        let mut info = guild.info.clone();
        let number: u64 = info.name.parse().unwrap_or_default();
        info.name = (number + 1).to_string();
        kept.append(guild_id, vec![Change::GuildUpdated(info)], ts);
        self.head.send_replace(kept.head);
    }

    /// Asks Discord about somebody, and notes what is new.
    pub(super) fn look_up(&self, user_id: UserId, guild_ids: &[GuildId], ts: UnixMs) -> Position {
        let mut kept = self.lock();
        kept.watched.insert(user_id);
        for guild_id in guild_ids {
            let known = kept.world.guilds.get(guild_id);
            if known.is_none_or(|guild| guild.memberships.contains_key(&user_id)) {
                continue;
            }
            let membership = Some(kept.member(*guild_id, user_id));
            let rights = Change::Rights {
                user_id,
                membership,
            };
            kept.append(*guild_id, vec![rights], ts);
        }
        self.head.send_replace(kept.head);
        kept.head
    }

    /// Asks about everybody who is watched and unknown somewhere.
    pub(super) fn look_up_watched(&self, ts: UnixMs) {
        let (watched, guilds) = {
            let kept = self.lock();
            let guilds: Vec<_> = kept.world.guilds.keys().copied().collect();
            (kept.watched.clone(), guilds)
        };
        for user in watched {
            self.look_up(user, &guilds, ts);
        }
    }

    /// The log is lost, and begun again with what Discord says.
    pub(super) fn lose(&self) {
        let mut kept = self.lock();
        for guild in kept.world.guilds.values_mut() {
            guild.memberships.clear();
        }
        kept.head = Position::start(LogId(0), kept.head.epoch + 1);
        kept.bases = kept.world.clone();
        kept.events.clear();
        kept.floors = kept.world.guilds.keys().map(|id| (*id, 0)).collect();
        self.head.send_replace(kept.head);
    }

    pub(super) fn join(&self, after: Option<Position>) -> Input {
        let kept = self.lock();
        let head = kept.head;
        match after {
            Some(after) if after.comparable(head) && after.seq >= kept.highest_floor() => {
                Input::JoinedAfter { after, head }
            }
            _ => Input::JoinedBases {
                bases: kept.bases(),
                backlog: kept.events.values().cloned().collect(),
                head,
            },
        }
    }

    pub(super) fn read(&self, after: Position) -> Input {
        let kept = self.lock();
        if !after.comparable(kept.head) || after.seq < kept.highest_floor() {
            return Input::LogExpired;
        }
        let later = (Bound::Excluded(after.seq), Bound::Unbounded);
        let events = kept.events.range(later).take(EVENTS_PER_READ);
        Input::EventsRead {
            log: after.log,
            events: events.map(|(_, event)| Arc::clone(event)).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock()
    }
}

impl Kept {
    fn append(&mut self, guild_id: GuildId, changes: Vec<Change>, ts: UnixMs) {
        let length = changes.len();
        for (number, change) in (1..).zip(changes) {
            self.head.seq += 1;
            let envelope = Envelope {
                at: self.head,
                more: number < length,
                event: Event {
                    guild_id,
                    ts,
                    synthetic: false,
                    change,
                },
            };
            self.world.apply(&envelope.event);
            self.floors.entry(guild_id).or_insert(0);
            let sealed = Arc::new(SealedEvent::new(envelope));
            self.events.insert(self.head.seq, sealed);
        }
        while self.of(guild_id).count() > self.window {
            self.evict_group(guild_id);
        }
    }

    fn of(&self, guild_id: GuildId) -> impl Iterator<Item = u64> {
        let of = move |event: &Arc<SealedEvent>| event.event.guild_id == guild_id;
        let events = self.events.iter().filter(move |(_, event)| of(event));
        events.map(|(seq, _)| *seq)
    }

    fn evict_group(&mut self, guild_id: GuildId) {
        let Some(mut seq) = self.of(guild_id).next() else {
            return;
        };
        while let Some(event) = self.events.remove(&seq) {
            self.bases.apply(&event.event);
            self.floors.insert(guild_id, seq);
            if !event.more {
                return;
            }
            seq += 1;
        }
    }

    fn highest_floor(&self) -> u64 {
        self.floors.values().copied().max().unwrap_or(0)
    }

    fn bases(&self) -> Vec<Base> {
        let floors = self.floors.iter();
        let base = |(guild_id, floor): (&GuildId, &u64)| Base {
            guild_id: *guild_id,
            floor: self.head.at(*floor),
            guild: self.bases.guilds.get(guild_id).cloned(),
        };
        floors.map(base).collect()
    }

    fn member(&self, guild_id: GuildId, user_id: UserId) -> Membership {
        let known = self.members.get(&(guild_id, user_id)).cloned();
        let roles: &[RoleId] = match user_id {
            BEN => &[VAULT_ROLE],
            _ => &[],
        };
        known.unwrap_or_else(|| Membership::member(roles.to_vec()))
    }
}
