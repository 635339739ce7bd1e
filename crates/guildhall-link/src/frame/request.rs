//! What a web role asks of the gateway, each time with a deadline, and what it is answered.

use std::{borrow::Cow, time::Duration};

use guildhall_model::{
    Cursor, GuildId, Revocation, UserId,
    command::{CommandDone, CommandError, CommandRequest, CommandResult},
};
use serde::{Deserialize, Serialize, Serializer, de};
use serde_json::value::RawValue;

use super::{AdmitDone, AdmitRequestBody, AdmitResult, Admitted};

/// Something is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Chosen by the web role, one for each request of a connection; repeated in the reply.
    pub id: u64,
    /// So long does the web role wait from when it sent this. Whole milliseconds on the wire. The
    /// gateway answers [`RefusalCode::Deadline`] when it has passed.
    pub deadline: Duration,
    /// What.
    pub body: RequestBody,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// This user is here; make sure that their rights in these guilds are in the log.
    Watch(WatchRequestBody),
    /// Do this in Discord.
    Command(Box<CommandRequest>),
    /// Say what this was answered when it came with its key before, and do nothing. Answered as a
    /// command.
    Repeat(Box<CommandRequest>),
    /// Somebody signs in by an invite.
    Admit(Box<AdmitRequestBody>),
    /// Sessions are over.
    Revoke(Revocation),
    /// Of a kind that this build does not know: answered [`RefusalCode::UnknownKind`].
    Unknown {
        /// The kind.
        kind: String,
    },
    /// Of a known kind, and not to be read: answered [`RefusalCode::Malformed`].
    Malformed,
}

/// Whose rights are wanted where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchRequestBody {
    /// Who.
    pub user_id: UserId,
    /// Where. Guilds that the gateway does not bridge are answered as failed.
    pub guild_ids: Vec<GuildId>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The request.
    pub id: u64,
    /// The answer, or why there is none.
    pub result: Result<ReplyBody, Refusal>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyBody {
    /// To a watch.
    Watched(Watched),
    /// To a command: what came of it. What it says of the log was sent before.
    Command(CommandResult),
    /// To an admission: what came of it. What it says of the log was sent before.
    Admitted(AdmitResult),
    /// To a revocation: it is kept.
    Revoked {
        /// And was before it was asked for.
        known: bool,
    },
    /// Of a kind that this build does not know.
    Unknown,
}

impl ReplyBody {
    /// What it says of the logs is true at these positions: the events up to there are sent before.
    #[must_use]
    pub fn at(&self) -> Option<&Cursor> {
        match self {
            Self::Watched(watched) => Some(&watched.at),
            Self::Command(Ok(done)) => done.at.as_ref(),
            Self::Admitted(Ok(done)) => done.at.as_ref(),
            Self::Command(Err(_))
            | Self::Admitted(Err(_))
            | Self::Revoked { .. }
            | Self::Unknown => None,
        }
    }
}

/// A user is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watched {
    /// Nothing may be sent for this user before the replica has come here: one position for each
    /// log that has some of the guilds.
    pub at: Cursor,
    /// Guilds where the look-up failed: the user is invisible there, ask again later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<GuildId>,
}

/// Why nothing was done, or nobody knows whether it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// In a word, for programs.
    pub code: RefusalCode,
    /// In a sentence, for people. No secrets.
    pub message: String,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The gateway knows no such request.
    UnknownKind,
    /// The request could not be read.
    Malformed,
    /// Its deadline passed before it was done.
    Deadline,
    /// Too many requests of this web role are under way.
    Busy,
    /// A word of a newer gateway.
    #[serde(other)]
    Other,
}

impl RefusalCode {
    /// With its sentence.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        let message = match self {
            Self::UnknownKind => "the gateway knows no such request",
            Self::Malformed => "the request cannot be read",
            Self::Deadline => "the deadline passed before it was done",
            Self::Busy => "too many requests are under way",
            Self::Other => "it was refused",
        };
        Refusal {
            code: self,
            message: message.to_owned(),
        }
    }
}

/// `{kind, deadlineMs, …}`.
impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Data<'a> {
            kind: &'a str,
            deadline_ms: u64,
            #[serde(flatten)]
            watch: Option<&'a WatchRequestBody>,
            #[serde(flatten)]
            command: Option<&'a CommandRequest>,
            #[serde(flatten)]
            admit: Option<&'a AdmitRequestBody>,
            #[serde(skip_serializing_if = "Option::is_none")]
            revocation: Option<&'a Revocation>,
        }
        let deadline_ms = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        let mut data = Data {
            kind: WATCH,
            deadline_ms,
            watch: None,
            command: None,
            admit: None,
            revocation: None,
        };
        match &self.body {
            RequestBody::Watch(watch) => data.watch = Some(watch),
            RequestBody::Command(command) => {
                data.kind = COMMAND;
                data.command = Some(command);
            }
            RequestBody::Repeat(command) => {
                data.kind = REPEAT;
                data.command = Some(command);
            }
            RequestBody::Admit(admit) => {
                data.kind = ADMIT;
                data.admit = Some(admit);
            }
            RequestBody::Revoke(revocation) => {
                data.kind = REVOKE;
                data.revocation = Some(revocation);
            }
            RequestBody::Unknown { kind } => data.kind = kind,
            RequestBody::Malformed => {}
        }
        data.serialize(serializer)
    }
}

