//! The order of commands: those of one person, and those about one person or room, are carried out
//! one after the other, as they came. All others go side by side.
//!
//! So nobody has more than one of theirs under way, and who gives many commands waits for his own.

use std::collections::{BTreeMap, HashMap, VecDeque};

use guildhall_model::{ChannelId, UserId, command::CommandRequest};

use super::GATEWAY_ITSELF;

/// What commands are in order about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum QueueKey {
    User(UserId),
    Room(ChannelId),
}

/// Commands by number, in their order.
#[derive(Debug, Default)]
pub(super) struct CommandOrder {
    queues: HashMap<QueueKey, VecDeque<u64>>,
    /// Who gave each of them, and in which queues it is.
    places: BTreeMap<u64, Place>,
    /// How many each person has given. Not the length of their queue, or whoever moves others about
    /// would use up their share.
    given: HashMap<UserId, usize>,
    /// At the front of all of their queues, and not begun; as they came to be.
    ready: VecDeque<u64>,
}

#[derive(Debug)]
struct Place {
    actor: UserId,
    keys: Vec<QueueKey>,
}

impl CommandOrder {
    /// One more, behind all others.
    pub(super) fn push(&mut self, id: u64, request: &CommandRequest) {
        let command = &request.command;
        let people = [Some(request.actor), command.moves(request.actor)];
        // What the gateway does for itself waits for nobody.
        let people = people.into_iter().flatten();
        let people = people.filter(|user_id| *user_id != GATEWAY_ITSELF);
        let people = people.map(QueueKey::User);
        let mut keys: Vec<QueueKey> = people.collect();
        keys.dedup();
        keys.extend(command.channel_id().map(QueueKey::Room));
        self.place(id, request.actor, keys);
    }

    /// A room's repair, behind all that is done about it, and by its owner.
    pub(super) fn push_repair(&mut self, id: u64, owner: UserId, room: Option<ChannelId>) {
        let mut keys = vec![QueueKey::User(owner)];
        keys.extend(room.map(QueueKey::Room));
        self.place(id, GATEWAY_ITSELF, keys);
    }

    fn place(&mut self, id: u64, actor: UserId, keys: Vec<QueueKey>) {
        for key in &keys {
            self.queues.entry(*key).or_default().push_back(id);
        }
        *self.given.entry(actor).or_default() += 1;
        self.places.insert(id, Place { actor, keys });
        self.check(id);
    }

    /// The next that may begin; it is under way until [`CommandOrder::ended`].
    pub(super) fn begin(&mut self) -> Option<u64> {
        self.ready.pop_front()
    }

    /// One that had begun is over: whatever waited for it may be next.
    pub(super) fn ended(&mut self, id: u64) {
        let Some(Place { actor, keys }) = self.places.remove(&id) else {
            return;
        };
        if let Some(given) = self.given.get_mut(&actor) {
            *given -= 1;
            if *given == 0 {
                self.given.remove(&actor);
            }
        }
        for key in keys {
            let Some(queue) = self.queues.get_mut(&key) else {
                continue;
            };
            queue.retain(|waiting| *waiting != id);
            match queue.front().copied() {
                Some(next) => self.check(next),
                None => _ = self.queues.remove(&key),
            }
        }
    }

    /// Waiting or under way.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The same, given by one person.
    pub(super) fn given_by(&self, actor: UserId) -> usize {
        self.given.get(&actor).copied().unwrap_or_default()
    }

    fn check(&mut self, id: u64) {
        let is_first = |key: &QueueKey| self.queues[key].front() == Some(&id);
        if self.places[&id].keys.iter().all(is_first) && !self.ready.contains(&id) {
            self.ready.push_back(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::{GuildId, command::Command};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_person_has_one_under_way_and_others_go_beside() {
        let mut queues = CommandOrder::default();
        queues.push(1, &connect(10, 10, 1));
        queues.push(2, &connect(10, 10, 2));
        queues.push(3, &connect(11, 11, 3));
        assert_eq!(begun(&mut queues), [1, 3]);
        queues.ended(1);
        assert_eq!(begun(&mut queues), [2]);
        assert_eq!(queues.given_by(UserId(10)), 1);
    }

    #[test]
    fn about_one_person_or_room_they_keep_their_order_whoever_gives_them() {
        let mut queues = CommandOrder::default();
        queues.push(1, &connect(10, 20, 1));
        queues.push(2, &connect(11, 20, 2));
        queues.push(3, &connect(12, 12, 2));
        queues.push(4, &connect(13, 13, 3));
        assert_eq!(
            queues.given_by(UserId(20)),
            0,
            "what others give about them"
        );
        assert_eq!(begun(&mut queues), [1, 4]);
        queues.ended(4);
        assert_eq!(begun(&mut queues), [0; 0]);
        queues.ended(1);
        assert_eq!(begun(&mut queues), [2]);
        queues.ended(2);
        assert_eq!(begun(&mut queues), [3]);
        queues.ended(3);
        let left = (queues.len(), queues.queues.len(), queues.given.len());
        assert_eq!(left, (0, 0, 0));
    }

    proptest! {
        #[test]
        fn whatever_comes_all_are_begun_and_in_each_queue_in_order(
            given in prop::collection::vec((1..5_u64, 1..5_u64, 0..3_u64), 1..60),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 200),
        ) {
            let mut queues = CommandOrder::default();
            for (id, (actor, user, room)) in (0_u64..).zip(&given) {
                queues.push(id, &connect(*actor, *user, *room));
            }
            let (mut open, mut order): (Vec<u64>, Vec<u64>) = (begun(&mut queues), Vec::new());
            order.extend(&open);
            for pick in picks {
                if open.is_empty() {
                    break;
                }
                queues.ended(open.remove(pick.index(open.len())));
                let next = begun(&mut queues);
                order.extend(&next);
                open.extend(next);
            }
            prop_assert_eq!(order.len(), given.len());
            let place = |id: usize| order.iter().position(|at| *at == id as u64);
            for (later, a) in given.iter().enumerate() {
                for (earlier, b) in given[..later].iter().enumerate() {
                    let people = a.0 == b.0 || a.0 == b.1 || a.1 == b.0 || a.1 == b.1;
                    if people || a.2 == b.2 {
                        prop_assert!(place(earlier) < place(later));
                    }
                }
            }
        }
    }

    fn begun(queues: &mut CommandOrder) -> Vec<u64> {
        std::iter::from_fn(|| queues.begin()).collect()
    }

    fn connect(actor: u64, user: u64, room: u64) -> CommandRequest {
        CommandRequest {
            actor: UserId(actor),
            key: None,
            command: Command::ConnectUserToVoiceChannel {
                guild_id: GuildId(1),
                channel_id: ChannelId(room),
                user_id: UserId(user),
            },
        }
    }
}
