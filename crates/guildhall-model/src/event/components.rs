//! What browsers get, as OpenAPI schemas: one for each public event of a table, and one of them all.

use utoipa::{
    ToSchema,
    openapi::{
        RefOr,
        extensions::ExtensionsBuilder,
        schema::{
            AllOfBuilder, Discriminator, ObjectBuilder, OneOfBuilder, Ref, Schema, SchemaType, Type,
        },
    },
};

use crate::{
    GuildId, UnixMs,
    event::{AudienceRule, EventDefinition, EventTable, Lane},
};

/// The schema of any event of a stream.
pub const STREAM_EVENT: &str = "StreamEvent";

/// What every event about a guild begins with.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the writer has its own, around any payload")]
struct Stamp {
    /// Where it happened.
    guild_id: GuildId,
    /// When the gateway heard of it, Unix ms.
    #[schema(value_type = u64)]
    ts: UnixMs,
    /// Found by comparing after an outage, not told by Discord.
    #[schema(required = false)]
    synthetic: bool,
}

/// The public events of a table, each as `{event, data}`; the last one is any of them.
#[must_use]
pub fn components(table: EventTable) -> Vec<(String, RefOr<Schema>)> {
    let mut components = vec![component::<Stamp>(), component::<GuildId>()];
    let (mut any, mut by_name) = (OneOfBuilder::new(), Vec::new());
    let public = table
        .iter()
        .filter(|event| event.audience != AudienceRule::Nobody);
    for event in public {
        let payload = event.payload.schema;
        (payload.parts)(&mut components);
        if !payload.is_empty() {
            components.push(((payload.name)().into_owned(), (payload.schema)()));
        }
        let name = component_name(event);
        by_name.push((event.name, format!("#/components/schemas/{name}")));
        any = any.item(Ref::from_schema_name(&name));
        components.push((name, as_event(event)));
    }
    let any = any
        .discriminator(Some(Discriminator::with_mapping("event", by_name)))
        .description(Some("One event of a stream: its `event:` and its `data:`."));
    components.push((STREAM_EVENT.to_owned(), any.into()));
    components
}

fn component<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), T::schema())
}

/// `voice.joined` is `VoiceJoinedEvent`.
fn component_name(event: &EventDefinition) -> String {
    let words = event.name.split(['.', '_']);
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    words.map(capital).collect::<String>() + "Event"
}

fn as_event(event: &EventDefinition) -> RefOr<Schema> {
    let name = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .enum_values(Some([event.name]));
    let stamp = Ref::from_schema_name("Stamp");
    let payload = Ref::from_schema_name((event.payload.schema.name)());
    let data: RefOr<Schema> = if event.audience == AudienceRule::Viewer {
        payload.into()
    } else if event.payload.schema.is_empty() {
        stamp.into()
    } else {
        AllOfBuilder::new().item(stamp).item(payload).into()
    };
    let lane = match event.lane {
        Lane::Log(_) => "log",
        Lane::Live(_) => "live",
        Lane::Stream => "stream",
    };
    // One extension: utoipa keeps them in no order.
    let facts = serde_json::json!({ "lane": lane, "family": event.family.name() });
    let facts = ExtensionsBuilder::new().add("x-event", facts);
    ObjectBuilder::new()
        .property("event", name)
        .required("event")
        .property("data", data)
        .required("data")
        .extensions(Some(facts.build()))
        .into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::event::{EVENTS, sample::ONE_MORE};

    fn all(table: EventTable) -> BTreeMap<String, Value> {
        let json = |schema| serde_json::to_value(schema).expect("schemas serialise");
        let components = components(table).into_iter();
        components
            .map(|(name, schema)| (name, json(schema)))
            .collect()
    }

    #[test]
    fn an_event_more_is_described_by_its_row() {
        let schemas = all(ONE_MORE);
        let event = &schemas["RoomKnockedEvent"];
        let expected = json!({
            "type": "object",
            "required": ["event", "data"],
            "properties": {
                "event": { "type": "string", "enum": ["room.knocked"] },
                "data": { "allOf": [
                    { "$ref": "#/components/schemas/Stamp" },
                    { "$ref": "#/components/schemas/Knock" },
                ] },
            },
            "x-event": { "lane": "log", "family": "knock" },
        });
        assert_eq!(*event, expected);
        assert_eq!(schemas["Knock"]["required"], json!(["channelId", "userId"]));
        let named = &schemas[STREAM_EVENT]["discriminator"]["mapping"];
        assert_eq!(
            *named,
            json!({ "room.knocked": "#/components/schemas/RoomKnockedEvent" })
        );
    }

    /// Whatever decides who sees what is in no schema.
    #[test]
    fn what_is_internal_is_not_described() {
        let schemas = all(EVENTS);
        for event in EVENTS.iter() {
            let internal = event.audience == AudienceRule::Nobody;
            let described = schemas.contains_key(&component_name(event));
            assert_ne!(internal, described, "{}", event.name);
        }
        let text = serde_json::to_string(&schemas).expect("JSON");
        for word in ["rights", "overwrites", "obfuscated", "permissions"] {
            assert!(!text.contains(&format!("\"{word}\"")), "{word}");
        }
    }
}
