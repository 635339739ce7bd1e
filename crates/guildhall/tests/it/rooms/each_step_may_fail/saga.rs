//! What is done to rooms, each on a room of its own.

use std::cell::RefCell;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::fault::Step;

use crate::{
    commands::{
        stage::room_of,
        teller::{Answer, Teller, is_worth_another_try},
    },
    house::{SOON, retry},
    rooms::{
        stage::{LOBBY, Stage},
        truth::{self, CHANNEL_DELETE},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saga {
    Create,
    Join,
    Lock,
    Hide,
    Block,
    Kick,
    Unblock,
    Transfer,
    Close,
    Lobby,
    Idle,
}

/// Who and what one of them is about.
pub(super) struct Scene {
    pub(super) number: usize,
    owner: Teller,
    guest: Teller,
    /// None yet where it is to be made.
    room: Option<String>,
    /// An invite with one seat.
    token: Option<String>,
    /// What it was answered at first.
    answer: RefCell<Option<Answer>>,
}

impl Saga {
    /// Those that lead to other requests where a room has a role.
    pub(super) const WITH_ROLES: [Self; 8] = [
        Self::Create,
        Self::Join,
        Self::Block,
        Self::Kick,
        Self::Transfer,
        Self::Close,
        Self::Lobby,
        Self::Idle,
    ];
    pub(super) const ALL: [Self; 11] = [
        Self::Create,
        Self::Join,
        Self::Lock,
        Self::Hide,
        Self::Block,
        Self::Kick,
        Self::Unblock,
        Self::Transfer,
        Self::Close,
        Self::Lobby,
        Self::Idle,
    ];

    /// As RPC calls it; what nobody asks for has no name there.
    fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Create => "createRoom",
            Self::Join => "joinRoom",
            Self::Lock => "lockRoom",
            Self::Hide => "hideRoom",
            Self::Block => "blockFromRoom",
            Self::Kick => "kickFromRoom",
            Self::Unblock => "unblockFromRoom",
            Self::Transfer => "transferRoom",
            Self::Close => "closeRoom",
            Self::Lobby | Self::Idle => return None,
        })
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Lobby => "a lobby is joined",
            Self::Idle => "a room is idle",
            named => named.name().unwrap_or_default(),
        }
    }

    /// What the house is told, beside how rooms are kept.
    pub(super) fn settings(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Lobby => {
                let lobby = json!([{"channel": LOBBY, "template": "{name}", "idle": "60s"}]);
                vec![("LOBBIES", lobby.to_string())]
            }
            Self::Idle => vec![("ROOM_IDLE", "1s".to_owned())],
            _ => Vec::new(),
        }
    }

    /// Everything that has to be so before it.
    pub(super) async fn set_up(self, stage: &Stage, number: usize) -> Scene {
        let owner = stage.person(&format!("owner{number}")).await;
        let guest = stage.person(&format!("guest{number}")).await;
        let mut scene = Scene {
            number,
            owner,
            guest,
            room: None,
            token: None,
            answer: RefCell::default(),
        };
        let elsewhere = stage.house.discord.rooms[0].clone();
        if matches!(self, Self::Create | Self::Lobby | Self::Idle) {
            return scene;
        }
        let open = matches!(self, Self::Lock | Self::Hide);
        let body = json!({"guildId": stage.guild(), "name": scene.name(), "private": !open});
        let made = stage.done(&scene.owner, "createRoom", &body).await;
        let room = truth::text(&made.body["channelId"]);
        let invited = matches!(self, Self::Join | Self::Block | Self::Kick | Self::Unblock);
        if invited {
            let token = stage
                .invite(&scene.owner, &room, &json!({"singleUse": true}))
                .await;
            stage.voice(&scene.guest.id, Some(&elsewhere)).await;
            if self != Self::Join {
                let come = json!({"token": token});
                stage.done(&scene.guest, "joinRoom", &come).await;
            }
            scene.token = Some(token);
        }
        if self == Self::Unblock {
            let whom = json!({"channelId": room, "userId": scene.guest.id});
            stage.done(&scene.owner, "blockFromRoom", &whom).await;
        }
        scene.room = Some(room);
        scene
    }

    /// Whoever does it.
    fn who(self, scene: &Scene) -> &Teller {
        match self {
            Self::Join => &scene.guest,
            _ => &scene.owner,
        }
    }

    fn body(self, stage: &Stage, scene: &Scene) -> Value {
        let room = &scene.room;
        match self {
            Self::Create => json!({"guildId": stage.guild(), "name": scene.name()}),
            Self::Join => json!({"token": scene.token}),
            Self::Lock => json!({"channelId": room, "locked": true}),
            Self::Hide => json!({"channelId": room, "hidden": true}),
            Self::Block | Self::Kick | Self::Unblock | Self::Transfer => {
                json!({"channelId": room, "userId": scene.guest.id})
            }
            Self::Close | Self::Lobby | Self::Idle => json!({"channelId": room}),
        }
    }

    /// Begins it; where nothing is decided by the answer it is asked for again later.
    pub(super) async fn begin(self, stage: &Stage, scene: &Scene) {
        match self.name() {
            Some(name) => {
                let body = self.body(stage, scene);
                let key = scene.key();
                let who = self.who(scene);
                let answer = who.give(&stage.house, name, Some(&key), &body).await;
                scene.answer.replace(Some(answer));
            }
            None if self == Self::Lobby => {
                stage
                    .house
                    .discord
                    .voice(&scene.owner.id, Some(LOBBY))
                    .await;
            }
            None => {
                let body = json!({"guildId": stage.guild(), "name": scene.name()});
                stage.done(&scene.owner, "createRoom", &body).await;
            }
        }
    }

    /// Somebody takes away in Discord what a request is about to take away.
    pub(super) async fn take_away(self, stage: &Stage, scene: &Scene, step: &Step) {
        let truth = stage.truth().await;
        let mut paths = Vec::new();
        for room in truth::rooms(&stage.before, &truth) {
            paths.push(match step.route.as_str() {
                "DELETE /channels/{channel_id}" => format!("/sim/channels/{room}"),
                "DELETE /channels/{channel_id}/permissions/{overwrite_id}" => {
                    format!("/sim/channels/{room}/permissions/{}", scene.guest.id)
                }
                _ => continue,
            });
        }
        for role in truth::roles(&stage.before, &truth) {
            let (role, guest) = (truth::text(&role["id"]), &scene.guest.id);
            paths.push(match step.route.as_str() {
                "DELETE /guilds/{guild_id}/roles/{role_id}" => format!("/sim/roles/{role}"),
                "DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}" => {
                    format!("/sim/guilds/{}/members/{guest}/roles/{role}", stage.guild())
                }
                _ => continue,
            });
        }
        assert!(!paths.is_empty(), "nothing is there for {step:?}");
        for path in paths {
            stage.delete(&path).await;
        }
    }

    /// Waits for its end, and looks that it is what was told. Answers with that in a word.
    pub(super) async fn end(self, stage: &Stage, scene: &Scene) -> String {
        let Some(name) = self.name() else {
            return match self {
                Self::Lobby => lobby_ends(stage, scene).await,
                _ => idle_ends(stage, scene).await,
            };
        };
        let body = self.body(stage, scene);
        let who = self.who(scene);
        let first = scene.answer.take();
        let answer = match first.filter(|answer| !is_worth_another_try(answer)) {
            Some(answer) => answer,
            None => stage.insist(who, name, &scene.key(), &body).await,
        };
        let truth = stage.until_tidy().await;
        let (status, word) = answer.told();
        let is_so = self.is_so(stage, scene, &truth).await;
        // Of a room that is gone no key is remembered.
        let is_gone = self == Self::Close && answer.told() == (404, "not_found");
        if status == 200 || is_gone {
            assert!(is_so, "{self:?} was done and is not so: {answer:?}");
        } else if !is_unknown(&answer) {
            assert!(!is_so, "{self:?} is so and was refused: {answer:?}");
            self.is_as_before(stage, scene, &truth).await;
        }
        word.to_owned()
    }

    /// Whether all of it is so.
    async fn is_so(self, stage: &Stage, scene: &Scene, truth: &Value) -> bool {
        let Scene { owner, guest, .. } = scene;
        let room = scene.room.clone().unwrap_or_default();
        let told = managed(stage, &room).await;
        match self {
            Self::Create => {
                let room = truth::room_named(&stage.before, truth, &scene.name());
                room.is_some_and(|room| truth::gets_in(truth, &owner.id, &room))
            }
            Self::Join => {
                truth::gets_in(truth, &guest.id, &room)
                    && room_of(truth, &guest.id).as_deref() == Some(room.as_str())
            }
            Self::Lock => told["locked"] == true && !truth::gets_in(truth, &guest.id, &room),
            Self::Hide => told["hidden"] == true && !truth::sees(truth, &guest.id, &room),
            Self::Block | Self::Kick => {
                !truth::gets_in(truth, &guest.id, &room) && room_of(truth, &guest.id).is_none()
            }
            Self::Unblock => !denies(truth, &room, &guest.id),
            Self::Transfer => {
                told["ownerId"] == guest.id && truth::gets_in(truth, &guest.id, &room)
            }
            Self::Close => truth::channel(truth, &room).is_none(),
            Self::Lobby | Self::Idle => true,
        }
    }

    /// What was refused has left nothing behind, half of it neither.
    async fn is_as_before(self, stage: &Stage, scene: &Scene, truth: &Value) {
        let guest = &scene.guest.id;
        let room = scene.room.clone().unwrap_or_default();
        let told = managed(stage, &room).await;
        let so = match self {
            Self::Create => truth::room_named(&stage.before, truth, &scene.name()).is_none(),
            Self::Join => {
                !truth::gets_in(truth, guest, &room) && self.seat_is_free(stage, scene).await
            }
            Self::Lock => told["locked"] == false && truth::gets_in(truth, guest, &room),
            Self::Hide => told["hidden"] == false && truth::sees(truth, guest, &room),
            Self::Block | Self::Kick => truth::gets_in(truth, guest, &room),
            Self::Unblock => denies(truth, &room, guest),
            Self::Transfer | Self::Close => told["ownerId"] == scene.owner.id,
            Self::Lobby | Self::Idle => true,
        };
        assert!(so, "{self:?} was refused, and this is left of it: {told}");
    }

    /// Somebody else takes the one seat of the invite.
    async fn seat_is_free(self, stage: &Stage, scene: &Scene) -> bool {
        let next = stage.person(&format!("next{}", scene.number)).await;
        let answer = stage
            .give(&next, "joinRoom", &json!({"token": scene.token}))
            .await;
        answer.status == 200
    }

    /// Takes down what is left of the scene.
    pub(super) async fn clear(self, stage: &Stage, scene: &Scene) {
        for who in [&scene.owner, &scene.guest] {
            stage.house.discord.voice(&who.id, None).await;
        }
        stage.close_all().await;
    }
}

