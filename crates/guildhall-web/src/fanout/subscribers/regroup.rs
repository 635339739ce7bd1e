//! What an event makes of a guild's classes: who sees something else after it goes into another
//! class, or their class goes on with them.

use std::{collections::HashMap, sync::Arc};

use guildhall_model::{
    Change, ChannelId, Guild, GuildId, VisibleRooms, permission::VisibilityOfMany,
};

use super::{SubscribedViewer, Subscriptions, WakeSet};
use crate::{
    fanout::classes::{Class, ClassId},
    replica::{Affects, GuildLog, Record, RoomTransitions, RoomsAhead, RoomsToTell, ViewerId},
    visible::{Access, rooms_to_tell, view},
};

/// The classes that see something else after an event, with what they saw before it.
type Moved = HashMap<ClassId, VisibleRooms>;

/// What an event made of the classes.
#[derive(Debug, Default)]
pub(super) struct Regrouped {
    pub(super) moved: Moved,
    /// The rooms that appear or vanish by it. `None`: there are none, or too many to be told.
    pub(super) transitions: Option<Arc<RoomTransitions>>,
}

/// Viewers of one class who are something else to the guild after an event, by what they see then.
#[derive(Default)]
struct Division(HashMap<Option<VisibleRooms>, Vec<ViewerId>>);

impl Subscriptions {
    /// Applies an event to the classes. Whoever has to join again for it is told so: nobody who stays
    /// in their class, unless the guild is told anew, or more changed for them than can be told.
    /// `log`: with the event in it.
    pub(super) fn regroup(
        &mut self,
        record: &Record,
        id: GuildId,
        log: &mut GuildLog,
        ahead: &RoomsAhead,
        to_wake: &mut WakeSet,
    ) -> Regrouped {
        let changed = self.changed(record.affects, id, log.guild());
        let told_anew = matches!(record.event.change, Change::GuildAvailable(Some(_)));
        if changed.is_empty() && !told_anew {
            return Regrouped::default();
        }
        let mut divided: HashMap<ClassId, Division> = HashMap::new();
        let mut comers = Vec::new();
        for (user, access) in changed {
            let Some(subscribed) = self.viewers.get_mut(&user) else {
                continue;
            };
            let rooms = access.rooms().cloned();
            subscribed.access.change(record.at.seq, access);
            match subscribed.class {
                Some(class) => {
                    let division = divided.entry(class).or_default();
                    division.0.entry(rooms).or_default().push(user);
                }
                None => comers.push(user),
            }
        }
        let tell = self.rooms_to_tell(record, &divided);
        let transitions = if tell.is_empty() {
            None
        } else {
            log.keep_transitions(record, &tell, ahead)
        };
        let untold = !tell.is_empty() && transitions.is_none();
        let moved = self.move_classes(divided, &mut comers);
        self.place(&comers, to_wake);
        if told_anew || untold {
            let hit = |class| told_anew || moved.contains_key(&class);
            let viewers = self.viewers.values();
            let hit = viewers.filter(|subscribed| subscribed.class.is_some_and(hit));
            hit.for_each(|subscribed| to_wake.rejoin(&subscribed.viewer));
        }
        // INVARIANT(raised-before-shown): a buffer shows by other rights only after the generation
        // of all who do not have them was raised.
        for class in moved.keys().map(|class| self.classes.live(*class)) {
            for buffer in class.buffers() {
                buffer.set_rooms(class.rooms());
            }
        }
        Regrouped { moved, transitions }
    }

    /// The rooms that those have to be told of who see others, looked at once for each class and
    /// what becomes of it.
    fn rooms_to_tell(&self, record: &Record, divided: &HashMap<ClassId, Division>) -> RoomsToTell {
        let mut tell = RoomsToTell::default();
        for (id, division) in divided {
            let class = self.classes.live(*id);
            for after in division.0.keys().flatten() {
                rooms_to_tell(record, class.rooms(), after, &mut tell);
            }
        }
        tell
    }

