//! Rooms that a record shows to somebody or hides from them, as open streams are told: rendered
//! once, by the guild as it is at that record, for everybody whom it concerns. What is too old or too
//! much is given up; whoever still needed it is sent the guild again.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use guildhall_model::{
    Change, ChannelId, Envelope, Event, Guild, GuildId, Position, UnixMs,
    event::{ROOM_HIDDEN, ROOM_SHOWN},
    guild::{Occupant, RoomInfo},
    json,
};
use serde::Serialize;

use super::{
    bounds::TransitionBounds,
    fragments::{RoomFragments, room_json},
    record::{GroupSpan, Record},
};
use crate::sse::{self, EncodedEvent};

/// A room that a record shows to some viewers, or hides from some.
#[derive(Debug)]
pub(crate) struct RoomTransition {
    /// The position just after the record.
    pub(crate) at: Position,
    /// The record's.
    pub(crate) group: GroupSpan,
    pub(crate) kind: TransitionKind,
    /// When the gateway heard of the change of rights that did it. `None`: the room was made or
    /// deleted, which somebody who asks for no rooms is told like this.
    pub(crate) rights_changed_at: Option<UnixMs>,
    room: ChannelId,
    frame: EncodedEvent,
}

/// What becomes of a room for those who are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransitionKind {
    Shown,
    Hidden,
}

/// All of one record.
#[derive(Debug, Default)]
pub(crate) struct RoomTransitions {
    /// Ascending by room.
    shown: Vec<Arc<RoomTransition>>,
    hidden: Vec<Arc<RoomTransition>>,
}

/// Rooms that somebody has to be told of around a record.
#[derive(Debug, Default)]
pub(crate) struct RoomsToTell {
    pub(crate) shown: BTreeSet<ChannelId>,
    pub(crate) hidden: BTreeSet<ChannelId>,
}

/// What else a group makes of its rooms. Who is shown a room by a record of it is told that alone: not
/// the name from before, of a room that is renamed and opened at once.
#[derive(Debug, Default)]
pub(crate) struct RoomsAhead(Vec<(u64, Ahead)>);

#[derive(Debug)]
enum Ahead {
    /// A room is like this from then on.
    Room(RoomInfo),
    /// Who sees what may change: what comes behind it is not for whoever sees a room before it.
    Rights,
}

/// The recent transitions of one guild.
#[derive(Debug)]
pub(super) struct TransitionWindow {
    bounds: TransitionBounds,
    /// Ascending by position. `None`: those of this record are too much to be told.
    kept: VecDeque<(u64, Option<Arc<RoomTransitions>>)>,
    cost: usize,
    /// Those of records at or below this were given up.
    floor: u64,
}

/// Why rooms that a record shows or hides can't be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untold {
    /// All of that record would be more bytes than one guild keeps.
    TooMuch,
    /// They were kept, and given up since.
    GivenUp,
    /// Nobody had them kept: a fault of ours.
    Missing,
}

impl Untold {
    /// As it is measured.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TooMuch => "too_much",
            Self::GivenUp => "given_up",
            Self::Missing => "missing",
        }
    }
}

impl RoomTransition {
    /// As a stream has it that is about its log alone; its `id:` is the end of the group.
    pub(crate) fn frame(&self) -> &EncodedEvent {
        &self.frame
    }

    fn cost(&self) -> usize {
        size_of::<Self>() + self.frame.len()
    }
}

impl RoomTransitions {
    /// A room as it is shown.
    pub(crate) fn shown(&self, room: ChannelId) -> Option<&Arc<RoomTransition>> {
        find(&self.shown, room)
    }

    /// That a room is hidden.
    pub(crate) fn hidden(&self, room: ChannelId) -> Option<&Arc<RoomTransition>> {
        find(&self.hidden, room)
    }

    /// Renders what has to be told around a record. `now`: the guild just after it. `None`: it is
    /// too much.
    fn render(
        record: &Record,
        tell: &RoomsToTell,
        ahead: &RoomsAhead,
        now: &Guild,
        fragments: &RoomFragments,
        most_bytes: usize,
    ) -> Option<Self> {
        let mut transitions = Self::default();
        let ahead = ahead.after(record.at.seq);
        let mut cost = 0;
        for room in &tell.shown {
            let like = ahead.get(room).copied();
            let Some(data) = shown(record, *room, like, now, fragments) else {
                continue;
            };
            let frame = sse::encode_json(ROOM_SHOWN.name, record.cursor(), &data);
            let transition = of(record, *room, TransitionKind::Shown, frame);
            cost += transition.cost();
            if cost > most_bytes {
                return None;
            }
            transitions.shown.push(Arc::new(transition));
        }
        for room in &tell.hidden {
            let data = hidden(&record.event, *room);
            let frame = sse::encode_json(ROOM_HIDDEN.name, record.cursor(), &data);
            let transition = of(record, *room, TransitionKind::Hidden, frame);
            transitions.hidden.push(Arc::new(transition));
        }
        (transitions.cost() <= most_bytes).then_some(transitions)
    }

    fn cost(&self) -> usize {
        let all = self.shown.iter().chain(&self.hidden);
        all.map(|transition| transition.cost()).sum()
    }
}

fn cost(transitions: Option<&RoomTransitions>) -> usize {
    transitions.map_or(0, RoomTransitions::cost)
}

fn of(
    record: &Record,
    room: ChannelId,
    kind: TransitionKind,
    frame: EncodedEvent,
) -> RoomTransition {
    RoomTransition {
        at: record.at,
        group: record.group,
        kind,
        rights_changed_at: (!comes_or_goes(&record.event.change)).then_some(record.event.ts),
        room,
        frame,
    }
}

