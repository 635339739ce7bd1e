//! Buckets and the global limit of REST.
//!
//! A bucket is a route together with its top-level resource and its caller. Windows
//! are fixed: they begin with their first request. Whoever proves to be nobody is
//! counted by address, whatever tokens they make up. Beside the buckets, and told by
//! none of their headers, stands what of a channel can be changed only rarely.

use std::{collections::HashMap, hash::Hash, time::Duration};

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{config::RateLimits, snowflake::Snowflake};

#[cfg(test)]
mod tests;

/// Windows kept at once. Beyond it those that are over are forgotten, and if none
/// is, all: a limiter that forgets is better than one that fills memory.
const MOST_WINDOWS: usize = 4096;
/// Addresses whose mistakes are counted at once. Beyond it those are forgotten whose
/// time is over, and then whoever made fewest.
const MOST_ADDRESSES: usize = 4096;

/// Everything counted at present.
pub(crate) struct Limiter {
    limits: RateLimits,
    windows: HashMap<[u8; 16], Window>,
    /// Mistakes by address, apart from what a flood of requests can push out.
    mistakes: HashMap<String, Window>,
    /// Of channels that exist, whoever changed them.
    rare_edits: HashMap<(Snowflake, RareEdit), Window>,
    invalid: u64,
}

/// What of a channel can be changed only a few times in a long while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RareEdit {
    Name,
    Topic,
}

#[derive(Clone, Copy)]
struct Window {
    ends: Instant,
    used: u32,
}

/// What a request is counted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bucket<'a> {
    /// A route together with its resource.
    Usual(&'a str),
    /// The making of roles in a guild, of which there are few in days.
    Roles(&'a str),
}

/// What the limiter says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) refused: Option<RateLimitScope>,
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_after: Duration,
}

/// Whom a 429 is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RateLimitScope {
    User,
    Global,
    /// Of the resource, whoever calls.
    Shared,
}

impl Limiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self {
            limits,
            windows: HashMap::new(),
            mistakes: HashMap::new(),
            rare_edits: HashMap::new(),
            invalid: 0,
        }
    }

    /// Counts one request of `who`, and on a bucket if the route has one.
    pub(crate) fn count(&mut self, who: &str, bucket: Option<Bucket<'_>>, now: Instant) -> Verdict {
        if self.windows.len() >= MOST_WINDOWS {
            self.windows.retain(|_, window| now < window.ends);
            if self.windows.len() >= MOST_WINDOWS {
                self.windows.clear();
            }
        }
        let RateLimits {
            global_requests,
            global_window,
            bucket_requests,
            bucket_window,
            role_requests,
            role_window,
            ..
        } = self.limits;
        let (name, most, length) = match bucket {
            Some(Bucket::Roles(name)) => (Some(name), role_requests, role_window),
            Some(Bucket::Usual(name)) => (Some(name), bucket_requests, bucket_window),
            None => (None, bucket_requests, bucket_window),
        };
        let windows = &mut self.windows;
        let all = take(windows, key(&[who]), global_window, now);
        if all.used > global_requests {
            return Verdict {
                refused: Some(RateLimitScope::Global),
                limit: most,
                remaining: 0,
                reset_after: all.ends.duration_since(now),
            };
        }
        let Window { used, ends } = match name {
            Some(name) => take(windows, key(&[who, name]), length, now),
            None => Window { used: 0, ends: now },
        };
        Verdict {
            refused: (used > most).then_some(RateLimitScope::User),
            limit: most,
            remaining: most.saturating_sub(used),
            reset_after: ends.duration_since(now),
        }
    }

    /// Counts one edit of a channel that changes these; or how long it has to wait, and
    /// then nothing is counted.
    pub(crate) fn count_edit(
        &mut self,
        channel_id: Snowflake,
        edits: &[RareEdit],
        now: Instant,
    ) -> Result<(), Duration> {
        let (most, length) = (self.limits.rename_requests, self.limits.rename_window);
        let windows = &mut self.rare_edits;
        windows.retain(|_, window| now < window.ends);
        let spent = edits
            .iter()
            .filter_map(|edit| windows.get(&(channel_id, *edit)))
            .filter(|window| window.used >= most)
            .map(|window| window.ends.duration_since(now));
        if let Some(wait) = spent.max() {
            return Err(wait);
        }
        for edit in edits {
            take(windows, (channel_id, *edit), length, now);
        }
        Ok(())
    }

    /// Counts one answer that Discord takes for a mistake of the caller.
    pub(crate) fn count_invalid(&mut self, address: &str, now: Instant) {
        self.invalid += 1;
        if self.mistakes.len() >= MOST_ADDRESSES && !self.mistakes.contains_key(address) {
            self.mistakes.retain(|_, window| now < window.ends);
            let fewest = self.mistakes.iter().min_by_key(|(_, window)| window.used);
            if self.mistakes.len() >= MOST_ADDRESSES
                && let Some(fewest) = fewest.map(|(address, _)| address.clone())
            {
                self.mistakes.remove(&fewest);
            }
        }
        let window = self.limits.invalid_window;
        take(&mut self.mistakes, address.to_owned(), window, now);
    }

    /// How long an address with too many of those is shut out.
    pub(crate) fn banned_for(&self, address: &str, now: Instant) -> Option<Duration> {
        let window = self.mistakes.get(address)?;
        let over = window.used >= self.limits.invalid_requests && now < window.ends;
        over.then(|| window.ends.duration_since(now))
    }

    /// Answers of 401, 403 and 429 so far, shared ones left out.
    pub(crate) fn invalid(&self) -> u64 {
        self.invalid
    }

    /// Windows counted at present.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.windows.len() + self.mistakes.len()
    }
}

/// Takes one from a window, which begins if it is over.
fn take<K: Eq + Hash>(
    windows: &mut HashMap<K, Window>,
    key: K,
    length: Duration,
    now: Instant,
) -> Window {
    let begun = Window {
        ends: now + length,
        used: 0,
    };
    let window = windows.entry(key).or_insert(begun);
    if now >= window.ends {
        *window = begun;
    }
    window.used = window.used.saturating_add(1);
    *window
}

/// A short name of fixed length, so that a hostile header cannot fill the table.
pub(crate) fn key(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}
