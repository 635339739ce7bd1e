//! What people do in a run: one act at a time, drawn at random from all that can be done now.

use std::collections::VecDeque;

use guildhall_model::{ChannelId, GuildId, RoleId, UserId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    rng::Rng,
    simulator_state::{Channel, Guild, SimulatorState},
};

const VIEW: u64 = 1 << 10;
/// View, connect, and everything.
const RIGHTS: [u64; 4] = [0, VIEW, VIEW | 1 << 20, 1 << 3];
const NAMES: [&str; 8] = [
    "Attic", "Bridge", "Cave", "Dome", "Eyrie", "Forge", "Garden", "Harbour",
];

/// Something to ask of the simulator.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// Chooses acts. The ids of what it makes are its own, so that they are the same each time.
#[derive(Debug)]
pub(crate) struct ActGenerator {
    pub(crate) rng: Rng,
    next_id: u64,
    /// Guilds that were deleted: they may be made again.
    gone: Vec<GuildId>,
    /// Independent events may come in another order.
    reorder: bool,
    /// What follows at once on what was done last.
    next: VecDeque<Request>,
}

impl ActGenerator {
    pub(crate) fn new(rng: Rng, reorder: bool) -> Self {
        Self {
            reorder,
            next: VecDeque::new(),
            rng,
            next_id: 1_600_000_000_000_000_000,
            gone: Vec::new(),
        }
    }

    /// The next act.
    pub(crate) fn choose(&mut self, state: &SimulatorState) -> Request {
        if let Some(request) = self.next.pop_front() {
            return request;
        }
        loop {
            if let Some(request) = self.try_one(state) {
                return request;
            }
        }
    }

