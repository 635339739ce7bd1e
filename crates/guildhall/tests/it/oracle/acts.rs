//! What happens in Discord: one act at a time, drawn at random from all that can be done now. Most of
//! them change who may see what.

use guildhall_model::{GuildId, RoleId, UserId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::oracle::{
    discord_state::{Channel, DiscordState, Guild},
    rng::Rng,
    scene::{ADMINISTRATOR, CATEGORY, CONNECT, Scene, VIEW, bots_role, free_roles, gate},
};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// The simulator's control, which asks for no permission.
    Control,
    /// Discord's REST interface, as the bot.
    Rest,
    /// The house's own commands, as the viewer of this number.
    House(usize),
}

/// Something to be done.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) via: Via,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// Chooses acts.
#[derive(Debug)]
pub(crate) struct Acts {
    scene: Scene,
    pub(crate) rng: Rng,
    next_id: u64,
    /// Whether people's roles and memberships change, which a house without GUILD_MEMBERS is not
    /// told.
    pub(crate) members: bool,
    /// Whether names of people change, which such a house learns when they speak next.
    names: bool,
}

impl Acts {
    pub(crate) fn new(scene: Scene, rng: Rng, names: bool) -> Self {
        Self {
            scene,
            rng,
            next_id: 1_700_000_000_000_000_000,
            members: true,
            names,
        }
    }

    /// The next act: requests that follow one another.
    pub(crate) fn choose(&mut self, state: &DiscordState) -> Vec<Request> {
        loop {
            let guild = self.rng.pick(&state.guilds).expect("guilds");
            if let Some(requests) = self.try_one(guild) {
                return requests;
            }
        }
    }

