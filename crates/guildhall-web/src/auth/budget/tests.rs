use futures_util::FutureExt;
use guildhall_ports::memory::MemoryRateLimiter;
use proptest::prelude::*;

use super::*;

fn budget() -> LoginBudget {
    LoginBudget::new(Arc::new(MemoryRateLimiter::default()))
}

/// In memory nothing is waited for.
fn reserve(
    budget: &LoginBudget,
    address: Option<IpAddr>,
    now: Instant,
) -> Result<Reservation, BudgetRefusal> {
    let reserved = budget.reserve(address, now).now_or_never();
    reserved.expect("an answer at once")
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Asks, and is told that it was invalid.
fn false_call(budget: &LoginBudget, from: &str, now: Instant) -> Result<(), BudgetRefusal> {
    reserve(budget, Some(address(from)), now)?.charge(now);
    Ok(())
}

fn honest_call(budget: &LoginBudget, from: &str, now: Instant) -> Result<(), BudgetRefusal> {
    reserve(budget, Some(address(from)), now)?.answered();
    Ok(())
}

#[tokio::test]
async fn people_whom_discord_knows_spend_nothing() {
    let (budget, now) = (budget(), Instant::now());
    for _ in 0..10_000 {
        assert_eq!(honest_call(&budget, "203.0.113.7", now), Ok(()));
    }
}

#[tokio::test]
async fn one_address_has_its_share_and_others_go_on() {
    let (budget, now) = (budget(), Instant::now());
    let made = (0..1_000).filter(|_| false_call(&budget, "203.0.113.7", now).is_ok());
    assert_eq!(made.count(), ADDRESS_PER_MINUTE as usize);
    let refused = honest_call(&budget, "203.0.113.7", now).expect_err("the share is spent");
    assert_eq!(refused.by, LimitedBy::Address);
    assert_eq!(refused.wait, Duration::from_secs(1), "one share comes back");
    assert_eq!(honest_call(&budget, "203.0.113.8", now), Ok(()));
    assert_eq!(
        honest_call(&budget, "203.0.113.7", now + refused.wait),
        Ok(())
    );
}

/// The nth /64 of a /48.
fn network(site: u16, n: u16) -> String {
    format!("2001:db8:{site:x}:{n:x}::")
}

#[tokio::test]
async fn one_person_with_all_of_a_48_leaves_room_for_others() {
    let (budget, now) = (budget(), Instant::now());
    let made = (0..1_000).filter(|n| false_call(&budget, &network(7, *n), now).is_ok());
    assert_eq!(made.count(), SITE_PER_MINUTE as usize);
    let refused = honest_call(&budget, &network(7, 2_000), now).expect_err("the share is spent");
    assert_eq!(refused.by, LimitedBy::Address);
    for from in ["203.0.113.8", "2001:db8:8::"] {
        assert_eq!(honest_call(&budget, from, now), Ok(()), "{from}");
    }
}

#[tokio::test]
async fn a_network_of_a_48_has_its_own_share_and_its_neighbours_go_on() {
    let (budget, now) = (budget(), Instant::now());
    let made = (0..1_000).filter(|_| false_call(&budget, &network(7, 0), now).is_ok());
    assert_eq!(made.count(), ADDRESS_PER_MINUTE as usize);
    assert_eq!(honest_call(&budget, &network(7, 1), now), Ok(()));
}

#[tokio::test]
async fn people_from_elsewhere_sign_in_while_many_sites_send_false_codes() {
    let (budget, mut now) = (budget(), Instant::now());
    let mut made = 0;
    for n in 0..600 {
        for site in 0..20 {
            made += u32::from(false_call(&budget, &network(site, n), now).is_ok());
        }
        assert_eq!(honest_call(&budget, "203.0.113.8", now), Ok(()));
        now += Duration::from_secs(1);
    }
    assert!(made <= PROCESS_PER_MINUTE * 11, "{made}");
    assert!(made > PROCESS_PER_MINUTE * 9, "{made}");
}

#[tokio::test]
async fn who_hangs_up_before_the_answer_has_spent_it() {
    let (budget, now) = (budget(), Instant::now());
    let made = (0..1_000).filter(|_| {
        reserve(&budget, Some(address("203.0.113.7")), now)
            .map(drop)
            .is_ok()
    });
    assert!(made.count() <= ADDRESS_PER_MINUTE as usize);
}

#[tokio::test]
async fn nobody_asks_before_discord_lets_us() {
    let (budget, now) = (budget(), Instant::now());
    assert!(budget.pause(Duration::from_secs(7), now));
    assert!(
        !budget.pause(Duration::from_secs(2), now),
        "no news, and no shorter"
    );
    let refused = reserve(&budget, None, now).expect_err("it is paused");
    assert_eq!(
        (refused.by, refused.wait),
        (LimitedBy::Discord, Duration::from_secs(7))
    );
    assert!(reserve(&budget, None, now + refused.wait).is_ok());
    budget.pause(Duration::MAX, now);
    assert!(reserve(&budget, None, now + PAUSE_MAX).is_ok());
}

proptest! {
    /// Whatever is asked by whom and when: Discord hears at most the budget of ten minutes and
    /// the minute that may be saved up, and the memory stays bounded.
    #[test]
    fn ten_minutes_never_hold_more_than_a_fraction_of_what_discord_allows(
        calls in prop::collection::vec((0_u16..2_000, 0_u64..2_000, 0_u8..4), 0..6_000),
    ) {
        let (budget, begin) = (budget(), Instant::now());
        let (mut now, mut held, mut invalid) = (begin, Vec::new(), 0_u32);
        for (from, after, act) in calls {
            now += Duration::from_millis(after / 10);
            let from = match from % 2 {
                0 => IpAddr::V4(std::net::Ipv4Addr::from_bits(from.into())),
                _ => address(&network(from % 100, from)),
            };
            let Ok(mut reservation) = reserve(&budget, Some(from), now) else {
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
        let kept = budget.lately().charged.len();
        prop_assert!(kept <= CHARGED_MAX + 2 * PROCESS_PER_MINUTE as usize, "{kept} networks");
    }
}