    fn try_one(&mut self, state: &SimulatorState) -> Option<Request> {
        let bot = state.application.id;
        let what = self.rng.between(0, 99);
        if what >= 98 {
            return self.guilds(state);
        }
        let guild = self.rng.pick(state.bridged())?;
        match what {
            0..=29 => self.come(guild, bot),
            30..=39 => self.go(guild),
            40..=53 => self.flags(guild),
            54..=58 => stamp(guild),
            61 | 62 if self.reorder => self.come_early(guild, bot),
            59..=62 => self.create_channel(guild),
            63..=68 => self.edit_channel(guild),
            69..=71 => self.delete_channel(guild),
            72..=75 => self.overwrite(guild, bot),
            76..=79 => self.hide_or_show(guild, bot),
            80..=83 => self.role(guild),
            84..=87 => self.roles_of(guild, bot),
            88..=90 => self.membership(state, guild, bot),
            91..=93 => self.rename(guild, bot),
            94 | 95 => self.guild_itself(guild, bot),
            _ => Some(outage(guild, !guild.available)),
        }
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn name(&mut self) -> String {
        let name = self.rng.choose(&NAMES);
        format!("{name} {}", self.rng.between(1, 99))
    }

    fn person(&mut self, guild: &Guild, bot: UserId) -> Option<UserId> {
        let people = guild.members.iter().map(|member| member.user_id);
        self.rng.pick(people.filter(|user_id| *user_id != bot))
    }

    /// Joins, and moves of those who are in a room already.
    fn come(&mut self, guild: &Guild, bot: UserId) -> Option<Request> {
        let user_id = self.person(guild, bot)?;
        let room = self.rng.pick(guild.rooms())?;
        let mut body = json!({"userId": user_id, "channelId": room.id});
        if self.rng.one_in(4) {
            body["selfMute"] = json!(true);
        }
        Some(post(format!("/guilds/{}/voice", guild.id), body))
    }

    fn go(&mut self, guild: &Guild) -> Option<Request> {
        let voice_state = self.rng.pick(&guild.voice_states)?;
        let body = json!({"userId": voice_state.user_id, "channelId": null});
        Some(post(format!("/guilds/{}/voice", guild.id), body))
    }

    fn flags(&mut self, guild: &Guild) -> Option<Request> {
        const FLAGS: [&str; 7] = [
            "selfMute",
            "selfDeaf",
            "selfStream",
            "selfVideo",
            "mute",
            "deaf",
            "suppress",
        ];
        let voice_state = self.rng.pick(&guild.voice_states)?;
        let mut body = json!({"userId": voice_state.user_id});
        for _ in 0..self.rng.between(1, 3) {
            let flag = self.rng.choose(&FLAGS);
            body[flag] = json!(self.rng.one_in(2));
        }
        Some(post(format!("/guilds/{}/voice", guild.id), body))
    }

    fn create_channel(&mut self, guild: &Guild) -> Option<Request> {
        if guild.channels.len() > 24 {
            return None;
        }
        let kind = self.rng.choose(&[2, 2, 2, 13, 4, 0]);
        let parent = self.rng.pick(categories(guild)).filter(|_| kind != 4);
        let overwrites = if self.rng.one_in(4) {
            json!([{"id": guild.id, "type": 0, "allow": "0", "deny": VIEW.to_string()}])
        } else {
            json!([])
        };
        let body = json!({
            "id": self.id().to_string(), "name": self.name(), "type": kind,
            "parentId": parent, "userLimit": self.rng.between(0, 3),
            "permissionOverwrites": overwrites,
        });
        Some(post(format!("/guilds/{}/channels", guild.id), body))
    }

    /// Somebody is in a new room before Discord tells of it.
    fn come_early(&mut self, guild: &Guild, bot: UserId) -> Option<Request> {
        let user_id = self.person(guild, bot)?;
        let mut made = self.create_channel(guild)?;
        made.body["type"] = json!(2);
        made.body["userLimit"] = json!(0);
        let joined = json!({"userId": user_id, "channelId": made.body["id"]});
        let joined = post(format!("/guilds/{}/voice", guild.id), joined);
        self.next.extend([made, joined]);
        let swap = json!({"kind": "reorder", "times": 1, "withinMs": 200});
        Some(post("/faults".to_owned(), swap))
    }

    fn edit_channel(&mut self, guild: &Guild) -> Option<Request> {
        let channel = self.room_or_category(guild)?;
        let body = match self.rng.between(0, 3) {
            0 | 1 => json!({"name": self.name()}),
            2 if channel.is_category() => return None,
            2 => json!({"parentId": self.rng.pick(categories(guild))}),
            _ if channel.is_category() => json!({"position": self.rng.between(0, 40)}),
            _ => {
                json!({"position": self.rng.between(0, 40), "userLimit": self.rng.between(0, 9)})
            }
        };
        let path = format!("/channels/{}", channel.id);
        Some(request(Method::PATCH, path, body))
    }

    fn delete_channel(&mut self, guild: &Guild) -> Option<Request> {
        if guild.rooms().count() < 2 {
            return None;
        }
        let voice_state = self.rng.pick(&guild.voice_states);
        let channel_id = match voice_state {
            // One with people in it, as often as not.
            Some(voice_state) if self.rng.one_in(2) => voice_state.channel_id,
            _ => self.room_or_category(guild)?.id,
        };
        let path = format!("/channels/{channel_id}");
        Some(request(Method::DELETE, path, json!({})))
    }

    fn overwrite(&mut self, guild: &Guild, bot: UserId) -> Option<Request> {
        let channel = self.room_or_category(guild)?;
        let is_bots = |id: RoleId| id.0 == bot.0;
        let mut own = channel.permission_overwrites.iter();
        if self.rng.one_in(3) {
            let known = own.find(|one| !is_bots(one.id))?;
            let path = format!("/channels/{}/permissions/{}", channel.id, known.id);
            return Some(request(Method::DELETE, path, json!({})));
        }
        let role = self.rng.pick(&guild.roles).map(|role| (0, role.id.0));
        let member = self.person(guild, bot).map(|user_id| (1, user_id.0));
        let (kind, target) = if self.rng.one_in(3) { member } else { role }?;
        let (allow, deny) = self.rng.choose(&[(VIEW, 0), (0, VIEW), (0, 0)]);
        let body = json!({"type": kind, "allow": allow.to_string(), "deny": deny.to_string()});
        let path = format!("/channels/{}/permissions/{target}", channel.id);
        Some(request(Method::PUT, path, body))
    }

    /// From the bot itself.
    fn hide_or_show(&mut self, guild: &Guild, bot: UserId) -> Option<Request> {
        let channel = self.room_or_category(guild)?;
        let mut own = channel.permission_overwrites.iter();
        let hidden = own.any(|one| one.id.0 == bot.0);
        let body = json!({"kind": "obfuscate", "channelId": channel.id, "over": hidden});
        Some(post("/faults".to_owned(), body))
    }

    fn role(&mut self, guild: &Guild) -> Option<Request> {
        let permissions = self.rng.choose(&RIGHTS).to_string();
        match self.rng.between(0, 3) {
            0 if guild.roles.len() < 12 => {
                let body = json!({
                    "id": self.id().to_string(), "name": self.name(), "permissions": permissions,
                });
                Some(post(format!("/guilds/{}/roles", guild.id), body))
            }
            1 => {
                let others = guild.roles.iter().filter(|role| !role.managed);
                let others = others.filter(|role| role.id != guild.id.everyone());
                let role = self.rng.pick(others)?;
                let path = format!("/roles/{}", role.id);
                Some(request(Method::DELETE, path, json!({})))
            }
            _ => {
                let role = self.rng.pick(&guild.roles)?;
                let flipped = (role.permissions.0 ^ VIEW).to_string();
                let permissions = if self.rng.one_in(2) {
                    flipped
                } else {
                    permissions
                };
                let body = json!({"permissions": permissions});
                Some(request(Method::PATCH, format!("/roles/{}", role.id), body))
            }
        }
    }

    fn roles_of(&mut self, guild: &Guild, bot: UserId) -> Option<Request> {
        let user_id = self.person(guild, bot)?;
        let others = guild.roles.iter().filter(|role| !role.managed);
        let role = self
            .rng
            .pick(others.filter(|role| role.id != guild.id.everyone()))?;
        let has = guild.member(user_id)?.roles.contains(&role.id);
        let method = if has { Method::DELETE } else { Method::PUT };
        let path = format!("/guilds/{}/members/{user_id}/roles/{}", guild.id, role.id);
        Some(request(method, path, json!({})))
    }

    /// Somebody leaves the guild, or comes to it.
    fn membership(
        &mut self,
        state: &SimulatorState,
        guild: &Guild,
        bot: UserId,
    ) -> Option<Request> {
        if self.rng.one_in(2) {
            let user_id = self.person(guild, bot)?;
            let stays = user_id == guild.owner_id || Some(user_id) == guild.load_user_id;
            let how = self.rng.choose(&["leave", "kick", "ban"]);
            let path = format!("/guilds/{}/members/{user_id}?how={how}", guild.id);
            return (!stays).then(|| request(Method::DELETE, path, json!({})));
        }
        // A stamp renames a load user and tells only its own guild.
        let is_load = |id| state.guilds.iter().any(|one| one.load_user_id == Some(id));
        let people = state
            .users
            .iter()
            .filter(|user| !user.bot && !is_load(user.id));
        let user = self.rng.pick(people.filter(|user| !guild.has(user.id)))?;
        let body = json!({"userId": user.id});
        Some(post(format!("/guilds/{}/members", guild.id), body))
    }

    /// Of a person, everywhere or in one guild.
    fn rename(&mut self, guild: &Guild, bot: UserId) -> Option<Request> {
        let user_id = match self.rng.pick(&guild.voice_states) {
            Some(voice_state) if !self.rng.one_in(4) => voice_state.user_id,
            _ => self.person(guild, bot)?,
        };
        let name = self.name();
        Some(match self.rng.between(0, 3) {
            0 => {
                let body = json!({"username": name.to_lowercase()});
                request(Method::PATCH, format!("/users/{user_id}"), body)
            }
            1 => {
                let body = json!({"globalName": name});
                request(Method::PATCH, format!("/users/{user_id}"), body)
            }
            which => {
                let nick = (which == 2).then_some(name);
                let path = format!("/guilds/{}/members/{user_id}", guild.id);
                request(Method::PATCH, path, json!({"nick": nick}))
            }
        })
    }

    fn guild_itself(&mut self, guild: &Guild, bot: UserId) -> Option<Request> {
        let path = format!("/guilds/{}", guild.id);
        let body = if self.rng.one_in(2) {
            json!({"name": self.name()})
        } else {
            json!({"ownerId": self.person(guild, bot)?})
        };
        Some(request(Method::PATCH, path, body))
    }

    /// The bot loses a guild, or finds one.
    fn guilds(&mut self, state: &SimulatorState) -> Option<Request> {
        let bot = state.application.id;
        let without = |guild: &&Guild| !guild.has(bot);
        if let Some(guild) = state.guilds.iter().find(without) {
            let body = json!({"userId": bot});
            return Some(post(format!("/guilds/{}/members", guild.id), body));
        }
        if let Some(id) = self.gone.pop() {
            let body = json!({"id": id, "name": self.name()});
            return Some(post("/guilds".to_owned(), body));
        }
        let all = state.bridged().count();
        if all < 4 && self.rng.one_in(2) {
            let body = json!({"id": self.id().to_string(), "name": self.name()});
            return Some(post("/guilds".to_owned(), body));
        }
        let guild = self.rng.pick(state.bridged())?;
        if all < 2 || !guild.available {
            return None;
        }
        let path = if self.rng.one_in(2) {
            self.gone.push(guild.id);
            format!("/guilds/{}", guild.id)
        } else {
            format!("/guilds/{}/members/{bot}?how=kick", guild.id)
        };
        Some(request(Method::DELETE, path, json!({})))
    }

    fn room_or_category<'a>(&mut self, guild: &'a Guild) -> Option<&'a Channel> {
        let fit = |channel: &&Channel| channel.room_kind().is_some() || channel.is_category();
        self.rng.pick(guild.channels.iter().filter(fit))
    }
}

/// A guild goes out of service, or is back.
pub(crate) fn outage(guild: &Guild, over: bool) -> Request {
    let body = json!({"kind": "outage", "guildId": guild.id, "over": over});
    post("/faults".to_owned(), body)
}

/// The load user's mute and name change, by one dispatch.
fn stamp(guild: &Guild) -> Option<Request> {
    guild.voice_state(guild.load_user_id?)?;
    let user_id = guild.load_user_id?;
    let muted = guild.voice_state(user_id)?.flags().self_mute;
    let body = json!({"guildId": guild.id, "stamp": format!("stamp {} {muted}", guild.voice_states.len())});
    Some(post("/stamp".to_owned(), body))
}

fn categories(guild: &Guild) -> impl Iterator<Item = ChannelId> {
    let categories = guild.channels.iter().filter(|one| one.is_category());
    categories.map(|one| one.id)
}

fn post(path: String, body: Value) -> Request {
    request(Method::POST, path, body)
}

pub(crate) fn request(method: Method, path: String, body: Value) -> Request {
    Request { method, path, body }
}
