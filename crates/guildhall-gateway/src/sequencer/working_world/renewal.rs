//! When Discord's session is given up for a fresh one, since the world is not to be trusted.

use std::time::{Duration, Instant};

use guildhall_model::UnixMs;
use guildhall_ports::millis;

/// A fresh session for the sake of one unreadable dispatch, at most this often: it may be
/// unreadable again, and IDENTIFYs are counted.
pub(super) const RENEWALS_APART: Duration = Duration::from_mins(15);

/// The wait before the second session in a row that begins unreadably is given up; then it
/// doubles up to [`RENEWALS_APART`], which is 96 of Discord's 1,000 IDENTIFYs a day.
const SESSION_RENEWAL_FIRST: Duration = Duration::from_secs(30);

/// When a fresh session was asked for, and when the next one is due.
#[derive(Debug)]
pub(super) struct Renewal {
    /// When one was last asked for; kept.
    renewed_at: Option<UnixMs>,
    /// One is wanted, not before this.
    due: Option<Instant>,
    /// Sessions of which the READY could not be read.
    unreadable: UnreadableSessions,
}

/// Sessions of which the READY could not be read.
#[derive(Clone, Copy, Debug, Default)]
struct UnreadableSessions {
    in_a_row: u32,
    /// The connection there is has such a session.
    is_current: bool,
}

impl Renewal {
    pub(super) fn restored(renewed_at: Option<UnixMs>) -> Self {
        Self {
            renewed_at,
            due: None,
            unreadable: UnreadableSessions::default(),
        }
    }

    /// When a fresh session was last asked for.
    pub(super) fn renewed_at(&self) -> Option<UnixMs> {
        self.renewed_at
    }

    /// When one is due, if one is wanted.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether the connection there is has a session that can be given up, though it is not live.
    pub(super) fn is_session_unreadable(&self) -> bool {
        self.unreadable.is_current
    }

    /// The connection is gone: the next one has another session.
    pub(super) fn lost(&mut self) {
        if std::mem::take(&mut self.unreadable.is_current) {
            self.due = None;
        }
    }

    /// A session began that could be read.
    pub(super) fn begun(&mut self) {
        self.unreadable = UnreadableSessions::default();
        self.due = None;
    }

    /// Something could not be read: a fresh session, but not too soon after the last.
    pub(super) fn want(&mut self, now: Instant, wall: UnixMs) {
        let apart = millis(RENEWALS_APART);
        let since = self.renewed_at.map(|at| wall.saturating_sub(at));
        let wait = since.map_or(0, |since| apart.saturating_sub(since));
        let soonest = now + Duration::from_millis(wait);
        self.due.get_or_insert(soonest);
    }

    /// The session that began is one we know nothing of: not which guilds it has, and not how to
    /// resume it. Another one may be better; IDENTIFYs are counted, so each waits longer.
    pub(super) fn session_unreadable(&mut self, now: Instant) {
        let before = self.unreadable.in_a_row;
        self.unreadable.in_a_row = before.saturating_add(1);
        self.unreadable.is_current = true;
        let doubled = 2_u32.saturating_pow(before.saturating_sub(1).min(20));
        let wait = match before {
            0 => Duration::ZERO,
            _ => SESSION_RENEWAL_FIRST.saturating_mul(doubled),
        };
        self.due = Some(now + wait.min(RENEWALS_APART));
    }

    /// Whether to ask for one now; and again later, if none comes of it: there may be too few
    /// IDENTIFYs left.
    pub(super) fn take_due(&mut self, now: Instant, wall: UnixMs) -> bool {
        if self.due.is_none_or(|at| at > now) {
            return false;
        }
        self.renewed_at = Some(wall);
        self.due = Some(now + RENEWALS_APART);
        true
    }
}
