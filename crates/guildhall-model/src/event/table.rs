//! The table: each event once, with all that anybody else knows of it. Who adds one adds it here (a
//! row, its place in the list, its payload to [`Change::visit`]), to the gateway's `normalise` and to
//! the reducer; names, families, both JSON forms, the schemas and the page's types follow.

use std::borrow::Cow;

use serde::Serialize;

use super::{
    Change, EventPayload,
    definition::{
        AudienceRule::{GuildAfter, GuildBefore, RoomAfter, RoomBefore, Viewer},
        EventDefinition, EventTable,
        Family::{Always, Room, Voice},
    },
    payload::{
        Bare, CategoryCame, CategoryGone, GuildCame, IdlePayload, Interval, OwnerSet,
        PendingRemoved, RightsPayload, RoleGone, RoomGone, RoomRightsSet, VoiceLeft,
    },
    stream::{
        ByePayload, CheckpointPayload, ResumedPayload, RoomPicture, SnapshotPayload, StatusPayload,
    },
};
use crate::guild::{self, Category, GuildInfo, Occupant, RoomInfo};

/// Every event there is.
pub static EVENTS: EventTable = EventTable(&[
    &VOICE_JOINED,
    &VOICE_LEFT,
    &VOICE_UPDATED,
    &ROOM_CREATED,
    &ROOM_UPDATED,
    &ROOM_DELETED,
    &ROOM_SHOWN,
    &ROOM_HIDDEN,
    &ROOM_IDLE,
    &GUILD_AVAILABLE,
    &GUILD_UNAVAILABLE,
    &GUILD_UPDATED,
    &GUILD_REMOVED,
    &GAP,
    &SNAPSHOT,
    &RESUMED,
    &STATUS,
    &CHECKPOINT,
    &BYE,
    &VOICE_PENDING,
    &VOICE_PENDING_REMOVED,
    &OWNER_CHANGED,
    &ROLE_SET,
    &ROLE_REMOVED,
    &ROOM_RIGHTS,
    &CATEGORY_SET,
    &CATEGORY_REMOVED,
    &RIGHTS,
    &RIGHTS_RESET,
]);

static VOICE_JOINED: EventDefinition =
    EventDefinition::log::<Occupant>("voice.joined", Voice, RoomAfter, |json| {
        json.read().map(Change::VoiceJoined)
    })
    .touching_rights();

static VOICE_LEFT: EventDefinition =
    EventDefinition::log::<VoiceLeft>("voice.left", Voice, RoomBefore, |json| {
        let left: VoiceLeft = json.read()?;
        Ok(Change::VoiceLeft {
            previous_channel_id: left.previous_channel_id,
            user_id: left.user_id,
        })
    })
    .touching_rights();

static VOICE_UPDATED: EventDefinition =
    EventDefinition::log::<Occupant>("voice.updated", Voice, RoomAfter, |json| {
        json.read().map(Change::VoiceUpdated)
    });

static ROOM_CREATED: EventDefinition =
    EventDefinition::log::<guild::Room>("room.created", Room, RoomAfter, |json| {
        json.read().map(Change::RoomCreated)
    });

static ROOM_UPDATED: EventDefinition =
    EventDefinition::log::<RoomInfo>("room.updated", Room, RoomAfter, |json| {
        json.read().map(Change::RoomUpdated)
    });

static ROOM_DELETED: EventDefinition =
    EventDefinition::log::<RoomGone>("room.deleted", Room, RoomBefore, |json| {
        let RoomGone { channel_id } = json.read()?;
        Ok(Change::RoomDeleted { channel_id })
    });

/// Whoever sees a room by a change of rights is told all of it, and whatever families they ask for:
/// it is a part of the snapshot that they would get, and those are not narrowed by families.
pub static ROOM_SHOWN: EventDefinition =
    EventDefinition::of_stream::<RoomPicture>("room.shown", Always, RoomAfter);

/// Whoever does not see a room any more.
pub static ROOM_HIDDEN: EventDefinition =
    EventDefinition::of_stream::<RoomGone>("room.hidden", Always, RoomBefore);

static ROOM_IDLE: EventDefinition =
    EventDefinition::log::<IdlePayload>("room.idle", Room, RoomAfter, |json| {
        let IdlePayload {
            channel_id,
            deletes_at,
        } = json.read()?;
        Ok(Change::RoomIdle {
            channel_id,
            deletes_at,
        })
    });

