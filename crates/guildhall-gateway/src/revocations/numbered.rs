//! KeptRevocations in the order in which they are told, each by a number: an attachment is a number up to
//! which it was told, and nothing waits for it in a queue.

use std::{collections::BTreeMap, collections::BTreeSet};

use guildhall_model::Revocation;
use guildhall_ports::RevocationTable;

use super::RevocationsRead;

/// So many may be here that matter no more before they are looked for.
const SURPLUS: usize = 1_000;

/// Numbers are of this process.
#[derive(Debug, Default)]
pub(super) struct NumberedRevocations {
    by_number: BTreeMap<u64, Revocation>,
    head: u64,
}

impl NumberedRevocations {
    pub(super) fn push(&mut self, revocation: Revocation) {
        self.head += 1;
        self.by_number.insert(self.head, revocation);
    }

    /// The number of the last one there was.
    pub(super) fn head(&self) -> u64 {
        self.head
    }

    /// At most so many after a number.
    pub(super) fn read(&self, after: u64, most: usize) -> RevocationsRead {
        let mut next = self.by_number.range(after.saturating_add(1)..);
        let taken: Vec<_> = next.by_ref().take(most).collect();
        let more = next.next().is_some();
        let last = taken.last().map(|(number, _)| **number);
        RevocationsRead {
            end: last.filter(|_| more).unwrap_or(self.head),
            more,
            revocations: taken.into_iter().map(|(_, it)| it.clone()).collect(),
        }
    }

    /// What the table does not hold need not be told, once that is more than half.
    pub(super) fn forget_but(&mut self, table: &RevocationTable) {
        if self.by_number.len() > 2 * table.len() + SURPLUS {
            let held: BTreeSet<Revocation> = table.iter().collect();
            self.by_number.retain(|_, it| held.contains(it));
        }
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::UserId;

    use super::*;

    fn user(id: u64, not_before: u64) -> Revocation {
        Revocation::User {
            user_id: UserId(id),
            not_before,
        }
    }

    #[test]
    fn it_is_read_in_parts_up_to_the_head() {
        let mut told = NumberedRevocations::default();
        let read = |told: &NumberedRevocations, after, most| {
            let RevocationsRead {
                revocations,
                end,
                more,
            } = told.read(after, most);
            (revocations, end, more)
        };
        assert_eq!(read(&told, 0, 2), (vec![], 0, false));
        (1..=3).for_each(|id| told.push(user(id, 1)));
        assert_eq!(read(&told, 0, 2), (vec![user(1, 1), user(2, 1)], 2, true));
        assert_eq!(read(&told, 2, 2), (vec![user(3, 1)], 3, false));
        assert_eq!(read(&told, 1, 2), (vec![user(2, 1), user(3, 1)], 3, false));
        assert_eq!(read(&told, 3, 2), (vec![], 3, false));
    }

    #[test]
    fn what_matters_no_more_is_forgotten_and_numbers_stay() {
        let (mut told, mut table) = (NumberedRevocations::default(), RevocationTable::default());
        for time in 1..=2 * SURPLUS as u64 {
            told.push(user(1, time));
            table.add(user(1, time));
            told.forget_but(&table);
        }
        assert!(told.by_number.len() <= 2 + SURPLUS);
        let all = told.read(0, usize::MAX);
        assert_eq!(all.revocations.last(), Some(&user(1, 2 * SURPLUS as u64)));
        assert_eq!(all.end, 2 * SURPLUS as u64);
    }
}