/// `{kind, …}`, or `{error: {code, message}}`. To a command `done` or `failed`, to an admission
/// `admitted` or `failed`.
impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Data<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            kind: Option<&'static str>,
            #[serde(flatten)]
            watched: Option<&'a Watched>,
            #[serde(skip_serializing_if = "Option::is_none")]
            done: Option<&'a CommandDone>,
            #[serde(skip_serializing_if = "Option::is_none")]
            admitted: Option<Admitted>,
            #[serde(skip_serializing_if = "Option::is_none")]
            at: Option<&'a Cursor>,
            #[serde(skip_serializing_if = "Option::is_none")]
            failed: Option<&'a CommandError>,
            #[serde(skip_serializing_if = "Option::is_none")]
            known: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a Refusal>,
        }
        let mut data = Data {
            kind: None,
            watched: None,
            done: None,
            admitted: None,
            at: None,
            failed: None,
            known: None,
            error: None,
        };
        match &self.result {
            Ok(ReplyBody::Watched(watched)) => {
                data.kind = Some(WATCH);
                data.watched = Some(watched);
            }
            Ok(ReplyBody::Command(result)) => {
                data.kind = Some(COMMAND);
                data.done = result.as_ref().ok();
                data.failed = result.as_ref().err();
            }
            Ok(ReplyBody::Admitted(result)) => {
                data.kind = Some(ADMIT);
                let done = result.as_ref().ok();
                data.admitted = done.map(|done| done.admitted);
                data.at = done.and_then(|done| done.at.as_ref());
                data.failed = result.as_ref().err();
            }
            Ok(ReplyBody::Revoked { known }) => {
                data.kind = Some(REVOKE);
                data.known = Some(*known);
            }
            Ok(ReplyBody::Unknown) => data.kind = Some("unknown"),
            Err(refusal) => data.error = Some(refusal),
        }
        data.serialize(serializer)
    }
}

const WATCH: &str = "watch";
const COMMAND: &str = "command";
const REPEAT: &str = "repeat";
const ADMIT: &str = "admit";
const REVOKE: &str = "revoke";

impl Request {
    /// Total but for the envelope: what is asked and cannot be read is to be answered, too.
    pub(super) fn read(id: u64, data: &RawValue) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data<'a> {
            #[serde(borrow)]
            kind: Cow<'a, str>,
            deadline_ms: u64,
        }
        let Data { kind, deadline_ms } = serde_json::from_str(data.get())?;
        let body =
            match &*kind {
                WATCH => serde_json::from_str(data.get())
                    .map_or(RequestBody::Malformed, RequestBody::Watch),
                COMMAND => serde_json::from_str(data.get())
                    .map_or(RequestBody::Malformed, RequestBody::Command),
                REPEAT => serde_json::from_str(data.get())
                    .map_or(RequestBody::Malformed, RequestBody::Repeat),
                ADMIT => AdmitRequestBody::read(data).map_or(RequestBody::Malformed, |admit| {
                    RequestBody::Admit(Box::new(admit))
                }),
                REVOKE => revocation_of(data).map_or(RequestBody::Malformed, RequestBody::Revoke),
                _ => RequestBody::Unknown {
                    kind: kind.chars().take(40).collect(),
                },
            };
        Ok(Self {
            id,
            deadline: Duration::from_millis(deadline_ms),
            body,
        })
    }
}

impl Reply {
    pub(super) fn read(id: u64, data: &RawValue) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Data<'a> {
            #[serde(default, borrow)]
            kind: Option<Cow<'a, str>>,
            #[serde(default)]
            error: Option<Refusal>,
            #[serde(default)]
            known: Option<bool>,
        }
        let Data { kind, error, known } = serde_json::from_str(data.get())?;
        let result = match (kind.as_deref(), error) {
            (_, Some(refusal)) => Err(refusal),
            (Some(WATCH), None) => Ok(ReplyBody::Watched(serde_json::from_str(data.get())?)),
            (Some(COMMAND), None) => Ok(ReplyBody::Command(command_result(data)?)),
            (Some(ADMIT), None) => Ok(ReplyBody::Admitted(admit_result(data)?)),
            // A gateway of an earlier release does not say it. What is good once it may have had before.
            (Some(REVOKE), None) => Ok(ReplyBody::Revoked {
                known: known.unwrap_or(true),
            }),
            (Some(_), None) => Ok(ReplyBody::Unknown),
            (None, None) => return Err(de::Error::missing_field("kind")),
        };
        Ok(Self { id, result })
    }
}

fn revocation_of(data: &RawValue) -> Result<Revocation, serde_json::Error> {
    #[derive(Deserialize)]
    struct Data {
        revocation: Revocation,
    }
    let Data { revocation } = serde_json::from_str(data.get())?;
    Ok(revocation)
}

fn admit_result(data: &RawValue) -> Result<AdmitResult, serde_json::Error> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(default)]
        admitted: Option<Admitted>,
        #[serde(default)]
        at: Option<Cursor>,
        #[serde(default)]
        failed: Option<CommandError>,
    }
    let Data {
        admitted,
        at,
        failed,
    } = serde_json::from_str(data.get())?;
    match (admitted, failed) {
        (_, Some(failed)) => Ok(Err(failed)),
        (Some(admitted), None) => Ok(Ok(AdmitDone { admitted, at })),
        (None, None) => Err(de::Error::missing_field("admitted")),
    }
}

fn command_result(data: &RawValue) -> Result<CommandResult, serde_json::Error> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(default)]
        done: Option<CommandDone>,
        #[serde(default)]
        failed: Option<CommandError>,
    }
    let Data { done, failed } = serde_json::from_str(data.get())?;
    match (done, failed) {
        (_, Some(failed)) => Ok(Err(failed)),
        (Some(done), None) => Ok(Ok(done)),
        (None, None) => Err(de::Error::missing_field("done")),
    }
}
