use proptest::prelude::*;

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Asks, and is told that it was invalid.
fn false_call(budget: &Budget, from: &str, now: Instant) -> Result<(), Refusal> {
    budget.reserve(Some(address(from)), now)?.charge(now);
    Ok(())
}

fn honest_call(budget: &Budget, from: &str, now: Instant) -> Result<(), Refusal> {
    budget.reserve(Some(address(from)), now)?.answered();
    Ok(())
}

#[tokio::test]
async fn people_whom_discord_knows_spend_nothing() {
    let (budget, now) = (Budget::default(), Instant::now());
    for _ in 0..10_000 {
        assert_eq!(honest_call(&budget, "203.0.113.7", now), Ok(()));
    }
}

#[tokio::test]
async fn one_address_has_its_share_and_others_go_on() {
    let (budget, now) = (Budget::default(), Instant::now());
    let made = (0..1_000).filter(|_| false_call(&budget, "203.0.113.7", now).is_ok());
    assert_eq!(made.count(), ADDRESS_PER_MINUTE as usize);
    let refused = honest_call(&budget, "203.0.113.7", now).expect_err("the share is spent");
    assert_eq!(refused.by, Limit::Address);
    assert_eq!(refused.wait, Duration::from_secs(1), "one share comes back");
    assert_eq!(honest_call(&budget, "203.0.113.8", now), Ok(()));
    assert_eq!(
        honest_call(&budget, "203.0.113.7", now + refused.wait),
        Ok(())
    );
}

#[tokio::test]
async fn who_hangs_up_before_the_answer_has_spent_it() {
    let (budget, now) = (Budget::default(), Instant::now());
    let made = (0..1_000).filter(|_| {
        budget
            .reserve(Some(address("203.0.113.7")), now)
            .map(drop)
            .is_ok()
    });
    assert!(made.count() <= ADDRESS_PER_MINUTE as usize);
}

#[tokio::test]
async fn nobody_asks_before_discord_lets_us() {
    let (budget, now) = (Budget::default(), Instant::now());
    assert!(budget.pause(Duration::from_secs(7), now));
    assert!(
        !budget.pause(Duration::from_secs(2), now),
        "no news, and no shorter"
    );
    let refused = budget.reserve(None, now).expect_err("it is paused");
    assert_eq!(
        (refused.by, refused.wait),
        (Limit::Discord, Duration::from_secs(7))
    );
    assert!(budget.reserve(None, now + refused.wait).is_ok());
    budget.pause(Duration::MAX, now);
    assert!(budget.reserve(None, now + PAUSE_MAX).is_ok());
}

proptest! {
    /// Whatever is asked by whom and when: Discord hears at most the budget of ten minutes and
    /// the minute that may be saved up, and the memory stays bounded.
    #[test]
    fn ten_minutes_never_hold_more_than_a_fraction_of_what_discord_allows(
        calls in prop::collection::vec((0_u32..2_000, 0_u64..2_000, 0_u8..4), 0..6_000),
    ) {
        let (budget, begin) = (Budget::default(), Instant::now());
        let (mut now, mut held, mut invalid) = (begin, Vec::new(), 0_u32);
        for (from, after, act) in calls {
            now += Duration::from_millis(after / 10);
            let from = IpAddr::V4(std::net::Ipv4Addr::from_bits(from));
            let Ok(mut reservation) = budget.reserve(Some(from), now) else {
                continue;
            };
            match act {
                0 => reservation.answered(),
                1 if held.len() < 32 => held.push(reservation),
                _ => {
                    reservation.charge(now);
                    invalid += 1;
                }
            }
            if act == 2 && let Some(mut held) = held.pop() {
                held.charge(now);
                invalid += 1;
            }
        }
        let minutes = u32::try_from((now - begin).as_secs() / 60).expect("few") + 2;
        prop_assert!(invalid <= PROCESS_PER_MINUTE * minutes, "{invalid} in {minutes} min");
        let kept = budget.lock().addresses.len();
        prop_assert!(kept <= ADDRESSES_MAX + PROCESS_PER_MINUTE as usize, "{kept} addresses");
    }
}
