//! Names and schemas of a stream's events as a TypeScript module, out of the OpenAPI document.
//!
//! The page reads payloads by these schemas, so whatever it could not read is an error here.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

/// Answers that the page reads, beside streams.
const ANSWERS: [&str; 1] = ["Me"];

/// The schema of any event of a stream.
const ANY: &str = "StreamEvent";

/// What a reference to a schema begins with.
const COMPONENTS: &str = "#/components/schemas/";

const HEAD: &str = "\
// Written by `cargo xtask codegen` from docs/openapi.json: a change here is lost.

import type { Schema, Schemas } from '../schema'

";

/// What means nothing to a reader.
const SAID_TO_PEOPLE: [&str; 2] = ["description", "format"];

pub(super) fn typescript(document: &str) -> anyhow::Result<String> {
    let document: Value = serde_json::from_str(document)?;
    let components = &document["components"]["schemas"];
    let components = components.as_object().context("there are no schemas")?;
    let mut reader = Reader {
        components,
        schemas: BTreeMap::new(),
    };
    for answer in ANSWERS {
        let reference = json!({ "$ref": format!("{COMPONENTS}{answer}") });
        reader.simplified(&reference)?;
    }
    let mut events = Map::new();
    for event in components[ANY]["oneOf"].as_array().context(ANY)? {
        let component = reader.component(reference(event).context("an event is a reference")?)?;
        let name = &component["properties"]["event"]["enum"][0];
        let name = name.as_str().context("an event has a name")?;
        let data = reader.simplified(&component["properties"]["data"])?;
        let facts = json!({
            "lane": component["x-event"]["lane"],
            "family": component["x-event"]["family"],
            "data": data,
        });
        events.insert(name.to_owned(), facts);
    }
    Ok(format!(
        "{HEAD}/** Every event of a stream: how it travels, which word of `?events=` asks for it, its data. */\n\
         export const events = {:#} satisfies Record<string, Event>\n\n\
         interface Event {{\n  readonly lane: string\n  readonly family: string | null\n  readonly data: Schema\n}}\n\n\
         /** What `$ref` names. */\n\
         export const schemas: Schemas = {:#}\n",
        Value::Object(events),
        json!(reader.schemas),
    ))
}

struct Reader<'a> {
    components: &'a Map<String, Value>,
    /// Those that are referred to, as the page reads them.
    schemas: BTreeMap<String, Value>,
}

impl<'a> Reader<'a> {
    fn component(&self, name: &str) -> anyhow::Result<&'a Value> {
        let found = self.components.get(name);
        found.with_context(|| format!("there is no schema {name}"))
    }

    /// A schema in the page's words.
    fn simplified(&mut self, schema: &Value) -> anyhow::Result<Value> {
        if let Some(name) = reference(schema) {
            if !self.schemas.contains_key(name) {
                // Before it is read, for those that refer to themselves.
                self.schemas.insert(name.to_owned(), Value::Null);
                let read = self.simplified(self.component(name)?)?;
                self.schemas.insert(name.to_owned(), read);
            }
            return Ok(json!({ "$ref": name }));
        }
        if schema.get("allOf").is_some() {
            let (properties, required) = self.object(schema)?;
            return Ok(json!({
                "type": "object", "properties": properties, "required": required,
            }));
        }
        let mut simplified = Map::new();
        for (key, value) in schema.as_object().context("a schema is an object")? {
            let value = match key.as_str() {
                "type" | "enum" | "pattern" | "minimum" | "required" => value.clone(),
                "items" => self.simplified(value)?,
                "properties" => self.properties(value)?.into(),
                said if SAID_TO_PEOPLE.contains(&said) => continue,
                unknown => bail!("the page cannot read `{unknown}` of {schema}"),
            };
            simplified.insert(key.clone(), value);
        }
        Ok(simplified.into())
    }

    fn properties(&mut self, properties: &Value) -> anyhow::Result<Map<String, Value>> {
        let properties = properties.as_object().context("properties are an object")?;
        let read = properties
            .iter()
            .map(|(name, schema)| Ok((name.clone(), self.simplified(schema)?)));
        read.collect()
    }

    /// An object that is written in parts, as one: its properties, and which have to be there.
    fn object(&mut self, schema: &Value) -> anyhow::Result<(Map<String, Value>, Vec<Value>)> {
        if let Some(name) = reference(schema) {
            return self.object(self.component(name)?);
        }
        let Some(parts) = schema.get("allOf") else {
            let required = schema.get("required").and_then(Value::as_array);
            let properties = self.properties(&schema["properties"])?;
            return Ok((properties, required.cloned().unwrap_or_default()));
        };
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in parts.as_array().context("allOf is a list")? {
            let part = self.object(part)?;
            properties.extend(part.0);
            required.extend(part.1);
        }
        Ok((properties, required))
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(COMPONENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(thing: &Value) -> String {
        let event = json!({
            "properties": {
                "event": { "enum": ["thing.came"] },
                "data": { "allOf": [
                    { "$ref": "#/components/schemas/Stamp" },
                    { "type": "object", "properties": { "thing": thing }, "required": ["thing"] },
                ] },
            },
            "x-event": { "lane": "log", "family": null },
        });
        let schemas = json!({
            "StreamEvent": { "oneOf": [{ "$ref": "#/components/schemas/ThingEvent" }] },
            "ThingEvent": event,
            "Stamp": { "properties": { "ts": { "type": "integer", "format": "int64" } }, "required": ["ts"] },
            "Id": { "type": "string", "description": "An id." },
            "Me": { "type": "object", "properties": {} },
            "Unused": { "type": "string" },
        });
        json!({ "components": { "schemas": schemas } }).to_string()
    }

    #[test]
    fn an_event_is_its_name_its_facts_and_the_schema_of_its_data() {
        let id = json!({ "$ref": "#/components/schemas/Id", "description": "Which." });
        let module = typescript(&document(&id)).expect("a document");
        let squeezed: String = module.split_whitespace().collect();
        let wanted = r#""data":{"properties":{"thing":{"$ref":"Id"},"ts":{"type":"integer"}},"required":["ts","thing"],"type":"object"},"family":null,"lane":"log""#;
        assert!(squeezed.contains(wanted), "{module}");
        assert!(squeezed.contains(
            r#"schemas:Schemas={"Id":{"type":"string"},"Me":{"properties":{},"type":"object"}}"#
        ));
    }

    #[test]
    fn what_the_page_cannot_read_is_an_error() {
        let either = json!({ "oneOf": [] });
        let error = typescript(&document(&either)).expect_err("not known there");
        assert!(error.to_string().contains("`oneOf`"), "{error}");
    }
}
