//! The rooms that many members of one guild see: what they have in common is looked at once.

use std::collections::HashMap;

use super::{CommonRights, MemberView, VisibleRooms};
use crate::{
    ChannelId, GuildId, UserId,
    guild::{Guild, OverwriteTarget},
};

/// Who is named in more rooms than this is looked at room by room.
const FEW: usize = 8;

/// Answers what each of many members sees in a guild as it is now. All rooms are gone through once
/// for each kind of common rights; for a member only those whose overwrites name them, and the one they are in.
#[derive(Debug)]
pub struct VisibilityOfMany<'a> {
    guild_id: GuildId,
    guild: &'a Guild,
    by_common_rights: HashMap<CommonRights<'a>, VisibleRooms>,
    /// The rooms whose overwrites name somebody; made when the first member is asked for.
    named: Option<HashMap<UserId, Vec<ChannelId>>>,
}

impl<'a> VisibilityOfMany<'a> {
    /// In this guild.
    #[must_use]
    pub fn of(guild_id: GuildId, guild: &'a Guild) -> Self {
        Self {
            guild_id,
            guild,
            by_common_rights: HashMap::new(),
            named: None,
        }
    }

    /// What a user sees. `None`: they are no member, or were not looked up.
    pub fn rooms(&mut self, user_id: UserId) -> Option<VisibleRooms> {
        let view = MemberView::of(self.guild_id, self.guild, user_id)?;
        let guild = self.guild;
        let alike = || view.by_common_rights().rooms();
        let in_common = self
            .by_common_rights
            .entry(view.common)
            .or_insert_with(alike);
        let named = self.named.get_or_insert_with(|| rooms_by_name(guild));
        let own = named.get(&user_id).map_or(&[][..], Vec::as_slice);
        if own.len() > FEW {
            return Some(view.rooms());
        }
        let own = own.iter().copied().chain(view.connected);
        Some(own.fold(in_common.clone(), |seen, room| {
            seen.with(room, view.sees(room))
        }))
    }
}

fn rooms_by_name(guild: &Guild) -> HashMap<UserId, Vec<ChannelId>> {
    let mut named: HashMap<UserId, Vec<ChannelId>> = HashMap::new();
    for (channel, room) in &guild.rooms {
        for overwrite in &room.rights.overwrites {
            if let OverwriteTarget::Member(user) = overwrite.target {
                named.entry(user).or_default().push(*channel);
            }
        }
    }
    named
}