    fn try_one(&mut self, guild: &Guild) -> Option<Vec<Request>> {
        if !guild.has(self.scene.bot) {
            let body = json!({"userId": self.scene.bot, "roles": [bots_role(guild.id)]});
            return one(self
                .rng
                .one_in(3)
                .then(|| post(format!("/guilds/{}/members", guild.id), body)));
        }
        // Nothing is told during an outage.
        if !guild.available && self.rng.one_in(3) {
            return one(Some(outage(guild, true)));
        }
        // A house that is not told of members is tried by just that.
        if self.members && !self.names && self.rng.one_in(4) {
            return one(if self.rng.one_in(2) {
                self.roles_of(guild)
            } else {
                self.membership(guild)
            });
        }
        match self.rng.between(0, 119) {
            0..=25 => one(self.come(guild)),
            26..=32 => one(self.go(guild)),
            33..=36 => one(self.flags(guild)),
            37..=45 => one(self.edit_role(guild)),
            46 | 47 => one(self.create_role(guild)),
            48 | 49 => one(self.delete_role(guild)),
            50..=61 => one(self.roles_of(guild)),
            62..=75 => one(self.overwrite(guild)),
            76..=79 => one(self.create_channel(guild)),
            80..=82 => one(self.delete_channel(guild)),
            83..=87 => one(self.edit_channel(guild)),
            88..=91 => self.regate(guild),
            92..=95 => one(self.hide_or_show(guild)),
            96 | 97 => one(self.owner(guild)),
            98..=101 => one(self.membership(guild)),
            102 => one(self.time_out(guild)),
            103 | 104 => one(self.rename(guild)),
            105 => one(Some(self.rename_guild(guild))),
            106 | 107 => one(Some(outage(guild, false))),
            108 => one(self.lose_guild(guild)),
            109 => one(self.place_role(guild)),
            _ => one(self.command(guild)),
        }
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Members, more often than not those who look.
    fn person(&mut self, guild: &Guild) -> Option<UserId> {
        if self.rng.one_in(3) {
            let others = guild.members.iter().map(|member| member.user_id);
            let bot = self.scene.bot;
            return self.rng.pick(others.filter(|user_id| *user_id != bot));
        }
        self.viewer(guild)
    }

    fn viewer(&mut self, guild: &Guild) -> Option<UserId> {
        let viewers = self.scene.viewers.iter().copied();
        self.rng.pick(viewers.filter(|viewer| guild.has(*viewer)))
    }

    fn come(&mut self, guild: &Guild) -> Option<Request> {
        let user_id = self.person(guild)?;
        let room = self.rng.pick(guild.rooms())?;
        let body = json!({"userId": user_id, "channelId": room.id});
        Some(post(format!("/guilds/{}/voice", guild.id), body))
    }

    fn go(&mut self, guild: &Guild) -> Option<Request> {
        let there = self.rng.pick(&guild.voice_states)?;
        let body = json!({"userId": there.user_id, "channelId": null});
        Some(post(format!("/guilds/{}/voice", guild.id), body))
    }

    fn flags(&mut self, guild: &Guild) -> Option<Request> {
        let there = self.rng.pick(&guild.voice_states)?;
        let flag = self.rng.choose(&[
            "selfMute",
            "selfDeaf",
            "selfStream",
            "selfVideo",
            "mute",
            "suppress",
        ]);
        let body = json!({"userId": there.user_id, flag: self.rng.one_in(2)});
        Some(post(format!("/guilds/{}/voice", guild.id), body))
    }

    fn role(&mut self, guild: &Guild) -> Option<RoleId> {
        self.rng.pick(free_roles(guild))
    }

    fn edit_role(&mut self, guild: &Guild) -> Option<Request> {
        let everyone = guild.id.everyone();
        let role_id = if self.rng.one_in(3) {
            everyone
        } else {
            self.role(guild)?
        };
        let role = guild.roles.iter().find(|role| role.id == role_id)?;
        let permissions = match self.rng.between(0, 9) {
            // Not of everybody: it would be over with gates.
            0 if role_id != everyone => role.permissions.0 ^ ADMINISTRATOR,
            1 => 0,
            _ => (role.permissions.0 & !ADMINISTRATOR) ^ VIEW,
        };
        let body = json!({"permissions": permissions.to_string()});
        Some(request(Method::PATCH, format!("/roles/{role_id}"), body))
    }

    fn create_role(&mut self, guild: &Guild) -> Option<Request> {
        let permissions = self.rng.choose(&[0, VIEW, VIEW | CONNECT]);
        let id = self.id();
        let body = json!({"id": id.to_string(), "name": format!("Role {id}"), "permissions": permissions.to_string()});
        (guild.roles.len() < 10).then(|| post(format!("/guilds/{}/roles", guild.id), body))
    }

    fn delete_role(&mut self, guild: &Guild) -> Option<Request> {
        let role_id = self.role(guild).filter(|_| guild.roles.len() > 4)?;
        Some(request(
            Method::DELETE,
            format!("/roles/{role_id}"),
            json!({}),
        ))
    }

    fn roles_of(&mut self, guild: &Guild) -> Option<Request> {
        let user_id = self.viewer(guild).filter(|_| self.members)?;
        let role_id = self.role(guild)?;
        let has = guild.member(user_id)?.roles.contains(&role_id);
        let method = if has { Method::DELETE } else { Method::PUT };
        let path = format!("/guilds/{}/members/{user_id}/roles/{role_id}", guild.id);
        Some(request(method, path, json!({})))
    }

    fn overwrite(&mut self, guild: &Guild) -> Option<Request> {
        let channel = self.rng.pick(guild.rooms())?;
        let bots = bots_role(guild.id);
        let by_rest = self.rng.one_in(4);
        let on = |target: u64| format!("/channels/{}/permissions/{target}", channel.id);
        let request = if self.rng.one_in(3) {
            let free = channel.permission_overwrites.iter();
            let free = free.filter(|one| one.id != bots && one.id.0 != self.scene.bot.0);
            let known = self.rng.pick(free)?;
            request(Method::DELETE, on(known.id.0), json!({}))
        } else {
            let (kind, target) = match self.rng.between(0, 5) {
                0 | 1 => (1, self.viewer(guild)?.0),
                2 => (0, guild.id.0),
                _ => (0, self.role(guild)?.0),
            };
            let (allow, deny) =
                self.rng
                    .choose(&[(VIEW, 0), (0, VIEW), (0, VIEW), (CONNECT, 0), (0, 0)]);
            let body = json!({"type": kind, "allow": allow.to_string(), "deny": deny.to_string()});
            request(Method::PUT, on(target), body)
        };
        Some(if by_rest { rest(request) } else { request })
    }

    fn create_channel(&mut self, guild: &Guild) -> Option<Request> {
        if guild.channels.len() > 16 {
            return None;
        }
        let kind = self.rng.choose(&[2, 2, 2, 13, CATEGORY]);
        let parent = self.category(guild).filter(|_| kind != CATEGORY);
        // As Discord's own client makes one: with what its category has, then its own.
        let copied = parent
            .filter(|_| self.rng.one_in(2))
            .map(|parent| json!(overwrites(parent)));
        let own = self.gate(guild);
        let unseen = self.rng.one_in(6);
        let id = self.id();
        let body = json!({
            "id": id.to_string(), "name": format!("Room {id}"), "type": kind,
            "parentId": parent.map(|parent| parent.id),
            "permissionOverwrites": if unseen { json!([{"id": guild.id, "type": 0, "allow": "0", "deny": VIEW.to_string()}]) } else { copied.unwrap_or(own) },
        });
        Some(post(format!("/guilds/{}/channels", guild.id), body))
    }

    fn gate(&mut self, guild: &Guild) -> Value {
        let roles: Vec<u64> = free_roles(guild).map(|role| role.0).collect();
        gate(guild.id, &roles, &mut self.rng)
    }

    fn delete_channel(&mut self, guild: &Guild) -> Option<Request> {
        if guild.rooms().count() < 4 {
            return None;
        }
        let channel = self
            .rng
            .pick(guild.channels.iter().filter(|channel| channel.kind != 0))?;
        Some(request(
            Method::DELETE,
            format!("/channels/{}", channel.id),
            json!({}),
        ))
    }

    fn edit_channel(&mut self, guild: &Guild) -> Option<Request> {
        let room = self.rng.pick(guild.rooms())?;
        let parent = self.category(guild);
        let body = match self.rng.between(0, 4) {
            0 => json!({"name": format!("Renamed {}", self.id())}),
            1 => json!({"position": self.rng.between(0, 20), "userLimit": self.rng.between(0, 9)}),
            // A move, with or without the new category's rights.
            2 => json!({"parentId": parent.map(|parent| parent.id)}),
            _ => json!({"parentId": parent?.id, "permissionOverwrites": overwrites(parent?)}),
        };
        Some(request(
            Method::PATCH,
            format!("/channels/{}", room.id),
            body,
        ))
    }

    /// A room gets other gates, or a category, and then its rooms, or not: they inherit nothing.
    fn regate(&mut self, guild: &Guild) -> Option<Vec<Request>> {
        let gate = self.gate(guild);
        let on = |channel: &Channel| {
            let body = json!({"permissionOverwrites": gate});
            request(Method::PATCH, format!("/channels/{}", channel.id), body)
        };
        if self.rng.one_in(2) {
            return Some(vec![on(self.rng.pick(guild.rooms())?)]);
        }
        let category = self.category(guild)?;
        let synced = self.rng.one_in(2);
        let children = guild
            .channels
            .iter()
            .filter(|child| synced && child.parent_id == Some(category.id));
        Some([category].into_iter().chain(children).map(on).collect())
    }

    fn category<'a>(&mut self, guild: &'a Guild) -> Option<&'a Channel> {
        self.rng.pick(
            guild
                .channels
                .iter()
                .filter(|channel| channel.is_category()),
        )
    }

    /// From the bot itself.
    fn hide_or_show(&mut self, guild: &Guild) -> Option<Request> {
        let hidden = |channel: &Channel| {
            channel
                .permission_overwrites
                .iter()
                .any(|one| one.id.0 == self.scene.bot.0)
        };
        let back = guild.rooms().find(|room| hidden(room));
        let room = match back {
            Some(room) => room,
            None => self.rng.pick(guild.rooms())?,
        };
        let body = json!({"kind": "obfuscate", "channelId": room.id, "over": back.is_some()});
        Some(post("/faults".to_owned(), body))
    }

    fn owner(&mut self, guild: &Guild) -> Option<Request> {
        let body = json!({"ownerId": self.person(guild)?});
        Some(request(
            Method::PATCH,
            format!("/guilds/{}", guild.id),
            body,
        ))
    }

    /// A viewer goes, or comes back.
    fn membership(&mut self, guild: &Guild) -> Option<Request> {
        if !self.members {
            return None;
        }
        let away: Vec<UserId> = self
            .scene
            .viewers
            .iter()
            .copied()
            .filter(|viewer| !guild.has(*viewer))
            .collect();
        if let Some(viewer) = self.rng.pick(away) {
            let role = self.role(guild).filter(|_| self.rng.one_in(2));
            let body = json!({"userId": viewer, "roles": role.into_iter().collect::<Vec<_>>()});
            return Some(post(format!("/guilds/{}/members", guild.id), body));
        }
        let viewer = self
            .viewer(guild)
            .filter(|viewer| *viewer != guild.owner_id)?;
        let how = self.rng.choose(&["leave", "kick", "ban"]);
        let path = format!("/guilds/{}/members/{viewer}?how={how}", guild.id);
        Some(request(Method::DELETE, path, json!({})))
    }

    /// Which takes nothing of what somebody sees.
    fn time_out(&mut self, guild: &Guild) -> Option<Request> {
        let viewer = self.viewer(guild).filter(|_| self.members)?;
        let until = self
            .rng
            .pick([None, Some("2099-01-01T00:00:00Z")])
            .flatten();
        let path = format!("/guilds/{}/members/{viewer}", guild.id);
        Some(request(Method::PATCH, path, json!({"timeoutUntil": until})))
    }

    fn rename(&mut self, guild: &Guild) -> Option<Request> {
        let user_id = self.person(guild).filter(|_| self.names)?;
        let name = format!("Name {}", self.id());
        let path = format!("/guilds/{}/members/{user_id}", guild.id);
        Some(if self.rng.one_in(2) {
            request(Method::PATCH, path, json!({"nick": name}))
        } else {
            request(
                Method::PATCH,
                format!("/users/{user_id}"),
                json!({"globalName": name}),
            )
        })
    }

    fn rename_guild(&mut self, guild: &Guild) -> Request {
        let body = json!({"name": format!("Guild {}", self.id())});
        request(Method::PATCH, format!("/guilds/{}", guild.id), body)
    }

    fn lose_guild(&mut self, guild: &Guild) -> Option<Request> {
        let bot = self.scene.bot;
        let path = format!("/guilds/{}/members/{bot}?how=kick", guild.id);
        (guild.available && self.rng.one_in(2)).then(|| request(Method::DELETE, path, json!({})))
    }

    /// Where a role stands decides nothing of what is seen.
    fn place_role(&mut self, guild: &Guild) -> Option<Request> {
        let role = self.role(guild)?;
        let path = format!("/guilds/{}/roles", guild.id);
        let body = json!([{"id": role, "position": self.rng.between(1, 5)}]);
        Some(rest(request(Method::PATCH, path, body)))
    }

    /// Rooms of the house's own.
    fn command(&mut self, guild: &Guild) -> Option<Request> {
        let viewer = usize::try_from(self.rng.between(0, 5)).expect("a few");
        let room = self.rng.pick(guild.rooms())?.id;
        let (name, body) = match self.rng.between(0, 4) {
            0 | 1 => {
                let name = format!("Ours {}", self.id());
                (
                    "createRoom",
                    json!({"guildId": guild.id, "name": name, "private": self.rng.one_in(2)}),
                )
            }
            2 => (
                "lockRoom",
                json!({"channelId": room, "locked": self.rng.one_in(2)}),
            ),
            3 => (
                "hideRoom",
                json!({"channelId": room, "hidden": self.rng.one_in(2)}),
            ),
            _ => ("closeRoom", json!({"channelId": room})),
        };
        Some(Request {
            via: Via::House(viewer),
            ..post(name.to_owned(), body)
        })
    }
}