impl Scene {
    fn name(&self) -> String {
        format!("Table {}", self.number)
    }

    fn key(&self) -> String {
        format!("scene-{}", self.number)
    }
}

/// Whether nobody claims to know what became of it.
fn is_unknown(answer: &Answer) -> bool {
    answer.told() == (502, "unknown")
}

async fn managed(stage: &Stage, room: &str) -> Value {
    let managed = stage.managed().await.into_iter();
    let mut of = managed.filter(|one| one["channelId"] == room);
    of.next().unwrap_or(Value::Null)
}

/// Whether somebody is kept out of a room by name.
fn denies(truth: &Value, room: &str, user: &str) -> bool {
    let channel = truth::channel(truth, room).map_or(&[][..], truth::overwrites);
    let denies = |one: &Value| one["deny"].as_str().is_some_and(|bits| bits != "0");
    channel.iter().any(|one| one["id"] == user && denies(one))
}

/// Either they are in a room of their own, or they are where they were and know why.
async fn lobby_ends(stage: &Stage, scene: &Scene) -> String {
    let who = &scene.owner.id;
    let ended = |truth: &Value| {
        let rooms = truth::rooms(&stage.before, truth);
        match room_of(truth, who) {
            Some(room) if room == LOBBY => {
                let told = truth::said(truth, LOBBY).into_iter();
                rooms.is_empty() && told.filter(|text| text.contains(who)).count() == 1
            }
            Some(room) => rooms == [room],
            None => false,
        }
    };
    stage
        .until_within("the lobby's guest is somewhere", 3 * SOON, ended)
        .await;
    // The message comes last, where it comes; without it nothing says that this is the end.
    let said = |truth: &Value| match room_of(truth, who) {
        Some(room) => room == LOBBY || !truth::said(truth, &room).is_empty(),
        None => false,
    };
    let told = async {
        while !said(&stage.truth().await) {
            retry().await;
        }
    };
    // That it never comes is as good.
    drop(timeout(SOON, told).await);
    let truth = stage.until_tidy().await;
    assert!(ended(&truth), "it did not last");
    let room = room_of(&truth, who).expect("they are somewhere");
    if room == LOBBY {
        return "told why not".to_owned();
    }
    let said = truth::said(&truth, &room).len();
    assert!(said <= 1, "it was said {said} times");
    format!("in their room, {said} message")
}

/// It is gone, and was deleted once.
async fn idle_ends(stage: &Stage, scene: &Scene) -> String {
    let gone = |truth: &Value| {
        truth::rooms(&stage.before, truth).is_empty()
            && truth::roles(&stage.before, truth).is_empty()
    };
    stage
        .until_within("the idle room is gone", 4 * SOON, gone)
        .await;
    let truth = stage.until_tidy().await;
    let name = scene.name();
    let entries = truth::list(&truth, "auditLog").iter();
    let deleted = entries.filter(|one| {
        let mut changes = one["changes"].as_array().into_iter().flatten();
        one["action_type"] == CHANNEL_DELETE && changes.any(|change| change["old_value"] == *name)
    });
    assert_eq!(deleted.count(), 1, "it was deleted once");
    "deleted once".to_owned()
}
