//! What the settings of rooms name, and was in no guild so far: said once all guilds have come. Pure.

use std::collections::BTreeSet;

use guildhall_model::{
    Change, ChannelId, Guild, RoleId,
    guild::{RoomInfo, RoomKind},
};

use crate::rooms::RoomSettings;

/// Those that are still to be seen.
#[derive(Debug, Default)]
pub(super) struct UnseenNames {
    lobbies: BTreeSet<ChannelId>,
    categories: BTreeSet<ChannelId>,
    roles: BTreeSet<RoleId>,
}

impl UnseenNames {
    pub(super) fn of(settings: &RoomSettings) -> Self {
        let lobbies = || settings.lobbies.iter();
        let categories = lobbies().filter_map(|lobby| lobby.parent);
        Self {
            lobbies: lobbies().map(|lobby| lobby.channel).collect(),
            categories: categories.chain(settings.parents.iter().copied()).collect(),
            roles: settings.creators.iter().copied().collect(),
        }
    }

    pub(super) fn guild_came(&mut self, guild: &Guild) {
        for room in guild.rooms.values() {
            self.room_came(&room.info);
        }
        self.categories
            .retain(|category| !guild.categories.contains_key(category));
        self.roles.retain(|role| !guild.roles.contains_key(role));
    }

    pub(super) fn notice(&mut self, change: &Change) {
        match change {
            Change::GuildAvailable(Some(guild)) => self.guild_came(guild),
            Change::RoomCreated(room) => self.room_came(&room.info),
            Change::CategorySet { channel_id, .. } => _ = self.categories.remove(channel_id),
            Change::RoleSet(role) => _ = self.roles.remove(&role.role_id),
            _ => {}
        }
    }

    /// A sentence for each, for whoever runs this.
    pub(super) fn sentences(&self) -> impl Iterator<Item = String> {
        let lobbies = self.lobbies.iter().map(|lobby| {
            format!(
                "The lobby {lobby} is no voice channel of any guild here: nobody is given a room \
                 there until it is one"
            )
        });
        let categories = self.categories.iter().map(|category| {
            format!(
                "The category {category} is in no guild here: no room is made in it until it is"
            )
        });
        let roles = self.roles.iter().map(|role| {
            format!("The role {role} is in no guild here: nobody makes rooms by it until it is")
        });
        lobbies.chain(categories).chain(roles)
    }

    fn room_came(&mut self, room: &RoomInfo) {
        if is_lobby(room) {
            self.lobbies.remove(&room.channel_id);
        }
    }
}

/// Whether a channel can be one: a stage has its own rules of who comes in.
pub(super) fn is_lobby(room: &RoomInfo) -> bool {
    room.kind == RoomKind::Voice
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use guildhall_model::guild::{Category, Room, RoomRights};

    use super::*;
    use crate::rooms::Lobby;

    #[test]
    fn whatever_is_in_no_guild_is_named() {
        let lobby = |channel, parent| Lobby {
            channel: ChannelId(channel),
            template: "{name}".to_owned(),
            limit: 4,
            parent,
            idle: Duration::from_mins(1),
        };
        let settings = RoomSettings {
            parents: vec![ChannelId(11), ChannelId(12)],
            creators: vec![RoleId(21)],
            lobbies: vec![
                lobby(41, Some(ChannelId(13))),
                lobby(42, None),
                lobby(43, None),
            ],
            ..RoomSettings::default()
        };
        let mut names = UnseenNames::of(&settings);
        assert_eq!(names.sentences().count(), 7);
        let room = |channel, kind| Room {
            info: RoomInfo {
                channel_id: ChannelId(channel),
                name: "a room".to_owned(),
                kind,
                parent_id: None,
                parent_name: None,
                position: 0,
                user_limit: 0,
                managed: None,
                status: None,
            },
            rights: RoomRights::default(),
        };
        for change in [
            Change::RoomCreated(room(41, RoomKind::Voice)),
            Change::RoomCreated(room(42, RoomKind::Stage)),
            Change::RoomCreated(room(99, RoomKind::Voice)),
            Change::CategorySet {
                channel_id: ChannelId(12),
                category: Category::default(),
            },
        ] {
            names.notice(&change);
        }
        let said: Vec<String> = names.sentences().collect();
        let expected = [
            "lobby 42 ",
            "lobby 43 ",
            "category 11 ",
            "category 13 ",
            "role 21 ",
        ];
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (sentence, named) in said.iter().zip(expected) {
            assert!(sentence.contains(named), "{sentence}");
        }
    }
}
