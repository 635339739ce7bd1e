//! Application commands, and the interactions that come of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    house::{Client, Failure, House, INTENTS, Outcome},
    rest_acts::call,
};

const GUILD_MESSAGES: u64 = 1 << 9;
const MESSAGE_CONTENT: u64 = 1 << 15;

/// A bot with a command, in a room where somebody can use it.
struct Stage {
    house: House,
    client: Client,
    application: String,
    channel: String,
    user: Value,
}

impl Stage {
    async fn open() -> Result<Self, Failure> {
        Self::of(House::open().await?).await
    }

    async fn of(house: House) -> Result<Self, Failure> {
        let (client, ..) = house
            .bot(INTENTS | GUILD_MESSAGES | MESSAGE_CONTENT)
            .await?;
        let world = house.state().await?;
        let stage = Self {
            application: world["application"]["id"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            channel: house.channel("game-night").await?,
            user: world["guilds"][0]["members"][0]["userId"].clone(),
            house,
            client,
        };
        let roll = json!({
            "name": "roll", "description": "Rolls dice", "options": [
                {"type": 4, "name": "sides", "description": "How many", "required": true, "min_value": 2},
                {"type": 3, "name": "why", "description": "What for", "autocomplete": true},
                {"type": 6, "name": "for", "description": "For whom"},
            ],
        });
        let (status, _) = stage.commands("POST", "", roll).await?;
        assert_eq!(status, 201);
        Ok(stage)
    }

    async fn commands(
        &self,
        method: &str,
        below: &str,
        body: Value,
    ) -> Result<(u16, Value), Failure> {
        let path = format!("/applications/{}/commands{below}", self.application);
        let body = (!body.is_null()).then_some(body);
        call(&self.house, method, &path, body).await
    }

    /// Somebody does something; what the bot is told of it.
    async fn asks(&mut self, mut body: Value) -> Result<Value, Failure> {
        body["userId"] = self.user.clone();
        body["channelId"] = json!(self.channel);
        let made = self.house.act("POST", "/sim/interactions", body).await?;
        let heard = self.client.until_now().await?;
        let told = heard
            .into_iter()
            .find(|(name, _)| name == "INTERACTION_CREATE");
        let told = told.ok_or("no INTERACTION_CREATE")?.1;
        assert_eq!(told["id"], made["id"]);
        Ok(told)
    }

    async fn rolls(&mut self) -> Result<Value, Failure> {
        self.asks(json!({"command": "roll", "options": {"sides": 6}}))
            .await
    }

    /// The first answer, by whoever knows the token.
    async fn answer(&self, told: &Value, body: Value) -> Result<(u16, Value), Failure> {
        let (id, token) = (text(&told["id"]), text(&told["token"]));
        self.by_token(
            "POST",
            &format!("/interactions/{id}/{token}/callback?with_response=true"),
            body,
        )
        .await
    }

    async fn after(
        &self,
        method: &str,
        told: &Value,
        below: &str,
        body: Value,
    ) -> Result<(u16, Value), Failure> {
        let path = format!(
            "/webhooks/{}/{}{below}",
            self.application,
            text(&told["token"])
        );
        self.by_token(method, &path, body).await
    }

    async fn by_token(
        &self,
        method: &str,
        path: &str,
        body: Value,
    ) -> Result<(u16, Value), Failure> {
        let method = reqwest::Method::from_bytes(method.as_bytes())?;
        let mut request = self
            .house
            .http
            .request(method, self.house.url(&format!("/api/v10{path}")));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or_default()))
    }

    async fn shown(&self, told: &Value) -> Result<Value, Failure> {
        let url = self
            .house
            .url(&format!("/sim/interactions/{}", text(&told["id"])));
        Ok(self.house.http.get(url).send().await?.json().await?)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn commands_are_registered_changed_replaced_and_deleted() -> Outcome {
    let stage = Stage::open().await?;
    let (_, all) = stage.commands("GET", "", Value::Null).await?;
    let id = text(&all[0]["id"]);
    let again = json!({"name": "roll", "description": "Rolls again"});
    let (status, same) = stage.commands("POST", "", again).await?;
    assert_eq!((status, text(&same["id"])), (200, id.clone()));
    assert_ne!(same["version"], all[0]["version"]);
    let below = format!("/{id}");
    let (_, changed) = stage
        .commands("PATCH", &below, json!({"description": "Dice"}))
        .await?;
    assert_eq!(
        (&changed["description"], &changed["name"]),
        (&json!("Dice"), &json!("roll"))
    );
    let wanted = json!([
        {"name": "roll", "description": "Dice"},
        {"name": "Report", "type": 3},
    ]);
    let (status, now) = stage.commands("PUT", "", wanted).await?;
    assert_eq!((status, now.as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(text(&now[0]["id"]), id, "what keeps its name keeps its id");
    assert_eq!(stage.commands("DELETE", &below, Value::Null).await?.0, 204);
    let (status, gone) = stage.commands("GET", &below, Value::Null).await?;
    assert_eq!((status, &gone["code"]), (404, &json!(10_063)));
    for (wrong, field) in [
        (json!({"name": "Roll", "description": "x"}), "name"),
        (json!({"name": "roll"}), "description"),
        (json!({"description": "x"}), "name"),
        (
            json!({"name": "a", "description": "x", "options": [{"type": 3, "name": "b"}]}),
            "options",
        ),
        (
            json!({"name": "a", "type": 2, "options": [{"type": 3, "name": "b", "description": "c"}]}),
            "options",
        ),
    ] {
        let (status, refusal) = stage.commands("POST", "", wrong).await?;
        assert_eq!((status, &refusal["code"]), (400, &json!(50_035)));
        assert!(refusal["errors"][field].is_object(), "{refusal}");
    }
    let other = "/applications/5/commands";
    let (_, refusal) = call(&stage.house, "GET", other, None).await?;
    assert_eq!(refusal["code"], 20_012);
    Ok(())
}

#[tokio::test]
async fn a_command_is_answered_followed_edited_and_deleted() -> Outcome {
    let mut stage = Stage::open().await?;
    let user = stage.user.clone();
    let told = stage
        .asks(json!({"command": "roll", "options": {"sides": 20, "for": user}}))
        .await?;
    assert_eq!((&told["type"], &told["version"]), (&json!(2), &json!(1)));
    assert_eq!(
        told["data"]["options"][0],
        json!({"name": "sides", "type": 4, "value": 20})
    );
    assert!(told["data"]["resolved"]["users"][text(&user)].is_object());
    assert!(told["member"]["permissions"].is_string());

    let hello = json!({"type": 4, "data": {"content": "17"}});
    let (status, answer) = stage.answer(&told, hello.clone()).await?;
    assert_eq!(status, 200, "{answer}");
    let message = &answer["resource"]["message"];
    assert_eq!(
        (&message["content"], &message["type"]),
        (&json!("17"), &json!(20))
    );
    assert_eq!(message["interaction_metadata"]["id"], told["id"]);
    let heard = stage.client.dispatch("MESSAGE_CREATE").await?;
    assert_eq!(heard["id"], message["id"]);
    let (status, twice) = stage.answer(&told, hello).await?;
    assert_eq!((status, &twice["code"]), (400, &json!(40_060)));

    let (_, edited) = stage
        .after(
            "PATCH",
            &told,
            "/messages/@original",
            json!({"content": "18"}),
        )
        .await?;
    assert_eq!(
        (&edited["content"], &edited["id"]),
        (&json!("18"), &message["id"])
    );
    let (_, more) = stage
        .after("POST", &told, "", json!({"content": "and 3", "flags": 64}))
        .await?;
    assert_eq!(more["message_reference"]["message_id"], message["id"]);
    let shown = stage.shown(&told).await?;
    assert_eq!(
        (
            &shown["answer"]["content"],
            &shown["followups"][0]["content"],
            &shown["followups"][0]["ephemeral"]
        ),
        (&json!("18"), &json!("and 3"), &json!(true))
    );
    let hidden = format!("/channels/{}/messages/{}", stage.channel, text(&more["id"]));
    assert_eq!(
        stage.house.rest(&hidden).await?.0,
        404,
        "one person alone sees it"
    );
    let own = format!("/messages/{}", text(&more["id"]));
    assert_eq!(
        stage.after("DELETE", &told, &own, Value::Null).await?.0,
        204
    );
    assert_eq!(
        stage
            .after("DELETE", &told, "/messages/@original", Value::Null)
            .await?
            .0,
        204
    );
    let names = stage.client.names_until_now().await?;
    assert_eq!(
        names,
        ["MESSAGE_UPDATE", "MESSAGE_DELETE"],
        "nothing of what one person sees"
    );
    let (status, gone) = stage
        .after("GET", &told, "/messages/@original", Value::Null)
        .await?;
    assert_eq!((status, &gone["code"]), (404, &json!(10_008)));
    Ok(())
}

#[tokio::test]
async fn a_deferred_answer_comes_with_an_edit_or_the_first_followup() -> Outcome {
    let mut stage = Stage::open().await?;
    for by_followup in [false, true] {
        let told = stage.rolls().await?;
        let (_, answer) = stage.answer(&told, json!({"type": 5})).await?;
        assert_eq!(answer["interaction"]["response_message_loading"], true);
        let body = json!({"content": "4"});
        let (status, said) = if by_followup {
            stage.after("POST", &told, "", body).await?
        } else {
            stage
                .after("PATCH", &told, "/messages/@original", body)
                .await?
        };
        assert_eq!(status, 200, "{said}");
        assert_eq!(said["id"], answer["interaction"]["response_message_id"]);
        assert_eq!(
            (&said["flags"], &said["edited_timestamp"]),
            (&json!(0), &Value::Null)
        );
    }
    Ok(())
}

/// A row with a button and one with a select.
fn button_and_select() -> Value {
    json!([
        {"type": 1, "components": [{"type": 2, "style": 1, "label": "Again", "custom_id": "again"}]},
        {"type": 1, "components": [{"type": 3, "custom_id": "die", "options": [
            {"label": "D6", "value": "6"}, {"label": "D20", "value": "20"},
        ]}]},
    ])
}

#[tokio::test]
async fn buttons_selects_and_modals_are_used_and_answered() -> Outcome {
    let mut stage = Stage::open().await?;
    let told = stage.rolls().await?;
    let body = json!({"type": 4, "data": {"content": "5", "components": button_and_select()}});
    let (_, answer) = stage.answer(&told, body).await?;
    let message = answer["resource"]["message"]["id"].clone();

    let pressed = stage
        .asks(json!({"customId": "again", "messageId": message}))
        .await?;
    assert_eq!(
        (&pressed["type"], &pressed["data"]["component_type"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(pressed["message"]["id"], message);
    let (status, _) = stage
        .answer(&pressed, json!({"type": 7, "data": {"content": "6"}}))
        .await?;
    assert_eq!(status, 200);
    let shown = stage.shown(&told).await?;
    assert_eq!(shown["answer"]["content"], "6");

    let chosen = json!({"customId": "die", "messageId": message, "values": ["20"]});
    let chosen = stage.asks(chosen).await?;
    assert_eq!(chosen["data"]["values"], json!(["20"]));
    assert_eq!(stage.answer(&chosen, json!({"type": 6})).await?.0, 200);
    let (_, same) = stage
        .after("GET", &chosen, "/messages/@original", Value::Null)
        .await?;
    assert_eq!(same["id"], message);

    let pressed = stage
        .asks(json!({"customId": "again", "messageId": message}))
        .await?;
    let field = json!({"type": 4, "custom_id": "name", "label": "Name", "style": 1});
    let modal = json!({"type": 9, "data": {
        "custom_id": "who", "title": "Who?", "components": [{"type": 1, "components": [field]}],
    }});
    assert_eq!(stage.answer(&pressed, modal.clone()).await?.0, 200);
    let sent = json!({"modalOf": pressed["id"], "fields": {"name": "Wanda"}});
    let sent = stage.asks(sent).await?;
    assert_eq!(
        (&sent["type"], &sent["data"]["custom_id"]),
        (&json!(5), &json!("who"))
    );
    assert_eq!(
        sent["data"]["components"][0]["components"][0]["value"],
        "Wanda"
    );
    let (status, refusal) = stage.answer(&sent, modal).await?;
    assert_eq!(
        (status, &refusal["code"]),
        (400, &json!(50_035)),
        "no modal after a modal"
    );
    let (status, _) = stage
        .answer(&sent, json!({"type": 4, "data": {"content": "Hello"}}))
        .await?;
    assert_eq!(status, 200);
    for wrong in [
        json!({"customId": "nothing", "messageId": message}),
        json!({"customId": "die", "messageId": message, "values": ["7"]}),
        json!({"customId": "again", "messageId": message, "values": ["7"]}),
        json!({"modalOf": pressed["id"], "fields": {"age": "7"}}),
        json!({"modalOf": pressed["id"]}),
        json!({"command": "rolls"}),
        json!({"command": "roll"}),
        json!({"command": "roll", "options": {"sides": 1}}),
        json!({"command": "roll", "options": {"sides": "six"}}),
        json!({"command": "roll", "options": {"sides": 6, "colour": "red"}}),
        json!({}),
    ] {
        let mut body = wrong.clone();
        body["userId"] = stage.user.clone();
        body["channelId"] = json!(stage.channel);
        let (status, _) = stage
            .house
            .try_act("POST", "/sim/interactions", body)
            .await?;
        assert!(matches!(status, 400 | 404), "{wrong}: {status}");
    }
    Ok(())
}

#[tokio::test]
async fn choices_are_asked_for_and_menus_name_their_target() -> Outcome {
    let mut stage = Stage::open().await?;
    let typing = json!({"command": "roll", "options": {"why": "f"}, "focused": "why"});
    let told = stage.asks(typing).await?;
    let why = json!({"name": "why", "type": 3, "value": "f", "focused": true});
    assert_eq!(
        (&told["type"], &told["data"]["options"]),
        (&json!(4), &json!([why]))
    );
    let (status, _) = stage
        .answer(&told, json!({"type": 4, "data": {"content": "x"}}))
        .await?;
    assert_eq!(status, 400);
    let choices = json!({"type": 8, "data": {"choices": [{"name": "For fun", "value": "fun"}]}});
    assert_eq!(stage.answer(&told, choices).await?.0, 200);
    assert_eq!(stage.shown(&told).await?["choices"][0]["value"], "fun");

    for (name, kind, place) in [("Look up", 2, "users"), ("Report", 3, "messages")] {
        let (status, _) = stage
            .commands("POST", "", json!({"name": name, "type": kind}))
            .await?;
        assert_eq!(status, 201);
        let target = if kind == 2 {
            stage.user.clone()
        } else {
            let said = json!({"channelId": stage.channel, "authorId": stage.user, "content": "hm"});
            stage.house.act("POST", "/sim/messages", said).await?["id"].clone()
        };
        let told = stage
            .asks(json!({"command": name, "targetId": target}))
            .await?;
        assert_eq!(told["data"]["target_id"], target);
        assert!(
            told["data"]["resolved"][place][text(&target)].is_object(),
            "{told}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_subcommand_is_told_inside_its_group() -> Outcome {
    let mut stage = Stage::open().await?;
    let set = json!({"type": 1, "name": "set", "description": "Sets", "options": [
        {"type": 3, "name": "value", "description": "To what", "choices": [{"name": "On", "value": "on"}]},
    ]});
    let group = json!({"type": 2, "name": "sound", "description": "Sound", "options": [set]});
    let config = json!({"name": "config", "description": "Settings", "options": [group]});
    assert_eq!(stage.commands("POST", "", config).await?.0, 201);
    let body = json!({"command": "config sound set", "options": {"value": "on"}});
    let told = stage.asks(body).await?;
    let inner = &told["data"]["options"][0]["options"][0];
    assert_eq!(
        (&inner["name"], &inner["options"][0]["value"]),
        (&json!("set"), &json!("on"))
    );
    Ok(())
}

#[tokio::test]
async fn who_answers_too_late_answers_nothing() -> Outcome {
    let house = House::with(|config| {
        config.interaction_answer = Duration::ZERO;
        config.interaction_token = Duration::ZERO;
    })
    .await?;
    let mut stage = Stage::of(house).await?;
    let told = stage.rolls().await?;
    let (status, late) = stage
        .answer(&told, json!({"type": 4, "data": {"content": "x"}}))
        .await?;
    assert_eq!((status, &late["code"]), (404, &json!(10_062)));
    let (status, closed) = stage
        .after("POST", &told, "", json!({"content": "x"}))
        .await?;
    assert_eq!((status, &closed["code"]), (401, &json!(50_027)));

    let mut stage = Stage::open().await?;
    let told = stage.rolls().await?;
    let (status, early) = stage
        .after("POST", &told, "", json!({"content": "x"}))
        .await?;
    assert_eq!(
        (status, &early["code"]),
        (404, &json!(10_015)),
        "before the first answer"
    );
    let mut forged = told.clone();
    forged["token"] = json!("forged");
    let (status, unknown) = stage.answer(&forged, json!({"type": 5})).await?;
    assert_eq!((status, &unknown["code"]), (404, &json!(10_062)));
    Ok(())
}
