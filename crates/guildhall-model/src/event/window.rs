//! Which records of a guild are kept and counted together.

use super::Change;

/// Which of a guild's records are kept and counted together, with a floor of their own: what is
/// much in one never costs a reader of another what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// All that the reducer applies, rights included. A guild's base stands at its floor.
    World,
}

impl Window {
    /// All there are.
    pub const ALL: [Self; 1] = [Self::World];

    /// The window that keeps a change.
    #[must_use]
    pub fn of(_change: &Change) -> Self {
        Self::World
    }
}
