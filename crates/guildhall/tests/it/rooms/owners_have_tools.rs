//! What an owner may, what moderators may, and what nobody else may.

use serde_json::{Value, json};

use super::{
    stage::Stage,
    truth::{self, CONNECT, MANAGE_CHANNELS, MOVE_MEMBERS, VIEW},
};
use crate::commands::{
    stage::{member, room_of},
    teller::Teller,
};

/// A room with its owner and a guest inside, and somebody who is neither.
struct Table {
    stage: Stage,
    room: String,
    ada: Teller,
    guest: Teller,
    other: Teller,
}

impl Table {
    async fn open(settings: &[(&str, &str)]) -> Self {
        let stage = Stage::open(settings).await;
        let ada = stage.person("ada").await;
        let (guest, other) = (stage.person("guest").await, stage.person("other").await);
        let room = stage.room(&ada, "Table").await;
        let token = stage.invite(&ada, &room, &json!({})).await;
        let discord = &stage.house.discord;
        for who in [&ada, &guest] {
            stage.voice(&who.id, Some(&discord.rooms[0])).await;
        }
        stage
            .done(&guest, "joinRoom", &json!({"token": token}))
            .await;
        let into = json!({"channelId": room});
        stage.done(&ada, "connectUserToVoiceChannel", &into).await;
        Self {
            stage,
            room,
            ada,
            guest,
            other,
        }
    }

    fn body(&self, more: &Value) -> Value {
        let mut body = json!({"channelId": self.room});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    }

    async fn done(&self, who: &Teller, name: &str, more: Value) -> Value {
        self.stage.done(who, name, &self.body(&more)).await.body
    }

    async fn refused(&self, who: &Teller, name: &str, more: Value, word: &str) {
        self.stage.refused(who, name, &self.body(&more), word).await;
    }

