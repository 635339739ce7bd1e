//! How many streams there may be: of one user, and on this instance.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use guildhall_model::UserId;

/// Counts open streams.
#[derive(Clone, Debug)]
pub(crate) struct Limits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    per_user: usize,
    most: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    of: HashMap<UserId, usize>,
}

/// The right to have one stream open; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limits: Limits,
    user: UserId,
}

impl Limits {
    /// At most `per_user` streams of each user and `most` together.
    pub(crate) fn new(per_user: usize, most: usize) -> Self {
        Self(Arc::new(Inner {
            per_user,
            most,
            open: Mutex::default(),
        }))
    }

    /// A place for one more stream, if there is one.
    pub(crate) fn enter(&self, user: UserId) -> Option<Permit> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.0.most {
            return None;
        }
        let of_user = open.of.entry(user).or_default();
        if *of_user >= self.0.per_user {
            return None;
        }
        *of_user += 1;
        open.total += 1;
        metrics::gauge!("guildhall_streams").increment(1);
        Some(Permit {
            limits: self.clone(),
            user,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self
            .limits
            .0
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        metrics::gauge!("guildhall_streams").decrement(1);
        if let Some(of_user) = open.of.get_mut(&self.user) {
            *of_user -= 1;
            if *of_user == 0 {
                open.of.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_the_instance_have_their_limits_and_a_closed_stream_makes_room() {
        let limits = Limits::new(2, 3);
        let (anna, ben) = (UserId(1), UserId(2));
        let first = limits.enter(anna).expect("room");
        let second = limits.enter(anna).expect("room");
        assert!(limits.enter(anna).is_none(), "two of one user");
        let third = limits.enter(ben).expect("others have theirs");
        assert!(limits.enter(ben).is_none(), "three together");
        drop(first);
        let again = limits.enter(anna).expect("a closed stream makes room");
        drop((second, third, again));
        assert_eq!(limits.0.open.lock().expect("unpoisoned").of.len(), 0);
    }
}
