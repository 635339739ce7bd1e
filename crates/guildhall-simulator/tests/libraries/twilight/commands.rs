//! Application commands: somebody uses the bot, which answers in each way that Discord has.

use serde_json::{Value, json};
use twilight_http::client::InteractionClient;
use twilight_model::{
    application::{command::Command, interaction::Interaction},
    channel::message::MessageFlags,
    http::interaction::InteractionResponse,
    id::Id,
};

use super::Scene;
use crate::{
    house::{Failure, Outcome},
    told::text,
};

/// What is registered: types 1, 2 and 3 are slash commands, and menus of people and messages.
fn commands() -> Value {
    let sides = json!({"type": 4, "name": "sides", "description": "How many", "required": true});
    let why = json!({"type": 3, "name": "why", "description": "What for", "autocomplete": true});
    let command = |kind: u8, name: &str, description: &str, options: Value| {
        json!({
            "type": kind, "name": name, "description": description, "options": options,
            "version": "1",
        })
    };
    json!([
        command(1, "roll", "Rolls dice", json!([sides, why])),
        command(1, "think", "Takes its time", json!([])),
        command(2, "Greet", "", json!([])),
        command(3, "Quote", "", json!([])),
    ])
}

fn components() -> Value {
    let row = |below: Value| json!({"type": 1, "components": [below]});
    let button = |id: &str| json!({"type": 2, "style": 1, "label": id, "custom_id": id});
    let options = json!([{"label": "D6", "value": "6"}, {"label": "D20", "value": "20"}]);
    json!([
        row(button("again")),
        row(button("later")),
        row(json!({"type": 3, "custom_id": "die", "options": options})),
    ])
}

pub(super) async fn answers(scene: &mut Scene) -> Outcome {
    let own = Id::new(scene.house.application.id.get());
    let wanted: Vec<Command> = serde_json::from_value(commands())?;
    let registered = scene
        .rest
        .interaction(own)
        .set_global_commands(&wanted)
        .await?;
    assert_eq!(registered.models().await?.len(), wanted.len());

    let roll = json!({"command": "roll", "options": {"sides": 20}});
    let said = json!({"content": "20 sides", "components": components()});
    let rolled = scene.answered(roll, 4, said).await?;
    assert_eq!(rolled["answer"]["content"], "20 sides");
    let message = text(&rolled["answer"], "id");

    thinks(scene).await?;

    let name = json!({"type": 4, "custom_id": "name", "label": "Name", "style": 1});
    let rows = json!([{"type": 1, "components": [name]}]);
    let modal = json!({"custom_id": "who", "title": "Who?", "components": rows});
    let press = json!({"messageId": message, "customId": "again"});
    let pressed = scene.answered(press, 9, modal).await?;
    assert_eq!(pressed["modal"]["title"], "Who?");
    let sent_off = json!({"modalOf": pressed["id"], "fields": {"name": "Wanda"}});
    let sent = scene
        .answered(sent_off, 4, json!({"content": "Hello, Wanda"}))
        .await?;
    assert_eq!(sent["answer"]["content"], "Hello, Wanda");

    let press = json!({"messageId": message, "customId": "later"});
    let (asked, id) = scene.asked(press).await?;
    scene.respond(&asked, 6, Value::Null).await?;
    let client = scene.rest.interaction(own);
    let edit = client.update_response(&asked.token);
    edit.content(Some("Later it is.")).await?.model().await?;
    let later = scene.interaction(&id).await?;
    assert_eq!(
        (&later["callback"], &later["answer"]["content"]),
        (&json!(6), &json!("Later it is."))
    );
    scene.proved.proves("callback type 6");

    let choose = json!({"messageId": message, "customId": "die", "values": ["20"]});
    let chosen = scene
        .answered(choose, 7, json!({"content": "A die of 20"}))
        .await?;
    assert_eq!(chosen["answer"]["content"], "A die of 20");
    let typing = json!({"command": "roll", "options": {"why": "f"}, "focused": "why"});
    let choices = json!({"choices": [{"name": "Surely", "value": "f, of course"}]});
    let typed = scene.answered(typing, 8, choices).await?;
    assert_eq!(typed["choices"][0]["value"], "f, of course");

    let greet = json!({"command": "Greet", "targetId": scene.member});
    let greeted = scene
        .answered(greet, 4, json!({"content": "Hello", "flags": 64}))
        .await?;
    assert_eq!(greeted["answer"]["ephemeral"], true);
    let quote = json!({"command": "Quote", "targetId": message});
    scene
        .answered(quote, 4, json!({"content": "So it said."}))
        .await?;

    scene.rest.interaction(own).set_global_commands(&[]).await?;
    for capability in [
        "slash commands",
        "context menus",
        "buttons, selects and modals",
        "autocomplete",
        "followups, edited and deleted answers",
    ] {
        scene.proved.proves(capability);
    }
    scene.forgets_messages("interactions").await
}