/// A stream says it by itself, too, with the guild as its viewer sees it.
pub static GUILD_AVAILABLE: EventDefinition =
    EventDefinition::log::<GuildCame<'_>>("guild.available", Always, GuildAfter, |json| {
        let GuildCame { guild } = json.read()?;
        let guild = guild.map(|guild| Box::new(guild.into_owned()));
        Ok(Change::GuildAvailable(guild))
    })
    .touching_rights();

/// A stream says it by itself, too, where a viewer is looked up again.
pub static GUILD_UNAVAILABLE: EventDefinition =
    EventDefinition::log::<Bare>("guild.unavailable", Always, GuildAfter, |json| {
        json.read().map(|Bare {}| Change::GuildUnavailable)
    });

static GUILD_UPDATED: EventDefinition =
    EventDefinition::log::<GuildInfo>("guild.updated", Always, GuildAfter, |json| {
        json.read().map(Change::GuildUpdated)
    });

/// A stream says it by itself, too, where the viewer is no member any more.
pub static GUILD_REMOVED: EventDefinition =
    EventDefinition::log::<Bare>("guild.removed", Always, GuildBefore, |json| {
        json.read().map(|Bare {}| Change::GuildRemoved)
    })
    .touching_rights();

static GAP: EventDefinition = EventDefinition::log::<Interval>("gap", Always, GuildAfter, |json| {
    let Interval { from, to } = json.read()?;
    Ok(Change::Gap { from, to })
});

/// `snapshot`: replaces the whole picture.
pub static SNAPSHOT: EventDefinition =
    EventDefinition::of_stream::<SnapshotPayload>("snapshot", Always, Viewer);

/// `resumed`: the browser's cursor was good.
pub static RESUMED: EventDefinition =
    EventDefinition::of_stream::<ResumedPayload>("resumed", Always, Viewer);

/// `status`: how fresh the replica is.
pub static STATUS: EventDefinition =
    EventDefinition::of_stream::<StatusPayload>("status", Always, Viewer);

/// `checkpoint`: a cursor that moves although nothing happened that the viewer may see.
pub static CHECKPOINT: EventDefinition =
    EventDefinition::of_stream::<CheckpointPayload>("checkpoint", Always, Viewer);

/// `bye`: the stream ends.
pub static BYE: EventDefinition = EventDefinition::of_stream::<ByePayload>("bye", Always, Viewer);

static VOICE_PENDING: EventDefinition = EventDefinition::internal("voice.pending", |json| {
    json.read().map(Change::VoicePending)
});

static VOICE_PENDING_REMOVED: EventDefinition =
    EventDefinition::internal("voice.pending_removed", |json| {
        let PendingRemoved { user_id } = json.read()?;
        Ok(Change::VoicePendingRemoved { user_id })
    });

static OWNER_CHANGED: EventDefinition = EventDefinition::internal("owner.changed", |json| {
    let OwnerSet { owner_id } = json.read()?;
    Ok(Change::OwnerChanged { owner_id })
})
.touching_rights();

static ROLE_SET: EventDefinition =
    EventDefinition::internal("role.set", |json| json.read().map(Change::RoleSet))
        .touching_rights();

static ROLE_REMOVED: EventDefinition = EventDefinition::internal("role.removed", |json| {
    let RoleGone { role_id } = json.read()?;
    Ok(Change::RoleRemoved { role_id })
})
.touching_rights();

static ROOM_RIGHTS: EventDefinition = EventDefinition::internal("room.rights", |json| {
    let RoomRightsSet { channel_id, rights } = json.read()?;
    let rights = rights.into_owned();
    Ok(Change::RoomRights { channel_id, rights })
})
.touching_rights();

static CATEGORY_SET: EventDefinition = EventDefinition::internal("category.set", |json| {
    let came: CategoryCame<'_> = json.read()?;
    Ok(Change::CategorySet {
        channel_id: came.channel_id,
        category: Category {
            name: came.name.into_owned(),
            rights: came.rights.into_owned(),
        },
    })
});

static CATEGORY_REMOVED: EventDefinition = EventDefinition::internal("category.removed", |json| {
    let CategoryGone { channel_id } = json.read()?;
    Ok(Change::CategoryRemoved { channel_id })
});

static RIGHTS: EventDefinition = EventDefinition::internal("rights", |json| {
    let rights: RightsPayload<'_> = json.read()?;
    Ok(Change::Rights {
        user_id: rights.user_id,
        membership: rights.membership()?,
    })
})
.touching_rights();

static RIGHTS_RESET: EventDefinition = EventDefinition::internal("rights.reset", |json| {
    json.read().map(|Bare {}| Change::RightsReset)
})
.touching_rights();

