//! What needs no answer.

use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

use guildhall_model::{ChannelId, Revocation};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// Something that needs no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Web: how many are on the page of each room.
    Viewers {
        /// All of them, or a part.
        table: ViewerTable,
        /// The next such frame goes on with the same table.
        more: bool,
    },
    /// Gateway: what was revoked. Behind the subscription and before everything else all that there
    /// is, then each that is new.
    Revoked {
        /// In any order; of what is there twice the later one counts.
        revocations: Vec<Revocation>,
        /// The next such frame goes on with it.
        more: bool,
    },
    /// Of a kind that this build does not know: counted and passed over.
    Unknown {
        /// The kind.
        kind: String,
    },
}

/// How many streams say that their person is on the page of each room, as one web instance counts
/// them. Rooms that nobody is on are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewerTable {
    /// Whose count it is. A later table of the same instance takes the place of this one.
    pub instance: InstanceId,
    /// The rooms, of all guilds.
    pub rooms: BTreeMap<ChannelId, u32>,
}

/// One process of the web role, over all of its attachments: 1 to 64 visible ASCII characters that
/// it draws at its start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>")]
pub struct InstanceId(String);

/// A text that is no [`InstanceId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an instance is named by 1 to 64 visible ASCII characters")]
pub struct InvalidInstanceId;

impl InstanceId {
    /// The longest, in characters.
    const LONGEST: usize = 64;

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InstanceId {
    type Err = InvalidInstanceId;

    fn from_str(text: &str) -> Result<Self, InvalidInstanceId> {
        let fits = (1..=Self::LONGEST).contains(&text.len());
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let id = || Self(text.to_owned());
        (fits && visible).then(id).ok_or(InvalidInstanceId)
    }
}

impl TryFrom<Cow<'_, str>> for InstanceId {
    type Error = InvalidInstanceId;

    fn try_from(text: Cow<'_, str>) -> Result<Self, InvalidInstanceId> {
        text.parse()
    }
}

/// `{kind, …}`.
impl Serialize for Tell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Data<'a> {
            kind: &'a str,
            #[serde(flatten)]
            table: Option<&'a ViewerTable>,
            #[serde(skip_serializing_if = "Option::is_none")]
            revocations: Option<&'a [Revocation]>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            more: bool,
        }
        let mut data = Data {
            kind: VIEWERS,
            table: None,
            revocations: None,
            more: false,
        };
        match self {
            Self::Viewers { table, more } => {
                data.table = Some(table);
                data.more = *more;
            }
            Self::Revoked { revocations, more } => {
                data.kind = REVOKED;
                data.revocations = Some(revocations);
                data.more = *more;
            }
            Self::Unknown { kind } => data.kind = kind,
        }
        data.serialize(serializer)
    }
}

const VIEWERS: &str = "viewers";
const REVOKED: &str = "revoked";

impl Tell {
    pub(super) fn read(data: &RawValue) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Kind<'a> {
            #[serde(borrow)]
            kind: Cow<'a, str>,
        }
        #[derive(Deserialize)]
        struct Part {
            #[serde(default)]
            more: bool,
        }
        #[derive(Deserialize)]
        struct Revocations {
            revocations: Vec<Revocation>,
        }
        // A kind of a newer peer may mean something else by the other fields.
        let Kind { kind } = serde_json::from_str(data.get())?;
        let is_more = || serde_json::from_str(data.get()).map(|Part { more }| more);
        Ok(match &*kind {
            VIEWERS => Self::Viewers {
                table: serde_json::from_str(data.get())?,
                more: is_more()?,
            },
            REVOKED => {
                let Revocations { revocations } = serde_json::from_str(data.get())?;
                Self::Revoked {
                    revocations,
                    more: is_more()?,
                }
            }
            _ => Self::Unknown {
                kind: kind.chars().take(40).collect(),
            },
        })
    }
}
