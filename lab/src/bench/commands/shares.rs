//! Who got how much of what there was for all.

/// What each may have of `available`, if nobody gets more than they asked for and what one leaves is
/// shared by the others (max-min fairness).
pub(super) fn fair_shares(asked: &[u64], available: u64) -> Vec<f64> {
    let mut by_demand: Vec<usize> = (0..asked.len()).collect();
    by_demand.sort_by_key(|person| asked[*person]);
    let mut shares = vec![0.0; asked.len()];
    let mut left = float(available);
    for (served, person) in by_demand.into_iter().enumerate() {
        let equal = left / float((asked.len() - served) as u64);
        shares[person] = equal.min(float(asked[person]));
        left -= shares[person];
    }
    shares
}

/// Least, middle and most of some counts; `None` without any.
pub(super) fn least_middle_most(counts: &[u64]) -> Option<[u64; 3]> {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let middle = *sorted.get(sorted.len() / 2)?;
    Some([*sorted.first()?, middle, *sorted.last()?])
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_shares(asked: &[u64], available: u64, expected: &[f64]) {
        let shares = fair_shares(asked, available);
        let close = |(share, expected): (&f64, &f64)| (share - expected).abs() < 1e-9;
        assert_eq!(shares.len(), expected.len());
        assert!(shares.iter().zip(expected).all(close), "{shares:?}");
    }

    #[test]
    fn with_enough_for_all_everybody_gets_what_they_asked_for() {
        assert_shares(&[5, 1, 2], 100, &[5.0, 1.0, 2.0]);
    }

    #[test]
    fn who_asks_for_more_gets_no_more_than_others_who_want_more() {
        assert_shares(&[1_000, 10, 10, 10], 20, &[5.0; 4]);
    }

    #[test]
    fn what_the_modest_leave_is_shared_by_the_others() {
        assert_shares(&[100, 2, 100], 22, &[10.0, 2.0, 10.0]);
        assert_shares(&[100, 1, 1], 22, &[20.0, 1.0, 1.0]);
    }

    #[test]
    fn nobody_has_no_shares() {
        assert_shares(&[], 5, &[]);
        assert_eq!(least_middle_most(&[]), None);
        assert_eq!(least_middle_most(&[3, 9, 1, 4]), Some([1, 4, 9]));
    }
}
