//! Somebody who signs in by an invite: whether it is good, and letting them into its guild.

use std::fmt;

use guildhall_model::{UserId, command::CommandError, command::InviteToken};
use serde::{Deserialize, Serialize, de};
use serde_json::value::RawValue;

/// Whom an invite is to let into its guild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdmitRequestBody {
    /// The invite: it names the guild.
    pub invite: InviteToken,
    /// Who has come. `None`: it is only asked whether the invite is good, since nobody knows yet
    /// who will.
    #[serde(flatten)]
    pub newcomer: Option<Newcomer>,
}

/// Somebody who agreed to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Newcomer {
    /// Who.
    pub user_id: UserId,
    /// What Discord gave for their consent (`guilds.join`).
    pub access_token: AccessToken,
}

/// A token of Discord's that speaks for somebody. `Debug` tells nothing of it, and nobody keeps it:
/// it is dropped once the request was answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessToken(String);

impl AccessToken {
    /// As Discord gave it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for Discord alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Admitted {
    /// The invite is good; nobody was let in.
    Valid,
    /// They are a member now.
    Added,
    /// They were one before.
    Already,
}

/// What an admission is answered.
pub type AdmitResult = Result<Admitted, CommandError>;

impl AdmitRequestBody {
    pub(super) fn read(data: &RawValue) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            invite: InviteToken,
            #[serde(default)]
            user_id: Option<UserId>,
            #[serde(default)]
            access_token: Option<AccessToken>,
        }
        let Data {
            invite,
            user_id,
            access_token,
        } = serde_json::from_str(data.get())?;
        let newcomer = match (user_id, access_token) {
            (Some(user_id), Some(access_token)) => Some(Newcomer {
                user_id,
                access_token,
            }),
            (None, None) => None,
            (None, Some(_)) => return Err(de::Error::missing_field("userId")),
            (Some(_), None) => return Err(de::Error::missing_field("accessToken")),
        };
        Ok(Self { invite, newcomer })
    }
}
