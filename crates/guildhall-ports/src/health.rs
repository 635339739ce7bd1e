//! How a role tells its operator how it is: the lines of `/readyz`.

/// One line of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a word: `discord`, `link`, `world`.
    pub name: &'static str,
    /// How it is.
    pub condition: Condition,
    /// One sentence for the operator: what is so, and if it is not passing, what to do. No
    /// secrets.
    pub detail: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// As it should be.
    Passing,
    /// Serving, with less than everything. Still ready: a load balancer should not take us out.
    Degraded,
    /// Not able to serve: unready.
    Failing,
}

/// Asked at every `/readyz`; answers from memory, at once.
pub trait Health: Send + Sync {
    /// The role's checks, always the same ones in the same order.
    fn checks(&self) -> Vec<Check>;
}
