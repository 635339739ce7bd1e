//! A house in which rooms are made, and people who come to it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::truth;
use crate::{
    commands::{
        stage::member,
        teller::{Answer, Teller, is_worth_another_try},
    },
    house::{Discord, House, SOON, Stream, retry, until},
};

/// Categories and lobbies that the world is given before the house starts, so that settings can name
/// them.
pub(super) const PARENT: &str = "1500000000000000001";
pub(super) const SECOND_PARENT: &str = "1500000000000000002";
/// One of an id that Discord's clock gives in decades: ids are no times.
pub(super) const LOBBY: &str = "9000000000000000003";

/// A category of Discord's.
const CATEGORY: u64 = 4;

pub(super) struct Stage {
    pub(super) house: House,
    /// Discord before the house did anything.
    pub(super) before: Value,
    /// Whoever owns the guild sees every room, and may do everything.
    pub(super) moderator: Teller,
}

impl Stage {
    pub(super) async fn open(settings: &[(&str, &str)]) -> Self {
        Self::with(settings, async |_| {}).await
    }

    /// A house to whose Discord something happens before it starts.
    pub(super) async fn with(
        settings: &[(&str, &str)],
        happens: impl AsyncFnOnce(&Discord),
    ) -> Self {
        let mut all = vec![("ROOM_PARENTS", PARENT), ("ROOMS_MAX", "400")];
        all.retain(|(name, _)| settings.iter().all(|(other, _)| other != name));
        all.extend_from_slice(settings);
        // Many requests of few routes: what Discord makes wait is another test's.
        let flags = ["--interval", "bucket=50ms", "--interval", "global=50ms"];
        let house = House::simulated(&flags, &all, async |discord| {
            for (id, name, kind) in [
                (PARENT, "Rooms", CATEGORY),
                (SECOND_PARENT, "More Rooms", CATEGORY),
                (LOBBY, "Make a room", 2),
            ] {
                let made = json!({"id": id, "guildId": discord.guild, "name": name, "type": kind});
                discord.post("/sim/channels", &made).await;
            }
            happens(discord).await;
        })
        .await;
        let before = house.discord.state().await;
        let moderator = truth::text(&truth::guild(&before)["ownerId"]);
        let moderator = Teller::sign_in(&house, &moderator).await;
        Self {
            house,
            before,
            moderator,
        }
    }

    /// The first guild.
    pub(super) fn guild(&self) -> &str {
        &self.house.discord.guild
    }

    /// A new member who has signed in.
    pub(super) async fn person(&self, name: &str) -> Teller {
        let user = member(&self.house.discord, name, &[]).await;
        Teller::sign_in(&self.house, &user).await
    }

    /// The same with a role of these permissions.
    pub(super) async fn person_with(&self, name: &str, permissions: u64) -> Teller {
        let discord = &self.house.discord;
        let role =
            json!({"guildId": discord.guild, "name": name, "permissions": permissions.to_string()});
        let role = truth::text(&discord.post("/sim/roles", &role).await["id"]);
        let user = member(discord, name, &[&role]).await;
        Teller::sign_in(&self.house, &user).await
    }

    /// Somebody joins a room in Discord, or leaves, and Guildhall knows of it.
    pub(super) async fn voice(&self, user: &str, room: Option<&str>) {
        self.house.discord.voice(user, room).await;
        until("it is known who is where", async || {
            let shown = self.shown(&self.moderator).await;
            let members = |one: &Value| one["members"].as_array().cloned().unwrap_or_default();
            let is_in = |one: &&Value| members(one).iter().any(|member| member["userId"] == user);
            let there = shown.iter().find(is_in).map(|one| &one["channelId"]);
            there.and_then(Value::as_str) == room
        })
        .await;
    }

    /// Waits until somebody is shown a room.
    pub(super) async fn until_shown(&self, who: &Teller, room: &str) {
        until("the room is shown", async || {
            let shown = self.shown(who).await;
            shown.iter().any(|one| one["channelId"] == room)
        })
        .await;
    }

    /// Gives a command without a key; again where it came too soon after others.
    pub(super) async fn give(&self, who: &Teller, name: &str, body: &Value) -> Answer {
        loop {
            let answer = who.give(&self.house, name, None, body).await;
            if answer.told() != (429, "too_many_requests") {
                return answer;
            }
            retry().await;
        }
    }

    /// Gives one that has to be done.
    pub(super) async fn done(&self, who: &Teller, name: &str, body: &Value) -> Answer {
        let answer = self.give(who, name, body).await;
        assert_eq!(answer.status, 200, "{name} {body}: {answer:?}");
        answer
    }

    /// Gives one that has to be refused in this word.
    pub(super) async fn refused(&self, who: &Teller, name: &str, body: &Value, word: &str) {
        let answer = self.give(who, name, body).await;
        assert_eq!(
            answer.body["error"]["code"], word,
            "{name} {body}: {answer:?}"
        );
    }

    /// Gives a command with a key until it is decided, whatever goes wrong meanwhile.
    pub(super) async fn insist(&self, who: &Teller, name: &str, key: &str, body: &Value) -> Answer {
        let mut last = None;
        let decided = async {
            loop {
                let answer = who.give(&self.house, name, Some(key), body).await;
                // What is to be tried again in hours, as a role's making, is an answer.
                let in_hours = answer.retry_after.is_some_and(|seconds| seconds > 600);
                if in_hours || !is_worth_another_try(&answer) {
                    return answer;
                }
                last = Some(answer);
                retry().await;
            }
        };
        let decided = timeout(3 * SOON, decided).await;
        decided.unwrap_or_else(|_| panic!("{name} {body} is never decided: {last:?}"))
    }

