//! Somebody who signs in by an invite: whether it is good, and letting them into its guild.

use std::fmt;

use guildhall_model::{
    Cursor, UserId,
    command::{CommandError, InviteToken},
};
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

/// What came of it, and where the log says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmitDone {
    /// What.
    pub admitted: Admitted,
    /// Whoever has read up to here knows them as a member. `None`: nobody was let in, or it is not
    /// known yet.
    pub at: Option<Cursor>,
}

/// What came of it, in a word.
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
pub type AdmitResult = Result<AdmitDone, CommandError>;

impl Admitted {
    /// The answer that says so, and nothing of the log.
    #[must_use]
    pub fn answer(self) -> AdmitDone {
        AdmitDone {
            admitted: self,
            at: None,
        }
    }
}

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
