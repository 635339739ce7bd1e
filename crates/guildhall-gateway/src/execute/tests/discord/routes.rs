//! What the false Discord does with each request, and answers.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use guildhall_model::guild::{Overwrite, OverwriteTarget};
use guildhall_ports::Clock;
use serde_json::json;

use super::*;

/// A body, or a refusal with its code.
type Did = Result<Value, (u16, Value)>;

pub(super) async fn answer(
    State((state, changed)): State<Discord>,
    method: Method,
    Path(path): Path<String>,
    body: Bytes,
) -> Response {
    let (reaction, did) = {
        let mut state = state.lock();
        state.requests += 1;
        if method == Method::GET {
            let answer = if state.blind > 0 {
                state.blind -= 1;
                refused(403, 50_013)
            } else {
                state.read(&path)
            };
            drop(state);
            changed.send_modify(|seq| *seq += 1);
            return respond(answer);
        }
        state.acts.push(format!("{method} {path}"));
        let reaction = state.script.pop_front().unwrap_or(Reaction::Pass);
        let done = match &reaction {
            Reaction::Pass => true,
            Reaction::Answer { done, .. } | Reaction::Hang { done } => *done,
            Reaction::Late => false,
        };
        let mut did = Ok(json!({}));
        if done {
            let before = state.guild.clone();
            did = state.apply(&method, &path, &body);
            state.tell_since(&before);
        } else if matches!(reaction, Reaction::Late) {
            state.late.push(LateRequest { method, path, body });
        }
        (reaction, did)
    };
    changed.send_modify(|seq| *seq += 1);
    match reaction {
        Reaction::Pass => respond(did),
        Reaction::Hang { .. } | Reaction::Late => std::future::pending().await,
        Reaction::Answer {
            status,
            body,
            retry_after,
            ..
        } => {
            let status = StatusCode::from_u16(status).expect("a status");
            let mut response = (status, body.to_string()).into_response();
            if let Some(seconds) = retry_after {
                let headers = response.headers_mut();
                let seconds = seconds.to_string().parse().expect("a number");
                headers.insert("retry-after", seconds);
                headers.insert("x-ratelimit-bucket", "renames".parse().expect("a name"));
            }
            response
        }
    }
}

fn respond(did: Did) -> Response {
    match did {
        Ok(body) => (StatusCode::OK, body.to_string()).into_response(),
        Err((status, body)) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, body.to_string()).into_response()
        }
    }
}

fn refused(status: u16, code: u64) -> Did {
    Err((status, json!({"code": code, "message": "no"})))
}

fn id(text: &str) -> u64 {
    text.parse().expect("an id")
}

fn bits(value: &Value) -> Permissions {
    Permissions(value.as_str().map_or(0, id))
}

fn overwrite(id: u64, body: &Value) -> Overwrite {
    Overwrite {
        target: match body["type"].as_u64() {
            Some(0) => OverwriteTarget::Role(RoleId(id)),
            _ => OverwriteTarget::Member(UserId(id)),
        },
        allow: bits(&body["allow"]),
        deny: bits(&body["deny"]),
    }
}

impl DiscordState {
    pub(super) fn does_at_last(&mut self) {
        for LateRequest { method, path, body } in std::mem::take(&mut self.late) {
            let before = self.guild.clone();
            // Nobody hears what came of it.
            let _unheard = self.apply(&method, &path, &body);
            self.tell_since(&before);
        }
    }