/// An event of a newer gateway is in no table.
static UNKNOWN: EventDefinition = EventDefinition::internal("unknown", |_| Ok(Change::Unknown));

/// Does something with an event as the table has it: its definition and its payload.
pub(super) trait ChangeVisitor {
    /// What comes of it.
    type Output;

    /// An event for browsers.
    fn public<P: EventPayload>(self, event: &'static EventDefinition, payload: &P) -> Self::Output;

    /// An event that stays on this side of the filter.
    fn internal<P: Serialize>(self, event: &'static EventDefinition, payload: &P) -> Self::Output;
}

impl Change {
    /// Hands over which event this is, and its payload: the one place where kinds of changes and
    /// rows of the table are matched.
    pub(super) fn visit<V: ChangeVisitor>(&self, visitor: V) -> V::Output {
        match self {
            Self::VoiceJoined(occupant) => visitor.public(&VOICE_JOINED, occupant),
            Self::VoiceLeft {
                previous_channel_id,
                user_id,
            } => visitor.public(
                &VOICE_LEFT,
                &VoiceLeft {
                    channel_id: (),
                    previous_channel_id: *previous_channel_id,
                    user_id: *user_id,
                },
            ),
            Self::VoiceUpdated(occupant) => visitor.public(&VOICE_UPDATED, occupant),
            Self::RoomCreated(room) => visitor.public(&ROOM_CREATED, room),
            Self::RoomUpdated(info) => visitor.public(&ROOM_UPDATED, info),
            Self::RoomDeleted { channel_id } => {
                let channel_id = *channel_id;
                visitor.public(&ROOM_DELETED, &RoomGone { channel_id })
            }
            Self::RoomIdle {
                channel_id,
                deletes_at,
            } => {
                let (channel_id, deletes_at) = (*channel_id, *deletes_at);
                let idle = IdlePayload {
                    channel_id,
                    deletes_at,
                };
                visitor.public(&ROOM_IDLE, &idle)
            }
            Self::GuildAvailable(guild) => {
                let guild = guild.as_deref().map(Cow::Borrowed);
                visitor.public(&GUILD_AVAILABLE, &GuildCame { guild })
            }
            Self::GuildUnavailable => visitor.public(&GUILD_UNAVAILABLE, &Bare {}),
            Self::GuildUpdated(info) => visitor.public(&GUILD_UPDATED, info),
            Self::GuildRemoved => visitor.public(&GUILD_REMOVED, &Bare {}),
            Self::Gap { from, to: until } => {
                let (from, until) = (*from, *until);
                visitor.public(&GAP, &Interval { from, to: until })
            }
            Self::VoicePending(occupant) => visitor.internal(&VOICE_PENDING, occupant),
            Self::VoicePendingRemoved { user_id } => {
                let user_id = *user_id;
                visitor.internal(&VOICE_PENDING_REMOVED, &PendingRemoved { user_id })
            }
            Self::OwnerChanged { owner_id } => {
                let owner_id = *owner_id;
                visitor.internal(&OWNER_CHANGED, &OwnerSet { owner_id })
            }
            Self::RoleSet(role) => visitor.internal(&ROLE_SET, role),
            Self::RoleRemoved { role_id } => {
                let role_id = *role_id;
                visitor.internal(&ROLE_REMOVED, &RoleGone { role_id })
            }
            Self::RoomRights { channel_id, rights } => {
                let (channel_id, rights) = (*channel_id, Cow::Borrowed(rights));
                visitor.internal(&ROOM_RIGHTS, &RoomRightsSet { channel_id, rights })
            }
            Self::CategorySet {
                channel_id,
                category,
            } => {
                let came = CategoryCame::of(*channel_id, category);
                visitor.internal(&CATEGORY_SET, &came)
            }
            Self::CategoryRemoved { channel_id } => {
                let channel_id = *channel_id;
                visitor.internal(&CATEGORY_REMOVED, &CategoryGone { channel_id })
            }
            Self::Rights {
                user_id,
                membership,
            } => visitor.internal(&RIGHTS, &RightsPayload::of(*user_id, membership.as_ref())),
            Self::RightsReset => visitor.internal(&RIGHTS_RESET, &Bare {}),
            #[cfg(any(test, feature = "arbitrary"))]
            Self::RoomKnocked(knock) => visitor.public(&super::sample::ROOM_KNOCKED, knock),
            Self::Unknown => visitor.internal(&UNKNOWN, &Bare {}),
        }
    }
}
