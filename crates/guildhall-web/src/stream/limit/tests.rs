use proptest::prelude::*;

use guildhall_model::UserId;

use super::*;

const LIMIT: ConcurrencyLimits = ConcurrencyLimits {
    together: 5,
    per_user: 2,
    per_address: 3,
};

fn address(host: u8) -> ClientAddress {
    let ip = match host {
        0 => [127, 0, 0, 1],
        _ => [192, 0, 2, host],
    };
    ClientAddress::of(ip.into())
}

#[test]
fn a_user_an_address_and_the_instance_have_their_limits_and_a_closed_stream_makes_room() {
    let (limiter, now) = (
        ConcurrencyLimiter::new(Counted::Streams, LIMIT),
        Instant::now(),
    );
    let enter = |user, host| limiter.acquire(UserId(user), address(host), now);
    let first = enter(1, 1).expect("room");
    let second = enter(1, 2).expect("room");
    assert_eq!(
        enter(1, 2).err(),
        Some(LimitReached::User),
        "two of one user"
    );
    let third = enter(2, 1).expect("others have theirs");
    let fourth = enter(3, 1).expect("others have theirs");
    assert_eq!(
        enter(4, 1).err(),
        Some(LimitReached::Address),
        "three of one address"
    );
    let fifth = enter(4, 2).expect("other addresses have theirs");
    assert_eq!(
        enter(5, 3).err(),
        Some(LimitReached::Together),
        "five together"
    );
    drop(first);
    let again = enter(4, 1).expect("a closed stream makes room");
    drop((second, third, fourth, fifth, again));
    let open = limiter.open();
    assert!(open.of_user.is_empty() && open.of_address.is_empty());
}

#[test]
fn this_machine_is_not_one_address() {
    let limiter = ConcurrencyLimiter::new(Counted::Streams, LIMIT);
    let all: Vec<_> = (0..9)
        .map_while(|user| {
            limiter
                .acquire(UserId(user), address(0), Instant::now())
                .ok()
        })
        .collect();
    assert_eq!(all.len(), LIMIT.together);
}

proptest! {
    /// Somebody with an address comes, or the one who has been there longest but so many goes.
    #[test]
    fn no_limit_is_passed_none_leaks_and_who_is_within_all_is_let_in(
        acts in prop::collection::vec((0_u64..4, 0_u8..4, any::<prop::sample::Index>(), any::<bool>()), 0..60),
    ) {
        let (limiter, now) = (ConcurrencyLimiter::new(Counted::Streams, LIMIT), Instant::now());
        let mut here: Vec<(u64, u8, Permit)> = Vec::new();
        for (user, host, which, comes) in acts {
            if !comes && !here.is_empty() {
                here.remove(which.index(here.len()));
                continue;
            }
            let of_user = here.iter().filter(|(other, ..)| *other == user).count();
            let of_host = here.iter().filter(|(_, other, _)| *other == host).count();
            let within = here.len() < LIMIT.together
                && of_user < LIMIT.per_user
                && (host == 0 || of_host < LIMIT.per_address);
            let entered = limiter.acquire(UserId(user), address(host), now);
            prop_assert_eq!(entered.is_ok(), within);
            here.extend(entered.ok().map(|permit| (user, host, permit)));
        }
        here.clear();
        let open = limiter.open();
        prop_assert_eq!((open.together, open.of_user.len(), open.of_address.len()), (0, 0, 0));
    }
}