/// A deferred answer, what follows it, and its end.
async fn thinks(scene: &mut Scene) -> Outcome {
    let own = Id::new(scene.house.application.id.get());
    let (asked, id) = scene.asked(json!({"command": "think"})).await?;
    scene.respond(&asked, 5, Value::Null).await?;
    let client = scene.rest.interaction(own);
    let edit = client.update_response(&asked.token);
    edit.content(Some("Thought.")).await?.model().await?;
    let hidden = follow(&client, &asked, "For you alone.", MessageFlags::EPHEMERAL).await?;
    let edit = client.update_followup(&asked.token, hidden.parse()?);
    edit.content(Some("For you.")).await?;
    follow(&client, &asked, "For all.", MessageFlags::empty()).await?;
    let original = client.response(&asked.token).await?.model().await?;
    assert_eq!(original.content, "Thought.");
    client.delete_response(&asked.token).await?;
    let thought = scene.interaction(&id).await?;
    assert_eq!(
        (&thought["callback"], &thought["answer"]),
        (&json!(5), &Value::Null)
    );
    let followed: Vec<_> = thought["followups"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (one["content"].clone(), one["ephemeral"].clone()))
        .collect();
    let wanted = [
        (json!("For you."), json!(true)),
        (json!("For all."), json!(false)),
    ];
    assert_eq!(followed, wanted);
    scene.proved.proves("callback type 5");
    Ok(())
}

async fn follow(
    client: &InteractionClient<'_>,
    asked: &Interaction,
    content: &str,
    flags: MessageFlags,
) -> Result<String, Failure> {
    let said = client
        .create_followup(&asked.token)
        .content(content)
        .flags(flags);
    Ok(said.await?.model().await?.id.to_string())
}

impl Scene {
    /// Somebody uses the bot: what it is told, and the interaction's id.
    async fn asked(&mut self, mut body: Value) -> Result<(Interaction, String), Failure> {
        body["userId"] = json!(self.member);
        body["channelId"] = json!(self.channel("game-night").await?);
        let id = self.act("POST", "/interactions", body).await?;
        let asked = self.witness.asked().await?;
        assert_eq!(asked.id.to_string(), id);
        Ok((asked, id))
    }

    async fn respond(&self, asked: &Interaction, kind: u8, data: Value) -> Outcome {
        let data = if kind == 9 || !data.is_null() {
            json!({"type": kind, "data": data})
        } else {
            json!({"type": kind})
        };
        let response: InteractionResponse = serde_json::from_value(data)?;
        let own = Id::new(self.house.application.id.get());
        let client = self.rest.interaction(own);
        client
            .create_response(asked.id, &asked.token, &response)
            .await?;
        Ok(())
    }

    /// Somebody uses the bot, which answers at once: the interaction as `/sim` shows it.
    async fn answered(&mut self, body: Value, kind: u8, data: Value) -> Result<Value, Failure> {
        let (asked, id) = self.asked(body).await?;
        self.respond(&asked, kind, data).await?;
        let shown = self.interaction(&id).await?;
        assert_eq!(shown["callback"], kind);
        self.proved.proves(&format!("callback type {kind}"));
        Ok(shown)
    }

    async fn interaction(&self, id: &str) -> Result<Value, Failure> {
        let path = format!("/interactions/{id}");
        self.house.act("GET", &path, &json!({})).await
    }

    /// Passes over what the bot's answers made the gateway say.
    async fn forgets_messages(&mut self, chapter: &str) -> Outcome {
        let channel = self.channel("game-night").await?;
        let said = json!({"channelId": channel, "authorId": self.member, "content": chapter});
        let id = self.act("POST", "/messages", said).await?;
        let line = format!("message {id} by {}: {chapter}", self.member);
        self.witness.passes_over_until(&line).await
    }
}
