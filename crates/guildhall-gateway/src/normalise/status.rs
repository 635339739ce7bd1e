//! The line of text below a room's name. It is on no channel object: CHANNEL_INFO, the answer to a
//! request of ours, has all of them, and VOICE_CHANNEL_STATUS_UPDATE each change.

use std::collections::BTreeMap;

use guildhall_model::{
    Change, ChannelId, Event, GuildId,
    guild::{Room, RoomInfo},
};
use serde::Deserialize;

use super::{
    Context, Read,
    channel::guild_of,
    lenient::{Checked, Field, LenientList, Oddities, StatusText},
};

/// What we keep of CHANNEL_INFO: of the guild's voice channels those that have something to say.
#[derive(Deserialize)]
struct Info {
    guild_id: GuildId,
    #[serde(default)]
    channels: Field<LenientList<ChannelStatus>>,
}

/// One channel of CHANNEL_INFO, and all of VOICE_CHANNEL_STATUS_UPDATE.
#[derive(Deserialize)]
struct ChannelStatus {
    id: ChannelId,
    #[serde(default)]
    guild_id: Field<GuildId>,
    #[serde(default)]
    status: Field<StatusText>,
}

impl Checked for ChannelStatus {
    fn check(&self, oddities: &mut Oddities) {
        let Self {
            id: _,
            guild_id,
            status,
        } = self;
        oddities.stale_if(guild_id.is_odd(), "guild_id");
        // It decides about nothing: the line that was known goes on.
        oddities.harmless_if(status.is_odd(), "status");
        oddities.harmless_if(status.get().is_some_and(|text| text.cut), "status");
    }
}

impl ChannelStatus {
    /// What it says. `Err`: nothing that can be read.
    fn line(&self) -> Result<Option<&str>, ()> {
        match &self.status {
            Field::Odd => Err(()),
            Field::Absent | Field::Null => Ok(None),
            Field::Set(status) => Ok(Some(&*status.text).filter(|text| !text.is_empty())),
        }
    }
}

/// CHANNEL_INFO. A channel that is not listed has no status; of one that the bot may not view nothing
/// is said.
pub(super) fn channel_info(data: &str, context: &Context<'_>) -> Read {
    let info: Info = serde_json::from_str(data)?;
    let Some(guild) = context.guild(info.guild_id) else {
        return Ok(None);
    };
    let partial = info.channels.is_partial() || matches!(info.channels, Field::Absent);
    let listed = info.channels.entries().map(|one| (one.id, one.line()));
    let listed: BTreeMap<ChannelId, Result<Option<&str>, ()>> = listed.collect();
    let said = |room: &Room| match listed.get(&room.info.channel_id) {
        Some(line) => line.ok(),
        None => (!partial && !room.rights.obfuscated).then_some(None),
    };
    let rooms = guild.rooms.values();
    let changes = rooms.filter_map(|room| with_status(room, said(room)?));
    let mut delta = context.delta(info.guild_id, changes.collect());
    let found = delta.events.into_iter().map(|event| Event {
        synthetic: true,
        ..event
    });
    delta.events = found.collect();
    let mut oddities = Oddities::default();
    oddities.harmless_if(partial, "channels");
    for one in info.channels.entries() {
        one.check(&mut oddities);
    }
    Ok(Some(delta.with_oddities(oddities)))
}

/// VOICE_CHANNEL_STATUS_UPDATE.
pub(super) fn updated(data: &str, context: &Context<'_>) -> Read {
    let update: ChannelStatus = serde_json::from_str(data)?;
    let around = [update.id; 2];
    let Some((guild_id, guild)) = guild_of(&update.guild_id, around, context)? else {
        return Ok(None);
    };
    let room = guild.rooms.get(&update.id);
    let change = room.and_then(|room| with_status(room, update.line().ok()?));
    let delta = context.delta(guild_id, change.into_iter().collect());
    Ok(Some(delta.with_oddities(Oddities::of(&update))))
}

/// `None`: it is as it was.
fn with_status(room: &Room, status: Option<&str>) -> Option<Change> {
    let info = &room.info;
    (info.status.as_deref() != status).then(|| {
        Change::RoomUpdated(RoomInfo {
            status: status.map(str::to_owned),
            ..info.clone()
        })
    })
}
