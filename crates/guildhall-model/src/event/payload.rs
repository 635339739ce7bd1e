//! What events say beside where and when: one type for each shape, as the link carries it, and what
//! browsers get of it.

use std::borrow::Cow;

use serde::{
    Deserialize, Serialize,
    de::{self, DeserializeOwned},
};

use super::{schema::PublicSchema, stream::GuildPicture};
use crate::{
    ChannelId, Guild, RoleId, UnixMs, UserId,
    guild::{Category, GuildInfo, Membership, Occupant, Room, RoomInfo, RoomRights},
};

/// The payload of a public event, as it is on the link. An internal event's has no such form, so
/// that none can come to a browser by mistake.
pub trait EventPayload: Serialize {
    /// What browsers get of it.
    type Public: Serialize + PublicSchema;

    /// What browsers get of it.
    fn public(&self) -> &Self::Public;

    /// The room that it is about, and that a browser's `?channel=` matches.
    fn room(&self) -> Option<ChannelId> {
        None
    }
}

/// The payload of an event of the live lane: all of it is public.
pub trait LivePayload: EventPayload<Public = Self> + PublicSchema + DeserializeOwned {
    /// Whom it is about: a later word about them takes its place.
    fn subject(&self) -> UserId;
}

/// What a payload says of its event, and the payload as this build would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFacts {
    pub(super) subject: UserId,
    pub(super) room: Option<ChannelId>,
    pub(super) payload: String,
}

/// Nothing more than where and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Bare {}

/// Somebody left a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VoiceLeft {
    /// Nowhere: that is how it reads beside `voice.joined`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required, schema_with = super::schema::null))]
    pub channel_id: (),
    /// The room that was left.
    pub previous_channel_id: ChannelId,
    /// Who.
    pub user_id: UserId,
}

/// A room is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoomGone {
    /// The room.
    pub channel_id: ChannelId,
}

/// Nobody is in a room that Guildhall made, and it goes, unless somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IdlePayload {
    /// The room.
    pub channel_id: ChannelId,
    /// When, Unix ms; null: it stays after all.
    #[cfg_attr(feature = "schema", schema(required, value_type = Option<u64>))]
    pub deletes_at: Option<UnixMs>,
}

/// A guild on the link: whole when it is new to the log.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct GuildCame<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) guild: Option<Cow<'a, Guild>>,
}

/// A guild for browsers. Its picture differs from class to class: who adds it is the filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GuildShown {
    /// The guild as this viewer sees it, if it is new to them: it replaces all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub guild: Option<GuildPicture>,
}

/// An interval that state can't heal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Interval {
    /// Its start.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub from: UnixMs,
    /// Its end.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub to: UnixMs,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PendingRemoved {
    pub(super) user_id: UserId,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnerSet {
    pub(super) owner_id: UserId,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleGone {
    pub(super) role_id: RoleId,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomRightsSet<'a> {
    pub(super) channel_id: ChannelId,
    pub(super) rights: Cow<'a, RoomRights>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CategoryCame<'a> {
    pub(super) channel_id: ChannelId,
    pub(super) name: Cow<'a, str>,
    /// An earlier log has none.
    #[serde(default)]
    pub(super) rights: Cow<'a, RoomRights>,
}

impl<'a> CategoryCame<'a> {
    pub(super) fn of(channel_id: ChannelId, category: &'a Category) -> Self {
        Self {
            channel_id,
            name: Cow::Borrowed(&category.name),
            rights: Cow::Borrowed(&category.rights),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CategoryGone {
    pub(super) channel_id: ChannelId,
}

/// What a watched user is. Fields in the order of the wire.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RightsPayload<'a> {
    pub(super) user_id: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    roles: Option<Cow<'a, [RoleId]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guest: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_until: Option<UnixMs>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    forgotten: bool,
}

impl<'a> RightsPayload<'a> {
    pub(super) fn of(user_id: UserId, membership: Option<&'a Membership>) -> Self {
        let forgotten = Self {
            user_id,
            roles: None,
            guest: None,
            member: None,
            timeout_until: None,
            forgotten: true,
        };
        let known = |roles: &'a [RoleId], guest, member| Self {
            roles: Some(Cow::Borrowed(roles)),
            guest: Some(guest),
            member: Some(member),
            timeout_until: membership.and_then(Membership::timeout_until),
            forgotten: false,
            ..forgotten
        };
        match membership {
            Some(Membership::Member { roles, guest, .. }) => known(roles, *guest, true),
            Some(Membership::Stranger) => known(&[], false, false),
            None => forgotten,
        }
    }

    /// Nothing is guessed: rights that say neither `forgotten` nor `member` are an error.
    pub(super) fn membership(self) -> Result<Option<Membership>, serde_json::Error> {
        let roles = self.roles.unwrap_or_default().into_owned();
        match (self.forgotten, self.member) {
            (true, _) => Ok(None),
            (false, Some(true)) => {
                let is = if self.guest.unwrap_or_default() {
                    Membership::guest(roles)
                } else {
                    Membership::member(roles)
                };
                Ok(Some(is.timed_out_until(self.timeout_until)))
            }
            (false, Some(false)) => Ok(Some(Membership::Stranger)),
            (false, None) => Err(de::Error::missing_field("member")),
        }
    }
}

impl LiveFacts {
    /// Reads a payload. `stamped`: the same with where and when before it.
    pub(super) fn of<P: LivePayload>(payload: &P, stamped: &impl Serialize) -> Self {
        Self {
            subject: payload.subject(),
            room: payload.room(),
            payload: crate::json::to_string(stamped),
        }
    }
}

impl EventPayload for Occupant {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }

    fn room(&self) -> Option<ChannelId> {
        Some(self.channel_id)
    }
}

impl EventPayload for VoiceLeft {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }

    fn room(&self) -> Option<ChannelId> {
        Some(self.previous_channel_id)
    }
}

impl EventPayload for Room {
    type Public = RoomInfo;

    fn public(&self) -> &RoomInfo {
        &self.info
    }

    fn room(&self) -> Option<ChannelId> {
        self.info.room()
    }
}

impl EventPayload for RoomInfo {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }

    fn room(&self) -> Option<ChannelId> {
        Some(self.channel_id)
    }
}

impl EventPayload for RoomGone {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }

    fn room(&self) -> Option<ChannelId> {
        Some(self.channel_id)
    }
}

impl EventPayload for IdlePayload {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }

    fn room(&self) -> Option<ChannelId> {
        Some(self.channel_id)
    }
}

impl EventPayload for GuildCame<'_> {
    type Public = GuildShown;

    fn public(&self) -> &GuildShown {
        &GuildShown { guild: None }
    }
}

impl EventPayload for GuildInfo {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }
}

impl EventPayload for Interval {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }
}

impl EventPayload for Bare {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }
}