    /// Who is something else to the guild after an event, and what.
    fn changed(
        &self,
        affects: Affects,
        id: GuildId,
        after: Option<&Guild>,
    ) -> Vec<(ViewerId, Access)> {
        match affects {
            Affects::Nobody => Vec::new(),
            Affects::Person(who) | Affects::Move { who, .. } => {
                let who = ViewerId::Person(who);
                let of = |subscribed: &SubscribedViewer| {
                    let access = subscribed.access.now().after(affects, after, id, who);
                    (access != *subscribed.access.now()).then_some((who, access))
                };
                self.viewers.get(&who).and_then(of).into_iter().collect()
            }
            Affects::Room(room) => match after {
                Some(guild) => self.changed_by_room(room, id, guild),
                None => Vec::new(),
            },
            Affects::Everybody => {
                let mut many = after.map(|guild| (guild, VisibilityOfMany::of(id, guild)));
                let of = |(viewer, subscribed): (&ViewerId, &SubscribedViewer)| {
                    let access = match &mut many {
                        Some((guild, many)) => Access::among(many, (id, guild), *viewer),
                        None => Access::Absent,
                    };
                    (access != *subscribed.access.now()).then_some((*viewer, access))
                };
                self.viewers.iter().filter_map(of).collect()
            }
        }
    }

    /// The same where only one room counts. What a class sees with it or without it is made once.
    fn changed_by_room(
        &self,
        room: ChannelId,
        id: GuildId,
        guild: &Guild,
    ) -> Vec<(ViewerId, Access)> {
        let mut made: HashMap<(Option<ClassId>, bool), VisibleRooms> = HashMap::new();
        let mut changed = Vec::new();
        for (user, subscribed) in &self.viewers {
            let Access::Member(before) = subscribed.access.now() else {
                continue;
            };
            let view = view(id, guild, *user);
            let sees = view.is_some_and(|view| view.sees(room));
            if sees != before.contains(room) {
                let with = made.entry((subscribed.class, sees));
                let with = with.or_insert_with(|| before.with(room, sees));
                changed.push((*user, Access::Member(with.clone())));
            }
        }
        changed
    }

    /// Each class goes on with the most of its viewers. All others, and those of a class that sees
    /// now what a larger one sees, are added to `comers`, and are in no class.
    fn move_classes(
        &mut self,
        divided: HashMap<ClassId, Division>,
        comers: &mut Vec<ViewerId>,
    ) -> Moved {
        let mut moved = Moved::new();
        let mut left_behind = false;
        for (id, Division(mut groups)) in divided {
            let class = self.classes.live(id);
            let (all, before) = (class.viewers(), class.rooms().clone());
            let staying = all - groups.values().map(Vec::len).sum::<usize>();
            let seeing = groups.iter().filter_map(|(rooms, users)| {
                let rooms = rooms.as_ref()?;
                Some((users.len(), rooms))
            });
            let most = seeing.max_by_key(|(users, _)| *users);
            let most = most.filter(|(users, _)| *users > staying);
            let goes_on = most.map(|(heirs, rooms)| (heirs, rooms.clone()));
            let going = match goes_on {
                Some((heirs, rooms)) => {
                    left_behind |= staying > 0;
                    moved.insert(id, before);
                    self.classes.move_to(id, &rooms);
                    groups.remove(&Some(rooms));
                    all - heirs
                }
                None => all - staying,
            };
            self.classes.leave(id, going);
            for user in groups.into_values().flatten() {
                if let Some(subscribed) = self.viewers.get_mut(&user) {
                    subscribed.class = None;
                }
                comers.push(user);
            }
        }
        let ids: Vec<ClassId> = moved.keys().copied().collect();
        for over in ids.into_iter().filter_map(|id| self.classes.settle(id)) {
            moved.remove(&over);
            left_behind = true;
        }
        if left_behind {
            self.detach_left_behind(comers);
        }
        moved
    }

    /// Takes everybody out of their class who does not see what it sees, or whose class is over.
    fn detach_left_behind(&mut self, comers: &mut Vec<ViewerId>) {
        for (user, subscribed) in &mut self.viewers {
            let class = subscribed.class.map(|class| self.classes.get(class));
            let seen = class.map(|class| class.map(Class::rooms));
            if seen.is_some_and(|seen| seen != subscribed.access.now().rooms()) {
                subscribed.class = None;
                comers.push(*user);
            }
        }
    }

    /// Who came into no class goes into that of those who see the same, and joins again.
    fn place(&mut self, comers: &[ViewerId], to_wake: &mut WakeSet) {
        for user in comers {
            if let Some(subscribed) = self.viewers.get_mut(user) {
                let rooms = subscribed.access.now().rooms();
                subscribed.class = rooms.map(|rooms| self.classes.enter(rooms));
                to_wake.rejoin(&subscribed.viewer);
            }
        }
    }
}
