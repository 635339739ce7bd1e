use guildhall_model::{Change, GuildId};
use proptest::{collection::vec, prelude::*};

use super::*;

fn event(guild: u64) -> Event {
    Event {
        guild_id: GuildId(guild),
        ts: 1,
        synthetic: false,
        change: Change::GuildUnavailable,
    }
}

#[test]
fn a_group_is_what_one_cause_did_to_one_guild() {
    let events = [1, 1, 1, 2, 2, 1].map(event);
    let (goes_on, ends) = (true, false);
    assert_eq!(
        groups(&events, &[0, 2, 6]),
        [goes_on, ends, ends, goes_on, ends, ends],
        "the third event's cause told of both guilds"
    );
    assert_eq!(groups(&[], &[0]), Vec::<bool>::new());
}

proptest! {
    #[test]
    fn whatever_one_cause_did_to_a_guild_is_one_group_and_nothing_else_is(
        told in vec((1..3_u64, any::<bool>()), 0..40)
    ) {
        let events: Vec<Event> = told.iter().map(|(guild, _)| event(*guild)).collect();
        // Some causes led to no event, so a place may be noted that is the end.
        let begins = told.iter().enumerate().filter(|(_, (_, begins))| *begins);
        let causes: Vec<usize> = begins.map(|(index, _)| index).chain([told.len()]).collect();
        let more = groups(&events, &causes);
        prop_assert_eq!(more.len(), events.len());
        for (index, more) in more.into_iter().enumerate() {
            let together = told.get(index + 1).is_some_and(|(guild, begins)| {
                !*begins && *guild == told[index].0
            });
            prop_assert_eq!(more, together, "at {}", index);
        }
    }
}

#[test]
fn a_group_is_never_longer_than_a_web_role_takes() {
    let events = vec![event(1); 2 * GROUP_EVENTS + 1];
    let more = groups(&events, &[0]);
    let ends = more.iter().enumerate().filter(|(_, more)| !**more);
    let ends: Vec<usize> = ends.map(|(index, _)| index + 1).collect();
    assert_eq!(ends, [GROUP_EVENTS, 2 * GROUP_EVENTS, 2 * GROUP_EVENTS + 1]);
}