fn find(among: &[Arc<RoomTransition>], room: ChannelId) -> Option<&Arc<RoomTransition>> {
    let found = among.binary_search_by_key(&room, |transition| transition.room);
    found.ok().map(|index| &among[index])
}

/// What both begin with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfCause {
    guild_id: GuildId,
    ts: UnixMs,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    synthetic: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<ChannelId>,
}

impl OfCause {
    fn new(event: &Event, channel_id: Option<ChannelId>) -> Self {
        Self {
            guild_id: event.guild_id,
            ts: event.ts,
            synthetic: event.synthetic,
            channel_id,
        }
    }
}

fn hidden(event: &Event, room: ChannelId) -> Vec<u8> {
    json::to_vec(&OfCause::new(event, Some(room)))
}

/// A room with its people as they were just before the record: whoever joins by it is told by it.
/// `like`: what the room is about to be like.
fn shown(
    record: &Record,
    channel: ChannelId,
    like: Option<&RoomInfo>,
    now: &Guild,
    fragments: &RoomFragments,
) -> Option<Vec<u8>> {
    let joins = match &record.event.change {
        Change::VoiceJoined(person) if person.channel_id == channel => Some(person.user_id),
        _ => None,
    };
    let room = if like.is_none() && joins.is_none() {
        fragments.get(now, channel)?
    } else {
        let there = |person: &&Occupant| Some(person.user_id) != joins;
        let info = &now.rooms.get(&channel)?.info;
        let members = now.occupants(channel).filter(there);
        room_json(like.unwrap_or(info), members)
    };
    let mut data = json::to_vec(&OfCause::new(&record.event, None));
    data.pop();
    data.push(b',');
    // Without the brace that opens it.
    data.extend_from_slice(&room[1..]);
    Some(data)
}

impl RoomsToTell {
    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.hidden.is_empty()
    }
}

impl RoomsAhead {
    /// Of a group.
    pub(crate) fn of(group: &[Envelope]) -> Self {
        let changes = || group.iter().map(|envelope| &envelope.event.change);
        let updates = |change: &Change| matches!(change, Change::RoomUpdated(_));
        // Most groups rename nothing, moves above all.
        if group.len() < 2 || !changes().any(updates) || !changes().any(touches) {
            return Self::default();
        }
        let ahead = group.iter().filter_map(|envelope| {
            let ahead = match &envelope.event.change {
                Change::RoomUpdated(info) => Ahead::Room(info.clone()),
                change if touches(change) => Ahead::Rights,
                _ => return None,
            };
            Some((envelope.at.seq, ahead))
        });
        Self(ahead.collect())
    }

    /// What becomes of rooms after a record, before anybody sees others.
    fn after(&self, seq: u64) -> BTreeMap<ChannelId, &RoomInfo> {
        let first = self.0.partition_point(|(at, _)| *at <= seq);
        let ahead = self.0[first..].iter().map_while(|(_, ahead)| match ahead {
            Ahead::Room(info) => Some((info.channel_id, info)),
            Ahead::Rights => None,
        });
        ahead.collect()
    }
}

/// Whether somebody may see other rooms after it.
fn touches(change: &Change) -> bool {
    comes_or_goes(change) || change.touches_rights()
}

fn comes_or_goes(change: &Change) -> bool {
    matches!(change, Change::RoomCreated(_) | Change::RoomDeleted { .. })
}

impl TransitionWindow {
    /// An empty one.
    pub(super) fn new(bounds: TransitionBounds) -> Self {
        Self {
            bounds,
            kept: VecDeque::new(),
            cost: 0,
            floor: 0,
        }
    }

    /// Renders what has to be told around a record, to be pushed. `now`: the guild just after it.
    /// `None`: it is too much.
    pub(super) fn render(
        &self,
        record: &Record,
        tell: &RoomsToTell,
        ahead: &RoomsAhead,
        now: &Guild,
        fragments: &RoomFragments,
    ) -> Option<RoomTransitions> {
        RoomTransitions::render(record, tell, ahead, now, fragments, self.bounds.bytes)
    }

    /// Keeps those of the newest record, and gives up what is too much then. `None`: they are too
    /// much by themselves.
    pub(super) fn push(&mut self, record: &Record, transitions: Option<Arc<RoomTransitions>>) {
        self.cost += cost(transitions.as_deref());
        self.kept.push_back((record.at.seq, transitions));
        while self.cost > self.bounds.bytes || self.is_long(record.group) {
            self.pop();
        }
    }

    /// Whether those of more records are kept than have to be. `newest`: the last group.
    fn is_long(&self, newest: GroupSpan) -> bool {
        let oldest = self.kept.front();
        let is_older = oldest.is_some_and(|(at, _)| *at <= newest.begin);
        is_older && self.kept.len() > self.bounds.records
    }

    /// Those of the record at a position.
    pub(super) fn at(&self, at: u64) -> Result<&Arc<RoomTransitions>, Untold> {
        let found = self.kept.binary_search_by_key(&at, |(at, _)| *at);
        match found {
            Ok(index) => self.kept[index].1.as_ref().ok_or(Untold::TooMuch),
            Err(_) if at <= self.floor => Err(Untold::GivenUp),
            Err(_) => Err(Untold::Missing),
        }
    }

    /// What they cost in memory.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Gives up those of the oldest record. Returns whether there was one.
    pub(super) fn pop(&mut self) -> bool {
        let Some((at, oldest)) = self.kept.pop_front() else {
            return false;
        };
        self.cost -= cost(oldest.as_deref());
        self.floor = at;
        true
    }

    /// Gives up those of records that are not kept any more.
    pub(super) fn trim(&mut self, floor: u64) {
        while self.kept.front().is_some_and(|(at, _)| *at <= floor) {
            self.pop();
        }
    }
}