    fn apply(&mut self, method: &Method, path: &str, body: &[u8]) -> Did {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        match (method.as_str(), &parts[..]) {
            ("PATCH", ["guilds", _, "members", user]) => self.moves(UserId(id(user)), &body),
            // It is all the same to commands whether somebody was one before.
            ("PUT", ["guilds", _, "members", _]) => Ok(json!({})),
            ("POST", ["guilds", _, "channels"]) => self.makes_channel(&body),
            ("POST", ["guilds", _, "roles"]) => {
                let role = RoleId(self.next_id());
                let name = body["name"].as_str().expect("a name").to_owned();
                self.guild.roles.insert(role, bits(&body["permissions"]));
                self.role_names.insert(role, name.clone());
                self.did(true, format!("role {name}"));
                Ok(json!({"id": role, "name": name}))
            }
            ("DELETE", ["guilds", _, "roles", role]) => {
                let role = RoleId(id(role));
                self.role_names.remove(&role);
                let there = self.guild.roles.remove(&role).is_some();
                for membership in self.guild.memberships.values_mut() {
                    if let Membership::Member { roles, .. } = membership {
                        roles.retain(|one| *one != role);
                    }
                }
                self.did(there, "role gone".to_owned());
                if there {
                    Ok(json!({}))
                } else {
                    refused(404, 10_011)
                }
            }
            (how, ["guilds", _, "members", user, "roles", role]) => {
                let (user, role) = (UserId(id(user)), RoleId(id(role)));
                if !self.guild.roles.contains_key(&role) {
                    return refused(404, 10_011);
                }
                let Some(Membership::Member { roles, .. }) = self.guild.memberships.get_mut(&user)
                else {
                    return refused(404, 10_007);
                };
                roles.retain(|one| *one != role);
                if how == "PUT" {
                    roles.push(role);
                }
                Ok(json!({}))
            }
            ("PUT", ["channels", room, "voice-status"]) => {
                self.did(true, format!("{room} says {}", body["status"]));
                Ok(json!({}))
            }
            ("POST", ["channels", room, "messages"]) => {
                let room = ChannelId(id(room));
                if !self.guild.rooms.contains_key(&room) {
                    return refused(404, 10_003);
                }
                let says = body["content"].as_str().expect("text").to_owned();
                self.messages.push((room, says));
                Ok(json!({}))
            }
            ("DELETE", ["channels", room]) => self.deletes_channel(ChannelId(id(room))),
            (how, ["channels", room, "permissions", target]) => {
                self.overwrites(how, ChannelId(id(room)), id(target), &body)
            }
            ("PATCH", ["channels", room]) => self.modifies(ChannelId(id(room)), &body),
            _ => panic!("no such route: {method} {path}"),
        }
    }

    fn moves(&mut self, user_id: UserId, body: &Value) -> Did {
        let Some(was) = self.guild.voice.get(&user_id).map(|there| there.channel_id) else {
            return refused(400, 40_032);
        };
        let to = body["channel_id"].as_str().map(|to| ChannelId(id(to)));
        if to.is_some_and(|to| !self.guild.rooms.contains_key(&to)) {
            return refused(404, 10_003);
        }
        match to {
            Some(room) => _ = self.guild.voice.insert(user_id, occupant(user_id, room)),
            None => _ = self.guild.voice.remove(&user_id),
        }
        let says = to.map_or("out".to_owned(), |room| format!("in {room}"));
        self.did(Some(was) != to, format!("{user_id} {says}"));
        Ok(json!({}))
    }

    fn makes_channel(&mut self, body: &Value) -> Did {
        let parent_id = body["parent_id"].as_str().map(|it| ChannelId(id(it)));
        if parent_id.is_some_and(|parent| self.full.contains(&parent)) {
            let error = json!({"code": "CHANNEL_PARENT_MAX_CHANNELS", "message": "full"});
            let errors = json!({"parent_id": {"_errors": [error]}});
            return Err((
                400,
                json!({"code": 50_035, "message": "no", "errors": errors}),
            ));
        }
        let channel_id = ChannelId(self.next_id());
        let mut made = room(channel_id);
        made.info.name = body["name"].as_str().expect("a name").to_owned();
        made.info.parent_id = parent_id;
        let limit = body["user_limit"].as_u64().expect("a limit");
        made.info.user_limit = u32::try_from(limit).expect("small");
        let overwrites = body["permission_overwrites"].as_array().expect("a list");
        let overwrites = overwrites.iter();
        let read = |one: &Value| overwrite(id(one["id"].as_str().expect("an id")), one);
        made.rights.overwrites = overwrites.map(read).collect();
        self.did(true, format!("room {}", made.info.name));
        self.guild.rooms.insert(channel_id, made);
        Ok(json!({"id": channel_id, "type": 2}))
    }

    /// The same, by hand.
    pub(super) fn deletes(&mut self, channel_id: ChannelId) {
        let before = self.guild.clone();
        let _gone = self.deletes_channel(channel_id);
        self.tell_since(&before);
    }

    /// A role of a room's, by hand.
    pub(super) fn deletes_role(&mut self, role_id: RoleId) {
        let before = self.guild.clone();
        let path = format!("guilds/{GUILD}/roles/{role_id}");
        let _gone = self.apply(&Method::DELETE, &path, b"");
        self.tell_since(&before);
    }

