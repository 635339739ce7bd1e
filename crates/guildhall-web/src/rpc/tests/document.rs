//! What the document says of a request is what is read.

use std::collections::BTreeSet;

use super::*;
use crate::rpc::RPCS;

#[test]
fn every_row_is_described_once() {
    let document: Value = serde_json::from_str(&crate::openapi()).expect("JSON");
    let mut names = BTreeSet::new();
    for rpc in RPCS {
        assert!(names.insert(rpc.name), "{} is there twice", rpc.name);
        let operation = &document["paths"][format!("/api/rpc/{}", rpc.name)]["post"];
        assert_eq!(operation["operationId"], rpc.name);
        let (first, rest) = rpc.name.split_at(1);
        let input = format!("{}{rest}Input", first.to_uppercase());
        let schema = &document["components"]["schemas"][&input];
        assert_eq!(schema["additionalProperties"], json!(false), "{input}");
        let has_key = operation["parameters"].is_array();
        assert_eq!(has_key, rpc.is_done_once(), "{}", rpc.name);
    }
}

#[tokio::test]
async fn what_the_document_requires_is_missed() {
    let desk = Desk::open();
    let document: Value = serde_json::from_str(&crate::openapi()).expect("JSON");
    for rpc in RPCS {
        let (first, rest) = rpc.name.split_at(1);
        let input = format!("{}{rest}Input", first.to_uppercase());
        let schema = &document["components"]["schemas"][&input];
        let properties = schema["properties"].as_object().expect("properties");
        let required: BTreeSet<&str> = if schema["minProperties"] == json!(1) {
            assert_eq!(schema["maxProperties"], json!(1));
            properties.keys().map(String::as_str).collect()
        } else {
            let required = schema["required"].as_array().expect("something is");
            required.iter().filter_map(Value::as_str).collect()
        };
        let answer = desk.ask(rpc.name, &json!({})).await;
        let missed: BTreeSet<&str> = answer.fields().into_iter().collect();
        assert_eq!(missed, required, "{}", rpc.name);
        let wrong = properties.keys().map(|name| (name.clone(), json!([])));
        let answer = desk.ask(rpc.name, &Value::Object(wrong.collect())).await;
        let refused: BTreeSet<&str> = answer.fields().into_iter().collect();
        assert_eq!(
            refused,
            properties.keys().map(String::as_str).collect(),
            "{}",
            rpc.name
        );
    }
}
