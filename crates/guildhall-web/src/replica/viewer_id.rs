//! Whose eyes a guild is seen with.

use std::fmt;

use guildhall_model::UserId;

/// Who is shown something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ViewerId {
    /// A Discord user, by the rights that they have been looked up with.
    Person(UserId),
    /// The bot itself, which sees every room that Discord shows it and is looked up nowhere: a
    /// program of whoever runs this.
    Bot,
}

impl ViewerId {
    /// The user, where it is one.
    pub(crate) fn person(self) -> Option<UserId> {
        match self {
            Self::Person(user) => Some(user),
            Self::Bot => None,
        }
    }

    /// Whether it is this user.
    pub(crate) fn is(self, user: UserId) -> bool {
        self.person() == Some(user)
    }
}

impl From<UserId> for ViewerId {
    fn from(user: UserId) -> Self {
        Self::Person(user)
    }
}

/// For logs: a user's id, or `bot`.
impl fmt::Display for ViewerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(user) => user.fmt(f),
            Self::Bot => f.write_str("bot"),
        }
    }
}
