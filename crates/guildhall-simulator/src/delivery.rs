//! What happens to events between the world and its sessions: Discord promises
//! neither that one comes once nor that independent ones keep their order.

use serde::Deserialize;

use crate::{
    snowflake::Snowflake,
    world::{Event, EventBody},
};

/// Faults of delivery, the same for every session.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    duplicates: u32,
    swaps: u32,
    held: Option<Event>,
}

impl Delivery {
    /// The next `times` events are told twice.
    pub(crate) fn duplicate(&mut self, times: u32) {
        self.duplicates = times;
    }

    /// The next `times` pairs of independent events are told the other way round.
    pub(crate) fn swap(&mut self, times: u32) {
        self.swaps = times;
    }

    /// What is told in place of `events`.
    pub(crate) fn pass(&mut self, events: Vec<Event>) -> Vec<Event> {
        if self.duplicates == 0 && self.swaps == 0 && self.held.is_none() {
            return events;
        }
        let mut told = Vec::with_capacity(events.len() + 1);
        for event in events {
            if self.duplicates > 0 {
                self.duplicates -= 1;
                told.push(event.clone());
            }
            match self.held.take() {
                Some(held) if independent(&held, &event) => told.extend([event, held]),
                Some(held) => told.extend([held, event]),
                None if self.swaps > 0 && matches!(event.body, EventBody::Shared(_)) => {
                    self.swaps -= 1;
                    self.held = Some(event);
                }
                None => told.push(event),
            }
        }
        told
    }

    /// Ends swapping; what was held back must still be told.
    pub(crate) fn release(&mut self) -> Vec<Event> {
        self.swaps = 0;
        self.held.take().into_iter().collect()
    }
}

/// Whether Discord may tell these in either order: they are of two guilds, or are
/// the voice states of two people, or a new channel and a voice state, which other
/// parts of Discord tell of.
fn independent(one: &Event, other: &Event) -> bool {
    if one.guild_id != other.guild_id {
        return true;
    }
    let is_channel = |event: &Event| event.name == "CHANNEL_CREATE";
    match (subject(one), subject(other)) {
        (Some(one), Some(other)) => one != other,
        (Some(_), None) => is_channel(other),
        (None, Some(_)) => is_channel(one),
        (None, None) => false,
    }
}

/// Whose voice state it is.
fn subject(event: &Event) -> Option<Snowflake> {
    #[derive(Deserialize)]
    struct Whose {
        user_id: Snowflake,
    }
    match &event.body {
        EventBody::Shared(body) if event.name == "VOICE_STATE_UPDATE" => {
            Some(serde_json::from_str::<Whose>(body).ok()?.user_id)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::world::Intents;

    fn id(number: u64) -> Snowflake {
        number.to_string().parse().expect("an id")
    }

    fn voice(user: u64, turn: u64) -> Event {
        let data = json!({"user_id": id(user), "turn": turn});
        Event::new("VOICE_STATE_UPDATE", Intents::ALWAYS, id(1), &data)
    }

    fn turns(events: &[Event]) -> Vec<String> {
        let turn = |event: &Event| {
            let EventBody::Shared(body) = &event.body else {
                return String::new();
            };
            let data: serde_json::Value = serde_json::from_str(body).expect("JSON");
            data["turn"].to_string()
        };
        events.iter().map(turn).collect()
    }

    #[test]
    fn two_peoples_events_may_swap_and_one_persons_never_do() {
        let mut delivery = Delivery::default();
        delivery.swap(1);
        assert!(delivery.pass(vec![voice(5, 1)]).is_empty());
        assert_eq!(turns(&delivery.pass(vec![voice(6, 2)])), ["2", "1"]);
        delivery.swap(1);
        let told = delivery.pass(vec![voice(5, 3), voice(5, 4)]);
        assert_eq!(turns(&told), ["3", "4"]);
    }

    #[test]
    fn a_voice_state_may_come_before_its_new_channel_and_not_before_a_changed_one() {
        let channel = |name| Event::new(name, Intents::ALWAYS, id(1), &json!({"turn": 1}));
        let mut delivery = Delivery::default();
        for (name, told) in [
            ("CHANNEL_CREATE", ["2", "1"]),
            ("CHANNEL_UPDATE", ["1", "2"]),
        ] {
            delivery.swap(1);
            assert_eq!(
                turns(&delivery.pass(vec![channel(name), voice(5, 2)])),
                told
            );
        }
    }

    #[test]
    fn an_event_held_back_is_released() {
        let mut delivery = Delivery::default();
        delivery.swap(3);
        assert!(delivery.pass(vec![voice(5, 1)]).is_empty());
        assert_eq!(turns(&delivery.release()), ["1"]);
        assert_eq!(turns(&delivery.pass(vec![voice(5, 2)])), ["2"]);
    }

    #[test]
    fn a_doubled_event_comes_twice_and_the_next_once() {
        let mut delivery = Delivery::default();
        delivery.duplicate(1);
        let told = delivery.pass(vec![voice(5, 1), voice(5, 2)]);
        assert_eq!(turns(&told), ["1", "1", "2"]);
    }
}
