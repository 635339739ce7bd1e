//! What a command is answered. Whoever gave one that was not refused may know how far it is, what they
//! named themselves, and what was made for them: nothing else is said.

use guildhall_model::{
    ChannelId, Cursor, GuildId, UnixMs,
    command::{CommandDone, InviteToken, Made, Outcome},
};
use serde::Serialize;

use super::Visible;
use crate::{auth::MadeOverlayLink, http::PublicLinks};

/// What a command was about, for its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommandSubject<'a> {
    /// Where.
    pub(crate) guild_id: GuildId,
    /// The room that it named.
    pub(crate) channel_id: Option<ChannelId>,
    /// What people are given to open.
    pub(crate) links: &'a PublicLinks,
}

impl CommandSubject<'_> {
    fn room_url(&self, channel_id: ChannelId) -> String {
        self.links.room(self.guild_id, channel_id)
    }
}

/// The answer to one kind of command.
pub(crate) trait CommandAnswer: Serialize + Sized {
    /// `None`: the gateway did not say what belongs to it.
    fn of(done: CommandDone, subject: CommandSubject<'_>) -> Option<Visible<Self>>;
}

/// How far a command is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct CommandOutcome {
    outcome: OutcomeWord,
    /// With `queued`: when it is tried again, Unix ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>, nullable = false))]
    done_at: Option<UnixMs>,
    /// With `waiting`: until when, Unix ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>, nullable = false))]
    until: Option<UnixMs>,
    /// With `waiting`: where the person comes into voice, in Discord's own client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    discord_url: Option<String>,
    /// The cursor behind what it did: a stream that has come there has shown it, to whoever sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, nullable = false))]
    position: Option<Cursor>,
}

/// A room that was made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct CreatedRoom {
    outcome: OutcomeWord,
    /// The room.
    channel_id: ChannelId,
    /// The same in Discord's own client.
    discord_url: String,
    /// The cursor behind it: a stream that has come there has shown it, to whoever sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, nullable = false))]
    position: Option<Cursor>,
}

/// An invite that was made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct CreatedInvite {
    outcome: OutcomeWord,
    /// Whoever has it may come in.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    token: InviteToken,
    /// The page that takes it.
    url: String,
    /// From then on it is worth nothing, Unix ms.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    expires_at: UnixMs,
}

/// An overlay link that was made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct CreatedOverlayLink {
    outcome: OutcomeWord,
    /// By which it is revoked. It opens nothing.
    id: String,
    /// Whoever has it sees the room: as `overlay` in a stream's query.
    token: String,
    /// The page that shows the room.
    url: String,
    /// From then on it is worth nothing, Unix ms.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    expires_at: UnixMs,
}

/// A room that somebody comes into by an invite.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct JoinedRoom {
    outcome: OutcomeWord,
    /// The room.
    channel_id: ChannelId,
    /// The same in Discord's own client: with `waiting`, where they come into voice.
    discord_url: String,
    /// With `waiting`: until when, Unix ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>, nullable = false))]
    until: Option<UnixMs>,
    /// With `queued`: when it is tried again, Unix ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>, nullable = false))]
    done_at: Option<UnixMs>,
    /// The cursor behind what it did: a stream that has come there shows the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, nullable = false))]
    position: Option<Cursor>,
}

/// How far, in a word.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
enum OutcomeWord {
    /// Discord has done it.
    Done,
    /// Discord makes it wait.
    Queued,
    /// The person is not in voice; it is done once they are.
    Waiting,
}

/// An outcome as it is said: the word, and its times (`done_at`, `until`).
fn said(outcome: Outcome) -> (OutcomeWord, Option<UnixMs>, Option<UnixMs>) {
    match outcome {
        Outcome::Done => (OutcomeWord::Done, None, None),
        Outcome::Queued { done_at } => (OutcomeWord::Queued, Some(done_at), None),
        Outcome::Waiting { until } => (OutcomeWord::Waiting, None, Some(until)),
    }
}

impl CommandAnswer for CommandOutcome {
    fn of(done: CommandDone, subject: CommandSubject<'_>) -> Option<Visible<Self>> {
        let (outcome, done_at, until) = said(done.outcome);
        let room = subject.channel_id.filter(|_| until.is_some());
        Some(Visible(Self {
            outcome,
            done_at,
            until,
            discord_url: room.map(|room| subject.room_url(room)),
            position: done.at,
        }))
    }
}

impl CommandAnswer for CreatedRoom {
    fn of(done: CommandDone, subject: CommandSubject<'_>) -> Option<Visible<Self>> {
        let Some(Made::Room { channel_id }) = done.made else {
            return None;
        };
        Some(Visible(Self {
            outcome: said(done.outcome).0,
            channel_id,
            discord_url: subject.room_url(channel_id),
            position: done.at,
        }))
    }
}

impl CommandAnswer for CreatedInvite {
    fn of(done: CommandDone, subject: CommandSubject<'_>) -> Option<Visible<Self>> {
        let Some(Made::Invite { token, expires_at }) = done.made else {
            return None;
        };
        Some(Visible(Self {
            outcome: said(done.outcome).0,
            url: subject.links.invite(&token),
            token,
            expires_at,
        }))
    }
}

impl CommandOutcome {
    /// Of what is done as soon as it is answered, and is in no log.
    pub(crate) fn done() -> Visible<Self> {
        Visible(Self {
            outcome: OutcomeWord::Done,
            done_at: None,
            until: None,
            discord_url: None,
            position: None,
        })
    }
}

impl CreatedOverlayLink {
    /// For whoever had it made.
    pub(crate) fn of(made: &MadeOverlayLink, links: &PublicLinks) -> Visible<Self> {
        Visible(Self {
            outcome: OutcomeWord::Done,
            id: made.name.0.clone(),
            token: made.token.expose().to_owned(),
            url: links.overlay(made.token.expose()),
            expires_at: made.expires_at,
        })
    }
}

impl CommandAnswer for JoinedRoom {
    fn of(done: CommandDone, subject: CommandSubject<'_>) -> Option<Visible<Self>> {
        let (outcome, done_at, until) = said(done.outcome);
        let channel_id = subject.channel_id?;
        Some(Visible(Self {
            outcome,
            channel_id,
            discord_url: subject.room_url(channel_id),
            until,
            done_at,
            position: done.at,
        }))
    }
}
