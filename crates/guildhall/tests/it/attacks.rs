//! What somebody tries who means harm: whatever they send, they are refused by the protocol's rule, nobody
//! fails, nobody is shown what is not theirs, no secret leaves the house, and nobody else waits for it.
//!
//! What one folder decides by itself (which cookie opens, which origin may post, which body is read) is
//! tried beside it, with all its corners; here is what takes real sockets and the whole house.

/// Cookies, tokens and cursors that are not what they say.
mod credentials;
/// Pages of other sites.
mod cross_site;
/// Whom floods keep waiting.
mod floods;
/// Line ends where input comes back.
mod header_injection;
/// Two browsers, two sign-ins.
mod oauth;
/// Addresses that are nearly one.
mod paths;
/// Every route of the document, asked at random.
mod random_requests;
/// Heads and bodies that are large, or do not come to their end.
mod slow_and_large;
/// Bytes that two read differently.
mod smuggling;

use serde_json::Value;

use crate::house::House;

/// Nobody failed.
fn unharmed(house: &House) {
    for process in [&house.gateway, &house.web, &house.simulator] {
        assert_eq!(process.logged_any(&["panicked"]), None);
    }
}

/// What can be asked here, as the house says it.
async fn document(house: &House) -> Value {
    let answer = house.get("/api/openapi.json", None).await;
    answer.json().await.expect("it is JSON")
}

/// Each path of the document with its methods.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            operations.push((method.as_str(), path.as_str(), operation));
        }
    }
    operations
}

/// In a query's value.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
