//! Requests that Discord holds against the address: of too many of them everything is shut out.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Discord bans an address for a while at 10,000 answers of 401, 403 or 429 (shared ones apart)
/// in ten minutes; sign-ins and other programs of the same address count with ours.
const WINDOW: Duration = Duration::from_mins(10);
/// Above this many nothing is sent for commands.
pub(super) const COMMANDS: u32 = 5_000;
/// Above this many nobody is looked up either.
pub(super) const LOOK_UPS: u32 = 7_500;
/// They are counted together by this much time.
const SLICE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct InvalidRequests {
    /// When a slice began, and how many fell in it.
    slices: VecDeque<(Instant, u32)>,
}

impl InvalidRequests {
    pub(super) fn count(&mut self, now: Instant) {
        match self.slices.back_mut() {
            Some((begun, count)) if now < *begun + SLICE => *count = count.saturating_add(1),
            _ => self.slices.push_back((now, 1)),
        }
    }

    /// Until when there are too many, if `most` may be.
    pub(super) fn refused_until(&mut self, most: u32, now: Instant) -> Option<Instant> {
        let over = |begun: Instant| begun + SLICE + WINDOW;
        while self
            .slices
            .front()
            .is_some_and(|(begun, _)| over(*begun) <= now)
        {
            self.slices.pop_front();
        }
        let mut count: u32 = self.slices.iter().map(|(_, count)| count).sum();
        let mut until = None;
        for (begun, of_slice) in &self.slices {
            if count < most {
                break;
            }
            count -= of_slice;
            until = Some(over(*begun));
        }
        until
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
mod tests {
    use super::*;

    #[test]
    fn too_many_are_refused_until_enough_of_them_are_ten_minutes_ago() {
        let start = Instant::now();
        let mut invalid = InvalidRequests::default();
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in 0..120 {
            assert_eq!(invalid.refused_until(120, at(second)), None);
            invalid.count(at(second));
        }
        let until = invalid.refused_until(120, at(120)).expect("too many");
        assert_eq!(
            until,
            at(10) + WINDOW,
            "the first ten seconds of them are over"
        );
        assert_eq!(invalid.refused_until(60, at(120)), Some(at(70) + WINDOW));
        assert_eq!(invalid.refused_until(121, at(120)), None);
        assert_eq!(invalid.refused_until(120, until), None);
        assert_eq!(invalid.refused_until(1, at(2_000)), None);
        assert!(invalid.slices.is_empty());
    }
}
