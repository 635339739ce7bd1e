use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;

fn ip(host: u8) -> IpAddr {
    [192, 0, 2, host].into()
}

/// The connection's task looks at it.
fn look(permit: &ConnectionPermit) {
    let closing = permit.told_to_close().now_or_never();
    assert_eq!(closing.is_some(), permit.is_closing());
}

/// A connection that has been looked at and says nothing.
fn silent(connections: &Connections, host: u8) -> Result<ConnectionPermit, ConnectionLimit> {
    let permit = connections.admit(ip(host), AddressBound::Applies)?;
    look(&permit);
    Ok(permit)
}

#[test]
fn the_one_that_waits_longest_goes_first_and_one_in_use_never() {
    let connections = Connections::new("test", 3, 3);
    let in_use = silent(&connections, 1).expect("room");
    let oldest = silent(&connections, 2).expect("room");
    let older = silent(&connections, 3).expect("room");
    in_use.set_busy();
    // It asked and was answered: it begins to wait anew.
    oldest.set_busy();
    oldest.set_idle();
    let new = silent(&connections, 4).expect("room is made");
    assert!(older.is_closing() && !oldest.is_closing() && !in_use.is_closing());
    new.set_busy();
    oldest.set_busy();
    assert_eq!(silent(&connections, 5).err(), Some(ConnectionLimit::Total));
    drop(in_use);
    assert!(silent(&connections, 5).is_ok(), "who left makes room");
}

#[test]
fn what_a_new_one_has_sent_is_looked_at_before_it_may_go() {
    let connections = Connections::new("test", 1, 1);
    let new = connections
        .admit(ip(1), AddressBound::Applies)
        .expect("room");
    assert_eq!(silent(&connections, 2).err(), Some(ConnectionLimit::Total));
    look(&new);
    assert!(silent(&connections, 2).is_ok() && new.is_closing());
}

#[test]
fn an_unread_answer_goes_after_those_who_wait_for_nothing() {
    let connections = Connections::new("test", 2, 2);
    let unread = silent(&connections, 1).expect("room");
    let waits = silent(&connections, 1).expect("room");
    unread.set_unread(true);
    let third = silent(&connections, 1).expect("room is made");
    assert!(waits.is_closing() && !unread.is_closing());
    third.set_busy();
    let fourth = silent(&connections, 2).expect("room is made");
    assert!(unread.is_closing() && !fourth.is_closing());
}

#[test]
fn an_address_that_has_enough_closes_its_own() {
    let connections = Connections::new("test", 9, 2);
    let other = silent(&connections, 1).expect("room");
    let own = [silent(&connections, 2), silent(&connections, 2)].map(|it| it.expect("room"));
    let third = silent(&connections, 2).expect("room is made");
    assert!(own[0].is_closing() && !other.is_closing());
    own[1].set_busy();
    third.set_busy();
    assert_eq!(
        silent(&connections, 2).err(),
        Some(ConnectionLimit::PerAddress)
    );
    let proxy = connections.admit(ip(2), AddressBound::Exempt);
    assert!(proxy.is_ok(), "a proxy speaks for many");
}

#[test]
fn a_request_that_comes_before_the_end_is_answered() {
    let connections = Connections::new("test", 1, 1);
    let first = silent(&connections, 1).expect("room");
    let second = silent(&connections, 2).expect("room is made");
    first.set_busy();
    assert!(!first.is_closing());
    second.set_busy();
    assert_eq!(silent(&connections, 3).err(), Some(ConnectionLimit::Total));
    drop((first, second));
    let open = connections.open();
    assert_eq!((open.total, open.closing), (0, 0));
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Comes(u8),
    Attended,
    Asks,
    Answered,
    Unread(bool),
    Goes,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0_u8..4).prop_map(Act::Comes),
        2 => Just(Act::Attended),
        2 => Just(Act::Asks),
        2 => Just(Act::Answered),
        1 => any::<bool>().prop_map(Act::Unread),
        1 => Just(Act::Goes),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Is {
    New,
    Busy,
    Waiting,
}

proptest! {
    #[test]
    fn one_in_use_is_never_closed_a_place_is_found_while_one_waits_and_none_leaks(
        acts in prop::collection::vec((act(), any::<prop::sample::Index>()), 0..80),
    ) {
        const MOST: usize = 4;
        const OF_ADDRESS: usize = 2;
        let connections = Connections::new("test", MOST, OF_ADDRESS);
        let mut here: Vec<(ConnectionPermit, Is)> = Vec::new();
        for (act, which) in acts {
            if let Act::Comes(host) = act {
                let counted: Vec<_> = here.iter().filter(|(permit, _)| !permit.is_closing()).collect();
                let of_address = counted.iter().filter(|(permit, _)| permit.address == ip(host));
                let own = of_address.clone().count();
                let own_waits = of_address.clone().any(|(_, is)| *is == Is::Waiting);
                let waiting = counted.iter().filter(|(_, is)| *is == Is::Waiting).count();
                // An address with enough closes one of its own, which is one for the others too.
                let own_closed = usize::from(own >= OF_ADDRESS && own_waits);
                let full = counted.len() - own_closed >= MOST && waiting == own_closed;
                let permit = connections.admit(ip(host), AddressBound::Applies);
                if own >= OF_ADDRESS && !own_waits {
                    prop_assert_eq!(permit.err(), Some(ConnectionLimit::PerAddress));
                } else if full {
                    prop_assert_eq!(permit.err(), Some(ConnectionLimit::Total));
                } else {
                    here.push((permit.expect("somebody made room"), Is::New));
                }
            } else if !here.is_empty() {
                let which = which.index(here.len());
                let (permit, is) = &mut here[which];
                match (act, *is) {
                    (Act::Attended, Is::New) => {
                        look(permit);
                        *is = Is::Waiting;
                    }
                    (Act::Asks, Is::New | Is::Waiting) => {
                        permit.set_busy();
                        *is = Is::Busy;
                    }
                    (Act::Answered, Is::Busy) => {
                        permit.set_idle();
                        *is = Is::Waiting;
                    }
                    (Act::Unread(unread), _) => permit.set_unread(unread),
                    (Act::Goes, _) => drop(here.remove(which)),
                    _ => {}
                }
            }
            for (permit, is) in &here {
                prop_assert!(*is == Is::Waiting || !permit.is_closing(), "one in use is not closed");
            }
            let open = connections.open();
            prop_assert_eq!(open.total + open.closing, here.len());
            let waiting = here.iter().filter(|(permit, is)| *is == Is::Waiting && !permit.is_closing());
            prop_assert_eq!(connections.0.idle.load(SeqCst), waiting.count());
        }
        here.clear();
        let open = connections.open();
        prop_assert!(open.total == 0 && open.closing == 0 && open.of.is_empty());
    }
}