    /// A private room of somebody's.
    pub(super) async fn room(&self, owner: &Teller, name: &str) -> String {
        let body = json!({"guildId": self.guild(), "name": name});
        let answer = self.done(owner, "createRoom", &body).await;
        truth::text(&answer.body["channelId"])
    }

    /// An invite into a room, with what else is asked of it.
    pub(super) async fn invite(&self, owner: &Teller, room: &str, more: &Value) -> String {
        let mut body = json!({"channelId": room});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let answer = self.done(owner, "createInvite", &body).await;
        truth::text(&answer.body["token"])
    }

    /// Something is deleted in Discord.
    pub(super) async fn delete(&self, path: &str) {
        self.house
            .discord
            .change("DELETE", path, &Value::Null)
            .await;
    }

    /// Something is set in Discord.
    pub(super) async fn put(&self, path: &str, body: &Value) {
        self.house.discord.change("PUT", path, body).await;
    }

    /// Discord's state.
    pub(super) async fn truth(&self) -> Value {
        self.house.discord.state().await
    }

    /// Looks at Discord's state until it is so.
    pub(super) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        self.until_within(what, SOON, holds).await
    }

    pub(super) async fn until_within(
        &self,
        what: &str,
        limit: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let limit = Instant::now() + limit;
        loop {
            let truth = self.truth().await;
            if holds(&truth) {
                return truth;
            }
            assert!(
                Instant::now() < limit,
                "never: {what}\nmade: {:#?}\n{}",
                truth::made(&self.before, &truth, "channels"),
                self.house.gateway.log()
            );
            retry().await;
        }
    }

    /// A stream past its snapshot.
    pub(super) async fn stream(&self, who: &Teller, query: &str) -> Stream {
        let mut stream = self.house.stream(&who.cookie, query, None).await;
        stream.until("snapshot").await;
        stream
    }

    /// The rooms that somebody is shown, of the first guild.
    pub(super) async fn shown(&self, who: &Teller) -> Vec<Value> {
        let state = self.house.state(&who.cookie).await;
        let guilds = state["guilds"].as_array().into_iter().flatten();
        let first = guilds.filter(|one| one["id"] == self.guild());
        let rooms = first.flat_map(|one| one["rooms"].as_array().into_iter().flatten());
        rooms.cloned().collect()
    }

    /// The rooms that Guildhall says it manages.
    pub(super) async fn managed(&self) -> Vec<Value> {
        let shown = self.shown(&self.moderator).await.into_iter();
        shown.filter(|room| room["managed"] == true).collect()
    }

    /// Ends the gateway at once, and starts it again.
    pub(super) async fn kill_gateway(&mut self) {
        self.house.gateway.signal("KILL");
        self.gateway_comes_back().await;
    }

    /// Starts one that was killed again.
    pub(super) async fn gateway_comes_back(&mut self) {
        self.house.gateway.ended().await;
        self.house.restart_gateway();
        self.ready().await;
    }

    pub(super) async fn ready(&self) {
        self.house.until_ready(self.house.ports.gateway_ops).await;
        self.house.until_ready(self.house.ports.web_ops).await;
    }

    /// Until nothing is left at Discord of what Guildhall does not know, nor the other way round.
    pub(super) async fn until_tidy(&self) -> Value {
        let limit = Instant::now() + SOON;
        loop {
            let managed = self.managed().await;
            let truth = self.truth().await;
            let Err(untidy) = tidy(&self.before, &truth, &managed) else {
                return truth;
            };
            assert!(
                Instant::now() < limit,
                "{untidy}\nmanaged: {managed:#?}\n{}",
                self.house.gateway.log()
            );
            retry().await;
        }
    }

    /// Closes what is there, and looks that nothing is left. A room that a lobby is making meanwhile
    /// is known once it is there, and closed as well.
    pub(super) async fn close_all(&self) {
        let limit = Instant::now() + SOON;
        loop {
            for room in self.managed().await {
                let body = json!({"channelId": room["channelId"]});
                let key = format!("close-{}", truth::text(&room["channelId"]));
                let answer = self.insist(&self.moderator, "closeRoom", &key, &body).await;
                // It may have been on its way out.
                assert!(matches!(answer.status, 200 | 404), "{answer:?}");
            }
            let truth = self.until_tidy().await;
            if truth::rooms(&self.before, &truth).is_empty() || Instant::now() > limit {
                return truth::assert_nothing_is_left(&self.before, &truth);
            }
        }
    }
}

/// Whether each channel and role that was made is of one room that is known, and each of those is there.
pub(super) fn tidy(before: &Value, truth: &Value, managed: &[Value]) -> Result<(), String> {
    let rooms = truth::made(before, truth, "channels");
    let mut known: Vec<&Value> = managed.iter().map(|one| &one["channelId"]).collect();
    known.sort_by_key(ToString::to_string);
    let mut there: Vec<&Value> = rooms.iter().map(|one| &one["id"]).collect();
    there.sort_by_key(ToString::to_string);
    if known != there {
        return Err(format!(
            "rooms that are known: {known:?}, at Discord: {there:?}"
        ));
    }
    for role in truth::roles(before, truth) {
        let names = |room: &&&Value| {
            let all = truth::overwrites(room).iter();
            all.filter(|one| one["type"] == 0 && one["id"] == role["id"])
                .count()
                == 1
        };
        let of = rooms.iter().filter(names).count();
        if of != 1 {
            return Err(format!("a role of {of} rooms: {role}"));
        }
    }
    let (rest, was) = (truth::rest(before, truth), truth::rest(before, before));
    if rest != was {
        return Err(format!("something else was touched: {rest} was {was}"));
    }
    Ok(())
}
