//! How an occupant is read: most of what is ever read are occupants.

use serde::Deserialize;

use crate::{
    ChannelId, UnixMs, UserId,
    guild::{Occupant, VoiceFlags},
};

/// The fields of an [`Occupant`] side by side, as they are written: serde reads flattened fields
/// through a list of all of them, which takes three times as long.
#[expect(
    clippy::struct_excessive_bools,
    reason = "seven independent flags of Discord's voice state, named as it names them"
)]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Flat {
    channel_id: ChannelId,
    user_id: UserId,
    username: String,
    display_name: String,
    avatar: Option<String>,
    avatar_url: String,
    bot: bool,
    since: UnixMs,
    mute: bool,
    deaf: bool,
    self_mute: bool,
    self_deaf: bool,
    streaming: bool,
    video: bool,
    suppressed: bool,
}

impl From<Flat> for Occupant {
    fn from(flat: Flat) -> Self {
        Self {
            channel_id: flat.channel_id,
            user_id: flat.user_id,
            username: flat.username,
            display_name: flat.display_name,
            avatar: flat.avatar,
            avatar_url: flat.avatar_url,
            bot: flat.bot,
            since: flat.since,
            flags: VoiceFlags {
                mute: flat.mute,
                deaf: flat.deaf,
                self_mute: flat.self_mute,
                self_deaf: flat.self_deaf,
                streaming: flat.streaming,
                video: flat.video,
                suppressed: flat.suppressed,
            },
        }
    }
}