/// A guild goes out of service, or is back.
pub(crate) fn outage(guild: &Guild, over: bool) -> Request {
    let body = json!({"kind": "outage", "guildId": guild.id, "over": over});
    post("/faults".to_owned(), body)
}

/// The name of a guild, by which it is known that all before has been told.
pub(crate) fn mark(guild: GuildId, name: &str) -> Request {
    request(
        Method::PATCH,
        format!("/guilds/{guild}"),
        json!({"name": name}),
    )
}

fn overwrites(channel: &Channel) -> Vec<Value> {
    let one = |one: &crate::oracle::discord_state::Overwrite| {
        let (allow, deny) = (one.allow.0.to_string(), one.deny.0.to_string());
        json!({"id": one.id, "type": one.kind, "allow": allow, "deny": deny})
    };
    channel.permission_overwrites.iter().map(one).collect()
}

fn one(request: Option<Request>) -> Option<Vec<Request>> {
    request.map(|request| vec![request])
}

fn rest(request: Request) -> Request {
    Request {
        via: Via::Rest,
        ..request
    }
}

fn post(path: String, body: Value) -> Request {
    request(Method::POST, path, body)
}

fn request(method: Method, path: String, body: Value) -> Request {
    Request {
        via: Via::Control,
        method,
        path,
        body,
    }
}