    /// The room as its owner is shown it.
    async fn told(&self, who: &Teller) -> Value {
        let shown = self.stage.shown(who).await.into_iter();
        let mut of = shown.filter(|one| one["channelId"] == self.room);
        of.next().unwrap_or(Value::Null)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_locks_hides_blocks_and_hands_over_and_a_guest_does_not() {
    let table = Table::open(&[]).await;
    let Table {
        ada, guest, other, ..
    } = &table;
    let over = json!({"userId": guest.id});
    for (name, more) in [
        ("lockRoom", json!({"locked": true})),
        ("hideRoom", json!({"hidden": false})),
        ("renameRoom", json!({"name": "Mine"})),
        ("setRoomLimit", json!({"limit": 9})),
        ("createInvite", json!({})),
        ("revokeInvite", json!({})),
        ("transferRoom", over.clone()),
        ("blockFromRoom", json!({"userId": ada.id})),
        ("unblockFromRoom", json!({"userId": other.id})),
        ("closeRoom", json!({})),
    ] {
        table.refused(guest, name, more.clone(), "forbidden").await;
        table.refused(other, name, more, "not_found").await;
    }
    table
        .refused(guest, "claimRoom", json!({}), "owner_present")
        .await;

    table.done(ada, "renameRoom", json!({"name": "Ours"})).await;
    table.done(ada, "setRoomLimit", json!({"limit": 9})).await;
    table
        .done(ada, "setRoomStatus", json!({"status": "chess"}))
        .await;
    let told = table.told(guest).await;
    let now = ["name", "userLimit", "status"].map(|field| told[field].clone());
    assert_eq!(now, [json!("Ours"), json!(9), json!("chess")]);

    table.done(ada, "hideRoom", json!({"hidden": false})).await;
    let truth = table.stage.truth().await;
    assert!(truth::sees(&truth, &other.id, &table.room));
    assert!(!truth::gets_in(&truth, &other.id, &table.room));
    assert_eq!(table.told(other).await["hidden"], false);

    table.done(ada, "lockRoom", json!({"locked": true})).await;
    assert_eq!(table.told(guest).await["locked"], true);
    let truth = table.stage.truth().await;
    assert!(
        truth::gets_in(&truth, &guest.id, &table.room),
        "who is in stays let in"
    );
    table.done(ada, "lockRoom", json!({"locked": false})).await;
    table.done(ada, "hideRoom", json!({"hidden": true})).await;
    assert_eq!(table.told(other).await, Value::Null);
    let told = table.told(guest).await;
    assert_eq!(
        (&told["locked"], &told["hidden"]),
        (&json!(false), &json!(true))
    );

    table.done(ada, "transferRoom", over).await;
    assert_eq!(table.told(ada).await["ownerId"], guest.id);
    table
        .refused(ada, "lockRoom", json!({"locked": true}), "forbidden")
        .await;
    table
        .done(guest, "blockFromRoom", json!({"userId": ada.id}))
        .await;
    let truth = table
        .stage
        .until("ada is out", |truth| room_of(truth, &ada.id).is_none())
        .await;
    assert!(!truth::gets_in(&truth, &ada.id, &table.room));
    table.done(guest, "closeRoom", json!({})).await;
    table.stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kick_blocks_unless_one_may_return_and_an_unblock_lets_in_by_invite_again() {
    let table = Table::open(&[]).await;
    let Table { ada, guest, .. } = &table;
    let discord = &table.stage.house.discord;
    let whom = json!({"userId": guest.id});
    table
        .done(
            ada,
            "kickFromRoom",
            json!({"userId": guest.id, "allowReturn": true}),
        )
        .await;
    let out = async || {
        let is_out = |truth: &Value| room_of(truth, &guest.id) != Some(table.room.clone());
        table.stage.until("the guest is out", is_out).await
    };
    assert!(truth::gets_in(&out().await, &guest.id, &table.room));

    table.stage.voice(&guest.id, Some(&table.room)).await;
    table.done(ada, "kickFromRoom", whom.clone()).await;
    assert!(!truth::gets_in(&out().await, &guest.id, &table.room));
    let token = table.stage.invite(ada, &table.room, &json!({})).await;
    let come = json!({"token": token});
    table
        .stage
        .refused(guest, "joinRoom", &come, "blocked")
        .await;
    table.done(ada, "unblockFromRoom", whom).await;
    table.stage.voice(&guest.id, Some(&discord.rooms[0])).await;
    table.stage.done(guest, "joinRoom", &come).await;
    let truth = table.stage.truth().await;
    assert_eq!(
        room_of(&truth, &guest.id).as_deref(),
        Some(table.room.as_str())
    );
    table.stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_manages_channels_or_moves_members_has_those_tools_by_right() {
    let table = Table::open(&[]).await;
    let stage = &table.stage;
    let channels = stage.person_with("warden", MANAGE_CHANNELS).await;
    let members = stage.person_with("usher", MOVE_MEMBERS).await;
    let token = stage.invite(&table.ada, &table.room, &json!({})).await;
    for who in [&channels, &members] {
        stage.done(who, "joinRoom", &json!({"token": token})).await;
        stage.until_shown(who, &table.room).await;
    }
    let whom = json!({"userId": table.guest.id});
    table
        .refused(&members, "lockRoom", json!({"locked": true}), "forbidden")
        .await;
    table
        .done(&channels, "lockRoom", json!({"locked": true}))
        .await;
    table
        .done(&channels, "lockRoom", json!({"locked": false}))
        .await;
    table
        .refused(&channels, "kickFromRoom", whom.clone(), "forbidden")
        .await;
    table.done(&members, "kickFromRoom", whom.clone()).await;
    table
        .refused(&channels, "unblockFromRoom", whom.clone(), "forbidden")
        .await;
    table.done(&members, "unblockFromRoom", whom).await;
    table
        .refused(&members, "closeRoom", json!({}), "forbidden")
        .await;
    table.done(&channels, "closeRoom", json!({})).await;
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_that_nobody_made_here_are_not_managed_and_left_as_they_are() {
    let table = Table::open(&[]).await;
    let stage = &table.stage;
    let theirs = stage.house.discord.rooms[0].clone();
    for (name, more) in [
        ("lockRoom", json!({"locked": true})),
        ("hideRoom", json!({"hidden": true})),
        ("createInvite", json!({})),
        ("transferRoom", json!({"userId": table.guest.id})),
        ("claimRoom", json!({})),
        ("closeRoom", json!({})),
        ("blockFromRoom", json!({"userId": table.guest.id})),
    ] {
        let mut body = more;
        body["channelId"] = json!(theirs);
        stage
            .refused(&stage.moderator, name, &body, "not_managed")
            .await;
    }
    let truth = stage.truth().await;
    assert_eq!(
        truth::rest(&stage.before, &truth),
        truth::rest(&stage.before, &stage.before)
    );
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_room_takes_nobody_new_and_keeps_those_who_were_let_in() {
    let table = Table::open(&[]).await;
    let Table {
        ada, guest, other, ..
    } = &table;
    let discord = &table.stage.house.discord;
    let token = table.stage.invite(ada, &table.room, &json!({})).await;
    let come = json!({"token": token});
    table.done(ada, "hideRoom", json!({"hidden": false})).await;
    table.done(ada, "lockRoom", json!({"locked": true})).await;
    table
        .stage
        .refused(other, "joinRoom", &come, "room_locked")
        .await;
    table
        .refused(other, "connectUserToVoiceChannel", json!({}), "room_locked")
        .await;
    let truth = table.stage.truth().await;
    let channel = truth::channel(&truth, &table.room).expect("it is there");
    assert_eq!(truth::rights(&truth, &other.id, channel) & CONNECT, 0);
    table.stage.voice(&guest.id, Some(&discord.rooms[0])).await;
    table
        .done(guest, "connectUserToVoiceChannel", json!({}))
        .await;
    table.done(ada, "lockRoom", json!({"locked": false})).await;
    table.stage.done(other, "joinRoom", &come).await;
    table.stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_made_by_those_who_may_and_no_more_than_they_may() {
    let stage = Stage::open(&[("ROOMS_PER_USER", "2"), ("ROOMS_MAX", "3")]).await;
    let (ada, ben) = (stage.person("ada").await, stage.person("ben").await);
    let body = |name: &str| json!({"guildId": stage.guild(), "name": name});
    for name in ["One", "Two"] {
        stage.done(&ada, "createRoom", &body(name)).await;
    }
    stage
        .refused(&ada, "createRoom", &body("Three"), "too_many_rooms")
        .await;
    stage.done(&ben, "createRoom", &body("Three")).await;
    stage
        .refused(&ben, "createRoom", &body("Four"), "too_many_rooms")
        .await;
    let first = stage
        .managed()
        .await
        .into_iter()
        .find(|one| one["name"] == "One");
    let first = first.expect("it is there")["channelId"].clone();
    stage
        .done(&ada, "closeRoom", &json!({"channelId": first}))
        .await;
    stage.done(&ben, "createRoom", &body("Four")).await;
    for (wrong, field) in [
        (json!({"limit": 100}), "limit"),
        (json!({"name": ""}), "name"),
        (json!({"parentId": "12"}), "parentId"),
    ] {
        let mut body = body("Five");
        for (name, value) in wrong.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let answer = stage.give(&ben, "createRoom", &body).await;
        assert!(matches!(answer.status, 400 | 404), "{field}: {answer:?}");
    }
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_room_in_a_category_of_some_is_shown_to_them_and_entered_by_invite_alone() {
    const KEEPERS: &str = "1500000000000000009";
    const FRIENDS: &str = "1500000000000000011";
    const THEIRS: &str = "1500000000000000010";
    let stage = Stage::with(&[("ROOM_PARENTS", THEIRS)], async |discord| {
        for (id, name) in [(KEEPERS, "Keepers"), (FRIENDS, "Friends")] {
            let role =
                json!({"id": id, "guildId": discord.guild, "name": name, "permissions": "0"});
            discord.post("/sim/roles", &role).await;
        }
        let entry = (VIEW | CONNECT).to_string();
        let overwrites = json!([
            {"id": discord.guild, "type": 0, "allow": "0", "deny": VIEW.to_string()},
            {"id": KEEPERS, "type": 0, "allow": entry, "deny": "0"},
            {"id": discord.application_id, "type": 1, "allow": entry, "deny": "0"},
        ]);
        let category = json!({"id": THEIRS, "guildId": discord.guild, "name": "Keep", "type": 4,
            "permissionOverwrites": overwrites});
        discord.post("/sim/channels", &category).await;
    })
    .await;
    let discord = &stage.house.discord;
    let mut people = Vec::new();
    for (name, role) in [("ada", KEEPERS), ("ben", KEEPERS), ("cy", FRIENDS)] {
        let user = member(discord, name, &[role]).await;
        people.push(Teller::sign_in(&stage.house, &user).await);
    }
    let [ada, ben, cy] = &people[..] else {
        panic!("three people")
    };
    let room = stage.room(ada, "Den").await;
    let hide = async |hidden: bool| {
        let body = json!({"channelId": room, "hidden": hidden});
        stage.done(ada, "hideRoom", &body).await;
        let truth = stage.truth().await;
        for who in [ben, cy] {
            assert!(!truth::gets_in(&truth, &who.id, &room), "by invite alone");
        }
        [ben, cy].map(|who| truth::sees(&truth, &who.id, &room))
    };
    assert_eq!(hide(false).await, [true, false]);
    stage.until_shown(ben, &room).await;
    // By hand others see it, too: until it is hidden, and again once it is shown.
    let view = json!({"type": 0, "allow": VIEW.to_string(), "deny": "0"});
    let path = format!("/sim/channels/{room}/permissions/{FRIENDS}");
    stage.put(&path, &view).await;
    stage.until_shown(cy, &room).await;
    assert_eq!(hide(true).await, [false, false]);
    assert_eq!(hide(false).await, [true, true]);
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_creators_are_named_nobody_else_makes_rooms() {
    const HOSTS: &str = "1500000000000000009";
    let stage = Stage::with(&[("ROOM_CREATORS", HOSTS)], async |discord| {
        let role =
            json!({"id": HOSTS, "guildId": discord.guild, "name": "Hosts", "permissions": "1024"});
        discord.post("/sim/roles", &role).await;
    })
    .await;
    let host = member(&stage.house.discord, "host", &[HOSTS]).await;
    let host = Teller::sign_in(&stage.house, &host).await;
    let guest = stage.person("guest").await;
    let body = json!({"guildId": stage.guild(), "name": "Feast"});
    stage
        .refused(&guest, "createRoom", &body, "forbidden")
        .await;
    stage.done(&host, "createRoom", &body).await;
    stage.close_all().await;
}