    fn deletes_channel(&mut self, channel_id: ChannelId) -> Did {
        if self.guild.rooms.remove(&channel_id).is_none() {
            return refused(404, 10_003);
        }
        self.guild
            .voice
            .retain(|_, there| there.channel_id != channel_id);
        self.messages.retain(|(room, _)| *room != channel_id);
        self.did(true, format!("{channel_id} gone"));
        Ok(json!({}))
    }

    fn overwrites(&mut self, how: &str, channel_id: ChannelId, target: u64, body: &Value) -> Did {
        let Some(room) = self.guild.rooms.get_mut(&channel_id) else {
            return refused(404, 10_003);
        };
        let is_of = |one: &Overwrite| match one.target {
            OverwriteTarget::Role(RoleId(id)) | OverwriteTarget::Member(UserId(id)) => id == target,
        };
        let wished = overwrite(target, body);
        if how == "PUT"
            && let OverwriteTarget::Role(role) = wished.target
            && !self.guild.roles.contains_key(&role)
        {
            return refused(404, 10_011);
        }
        let there = &mut room.rights.overwrites;
        there.retain(|one| !is_of(one));
        if how == "PUT" {
            there.push(wished);
        }
        Ok(json!({}))
    }

    fn modifies(&mut self, id: ChannelId, body: &Value) -> Did {
        let Some(room) = self.guild.rooms.get_mut(&id) else {
            return refused(404, 10_003);
        };
        if let Some(name) = body["name"].as_str() {
            let was = std::mem::replace(&mut room.info.name, name.to_owned());
            self.did(was != name, format!("{id} is {name}"));
        } else if let Some(limit) = body["user_limit"].as_u64() {
            let limit = u32::try_from(limit).expect("small");
            let was = std::mem::replace(&mut room.info.user_limit, limit);
            self.did(was != limit, format!("{id} holds {limit}"));
        }
        Ok(json!({}))
    }

    /// What changes nothing is not counted: it may be asked for as often as one likes.
    fn did(&mut self, changed: bool, what: String) {
        if changed {
            self.done.push(what);
        }
    }

    /// As Discord counts: its clock is in each id.
    pub(super) fn next_id(&mut self) -> u64 {
        let now = SystemClock.now() - 1_420_070_400_000;
        self.last_id = (self.last_id + 1).max(now << 22);
        self.last_id
    }

    fn read(&self, path: &str) -> Did {
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["channels", room] => {
                let Some(room) = self.guild.rooms.get(&ChannelId(id(room))) else {
                    return refused(404, 10_003);
                };
                let (id, info) = (room.info.channel_id, &room.info);
                Ok(json!({"id": id, "name": info.name, "user_limit": info.user_limit}))
            }
            ["guilds", _, "channels"] => {
                let rooms = self.guild.rooms.values().map(listed);
                Ok(rooms.collect())
            }
            ["guilds", _, "roles"] => {
                let roles = self.role_names.iter();
                let role = |(id, name): (&RoleId, &String)| json!({"id": id, "name": name});
                Ok(roles.map(role).collect())
            }
            ["guilds", _, "members", user] => {
                // Whoever was let in is one, too.
                let let_in = format!("PUT {path}");
                match self.guild.memberships.get(&UserId(id(user))) {
                    Some(Membership::Member { roles, .. }) => Ok(json!({"roles": roles})),
                    _ if self.acts.contains(&let_in) => Ok(json!({"roles": []})),
                    _ => refused(404, 10_007),
                }
            }
            ["guilds", _, "voice-states", user] => match self.guild.voice.get(&UserId(id(user))) {
                Some(there) => Ok(json!({"channel_id": there.channel_id})),
                None => refused(404, 10_065),
            },
            _ => panic!("no such route: {path}"),
        }
    }
}

fn listed(room: &Room) -> Value {
    let overwrites = room.rights.overwrites.iter().map(|one| {
        let (id, kind) = match one.target {
            OverwriteTarget::Role(RoleId(id)) => (id, 0),
            OverwriteTarget::Member(UserId(id)) => (id, 1),
        };
        json!({"id": id.to_string(), "type": kind, "allow": one.allow, "deny": one.deny})
    });
    json!({
        "id": room.info.channel_id, "type": 2, "name": room.info.name,
        "user_limit": room.info.user_limit, "parent_id": room.info.parent_id,
        "permission_overwrites": overwrites.collect::<Vec<Value>>(),
    })
}
