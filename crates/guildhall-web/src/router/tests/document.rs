//! The OpenAPI document and the router speak of the same addresses.

use serde_json::Value;

use super::*;

#[tokio::test]
async fn what_the_document_names_answers_as_it_says() {
    let served = Served::at("http://localhost:3000");
    let document: Value = serde_json::from_str(&crate::openapi()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 10 + rpc::RPCS.len());
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("methods") {
            let headers = [("Cookie", served.cookie.as_str())];
            let mut answer = served.ask(&method.to_uppercase(), path, &headers).await;
            let head = answer.until("\r\n\r\n").await;
            let status = head.split(' ').nth(1).expect("a status");
            let response = &operation["responses"][status];
            assert!(response.is_object(), "{method} {path}: {head}");
            let Some(content) = response["content"].as_object() else {
                continue;
            };
            let content_type = content.keys().next().expect("a type");
            let says = format!("content-type: {content_type}");
            assert!(
                head.to_lowercase().contains(&says),
                "{method} {path}: {head}"
            );
        }
    }
    served.stop.cancel();
}

#[tokio::test]
async fn the_committed_document_is_served_to_whoever_asks() {
    let committed = include_str!("../../../../../docs/openapi.json");
    for (base_url, address) in [
        ("http://localhost:3000", "/api/openapi.json"),
        ("http://localhost:3000/hall", "/hall/api/openapi.json"),
    ] {
        let served = Served::at(base_url);
        let answer = served.ask("GET", address, &[("Connection", "close")]).await;
        let answer = answer.until_closed().await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let head = head.to_lowercase();
        assert!(head.starts_with("http/1.1 200 ok"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(head.contains("cache-control: public"), "{head}");
        assert!(
            body == committed,
            "docs/openapi.json is another: run `cargo xtask codegen` and commit it"
        );
        served.stop.cancel();
    }
}
