//! Reading on several processors.

use std::{
    collections::VecDeque,
    num::NonZero,
    panic::resume_unwind,
    thread::{Scope, ScopedJoinHandle, available_parallelism},
};

use crate::sqlite::file::StorageError;

/// Work done on the other processors, in pieces, and put together in the order in which it was
/// given: of reading a journal, half is JSON.
pub(super) struct Parallel<'scope, 'env, T> {
    scope: &'scope Scope<'scope, 'env>,
    at_most: usize,
    under_way: VecDeque<ScopedJoinHandle<'scope, Result<Vec<T>, StorageError>>>,
    done: Vec<T>,
}

impl<'scope, 'env, T: Send + 'scope> Parallel<'scope, 'env, T> {
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>) -> Self {
        Self {
            scope,
            at_most: available_parallelism().map_or(1, NonZero::get),
            under_way: VecDeque::new(),
            done: Vec::new(),
        }
    }

    /// Waits while as many pieces are under way as there are processors.
    pub(super) fn take(
        &mut self,
        piece: impl FnOnce() -> Result<Vec<T>, StorageError> + Send + 'scope,
    ) -> Result<(), StorageError> {
        if self.under_way.len() >= self.at_most {
            self.wait()?;
        }
        self.under_way.push_back(self.scope.spawn(piece));
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Vec<T>, StorageError> {
        while !self.under_way.is_empty() {
            self.wait()?;
        }
        Ok(self.done)
    }

    fn wait(&mut self) -> Result<(), StorageError> {
        if let Some(oldest) = self.under_way.pop_front() {
            let piece = oldest.join().unwrap_or_else(|panic| resume_unwind(panic));
            self.done.append(&mut piece?);
        }
        Ok(())
    }
}
